"""uv's cache: *.http and *.msgpack below wheels-v<N> and sdists-v<N>.

## Reads
`wheels-v<N>/<index>/<name>/<version>-<tags>.http`: the archive was fetched; its SHA-256 and file name stand in it.
`sdists-v<N>/<index>/<name>/<version>/revision.http`: the source archive was fetched. `metadata.msgpack` two folders
below: its metadata was built here, which runs the build's code. `<version>-<tags>.msgpack` beside wheels: the
metadata of the release was read while something was resolved; nothing shows that its archive arrived. `<N>` may be
any number.

## Leaves out
What follows the first value in each file (a form of uv's own with address and times); the time of the file stands for
that of the download. `simple-v<N>`: which versions an index listed. Unpacked wheels (`archive-v<N>`) are read by
their METADATA, built wheels as archives. Sources from git or a path.

## References
uv 0.13.8 and 0.13.9, `uv cache dir`, buckets wheels-v7, wheels-v8, sdists-v10, sdists-v11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.pypi.files import release_of
from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import ComponentFact, Observation, Refusal, ScriptFact
from pratique.model.ports import Artifact, Interest, Reader, Unreadable

_PLACE = re.compile(
    r"(?:.*/)?(?:wheels-v\d+/(?:pypi|(?:index|url)/[^/]+)/(?P<wheel>[^/]+)/(?P<release>\d[^/]*?)(?:-[^/]+)?\.(?P<kind>http|msgpack)"
    r"|sdists-v\d+/(?:pypi|(?:index|url)/[^/]+)/(?P<source>[^/]+)/(?P<version>\d[^/]*)/(?:revision\.http|[^/]+/metadata\.msgpack))",
    re.DOTALL,
)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release of interest that an entry of the cache is about."""
    match = _PLACE.fullmatch(artifact.path)
    if match is None:
        return
    name = normalise(match["wheel"] or match["source"])
    if name not in interest.wanted("PyPI"):
        return
    version = match["release"] or match["version"]
    fetched = artifact.path.endswith(".http")
    reason = None
    digest: str | None = None
    try:
        first = first_value(artifact.content())
    except Unreadable as error:
        first, reason = None, error.reason
    if fetched:
        digest, file = archive_of(first)
        named = release_of(file) if file else None
        version = named[1] if named else version
        if digest is None:
            reason = reason or "does not begin with the archive that it is about"
    elif isinstance(first, list) and len(first) > 1 and isinstance(first[1], str):
        version = first[1]
    else:
        reason = reason or "does not begin with the metadata of a release"
    source = match["source"] is not None
    times = artifact.modified_time("the archive was put into the cache" if fetched else "the metadata was read")
    if fetched or not source:
        fact = ComponentFact(
            name=name,
            version=version,
            depth="fetched" if fetched else "resolved",
            record="cache",
            ecosystem="PyPI",
            integrity=(digest,) if digest else (),
        )
        yield Observation(READER.name, artifact.location(), fact, times)
    else:
        built = ScriptFact(name=name, version=version, script="build", outcome="started", ecosystem="PyPI")
        yield Observation(READER.name, artifact.location(), built, times)
    if reason is not None:
        yield artifact.refusal(READER.name, reason, names=(name,))


def archive_of(value: object) -> tuple[str | None, str | None]:
    """SHA-256 and file name out of the first value of an `.http` file."""
    if not isinstance(value, list) or len(value) < 2 or not isinstance(value[1], list):
        return None, None
    digest = None
    for item in value[1]:
        for kind, text in item.items() if isinstance(item, dict) else ():
            if str(kind).lower() == "sha256" and isinstance(text, str):
                digest = f"sha256:{text.lower()}"
    return digest, value[2] if len(value) > 2 and isinstance(value[2], str) else None


def first_value(data: bytes) -> Any:
    """The first value of MessagePack in some bytes; None where there is none.

    The length of that part stands in the last eight bytes; older caches end with it.
    """
    import msgspec

    ends = [int.from_bytes(data[-8:], "little"), len(data)]
    for end in ends:
        if 0 < end <= len(data):
            try:
                return msgspec.msgpack.decode(data[:end])
            except (msgspec.DecodeError, RecursionError, ValueError):
                continue
    return None


READER = Reader(
    name="uv-cache",
    ecosystem="PyPI",
    read=read,
    suffixes=(".http", ".msgpack"),
    subject="cache",
    relevance="named-folder",
    content="name",
)
