"""npm's download cache: the index entries of _cacache.

## Reads
`_cacache/index-v5/**` as npm 5 to 12 write it: every line (`<sha1>\\t<JSON>`), history included, since a deleted entry
still shows that its archive was fetched. A tarball's key names the release, its integrity is the registry's own. The
`date` header and `metadata.time` tell when it was downloaded; entry `time` is not used as npm 6 and 8 rewrite it.

## Leaves out
The content files themselves: whether a listed archive is still held is asked afterwards, at the path that its digest
gives. Packument entries prove only that a name was asked for.

## References
cacache documentation; make-fetch-happen documentation (cache keys).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release
from pratique.model.observation import ComponentFact, Observation, Refusal, Time
from pratique.model.ports import Artifact, Interest, Reader, iso_time
from pratique.readers.text import refuse


class Entry(msgspec.Struct, gc=False):
    """One index line."""

    key: str
    integrity: str | None = None
    metadata: Any = None
    size: Any = None


_MANIFEST = re.compile(r"pacote:(?:version|range|alias|tag)-manifest:(?P<url>.+?):sha\d+-")
_DECODER = msgspec.json.Decoder(Entry)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one fetched component for each archive of a name of interest that a line names."""
    data = artifact.content()
    wanted = interest.wanted("npm")
    seen: set[tuple[str, str, str | None]] = set()
    damaged: int | None = None
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        digest, tab, text = line.partition(b"\t")
        try:
            entry = _DECODER.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            damaged = damaged or number
            continue
        release = _release(entry)
        if release is None:
            continue
        name, version, url = release
        key = (name, version, entry.integrity)
        if name not in wanted or key in seen:
            continue
        if not tab or hashlib.sha1(text, usedforsecurity=False).hexdigest().encode() != digest:
            damaged = damaged or number
        seen.add(key)
        yield Observation(
            READER.name,
            artifact.location(line=number),
            ComponentFact(
                name=name,
                version=version,
                depth="fetched",
                record="cache",
                origin=origin_of(url),
                integrity=tuple(entry.integrity.split()) if entry.integrity else (),
                resolved=strip_url(url) if url else None,
            ),
            _times(entry.metadata),
        )
    if damaged is not None:
        yield refuse(artifact, READER, f"line {damaged} is not a whole cache entry")
    elif not data.strip():
        yield refuse(artifact, READER, "is empty")


def _release(entry: Entry) -> tuple[str, str, str | None] | None:
    """Name, version and URL of the archive that an entry is about; None where it is about something else."""
    key = entry.key
    if key.startswith("make-fetch-happen:request-cache:"):
        url = key[32:]
        release = tarball_release(url)
        return (*release, url) if release else None
    match = _MANIFEST.match(key)
    if match:
        release = tarball_release(match["url"])
        return (*release, match["url"]) if release else None
    return None


def _times(metadata: object) -> tuple[Time, ...]:
    """When the archive was downloaded, as far as the entry says."""
    if not isinstance(metadata, dict):
        return ()
    times = []
    moment = metadata.get("time")
    if isinstance(moment, int | float) and 0 < moment < 1e14:
        times.append(Time("the archive was downloaded", iso_time(moment / 1000), "cache entry metadata.time"))
    headers = metadata.get("resHeaders")
    date = headers.get("date") if isinstance(headers, dict) else None
    if isinstance(date, list) and date:
        date = date[0]
    if isinstance(date, str):
        try:
            value = iso_time(parsedate_to_datetime(date).timestamp())
        except (ValueError, OverflowError, TypeError):
            return tuple(times)
        times.append(Time("the registry answered", value, "stored HTTP date header"))
    return tuple(times)


READER = Reader(
    name="npm-cache-index",
    ecosystem="npm",
    read=read,
    folders=(("_cacache", "index-v5"),),
    subject="cache",
)
