"""Run a command under strace, where no filter with a listener can be set: what it does is read out of strace's lines.

strace stops each call that matters until it has written it (`--seccomp-bpf`: other calls are not stopped), so none is
missed; they are read here a moment later. Nothing is refused but `io_uring_setup` (`-e inject`). Whoever ends strace
gains little: calls that its filter hands to nobody fail with ENOSYS, so that no program begins, no file opens and
nothing connects any more (seccomp(2), SECCOMP_RET_TRACE); and it is told. strace(1), 5.3 and later.
"""

from __future__ import annotations

import contextlib
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pratique.adapters.supervisor import kernel, lifetime
from pratique.adapters.supervisor.reading import children, link
from pratique.adapters.supervisor.strace_events import Traced
from pratique.adapters.supervisor.strace_lines import Lines, ThreadEnded
from pratique.model.event import Category, Process, Watch, Watched
from pratique.model.supervision import Ended, Supervision, Told

CALLS = (
    "execve", "execveat", "fork", "vfork", "clone", "clone3", "chdir", "fchdir", "connect", "sendto", "sendmsg",
    "sendmmsg", "bind", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
    "symlinkat", "chmod", "fchmodat", "fchmodat2", "setsid", "setpgid", "memfd_create", "ptrace", "kill", "tgkill",
    "tkill", "pidfd_open", "io_uring_setup", "truncate", "open", "openat", "openat2", "creat",
)  # fmt: skip
"""The calls that strace stops."""
_MOST_LINE = 1 << 24
"""Bytes of a line; arguments of a program are a few megabytes at most, each byte four characters at most."""
_AT_ONCE = 1 << 20
_PATIENCE = 5.0
"""Seconds that strace may take to end once nothing lives under it."""


def strace() -> str:
    """The path of the system's strace; empty where there is none."""
    return shutil.which("strace", path="/usr/local/bin:/usr/bin:/bin") or ""


def _options(log: str, *, fast: bool) -> list[str]:
    """How strace is started. `fast`: only calls that matter are stopped, by a filter; else each of them."""
    traced = ",".join(f"?{name}" for name in CALLS)
    return [
        "-f", *(["--seccomp-bpf"] if fast else []), "-v", "-s", "4096", "-y", "-q", "-e", "signal=none",
        "-e", f"trace={traced}", "-e", "inject=?io_uring_setup:error=ENOSYS", "-o", log,
    ]  # fmt: skip


def untraceable() -> str:
    """Why strace sees nothing here; empty where it does. Found by doing it."""
    return _tried()[1]


def _tried() -> tuple[bool, str]:
    """Whether strace works with a filter, and else why it does not work at all.

    A filter that another supervisor has set comes before it: then each call is stopped, which is slower.
    """
    program = strace()
    if not program:
        return False, "strace is not installed"
    reason = ""
    for fast in (True, False):
        try:
            with tempfile.TemporaryDirectory(prefix="pratique-strace-") as folder:
                log = os.path.join(folder, "log")
                done = subprocess.run(  # noqa: S603  the system's own program
                    [program, *_options(log, fast=fast), "/bin/sh", "-c", ":"],
                    stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=10, check=False,
                )  # fmt: skip
                seen = Path(log).read_bytes() if os.path.exists(log) else b""
        except (OSError, subprocess.SubprocessError) as error:
            return False, f"strace cannot be used: {error}"
        if not done.returncode and b"execve(" in seen and b"exited with" in seen and not done.stderr:
            return fast, ""
        told = done.stderr.strip().splitlines()
        reason = f"strace sees nothing: {told[-1][:200] if told else 'it wrote no line'}"
    return False, reason


def supervise(request: Supervision, told: Told) -> Ended:
    """Run the command to its end and tell each event. Its standard streams are those of this process.

    Raises OSError where strace cannot be started; ask `untraceable` first. While it runs, this process adopts what the
    command leaves behind, and hands signals that it gets on to the command.
    """
    _, code = lifetime.located(request)
    if code:
        return Ended(code, coverage(request, ()))
    fast, reason = _tried()
    if reason:
        raise OSError(0, reason)
    folder = tempfile.mkdtemp(prefix="pratique-strace-")
    kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 1)
    try:
        return _Run(request, told, os.path.join(folder, "log"), fast).run()
    finally:
        kernel.prctl(kernel.PR_SET_CHILD_SUBREAPER, 0)
        shutil.rmtree(folder, ignore_errors=True)


