"""Poetry's lockfile: poetry.lock.

## Reads
`lock-version` 1.0 and 1.1 (Poetry 1.1; hashes below `metadata.files`), 2.0 (Poetry 1.5 to 1.8) and 2.1 (Poetry 2):
each release with the hashes of its files, its source where it is not the default index, and whether it is optional or
only for development. A lock that was cut or holds merge-conflict markers gives what can be told, and a refusal.

## Leaves out
Markers: a release that is locked for another platform counts. A package from a folder or from git is reported with
that origin.

## References
Poetry 1.1.15, 1.8.5 and 2.5.1, `poetry/packages/locker.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.pypi.names import normalise
from pratique.model.observation import Observation, Origin, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.tables import digests, load, locked, text_of, version_in
from pratique.readers.text import refuse

_ORIGINS: dict[str, Origin] = {"git": "git", "directory": "file", "file": "unknown", "url": "remote-tarball"}


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one fact for each locked release of interest. Raises Unreadable."""
    wanted = interest.wanted("PyPI")
    tables = load(artifact, "package", wanted)
    times = artifact.modified_time("the lockfile was last written")
    metadata = tables.rest.get("metadata")
    older = metadata.get("files") if isinstance(metadata, dict) else None
    for item in tables.packages:
        version = text_of(item.get("version"))
        if version is None:
            tables.reason = "holds a package without a version"
            continue
        source = item.get("source")
        source = source if isinstance(source, dict) else {}
        files = item.get("files")
        if files is None and isinstance(older, dict):
            files = next((older[key] for key in older if normalise(key) == normalise(item["name"])), None)
        fact = locked(
            artifact,
            item["name"],
            version_in(source.get("url")) or version,
            origin=_ORIGINS.get(str(source.get("type")), "registry"),
            integrity=digests(files),
            resolved=text_of(source.get("url")),
            dev=_dev(item),
            optional=True if item.get("optional") is True else None,
        )
        yield Observation(READER.name, artifact.location(), fact, times)
    reason = tables.reason
    listed = {normalise(item["name"]) for item in tables.packages}
    if isinstance(older, dict) and any(normalise(key) in wanted and normalise(key) not in listed for key in older):
        reason = reason or "names files of a package that it does not list"
    if reason is None and not isinstance(metadata, dict):
        reason = "ends before its metadata"
    if reason is not None:
        yield refuse(artifact, READER, reason)


def _dev(item: dict[str, Any]) -> bool | None:
    groups = item.get("groups")
    if isinstance(groups, list):
        return True if groups and "main" not in groups else None
    return True if item.get("category") == "dev" else None


READER = Reader(name="poetry-lock", ecosystem="PyPI", read=read, basenames=("poetry.lock",))
