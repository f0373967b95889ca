"""Places as the table of locations spells them, and the folders of an account that they stand for.

A place is a root (a home folder, a project, the root of the system) and names below it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

Platform = Literal["linux", "macos", "windows"]
NOT_SHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whose reach it is."""

    name: str
    home: str
    """The home folder, as a path of this machine."""
    world: str = "/"
    """The root of the system it belongs to: `/`, or the folder a disk is mounted at."""
    platform: Platform = "linux"
    uid: int | None = None
    groups: tuple[int, ...] = ()
    live: bool = True
    """Whether it is this process's own account, so that its variables count."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A place as the table spells it."""

    location: str
    template: str
    look: Literal["content", "presence", "names"]
    limit: int
    leave_out: tuple[str, ...] = ()
    """Names of files that a pattern matches and that are not looked at."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place on this machine: a root and the names below it. The last name may be a pattern."""

    location: str
    shown: str
    base: str
    names: tuple[str, ...]
    look: Literal["content", "presence", "names"]
    limit: int
    leave_out: tuple[str, ...] = ()


class Roots:
    """The folders that an account's places and links may lie in, and what the names of roots stand for."""

    def __init__(self, account: Account, projects: Sequence[str] = (), environment: Mapping[str, str] | None = None):
        self.account = account
        self.environment = dict(environment or {})
        self.projects = tuple(projects)
        self.home = os.path.realpath(account.home) if account.live else account.home
        self.allowed: list[tuple[str, str]] = []
        for folder in (account.home, *projects):
            self._allow(folder)

    def _allow(self, folder: str) -> None:
        real = os.path.realpath(folder)
        self.allowed += [(spelling, real) for spelling in dict.fromkeys((os.path.abspath(folder), real))]

    def places(self, wanted: Wanted) -> Iterator[Place]:
        """Every place that a spelling of the table stands for."""
        head, _, rest = wanted.template.replace("\\", "/").partition("/")
        names = tuple(name for name in rest.split("/") if name)
        if not head:
            yield self._place(wanted, self.account.world, names, "/" + rest)
            return
        variable = head.strip("$%")
        if variable == "PROJECT":
            for project in self.projects:
                mark = "$PROJECT" if len(self.projects) == 1 else f"$PROJECT[{os.path.basename(project)}]"
                yield self._place(wanted, os.path.realpath(project), names, f"{mark}/{rest}")
            return
        if variable == "PROGRAMDATA" and not self.account.live:
            yield self._place(wanted, self.account.world, ("ProgramData", *names), f"%PROGRAMDATA%/{rest}")
            return
        inside = self._inside(variable)
        if inside is not None:
            yield self._place(wanted, self.home, (*inside, *names), "/".join(("$HOME", *inside, *names)))
        folder = self.environment.get(variable)
        if folder and os.path.isabs(folder) and variable not in ("HOME", "USERPROFILE"):
            own = self._own(os.path.normpath(folder))
            if own is not None:
                if inside is None or own != inside:
                    yield self._place(wanted, self.home, (*own, *names), "/".join(("$HOME", *own, *names)))
            else:
                self._allow(folder)
                yield self._place(wanted, os.path.realpath(folder), names, f"${variable}/{rest}")

    def override(self, wanted: Wanted, variable: str) -> Iterator[Place]:
        """The files that a variable names, where it is set."""
        value = self.environment.get(variable, "")
        for number, path in enumerate(value.split(os.pathsep)):
            if not os.path.isabs(path):
                continue
            path = os.path.normpath(path)
            own = self._own(path)
            if own:
                yield self._place(wanted, self.home, own, "/".join(("$HOME", *own)))
                continue
            folder = os.path.dirname(path)
            self._allow(folder)
            mark = f"${variable}" if number == 0 else f"${variable}[{number + 1}]"
            yield self._place(wanted, os.path.realpath(folder), (os.path.basename(path),), mark)

    def named(self, wanted: Wanted, path: str) -> Place | None:
        """The place of a path that a file of the account names; None where it lies outside, or cannot be told."""
        path = re.sub(r"^(?:~|%d|\$\{HOME\}|\$HOME)(?=/)", lambda _: self.home, path.replace("\\", "/"))
        if not path.startswith("/"):
            return None
        if not self.account.live and self._own(path) is None:
            path = self.account.world.rstrip("/") + path
        own = self._own(os.path.normpath(path))
        return self._place(wanted, self.home, own, "/".join(("$HOME", *own))) if own else None

    def _place(self, wanted: Wanted, base: str, names: tuple[str, ...], shown: str) -> Place:
        shown = NOT_SHOWN.sub("?", shown)
        return Place(
            location=wanted.location,
            shown=shown,
            base=base,
            names=names,
            look=wanted.look,
            limit=wanted.limit,
            leave_out=wanted.leave_out,
        )

    def _own(self, path: str) -> tuple[str, ...] | None:
        """The names of a path below the home folder; None where it is not in it."""
        for home in (self.account.home, self.home):
            if path == home or path.startswith(home.rstrip("/") + "/"):
                return tuple(name for name in path[len(home.rstrip("/")) :].split("/") if name)
        return None

    def _inside(self, variable: str) -> tuple[str, ...] | None:
        """Where the folder of a name lies in the home folder by default; None for names that have no default."""
        return _DEFAULTS.get(variable)

    def leads(self, base: str, path: str) -> tuple[str, tuple[str, ...]] | None:
        """The root and the names below it of where a link leads; None where that is outside."""
        if base == self.account.world:
            return base, tuple(name for name in path[len(base.rstrip("/")) :].split("/") if name)
        for spelling, real in self.allowed:
            if path == spelling or path.startswith(spelling.rstrip("/") + "/"):
                return real, tuple(name for name in path[len(spelling.rstrip("/")) :].split("/") if name)
        return None


_DEFAULTS: dict[str, tuple[str, ...]] = {
    "HOME": (),
    "USERPROFILE": (),
    "XDG_CONFIG_HOME": (".config",),
    "XDG_DATA_HOME": (".local", "share"),
    "XDG_STATE_HOME": (".local", "state"),
    "XDG_CACHE_HOME": (".cache",),
    "APPDATA": ("AppData", "Roaming"),
    "LOCALAPPDATA": ("AppData", "Local"),
}
