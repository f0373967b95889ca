"""The places where credentials lie: named exactly, opened without being led astray, in the account's own folders.

No tree is walked. A place is a root (a home folder, a project, the root of the system) and names below it. Each name is
looked at and opened from the folder before it, no link is followed by the kernel, and where a link leads is walked the
same way: it has to stay inside the account's roots. What is opened is looked at again before a byte is read.
"""

from __future__ import annotations

import contextlib
import errno
import fnmatch
import os
import re
import stat
import struct
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

import msgspec

from pratique.targets.boundaries import _spelled
from pratique.targets.reach_places import NOT_SHOWN, Account, Place, Platform, Roots

MOST_HOPS = 16
MOST_ENTRIES = 1000
"""Files of one folder that are opened."""
_MOST_LISTED = 200_000
_LARGEST_INDEX = 64 << 20
_FOLDER = (
    getattr(os, "O_PATH", os.O_RDONLY)
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
)
_FILE = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOCTTY", 0)
)
_NOATIME = getattr(os, "O_NOATIME", 0)
_CLOUD = 0x400000 | 0x40000  # Windows: a file whose bytes are elsewhere

Reason = Literal[
    "permission denied",
    "is no file",
    "leads out of the home folder",
    "too large",
    "too many entries",
    "cannot be read",
]


class Refused(Exception):  # noqa: N818 (a place that is not read; it is no failure)
    """A place that is not read, with the reason."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Absent(Exception):  # noqa: N818 (nothing is there; it is no failure)
    """Nothing is there."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is at a place. `content` is None where only its presence counts."""

    shown: str
    content: bytes | None = None
    capped: bool = False
    refused: Reason | None = None
    mode: int = 0
    uid: int = 0
    gid: int = 0
    modified: int | None = None
    """Seconds since the epoch."""
    born: int | None = None
    kind: Literal["file", "folder", "socket", "other"] = "file"
    identifier: tuple[int, int] = (0, 0)
    tracked: bool | None = None


_FROM_FOLDERS = os.open in os.supports_dir_fd
"""Whether this system opens a name from an open folder; Windows does not."""


def look(place: Place, roots: Roots) -> Iterator[Entry]:
    """What is at a place: nothing, one entry, or one for each name that its pattern matches."""
    try:
        if not _FROM_FOLDERS:
            yield from _by_path(place, roots)
        elif place.names and "*" in place.names[-1]:
            yield from _matching(place, roots)
        else:
            yield _entry(place, roots, place.names, place.shown)
    except Absent:
        return
    except Refused as refused:
        yield Entry(shown=place.shown, refused=refused.reason)


def _matching(place: Place, roots: Roots) -> Iterator[Entry]:
    """The entries of a folder that a pattern matches, in order of name, up to a bound."""
    folder, base, done = _open(place.base, place.names[:-1], roots, place.names[-1:])
    try:
        if folder is None:
            raise Refused("is no file")
        listing = os.open(".", os.O_RDONLY | getattr(os, "O_CLOEXEC", 0), dir_fd=folder)
        try:
            names: list[str] = []
            with os.scandir(listing) as entries:
                for entry in entries:
                    if _wants(place, entry.name):
                        names.append(entry.name)
                    if len(names) > _MOST_LISTED:
                        break
        finally:
            os.close(listing)
    except OSError as error:
        raise _refusal(error) from None
    finally:
        if folder is not None:
            os.close(folder)
    if len(names) > MOST_ENTRIES:
        yield Entry(shown=place.shown, refused="too many entries")
    head = place.shown.rpartition("/")[0]
    for name in sorted(names)[:MOST_ENTRIES]:
        shown = f"{head}/{NOT_SHOWN.sub('?', name)}"
        try:
            inner = msgspec.structs.replace(place, base=base, names=(*done, name), shown=shown)
            if place.look == "content" and _not_asked_for(inner):
                continue
            yield _entry(inner, roots, inner.names, shown)
        except Absent:
            continue
        except Refused as refused:
            yield Entry(shown=shown, refused=refused.reason)


