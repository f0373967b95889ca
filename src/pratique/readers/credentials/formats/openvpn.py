"""Configurations of OpenVPN: keys inside the file, and files of keys and passwords that it names.

## References
OpenVPN manual, "Inline file support" and `auth-user-pass`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row, Secret
from pratique.readers.credentials.formats.certificates import read as read_keys
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.material import is_guessable, pairs

_INLINE = ("tls-auth", "tls-crypt", "tls-crypt-v2", "secret", "auth-user-pass", "pkcs12", "key")
_OPENING = re.compile(rf"<({'|'.join(_INLINE)})>")
_NAMED = re.compile(
    r"^\s{0,8}(key|pkcs12|secret|tls-auth|tls-crypt|auth-user-pass|askpass)[ \t]+(?!\[inline\])\S", re.MULTILINE
)
_REMOTE = re.compile(r"^\s{0,8}remote[ \t]+(\S{1,200})", re.M)


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a key, and a reference for each file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    remote = _REMOTE.search(text)
    identity = pairs(("host", remote[1] if remote else None))
    if "-----BEGIN" in text:
        yield from read_keys(data, row, fingerprint)
    whole = True
    for match in list(_OPENING.finditer(text))[:100]:
        end = text.find(f"</{match[1]}>", match.end())
        whole = whole and end >= 0
        value = text[match.end() : end if end >= 0 else len(text)].strip()
        if value and match[1] != "key":
            mark = None if is_guessable("".join(value.split())[-40:]) else fingerprint("value", Secret(value))
            yield CredentialFact(field=match[1], identity=identity, fingerprint=mark)
    for name in dict.fromkeys(match[1] for match in _NAMED.finditer(text)):
        yield CredentialFact(field=name, state="reference", protection="unknown", identity=identity)
    if not whole:
        yield "half understood"
