"""Settings as Erlang terms, such as hex's: `{api_key, <<"...">>}.`

## Reads
Pairs of a name and a text at any depth, whose name is one of the row's `fields`.

## Leaves out
Everything else that a term may hold.

## References
Erlang documentation "file:consult"; hex `hex_config`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import held
from pratique.readers.credentials.judgement import MOST, text_of

_TEXT = r'(?:<<)?"((?:[^"\\]|\\.){0,20000})"(?:/utf8)?(?:>>)?'
_NAME = r"""'([^'\n]{0,200})'|(?<![\w@$])([a-z][\w@$]{0,200})|<<"([^"\n]{0,200})">>"""
_PAIR = re.compile(rf"(?:{_NAME})\s{{0,50}}(?:,|=>)\s{{0,50}}{_TEXT}")


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the secrets, by name."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    count = 0
    for match in _PAIR.finditer(text):
        for fact in held(match[1] or match[2] or match[3] or "", match[4], row, fingerprint):
            count += 1
            if count > MOST:
                yield "too many entries"
                return
            yield fact
    if text.count("{") != text.count("}") or (text.strip() and not text.rstrip().endswith(".")):
        yield "half understood"
