"""A registry's document of a package (packument) as releases, times and tags.

The full form states times; the abbreviated one does not. Fields of an unexpected kind are left out, one by one.
"""

from __future__ import annotations

import datetime
import math
from typing import Any

import msgspec

from pratique.ecosystems.releases import Document, Package, Release, Tag


class _Version(msgspec.Struct, gc=False):
    deprecated: Any = None
    engines: Any = None


class _Document(msgspec.Struct, rename={"tags": "dist-tags"}):
    name: str
    versions: dict[str, _Version] = {}
    tags: dict[str, Any] = {}
    time: dict[str, Any] | None = None
    modified: Any = None


_DECODER = msgspec.json.Decoder(_Document)


def read_document(data: bytes) -> Document:
    """The package that a document describes. Raises ValueError with the reason where it is none."""
    try:
        document = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = "is nested too deeply" if isinstance(error, RecursionError) else f"is no registry document: {error}"
        raise ValueError(reason) from None
    times = document.time
    stated = {text: seconds(value) for text, value in (times or {}).items()}
    releases = tuple(
        Release(
            text,
            published=stated.get(text),
            deprecated=bool(version.deprecated),
            node=_engine(version.engines, "node"),
            npm=_engine(version.engines, "npm"),
        )
        for text, version in document.versions.items()
    )
    tags = tuple(Tag(tag, text) for tag, text in document.tags.items() if isinstance(text, str))
    gone = tuple(
        Release(text, published=stated[text])
        for text in stated
        if text not in document.versions and text not in ("created", "modified", "unpublished")
    )
    modified = seconds((times or {}).get("modified") or document.modified)
    package = Package(document.name, releases, tags, timed=times is not None)
    known = None if modified is None or math.isnan(modified) else modified
    return Document(package, known, gone)


def seconds(value: object) -> float | None:
    """A time of a document as seconds since the epoch; None where none is stated, not a number where it is none."""
    if not value:
        return None
    if not isinstance(value, str):
        return math.nan
    try:
        moment = datetime.datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError:
        return math.nan
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()


def _engine(engines: object, name: str) -> str | None:
    value = engines.get(name) if isinstance(engines, dict) else None
    return value if isinstance(value, str) else None
