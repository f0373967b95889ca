"""The life of a command and of what it leaves behind: where its program lies, what still lives below, its signals."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Collection, Iterator
from types import FrameType
from typing import NamedTuple

from pratique.adapters.supervisor.reading import children, status
from pratique.adapters.supervisor.tree import Known
from pratique.model.supervision import Supervision

NOT_FOUND, NOT_EXECUTABLE = 127, 126
STEP = 0.2
"""Seconds between looks at the clock and at children, where nothing happens."""
FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def located(request: Supervision) -> tuple[str, int]:
    """The program that the command names, as a shell finds it, and 0; else what a shell ends with (127, 126)."""
    word = request.command[0]
    if "/" in word:
        path = os.path.join(request.folder, word)
        path = path if os.path.exists(path) else ""
    else:
        path = shutil.which(word, mode=os.F_OK, path=request.environment.get("PATH", os.defpath)) or ""
    if not path:
        return "", NOT_FOUND
    return (path, 0) if os.access(path, os.X_OK) and not os.path.isdir(path) else ("", NOT_EXECUTABLE)


def code_of(result: int) -> int:
    """The code as a shell tells it of what `os.waitstatus_to_exitcode` or `Popen.returncode` say."""
    return result if result >= 0 else 128 - result


def left(spared: Collection[int] = ()) -> list[int]:
    """The processes that live below this one, without those `spared`; what is below those is given."""
    found: list[int] = []
    waiting = [os.getpid()]
    while waiting and len(found) < 100_000:
        for pid in children(waiting.pop()):
            if pid not in spared and status(pid).get("State", "Z")[:1] not in ("Z", "X"):
                found.append(pid)
            waiting.append(pid)
    return found


def end_all(living: Callable[[], list[int]]) -> None:
    """End all that `living` gives; what begins meanwhile too."""
    for _ in range(100):
        found = living()
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def how_left(known: Known) -> str:
    """How a process came to live longer than the command: `session`, `nohup` or `left behind`."""
    if known.session == known.pid:
        return "session"
    return "nohup" if any("nohup" in word for word in known.arguments[:1]) else "left behind"


def leave_behind(serve: Callable[[], None]) -> None:
    """Leave a process behind that does this for what survives, in a session of its own, and ends after it."""
    if os.fork():
        return
    try:
        os.setsid()
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        serve()
    finally:
        os._exit(0)


class Waking(NamedTuple):
    """`descriptor` can be read when a signal came; `deliver` hands on those that came when there was no process yet."""

    descriptor: int
    deliver: Callable[[], None]


@contextlib.contextmanager
def forwarded(target: Callable[[], int]) -> Iterator[Waking]:
    """Hand signals on to a process; SIGINT of a terminal reaches it by itself.

    `target` raises ProcessLookupError where there is no process yet: call `deliver` when there is.
    """
    reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    waiting: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        try:
            pid = target()
        except ProcessLookupError:
            waiting.append(number)
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def interrupted(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            if os.isatty(0) and os.getpgid(0) == os.getpgid(target()):
                return
        forward(number, frame)

    def deliver() -> None:
        came, waiting[:] = waiting[:], []
        for number in came:
            forward(number, None)

    former = {number: signal.signal(number, forward) for number in FORWARDED}
    former[signal.SIGINT] = signal.signal(signal.SIGINT, interrupted)
    former[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
    woken = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield Waking(reader, deliver)
    finally:
        signal.set_wakeup_fd(woken)
        for one, handler in former.items():
            signal.signal(one, handler)
        os.close(reader)
        os.close(writer)
