"""Git histories: every version of every claimed path, on every ref, reflog, stash, index and head, merges included.

Three commands do the work: `rev-list` names the commits, `cat-file` gives their folders, then the files that readers
claim. Every folder is read in all its versions (see `git_objects`), so the same bytes under a second path are met
under that path too, which `rev-list --objects` would not tell. Nothing of a repository is executed, no configuration
of it is obeyed that could start a program, no promised object is fetched. What is missing, cut off or damaged is a
refusal.
"""

from __future__ import annotations

import functools
import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from pratique.model.location import Inside, locate, shown
from pratique.model.observation import Observation, Question, Refusal
from pratique.model.ports import (
    ARCHIVE,
    DEFAULT_LIMIT,
    Artifact,
    Claimant,
    Claims,
    Handed,
    Options,
    TargetKind,
    Unit,
    Unreadable,
)
from pratique.targets import git_history, git_names, git_places
from pratique.targets.boundaries import compile_globs
from pratique.targets.git_objects import Database, Gap, Read, entries

READER = "git"
NO_GIT = "no git program was found on this machine: the history was not looked at"
_MOST_TOLD = 50
_EMPTY_TREES = (
    bytes.fromhex("4b825dc642cb6eb9a060e54bf8d69288fbee4904"),
    bytes.fromhex("6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321"),
)


def units(path: str, uri: str, options: Options) -> Iterator[Unit | Refusal]:
    """One unit: the whole repository. What could be said of it before git was asked is refused here."""
    place = git_places.resolve(path)
    reason = "is no git repository" if place is None else place.reason
    if options.git is None:
        reason = NO_GIT
    folder = path if place is None else place.folder
    try:
        odd = None if reason else git_places.special(folder)
        if odd is not None:
            reason = f"its database holds what is no regular file or cannot be listed: {odd}"
        key = "" if reason else git_places.state(folder, objects=options.unreachable)
    except OSError as error:
        reason = f"its database cannot be read: {(error.strerror or type(error).__name__).lower()}"
    if reason:
        yield _told(uri, ".", reason)
        return
    elsewhere = git_names.alternates(folder)
    if elsewhere:
        yield _told(uri, ".", f"borrows objects from {', '.join(elsewhere[:3])}", relevant=False)
    yield Unit(uri, folder, "git", key)


def _told(target: str, path: str, reason: str, *, relevant: bool = True) -> Refusal:
    location = locate(target, path.rstrip("/") or ".")
    return Refusal(location.path, READER, reason, relevant, target, location.path_bytes)


def open(unit: Unit, claims: Claims, options: Options) -> Iterator[Handed | Observation | Refusal]:  # noqa: A001 (a verb of every kind of target)
    """Hand out every version of every claimed path."""
    if options.git is None:
        yield _told(unit.target, ".", NO_GIT)
        return
    yield from _Opening(unit, claims, options, Database(options.git, unit.path)).run()
    try:
        changed = bool(unit.key) and git_places.state(unit.path, objects=options.unreachable) != unit.key
    except OSError:
        changed = True
    if changed:
        yield _told(unit.target, ".", "changed while it was read", relevant=False)


