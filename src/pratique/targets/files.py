"""Files of a tree: opened without blocking, their type checked after opening, access times kept where it can be."""

from __future__ import annotations

import errno
import os
import stat
import sys
from typing import BinaryIO, Protocol

from pratique.model.ports import Unreadable


class Counting(Protocol):
    """Who wants to know how much was read."""

    bytes: int


FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NOATIME", 0)
    | getattr(os, "O_BINARY", 0)
)


FLAGS_TOUCHING = FLAGS & ~getattr(os, "O_NOATIME", 0)


CHUNK = 1 << 20


_PLACEHOLDER = 0x400000 | 0x40000  # Windows: recall on data access, recall on open


class File:
    """A file that is opened when its bytes are asked for."""

    __slots__ = ("_status", "limit", "path", "walk")

    def __init__(self, path: str, limit: int, walk: Counting) -> None:
        self.path = path
        self.limit = limit
        self.walk = walk
        self._status: os.stat_result | None = None

    def exists(self) -> bool:
        """Whether something is there, links not followed."""
        return os.path.lexists(self.path)

    def content(self) -> bytes:
        """All bytes. Raises Unreadable with the reason: missing, forbidden, no regular file, over the limit."""
        data, self._status = read_regular(self.path, self.limit)
        self.walk.bytes += len(data)
        return data

    def modified(self) -> int | None:
        """Modification time in nanoseconds since the epoch; None where it cannot be had."""
        if self._status is None:
            try:
                self._status = os.lstat(self.path)
            except OSError:
                return None
        return self._status.st_mtime_ns

    def stream(self) -> BinaryIO:
        """The file, to be read and sought in by who closes it. Raises Unreadable."""
        descriptor, self._status = open_regular(self.path)
        return os.fdopen(descriptor, "rb")

    def counted(self) -> BinaryIO:
        """The same, counted as read whole. Raises Unreadable."""
        file = self.stream()
        self.walk.bytes += self._status.st_size if self._status else 0
        return file

    def companion(self, suffix: str) -> bytes | None:
        """Bytes of the file beside this one whose name has the suffix too; None where there is none."""
        other = self.path + suffix
        return read_regular(other, self.limit)[0] if os.path.lexists(other) else None


def open_regular(path: str) -> tuple[int, os.stat_result]:
    """Descriptor and status of a regular file. Raises Unreadable; never blocks, never follows a link."""
    try:
        descriptor = open_file(path)
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Unreadable(f"is no regular file but {kind_of_file(status.st_mode)}")
        if getattr(status, "st_file_attributes", 0) & _PLACEHOLDER:
            raise Unreadable("is a placeholder of cloud storage; its bytes are not on this machine")
    except BaseException:  # the descriptor is not left open; it is passed on
        os.close(descriptor)
        raise
    return descriptor, status


def open_file(path: str) -> int:
    """Descriptor of whatever lies there, its access time kept where this user may. Raises OSError; never blocks."""
    try:
        return os.open(path, FLAGS)
    except PermissionError:
        return os.open(path, FLAGS_TOUCHING)


def read_regular(path: str, limit: int) -> tuple[bytes, os.stat_result]:
    """Bytes and status of a regular file. Raises Unreadable; never blocks on a pipe or device, never follows a link."""
    descriptor, status = open_regular(path)
    try:
        size = status.st_size
        if size > limit:
            raise Unreadable(f"holds {size} bytes, more than the limit of {limit}; --max-file raises it")
        data = os.read(descriptor, size + 1)
        if len(data) != size:
            data = _rest(descriptor, data, limit)
    except OSError as error:
        raise Unreadable(reason_of(error)) from None
    finally:
        os.close(descriptor)
    return data, status


def _rest(descriptor: int, data: bytes, limit: int) -> bytes:
    """Read on to the end of a file that is larger than it said, or was read in parts."""
    parts = [data]
    total = len(data)
    while total <= limit:
        part = os.read(descriptor, CHUNK)
        if not part:
            return b"".join(parts)
        parts.append(part)
        total += len(part)
    raise Unreadable(f"grew past the limit of {limit} bytes while it was read; --max-file raises it")


def kind_of_file(mode: int) -> str:
    """What a file mode says, for people."""
    for test, name in (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISFIFO, "a named pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a character device"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISLNK, "a link"),
    ):
        if test(mode):
            return name
    return "something else"


def reason_of(error: OSError) -> str:
    """An operating system's error as a reason."""
    reasons = {
        errno.EACCES: "permission denied",
        errno.EPERM: "permission denied",
        errno.ENOENT: "vanished while it was examined",
        errno.ELOOP: "is a link",
        errno.ENAMETOOLONG: "its path is longer than the system allows",
        errno.ENXIO: "is no regular file",
    }
    return reasons.get(error.errno or 0, (error.strerror or type(error).__name__).lower())


def supported() -> str:
    """What this system lets the walk keep: for the doctor."""
    return "access times are kept" if hasattr(os, "O_NOATIME") else f"access times may change on {sys.platform}"
