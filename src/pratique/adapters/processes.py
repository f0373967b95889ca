"""Work in several processes of this machine, without a lock and without losing a result.

On systems that can fork, the numbers of the items are written into one pipe before the workers start; every process,
this one included, takes one number at a time. A worker that dies is an error, never a shorter result.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
_TOKEN = struct.Struct("<H")
MAXIMUM_ITEMS = 2048
"""So many tokens of two bytes fit into a pipe of 4 KiB, the smallest that systems give."""


class WorkerLost(Exception):  # noqa: N818 (it names what happened)
    """A worker process ended without giving its result."""


def can_fork() -> bool:
    """Whether this system can split work by fork."""
    return hasattr(os, "fork") and os.name == "posix"


def blocks_read() -> int:
    """How many blocks the system read from a disk for this process so far; 0 where it does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_inblock


def spread(items: Sequence[Item], work: Callable[[Sequence[Item]], bytes], jobs: int) -> list[bytes]:
    """Give the items to `jobs` processes; each calls `work` once with an iterator-like sequence of its items.

    Returns one result for each process. With one job, or where the system cannot fork, all is done here. Where the
    work here ends before all items are taken, or an interrupt comes while the others are waited for, they are asked to
    stop: `stopping` then tells them so, and they give what they have.

    Raises WorkerLost when a process ends without a result.
    """
    if jobs <= 1 or not can_fork() or len(items) < 2:
        return [work(items)]
    if len(items) > MAXIMUM_ITEMS:
        raise ValueError(f"{len(items)} items are more than {MAXIMUM_ITEMS}")
    token_read, token_write = os.pipe()
    os.write(token_write, b"".join(_TOKEN.pack(index) for index in range(len(items))))
    os.close(token_write)
    children: list[tuple[int, int]] = []
    try:
        # Workers inherit how to stop, so that none can be asked before it knows.
        before = signal.signal(signal.SIGTERM, _ask_to_stop) if _in_main_thread() else None
        for _ in range(jobs - 1):
            result_read, result_write = os.pipe()
            pid = os.fork()
            if pid == 0:
                _child(token_read, result_read, result_write, items, work, [reader for _, reader in children])
            os.close(result_write)
            children.append((pid, result_read))
        if _in_main_thread():
            signal.signal(signal.SIGTERM, before)
        results = [work(_Taken(items, token_read))]
        if _drain(token_read):
            _stop(children)
        for pid, reader in children:
            results.append(_collect(pid, reader, children))
        return results
    except BaseException:  # no worker outlives a failure here; it is passed on
        for pid, _ in children:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except OSError:
                continue
        raise
    finally:
        os.close(token_read)
        for _, reader in children:
            try:
                os.close(reader)
            except OSError:
                continue


class _Taken(Sequence[Item]):
    """Items as this process takes them: iterate once."""

    def __init__(self, items: Sequence[Item], tokens: int) -> None:
        self.items = items
        self.tokens = tokens

    def __iter__(self):  # type: ignore[no-untyped-def]  # an iterator of Item
        while token := os.read(self.tokens, _TOKEN.size):
            yield self.items[_TOKEN.unpack(token)[0]]

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]  # as a sequence
        return self.items[index]


def _child(  # the whole life of a worker; never returns
    tokens: int,
    reader: int,
    writer: int,
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], bytes],
    others: list[int],
) -> None:
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.close(reader)
        for other in others:
            os.close(other)
        result = work(_Taken(items, tokens))
        view = memoryview(result)
        while view:
            view = view[os.write(writer, view[: 1 << 20]) :]
        code = 0
    finally:
        os._exit(code)


_stop_asked = [False]


def _ask_to_stop(number: int, frame: object) -> None:
    _stop_asked[0] = True


def _in_main_thread() -> bool:
    """Whether signals can be arranged here."""
    return threading.current_thread() is threading.main_thread()


def stopping() -> bool:
    """Whether this worker was asked to give what it has. Always false in the first process."""
    return _stop_asked[0]


def _drain(tokens: int) -> bool:
    """Take all numbers that nobody has taken; whether there were any."""
    left = False
    while os.read(tokens, _TOKEN.size * MAXIMUM_ITEMS):
        left = True
    return left


def _stop(children: list[tuple[int, int]]) -> None:
    """Ask the workers to give what they have; where they were not told how, they go on to their end."""
    if not _in_main_thread():
        return
    for pid, _ in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)


def _collect(pid: int, reader: int, children: list[tuple[int, int]]) -> bytes:
    """The result of a worker. A first interrupt asks all to stop; a second one is passed on."""
    parts = []
    interrupted = False
    while True:
        try:
            part = os.read(reader, 1 << 20)
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            _stop(children)
            continue
        if not part:
            break
        parts.append(part)
    _, status = os.waitpid(pid, 0)
    if status != 0:
        raise WorkerLost(f"a worker process ended with status {status} before it gave its result")
    return b"".join(parts)
