"""Requirements files in a folder called requirements: requirements/base.txt.

## Reads
What `requirements` reads, in files that it does not claim by their name.

## Leaves out
What `requirements` leaves out.

## References
See `requirements`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.requirements import ENDINGS, SUFFIXES, by_prefix, read_as


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what each line about a name of interest asks for, or has locked."""
    basename = artifact.path.rpartition("/")[2]
    if not (by_prefix(basename) or basename.endswith(ENDINGS)):
        yield from read_as(artifact, interest, READER)


READER = Reader(
    name="requirements-folder",
    ecosystem="PyPI",
    read=read,
    suffixes=SUFFIXES[:2],
    folders=(("requirements",),),
    relevance="named-folder",
    resolves=False,
)