def _wants(place: Place, name: str) -> bool:
    """Whether a place's pattern matches a name of its folder, and nothing leaves it out."""
    if not fnmatch.fnmatch(name, place.names[-1]):
        return False
    return not any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in place.leave_out)


def _by_path(place: Place, roots: Roots) -> Iterator[Entry]:
    """The same where no name can be opened from a folder: a path is resolved, tested against the roots, then opened."""
    folder = os.path.join(place.base, *place.names[:-1])
    names = place.names[-1:]
    try:
        if names and "*" in names[0]:
            names = tuple(sorted(name for name in os.listdir(folder) if _wants(place, name)))
            if len(names) > MOST_ENTRIES:
                yield Entry(shown=place.shown, refused="too many entries")
            names = names[:MOST_ENTRIES]
        for name in names:
            shown = f"{place.shown.rpartition('/')[0]}/{NOT_SHOWN.sub('?', name)}" if len(place.names) else place.shown
            path = os.path.join(folder, name)
            if not os.path.lexists(path) or ("*" in place.names[-1] and os.path.isdir(path)):
                continue
            real = os.path.realpath(path)
            inside = (place.base, *(real_root for _, real_root in roots.allowed))
            if not any(_below(real, root) for root in inside):
                yield Entry(shown=shown, refused="leads out of the home folder")
                continue
            yield _at(real, shown, place)
    except OSError as error:
        raise _refusal(error) from None


def _below(path: str, root: str) -> bool:
    root = os.path.normcase(os.path.realpath(root)).rstrip(os.sep)
    return os.path.normcase(path).startswith(root + os.sep)


def _at(path: str, shown: str, place: Place) -> Entry:
    """The entry at a path without links. Raises OSError."""
    status = os.lstat(path)
    content: bytes | None = None
    if place.look == "content":
        if not stat.S_ISREG(status.st_mode) or getattr(status, "st_file_attributes", 0) & _CLOUD:
            return Entry(shown=shown, refused="is no file")
        descriptor = os.open(path, _FILE | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Entry(shown=shown, refused="is no file")
            content = file.read(place.limit + 1)
    return Entry(
        shown=shown,
        content=content[: place.limit] if content is not None else None,
        capped=content is not None and len(content) > place.limit,
        mode=stat.S_IMODE(status.st_mode),
        uid=status.st_uid,
        gid=status.st_gid,
        modified=_seconds(status.st_mtime),
        born=_seconds(getattr(status, "st_birthtime", None)),
        kind=_kind(status.st_mode),
        identifier=(status.st_dev, status.st_ino),
    )


def _not_asked_for(place: Place) -> bool:
    """Whether a folder or socket lies among files that a pattern matches: nobody keeps a key in one."""
    try:
        mode = os.lstat("/".join((place.base.rstrip("/"), *place.names))).st_mode
        return stat.S_ISDIR(mode) or stat.S_ISSOCK(mode)
    except OSError:
        return False


def _entry(place: Place, roots: Roots, names: tuple[str, ...], shown: str) -> Entry:
    """One entry. Raises Absent and Refused."""
    if not names:
        raise Refused("is no file")
    folder, base, done = _open(place.base, names, roots, ())
    try:
        if folder is None:
            raise Refused("is no file")
        name = done[-1]
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        kind = _kind(status.st_mode)
        content: bytes | None = None
        capped = False
        born = _seconds(getattr(status, "st_birthtime", None))
        if place.look == "content":
            if kind != "file" or getattr(status, "st_file_attributes", 0) & _CLOUD:
                raise Refused("is no file")
            content, status, born = _read(name, folder, place.limit)
            capped = len(content) > place.limit
        tracked = _tracked(base, done) if kind == "file" else None
        return Entry(
            shown=shown,
            content=content[: place.limit] if content is not None else None,
            capped=capped,
            mode=stat.S_IMODE(status.st_mode),
            uid=status.st_uid,
            gid=status.st_gid,
            modified=_seconds(status.st_mtime),
            born=born,
            kind=kind,
            identifier=(status.st_dev, status.st_ino),
            tracked=tracked,
        )
    except OSError as error:
        raise _refusal(error) from None
    finally:
        if folder is not None:
            os.close(folder)


def _seconds(value: float | None) -> int | None:
    return None if value is None else int(value)


def _kind(mode: int) -> Literal["file", "folder", "socket", "other"]:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "socket" if stat.S_ISSOCK(mode) else "other"


def _read(name: str, folder: int, limit: int) -> tuple[bytes, os.stat_result, int | None]:
    """Up to one byte more than the limit of a regular file."""
    try:
        descriptor = os.open(name, _FILE | _NOATIME, dir_fd=folder)
    except PermissionError:
        descriptor = os.open(name, _FILE, dir_fd=folder)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("is no file")
        born = _seconds(getattr(status, "st_birthtime", None)) or _born(descriptor)
        parts: list[bytes] = []
        left = limit + 1
        while left:
            part = os.read(descriptor, min(left, 1 << 20))
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts), status, born
    finally:
        os.close(descriptor)


