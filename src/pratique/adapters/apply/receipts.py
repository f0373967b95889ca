"""The receipts beside a plan: whole lines of a private file, each durable before the next step."""

from __future__ import annotations

import os

from pratique.adapters import disk
from pratique.adapters.apply.answers import Failed, words
from pratique.adapters.apply.folders import known_folder
from pratique.model.ports import Unreadable


def lines(path: str) -> list[bytes]:
    """The whole lines of a file; one at its end that is cut is left out. Raises Failed."""
    try:
        if disk.status(path) is None:
            return []
        content, _ = disk.read(path, 1 << 30)
    except Unreadable as error:
        raise Failed(f"{path}: {error.reason}") from None
    return [line for line in content[: content.rfind(b"\n") + 1].splitlines() if line]


def add_line(path: str, line: bytes) -> None:
    """Add a line to a private file, flushed. A cut line of a killed run goes first. Raises Failed."""
    try:
        with disk.parent(path) as (folder, name):
            new = disk.look(folder, name) is None
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(name, flags, 0o600, dir_fd=folder)
            try:
                end = _end_of_lines(descriptor)
                os.ftruncate(descriptor, end)
                os.lseek(descriptor, end, os.SEEK_SET)
                view = memoryview(line + b"\n")
                while view:
                    view = view[os.write(descriptor, view) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if new:
                os.fsync(known_folder(folder))
    except Unreadable as error:
        raise Failed(f"{path}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{path}: {words(error)}") from None


def _end_of_lines(descriptor: int) -> int:
    """Where the last whole line of a file ends."""
    end = os.fstat(descriptor).st_size
    while end:
        start = max(0, end - 65536)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
