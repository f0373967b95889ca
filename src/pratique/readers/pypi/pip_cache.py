"""What pip's cache keeps of downloads since pip 23.3: http-v2/**/<sha224>.body; the same of Pipenv and Poetry.

## Reads
The body of each response that was kept. A wheel or source archive tells its release by its own directory or top folder;
of a release of interest the SHA-256 is taken, which is that of the file on the index. It was fetched; the time of the
file is that of the download.

## Leaves out
Pages of indexes: that a version was listed proves nothing. The address is not stored by pip. Responses that an index
forbids to keep, and all over plain http, leave nothing here.

## References
pip 26.3, `_internal/network/cache.py`; tried with Pipenv 2026.10.3 and Poetry 2.5.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.archives import cached, held

_NAME = re.compile(r"(?:.*/)?[0-9a-f]{56}\.body", re.DOTALL)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release of interest that a body is."""
    if _NAME.fullmatch(artifact.path):
        yield from cached(artifact, interest, READER, held)


READER = Reader(
    name="pip-cache",
    ecosystem="PyPI",
    read=read,
    suffixes=(".body",),
    subject="cache",
    relevance="named-folder",
    content="name",
)
