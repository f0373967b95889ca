"""What lies in a sandbox before and after: files with size and digest, no link followed, bounded."""

from __future__ import annotations

import hashlib
import os
import stat
from typing import NamedTuple

from pratique.model.detonation import Found

MOST_FILES = 150_000
LARGEST = 64 << 20
MOST_BYTES = 1 << 30
_DEVICES = ("null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr")
_PASSED_OVER = ("/usr", "/proc", "/sys", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt")


class Contents(NamedTuple):
    """The files that were found, in order of their paths, and what was not looked at."""

    found: tuple[Found, ...]
    gaps: tuple[str, ...]


def contents(root: str, programs: tuple[str, ...] = ()) -> Contents:
    """The files below a root but those of programs. Nothing may change meanwhile."""
    passed = {root + one for one in (*_PASSED_OVER, *programs)} | {f"{root}/dev/{name}" for name in _DEVICES}
    found: list[Found] = []
    left, unread = MOST_BYTES, 0
    waiting = [root]
    while waiting and len(found) < MOST_FILES:
        try:
            with os.scandir(waiting.pop()) as entries:
                rows = sorted(entries, key=lambda one: one.name)
        except OSError:
            unread += 1
            continue
        for entry in rows:
            if entry.path in passed:
                continue
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
                continue
            one = _found(root, entry, left)
            left -= one.size if one.sha256 else 0
            found.append(one)
    gaps = []
    if unread:
        gaps.append(f"{unread} folders that were left could not be read")
    if waiting:
        gaps.append(f"files beyond {len(found)} that were left were not looked at")
    return Contents(tuple(sorted(found, key=lambda one: one.path)), tuple(gaps))


def _found(root: str, entry: os.DirEntry[str], left: int) -> Found:
    path = entry.path[len(root) :]
    if entry.is_symlink():
        return Found(_plain(path), 0, target=_plain(os.readlink(entry.path)))
    about = entry.stat(follow_symlinks=False)
    if not stat.S_ISREG(about.st_mode):
        return Found(_plain(path), 0)
    digest = _digest(entry.path) if about.st_size <= min(LARGEST, left) else ""
    return Found(_plain(path), about.st_size, digest, bool(about.st_mode & 0o111))


def _plain(text: str) -> str:
    """A name as valid Unicode: an undecodable byte becomes an escape."""
    return text if text.isascii() else os.fsencode(text).decode("utf-8", "backslashreplace")


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
