"""What a project asks of Pipenv: Pipfile.

## Reads
Every category (`packages`, `dev-packages` and named ones): the version of each entry; of an archive (`file`), that in
its name.

## Leaves out
Entries from git or a path. Markers, indexes, scripts. An archive whose name tells no version, and a file that is no
TOML, are refusals where they are about a name of interest.

## References
Pipenv 2026.10.3.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.requirements import exact, spelled
from pratique.model.observation import Observation, RangeFact, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.pyproject import NO_VERSION, manifest
from pratique.readers.pypi.tables import version_in

_OTHER = ("requires", "scripts", "pipenv", "source")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one range for each entry of a name of interest. Raises Unreadable."""
    wanted = interest.wanted("PyPI")
    document = manifest(artifact, READER, wanted)
    if isinstance(document, Refusal):
        yield document
        return
    times = artifact.modified_time("the manifest was last written")
    for category, entries in document.items():
        if category in _OTHER or not isinstance(entries, dict):
            continue
        for name, value in entries.items():
            if normalise(name) not in wanted:
                continue
            stated = value.get("version") if isinstance(value, dict) else value
            if isinstance(value, dict) and any(key in value for key in ("git", "path", "hg", "svn")):
                continue
            if isinstance(value, dict) and "file" in value:
                version = version_in(value["file"])
                if version is None:
                    yield artifact.refusal(READER.name, NO_VERSION, names=(normalise(name),))
                    continue
                stated = f"=={version}"
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
