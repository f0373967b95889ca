"""The lockfile of the standard: pylock.toml and pylock.<name>.toml (PEP 751).

## Reads
`lock-version` 1.x, as uv, PDM and pip write it: each package with the hashes of its files. Where no version is stated,
that of the files' names counts. Packages from version control or a folder are reported with that origin.

## Leaves out
Markers, extras and groups. `upload-time` says when the index published a file, not when it was locked. A file that was
cut between two entries is whole TOML: nothing shows that it is not all.

## References
PEP 751; uv 0.13.9 `uv export --format pylock.toml`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Origin, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.tables import digests, load, locked, text_of, version_in
from pratique.readers.text import refuse


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one fact for each locked release of interest. Raises Unreadable."""
    tables = load(artifact, "packages", interest.wanted("PyPI"))
    times = artifact.modified_time("the lockfile was last written")
    for item in tables.packages:
        archive = item.get("archive")
        origin: Origin = "registry"
        if "vcs" in item:
            origin = "git"
        elif "directory" in item:
            origin = "file"
        elif archive is not None:
            origin = "remote-tarball"
        files = [item.get(key) for key in ("wheels", "sdist", "archive")]
        version = text_of(item.get("version")) or version_in(*files)
        if version is None:
            if origin not in ("git", "file"):
                tables.reason = tables.reason or "holds a package without a version"
            continue
        hashes = tuple(dict.fromkeys(digest for part in files for digest in digests(part)))
        place = text_of(item.get("index")) or (text_of(archive.get("url")) if isinstance(archive, dict) else None)
        fact = locked(artifact, item["name"], version, origin=origin, integrity=hashes, resolved=place)
        yield Observation(READER.name, artifact.location(), fact, times)
    if tables.reason is None and not str(tables.rest.get("lock-version", "")).startswith("1."):
        tables.reason = "is of a version that is not known"
    if tables.reason is not None:
        yield refuse(artifact, READER, tables.reason)


READER = Reader(
    name="pylock",
    ecosystem="PyPI",
    read=read,
    basenames=("pylock.toml",),
    prefixes=("pylock.",),
    suffixes=(".toml",),
)
