"""Changes in folders, as the kernel tells them (inotify(7)), by ctypes: a sign that a look is worth while."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from collections.abc import Iterable

_LIBC = ctypes.CDLL(None, use_errno=True)
_MODIFIED, _ATTRIBUTES, _WRITTEN = 0x2, 0x4, 0x8
_MOVED_FROM, _MOVED_TO, _MADE, _DELETED, _SELF = 0x40, 0x80, 0x100, 0x200, 0x400
_ONLY_FOLDERS = 0x01000000
_WANTED = _ATTRIBUTES | _WRITTEN | _MOVED_FROM | _MOVED_TO | _MADE | _DELETED | _SELF | _ONLY_FOLDERS
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

    def take(self) -> bool:
        """Whether anything changed since the last time."""
        changed = False
        with contextlib.suppress(BlockingIOError, InterruptedError):
            while os.read(self._descriptor, 65536):
                changed = True
        return changed

    def close(self) -> None:
        """Wait for nothing any more."""
        os.close(self._descriptor)
