"""Facts of one file: its kind decides which extractors read it. The same bytes always give the same facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile

SOURCE = (
    ".js",
    ".cjs",
    ".mjs",
    ".jsx",
    ".ts",
    ".cts",
    ".mts",
    ".tsx",
    ".py",
    ".pyw",
    ".sh",
    ".ps1",
    ".bat",
    ".cmd",
    ".pth",
)
"""Suffixes that make an interpreter read a file as code, whatever is in it."""

Extract = Callable[[SourceFile], Iterator[Fact | Refusal]]
"""Total: any bytes give facts or a refusal (its `reader` names the extractor); never raises, bounded in time."""


def facts_of_file(file: SourceFile) -> Iterator[Fact | Refusal]:
    """All facts of one file, in order of line; what could not be read of it is a refusal."""
    if file.kind == "binary" and file.path.lower().endswith(SOURCE):
        told = "is called a file of code, and its bytes are no text: it was not read as code"
        yield Refusal(file.path, "extract", told, True)
    for extract in extractors(file.kind):
        try:
            for item in extract(file):
                yield _sound(item)
        except Exception as error:  # noqa: BLE001  # law 3: a crash in a part is a refusal, never a lost release
            told = f"could not be read for facts: {type(error).__name__}"
            yield Refusal(file.path, extract.__module__.rpartition("pratique.releases.")[2], told, True)


def _sound(item: Fact | Refusal) -> Fact | Refusal:
    """The same with text that is valid Unicode, whatever bytes the file held."""
    if not isinstance(item, Fact) or (_valid(item.excerpt) and all(map(_valid, item.attributes.values()))):
        return item
    attributes = {name: _told(value) if isinstance(value, str) else value for name, value in item.attributes.items()}
    return msgspec.structs.replace(item, excerpt=_told(item.excerpt), attributes=attributes)


def _valid(value: object) -> bool:
    if not isinstance(value, str) or value.isascii():
        return True
    return not any("\ud800" <= char <= "\udfff" for char in value)


def _told(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def extractors(kind: str) -> tuple[Extract, ...]:
    """The extractors that read files of a kind; what stands in a file whatever its language is read of all."""
    from pratique.releases import content

    if kind in {"javascript", "typescript"}:
        from pratique.releases import javascript

        return (content.facts, javascript.facts)
    if kind == "python":
        from pratique.releases.python import extractor

        return (content.facts, extractor.facts)
    if kind == "path-configuration":
        from pratique.releases.python import startup

        return (content.facts, startup.facts)
    if kind == "shell":
        from pratique.releases import shell

        return (content.facts, shell.facts)
    if kind in {"json", "text"}:
        from pratique.releases.shell import settings

        return (content.facts, settings.facts)
    return (content.facts,)
