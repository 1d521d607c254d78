"""Uploads a file with the permission of oss-presign: asks for a URL, then sends the file to it.

usage: upload.py FILE KEY CONTENT-TYPE      OSS_PRESIGN_TOKEN and OSS_PRESIGN_URL come from the environment
"""

import os
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import requests


class ProgressReader:
    """Reads a file piece by piece, as it is sent, and shows how far it is."""

    def __init__(self, file, size: int):
        self.file, self.size, self.sent = file, size, 0

    def __len__(self) -> int:
        return self.size

    def read(self, amount: int = -1) -> bytes:
        piece = self.file.read(amount)
        self.sent += len(piece)
        print(f"\r{self.sent / self.size:4.0%}", end="" if piece else "\n", file=sys.stderr)
        return piece


def main(path: str, key: str, content_type: str) -> int:
    service = os.environ.get("OSS_PRESIGN_URL", "http://localhost:8080")
    size = Path(path).stat().st_size
    asked = requests.post(
        f"{service}/v1/uploads",
        headers={"Authorization": f"Bearer {os.environ['OSS_PRESIGN_TOKEN']}"},
        json={"key": key, "contentType": content_type, "contentLength": size, "metadata": {"album": "examples"}},
        timeout=30,
    )
    if not asked.ok:
        print(f"The service refused: {asked.json()['detail']}", file=sys.stderr)
        return 1
    grant = asked.json()

    with open(path, "rb") as file:
        # A file object of no bytes would be sent in chunks, without a length; no bytes at all have the length 0.
        body = ProgressReader(file, size) if size else b""
        sent = requests.request(
            grant["method"], grant["url"], headers=grant["headers"], data=body, timeout=(10, 300)
        )
    if not sent.ok:
        error = ElementTree.fromstring(sent.content)
        print(f"OSS refused: {sent.status_code} {error.findtext('Code')}: {error.findtext('Message')}", file=sys.stderr)
        return 1
    print(f"key:  {grant['key']}")
    print(f"ETag: {sent.headers['ETag']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
