"""fish's universal variables: `SETUVAR --export NAME:value`, with `\\x20` and the like in values.

## References
fish-shell `src/env_universal_common.rs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.assignments import Assignment
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.variables import of_variables

_LINE = re.compile(r"SETUVAR\s+(?:--\w+\s+){0,4}([A-Za-z_][A-Za-z0-9_]{0,200}):(.*)")
_ESCAPE = re.compile(r"\\x([0-9a-fA-F]{2})|\\u([0-9a-fA-F]{4})")
_OLD = re.compile(r"SET(?:_EXPORT)?:([A-Za-z_][A-Za-z0-9_]{0,200})?:?(.*)")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a variable."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    yield from of_variables(_lines(text), row, fingerprint)


def _lines(text: str) -> Iterator[Assignment]:
    for line in text.split("\n"):
        match = _LINE.match(line) or _OLD.match(line)
        if match and match[1]:
            yield Assignment(match[1], _ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), match[2]).strip())
        elif line.strip() and not line.startswith("#"):
            yield Assignment("", "", ends=False)
