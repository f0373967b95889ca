"""Facts of one file: its kind decides which extractors read it. The same bytes always give the same facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile

Extract = Callable[[SourceFile], Iterator[Fact | Refusal]]
"""Total: any bytes give facts or a refusal (its `reader` names the extractor); never raises, bounded in time."""


def facts_of_file(file: SourceFile) -> Iterator[Fact | Refusal]:
    """All facts of one file, in order of line; what could not be read of it is a refusal."""
    for extract in extractors(file.kind):
        yield from extract(file)


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
    return (content.facts,)
