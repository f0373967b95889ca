"""What lies around a sighting on a disk and is worth a copy: named files, opened without following or running anything.

Listings are bounded. Links are not followed: where one lies in place of a file, the link itself is the evidence.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO, cast
from urllib.parse import unquote, urlsplit

import msgspec

from pratique.model.location import Location, undecoded
from pratique.model.ports import Unreadable, iso_time
from pratique.targets.files import open_regular, reason_of

MOST_ENTRIES = 400
"""Files that are taken out of one folder at most."""
LARGEST_UNKNOWN = 64 << 20
"""So many bytes are read at most of a file that says it is empty, as those of `/proc` do."""
_WHOLE = 1 << 20
"""A file of up to so many bytes is read at once."""


class Times(msgspec.Struct, frozen=True):
    """What the file system says of a file before it is read. Times are ISO 8601 in UTC."""

    modified: str | None
    changed: str | None
    accessed: str | None
    born: str | None
    mode: str
    owner: str
    size: int
    link: str | None


def folder_of(target: str) -> str:
    """The path on this machine that a target's URI names."""
    return unquote(urlsplit(target.partition("+")[2] if "+" in target.partition(":")[0] else target).path)


def path_of(location: Location) -> str:
    """The path on this machine of a location, that of the container where it lies in one."""
    return os.path.join(folder_of(location.target), undecoded(location))


def described(path: str) -> Times:
    """Times, mode and owner of what lies at a path, links not followed. Raises Unreadable."""
    try:
        status = os.lstat(path)
        link = os.readlink(path) if stat.S_ISLNK(status.st_mode) else None
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    except ValueError:
        raise Unreadable("no file can have its name") from None
    born = getattr(status, "st_birthtime", None)
    return Times(
        _moment(status.st_mtime),
        _moment(status.st_ctime),
        _moment(status.st_atime),
        _moment(born) if born is not None else None,
        f"{stat.S_IMODE(status.st_mode):04o}",
        f"{status.st_uid}:{status.st_gid}",
        status.st_size,
        link,
    )


class Content:
    """The bytes of a regular file up to its size when it was opened: one that grows as it is read would have no end.

    Opening never blocks and follows no link. Raises Unreadable.
    """

    def __init__(self, path: str) -> None:
        self._begin(*open_regular(path))

    def _begin(self, descriptor: int, status: os.stat_result) -> None:
        self.size = status.st_size
        self._file = os.fdopen(descriptor, "rb", buffering=0)

    def read(self) -> BinaryIO | bytes:
        """All of it at once where it is small, else a file to read it from. Raises OSError."""
        if 0 < self.size < _WHOLE:
            return self._file.read(self.size)
        return cast(BinaryIO, _AsItWas(self._file, self.size or LARGEST_UNKNOWN))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> Content:
        return self

    def __exit__(self, *unused: object) -> None:
        self.close()


class RunningProgram(Content):
    """The program that a process of this machine runs, also where its file was removed (Linux). Raises Unreadable."""

    def __init__(self, process: int, executable: str) -> None:
        path = f"/proc/{process}/exe"
        try:
            if os.readlink(path).removesuffix(" (deleted)") != executable:
                raise Unreadable("its process has ended")
            descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NONBLOCK", 0))
        except FileNotFoundError:
            raise Unreadable("its process has ended") from None
        except OSError as error:
            raise Unreadable(reason_of(error)) from None
        self._begin(descriptor, os.fstat(descriptor))


class _AsItWas(io.RawIOBase):
    """A file of which so many bytes are left."""

    def __init__(self, file: BinaryIO, left: int) -> None:
        super().__init__()
        self.file = file
        self.left = left

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        part = self.file.read(self.left if size < 0 else min(size, self.left))
        self.left -= len(part)
        return part


def files_below(folder: str, depth: int = 1, most: int = MOST_ENTRIES, without: str = "") -> Iterator[str]:
    """Files of a folder in order of name, those further up first, to a depth, at most so many.

    Folders named `without` are left out. Raises Unreadable, after all others were given, where there are more files or
    a folder cannot be listed.
    """
    left = most
    waiting = [(folder, depth)]
    reason = ""
    for current, levels in waiting:
        try:
            with os.scandir(current) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            reason = reason_of(error)
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if levels > 1 and entry.name != without and len(waiting) < most:
                    waiting.append((entry.path, levels - 1))
            elif left:
                left -= 1
                yield entry.path
            else:
                raise Unreadable(f"holds more than {most} files; the others were not copied")
    if reason:
        raise Unreadable(reason)


def _moment(seconds: float) -> str | None:
    try:
        return iso_time(seconds)
    except (ValueError, OverflowError):
        return None
