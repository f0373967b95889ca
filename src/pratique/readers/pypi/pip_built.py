"""What pip built here: origin.json beside a wheel in pip's cache (wheels/aa/bb/cc/<hash>/).

## Reads
The address and SHA-256 of the source archive, or the folder or commit, that the wheel beside it was built from. Release
and version are in the file name of the address. Building ran the code of that archive's build on this machine.

## Leaves out
The wheel itself: it is opened as an archive. Archives at an address that names no version.

## References
pip 26.3, `_internal/cache.py`; PEP 610.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.pypi.files import file_of, origin_of, release_of, stripped
from pratique.model.observation import ComponentFact, Observation, Refusal, ScriptFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.direct_url import archive_hashes, reference
from pratique.readers.text import refuse

_PLACE = re.compile(r"(?:.*/)?wheels/(?:[0-9a-f]{2}/){3}[0-9a-f]+/origin\.json", re.DOTALL)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release whose source archive was fetched, and that its build ran."""
    if not _PLACE.fullmatch(artifact.path):
        return
    document = reference(artifact)
    if isinstance(document, str):
        yield refuse(artifact, READER, document)
        return
    url: str = document["url"]
    release = release_of(file_of(url))
    if release is None or release[0] not in interest.wanted("PyPI"):
        return
    times = artifact.modified_time("the wheel was built")
    fact = ComponentFact(
        name=release[0],
        version=release[1],
        depth="fetched",
        record="cache",
        ecosystem="PyPI",
        origin="git" if "vcs_info" in document else origin_of(url),
        integrity=archive_hashes(document),
        resolved=stripped(url),
    )
    yield Observation(READER.name, artifact.location(), fact, times)
    built = ScriptFact(name=release[0], version=release[1], script="build", outcome="finished", ecosystem="PyPI")
    yield Observation(READER.name, artifact.location(), built, times)


READER = Reader(
    name="pip-built",
    ecosystem="PyPI",
    read=read,
    basenames=("origin.json",),
    subject="cache",
    relevance="named-folder",
    content="name",
)
