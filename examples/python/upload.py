"""Uploads a file through oss-presign: asks the service for a signed URL, then sends the file to that URL.

Without KEY the service creates the object key. OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment.
"""

import argparse
import mimetypes
import os
import sys
import time
import unicodedata
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import requests

LONGEST_WAIT_SECONDS = 30


def main() -> None:
    arguments = read_arguments()
    size = arguments.file.stat().st_size
    request = {"contentType": arguments.type or guess_type(arguments.file), "contentLength": size}
    # macOS hands out decomposed names; the service accepts composed ones (NFC).
    name, value = ("key", arguments.key) if arguments.key else ("filename", arguments.file.name)
    request[name] = unicodedata.normalize("NFC", value)
    if arguments.meta:
        request["metadata"] = dict(arguments.meta)

    response = ask_service(request)
    if response.status_code != 201:
        sys.exit(f"The service rejected the request: {explain(response)}")
    grant = response.json()

    for attempt in (1, 2):  # A network error and a 5xx response are repeated once.
        try:
            sent = send_file(arguments.file, size, grant)
            if sent.status_code < 500:
                break
        except requests.RequestException as error:
            if attempt == 2:
                sys.exit(f"\nOSS cannot be reached: {describe(error)}")
        time.sleep(2 - attempt)

    print(file=sys.stderr)
    if sent.status_code == 203:
        print("Stored, but OSS could not notify the application. Do not upload the file again.", file=sys.stderr)
    elif sent.status_code == 409 and attempt == 2:
        print("Stored by the first attempt, whose response was lost.", file=sys.stderr)
    elif sent.status_code != 200:
        advice = "\nThe key is taken: choose another one, or leave KEY out." if sent.status_code == 409 else ""
        sys.exit(f"OSS rejected the upload: {explain_xml(sent)}{advice}")
    print(f"key:  {grant['key']}")
    if sent.status_code != 409:
        print(f"ETag: {sent.headers['ETag']}")


def read_arguments() -> argparse.Namespace:
    def pair(text: str) -> tuple[str, str]:
        name, separator, value = text.partition("=")
        if not name or not separator:
            raise argparse.ArgumentTypeError("expected NAME=VALUE")
        return name, value

    parser = argparse.ArgumentParser(usage="upload.py FILE [KEY] [TYPE] [--meta NAME=VALUE]...", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("key", nargs="?")
    parser.add_argument("type", nargs="?")
    parser.add_argument("--meta", type=pair, action="append")
    arguments = parser.parse_intermixed_args()
    if "OSS_PRESIGN_TOKEN" not in os.environ:
        parser.error("OSS_PRESIGN_TOKEN is not set")
    return arguments


def guess_type(file: Path) -> str:
    content_type, compression = mimetypes.guess_type(file.name)
    return content_type if content_type and not compression else "application/octet-stream"


def ask_service(request: dict) -> requests.Response:
    """Sends the request up to three times: 429 and 503 are repeated after `Retry-After`, a network error once."""
    url = os.environ.get("OSS_PRESIGN_URL", "http://localhost:8080") + "/v1/uploads"
    headers = {"Authorization": f"Bearer {os.environ['OSS_PRESIGN_TOKEN']}"}
    network_errors = 0
    for attempt in (1, 2, 3):
        wait = 1
        try:
            response = requests.post(url, json=request, headers=headers, timeout=30)
            if response.status_code not in (429, 503):
                break
            after = response.headers.get("Retry-After", "")
            wait = int(after) if after.isdecimal() else 1
            if attempt == 3 or wait > LONGEST_WAIT_SECONDS:
                break
        except requests.RequestException as error:
            network_errors += 1
            if network_errors == 2 or attempt == 3:
                sys.exit(f"The service cannot be reached: {describe(error)}")
        time.sleep(wait)
    return response


def send_file(file: Path, size: int, grant: dict) -> requests.Response:
    with file.open("rb") as content:
        # requests sends an empty file object in chunks, without a length. b"" has the length 0.
        body = ProgressReader(content, size) if size else b""
        return requests.request(
            grant["method"], grant["url"], headers=grant["headers"], data=body, timeout=(10, 300), allow_redirects=False
        )


class ProgressReader:
    """Reads a file piece by piece while it is sent, and shows the progress."""

    def __init__(self, file, size: int):
        self.file, self.size, self.sent = file, size, 0

    def __len__(self) -> int:
        return self.size

    def read(self, amount: int = -1) -> bytes:
        piece = self.file.read(amount)
        self.sent += len(piece)
        print(f"\r{self.sent / self.size:4.0%}", end="", file=sys.stderr)
        return piece


def explain(response: requests.Response) -> str:
    try:
        problem = response.json()
        return " ".join(error["detail"] for error in problem.get("errors", [problem]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"HTTP {response.status_code}"


def explain_xml(response: requests.Response) -> str:
    try:
        error = ElementTree.fromstring(response.content)
        return f"{response.status_code} {error.findtext('Code')}: {error.findtext('Message')}"
    except ElementTree.ParseError:
        return f"HTTP {response.status_code}"


def describe(error: BaseException) -> str:
    """Names the innermost cause. The messages of requests and urllib3 quote the signed URL, so they are never printed."""
    while error.__context__:
        error = error.__context__
    is_safe = isinstance(error, OSError) and not isinstance(error, requests.RequestException)
    return f"{type(error).__name__}: {error}" if is_safe else type(error).__name__


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # A traceback would print the signed URL.
        sys.exit(f"The upload failed: {describe(error)}")
