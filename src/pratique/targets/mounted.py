"""A mounted disk or an unpacked backup of another machine: which system it is, whose homes lie there, and its links.

Nothing of this machine is looked at: a link on the disk is followed as that machine would follow it, inside the disk.
An absolute link, a Windows path in one, and `..` above the root all stay within. The places of each user come from the
same rules as those of this user, without that machine's environment, which a disk does not hold.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pratique.model.location import locate, shown
from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.targets.boundaries import resolve
from pratique.targets.files import read_regular
from pratique.targets.places import Look, Place, Platform, survey

READER = "disk"
_MOST_USERS = 10_000
_MOST_NAMED = 60
_SMALL = 1 << 20
_NAMES = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
_EXPECTED = {
    "linux": ("etc", "home", "root", "usr", "var"),
    "macos": ("Applications", "Library", "Users"),
    "windows": ("Users", "Windows", "ProgramData", "Program Files"),
}
_NO_USERS = frozenset({"shared", "public", "default", "default user", "all users", "lost+found", "guest"})
_SERVICES = (
    ("SYSTEM", "Windows/System32/config/systemprofile"),
    ("LocalService", "Windows/ServiceProfiles/LocalService"),
    ("NetworkService", "Windows/ServiceProfiles/NetworkService"),
)
_CONFIGURED = re.compile(r" in (?:the user's|pnpm's|npm's|the npmrc)|^the user's ")
_HOME_OF_NOBODY = re.compile(r"/(?:bin|sbin|dev|proc|usr(?:/s?bin)?|nonexistent)?/?")


class User(msgspec.Struct, frozen=True):
    """A user of the disk: the home relative to the disk, and which usual places are there."""

    name: str
    home: str
    platform: Platform
    found: tuple[Place, ...] = ()
    absent: tuple[Place, ...] = ()
    installs: tuple[str, ...] = ()
    """Folders, relative to the disk, whose `node_modules` is a global tree."""


class Disk(msgspec.Struct, frozen=True):
    """What was recognised: systems with the folder they lie in (empty: the root), users, and absent usual folders."""

    systems: tuple[tuple[Platform, str], ...] = ()
    users: tuple[User, ...] = ()
    missing: tuple[str, ...] = ()


def recognise(root: str) -> Disk:
    """What lies on a disk: in its root, or in the folders of the root where it holds several."""
    systems: list[tuple[Platform, str]] = [(platform, "") for platform in _systems(root, "")]
    if not systems:
        for name in _listed(root, ""):
            if _is_folder(root, name):
                systems += [(platform, name) for platform in _systems(root, name)]
    users: list[User] = []
    missing: list[str] = []
    for platform, base in systems:
        users += _users(root, base, platform)
        present = {name.casefold() for name in _listed(root, base)}
        missing += [_joined(base, name) for name in _EXPECTED[platform] if name.casefold() not in present]
    return Disk(tuple(systems), tuple(users[:_MOST_USERS]), tuple(dict.fromkeys(missing)))


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _at(root: str, path: str) -> str | None:
    return resolve(root, path)


def _listed(root: str, path: str) -> Sequence[str]:
    real = _at(root, path)
    try:
        return sorted(os.listdir(real)) if real is not None else ()
    except OSError:
        return ()


def _is_folder(root: str, path: str) -> bool:
    real = _at(root, path)
    return real is not None and os.path.isdir(real)


def _systems(root: str, base: str) -> list[Platform]:
    """The systems whose layout a folder has."""
    names = {name.casefold(): name for name in _listed(root, base)}
    users = [_joined(base, names[key]) for key in ("users", "documents and settings") if key in names]
    homes = [f"{folder}/{name}" for folder in users for name in _listed(root, folder)][:50]
    inside = [
        _joined(home, name) for home in homes for name in ("AppData", "Library") if _is_folder(root, f"{home}/{name}")
    ]
    found: list[Platform] = []
    keys = names.keys()
    if "home" in keys or ("users" not in keys and ("root" in keys or {"etc", "usr", "var"} <= keys)):
        found.append("linux")
    windows = "windows" in keys and _is_folder(root, _joined(base, names["windows"], "System32"))
    if windows or any(path.endswith("AppData") for path in inside):
        found.append("windows")
    elif users and (keys & {"system", "applications", "library"} or any(path.endswith("Library") for path in inside)):
        found.append("macos")
    return found


def _users(root: str, base: str, platform: Platform) -> Iterator[User]:
    """The users of a system, by the folders of their homes and by its list of users."""
    names = {name.casefold(): name for name in _listed(root, base)}
    homes: list[tuple[str, str, bool]] = []
    if platform == "linux":
        homes += [(name, _joined(base, "home", name), True) for name in _listed(root, _joined(base, "home"))]
        homes.append(("root", _joined(base, "root"), True))
        homes += [(name, _joined(base, home), False) for name, home in _passwd(root, base)]
    else:
        for key in ("users", "documents and settings"):
            if key in names:
                folder = _joined(base, names[key])
                homes += [(name, f"{folder}/{name}", True) for name in _listed(root, folder)]
        if platform == "macos":
            homes.append(("root", _joined(base, "private/var/root"), True))
        else:
            homes += [(name, _joined(base, place), False) for name, place in _SERVICES]
    seen: set[str] = set()
    for name, home, sure in homes:
        real = _at(root, home)
        if name.casefold() in _NO_USERS or name.startswith(".") or real is None or real in seen:
            continue
        try:
            if not stat.S_ISDIR(os.lstat(real).st_mode):
                continue
        except OSError:
            continue
        seen.add(real)
        user = _surveyed(root, base, name, os.path.relpath(real, root), platform)
        if sure or user.found:
            yield user


def _passwd(root: str, base: str) -> Iterator[tuple[str, str]]:
    """Names and homes by the list of users."""
    text = _text(root, _joined(base, "etc/passwd")) or ""
    for line in text.splitlines()[:_MOST_USERS]:
        parts = line.split(":")
        if len(parts) >= 7 and parts[5].startswith("/") and not _HOME_OF_NOBODY.fullmatch(parts[5]):
            yield parts[0], parts[5].strip("/")


def _text(root: str, path: str) -> str | None:
    real = _at(root, path)
    try:
        return read_regular(real, _SMALL)[0].decode("utf-8", "replace") if real is not None else None
    except Unreadable:
        return None


def _surveyed(root: str, base: str, name: str, home: str, platform: Platform) -> User:
    """The usual places of one user, and which of them are on the disk."""
    windows = platform == "windows"
    environment = {}
    if windows:
        environment = {"ProgramFiles": "C:\\Program Files", "ProgramFiles(x86)": "C:\\Program Files (x86)"}
    inner = home[len(base) :].strip("/") if base else home
    spelled = "C:\\" + inner.replace("/", "\\") if windows else f"/{inner}"

    def relative(path: str) -> str | None:
        if windows:
            match = re.match(r"(?:\\\\\?\\)?[Cc]:[\\/]*(.*)", path, re.DOTALL)
            return _joined(base, match[1].replace("\\", "/")) if match else None
        return _joined(base, path.strip("/"))

    def exists(path: str) -> bool | None:
        place = relative(path)
        return place is not None and _at(root, place) is not None

    def listed(path: str) -> Sequence[str]:
        place = relative(path)
        return _listed(root, place) if place is not None else ()

    def text(path: str) -> str | None:
        place = relative(path)
        return _text(root, place) if place is not None else None

    def real(path: str) -> str:
        place = relative(path)
        found = _at(root, place) if place is not None else None
        return path if found is None or windows else f"/{os.path.relpath(found, root)}"

    look = Look(exists, listed, text, real, 0 if name == "root" else None)
    found = survey(environment, spelled, platform, look)
    trees = [relative(place.path) or "" for place in found.places if place.kind == "global-root"]
    installs = tuple(tree.rpartition("/")[0] for tree in trees if tree.endswith("/node_modules"))
    return User(name, home, platform, found.places, found.absent, installs)


def notes(path: str, disk: Disk) -> Iterator[str]:
    """What was recognised, for the report."""
    if not disk.systems:
        yield f"{path}: no layout of Linux, macOS or Windows was recognised; it is examined as a folder"
        return
    systems = ", ".join(_NAMES[platform] + (f" in {base}" if base else "") for platform, base in disk.systems)
    users = _some([user.name for user in disk.users]) or "none"
    absent = f"; absent: {', '.join(disk.missing)}" if disk.missing else ""
    yield shown(f"{path}: {systems}; users: {users}{absent}")
    for user in disk.users:
        found = _some(dict.fromkeys(f"{place.manager} {place.kind}" for place in user.found)) or "nothing usual"
        gone = _some(dict.fromkeys(f"{place.manager} {place.kind}" for place in user.absent if _usual(user, place)))
        yield shown(f"{user.home}: found {found}" + (f"; absent: {gone}" if gone else ""))


def _usual(user: User, place: Place) -> bool:
    """Whether an absent place stands for its kind: none of that kind was found."""
    return not any((other.manager, other.kind) == (place.manager, place.kind) for other in user.found)


def elsewhere(uri: str, disk: Disk) -> Iterator[Refusal]:
    """A gap for each place that a user's own settings name and that is not on this disk."""
    for user in disk.users:
        for place in user.absent:
            if _CONFIGURED.search(place.found_by) and not place.found_by.endswith(", its logs"):
                location = locate(uri, user.home)
                reason = f"{place.found_by} names {shown(place.path)}, which is not on this disk"
                yield Refusal(location.path, READER, reason, True, uri, location.path_bytes)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    more = f" and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    return ", ".join(listed[:_MOST_NAMED]) + more
