"""uv's lockfile: uv.lock.

## Reads
`version = 1`, any revision: each release with the hashes of its source archive and wheels, and where it comes from
(index, git, URL, path, folder). The project's own entry and the members of its workspace are no releases.

## Leaves out
Markers, extras and groups. `upload-time` is when the index published a file, not when anything was locked: it is no
evidence. A file that was cut between two entries is whole TOML: nothing shows that it is not all.

## References
uv 0.13.9, `uv lock`; docs "Resolution: lockfile".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Origin, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.tables import digests, load, locked, text_of, version_in
from pratique.readers.text import refuse

_ORIGINS: dict[str, Origin] = {
    "registry": "registry",
    "git": "git",
    "url": "remote-tarball",
    "path": "unknown",
    "directory": "file",
}


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one fact for each locked release of interest. Raises Unreadable."""
    tables = load(artifact, "package", interest.wanted("PyPI"))
    times = artifact.modified_time("the lockfile was last written")
    for item in tables.packages:
        source = item.get("source")
        source = source if isinstance(source, dict) else {}
        kind = next((key for key in source if key in (*_ORIGINS, "editable", "virtual")), None)
        if kind in ("editable", "virtual"):
            continue
        place = text_of(source.get(kind)) if kind else None
        version = text_of(item.get("version")) or version_in(place, item.get("sdist"), item.get("wheels"))
        if version is None:
            if kind not in ("directory", "git"):
                tables.reason = tables.reason or "holds a package without a version"
            continue
        fact = locked(
            artifact,
            item["name"],
            version,
            origin=_ORIGINS[kind] if kind else "registry",
            integrity=(*digests(item.get("sdist")), *digests(item.get("wheels"))),
            resolved=place,
        )
        yield Observation(READER.name, artifact.location(), fact, times)
    if tables.reason is None and tables.rest.get("version") != 1:
        tables.reason = "is of a version that is not known"
    if tables.reason is not None:
        yield refuse(artifact, READER, tables.reason)


READER = Reader(name="uv-lock", ecosystem="PyPI", read=read, basenames=("uv.lock",))
