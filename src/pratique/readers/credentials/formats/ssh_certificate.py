"""Certificates of SSH keys: the public part that an authority signed.

## Reads
Type, serial number, key id, principals, and until when it is valid. The secret is the key that lies beside it.

## Leaves out
The signature, which is not checked.

## References
OpenSSH PROTOCOL.certkeys.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import struct
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import pairs

_NUMBERS = {"ssh-rsa": 2, "ssh-dss": 4, "ssh-ed25519": 1, "sk-ssh-ed25519": 2, "sk-ecdsa-sha2-nistp256": 3}


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield what the certificate says, as a reference to the key beside it."""
    words = content.split(None, 2)
    if len(words) < 2 or b"-cert-v01@openssh.com" not in words[0]:
        yield "not understood"
        return
    try:
        blob = base64.b64decode(words[1], validate=True)
        at = 0

        def string() -> bytes:
            nonlocal at
            (size,) = struct.unpack_from(">I", blob, at)
            part = blob[at + 4 : at + 4 + size]
            if len(part) != size:
                raise ValueError
            at += 4 + size
            return part

        kind = string().decode("ascii")
        string()
        base = kind.partition("-cert-")[0]
        for _ in range(_NUMBERS.get(base, 2)):
            string()
        serial, role = struct.unpack_from(">QI", blob, at)
        at += 12
        key_id = string().decode("utf-8", "replace")
        named = string()
        principals: list[str] = []
        inner = 0
        while inner + 4 <= len(named) and len(principals) < 50:
            (size,) = struct.unpack_from(">I", named, inner)
            principals.append(named[inner + 4 : inner + 4 + size].decode("utf-8", "replace"))
            inner += 4 + size
        _, before = struct.unpack_from(">QQ", blob, at)
    except (binascii.Error, ValueError, struct.error, UnicodeDecodeError):
        yield "half understood"
        return
    expires = None
    if before < 1 << 33:
        moment = datetime.datetime.fromtimestamp(before, datetime.UTC)
        expires = moment.isoformat().replace("+00:00", "Z")
    yield CredentialFact(
        field="certificate",
        state="reference",
        protection="unknown",
        identity=pairs(
            [("type", base), ("serial", str(serial)), ("key id", key_id), ("for", "user" if role == 1 else "host")]
        ),
        scopes=tuple(text for _, text in pairs(("principal", item) for item in principals)),
        expires=expires,
    )
