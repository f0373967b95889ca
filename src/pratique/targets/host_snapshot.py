"""What starts by itself on this machine, as stamps that are compared: what is new, what was changed, what is gone.

The places are those of the sweep (`targets/host.py`), and of projects that are named: hooks of git and of tools,
settings of editors and agents, workflows.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from pratique.model.location import shown
from pratique.model.observation import Refusal
from pratique.model.ports import Artifact, Claimant, Claims, Options, Unit, Unreadable
from pratique.model.tables import PROCESS_FILE, SOCKET_FILE
from pratique.targets import host
from pratique.targets.files import CHUNK, open_regular
from pratique.targets.host_places import PER_HOME, PER_SYSTEM

MOST_HASHED = 4 << 20
"""A larger file is compared by size and times alone; its stamp then has no digest."""
MOST_STAMPS = 50_000
OF_PROJECTS = (
    ".git/hooks/*",
    ".git/config",
    ".husky/*",
    ".githooks/*",
    ".vscode/*.json",
    ".claude/settings*.json",
    ".claude/hooks/*",
    ".cursor/*.json",
    ".cursor/rules/*",
    ".gemini/settings.json",
    ".mcp.json",
    ".github/workflows/*",
    ".envrc",
)


class Stamp(msgspec.Struct, frozen=True, array_like=True):
    """A file as it was: bytes, times in nanoseconds, the number of its node, SHA-256 (empty where not taken)."""

    size: int
    modified: int
    changed: int
    node: int
    digest: str = ""


class Change(msgspec.Struct, frozen=True):
    """A file that is new (`before` is None), other than it was, or gone (`after` is None).

    `handed` are the keys of the readers that claim it, each with the file as these take it.
    """

    path: str
    before: Stamp | None
    after: Stamp | None
    handed: tuple[tuple[int, Artifact], ...] = ()


class _Files:
    """Claims of readers, without the tables of what runs: these are not asked here."""

    def __init__(self, claims: Claims) -> None:
        self._claims = claims

    def at(self, path: str) -> Sequence[Claimant]:
        """Who claims a file."""
        return () if path in (PROCESS_FILE, SOCKET_FILE) else self._claims.at(path)


class Snapshot:
    """The places of this machine as they were at the last look. `refusals` are what could not be looked at."""

    def __init__(self, claims: Claims, projects: Sequence[str] = (), stamps: Mapping[str, Stamp] | None = None) -> None:
        """`stamps` are those of an earlier run; without them the first look tells nothing, for all is as it was."""
        self._claims = _Files(claims)
        self._projects = tuple(os.path.abspath(one) for one in projects)
        self.stamps: dict[str, Stamp] = dict(stamps) if stamps is not None else {}
        self.known = stamps is not None
        self.refusals: tuple[Refusal, ...] = ()
        self._folders: set[str] = set()
        self._next: dict[str, dict[str, bool]] = {}

    def look(self) -> list[Change]:
        """Everything that is not as it was, in order of path."""
        handed: dict[str, list[tuple[int, Artifact]]] = {}
        refusals: dict[Refusal, None] = {}
        root = host.root_of_this_machine()
        unit = Unit("host+file:///", root, "host", part="the machine")
        for item in host.open_unit(unit, self._claims, Options()):
            if isinstance(item, Refusal):
                refusals[item] = None
            elif isinstance(item, tuple) and len(handed) < MOST_STAMPS:
                key, artifact = item
                handed.setdefault(root + artifact.path, []).append((key, artifact))
        for path in self._of_projects():
            handed.setdefault(path, [])
        found: dict[str, Stamp] = {}
        changes: list[Change] = []
        for path, claimed in handed.items():
            before = self.stamps.get(path)
            after = _stamp(path, before)
            if after is None:
                continue
            found[path] = after
            if before is None or not _same(before, after):
                changes.append(Change(shown(path), before, after, tuple(claimed)))
        closed = tuple(root + one.path.strip("/") for one in refusals)
        for path, stamp in self.stamps.items():
            if path in found:
                continue
            if any(path == one or path.startswith(one.rstrip("/") + "/") for one in closed):
                found[path] = stamp  # it cannot be looked at now, which does not mean that it is gone
            else:
                changes.append(Change(shown(path), stamp, None))
        told = self.known
        self.stamps, self.known, self.refusals = found, True, tuple(refusals)
        self._folders = {os.path.dirname(path) for path in found}
        return sorted(changes, key=lambda one: one.path) if told else []

    def folders(self) -> list[str]:
        """The folders in which a change may matter: those of all places, or the nearest above that is there."""
        root = host.root_of_this_machine()
        machine = host.this_machine()
        self._next = {}
        for platform, base in machine.systems:
            for place, claim in PER_SYSTEM[platform]:
                self._awaited(root, f"{base}/{place}", claim)
        for home in machine.homes:
            for place, claim in PER_HOME[home.platform]:
                self._awaited(root, f"{home.path}/{place}", claim)
        for project in self._projects:
            for place in OF_PROJECTS:
                self._awaited(root, f"{project}/{place}", place)
        return sorted((self._folders | set(self._next)) - {root, ""})

    def _awaited(self, root: str, place: str, claim: str) -> None:
        """Note the folder before the first wildcard of a place, or the nearest above it, and what may come there."""
        parts = [part for part in place.split("/") if part]
        fixed = next((number for number, part in enumerate(parts) if set(part) & set("*?[")), len(parts) - 1)
        while fixed and not os.path.isdir(root + "/".join(parts[:fixed])):
            fixed -= 1
        # A file straight in the last folder is asked of the readers, where these know it by its own path.
        asked = fixed == len(parts) - 1 and not claim
        self._next.setdefault(root + "/".join(parts[:fixed]), {})[parts[fixed]] = asked

    def matters(self, folder: str, name: str) -> bool:
        """Whether a change of this name in one of `folders` may be one of a place: most in a home are not."""
        path = f"{folder}/{name}"
        if path in self.stamps or not name:
            return True
        awaited = self._next.get(folder)
        if awaited is None:
            return True
        for pattern, asked in awaited.items():
            if not fnmatch.fnmatchcase(name, pattern):
                continue
            if not asked or pattern == name or os.path.isdir(path) or self._claims.at(path.lstrip("/")):
                return True
        return False

    def _of_projects(self) -> Iterator[str]:
        for project in self._projects:
            for place in OF_PROJECTS:
                folder, _, pattern = place.rpartition("/")
                around = os.path.join(project, folder) if folder else project
                try:
                    names = sorted(os.listdir(around))
                except OSError:
                    continue
                yield from (
                    f"{around}/{name}"
                    for name in names[: host.MOST_ENTRIES]
                    if fnmatch.fnmatchcase(name, pattern) and not name.endswith(".sample")
                )


def _stamp(path: str, before: Stamp | None) -> Stamp | None:
    """A file as it is now; None where there is none, or it is no plain file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    bare = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino)
    if before is not None and _unchanged(before, bare):
        return before
    return msgspec.structs.replace(bare, digest=_digest(path, status.st_size))


def _unchanged(before: Stamp, now: Stamp) -> bool:
    return (before.size, before.modified, before.changed, before.node) == (
        now.size, now.modified, now.changed, now.node,
    )  # fmt: skip


def _same(before: Stamp, after: Stamp) -> bool:
    """Whether a file holds what it held: by digest where both have one, else by size and the time of writing."""
    if before.digest and after.digest:
        return before.digest == after.digest
    return (before.size, before.modified) == (after.size, after.modified)


def _digest(path: str, size: int) -> str:
    if size > MOST_HASHED:
        return ""
    state = hashlib.sha256(usedforsecurity=False)
    try:
        descriptor, _ = open_regular(path)
        with os.fdopen(descriptor, "rb") as file:
            while chunk := file.read(CHUNK):
                state.update(chunk)
    except (OSError, Unreadable):
        return ""
    return state.hexdigest()
