"""The executor port: many units of work, done by processes of this machine, each result given exactly once.

A unit is done by whoever is free. A worker that dies loses nothing but its own unit, which is done again by another;
since a unit is known by the digest of its content, doing it twice is harmless. An engine that spreads work over many
machines plugs in here with the same signature.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import struct
from collections import deque
from collections.abc import Callable
from typing import Protocol

from pratique.adapters import processes

TRIES = 3
"""So often a unit is given out before it counts as lost: something in it ends every worker that takes it."""
_SIZE = struct.Struct("<Q")
_NUMBER = struct.Struct("<I")


class Executor(Protocol):
    """Runs `work` for every number below `count` and gives each result to `done`, in any order.

    Returns the numbers whose work could not be done because every process that took them died.
    """

    def __call__(
        self, count: int, work: Callable[[int], bytes], done: Callable[[int, bytes], None], jobs: int
    ) -> list[int]:
        """Run all of it. An interrupt ends the workers and is passed on; what was done until then was given."""
        ...


class _Worker:
    """One process: takes one number at a time, gives one result for each."""

    def __init__(self, work: Callable[[int], bytes], others: list[_Worker]) -> None:
        ask_read, self.ask = os.pipe()
        self.answer, answer_write = os.pipe()
        self.task: int | None = None
        self.pid = os.fork()
        if self.pid == 0:
            for other in others:
                os.close(other.ask)
                os.close(other.answer)
            os.close(self.ask)
            os.close(self.answer)
            _serve(ask_read, answer_write, work)
        os.close(ask_read)
        os.close(answer_write)

    def give(self, number: int) -> None:
        """Hand out a number."""
        self.task = number
        with contextlib.suppress(BrokenPipeError):
            os.write(self.ask, _NUMBER.pack(number))

    def take(self) -> bytes | None:
        """The result that waits; None where the process died instead."""
        head = _exactly(self.answer, _SIZE.size)
        return None if head is None else _exactly(self.answer, _SIZE.unpack(head)[0])

    def end(self, *, kill: bool = False) -> None:
        """Let the process go."""
        if kill:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        for descriptor in (self.ask, self.answer):
            with contextlib.suppress(OSError):
                os.close(descriptor)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _serve(ask: int, answer: int, work: Callable[[int], bytes]) -> None:
    """The whole life of a worker; never returns."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        while (number := _exactly(ask, _NUMBER.size)) is not None:
            result = work(_NUMBER.unpack(number)[0])
            view = memoryview(_SIZE.pack(len(result)) + result)
            while view:
                view = view[os.write(answer, view[: 1 << 20]) :]
        code = 0
    finally:
        os._exit(code)


def _exactly(descriptor: int, size: int) -> bytes | None:
    """So many bytes; None where the other side ended before."""
    parts = []
    while size:
        part = os.read(descriptor, min(size, 1 << 20))
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def on_this_machine(
    count: int, work: Callable[[int], bytes], done: Callable[[int, bytes], None], jobs: int
) -> list[int]:
    """The executor of this machine: `jobs` processes; with one, or where the system cannot fork, this one."""
    if jobs <= 1 or count <= 1 or not processes.can_fork():
        for number in range(count):
            done(number, work(number))
        return []
    waiting = deque(range(count))
    tries = [0] * count
    lost: list[int] = []
    workers: list[_Worker] = []
    try:
        while waiting or any(worker.task is not None for worker in workers):
            while waiting and (free := _free(workers, work, min(jobs, count))) is not None:
                number = waiting.popleft()
                tries[number] += 1
                free.give(number)
            ready, _, _ = select.select([worker.answer for worker in workers if worker.task is not None], [], [])
            for worker in [worker for worker in workers if worker.answer in ready]:
                number = worker.task if worker.task is not None else -1
                result = worker.take()
                worker.task = None
                if result is not None:
                    done(number, result)
                    continue
                workers.remove(worker)
                worker.end()
                if tries[number] < TRIES:
                    waiting.append(number)
                else:
                    lost.append(number)
        for worker in workers:
            worker.end()
    except BaseException:  # no worker outlives a failure or an interrupt; it is passed on
        for worker in workers:
            worker.end(kill=True)
        raise
    return sorted(lost)


def _free(workers: list[_Worker], work: Callable[[int], bytes], most: int) -> _Worker | None:
    """A worker without a task, a new one where there may be more, None where all are busy."""
    for worker in workers:
        if worker.task is None:
            return worker
    if len(workers) >= most:
        return None
    worker = _Worker(work, workers)
    workers.append(worker)
    return worker
