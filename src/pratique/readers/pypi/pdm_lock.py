"""PDM's lockfile: pdm.lock.

## Reads
`lock_version` 4.x: each release with the hashes of its files, and its source where it is git, a URL or a path. Older
locks with the hashes below `metadata.files` too.

## Leaves out
Markers, groups and extras; the same release stands once for each extra and is reported once.

## References
PDM 2.20.1, `pdm/models/repositories/lock.py`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import ComponentFact, Observation, Origin, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.tables import digests, load, locked, text_of, version_in
from pratique.readers.text import refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one fact for each locked release of interest. Raises Unreadable."""
    tables = load(artifact, "package", interest.wanted("PyPI"))
    times = artifact.modified_time("the lockfile was last written")
    metadata = tables.rest.get("metadata")
    older = metadata.get("files") if isinstance(metadata, dict) else None
    seen: set[ComponentFact] = set()
    for item in tables.packages:
        url, path = text_of(item.get("url")), text_of(item.get("path"))
        version = text_of(item.get("version")) or version_in(url, path)
        if version is None:
            tables.reason = tables.reason or "holds a package without a version"
            continue
        origin: Origin = "registry"
        if "git" in item or "hg" in item or "svn" in item:
            origin = "git"
        elif url:
            origin = "remote-tarball"
        elif path:
            origin = "unknown" if version_in(path) else "file"
        files = item.get("files")
        if files is None and isinstance(older, dict):
            key = normalise(item["name"])
            files = next((older[name] for name in older if normalise(name.partition(" ")[0]) == key), None)
        fact = locked(artifact, item["name"], version, origin=origin, integrity=digests(files), resolved=url)
        if fact not in seen:
            seen.add(fact)
            yield Observation(READER.name, artifact.location(), fact, times)
    if tables.reason is None and not isinstance(metadata, dict):
        tables.reason = "has no metadata"
    if tables.reason is not None:
        yield refuse(artifact, READER, tables.reason)


READER = Reader(name="pdm-lock", ecosystem="PyPI", read=read, basenames=("pdm.lock",))
