"""What pip's cache kept of downloads before pip 23.3: http/0/1/2/3/4/<sha224>.

## Reads
The response in one file: `cc=4,` and a map in MessagePack whose first value is the body. A wheel or source archive in
it tells its release by its own directory or top folder.

## Leaves out
The forms before `cc=4,` (pip before 10), which are a refusal. Pages of indexes.

## References
pip 22.3.1, `_vendor/cachecontrol/serialize.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader, Unreadable
from pratique.readers.pypi.archives import Held, Part, cached, held

_NAME = re.compile(r"(?:.*/)?http/(?:[0-9a-f]/){5}[0-9a-f]{56}", re.DOTALL)
_BODY = re.compile(rb"\xa4body(?:\xc4(?P<one>.)|\xc5(?P<two>..)|\xc6(?P<four>....))", re.DOTALL)
_DIGITS = "0123456789abcdef"


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release of interest whose archive a response holds."""
    if _NAME.fullmatch(artifact.path):
        yield from cached(artifact, interest, READER, _response)


def _response(stream: BinaryIO, wanted: frozenset[str] | Everything) -> Held | None:
    """The archive in a response. Raises Unreadable."""
    head = stream.read(256)
    if not head.startswith(b"cc=4,"):
        raise Unreadable("is a response in a form that is not known")
    match = _BODY.search(head)
    if match is None:
        raise Unreadable("is a response without a body")
    length = int.from_bytes(match["one"] or match["two"] or match["four"], "big")
    size = stream.seek(0, 2)
    if match.end() + length > size:
        raise Unreadable("is a response that was cut off")
    return held(Part(stream, match.end(), length), wanted)


READER = Reader(
    name="pip-cache-old",
    ecosystem="PyPI",
    read=read,
    folders=tuple(("http", digit) for digit in _DIGITS),
    subject="cache",
    relevance="named-folder",
    content="name",
)
