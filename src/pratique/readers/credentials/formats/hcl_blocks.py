"""The parts of HashiCorp's language in which tokens stand: `credentials "host" { token = "..." }`, `name = "value"`.

Blocks and plain values alone are understood. Expressions, templates and text over several lines make the file half
understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import Pairs, is_token, matches, owner
from pratique.readers.credentials.judgement import MOST, judge, text_of
from pratique.readers.credentials.material import fact, is_secret_name, named, pairs

_BLOCK = re.compile(r'([A-Za-z_][\w-]{0,100})((?:\s{1,8}"[^"\n]{0,300}"){0,3})\s{0,8}=?\s{0,8}\{$')
_VALUE = re.compile(r'"?([A-Za-z_][\w.-]{0,200})"?\s{0,8}[=:]\s{0,8}"((?:[^"\\\n]|\\.)*)"\s{0,8},?$')
_PLAIN = re.compile(r"\"?[A-Za-z_][\w.-]{0,200}\"?\s{0,8}=\s{0,8}(?:true|false|null|-?[\d.]{1,40}),?")
_LONGEST = 65_536


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    blocks: list[tuple[str, ...]] = []
    given = 0
    strange = False
    for line in text.split("\n"):
        bare = line.strip()
        if len(bare) > _LONGEST:
            strange = True
            continue
        if not bare or bare.startswith(("#", "//")):
            continue
        if not (bare.startswith('"') or '"' in bare):
            bare = re.split(r"\s#|\s//", bare)[0].strip()
        one = re.fullmatch(r'([A-Za-z_][\w-]{0,100}(?:\s{1,8}"[^"]{0,300}"){0,3})\s{0,8}\{(.{0,4000})\}', bare)
        parts = [f"{one[1]} {{", one[2].strip(), "}"] if one else [bare]
        for part in parts:
            block = _BLOCK.match(part)
            value = _VALUE.fullmatch(part)
            if block:
                blocks.append((block[1], *re.findall(r'"([^"]*)"', block[2])))
            elif part in ("}", "},"):
                if blocks:
                    blocks.pop()
                else:
                    strange = True
            elif value:
                path = (*(name for names in blocks for name in names), value[1])
                found = _one(path, value[2], row, fingerprint)
                if found is not None:
                    given += 1
                    if given > MOST:
                        yield "too many entries"
                        return
                    yield found
            elif part and not _PLAIN.fullmatch(part):
                strange = True
    if strange or blocks:
        yield "half understood"


def _one(path: tuple[str, ...], value: str, row: Row, fingerprint: Fingerprint) -> CredentialFact | None:
    wanted = matches(row.fields, path) or is_secret_name(path[-1]) or is_token(value)
    if not wanted or judge(value) == "nothing":
        return None
    identity = owner(row, path, (Pairs(),)) or pairs(("host", path[-2] if len(path) > 2 else None))
    return fact(named(path), value, row, fingerprint, identity=identity)
