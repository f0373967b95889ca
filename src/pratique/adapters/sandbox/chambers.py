"""Run sandboxes side by side from outside: start them, take what they tell, end them at their bounds, refuse where
one of their layers cannot be had."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Sequence

import msgspec

from pratique.adapters.sandbox.frames import Happened, Reader
from pratique.adapters.supervisor.calls import machine
from pratique.adapters.supervisor.notify import unusable as supervisor_unusable
from pratique.model.detonation import Account, Asked, Chamber, Contained, Found, Limits, Sent
from pratique.model.event import Event, Process, Watch

LAYERS = (
    "namespaces of users, mounts, processes, network, messages, host name and control groups",
    "programs and libraries of this machine read-only, nothing else of it; home and temporary folders in memory",
    "a network in which every address is answered by a sink, or by nobody",
    "no capability, no_new_privs, a user that is nobody outside",
    "seccomp: mounts, namespaces, modules, keys, kernel programs, io_uring, foreign calls and rare sockets refused",
    "limits of processes, memory, files, processor time and of the clock",
)
_PROBE = "echo contained > /tmp/probe; echo $? > /run/steps/probe"
_STEP = 0.1
_GRACE = 15.0
"""Seconds beyond its bounds after which a sandbox is ended from outside."""
MOST_EVENTS = 50_000
MOST_SENT = 20_000
"""So many events, names and payloads of one sandbox are held; what is lost is counted."""


class _Parts(msgspec.Struct):
    before: dict[str, str]
    after: tuple[Found, ...]
    steps: dict[str, int]
    survivors: tuple[Process, ...]
    watch: Watch
    timed_out: bool
    gaps: tuple[str, ...]


class _Ended(msgspec.Struct, tag="ending"):
    failed: str = ""
    parts: msgspec.Raw = msgspec.Raw(b"")


_EVENTS = msgspec.msgpack.Decoder(_Ended | Happened)
_SENT = msgspec.msgpack.Decoder(Asked | Sent)


class _Running:
    """One sandbox while it runs."""

    def __init__(self, chamber: Chamber) -> None:
        self.chamber = chamber
        self.started = time.monotonic()
        self.events: list[Event] = []
        self.asked: list[Asked] = []
        self.sent: list[Sent] = []
        self.output = bytearray()
        self.lost = 0
        self.ended: _Ended | None = None
        self.broken = ""
        self.looked = 0.0
        self.readers = {"events": Reader(), "sent": Reader()}
        self.open: dict[int, str] = {}
        self.stage = tempfile.mkdtemp(prefix="pratique-")
        for folder in ("root", "own"):
            os.mkdir(os.path.join(self.stage, folder))
        if os.geteuid() == 0:
            os.chmod(self.stage, 0o711)  # noqa: S103  the sink, which is nobody there, passes through
        self.pid = self._start()

    def _start(self) -> int:
        # Here, since it needs what only Linux has.
        from pratique.adapters.sandbox import inside

        pipes = {name: os.pipe() for name in ("events", "sent", "output")}
        sys.stdout.flush()
        sys.stderr.flush()
        name = machine()
        assert name is not None
        pid = os.fork()
        if not pid:
            os.setsid()
            for reader, _ in pipes.values():
                os.close(reader)
            inside.live(self.chamber, name, self.stage, pipes["events"][1], pipes["sent"][1], pipes["output"][1])
        for kind, (reader, writer) in pipes.items():
            os.close(writer)
            self.open[reader] = kind
        return pid

    def take(self, descriptor: int) -> None:
        """Read what there is; forget the pipe at its end."""
        part = os.read(descriptor, 1 << 16)
        kind = self.open[descriptor]
        if not part:
            os.close(descriptor)
            del self.open[descriptor]
        elif kind == "output":
            self.output += part[: max(self.chamber.limits.output - len(self.output), 0)]
        else:
            for body in self.readers[kind](part):
                self._record(kind, body)

    def _record(self, kind: str, body: bytes) -> None:
        if kind == "sent":
            found = _SENT.decode(body)
            if len(self.asked) + len(self.sent) >= MOST_SENT:
                self.lost += 1
            elif isinstance(found, Asked):
                self.asked.append(found)
            else:
                self.sent.append(found)
            return
        record = _EVENTS.decode(body)
        if isinstance(record, _Ended):
            self.ended = self.ended or record
        elif len(self.events) < MOST_EVENTS:
            self.events.append(record.event)
        else:
            self.lost += 1

    def bound(self) -> None:
        """End it where it uses more memory, or more time, than it may."""
        now = time.monotonic()
        if now - self.looked < 0.25 or self.broken:
            return
        self.looked = now
        limits = self.chamber.limits
        if now - self.started > limits.seconds + limits.linger + _GRACE:
            self.end("it was ended from outside, far beyond its time")
        elif _memory_below(self.pid) > limits.memory:
            self.end(f"its processes used more than {limits.memory >> 20} MB of memory together")

    def end(self, why: str) -> None:
        """End everything in it: what the kernel started for it ends with it."""
        self.broken = self.broken or why
        if self.pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def forget(self) -> None:
        """End it, wait for that, and remove its folder, which is empty outside of its own mounts."""
        self.end("it was interrupted")
        if self.pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.pid, 0)
            self.pid = 0
        for folder in ("root", "own", ""):
            with contextlib.suppress(OSError):
                os.rmdir(os.path.join(self.stage, folder))

    def close(self) -> Contained:
        """What it gave, after its pipes have ended. Raises OSError where it could not be made."""
        for descriptor in self.open:
            os.close(descriptor)
        self.open.clear()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self.pid = 0
        if self.ended is not None and self.ended.failed and not self.broken:
            raise OSError(1, self.ended.failed)
        parts: _Parts | None = None
        if self.ended is not None and not self.ended.failed:
            parts = msgspec.msgpack.decode(self.ended.parts, type=_Parts)
        elif not self.broken:
            self.broken = "its supervisor ended before it"
        gaps = list(parts.gaps) if parts is not None else []
        if self.lost:
            gaps.append(f"{self.lost} events, names or payloads beyond those that are held were not kept")
        return Contained(
            events=tuple(self.events),
            asked=tuple(self.asked),
            sent=tuple(self.sent),
            before=parts.before if parts is not None else {},
            after=parts.after if parts is not None else (),
            steps=parts.steps if parts is not None else {},
            output=bytes(self.output),
            survivors=parts.survivors if parts is not None else (),
            watch=parts.watch if parts is not None else None,
            timed_out=parts.timed_out if parts is not None else False,
            broken=self.broken,
            gaps=tuple(gaps),
            seconds=time.monotonic() - self.started,
        )


def contain(chambers: Sequence[Chamber]) -> list[Contained]:
    """Run sandboxes at the same time and give what each gave. Raises OSError where one cannot be made."""
    running: list[_Running] = []
    try:
        running += (_Running(one) for one in chambers)
        while any(one.open for one in running):
            poll = select.poll()
            owners = {descriptor: one for one in running for descriptor in one.open}
            for descriptor in owners:
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll(_STEP * 1000):
                owners[descriptor].take(descriptor)
            for one in running:
                if one.open:
                    one.bound()
        return [one.close() for one in running]
    finally:
        for one in running:
            one.forget()


def unusable() -> str:
    """Why no suspect can be contained here; empty where one can. Found by making a sandbox and using it."""
    reason = supervisor_unusable()
    if reason:
        return reason
    chamber = Chamber(
        account=Account("probe", 1000, "/home/probe", "probe"),
        folder="/home/probe",
        script=_PROBE,
        environment={"PATH": "/usr/bin:/bin"},
        files={"/home/probe/.profile": b""},
        classify=lambda path: "other",
        attribute=lambda seen: None,
        limits=Limits(seconds=10, linger=0),
    )
    try:
        (found,) = contain([chamber])
    except OSError as error:
        return error.strerror or str(error)
    if found.broken:
        return found.broken
    if found.steps.get("probe") != 0 or not any(one.path == "/tmp/probe" for one in found.after):  # noqa: S108  there
        return f"a shell in the sandbox did not do what it was told: {found.output[:200].decode('utf-8', 'replace')}"
    return ""


def _memory_below(pid: int) -> int:
    """Bytes of memory that the processes below one hold, those that they have in common counted for each."""
    total, waiting, seen = 0, [pid], 0
    page = os.sysconf("SC_PAGE_SIZE")
    while waiting and seen < 5000:
        one = waiting.pop()
        seen += 1
        try:
            with open(f"/proc/{one}/statm", "rb") as file:
                fields = file.read().split()
            total += (int(fields[1]) - int(fields[2])) * page
            for thread in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{thread}/children", "rb") as file:
                    waiting += [int(word) for word in file.read().split()]
        except (OSError, IndexError, ValueError):
            continue
    return total
