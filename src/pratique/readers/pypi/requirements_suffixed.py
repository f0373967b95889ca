"""Requirements files whose name ends so: dev-requirements.txt, test_requirements.in.

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
from pratique.readers.pypi.requirements import ENDINGS, by_prefix, read_as


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what each line about a name of interest asks for, or has locked."""
    basename = artifact.path.rpartition("/")[2]
    if not (by_prefix(basename)):
        yield from read_as(artifact, interest, READER)


READER = Reader(
    name="requirements-suffixed",
    ecosystem="PyPI",
    read=read,
    suffixes=ENDINGS,
    relevance="named-folder",
    resolves=False,
)
