"""What is read of another process while one of its calls waits: texts in its memory, its arguments, its place.

What cannot be read is empty; a process that is not ours to read is a gap that the caller tells.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
from collections.abc import Iterable

LONGEST_PATH = 4096
LONGEST_ARGUMENT = 4096
MOST_ARGUMENTS = 256
MOST_VARIABLES = 4096
_PAGE = 4096
_MOST_LINKS = 8


class Memory:
    """The memory of one process, opened once."""

    def __init__(self, process: int) -> None:
        self.process = process
        try:
            self._descriptor = os.open(f"/proc/{process}/mem", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._descriptor = -1

    @property
    def readable(self) -> bool:
        """Whether it could be opened."""
        return self._descriptor >= 0

    def close(self) -> None:
        """Close it."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def bytes(self, address: int, length: int) -> bytes:
        """So many bytes at an address, or as many as there are."""
        if self._descriptor < 0 or not address:
            return b""
        try:
            return os.pread(self._descriptor, length, address)
        except (OSError, OverflowError):
            # The end of a mapping: up to the end of the page.
            within = _PAGE - address % _PAGE
            if within >= length:
                return b""
            try:
                return os.pread(self._descriptor, within, address)
            except (OSError, OverflowError):
                return b""

    def text(self, address: int, most: int = LONGEST_PATH) -> str:
        """The text that ends with a zero at an address, cut at `most` bytes."""
        read = self.bytes(address, min(256, most))
        end = read.find(b"\0")
        if end < 0 and len(read) == min(256, most) and most > 256:
            read += self.bytes(address + 256, most - 256)
            end = read.find(b"\0")
        return os.fsdecode(read[:end] if end >= 0 else read)

    def pointers(self, address: int, most: int) -> list[int]:
        """The addresses in a list that ends with a zero."""
        read = self.bytes(address, 8 * (most + 1))
        found = list(struct.unpack(f"={len(read) // 8}Q", read[: len(read) // 8 * 8]))
        return found[: found.index(0)] if 0 in found else found

    def arguments(self, address: int) -> tuple[tuple[str, ...], bool]:
        """The arguments of an execution, and whether something was cut."""
        places = self.pointers(address, MOST_ARGUMENTS)
        texts = tuple(self.text(place, LONGEST_ARGUMENT) for place in places[:MOST_ARGUMENTS])
        cut = len(places) > MOST_ARGUMENTS or any(len(text) >= LONGEST_ARGUMENT for text in texts)
        return texts, cut

    def variables(self, address: int, wanted: Iterable[str]) -> dict[str, str]:
        """Those variables of an execution's environment whose names begin with one of some prefixes."""
        prefixes = tuple(os.fsencode(name) for name in wanted)
        places = self.pointers(address, MOST_VARIABLES)
        found: dict[str, str] = {}
        if not places:
            return found
        low, high = min(places), max(places)
        whole = self.bytes(low, min(high - low + LONGEST_ARGUMENT, 1 << 20)) if high - low < 1 << 20 else b""
        for place in places:
            begin = place - low
            if begin < len(whole):
                if not whole.startswith(prefixes, begin):
                    continue
                end = whole.find(b"\0", begin)
                text = os.fsdecode(whole[begin : end if end >= 0 else len(whole)])
            else:
                text = self.text(place)
                if not os.fsencode(text).startswith(prefixes):
                    continue
            name, _, value = text.partition("=")
            found[name] = value[:LONGEST_ARGUMENT]
        return found


def plain_file(path: str, most: int, begin: int = 0) -> bytes:
    """At most so many bytes of a file, from a place on. Raises OSError for what is no plain file: a pipe would wait."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "is no plain file")
        file.seek(begin)
        return file.read(most)


def link(path: str) -> str:
    """Where a link of /proc leads; empty where it cannot be read."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def status(thread: int) -> dict[str, str]:
    """The fields of /proc/THREAD/status; empty where it is gone."""
    try:
        with open(f"/proc/{thread}/status", "rb") as file:
            text = file.read(4096).decode("utf-8", "replace")
    except OSError:
        return {}
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def children(pid: int) -> list[int]:
    """The children of a process, of all its threads."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        try:
            with open(f"/proc/{pid}/task/{thread}/children", "rb") as file:
                found += [int(word) for word in file.read().split()]
        except OSError:
            continue
    return found


def placed(process: int, folder: int, path: str) -> str:
    """A path that a process names, absolute: against its current folder, or the folder behind a descriptor.

    `folder` is the argument as the kernel has it, AT_FDCWD for the current one.
    """
    if path.startswith("/"):
        return os.path.normpath(path) if "/." in path or "//" in path else path
    number = folder & 0xFFFFFFFF
    where = "cwd" if number in (0xFFFFFF9C, 0xFFFFFFFF) or folder == -1 else f"fd/{number}"
    begin = link(f"/proc/{process}/{where}")
    if not path:
        return begin
    return os.path.normpath(f"{begin}/{path}") if begin else path


def same_file(process: int, path: str, apart: bool = False) -> str:
    """A path as this process can open it: under the root of that process, where that is another one.

    `apart`: it is another one for sure, also where both are called `/`. Links at the end of a path are followed there.
    """
    if apart:
        for _ in range(_MOST_LINKS):
            target = link(f"/proc/{process}/root{path}")
            if not target:
                break
            path = os.path.normpath(os.path.join(os.path.dirname(path), target))
        return f"/proc/{process}/root{path}"
    root = link(f"/proc/{process}/root")
    return path if root in ("/", "") else f"/proc/{process}/root{path}"


def socket_address(raw: bytes) -> tuple[str, str, int | None]:
    """Protocol family, address and port of a `struct sockaddr`: `inet`, `inet6`, `unix` or empty."""
    import socket

    if len(raw) < 2:
        return "", "", None
    (family,) = struct.unpack_from("=H", raw)
    if family == socket.AF_INET and len(raw) >= 8:
        return "inet", socket.inet_ntop(socket.AF_INET, raw[4:8]), struct.unpack_from("!H", raw, 2)[0]
    if family == socket.AF_INET6 and len(raw) >= 24:
        return "inet6", socket.inet_ntop(socket.AF_INET6, raw[8:24]), struct.unpack_from("!H", raw, 2)[0]
    if family == socket.AF_UNIX:
        path = raw[2:]
        name = path[1:] if path[:1] == b"\0" else path.partition(b"\0")[0]
        return "unix", ("@" if path[:1] == b"\0" else "") + os.fsdecode(name.rstrip(b"\0")), None
    return "", "", None
