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

from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader, Unreadable
from pratique.readers.pypi.archives import held, opened
from pratique.readers.text import refuse

_NAME = re.compile(r"(?:.*/)?[0-9a-f]{56}\.body", re.DOTALL)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release of interest that a body is."""
    if not _NAME.fullmatch(artifact.path):
        return
    try:
        with opened(artifact) as stream:
            found = held(stream, interest.wanted("PyPI"))
    except Unreadable as error:
        yield refuse(artifact, READER, error.reason)
        return
    except OSError as error:
        yield refuse(artifact, READER, (error.strerror or "cannot be read").lower())
        return
    if found is not None:
        fact = ComponentFact(
            name=found.release[0],
            version=found.release[1],
            depth="fetched",
            record="cache",
            ecosystem="PyPI",
            integrity=found.integrity,
        )
        times = artifact.modified_time("the archive was put into the cache")
        yield Observation(READER.name, artifact.location(), fact, times)


READER = Reader(
    name="pip-cache",
    ecosystem="PyPI",
    read=read,
    suffixes=(".body",),
    subject="cache",
    relevance="named-folder",
    content="name",
)
