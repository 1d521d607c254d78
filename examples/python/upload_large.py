"""Uploads a large file in parts through oss-presign. The same command continues an upload that broke off.

FILE.oss-presign holds the id of an unfinished upload. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment.
"""

import mimetypes
import os
import re
import sys
import time
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

ATTEMPTS = 4
LONGEST_WAIT_SECONDS = 60
PARTS_PER_REQUEST = 20
PARALLEL_PARTS = 4


def main() -> None:
    if not 2 <= len(sys.argv) <= 4 or sys.argv[1].startswith("--") or not os.environ.get("OSS_PRESIGN_TOKEN"):
        print("usage: upload_large.py FILE [KEY] [TYPE]   (needs OSS_PRESIGN_TOKEN)", file=sys.stderr)
        sys.exit(2)
    file, key, content_type = (*sys.argv[1:], None, None)[:3]
    size, state, upload = os.stat(file).st_size, Path(f"{file}.oss-presign"), {}
    upload_id = state.read_text() if state.exists() else ""
    if upload_id:
        upload = ask("/status", {"id": upload_id}, "upload_id_invalid", "upload_id_expired")
        print(f"Unfinished upload: {upload.get('state') or upload['detail']}", file=sys.stderr)
    if upload.get("state", "absent") == "absent":
        print("Starting a new upload.", file=sys.stderr)
        guess, compression = mimetypes.guess_type(file)
        content_type = content_type or (not compression and guess) or "application/octet-stream"
        # macOS hands out decomposed names; the service accepts composed ones (NFC).
        name = {"key" if key else "filename": unicodedata.normalize("NFC", key or Path(file).name)}
        request = {"transfer": "multipart", "contentType": content_type, "contentLength": size}
        upload_id = ask("", {**request, **name})["id"]
        state.unlink(missing_ok=True)
        with open(os.open(state, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as created:
            created.write(upload_id)
        upload = ask("/status", {"id": upload_id})
    if upload["contentLength"] != size:
        sys.exit(f"The file had {upload['contentLength']} bytes and has {size} now. Delete {state} to start again.")

    send_parts(file, upload_id, [n for gap in upload.get("missing", []) for n in range(gap["from"], gap["to"] + 1)])
    stored = ask("/complete", {"id": upload_id})
    state.unlink()
    print(f"key:  {stored['key']}\nreceipt: {'yes' if stored.get('receipt') else 'no'}")


def send_parts(file: str, upload_id: str, missing: list[int]) -> None:
    """Signs the parts that are missing, some at a time, and sends a few in parallel."""
    with ThreadPoolExecutor(PARALLEL_PARTS) as pool:
        for start in range(0, len(missing), PARTS_PER_REQUEST):
            print(f"Parts left: {len(missing) - start}", file=sys.stderr)
            numbers = missing[start : start + PARTS_PER_REQUEST]
            signed = ask("/parts", {"id": upload_id, "partNumbers": numbers})
            list(pool.map(lambda part: send_part(file, upload_id, part), signed["parts"]))


def send_part(file: str, upload_id: str, part: dict, attempt: int = 1) -> None:
    """Sends one part, and signs it again if its URL has expired."""
    offset, length = part["offset"], part["contentLength"]
    sent = send("OSS", part["method"], part["url"], part["headers"], lambda: {"data": Part(file, offset, length)})
    if sent.status_code == 200:
        return
    code, message = ("".join(re.findall(f"<{name}>(.*?)</{name}>", sent.text)) for name in ("Code", "Message"))
    if message != "Request has expired." or attempt == ATTEMPTS:
        sys.exit(f"OSS rejected a part: {sent.status_code} {code}: {message}\nRun the command again to continue.")
    signed = ask("/parts", {"id": upload_id, "partNumbers": [part["partNumber"]]})
    send_part(file, upload_id, signed["parts"][0], attempt + 1)


class Part:
    """The bytes of one part, read piece by piece while they are sent."""

    def __init__(self, file: str, offset: int, length: int):
        self.content, self.left = open(file, "rb"), length
        self.content.seek(offset)

    def __len__(self) -> int:
        return self.left

    def read(self, amount: int) -> bytes:
        piece = self.content.read(min(amount, self.left))
        self.left -= len(piece)
        return piece


def ask(path: str, question: dict, *accepted_codes: str) -> dict:
    """Returns a 2xx response of the service, or a problem with one of these codes. Any other response ends the program."""
    url = os.environ.get("OSS_PRESIGN_URL", "http://localhost:8080") + "/v1/uploads" + path
    headers = {"Authorization": f"Bearer {os.environ['OSS_PRESIGN_TOKEN']}"}
    response = send("The service", "POST", url, headers, lambda: {"json": question})
    is_json = "json" in response.headers.get("Content-Type", "")
    content = response.json() if is_json else {"detail": f"HTTP {response.status_code}"}
    if not response.ok and content.get("code") not in accepted_codes:
        details = " ".join(error["detail"] for error in content.get("errors", [content]))
        sys.exit(f"The service rejected the request: {details}")
    return content


def send(receiver: str, method: str, url: str, headers: dict, open_body: Callable[[], dict]) -> requests.Response:
    """Repeats a network error, 429 and 5xx."""
    for attempt in range(1, ATTEMPTS + 1):
        wait = 2 ** (attempt - 1)
        try:  # The service responds to `complete` within 75 s.
            sent = requests.request(method, url, headers=headers, timeout=(10, 90), allow_redirects=False, **open_body())
            after = sent.headers.get("Retry-After", "")
            wait = int(after) if after.isdecimal() else wait
            is_busy = sent.status_code == 429 or sent.status_code >= 500 or "<Code>RequestTimeout<" in sent.text
            if not is_busy or attempt == ATTEMPTS or wait > LONGEST_WAIT_SECONDS:
                return sent
        except requests.RequestException as error:
            if attempt == ATTEMPTS:
                sys.exit(f"{receiver} cannot be reached: {describe(error)}")
        time.sleep(wait)


def describe(error: BaseException) -> str:
    """Names the innermost cause. The messages of requests and urllib3 quote the signed URL, so they are never printed."""
    while error.__context__:
        error = error.__context__
    is_safe = isinstance(error, OSError) and not isinstance(error, requests.RequestException)
    return f"{type(error).__name__}: {error}" if is_safe else type(error).__name__


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("Interrupted. Run the command again to continue.")
    except Exception as error:  # A traceback would print the signed URL.
        sys.exit(f"The upload failed: {describe(error)}")
