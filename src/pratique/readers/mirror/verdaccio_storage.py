"""Verdaccio's storage: what a mirror holds of a package, and what it only knows.

## Reads
`<package>/package.json` in the storage folder of Verdaccio 5 and 6. `_attachments` are the archives that came into this
storage: fetched. Everything else in `versions` and `_distfiles` is known from upstream alone: resolved. `dist-tags` say
under which names the mirror offers a version. `_uplinks` give the time of the last refresh. The archive beside it is
opened by itself.

## Leaves out
Who fetched an archive (the log). `htpasswd` and `.verdaccio-db.json` (names of packages published here, and a secret)
are claimed and never opened. `time` holds the times of
publication, which say nothing about this mirror.

## References
verdaccio/verdaccio `packages/core/types`, `@verdaccio/local-storage`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.urls import strip_url
from pratique.model.observation import ComponentFact, Observation, Refusal, Time
from pratique.model.ports import Artifact, Interest, Reader, iso_time
from pratique.readers.text import refuse

_MOST_TAGS = 20


class _Storage(msgspec.Struct, gc=False):
    """The parts of the document that are read."""

    name: str | None = None
    versions: dict[str, Any] = {}
    tags: dict[str, Any] = msgspec.field(default_factory=dict, name="dist-tags")
    attachments: dict[str, Any] | None = msgspec.field(default=None, name="_attachments")
    distfiles: dict[str, Any] = msgspec.field(default_factory=dict, name="_distfiles")
    uplinks: dict[str, Any] = msgspec.field(default_factory=dict, name="_uplinks")


_DECODER = msgspec.json.Decoder(_Storage)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield every version of a package of interest. Raises Unreadable."""
    if not artifact.path.endswith("package.json"):
        return
    folder = artifact.path.rpartition("/")[0]
    wanted = interest.wanted("npm")
    by_folder = _named(folder)
    try:
        found = _DECODER.decode(artifact.content())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, msgspec.ValidationError):
            yield refuse(artifact, READER, f"is not what Verdaccio writes: {error}", names=by_folder)
        else:
            yield refuse(artifact, READER, f"is not whole JSON: {error}", names=by_folder)
        return
    of_a_store = found.attachments is not None or bool(found.versions or found.distfiles)
    if found.name is None and of_a_store:
        yield refuse(artifact, READER, "names no package", names=by_folder)
    if found.name is None or not of_a_store or found.name not in wanted:
        return
    name, base = found.name, found.name.rpartition("/")[2]
    if found.attachments is None:
        yield refuse(artifact, READER, "does not say which archives it holds", names=(name,))
    times = _refreshed(found.uplinks)
    held = {_version(base, file): (file, entry) for file, entry in (found.attachments or {}).items()}
    if None in held:
        yield refuse(artifact, READER, f"holds an archive of no known name: {held[None][0][:80]}", names=(name,))
        del held[None]
    known = dict.fromkeys([*found.versions, *filter(None, (_version(base, file) for file in found.distfiles))])
    for version in dict.fromkeys([*known, *filter(None, held)]):
        file, entry = held.get(version, (None, None))
        integrity, resolved = _hashes(found.versions.get(version), entry)
        tags = sorted(str(tag) for tag, target in found.tags.items() if target == version)[:_MOST_TAGS]
        fact = ComponentFact(
            name=name,
            version=version,
            depth="fetched" if file is not None else "resolved",
            record="mirror",
            integrity=integrity,
            resolved=resolved,
            files=(f"{folder}/{file}" if folder else file,) if file is not None else (),
            tags=tuple(tags),
        )
        yield Observation(READER.name, artifact.location(), fact, times)


def _named(folder: str) -> tuple[str, ...]:
    """The package that a folder of the storage is named after."""
    parts = folder.rsplit("/", 2)
    if len(parts) > 1 and parts[-2].startswith("@"):
        return (f"{parts[-2]}/{parts[-1]}",)
    return (parts[-1],) if parts[-1] else ()


def _version(base: str, file: str) -> str | None:
    """The version that an archive's file name carries."""
    plain = file.rpartition("/")[2]
    if plain.startswith(f"{base}-") and plain.endswith(".tgz"):
        return plain[len(base) + 1 : -4] or None
    return None


def _hashes(manifest: Any, entry: Any) -> tuple[tuple[str, ...], str | None]:
    """Integrity of a version by its manifest and by the mirror's own record, and where it came from."""
    found: list[str] = []
    dist = manifest.get("dist") if isinstance(manifest, dict) else None
    resolved = None
    if isinstance(dist, dict):
        if isinstance(dist.get("integrity"), str):
            found += dist["integrity"].split()[:3]
        if isinstance(dist.get("shasum"), str):
            found.append(f"sha1:{dist['shasum']}")
        if isinstance(dist.get("tarball"), str):
            resolved = strip_url(dist["tarball"])
    if isinstance(entry, dict) and isinstance(entry.get("shasum"), str):
        found.append(f"sha1:{entry['shasum']}")
    return tuple(dict.fromkeys(found)), resolved


def _refreshed(uplinks: dict[str, Any]) -> tuple[Time, ...]:
    """When the mirror last asked its source."""
    found = []
    for entry in uplinks.values():
        fetched = entry.get("fetched") if isinstance(entry, dict) else None
        if isinstance(fetched, int | float):
            try:
                found.append(iso_time(fetched / 1000))
            except (ValueError, OverflowError, OSError):
                continue
    if not found:
        return ()
    return (Time("the mirror last asked its source", max(found), "Verdaccio storage"),)


READER = Reader(
    name="verdaccio-storage",
    ecosystem="npm",
    read=read,
    basenames=("package.json", ".verdaccio-db.json", "htpasswd"),
    subject="cache",
    resolves=False,
    doors=("mirror",),
)
