"""Lines of a file that another program writes, as they come; of a pipe until it ends.

A file that was replaced or cut (rotation of logs) is begun anew. A line that is not ended yet waits for its end.
"""

from __future__ import annotations

import contextlib
import os
import select
import stat
from collections.abc import Callable, Iterator

PAUSE = 0.5
"""Seconds between two looks at a file that has nothing new."""
MOST_LINE = 4 << 20
"""A longer line is given in parts, none of which is a whole record: it is refused by who reads it."""


class Lines:
    """Lines of a file, or of standard input (`-`). Raises OSError where it cannot be opened."""

    def __init__(self, path: str, *, follow: bool, wake: int | None = None) -> None:
        """`follow`: go on at the end of a file until it is asked to stop. `wake` becomes readable at a signal."""
        self.path, self.follow, self.wake = path, follow, wake
        self.descriptor = os.dup(0) if path == "-" else _opened(path)
        self.begun_anew = 0
        """How often the file was replaced or cut."""
        self._regular = stat.S_ISREG(os.fstat(self.descriptor).st_mode)

    def each(self, stopped: Callable[[], bool]) -> Iterator[bytes]:
        """Every line without its end, until the input ends or `stopped()` says so."""
        held = b""
        while not stopped():
            if not self._ready():
                continue
            read = os.read(self.descriptor, 1 << 16)
            if read:
                *lines, held = (held + read).split(b"\n")
                yield from lines
                if len(held) > MOST_LINE:
                    yield held
                    held = b""
                continue
            if not (self._regular and self.follow):
                break
            if not self._again():
                self._wait()
            else:
                if held:
                    yield held
                held = b""
        if held and not (self.follow and self._regular):
            yield held

    def close(self) -> None:
        """Close it."""
        os.close(self.descriptor)

    def _ready(self) -> bool:
        """Wait until there is something; at a signal there need not be."""
        if self._regular:
            return True
        waiting = [self.descriptor] if self.wake is None else [self.descriptor, self.wake]
        return self.descriptor in select.select(waiting, [], [], 60.0)[0]

    def _wait(self) -> None:
        select.select([] if self.wake is None else [self.wake], [], [], PAUSE)

    def _again(self) -> bool:
        """Whether another file lies there by now, or this one was cut; it is then read from its begin."""
        here = os.fstat(self.descriptor)
        try:
            there = os.stat(self.path)
        except OSError:
            return False
        if (there.st_dev, there.st_ino) != (here.st_dev, here.st_ino):
            try:
                descriptor = _opened(self.path)
            except OSError:
                return False
            os.close(self.descriptor)
            self.descriptor = descriptor
            self._regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        elif os.lseek(self.descriptor, 0, os.SEEK_CUR) > here.st_size:
            os.lseek(self.descriptor, 0, os.SEEK_SET)
        else:
            return False
        self.begun_anew += 1
        return True


def _opened(path: str) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IsADirectoryError(21, "is a folder")
    with contextlib.suppress(OSError):
        os.set_blocking(descriptor, True)
    return descriptor
