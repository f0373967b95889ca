"""Folders of the quarantine: made private, held by one process, and entered without following a link."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Iterator

from pratique.adapters import disk
from pratique.adapters.apply.answers import Failed, Refused, words
from pratique.model.ports import Unreadable


@contextlib.contextmanager
def alone(folder: str) -> Iterator[None]:
    """Hold the quarantine for this process alone. Raises Refused where another one holds it, Failed for a full disk."""
    import fcntl

    make(folder)
    with entered(folder) as inner:
        try:
            descriptor = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=inner)
        except OSError as error:
            raise Failed(words(error)) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise Refused("another apply or undo is at work on the same plan or case") from None
            yield
        finally:
            os.close(descriptor)


def make(folder: str) -> None:
    """Make a private folder, where it is not there. Raises Failed."""
    if sys.platform == "win32":
        raise Refused("is carried out on Linux and macOS alone; do the steps by hand")
    try:
        with disk.parent(folder) as (above, name):
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=above)
                os.fsync(known_folder(above))
            found = disk.look(above, name)
            if found is None or not stat.S_ISDIR(found.st_mode):
                raise Failed(f"{folder}: is no folder")
    except Unreadable as error:
        raise Failed(f"{folder}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{folder}: {words(error)}") from None


def known_folder(folder: int | None) -> int:
    """An open folder. Raises Refused on a system without them."""
    if folder is None:
        raise Refused("is carried out on Linux and macOS alone; do the step by hand")
    return folder


@contextlib.contextmanager
def entered(path: str) -> Iterator[int]:
    """An open folder by its path."""
    try:
        with disk.parent(path) as (above, name):
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
    except Unreadable as error:
        raise Failed(f"{path}: {error.reason}") from None
    except OSError as error:
        raise Failed(f"{path}: {words(error)}") from None
    try:
        yield inner
    finally:
        os.close(inner)
