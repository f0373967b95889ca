"""Run a command and look at the kernel's tables again and again, where nothing better can be had: much is missed.

What is told lived long enough to be looked at (proc(5)): programs, files and TCP connections that are open at that
moment, what survives. Where the kernel tells process events (proc connector), it is looked when a program begins, so
that few are missed. Scripts that npm and pnpm start are told by their shell, however short they are, and what they ask
of Node's own modules by a hook (`recording`).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time

from pratique.adapters.supervisor import kernel, lifetime
from pratique.adapters.supervisor.looks import Polled
from pratique.adapters.supervisor.recording import Recording
from pratique.adapters.watcher.connector import Connector
from pratique.model.event import Category, Process, Watch, Watched
from pratique.model.supervision import Ended, Supervision, Told

EVERY = 0.02
"""Seconds between looks."""


def unpollable() -> str:
    """Why looks tell nothing here; empty where they do. Found by looking at this process."""
    try:
        with open("/proc/self/stat", "rb") as file:
            found = file.read(64).split(b" ")[0] == str(os.getpid()).encode()
    except OSError as error:
        return f"/proc cannot be read: {error.strerror}"
    if not found:
        return "/proc is that of other processes"
    return "" if os.path.exists(f"/proc/self/task/{os.getpid()}/children") else "/proc tells no children"


def supervise(request: Supervision, told: Told) -> Ended:
    """Run the command to its end and tell what looks see. Its standard streams are those of this process.

    While it runs, this process adopts what the command leaves behind, and hands signals that it gets on to the command.
    """
    path, code = lifetime.located(request)
    if code:
        return Ended(code, coverage(request, ()))
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    try:
        with contextlib.ExitStack() as stack:
            recording = stack.enter_context(Recording(request.environment))
            return _Run(request, path, told, recording).run()
    finally:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 0)


class _Run:
    """One command from its start to its end."""

    def __init__(self, request: Supervision, path: str, told: Told, recording: Recording) -> None:
        self.request = request
        self.path = path
        self.recording = recording
        self.polled = Polled(request, told, recording.path)
        self.child: subprocess.Popen[bytes] | None = None
        self.code: int | None = None
        self.timed_out = False

    def run(self) -> Ended:
        connector = _connector()
        survivors: tuple[Process, ...] = ()
        try:
            with lifetime.forwarded(self._root) as waking:
                woken = waking.descriptor
                self.child = subprocess.Popen(  # noqa: S603  the command that the user gave
                    self.request.command, executable=self.path, cwd=self.request.folder,
                    env={**self.request.environment, **self.recording.variables},
                )  # fmt: skip
                waking.deliver()
                self.polled.command(self.child.pid, self.path)
                self._until(connector, woken, time.monotonic(), ended=False)
                survivors = self._survivors()
                if survivors:
                    self._until(connector, woken, time.monotonic(), ended=True)
                if self.request.ends_survivors or self.timed_out:
                    lifetime.end_all(self._left)
                self.recording.keep = bool(self._look(()))
        finally:
            lost = connector.lost if connector is not None else 0
            if connector is not None:
                connector.close()
        if self.recording.strange:
            self.polled.gaps["notes of the hook in Node of no known form"] = self.recording.strange
        usage = os.times()
        return Ended(
            code=128 + signal.SIGKILL if self.code is None else self.code,
            watch=coverage(
                self.request, self.polled.gaps_in_words(), lost, told=connector is not None, shell=self.recording.works
            ),
            survivors=survivors,
            timed_out=self.timed_out,
            events=self.polled.sequence,
            cpu=usage.children_user + usage.children_system,
        )

    def _root(self) -> int:
        if self.child is None:
            raise ProcessLookupError
        return self.child.pid

    def _left(self) -> list[int]:
        """The processes that live below this one."""
        while True:
            try:
                pid, result = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if not pid:
                break
            if self.child is not None and pid == self.child.pid:
                self.code = self.child.returncode = lifetime.code_of(os.waitstatus_to_exitcode(result))
        return lifetime.left()

    def _look(self, begun: tuple[int, ...]) -> list[int]:
        """Look at everything, first at processes that have begun a program just now. Gives what lives."""
        self.polled.of_shell(self.recording.taken())
        self.polled.of_node(self.recording.noted())
        for pid in begun:
            self.polled.process(pid, told=True)
        left = self._left()
        self.polled.look(left)
        return left

    def _until(self, connector: Connector | None, woken: int, started: float, *, ended: bool) -> None:
        """Look until the command has ended; after that (`ended`) until nothing lives, or lingering is over."""
        poll = select.poll()
        poll.register(woken, select.POLLIN)
        if connector is not None:
            poll.register(connector.fileno(), select.POLLIN)
        while True:
            begun: list[int] = []
            for descriptor, _ in poll.poll(EVERY * 1000):
                if descriptor == woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(woken, 512)
                elif connector is not None:
                    begun += self._told(connector)
            left = self._look(tuple(begun))
            now = time.monotonic()
            if not ended and self.code is not None:
                return
            if ended and (not left or now - started >= self.request.linger):
                return
            if not ended and self.request.seconds is not None and now - started >= self.request.seconds:
                self.timed_out = True
                return

    def _told(self, connector: Connector) -> list[int]:
        """The processes of this run that have begun a program, by what the kernel tells."""
        begun: list[int] = []
        try:
            events = connector.take()
        except OSError:
            self.polled.gaps["the kernel's channel of process events broke"] = 1
            return begun
        ours = self.polled.ours
        for one in events:
            if one.what == "fork" and (one.parent in ours or one.parent == os.getpid()):
                ours[one.process] = one.parent
            elif one.what == "exec" and one.process in ours:
                begun.append(one.process)
        return begun

    def _survivors(self) -> tuple[Process, ...]:
        """Tell what lives after the command has ended."""
        found: list[Process] = []
        for pid in self._left():
            known = self.polled.process(pid)
            if known is not None:
                self.polled.emit(
                    "process.survived", known, path=known.executable, detail={"how": lifetime.how_left(known)}
                )
                found.append(known.process())
        return tuple(found)


def _connector() -> Connector | None:
    """The kernel's process events, where it tells them to this account."""
    try:
        return Connector()
    except OSError:
        return None


