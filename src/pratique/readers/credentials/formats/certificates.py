"""Private keys with or beside their certificates: PEM, DER, PKCS #12, Java key stores, PuTTY.

## Reads
Every private key in a text: whether a passphrase protects it, with subject and end of the first certificate in the same
file. PKCS #12 and Java key stores: always behind a password, which often stands in the same environment; of a store in
Sun's own form the name and time of each key. PuTTY's keys with their comment.

## Leaves out
Certificates and public keys alone. The password of a store. Subject and end of a certificate where no library to read
it is installed.

## References
RFC 7468, RFC 5208, RFC 7292; OpenJDK `sun/security/provider/JavaKeyStore.java`; openssh-portable `PROTOCOL.key`;
PuTTY documentation, appendix "PPK file format".
"""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Iterator

from pratique.model.credential import CredentialFact, Protection
from pratique.readers.credentials.certificate import certified
from pratique.readers.credentials.contract import Fingerprint, Reason, Row, Secret
from pratique.readers.credentials.judgement import MOST
from pratique.readers.credentials.material import moment, pairs

_KEY = re.compile(rb"-----BEGIN (?P<label>[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?)-----")
_CERTIFICATE = re.compile(rb"-----BEGIN (?:TRUSTED )?CERTIFICATE-----[A-Za-z0-9+/=\s]{1,100000}-----END")
_PUTTY = re.compile(rb"PuTTY-User-Key-File-[23]: ([\w.@-]{1,60})")
_PKCS12 = re.compile(rb"\x30[\x80-\x84].{0,4}\x02\x01\x03\x30", re.DOTALL)
_PKCS8 = re.compile(rb"\x30[\x20-\x84].{0,4}?\x02\x01[\x00\x01]\x30", re.DOTALL)
_PKCS8_ENCRYPTED = re.compile(
    rb"\x30[\x20-\x84].{0,4}?\x30[\x10-\x7f]\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05", re.DOTALL
)
_DIGEST = 20
"""Bytes of the digest that ends a store of Java."""
_STORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a private key."""
    if data.startswith(_STORES):
        yield from _java(data)
    elif _PKCS12.match(data):
        yield CredentialFact(field="PKCS #12", protection="passphrase", kind="private-key")
    elif _PKCS8_ENCRYPTED.match(data):
        yield CredentialFact(field="private key", protection="passphrase", kind="private-key")
    elif _PKCS8.match(data):
        mark = fingerprint("private-key", Secret(data))
        yield CredentialFact(field="private key", protection="plaintext", kind="private-key", fingerprint=mark)
    elif _PUTTY.search(data[:200]):
        yield from _putty(data)
    elif b"-----BEGIN" in data:
        yield from _text(data, fingerprint)
    elif data.strip() and not data.startswith(b"\x30"):
        # What begins as a sequence and is no key is a certificate or a request in DER: public.
        yield "not understood"


def _text(data: bytes, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    first = _CERTIFICATE.search(data)
    subject, expires = certified(first[0] + b" CERTIFICATE-----\n") if first else (None, None)
    for given, match in enumerate(_KEY.finditer(data)):
        if given >= MOST:
            yield "too many entries"
            return
        label = match["label"]
        end = data.find(b"-----END " + label, match.end())
        body = data[match.end() : end if end >= 0 else len(data)]
        protection = _protection(label, body)
        known = protection == "plaintext" and end >= 0
        yield CredentialFact(
            field="private key",
            protection=protection,
            kind="private-key",
            identity=pairs(("subject", subject)),
            expires=expires,
            fingerprint=fingerprint("private-key", Secret(b"".join(body.split()))) if known else None,
        )
        if end < 0:
            yield "half understood"


def _protection(label: bytes, body: bytes) -> Protection:
    if label.startswith(b"ENCRYPTED") or b"4,ENCRYPTED" in body[:200]:
        return "passphrase"
    if label.startswith(b"PGP"):
        return "unknown"
    if label.startswith(b"OPENSSH"):
        try:
            head = base64.b64decode(b"".join(body[:400].split())[:80])
        except ValueError:
            return "unknown"
        if not head.startswith(b"openssh-key-v1\0"):
            return "unknown"
        return "plaintext" if head[15:].startswith(b"\0\0\0\x04none") else "passphrase"
    return "plaintext"


def _putty(data: bytes) -> Iterator[CredentialFact | Reason]:
    def line(name: bytes) -> str:
        found = re.search(rb"^" + name + rb": ([^\r\n]{0,200})", data, re.MULTILINE)
        return found[1].decode("utf-8", "replace") if found else ""

    encryption = line(b"Encryption")
    protection: Protection = "unknown" if not encryption else "plaintext" if encryption == "none" else "passphrase"
    kind = _PUTTY.search(data[:200])
    yield CredentialFact(
        field="private key",
        protection=protection,
        kind="ssh-private-key",
        identity=pairs(("type", kind[1].decode() if kind else None), ("comment", line(b"Comment"))),
    )
    if b"Private-MAC:" not in data or not encryption:
        yield "half understood"


def _java(data: bytes) -> Iterator[CredentialFact | Reason]:
    """The private keys of a store in Sun's form, which are encrypted each; their names and times are not."""
    at = 12
    try:
        (entries,) = struct.unpack_from(">I", data, 8)
        for index in range(entries):
            if index >= MOST:
                yield "too many entries"
                return
            tag, size = struct.unpack_from(">IH", data, at)
            name = data[at + 6 : at + 6 + size].decode("utf-8", "replace")
            at += 6 + size
            (made,) = struct.unpack_from(">Q", data, at)
            at += 8
            if tag == 1:
                at = _past(data, at)
                (chain,) = struct.unpack_from(">I", data, at)
                at += 4
                yield CredentialFact(
                    field="private key",
                    protection="passphrase",
                    kind="private-key",
                    identity=pairs(("alias", name)),
                    created=moment(made),
                )
                for _ in range(min(chain, 100)):
                    at = _certificate(data, at)
            elif tag == 2:
                at = _certificate(data, at)
            else:
                yield "half understood"
                return
    except struct.error:
        yield "half understood"
        return
    if at + _DIGEST != len(data):
        yield "half understood"


def _past(data: bytes, at: int) -> int:
    (size,) = struct.unpack_from(">I", data, at)
    return at + 4 + int(size)


def _certificate(data: bytes, at: int) -> int:
    (size,) = struct.unpack_from(">H", data, at)
    return _past(data, at + 2 + int(size))
