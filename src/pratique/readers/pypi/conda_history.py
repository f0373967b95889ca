"""conda's history of an environment: conda-meta/history.

## Reads
Each revision with its installs (`+`) and removals (`-`), as `channel::name-version-build` or `name-version-build`. What
was installed once was fetched and unpacked on this machine, also where a later revision removed it.

## Leaves out
Commands and what they asked for. Times: they stand in local time, and the zone is not known.

## References
conda 24, `conda/history.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.text import decode_text

_LINE = re.compile(r"\+(?:\S+::)?(?P<name>[^\s:]+)-(?P<version>[^-\s]+)-(?P<build>[^-\s]+?)(?:\.(?:tar\.bz2|conda))?")

_MOST_PARTS = 16


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one fetched package for each line that installed one of interest."""
    wanted = interest.wanted("PyPI")
    try:
        text = decode_text(artifact.content())
    except Unreadable as error:
        yield artifact.refusal(READER.name, error.reason)
        return
    if text is None or "\0" in text:
        yield artifact.refusal(READER.name, "is not text")
        return
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("+"):
            continue
        match = _LINE.fullmatch(line.strip())
        if match is None:
            names = tuple(name for name in _beginnings(line) if name in wanted)
            if names:
                reason = f"line {number} installs a package in a way that was not understood"
                yield artifact.refusal(READER.name, reason, names=names)
            continue
        if normalise(match["name"]) not in wanted:
            continue
        fact = ComponentFact(
            name=normalise(match["name"]), version=match["version"], depth="fetched", record="log", ecosystem="PyPI"
        )
        yield Observation(READER.name, artifact.location(number), fact, ())
    if not text.endswith("\n"):
        yield artifact.refusal(READER.name, "ends in the middle of a line")


def _beginnings(line: str) -> list[str]:
    """Every name that a line which was not understood may be about: its beginnings up to each dash."""
    words = line[1:].rpartition("::")[2].split()
    parts = words[0].split("-") if words else []
    return [normalise("-".join(parts[:count])) for count in range(1, min(len(parts), _MOST_PARTS) + 1)]


READER = Reader(
    name="conda-history",
    ecosystem="PyPI",
    read=read,
    basenames=("history",),
    folders=(("conda-meta",),),
    relevance="named-folder",
    resolves=False,
)
