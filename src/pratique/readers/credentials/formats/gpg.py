"""Secret keys of GnuPG: the key files of its agent, and OpenPGP key rings.

## Reads
`private-keys-v1.d/*.key`, as an S-expression or in the newer form with names: protected by a passphrase, in plain, or a
stub of a key that a card holds. Key rings and armoured blocks: that there is a secret key.

## Leaves out
Whose key it is (the public key ring says it). Whether a key in a ring has a passphrase.

## References
GnuPG `agent/keyformat.txt`; RFC 9580 section 5.5.3.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact, Protection
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.material import moment

_FORM = re.compile(rb"\((?:\d{1,3}:)?(?P<form>protected-private-key|shadowed-private-key|private-key)\b")
_HEADER = re.compile(rb"^Key:\s", re.MULTILINE)
_CREATED = re.compile(rb"^Created:\s*(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)", re.MULTILINE)
_PROTECTION: dict[bytes, Protection] = {
    b"protected-private-key": "passphrase",
    b"shadowed-private-key": "hardware",
    b"private-key": "plaintext",
}
_HEAD = 16_384


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the key."""
    if not data.strip():
        return
    start = data.lstrip()
    if start.startswith(b"-----BEGIN PGP"):
        if b"PRIVATE KEY" in start[:64]:
            yield CredentialFact(field="secret key", protection="unknown", kind="openpgp-secret-key")
        elif b"PUBLIC KEY" not in start[:64]:
            yield "not understood"
        return
    found = _FORM.search(start[:_HEAD])
    if found is not None and (start.startswith(b"(") or _HEADER.search(start[:_HEAD])):
        protection = _PROTECTION[found["form"]]
        when = _CREATED.search(start[:_HEAD])
        created = moment("{}-{}-{}T{}:{}:{}Z".format(*(part.decode() for part in when.groups()))) if when else None
        yield CredentialFact(
            field="secret key",
            state="reference" if protection == "hardware" else "present",
            protection=protection,
            kind="openpgp-secret-key",
            created=created,
        )
        if not _balanced(start):
            yield "half understood"
        return
    # A key ring: packets of type 5 (secret key) or 7 (secret subkey), in the old or the new form of a header.
    if (data[0] & 0xFC) in (0x94, 0x9C) or data[0] in (0xC5, 0xC7):
        yield CredentialFact(field="key ring", protection="unknown", kind="openpgp-secret-key")
        return
    yield "not understood"


def _balanced(data: bytes) -> bool:
    """Whether an S-expression ends: with strings of stated length, or in the readable form."""
    at = data.find(b"(")
    depth = 0
    while 0 <= at < len(data):
        letter = data[at : at + 1]
        if letter == b"(":
            depth += 1
        elif letter == b")":
            depth -= 1
            if depth == 0:
                return True
        elif letter == b'"':
            at = data.find(b'"', at + 1)
            if at < 0:
                return False
        elif letter.isdigit():
            counted = re.compile(rb"\d{1,7}:").match(data, at)
            if counted:
                at = counted.end() + int(counted[0][:-1])
                continue
        at += 1
    return False