class _Opening:
    """One repository that is being opened."""

    def __init__(self, unit: Unit, claims: Claims, options: Options, database: Database) -> None:
        self.unit = unit
        self.claims = claims
        self.options = options
        self.database = database
        self.excluded = compile_globs(options.exclude)
        self.wanted: dict[bytes, list[str]] = {}
        self.links: dict[bytes, list[str]] = {}
        self.modules: dict[str, None] = {}
        self.met: set[bytes] = set()
        self.claimed: dict[str, Sequence[Claimant]] = {}
        self.told: dict[tuple[str, str], None] = {}

    def run(self) -> Iterator[Handed | Observation | Refusal]:
        """Everything, then what could not be looked at."""
        found = git_names.tips(self.database, unreachable=self.options.unreachable)
        for entry in git_names.staged(self.database):
            self.take(entry.path, entry.kind, entry.id)
        self.enter(list(found.trees))
        if self.options.unreachable:
            self.enter([tree for tree in found.folders if tree not in self.met])
        for reason in found.gaps:
            self.tell(".", reason)
        yield from self.hand_out()
        if self.options.unreachable:
            yield from self.nameless([item for item in found.blobs if item not in self.met])
        self.tell_modules()
        for reason in self.database.complaints:
            self.tell(".", reason)
        for path, reason in self.told:
            yield _told(self.unit.target, path, reason)

    def enter(self, roots: Sequence[bytes]) -> None:
        """Everything below root folders."""
        met = self.met if self.options.unreachable else None
        for item in entries(self.database, [tree for tree in roots if tree not in _EMPTY_TREES], met):
            if isinstance(item, Gap):
                count = f"{item.count} version{'' if item.count == 1 else 's'} of this folder"
                self.tell(item.path or ".", f"{count}: {item.reason}")
            else:
                self.take(item.path, item.kind, item.id)

    def tell(self, path: str, reason: str) -> None:
        """Note what could not be looked at, once."""
        self.told[path, reason] = None

    def take(self, path: str, kind: str, item: bytes) -> None:
        """One version of a path: wanted where a reader claims it."""
        if kind == "module":
            self.modules[path] = None
            return
        if self.options.unreachable:
            self.met.add(item)
        claimed = self.claimed.get(path)
        if claimed is None:
            claimed = self.claims.at(path)
            if claimed and self.excluded is not None and self._left_out(path):
                claimed = ()
            if not claimed:
                return
            self.claimed[path] = claimed
        known = (self.links if kind == "link" else self.wanted).setdefault(item, [])
        if path not in known:
            known.append(path)

    def _left_out(self, path: str) -> bool:
        parts = path.split("/")
        return self.excluded is not None and any(
            self.excluded("/".join(parts[: index + 1])) for index in range(len(parts))
        )

    def limit(self, claimant: Claimant) -> int:
        """How many bytes of a file may be read."""
        return self.options.limit if self.options.limit is not None else claimant.limit or DEFAULT_LIMIT

    def hand_out(self) -> Iterator[Handed]:
        """The claimed files, in the order in which they were met, each read once whatever its paths."""
        ids = list(self.wanted)
        rows = list(self.wanted.values())
        missing: dict[tuple[str, str], list[bytes]] = {}

        def most(position: int) -> int:
            return max(self.limit(claimant) for path in rows[position] for claimant in self.claimed[path])

        for paths, read in zip(rows, self.database.read(ids, most), strict=True):
            for path in paths:
                if read.body is None and not read.size:
                    missing.setdefault((path, read.reason), []).append(read.id)
                    continue
                for claimant in self.claimed[path]:
                    yield claimant.key, self.artifact(path, read, self.limit(claimant))
        for (path, reason), absent in missing.items():
            count = f"{len(absent)} version{'' if len(absent) == 1 else 's'} of it: {reason}"
            for claimant in self.claimed[path]:
                yield claimant.key, self.artifact(path, Read(absent[0], reason=count), 0)
        self.tell_links()

    def artifact(self, path: str, read: Read, limit: int) -> Artifact:
        """One version of a file."""
        inside = (Inside("commit", read.id.hex(), shown(path)),)
        body = read.body
        content = functools.partial(_body, body, limit) if body is not None else functools.partial(_refuse, read.reason)
        return Artifact(self.unit.target, path, content, _unknown, self.companion(path), outer=path, inside=inside)

    def companion(self, path: str) -> functools.partial[bytes | None]:
        """What lies beside a file: its version is not known, so it is not read."""
        return functools.partial(_companion, path, self.claimed)

    def tell_links(self) -> None:
        """Claimed names that are links in the history: what they lead to counts under its own name alone."""
        rows = list(self.links.values())
        for paths, read in zip(rows, self.database.read(list(self.links), lambda _: 1 << 16), strict=True):
            for path in paths:
                if all(claimant.key == ARCHIVE for claimant in self.claimed[path]):
                    continue
                aim = (read.body or b"").decode("utf-8", "surrogateescape")
                real = posixpath.normpath(posixpath.join(posixpath.dirname(path), aim))
                if aim.startswith("/") or real.startswith("..") or posixpath.basename(real) != posixpath.basename(path):
                    self.tell(path, "is a link in the history to a file of another name or outside of it")

    def tell_modules(self) -> None:
        """Submodules whose repositories are not here."""
        here = {os.path.relpath(path, f"{self.unit.path}/modules") for path in git_places.modules(self.unit.path)}
        absent = [path for path in self.modules if "/modules/".join(path.split("/")) not in here and path not in here]
        for path in sorted(absent)[:_MOST_TOLD]:
            self.tell(path, "is a submodule, another repository; its history is not here and was not looked at")
        if len(absent) > _MOST_TOLD:
            self.tell(".", f"{len(absent) - _MOST_TOLD} more submodules were not looked at")

    def nameless(self, ids: Sequence[bytes]) -> Iterator[Handed]:
        """Objects that nothing reaches and that have no name: offered to those whose format they show."""
        limit = self.options.limit if self.options.limit is not None else DEFAULT_LIMIT
        large = 0
        for read in self.database.read(ids, lambda _: limit):
            if read.body is None:
                if read.size:
                    large += 1
                else:
                    self.tell(".", f"an object that nothing reaches {read.reason}")
                continue
            path = git_names.recognised(read.body)
            if path is None:
                continue
            self.claimed[path] = self.claims.at(path)
            for claimant in self.claimed[path]:
                yield claimant.key, self.artifact(path, read, self.limit(claimant))
        if large:
            objects = f"{large} object{'' if large == 1 else 's'} that nothing reaches"
            self.tell(".", f"{objects}: more than the limit of {limit} bytes; --max-file raises it")


def _unknown() -> int | None:
    return None


def _refuse(reason: str) -> bytes:
    raise Unreadable(reason)


def _body(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise Unreadable(f"holds {len(body)} bytes, more than the limit of {limit}; --max-file raises it")
    return body


def _companion(path: str, claimed: dict[str, Sequence[Claimant]], suffix: str) -> bytes | None:
    raise Unreadable(f"the file beside it ({suffix}) is not looked up inside a history")


def probe(path: str, uri: str, questions: Sequence[Question], options: Options) -> Iterator[Observation | Refusal]:
    """What became of each version that was asked about."""
    place = git_places.resolve(path)
    if options.git is None or place is None or place.reason or not questions:
        return
    yield from git_history.answer(Database(options.git, place.folder), uri, questions, unreachable=options.unreachable)


TARGET = TargetKind(
    kind="git",
    subject="repository",
    find=lambda path: git_places.find(str(Path(path))),
    units=units,
    open=open,
    probe=probe,
)
