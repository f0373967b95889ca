"""Which things on this machine hold what a report saw and may be moved: caches, package folders, planted files.

Everything is looked at anew, by its own path and following no link. What changed since the report, or cannot be read,
is a note and no step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import msgspec

from pratique.adapters import disk
from pratique.adapters.apply.places import allowed
from pratique.ecosystems.npm.layout import cache_root, cached_content_path
from pratique.model.plan import Quarantine
from pratique.model.ports import Unreadable
from pratique.model.report import ObservationEntry
from pratique.report.words import moment
from pratique.respond.contain.persistence import USER_UNITS
from pratique.respond.seen import LOCAL, Sight, path_of
from pratique.respond.situation import Held

_YARN = re.compile(r"(?P<folder>.*/v\d+/npm-[^/]+)/node_modules/")
_NPX = re.compile(r"(?P<folder>.*/_npx/[0-9a-f]+)(?:/|$)")
_VIRTUAL = re.compile(r"(?P<folder>.*/node_modules/\.(?:pnpm|deno)/[^/]+)/node_modules/")
_STORED = ("cache", "store")
_PLANTED = ("presence", "digest")


class _Wanted:
    """Paths with what they are, and the sightings that name them."""

    def __init__(self) -> None:
        self.what: dict[str, tuple[str, bool]] = {}
        self.sights: dict[str, dict[str, str]] = {}

    def add(self, path: str | None, what: str, folder: bool, sight: Sight) -> None:
        if path is not None and os.path.isabs(path):
            self.what.setdefault(path, (what, folder))
            self.sights.setdefault(path, {})[sight.entry.id] = sight.entry.purl


def held(found: list[Sight], made: str) -> tuple[tuple[Held, ...], list[str]]:
    """What of these sightings can be moved, and notes on what cannot. `made` is when their report ended."""
    wanted = _Wanted()
    notes: list[str] = []
    for sight in found:
        if sight.entry.inferred or not sight.entry.current or sight.entry.status != "affected":
            continue
        if sight.path is None:
            for database in _databases(sight):
                wanted.add(database, "package-cache", False, sight)
            continue
        if sight.entry.kind == "indicator":
            _planted(sight, wanted)
        for item in sight.observations:
            for path, what, folder in _places(item, sight):
                wanted.add(path, what, folder, sight)
    kept: list[Held] = []
    limit = moment(made)
    for path in sorted(wanted.what):
        if any(wanted.what.get(above, ("", False))[1] for above in _above(path)):
            continue
        what, folder = wanted.what[path]
        try:
            if disk.status(path) is None:
                continue
            digest, status = disk.digest(path)
        except Unreadable as error:
            notes.append(f"{path}: is not moved: {error.reason}")
            continue
        if limit is not None and status.st_mtime > limit.timestamp() + 1:
            notes.append(f"{path}: changed since the report was made; check again")
            continue
        if folder != os.path.isdir(path):
            notes.append(f"{path}: is not what the report saw; check again")
            continue
        names = wanted.sights[path]
        thing = Held(
            path=path,
            digest=digest,
            what=what,  # type: ignore[arg-type]  # one of the kinds
            folder=folder,
            sightings=tuple(sorted(names)),
            purls=tuple(sorted({purl for purl in names.values() if purl})),
        )
        forbidden = allowed(Quarantine(path=path, digest=digest, what=thing.what, folder=folder))
        if forbidden is not None:
            notes.append(f"{path}: is not moved, since it {forbidden}: move it by hand")
            continue
        kept.append(thing)
    return tuple(kept), sorted(set(notes))


def _above(path: str) -> Iterator[str]:
    """Every folder that holds a path."""
    while (above := os.path.dirname(path)) != path:
        yield above
        path = above


def _databases(sight: Sight) -> Iterator[str]:
    """The files of a store's database whose rows a sighting rests on: what is in one row moves with the whole."""
    if sight.target_kind not in LOCAL:
        return
    for item in sight.observations:
        if item.reader == "pnpm-store-database":
            path = path_of(msgspec.structs.replace(item.location, inside=()))
            if path is not None:
                yield from (path, f"{path}-wal", f"{path}-shm")


def _planted(sight: Sight, wanted: _Wanted) -> None:
    """A whole file that an indicator names."""
    path = sight.path or ""
    if not any(item.kind in _PLANTED for item in sight.observations):
        return
    parent = os.path.dirname(path)
    if any(parent.endswith(f"/{folder}") for folder, _ in USER_UNITS):
        wanted.add(path, "user-unit", False, sight)
    elif sight.subject_kind == "project" and "/node_modules/" not in path:
        wanted.add(path, "persistence", False, sight)
    else:
        wanted.add(path, "dropped-file", False, sight)


def _places(item: ObservationEntry, sight: Sight) -> Iterator[tuple[str | None, str, bool]]:
    """Paths that an observation of a package names: path, kind, whether a folder."""
    path = path_of(item.location)
    if path is None:
        return
    facts = item.facts
    record = facts.get("record")
    if found := _NPX.match(path):
        yield found["folder"], "package-folder", True
        return
    if item.reader == "npm-cache-index":
        yield path, "package-cache", False
        for text in facts.get("integrity") or ():
            content = cached_content_path(cache_root(path), text) if isinstance(text, str) else None
            yield content, "package-cache", False
    elif found := _YARN.match(path):
        yield found["folder"], "package-cache", True
    elif item.reader in ("pnpm-store-index", "yarn-berry-cache-zip"):
        yield path, "package-cache", False
    elif record in _STORED and item.reader == "manifest":
        yield os.path.dirname(path), "package-cache", True
    elif record in _STORED and item.reader.startswith(("pip-", "uv-")):
        yield path, "package-cache", False
        if item.reader == "pip-cache":
            yield f"{path}.body", "package-cache", False
    elif sight.subject_kind in ("project", "install"):
        yield from _installed(item, path)


def _installed(item: ObservationEntry, path: str) -> Iterator[tuple[str | None, str, bool]]:
    record = item.facts.get("record")
    inside = "/node_modules/" in path or "/.yarn/" in path
    if record == "installed-record" and inside and item.reader != "manifest":
        yield path, "package-folder", False
    elif item.kind == "folder" or record in ("manifest", "folder-name"):
        folder = path if item.kind == "folder" else os.path.dirname(path)
        if found := _VIRTUAL.match(f"{folder}/"):
            yield found["folder"], "package-folder", True
        elif "/node_modules/" in folder:
            yield folder, "package-folder", True
