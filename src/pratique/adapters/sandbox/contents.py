"""What lies in a sandbox before and after: files with size and digest, no link followed, bounded."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

from pratique.model.detonation import Found

MOST_FILES = 40_000
LARGEST = 64 << 20
MOST_BYTES = 1 << 30
_DEVICES = ("null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr")
_PASSED_OVER = ("/usr", "/proc", "/sys", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt")


def contents(root: str, programs: tuple[str, ...] = ()) -> Iterator[Found]:
    """The files below a root but those of programs, in order of their paths. Nothing may change meanwhile."""
    passed = {root + one for one in (*_PASSED_OVER, *programs)} | {f"{root}/dev/{name}" for name in _DEVICES}
    count, left = 0, MOST_BYTES
    waiting = [root]
    while waiting and count < MOST_FILES:
        try:
            with os.scandir(waiting.pop()) as found:
                entries = sorted(found, key=lambda one: one.name)
        except OSError:
            continue
        for entry in entries:
            if entry.path in passed:
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            count += 1
            path = os.fsdecode(os.fsencode(entry.path)[len(os.fsencode(root)) :])
            if entry.is_symlink():
                yield Found(path, 0, target=os.readlink(entry.path))
                continue
            about = entry.stat(follow_symlinks=False)
            if not stat.S_ISREG(about.st_mode):
                yield Found(path, 0)
                continue
            digest = ""
            if about.st_size <= min(LARGEST, left):
                digest = _digest(entry.path)
                left -= about.st_size
            yield Found(path, about.st_size, digest, bool(about.st_mode & 0o111))


def _digest(path: str) -> str:
    """The digest of a regular file; empty where it cannot be read."""
    state = hashlib.sha256()
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return ""
    with os.fdopen(descriptor, "rb") as file:
        while part := file.read(1 << 20):
            state.update(part)
    return state.hexdigest()