def coverage(
    request: Supervision, gaps: tuple[str, ...], lost: int = 0, *, told: bool = False, shell: bool = False
) -> Watch:
    """What is seen of each category by looking. `told`: the kernel tells process events; `shell`: scripts are told."""
    means = "polling"
    asked = request.denials

    def row(category: Category, reason: str, refused: bool = False) -> Watched:
        if refused:
            reason += "; polling refuses nothing"
        return Watched(category, "part", means, "seen, not blockable" if refused else "not asked", reason)

    short = f"what lives shorter than {EVERY} s may be missed"
    by_shell = "; scripts that npm and pnpm start are told by their shell" if shell else ""
    programs = (
        f"the kernel told when a program began, its arguments may be gone{by_shell}" if told else short + by_shell
    )
    hook = "what scripts ask of Node's own modules, by a hook that they can take off"
    hooked = f"; {hook}" if shell else ""
    names = Watched("network.name", "none", reason="datagrams leave no trace in the kernel's tables")
    variables = Watched("environment.read", "none", reason="a process has its variables without a call")
    if shell:
        names, variables = row("network.name", hook), row("environment.read", hook)
    rows = (
        row("process.start", programs, asked.dropped),
        row("process.arguments", "as they stand in /proc when it is looked, where a process can change them"),
        Watched("process.survived", "all", "subreaper"),
        row("network.connect", "TCP alone; " + short + hooked, asked.network),
        names,
        Watched("network.payload", "none", reason="only a sandbox answers and keeps what is sent"),
        row("file.read", "files that are open when it is looked" + hooked, asked.reads is not None)
        if request.reads
        else Watched("file.read", "none", reason="was not asked for"),
        row("file.write", "files that are open when it is looked" + hooked, asked.changes),
        row("file.delete", "a script that deletes itself" + hooked, asked.evidence),
        row("file.rename", hook, asked.changes)
        if shell
        else Watched("file.rename", "none", "", "seen, not blockable" if asked.changes else "not asked", "no trace"),
        variables,
        Watched("integrity", "none", reason="is compared by the command, not here"),
        Watched("io_uring", "none", reason="what is done by it leaves no trace"),
        Watched("foreign-calls", "none", reason="calls are not seen"),
    )
    return Watch(rows, lost, gaps)
