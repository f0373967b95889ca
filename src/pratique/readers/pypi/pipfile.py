"""What a project asks of Pipenv: Pipfile.

## Reads
Every category (`packages`, `dev-packages` and named ones): the version of each entry.

## Leaves out
Entries from git, a path or a file. Markers, indexes, scripts. A file that is no TOML is a refusal where it spells a
name of interest.

## References
Pipenv 2026.10.3.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.requirements import exact, spelled
from pratique.model.observation import Observation, RangeFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.pyproject import spelled_in
from pratique.readers.text import decode_text

_OTHER = ("requires", "scripts", "pipenv", "source")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one range for each entry of a name of interest. Raises Unreadable."""
    wanted = interest.wanted("PyPI")
    text = decode_text(artifact.content())
    try:
        document = tomllib.loads(text.replace("\r\n", "\n").removeprefix("\ufeff")) if text is not None else None
    except (ValueError, RecursionError):
        document = None
    if document is None:
        names = spelled_in(text or "", wanted)
        yield artifact.refusal(READER.name, "is not whole TOML", relevant=bool(names) or text is None, names=names)
        return
    times = artifact.modified_time("the manifest was last written")
    for category, entries in document.items():
        if category in _OTHER or not isinstance(entries, dict):
            continue
        for name, value in entries.items():
            if normalise(name) not in wanted:
                continue
            stated = value.get("version") if isinstance(value, dict) else value
            if isinstance(value, dict) and any(key in value for key in ("git", "path", "file", "hg", "svn")):
                continue
            asked = "" if stated in ("*", None) else str(stated)
            specifier = spelled(asked)
            fact = RangeFact(
                name=normalise(name),
                range=asked if specifier is None else specifier,
                field=category,
                exact=exact(specifier) if specifier else None,
                ecosystem="PyPI",
            )
            yield Observation(READER.name, artifact.location(), fact, times)


READER = Reader(
    name="pipfile",
    ecosystem="PyPI",
    read=read,
    basenames=("Pipfile",),
    relevance="named-folder",
    resolves=False,
)
