"""`.env` files: lines of `NAME=value`.

## Reads
`NAME=value`, `export NAME=value`, quotes of both kinds, values over several lines in double quotes. Names of the row's
`fields` hold secrets; `@NAME` those whose URL holds one.

## Leaves out
What a shell would put in place of a variable: such a value is a reference.

## References
npm package `dotenv`; Docker documentation "env_file".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import held
from pratique.readers.credentials.judgement import MOST, text_of

_LINE = re.compile(
    r"""^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*(?:=|:[ \t])[ \t]*
    (?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([^\n]*))""",
    re.VERBOSE | re.MULTILINE | re.DOTALL,
)


def assigned(text: str) -> Iterator[tuple[str, str]]:
    """Names and values in order."""
    for match in _LINE.finditer(text.replace("\r\n", "\n").replace("\r", "\n")):
        quoted = match[2] if match[2] is not None else match[3]
        value = quoted if quoted is not None else re.sub(r"(?:^|[ \t]+)#.*$", "", match[4])
        yield match[1], value.strip()


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the secrets, by name."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    count = names = 0
    for name, value in assigned(text):
        names += 1
        for fact in held(name, value, row, fingerprint):
            count += 1
            if count > MOST:
                yield "too many entries"
                return
            yield fact
    if not names and re.search(r"^[ \t]*[^#\s]", text, re.MULTILINE):
        yield "not understood"
