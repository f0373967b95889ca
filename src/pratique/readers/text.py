"""Small tools that readers share: decoding of text and the making of refusals."""

from __future__ import annotations

import codecs
import json
from collections import Counter
from typing import Any

from pratique.model.location import locate
from pratique.model.observation import Refusal
from pratique.model.ports import Artifact, Reader

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


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
    location = locate(artifact.target, artifact.path)
    return Refusal(location.path, reader.name, reason, True, artifact.target, location.path_bytes, names)