def _open(
    base: str, names: Sequence[str], roots: Roots, following: Sequence[str]
) -> tuple[int | None, str, tuple[str, ...]]:
    """A descriptor of the folder that holds the last name (or, with `following`, of the folder itself).

    Returns it with the root and the names that lead there without a link. Raises Absent and Refused.
    """
    todo = list(names)[::-1]
    done: list[str] = []
    hops = 0
    folder = _base(base)
    try:
        while todo:
            name = todo.pop()
            if name in ("", "."):
                continue
            if name == "..":
                if not done:
                    raise Refused("leads out of the home folder")
                todo += done[:-1][::-1]
                done = []
                os.close(folder)
                folder = _base(base)
                continue
            name, status = _named(folder, base, done, name, roots.account.platform)
            if stat.S_ISLNK(status.st_mode):
                hops += 1
                if hops > MOST_HOPS:
                    raise Refused("cannot be read")
                found = _target(os.readlink(name, dir_fd=folder), base, done, roots)
                if found is None:
                    raise Refused("leads out of the home folder")
                base, inner = found
                todo += inner[::-1]
                done = []
                os.close(folder)
                folder = _base(base)
                continue
            done.append(name)
            if not todo and not following:
                break
            if not stat.S_ISDIR(status.st_mode):
                raise Absent
            inside = os.open(name, _FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inside
            if len(done) > 256:
                raise Refused("cannot be read")
    except OSError as error:
        os.close(folder)
        raise _refusal(error) from None
    except BaseException:  # the descriptor is not left open; it is passed on
        os.close(folder)
        raise
    return folder, base, tuple(done)


def _base(base: str) -> int:
    try:
        return os.open(base, _FOLDER)
    except OSError as error:
        raise _refusal(error) from None


def _named(folder: int, base: str, done: Sequence[str], name: str, platform: Platform) -> tuple[str, os.stat_result]:
    """A name and its status; on Windows disks also in other letters."""
    try:
        return name, os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        other = _spelled("/".join((base.rstrip("/"), *done)), name) if platform == "windows" else None
        if other is None:
            raise
        return other, os.stat(other, dir_fd=folder, follow_symlinks=False)


def _target(link: str, base: str, done: Sequence[str], roots: Roots) -> tuple[str, list[str]] | None:
    """Root and names of where a link leads; None where it leads out."""
    windows = re.match(r"(?:\\\\\?\\|\\\?\?\\|/\?\?/)?[A-Za-z]:[\\/]", link)
    if windows:
        link = "/" + link[windows.end() :].replace("\\", "/")
    world = roots.account.world.rstrip("/")
    if link.startswith("/"):
        path, rest = world, link.split("/")
    else:
        path, rest = "/".join((base.rstrip("/"), *done)), link.split("/")
        while rest and rest[0] in ("..", ".", ""):
            if rest.pop(0) == ".." and path != world:
                path = path.rpartition("/")[0]
    at = rest.index("..") if ".." in rest else len(rest)
    found = roots.leads(base, "/".join([path, *(name for name in rest[:at] if name not in ("", "."))]) or "/")
    if found is None:
        return None
    return found[0], [*found[1], *rest[at:]]


def _refusal(error: OSError) -> Refused | Absent:
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return Absent()
    if error.errno in (errno.EACCES, errno.EPERM):
        return Refused("permission denied")
    if error.errno in (errno.ENXIO, errno.EISDIR):
        return Refused("is no file")
    return Refused("cannot be read")


def _born(descriptor: int) -> int | None:
    """When a file was made, where Linux tells."""
    if not sys.platform.startswith("linux"):
        return None
    with contextlib.suppress(ImportError, OSError, AttributeError, ValueError):
        import ctypes  # a build without it tells no time of birth

        buffer = ctypes.create_string_buffer(256)
        if ctypes.CDLL(None).statx(descriptor, b"", 0x1000, 0x800, buffer) == 0:
            mask, seconds = struct.unpack_from("<I", buffer, 0)[0], struct.unpack_from("<q", buffer, 80)[0]
            return int(seconds) if mask & 0x800 and seconds > 0 else None
    return None


def _tracked(base: str, names: Sequence[str]) -> bool | None:
    """Whether a checkout records the file; None where there is a checkout and that cannot be told."""
    for depth in range(len(names) - 1, -1, -1):
        folder = "/".join((base.rstrip("/"), *names[:depth]))
        try:
            status = os.lstat(f"{folder}/.git")
        except OSError:
            continue
        if not stat.S_ISDIR(status.st_mode):
            return None
        try:
            descriptor = os.open(f"{folder}/.git/index", _FILE)
        except FileNotFoundError:
            return False
        except OSError:
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_size > _LARGEST_INDEX:
                return None
            with os.fdopen(os.dup(descriptor), "rb") as file:
                index = file.read(_LARGEST_INDEX)
        except OSError:
            return None
        finally:
            os.close(descriptor)
        return _in_index(index, os.fsencode("/".join(names[depth:])))
    return False


def _in_index(index: bytes, path: bytes) -> bool | None:
    """Whether an index of git, of a version that spells paths whole, holds a path; None for what is not known."""
    if index[:4] != b"DIRC" or index[4:8] not in (b"\0\0\0\x02", b"\0\0\0\x03"):
        return None
    at = index.find(path + b"\0")
    while at > 0:
        if int.from_bytes(index[at - 2 : at], "big") & 0xFFF == min(len(path), 0xFFF):
            return True
        at = index.find(path + b"\0", at + 1)
    return None


def readable_by(entry: Entry, account: Account) -> bool:
    """Whether an account may read an entry, by owner and permission bits; for those whose number is not known, yes."""
    if account.uid is None or account.uid == 0 or account.platform == "windows":
        return True
    if entry.uid == account.uid:
        return bool(entry.mode & 0o400)
    if entry.gid in account.groups:
        return bool(entry.mode & 0o040)
    return bool(entry.mode & 0o004)


def as_account(account: Account) -> Callable[[], None]:
    """What a process does first: no memory is ever written to disk, and root becomes the account."""

    def start() -> None:
        with contextlib.suppress(ImportError, OSError, ValueError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if sys.platform.startswith("linux"):
            with contextlib.suppress(ImportError, OSError, AttributeError):
                import ctypes

                ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
        if account.live and account.uid and hasattr(os, "geteuid") and os.geteuid() == 0:
            group = account.groups[0] if account.groups else account.uid
            os.setgroups(account.groups)
            os.setgid(group)
            os.setuid(account.uid)

    return start


def unique(places: Iterable[Place]) -> list[Place]:
    """The places without those that stand twice for one location."""
    return list({(place.location, place.base, place.names): place for place in places}.values())
