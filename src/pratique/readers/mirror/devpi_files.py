"""devpi-server's files: the Python archives that an index of it holds.

## Reads
`+files/<user>/<index>/+f/<3 digits>/<13 digits>/<file>`: name and version by the file's name; the sixteen digits are
the first of its SHA-256, and where they are those of a listed archive, that digest is told.

## Leaves out
The bytes are not opened. Who fetched them: devpi's log names no client. The database (`.sqlite`), which knows archives
that were never fetched. Whether an index mirrors another or holds uploads is not told apart.

## References
devpi/devpi `devpi_server.filestore`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.requests import python_file
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader

_PLACE = re.compile(r"\+f/([0-9a-f]{3})/([0-9a-f]{13})/([^/]+)$")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release that a file is named after, where it is of a package of interest."""
    match = _PLACE.search(artifact.path)
    found = python_file(match[3], interest.wanted("PyPI")) if match else None
    if match is None or found is None:
        return
    digits = match[1] + match[2]
    listed = sorted(item for item in interest.digests.get("sha256", ()) if item.startswith(digits))
    fact = ComponentFact(
        name=found[0],
        version=found[1],
        ecosystem="PyPI",
        depth="fetched",
        record="mirror",
        integrity=tuple(f"sha256:{item}" for item in listed),
        files=(artifact.path,),
    )
    yield Observation(READER.name, artifact.location(), fact, artifact.modified_time("the mirror fetched it"))


READER = Reader(
    name="devpi-files",
    ecosystem="npm",
    read=read,
    folders=(("+files",),),
    subject="cache",
    relevance="never",
    resolves=False,
    content="name",
    doors=("mirror",),
)
