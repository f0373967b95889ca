"""What the readers of start-up entries share: a fact out of commands, and texts that indicators name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.arguments import Reduced, reduced_line
from pratique.model.observation import Observation, PersistenceFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader

MOST_LINES = 20_000
MOST_NAMED = 2000


def merged(lines: list[str], interest: Interest, *, windows: bool = False) -> Reduced:
    """Several commands as one, reduced."""
    found = [reduced_line(line, interest.command_lines, windows=windows) for line in lines[:MOST_LINES]]
    files = tuple(dict.fromkeys(name for item in found for name in item.files))
    hosts = tuple(dict.fromkeys(name for item in found for name in item.hosts))
    return Reduced(
        programs=tuple(dict.fromkeys(name for item in found for name in item.programs))[:MOST_NAMED],
        files=files[:MOST_NAMED],
        hosts=hosts[:MOST_NAMED],
        matched=tuple(dict.fromkeys(name for item in found for name in item.matched)),
        cut=any(item.cut for item in found) or len(lines) > MOST_LINES or len({*files, *hosts}) > MOST_NAMED,
    )


def entry(
    artifact: Artifact, reader: Reader, found: Reduced, *, line: int | None = None, **fields: Any
) -> Iterator[Observation | Refusal]:
    """One entry that starts something, and a refusal where its commands were too long to look at all of them."""
    fact = PersistenceFact(
        programs=found.programs, files=found.files, hosts=found.hosts, matched=found.matched, **fields
    )
    times = artifact.modified_time("the entry was last written")
    yield Observation(reader.name, artifact.location(line=line), fact, times)
    if found.cut:
        yield artifact.refusal(reader.name, "is long: its commands were looked at in part")


def text_of(data: bytes) -> str:
    """Text of any encoding that such files have; what is no text becomes U+FFFD."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    return data.decode("utf-8-sig", "replace")
