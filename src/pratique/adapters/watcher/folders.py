"""Changes in folders, as the kernel tells them (inotify(7)), by ctypes: a sign that a look is worth while."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import struct
from collections.abc import Iterable

_LIBC = ctypes.CDLL(None, use_errno=True)
_MODIFIED, _ATTRIBUTES, _WRITTEN = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _MADE, _DELETED, _SELF = 0x40, 0x80, 0x100, 0x200, 0x400
_ONLY_FOLDERS = 0x01000000
_WANTED = _ATTRIBUTES | _WRITTEN | _MOVED_FROM | _MOVED_TO | _MADE | _DELETED | _SELF | _ONLY_FOLDERS
_RECORD = struct.Struct("=iIII")
MOST = 4096
"""So many folders are waited for."""


class Folders:
    """Folders that are waited for. `left` counts those that could not be: a look at intervals is all they get."""

    def __init__(self) -> None:
        """Begin with none. Raises OSError where the kernel has no such thing, or gives no more of it."""
        self._descriptor: int = _LIBC.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self._watched: dict[str, int] = {}
        self._named: dict[int, str] = {}
        self.left = 0

    def fileno(self) -> int:
        """The descriptor to wait for."""
        return self._descriptor

    def want(self, folders: Iterable[str]) -> None:
        """Wait for these, and for no others that were asked for before."""
        asked = set(list(folders)[:MOST])
        self.left = 0
        for folder in sorted(set(self._watched) - asked):
            _LIBC.inotify_rm_watch(self._descriptor, self._watched.pop(folder))
        for folder in sorted(asked):
            # Asking twice for one folder is one watch; a folder that was made anew gets a new one.
            number = _LIBC.inotify_add_watch(self._descriptor, os.fsencode(folder), _WANTED)
            if number < 0:
                self._watched.pop(folder, None)
                self.left += ctypes.get_errno() not in (errno.ENOENT, errno.ENOTDIR)
            else:
                self._watched[folder] = number
        self._named = {number: folder for folder, number in self._watched.items()}

    def take(self) -> list[tuple[str, str]]:
        """What changed since the last time: folders, and the names in them; an empty name is the folder itself."""
        found: dict[tuple[str, str], None] = {}
        with contextlib.suppress(BlockingIOError, InterruptedError):
            while read := os.read(self._descriptor, 65536):
                for number, name in parsed(read):
                    folder = self._named.get(number, "")
                    if folder or number < 0:  # below zero: the kernel gave up some
                        found[folder, name] = None
        return list(found)

    def close(self) -> None:
        """Wait for nothing any more."""
        os.close(self._descriptor)


def parsed(read: bytes) -> list[tuple[int, str]]:
    """The number of the watch and the name of each record (inotify(7))."""
    found: list[tuple[int, str]] = []
    at = 0
    while at + _RECORD.size <= len(read):
        number, _, _, length = _RECORD.unpack_from(read, at)
        at += _RECORD.size
        found.append((number, os.fsdecode(read[at : at + length].rstrip(b"\0"))))
        at += length
    return found
