"""PostgreSQL's password file: `host:port:database:user:password`, with `\\:` and `\\\\` inside.

## References
PostgreSQL documentation "The Password File"; postgres `src/interfaces/libpq/fe-connect.c` (`passwordFromFile`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import MOST, text_of
from pratique.readers.credentials.material import fact, pairs

_LONGEST = 65_536


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a line."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    given = 0
    strange = False
    for line in text.split("\n"):
        line = line.strip("\r")
        if not line.strip() or line.startswith("#"):
            continue
        parts = _parts(line[:_LONGEST])
        if len(line) > _LONGEST or len(parts) < 5:
            strange = True
            continue
        host, port, database, user = (re.sub(r"\\(.)", r"\1", part) for part in parts[:4])
        password = re.sub(r"\\(.)", r"\1", parts[4])
        identity = pairs(("host", host), ("port", port), ("database", database), ("user", user))
        found = fact("password", password, row, fingerprint, identity=identity, kind="password")
        if found is not None:
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield found
    if strange:
        yield "half understood" if given else "not understood"


def _parts(line: str) -> list[str]:
    """The five fields; the last one takes what is left, as the client library does."""
    parts: list[str] = []
    start = at = 0
    while at < len(line) and len(parts) < 4:
        if line[at] == "\\":
            at += 2
            continue
        if line[at] == ":":
            parts.append(line[start:at])
            start = at + 1
        at += 1
    return [*parts, line[start:]]
