"""Histories of shells and consoles: how many tokens were typed, by kind. Nothing of the lines is kept.

## Leaves out
Passwords without a format of their own. Names, commands, times.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.tokens import count

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@]{1,200}:[^\s@/]{1,200}@")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a kind, with how many stand there."""
    text = text_of(data)
    if text is None and data.startswith((b"\xff\xfe", b"\xfe\xff")):
        yield "of an encoding that is not read"
        return
    text = text if text is not None else data.decode("utf-8", "replace")
    found = count(text)
    urls = sum(1 for _ in _URL.finditer(text))
    if urls:
        found["url-password"] = urls
    for kind, number in sorted(found.items()):
        yield CredentialFact(field="typed", kind=kind, identity=(("count", str(number)),))
