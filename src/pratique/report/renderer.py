"""What a report format declares, and how it is found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

import msgspec

from pratique.model.errors import UsageError
from pratique.model.report import Report

FORMATS = ("text", "json", "ndjson", "sarif", "html", "markdown", "cyclonedx", "openvex")
"""Each is a module of this room; a test holds the list equal to the folder."""


class Renderer(msgspec.Struct, frozen=True, kw_only=True):
    """One report format. `suffixes` choose it by the name of an output file."""

    name: str
    suffixes: tuple[str, ...]
    media_type: str
    render: Callable[[Report], Iterator[bytes]]


_SUFFIXES = {
    ".txt": "text",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".sarif": "sarif",
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".cdx.json": "cyclonedx",
    ".vex.json": "openvex",
    ".openvex.json": "openvex",
}


def renderer(name: str) -> Renderer:
    """The renderer of a format. Raises UsageError for a format that does not exist."""
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}", advice=f"Choose one of {', '.join(FORMATS)}")
    found = importlib.import_module(f"pratique.report.{name}").RENDERER
    if not isinstance(found, Renderer):
        raise TypeError(f"pratique.report.{name}.RENDERER is no Renderer")
    return found


def for_file(path: str) -> Renderer:
    """The renderer that a file name asks for. Raises UsageError where its suffix is of no format."""
    lower = path.lower()
    for suffix in sorted(_SUFFIXES, key=len, reverse=True):
        if lower.endswith(suffix):
            return renderer(_SUFFIXES[suffix])
    raise UsageError(
        "its suffix names no report format", where=path, advice=f"End it in one of {', '.join(sorted(_SUFFIXES))}"
    )
