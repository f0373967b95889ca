"""Run a command under a seccomp filter whose listener is held here (seccomp_unotify(2)).

The command's process sets the filter itself, while it shares its table of descriptors with this process: so the
listener is here without a message that the filter would hold up. A call that waits is looked at and let go.
What is refused by an errno of ours is refused for good where the refusal rests on numbers, or where the call is carried
out here (`denying`). An execution cannot be: there the shell of scripts is held by Landlock (`execution`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from typing import Literal

from pratique.adapters.supervisor import kernel, lifetime
from pratique.adapters.supervisor.calls import Machine, forbidden, machine, refusing, watched
from pratique.adapters.supervisor.filters import program
from pratique.adapters.supervisor.kernel import Listener
from pratique.adapters.supervisor.reading import link
from pratique.adapters.supervisor.watching import Watching
from pratique.model.event import Process, Watch, Watched
from pratique.model.supervision import Ended, Supervision, Told

_CLONE_FILES = 0x400
_CLONE = {"x86_64": 56, "aarch64": 220}
Denied = Literal["sound", "seen, not blockable", "not asked"]


def unusable() -> str:
    """Why nothing can be supervised here; empty where it can. Found by doing it."""
    if not sys.platform.startswith("linux"):
        return "this needs Linux"
    name = machine()
    if name is None:
        return "the numbers of system calls are known for x86-64 and aarch64 alone"
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        # Nothing of the parent runs here: the answer is one byte and the end.
        try:
            kernel.listen(name, program(name, reads=False))
            os.write(writer, b"y")
        except OSError as error:
            os.write(writer, b"n" + str(error.strerror).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    if answer[:1] == b"y":
        return ""
    return f"this system lets no filter with a listener be set: {answer[1:].decode() or 'the attempt ended'}"


def supervise(request: Supervision, told: Told) -> Ended:
    """Run the command to its end and tell each event. Its standard streams are those of this process.

    Raises OSError where no filter can be set; ask `unusable` first. While it runs, this process adopts what the command
    leaves behind, and hands signals that it gets on to the command.
    """
    name = machine()
    if name is None:
        raise OSError("the numbers of system calls are known for x86-64 and aarch64 alone")
    if request.confinement is not None:
        return _Run(request, name, request.command[0], told).run()
    path, code = lifetime.located(request)
    if code:
        return Ended(code, coverage(request, ()))
    return _Run(request, name, path, told).run()


class _Run:
    """One command from its start to its end."""

    def __init__(self, request: Supervision, name: Machine, path: str, told: Told) -> None:
        self.request = request
        self.machine = name
        self.path = path
        self.told = told
        self.child = 0
        self.code: int | None = None
        self.timed_out = False
        self.watching: Watching | None = None

    def run(self) -> Ended:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
        started = time.monotonic()
        listener = Listener(self._start())
        calls = watched(self.machine) | (forbidden(self.machine) if self.request.confinement is not None else {})
        if self.request.denials.any:
            calls |= refusing(self.machine)
        watching = Watching(self.request, self.machine, listener, calls, self.told)
        self.watching = watching
        survivors: tuple[Process, ...] = ()
        try:
            with lifetime.forwarded(lambda: self.child) as waking:
                woken = waking.descriptor
                self._until(listener, watching, woken, started, ended=False)
                survivors = self._survivors(watching)
                if survivors:
                    self._until(listener, watching, woken, time.monotonic(), ended=True)
                if self.request.ends_survivors or self.timed_out:
                    lifetime.end_all(self._left)
                elif self.request.denials.any:
                    survivors = self._end_of_packages(watching, survivors)
                left = self._left()
                packages = [pid for pid in left if watching.denying.applies(watching.tree.of(pid))]
            watching.traffic.tell_judged()
        finally:
            watching.tree.close()
            watching.denying.reaching.close()
            kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 0)
        if left and not packages:  # else every call of theirs fails from now on
            _keep(listener)
        listener.close()
        usage = os.times()
        return Ended(
            code=128 + signal.SIGKILL if self.code is None else self.code,
            watch=coverage(
                self.request,
                watching.gaps_in_words(),
                watching.unheld,
            ),
            survivors=survivors,
            timed_out=self.timed_out,
            events=watching.sequence,
            cpu=usage.children_user + usage.children_system,
        )

    # the start

    def _start(self) -> int:
        """Start the command's process; returns the listener's descriptor."""
        confined = self.request.confinement is not None
        instructions = program(
            self.machine,
            reads=self.request.reads,
            confined=confined,
            denying=self.request.denials.any,
            names=self.request.denials.hosts is not None,
        )
        reader, writer = os.pipe()
        gate_reader, gate_writer = os.pipe()
        libc = ctypes.CDLL(None, use_errno=True)
        sys.stdout.flush()
        sys.stderr.flush()
        child = libc.syscall(_CLONE[self.machine], _CLONE_FILES | signal.SIGCHLD, 0, 0, 0, 0)
        if child < 0:
            raise OSError(ctypes.get_errno(), "no process could be started")
        if not child:
            self._become(instructions, writer, gate_reader)
        self.child = child
        try:
            answer = os.read(reader, 512)
        finally:
            # One table of descriptors: what is closed here is closed there, so only after its execution.
            os.write(gate_writer, b"g")
        if answer[:1] == b"l":
            os.read(reader, 1)
        for descriptor in (reader, writer, gate_reader, gate_writer):
            os.close(descriptor)
        if answer[:1] != b"l":
            os.waitpid(child, 0)
            number, _, what = answer[1:].partition(b" ")
            raise OSError(int(number or b"0"), os.fsdecode(what) or "no filter with a listener could be set")
        return int(answer[1:])

    def _become(self, instructions: list[tuple[int, int, int, int]], writer: int, gate: int) -> None:
        """In the new process: set the filter, tell the listener's number, leave the common table, begin the program."""
        try:
            for number in (signal.SIGINT, *lifetime.FORWARDED, signal.SIGPIPE, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            try:
                if self.request.confinement is not None:
                    self.request.confinement.enter()
                os.chdir(self.request.folder)
                listener = kernel.listen(self.machine, instructions)
            except BaseException as error:  # noqa: BLE001  whatever it is, the parent waits for an answer
                failed = error.errno or 0 if isinstance(error, OSError) else 0
                reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
                os.write(writer, b"f%d %s" % (failed, os.fsencode(reason)[:400]))
                os._exit(lifetime.NOT_EXECUTABLE)
            os.write(writer, b"l%d" % listener)
            os.read(gate, 1)
            kernel.leave_descriptors()
            os.write(writer, b"u")
            os.closerange(3, 1 << 16)
            words, variables = list(self.request.command), dict(self.request.environment)
            os.execve(self.path, words, variables)  # noqa: S606  the command that the user gave
        finally:
            os._exit(lifetime.NOT_EXECUTABLE)

    # the loop

    def _until(self, listener: Listener, watching: Watching, woken: int, started: float, *, ended: bool) -> None:
        """Answer calls until the command has ended; after that (`ended`) until nothing lives, or lingering is over."""
        poll = select.poll()
        poll.register(listener.descriptor, select.POLLIN)
        poll.register(woken, select.POLLIN)
        looked = time.monotonic()
        while True:
            for descriptor, what in poll.poll(lifetime.STEP * 1000):
                if descriptor == woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(woken, 512)
                    looked = 0.0  # a child may have ended: look at once
                elif what & select.POLLIN:
                    given = listener.receive()
                    if given is not None:
                        watching.handle(given)
                elif what & (select.POLLHUP | select.POLLERR):
                    poll.unregister(listener.descriptor)
            now = time.monotonic()
            if now - looked < lifetime.STEP / 10:
                continue
            looked = now
            self._reap()
            watching.traffic.tell_judged()
            if not ended and self.code is not None:
                return
            if ended and (not self._left() or now - started >= self.request.linger):
                return
            if not ended and self.request.seconds is not None and now - started >= self.request.seconds:
                self.timed_out = True
                lifetime.end_all(self._left)
                return

    def _reap(self) -> None:
        """Take the results of children that have ended."""
        while True:
            try:
                pid, result = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid == self.child:
                self.code = lifetime.code_of(os.waitstatus_to_exitcode(result))

    # what is left

    def _left(self) -> list[int]:
        """The processes that live below this one."""
        self._reap()
        return lifetime.left(self.request.confinement.spared if self.request.confinement is not None else ())

    def _survivors(self, watching: Watching) -> tuple[Process, ...]:
        """Tell what lives after the command has ended."""
        found: list[Process] = []
        for pid in self._left():
            known = watching.tree.of(pid)
            watching.tree.placed(known)
            how = lifetime.how_left(known)
            watching.emit("process.survived", known, path=link(f"/proc/{pid}/exe"), detail={"how": how})
            found.append(known.process())
        return tuple(found)

    def _end_of_packages(self, watching: Watching, survivors: tuple[Process, ...]) -> tuple[Process, ...]:
        """End what packages left running, and what that starts meanwhile: nothing is refused to it any more later.

        Returns what still lives of the survivors that were told.
        """
        told: set[int] = set()
        for _ in range(100):
            found = [one for pid in self._left() if watching.denying.applies(one := watching.tree.of(pid))]
            if not found:
                break
            for known in found:
                if known.pid not in told:
                    told.add(known.pid)
                    watching.emit("process.end", known, "denied", detail={"what": "a package left it running"})
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(known.pid, signal.SIGKILL)
            time.sleep(0.01)
        return tuple(one for one in survivors if one.pid not in told)


def _keep(listener: Listener) -> None:
    """Leave a process behind that lets all calls of the survivors go on: without a listener each would fail."""

    def let_go_on() -> None:
        poll = select.poll()
        poll.register(listener.descriptor, select.POLLIN)
        while True:
            for _, what in poll.poll():
                if not what & select.POLLIN:
                    return
                given = listener.receive()
                if given is not None:
                    listener.proceed(given.cookie)

    lifetime.leave_behind(let_go_on)


def coverage(request: Supervision, gaps: tuple[str, ...], unheld: int = 0) -> Watch:
    """What is seen of each category by this means, and what of it is refused for good.

    `unheld` counts scripts of packages that something else than the supervisor's shell has started.
    """
    means = "seccomp user notification"
    denials = request.denials
    files: Denied = "sound" if denials.reads is not None else "not asked"
    written: Denied = "sound" if denials.changes else "not asked"
    kept: Denied = "sound" if denials.evidence else "not asked"
    changed: Denied = "sound" if "sound" in (files, written) else "not asked"
    network: Denied = "sound" if denials.network else "not asked"
    held = bool(request.held_shell) and not unheld
    by_name = denials.hosts is not None
    programs: Denied = "not asked" if not denials.dropped else "sound" if held else "seen, not blockable"
    path = ""
    if denials.dropped and held:
        path = "programs and an interpreter's script are refused; code by argument, pipe or import is not"
    elif denials.dropped:
        path = f"{unheld} scripts were not started by the shell that holds them" if unheld else "no shell holds scripts"
        path += ": what was dropped is refused where it is seen, and could be changed before it goes on"
    rows = (
        Watched("process.start", "all", means, programs, path),
        Watched("process.arguments", "all", means),
        Watched("process.survived", "all", "subreaper"),
        Watched(
            "network.connect", "all", means, network,
            "by a relay here, which the other end's address is for who asks" if by_name else "",
        ),
        Watched(
            "network.name", "part", means, "sound" if by_name else "not asked",
            "queries on connected sockets by write or send are not seen",
        ),
        Watched("network.payload", "none", reason="only a sandbox answers and keeps what is sent"),
        Watched(
            "file.read", "part" if request.reads else "none", means if request.reads else "", files,
            "places of credentials and persistence alone" if request.reads else "was not asked for",
        ),
        Watched("file.write", "part", means, written, "of packages' scripts, and in telling places"),
        Watched("file.delete", "part", means, kept, "of packages' scripts, and in telling places"),
        Watched("file.rename", "part", means, changed, "of packages' scripts, and in telling places"),
        Watched("environment.read", "none", reason="a process has its variables without a call"),
        Watched("integrity", "none", reason="is compared by the command, not here"),
        Watched("io_uring", "all", means, "sound", "io_uring_setup gets ENOSYS"),
        Watched(
            "foreign-calls", "part", means, "sound" if denials.any else "not asked",
            "get ENOSYS" if denials.any else "that they happen is told, not what they do",
        ),
    )  # fmt: skip
    return Watch(rows, 0, gaps)
