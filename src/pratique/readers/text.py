"""Small tools that readers share: decoding of text and the making of refusals."""

from __future__ import annotations

import codecs
import json
import re
import sys
from collections import Counter
from typing import Any, TypeVar

from pratique.model.observation import Refusal
from pratique.model.ports import Artifact, Reader

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_SOUND = sys.version_info >= (3, 11, 5)
"""Before 3.11.5 Python lost matches of possessive groups whose inside can go back (cpython issue 106052)."""

Text = TypeVar("Text", str, bytes)


def portable(pattern: Text) -> Text:
    """The pattern, with possessive groups made plain greedy ones where this Python cannot be trusted with them.

    Patterns given here match the same texts both ways; possessive groups save going back and its memory.
    """
    if _SOUND:
        return pattern
    if isinstance(pattern, bytes):
        return re.sub(rb"\)([*+])\+", rb")\1", pattern)
    return re.sub(r"\)([*+])\+", r")\1", pattern)


_STRING = r'("[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z))'
_COMMENT = re.compile(portable(rf"{_STRING}|//[^\n]*+|/\*.*?(?:\*/|\Z)"), re.DOTALL)
_COMMA = re.compile(portable(rf"{_STRING}|,(?=\s*+[}}\]])"), re.DOTALL)


def plain_json(text: str) -> str:
    """JSON with comments and trailing commas as plain JSON on the same lines; strings are left as they are."""
    text = _COMMENT.sub(lambda match: match[1] or "\n" * match[0].count("\n"), text)
    return _COMMA.sub(lambda match: match[1] or "", text)


def decode_text(data: bytes) -> str | None:
    """The text of `data` by its byte order mark, else as UTF-8; None where it is neither."""
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        return None


def load_json(text: str) -> tuple[Any, str | None]:
    """The document, and a key that stands twice in one of its objects. Raises ValueError or RecursionError."""
    twice: list[str] = []

    def join(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        joined = dict(pairs)
        if len(joined) != len(pairs) and not twice:
            twice.append(Counter(key for key, _ in pairs).most_common(1)[0][0])
        return joined

    return json.loads(text, object_pairs_hook=join), twice[0] if twice else None


def refuse(artifact: Artifact, reader: Reader, reason: str, *, names: tuple[str, ...] = ()) -> Refusal:
    """A relevant refusal of an artifact. Readers whose files are only relevant at times build their own."""
    return artifact.refusal(reader.name, reason, names=names)