class _Run:
    """One command from its start to its end."""

    def __init__(self, request: Supervision, told: Told, log: str, fast: bool) -> None:
        self.request = request
        self.fast = fast
        self.told = told
        self.log = log
        self.lines = Lines()
        self.code: int | None = None
        self.told_end = False
        self.deliver: Callable[[], None] = lambda: None
        self.timed_out = False
        self.tracer: subprocess.Popen[bytes] | None = None
        self.traced = Traced(request, told, frozenset((os.getpid(),)), log)
        self._rest = b""
        self._keeper = -1

    def run(self) -> Ended:
        os.mkfifo(self.log, 0o600)
        reader = os.open(self.log, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        self._keeper = os.open(self.log, os.O_WRONLY | os.O_CLOEXEC)  # until strace has written: else it seems to end
        survivors: tuple[Process, ...] = ()
        words = [strace(), *_options(self.log, fast=self.fast), "--", *self.request.command]
        try:
            with lifetime.forwarded(self._root) as waking:
                woken, self.deliver = waking
                self.tracer = subprocess.Popen(  # noqa: S603  the command that the user gave
                    words, cwd=self.request.folder, env=dict(self.request.environment)
                )
                self.traced.guards |= {self.tracer.pid}
                self._until(reader, woken, time.monotonic(), ended=False)
                self._settle(reader)
                survivors = self._survivors()
                if survivors:
                    self._until(reader, woken, time.monotonic(), ended=True)
                if self.request.ends_survivors or self.timed_out:
                    lifetime.end_all(self._left)
                living = self._left()
                survivors = tuple(self.traced.of(one.pid).process() if one.pid in living else one for one in survivors)
                self._finish(reader, keep=bool(living))
        finally:
            self._let_go()
            os.close(reader)
        if not self.traced.root:
            raise OSError(0, f"strace ended with {self.tracer.returncode} before the command began")
        if self.lines.strange:
            self.traced.gaps["lines of strace of no known form"] = self.lines.strange
        usage = os.times()
        return Ended(
            code=128 + signal.SIGKILL if self.code is None else self.code,
            watch=coverage(self.request, self.traced.gaps_in_words()),
            survivors=survivors,
            timed_out=self.timed_out,
            events=self.traced.sequence,
            cpu=usage.children_user + usage.children_system,
        )

    def _root(self) -> int:
        """The command's process: the first one that was seen, or the first below strace."""
        if self.traced.root:
            return self.traced.root
        below = children(self.tracer.pid) if self.tracer is not None else []
        if not below:
            raise ProcessLookupError
        return below[0]

    def _left(self) -> list[int]:
        """The processes that live below this one, without strace."""
        self._reap()
        return lifetime.left((self.tracer.pid,) if self.tracer is not None else ())

    def _reap(self) -> bool:
        """Take the results of what has ended; whether strace has."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                break
            if found is None:
                break
            if self.tracer is not None and found.si_pid == self.tracer.pid:
                self.tracer.poll()
                continue
            with contextlib.suppress(ChildProcessError):
                _, result = os.waitpid(found.si_pid, 0)
                if found.si_pid == self.traced.root and self.code is None:
                    self.code = lifetime.code_of(os.waitstatus_to_exitcode(result))
        return self.tracer is not None and self.tracer.returncode is not None

    def _until(self, reader: int, woken: int, started: float, *, ended: bool) -> None:
        """Read until the command has ended; after that (`ended`) until nothing lives, or lingering is over."""
        poll = select.poll()
        poll.register(reader, select.POLLIN)
        poll.register(woken, select.POLLIN)
        looked = time.monotonic()
        lost = False
        while True:
            for descriptor, what in poll.poll(lifetime.STEP * 1000):
                if descriptor == woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(woken, 512)
                    looked = 0.0
                elif what & select.POLLIN:
                    self._take(os.read(reader, _AT_ONCE))
                elif what & (select.POLLHUP | select.POLLERR):
                    poll.unregister(reader)
                    looked = 0.0
            if self.traced.root:
                self.deliver()
            if not ended and self.told_end:
                return
            now = time.monotonic()
            if now - looked < lifetime.STEP / 10:
                continue
            looked = now
            if self._reap() and not lost:
                lost = True
                self._drain(reader)
                if (self.told_end or not self.traced.root) and not self._left():
                    return
                after = "what it was to see fails with ENOSYS" if self.fast else "what runs on is not seen"
                self.traced.tampered(f"strace was ended: {after}")
                self.traced.gaps["strace was ended while the command ran"] = 1
            if (ended or lost) and not self._left():
                return
            if ended and now - started >= self.request.linger:
                return
            if not ended and self.request.seconds is not None and now - started >= self.request.seconds:
                self.timed_out = True
                return

    def _take(self, part: bytes) -> None:
        """Understand what strace wrote."""
        if part:
            self._let_go()
        *whole, self._rest = (self._rest + part).split(b"\n")
        if len(self._rest) > _MOST_LINE:
            self.lines.strange += 1
            self._rest = b""
        for line in whole:
            found = self.lines.take(line)
            if found is None:
                continue
            self.traced.take(found)
            if isinstance(found, ThreadEnded) and found.thread == self.traced.root and not self.told_end:
                self.told_end = True
                ended_by = int(getattr(signal, found.signal, 0)) if found.signal else 0
                self.code = found.code if found.code is not None else 128 + ended_by

    def _let_go(self) -> None:
        """Leave strace the only one who writes."""
        if self._keeper >= 0:
            os.close(self._keeper)
            self._keeper = -1

    def _drain(self, reader: int) -> None:
        """Take what is there."""
        with contextlib.suppress(BlockingIOError):
            while part := os.read(reader, _AT_ONCE):
                self._take(part)

    def _settle(self, reader: int) -> None:
        """Read on for a moment where something that lives has not begun its program yet."""
        self._drain(reader)
        deadline = time.monotonic() + lifetime.STEP
        while time.monotonic() < deadline and any(self.traced.of(pid).first for pid in self._left()):
            time.sleep(0.005)
            self._drain(reader)

    def _survivors(self) -> tuple[Process, ...]:
        """Tell what lives after the command has ended."""
        found: list[Process] = []
        for pid in self._left():
            known = self.traced.of(pid)
            path = link(f"/proc/{pid}/exe")
            self.traced.emit("process.survived", known, path=path, detail={"how": lifetime.how_left(known)})
            found.append(known.process())
        return tuple(found)

    def _finish(self, reader: int, *, keep: bool) -> None:
        """Wait for strace's end, or leave it to what lives on: without it each of their calls would fail."""
        if self.tracer is None:
            return
        if keep and self.tracer.poll() is None:
            _keep(reader)
            return
        deadline = time.monotonic() + _PATIENCE
        while not self._reap() and time.monotonic() < deadline:
            self._drain(reader)
            time.sleep(0.005)
        self._drain(reader)
        if self.tracer.returncode is None:
            self.tracer.kill()
            self.tracer.wait()


def _keep(reader: int) -> None:
    """Leave a process behind that takes what strace writes of the survivors, so that none of them waits for room."""

    def take() -> None:
        os.set_blocking(reader, True)
        while os.read(reader, _AT_ONCE):
            pass

    lifetime.leave_behind(take)


def coverage(request: Supervision, gaps: tuple[str, ...]) -> Watch:
    """What is seen of each category by strace. Nothing is refused for good."""
    means = "strace"
    asked = request.denials
    telling = "of packages' scripts, and in telling places"

    def row(
        category: Category, seen: Literal["all", "part", "none"], reason: str = "", refused: bool = False
    ) -> Watched:
        if refused:
            reason = "; ".join(one for one in (reason, "strace refuses nothing") if one)
        return Watched(category, seen, means, "seen, not blockable" if refused else "not asked", reason)

    rows = (
        row("process.start", "all", refused=asked.dropped),
        row("process.arguments", "all"),
        Watched("process.survived", "all", "subreaper"),
        row("network.connect", "all", refused=asked.network),
        row("network.name", "part", "queries on connected sockets by write are not seen"),
        Watched("network.payload", "none", reason="only a sandbox answers and keeps what is sent"),
        row("file.read", "part", "places of credentials and persistence alone", asked.reads is not None)
        if request.reads
        else Watched("file.read", "none", reason="was not asked for"),
        row("file.write", "part", telling, asked.changes),
        row("file.delete", "part", telling, asked.evidence),
        row("file.rename", "part", telling, asked.changes),
        Watched("environment.read", "none", reason="a process has its variables without a call"),
        Watched("integrity", "none", reason="is compared by the command, not here"),
        row("io_uring", "all", "io_uring_setup gets ENOSYS"),
        row("foreign-calls", "all", "are told as others are"),
    )
    return Watch(rows, 0, gaps)
