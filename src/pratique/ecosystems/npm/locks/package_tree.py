"""The packages of npm's lockfile by the folders they stand for, and how Node finds one from another.

References: npm 6.14.18 lib/shrinkwrap.js; npm 11.21.2, `@npmcli/arborist` lib/shrinkwrap.js, lib/edge.js.
"""

from __future__ import annotations

import re
from typing import Any

from pratique.ecosystems.npm.locks.spans import Member, Value
from pratique.ecosystems.npm.urls import origin_of, tarball_release
from pratique.model.repair import LockedRelease

_GROUPS = ("dependencies", "optionalDependencies", "peerDependencies")
OWN_GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
"""The groups in which a project of its own asks for packages."""


class Stop(Exception):  # noqa: N818  # a reason, told to a person
    """Why a lockfile cannot be repaired."""


class Entry:
    """One package of a lockfile. `path` is the folder it stands for, below the project; empty for the project."""

    def __init__(self, path: str, member: Member, depth: int, *, legacy: bool) -> None:
        value = member.value
        self.path = path
        self.member = member
        self.value = value
        self.depth = depth
        self.tail = path[path.rfind("node_modules/") + 13 :] if "node_modules/" in path else ""
        self.own = not self.tail
        self.name = self.tail
        self.version = value.text("version") or ""
        self.link = value.true("link")
        self.bundled = value.true("inBundle") or value.true("bundled")
        self.resolved = value.text("resolved")
        self.origin = origin_of(self.resolved)
        if legacy:
            if self.version.startswith("npm:"):
                self.name, _, self.version = self.version[4:].rpartition("@")
            elif re.match(r"(?:https?|git[+:@]|git$|file:|github:|gitlab:|bitbucket:|ssh:)", self.version):
                self.origin = "git" if origin_of(self.version) == "git" else "file"
                self.name, self.version = tarball_release(self.version) or (self.name, "")
            requires = value.texts("requires")
            self.asks = {"dependencies": requires}
        else:
            self.name = value.text("name") or self.tail
            groups = OWN_GROUPS if self.own else _GROUPS
            self.asks = {group: value.texts(group) for group in groups}
            optional = self.asks["optionalDependencies"]
            self.asks["dependencies"] = {
                key: spec for key, spec in self.asks["dependencies"].items() if key not in optional
            }
        self.release: LockedRelease | None = None
        self.now: dict[str, Any] | None = None

    @property
    def words(self) -> str:
        """For people."""
        if not self.path:
            return "the project itself"
        return f"{self.name}@{self.version}" if self.version else self.path


class Tree:
    """The packages of a lockfile by folder, and how Node finds one from another."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = {entry.path: entry for entry in entries}
        if len(self.entries) != len(entries):
            paths = [entry.path for entry in entries]
            raise Stop(f"{next(path for path in paths if paths.count(path) > 1)} stands twice")

    def found(self, path: str, name: str, gone: frozenset[str] = frozenset()) -> Entry | None:
        """What `name` means in a folder."""
        at = path
        while True:
            place = f"{at}/node_modules/{name}" if at else f"node_modules/{name}"
            if place in self.entries and place not in gone:
                return self.entries[place]
            if not at:
                return None
            at = at.rpartition("/")[0]

    def target(self, entry: Entry) -> Entry | None:
        """The folder that a link leads to."""
        return self.entries.get(entry.resolved or "") if entry.link else None


def modern(packages: Value) -> Tree:
    """The tree of the part `packages`. Raises Stop."""
    if packages.kind != "object" or any(member.value.kind != "object" for member in packages):
        raise Stop("packages: is not an object of objects")
    return Tree([Entry(member.key, member, 2, legacy=False) for member in packages])


def legacy(part: Value) -> Tree:
    """The tree of the nested part `dependencies`. Raises Stop."""
    entries: list[Entry] = []
    stack = [("", part, 1)]
    while stack:
        root, holder, depth = stack.pop()
        if holder.kind != "object":
            raise Stop("dependencies: is not an object")
        for member in holder:
            if member.value.kind != "object":
                raise Stop(f"dependencies: {member.key[:100]} is not an object")
            path = f"{root}/node_modules/{member.key}" if root else f"node_modules/{member.key}"
            entries.append(Entry(path, member, depth + 1, legacy=True))
            inner = member.value.get("dependencies")
            if inner is not None:
                stack.append((path, inner, depth + 2))
    return Tree(entries)
