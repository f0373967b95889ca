"""Private keys: PEM, OpenSSH's own form, PuTTY's.

## Reads
Every key of a file: its type, whether a passphrase protects it, whether it is a stub of a hardware key (`sk-`); of the
forms that carry the public half in clear also its fingerprint as `ssh-keygen -l` prints it, and the comment. A key that
breaks off is told, and that it is half understood. A file without a key gives nothing: other files lie beside keys.

## Leaves out
The private half, which is not decoded except to step over it to the comment.

## References
OpenSSH PROTOCOL.key; RFC 7468, 5958 and 1421; PuTTY documentation "PPK file format".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterator

from pratique.model.credential import CredentialFact, Protection
from pratique.readers.credentials.contract import Fingerprint, Reason, Row, Secret
from pratique.readers.credentials.held import Pairs, pairs
from pratique.readers.credentials.judgement import text_of

_BEGIN = re.compile(r"-----BEGIN ((?:[A-Z0-9]+ )*)PRIVATE KEY(?: BLOCK)?-----")
_MAGIC = b"openssh-key-v1\0"
_TYPES = {"RSA": "rsa", "DSA": "dsa", "EC": "ecdsa", "PGP": "openpgp"}
_MOST_KEYS = 20


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield a fact for each private key."""
    if b"PRIVATE KEY" not in content and b"PuTTY" not in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    if text.startswith("PuTTY-User-Key-File-"):
        yield from _putty(text, row, fingerprint)
        return
    begins = list(_BEGIN.finditer(text))
    for number, begin in enumerate(begins):
        if number >= _MOST_KEYS:
            yield "too many entries"
            return
        label = begin[1].strip()
        until = begins[number + 1].start() if number + 1 < len(begins) else len(text)
        body, end, _ = text[begin.end() : until].partition("-----END ")
        yield from _pem(label, body.replace("\\n", "\n"), bool(end), row, fingerprint)


def _pem(label: str, body: str, whole: bool, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    protection: Protection = "plaintext"
    kind = _TYPES.get(label, "")
    lines = body.strip().splitlines()
    if label == "ENCRYPTED" or any(line.startswith("Proc-Type:") and "ENCRYPTED" in line for line in lines):
        protection = "passphrase"
    packed = "".join(line.strip() for line in lines if ":" not in line and not line.startswith("="))
    try:
        raw = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raw, whole = b"", False
    identity: Pairs = pairs([("type", kind)])
    if label == "OPENSSH":
        opened = _openssh(raw)
        if opened is None:
            whole, protection = False, "unknown"
        else:
            protection, identity = opened
    elif label == "PGP":
        protection = "unknown"
    elif label == "RSA" and protection == "plaintext":
        identity = (*identity, *_rsa(raw))
    if packed:
        mark = None if row.guessable else fingerprint(row.provider, Secret(packed))
        yield CredentialFact(field="private key", protection=protection, identity=identity, fingerprint=mark)
    if not whole or not packed:
        yield "half understood" if packed else "not understood"


def _openssh(raw: bytes) -> tuple[Protection, Pairs] | None:
    """Protection and identity of a key in OpenSSH's form; None where it breaks off."""
    if not raw.startswith(_MAGIC):
        return None
    at = len(_MAGIC)
    parts: list[bytes] = []
    for _ in range(3):
        part = _string(raw, at)
        if part is None:
            return None
        parts.append(part)
        at += 4 + len(part)
    blob = _string(raw, at + 4)
    if blob is None:
        return None
    inner = _string(raw, at + 8 + len(blob))
    kind = _string(blob, 0)
    if inner is None or kind is None:
        return None
    name = kind.decode("ascii", "replace")
    identity = [("type", name), ("fingerprint", _printed(blob))]
    if parts[0] != b"none":
        return ("hardware" if name.startswith("sk-") else "passphrase"), pairs(identity)
    comment = _comment(inner, name)
    return ("hardware" if name.startswith("sk-") else "plaintext"), pairs([*identity, ("comment", comment)])


_FIELDS = {"ssh-ed25519": 2, "ssh-rsa": 6, "ssh-dss": 5, "sk-ssh-ed25519@openssh.com": -1}


def _comment(inner: bytes, name: str) -> str | None:
    """The comment behind the private half, which is stepped over."""
    at = 8
    kind = _string(inner, at)
    if kind is None or kind.decode("ascii", "replace") != name:
        return None
    at += 4 + len(kind)
    count = _FIELDS.get(name, 3 if name.startswith("ecdsa-sha2-") else -1)
    if count < 0:
        return None
    for _ in range(count):
        part = _string(inner, at)
        if part is None:
            return None
        at += 4 + len(part)
    comment = _string(inner, at)
    return comment.decode("utf-8", "replace") if comment else None


def _string(data: bytes, at: int) -> bytes | None:
    if at + 4 > len(data):
        return None
    (size,) = struct.unpack_from(">I", data, at)
    part = data[at + 4 : at + 4 + size]
    return part if len(part) == size else None


def _printed(blob: bytes) -> str:
    """The fingerprint of a public key, as OpenSSH prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _rsa(raw: bytes) -> Pairs:
    """The fingerprint of the public half of a key in PKCS #1."""
    numbers: list[bytes] = []
    at = _content(raw, 0, 0x30)
    while at is not None and at[0] < len(raw) and len(numbers) < 3:
        inner = _content(raw, at[0], 0x02)
        if inner is None:
            return ()
        numbers.append(raw[inner[0] : inner[1]])
        at = (inner[1], inner[1])
    if len(numbers) < 3:
        return ()
    blob = b"".join(struct.pack(">I", len(part)) + part for part in (b"ssh-rsa", numbers[2], numbers[1]))
    return (("fingerprint", _printed(blob)),)


def _content(raw: bytes, at: int, tag: int) -> tuple[int, int] | None:
    """Start and end of what a DER element of a tag holds."""
    if at + 2 > len(raw) or raw[at] != tag:
        return None
    size, start = raw[at + 1], at + 2
    if size & 0x80:
        count = size & 0x7F
        size, start = int.from_bytes(raw[start : start + count], "big"), start + count
    return (start, start + size) if start + size <= len(raw) else None


def _putty(text: str, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    lines = text.splitlines()
    heads = dict(line.partition(": ")[::2] for line in lines if ": " in line)
    kind = lines[0].partition(": ")[2].strip()
    identity = [("type", kind)]
    start = next((at for at, line in enumerate(lines) if line.startswith("Public-Lines: ")), None)
    count = heads.get("Public-Lines", "")
    if start is not None and count.isdecimal() and int(count) < 1000:
        try:
            identity.append(
                ("fingerprint", _printed(base64.b64decode("".join(lines[start + 1 : start + 1 + int(count)]))))
            )
        except (binascii.Error, ValueError):
            yield "half understood"
    identity.append(("comment", heads.get("Comment", "")))
    protection: Protection = "plaintext" if heads.get("Encryption", "").strip() == "none" else "passphrase"
    private = next((at for at, line in enumerate(lines) if line.startswith("Private-Lines: ")), None)
    if private is None:
        yield "half understood"
    mark = (
        None if row.guessable or private is None else fingerprint(row.provider, Secret("".join(lines[private + 1 :])))
    )
    yield CredentialFact(field="private key", protection=protection, identity=pairs(identity), fingerprint=mark)
