"""The settings of classic yarn, one quoted name and value a line.

## Reads
`"//host/:_authToken" "value"` and its neighbours; proxies and registries whose URL carries a password.

## Leaves out
Everything else: classic yarn keeps its tokens in npm's file as a rule.

## References
yarn classic documentation "yarnrc".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.formats import npmrc
from pratique.readers.credentials.judgement import text_of

_LINE = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?:\s+|\s*[=:]\s+)(?:"([^"]*)"|'([^']*)'|(.*?))\s*""")


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the secrets of each host."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    lines: list[str] = []
    damaged = False
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            damaged = True
            continue
        name = next((part for part in match.group(1, 2, 3) if part is not None), "")
        value = next((part for part in match.group(4, 5, 6) if part is not None), "")
        lines.append(f"{name}={value}")
    yield from npmrc.read("\n".join(lines).encode("utf-8", "surrogateescape"), row, fingerprint)
    if damaged:
        yield "half understood" if lines else "not understood"
