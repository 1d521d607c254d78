"""Verifies receipts with PyJWT: one JSON object a line on stdin, one on stdout, in the same order. The fields are the types
of ../receipt-program.ts."""

import json
import sys

import jwt

clients = {}


def verify(job):
    # The client keeps the keys, as in a backend, and fetches them again for an unknown kid. By default it waits 30 s between
    # two fetches; a rotation of the service keys waits longer before a new key signs.
    client = clients.setdefault(job["jwks"], jwt.PyJWKClient(job["jwks"], cooldown_duration=0))
    try:
        key = client.get_signing_key_from_jwt(job["receipt"])
        decoded = jwt.decode_complete(
            job["receipt"],
            key,
            algorithms=["ES256"],
            issuer=job["issuer"],
            audience=job["audience"],
            options={"require": ["exp", "iat", "iss", "aud", "sub", "jti"]},
        )
        if decoded["header"].get("typ") != "upload-receipt+jwt":
            raise jwt.InvalidTokenError("not a receipt")
    except jwt.PyJWTError as error:
        return {"rejected": f"{type(error).__name__}: {error}"}
    return {"claims": decoded["payload"]}


for line in sys.stdin:
    print(json.dumps(verify(json.loads(line))), flush=True)
