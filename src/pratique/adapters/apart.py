"""Work done in a process apart, one piece after the other, that is ended when a piece takes too long.

What a piece reads stays in that process: this one gets the bytes that the work returns. A read that hangs in the
kernel, as on a network file system that went away, ends with the process that hangs in it.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
import time
from collections.abc import Callable
from typing import Literal

from pratique.adapters import processes

_HEAD = struct.Struct("<IQ")
Failure = Literal["took too long", "ended"]


def apart(
    count: int,
    work: Callable[[int], bytes],
    done: Callable[[int, bytes | Failure], None],
    seconds: float,
    start: Callable[[], None] | None = None,
) -> None:
    """Run `work` for every number below `count` in order; `done` gets each result, or why there is none.

    `start` runs first in each process. Where the system cannot fork, the work is done here, and nothing ends it.
    """
    if not processes.can_fork():
        for number in range(count):
            done(number, work(number))
        return
    following, patience = 0, seconds
    while following < count:
        pid, descriptor = _child(following, count, work, start)
        try:
            while following < count:
                answer = _answer(descriptor, patience)
                if isinstance(answer, str):
                    done(following, answer)
                    following += 1
                    if answer == "took too long":
                        patience = min(patience, max(seconds / 10, 0.2))
                    break
                number, result = answer
                done(number, result)
                following = number + 1
        finally:
            os.close(descriptor)
            _end(pid)


def _child(first: int, count: int, work: Callable[[int], bytes], start: Callable[[], None] | None) -> tuple[int, int]:
    """A process that works from `first` on, and the pipe of its results."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid:
        os.close(write_end)
        return pid, read_end
    code = 1
    try:
        os.close(read_end)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        if start is not None:
            start()
        for number in range(first, count):
            result = work(number)
            view = memoryview(_HEAD.pack(number, len(result)) + result)
            while view:
                view = view[os.write(write_end, view[: 1 << 20]) :]
        code = 0
    finally:
        os._exit(code)


def _answer(descriptor: int, seconds: float) -> tuple[int, bytes] | Failure:
    """The next result, if it comes in time."""
    limit = time.monotonic() + seconds
    head = _exactly(descriptor, _HEAD.size, limit)
    if isinstance(head, str):
        return head
    number, size = _HEAD.unpack(head)
    body = _exactly(descriptor, size, limit + seconds)
    return body if isinstance(body, str) else (number, body)


def _exactly(descriptor: int, size: int, limit: float) -> bytes | Failure:
    parts: list[bytes] = []
    while size:
        ready, _, _ = select.select([descriptor], [], [], max(limit - time.monotonic(), 0))
        if not ready:
            return "took too long"
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            return "ended"
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _end(pid: int) -> None:
    """End a process; one that the kernel does not let go is left to it."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    for _ in range(50):
        with contextlib.suppress(ChildProcessError):
            if os.waitpid(pid, os.WNOHANG)[0] == 0:
                time.sleep(0.01)
                continue
        return
