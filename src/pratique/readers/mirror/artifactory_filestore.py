"""Artifactory's file store: listed archives by the name of their file, which is their SHA-1.

## Reads
`filestore/<2 digits>/<SHA-1>`: the name alone, against the SHA-1 of listed archives.

## Leaves out
The bytes are not opened: that the name is the digest is Artifactory's word. Names, repositories and times stand in its
database alone. Listed releases without a known SHA-1 cannot be found here; the request logs name them.

## References
JFrog documentation "Checksum-based storage".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import DigestFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader

_PLACE = re.compile(r"(?:^|/)([0-9a-f]{2})/(\1[0-9a-f]{38})$")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the digest that a file is named by, where it is a listed one."""
    match = _PLACE.search(artifact.path)
    if match is None:
        return
    digest = match[2]
    if interest.everything or digest in interest.digests.get("sha1", ()):
        fact = DigestFact(path=artifact.path, algorithm="sha1", digest=digest, expected=digest, equal=True)
        yield Observation(READER.name, artifact.location(), fact, artifact.modified_time("the mirror fetched it"))


READER = Reader(
    name="artifactory-filestore",
    ecosystem="npm",
    read=read,
    folders=(("filestore",),),
    subject="cache",
    relevance="never",
    resolves=False,
    content="name",
    doors=("mirror",),
)
