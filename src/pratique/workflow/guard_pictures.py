"""How packages' files were before their scripts: a picture of each one's folder, taken while its first script waits.

It holds for every package manager, since what lies in `node_modules` then is what was unpacked. Where a command is
watched by other means than seccomp notification, the script has begun when the picture is taken.
"""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator
from typing import NamedTuple

from pratique.adapters.supervisor.reading import plain_file
from pratique.model.event import EventKind

MOST_FILES = 5000
"""Files of one package."""
MOST_HASHED = 32 << 20
"""Bytes of a file that is hashed; of a larger one size and times are kept."""
MOST_BYTES = 128 << 20
"""Bytes of one package that are hashed."""
SECONDS = 5.0
"""For all pictures of a run together: a script waits meanwhile."""
Difference = tuple[EventKind | None, str, str, str, str]
"""Kind, path below the folder, digests before and after, and what else is to be told."""


class _File(NamedTuple):
    """A file as it was: size in bytes, times in nanoseconds, how many names it has, SHA-256 (or empty), its link."""

    size: int
    changed: int
    number: int
    names: int
    sha256: str
    link: str


class Picture:
    """One package's folder as it was. `left_out` says why it is not whole; empty where it is."""

    def __init__(self, folder: str, seconds: float) -> None:
        self.folder = folder
        self.files: dict[str, _File] = {}
        self.left_out = ""
        end = time.monotonic() + seconds
        room = MOST_BYTES
        for path in _paths(folder):
            if len(self.files) >= MOST_FILES:
                self.left_out = f"more than {MOST_FILES} files"
                return
            if time.monotonic() > end:
                self.left_out = "it took too long"
                return
            taken = _taken(os.path.join(folder, path), min(room, MOST_HASHED))
            if taken is not None:
                self.files[path] = taken
                room -= taken.size if taken.sha256 else 0

    def differences(self) -> Iterator[Difference]:
        """Each file that is missing or other. Kind None: why that cannot be told."""
        if self.left_out:
            yield None, f"the picture of it is not whole ({self.left_out})", "", "", ""
            return
        large = ""
        for path, before in self.files.items():
            now = _taken(os.path.join(self.folder, path), 0)
            if now is None:
                yield "integrity.missing", path, before.sha256, "", ""
                continue
            if now.changed == before.changed and now.number == before.number:
                continue
            after = _taken(os.path.join(self.folder, path), MOST_HASHED) or now
            if before.sha256 and after.sha256 == before.sha256 and after.link == before.link:
                continue  # written anew with the same content
            if not before.sha256 and not before.link and now.size == before.size and now.number == before.number:
                large = path
                continue
            shared = before.names > 1 and now.number == before.number
            why = f"under {before.names} names: a store or another project has it too" if shared else ""
            yield "integrity.changed", path, before.sha256, after.sha256, why
        if large:
            yield None, f"{large} is too large to be compared", "", "", ""


class Pictures:
    """The pictures of one run."""

    def __init__(self) -> None:
        self._left = SECONDS
        self.taken: dict[str, Picture] = {}

    def take(self, folder: str) -> None:
        """Take a picture of a package's folder, once."""
        if folder not in self.taken:
            begun = time.monotonic()
            self.taken[folder] = Picture(folder, self._left)
            self._left = max(0.0, self._left - (time.monotonic() - begun))


def _paths(folder: str) -> Iterator[str]:
    """The files of a package, without the packages below it."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(one for one in folders if one != "node_modules")
        for name in sorted(files):
            yield os.path.relpath(os.path.join(root, name), folder)


def _taken(path: str, room: int) -> _File | None:
    """A file as it is now; None where it is not there. `room`: so many bytes are hashed at most."""
    try:
        found = os.lstat(path)
        link = os.readlink(path) if os.path.islink(path) else ""
        digest = ""
        if stat.S_ISREG(found.st_mode) and 0 < room >= found.st_size:
            digest = hashlib.sha256(plain_file(path, room + 1)).hexdigest()
    except OSError:
        return None
    return _File(found.st_size, found.st_ctime_ns, found.st_ino, found.st_nlink, digest, link)
