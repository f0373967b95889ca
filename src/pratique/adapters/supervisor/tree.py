"""The processes under the filter: which thread belongs to whom, what runs in it, what caused it."""

from __future__ import annotations

import contextlib
import os
import time

from pratique.adapters.supervisor.reading import Memory, link, status
from pratique.model.event import Ancestor, Cause, Process

MOST_ANCESTORS = 16
MOST_OPEN = 200
"""So many memories are held open."""


class Known:
    """One process: its program as last begun, its parent, its cause.

    `bound` names the packages that it comes from. It never gets less, whatever a process says of itself. `held`: it is
    held to folders of programs, and to these beside those of the run.
    """

    __slots__ = (
        "arguments", "bound", "cause", "cut", "executable", "first", "folder", "gaps", "group", "held", "inner",
        "memory", "parent", "pid", "script", "session", "set_session", "shown", "started", "ticks", "user",
    )  # fmt: skip

    def __init__(self, pid: int, parent: Known | None) -> None:
        self.pid = pid
        self.parent = parent
        self.executable = ""
        self.arguments: tuple[str, ...] = ()
        self.script = ""
        self.cut = False
        self.cause: Cause | None = parent.cause if parent is not None else None
        self.bound: frozenset[str] = parent.bound if parent is not None else frozenset()
        self.held: tuple[str, ...] | None = parent.held if parent is not None else None
        self.started = time.time_ns()
        self.ticks = ""
        self.folder = ""
        self.group = self.session = 0
        self.user: int | None = None
        self.inner: int | None = None
        self.memory: Memory | None = None
        self.set_session = False
        self.gaps: set[str] = set()
        self.first = True
        self.shown: Process | None = None

    def process(self) -> Process:
        """The process as it is now."""
        if self.shown is None:
            self.shown = Process(
                pid=self.pid,
                parent=self.parent.pid if self.parent is not None else 0,
                group=self.group,
                session=self.session,
                user=self.user,
                executable=self.executable,
                arguments=self.arguments,
                folder=self.folder,
                script=self.script,
                started_ns=self.started,
                ancestors=self.ancestors(),
                cut=self.cut,
                inner_pid=self.inner,
            )
        return self.shown

    def ancestors(self) -> tuple[Ancestor, ...]:
        """The processes above, nearest first."""
        found: list[Ancestor] = []
        above = self.parent
        while above is not None and len(found) < MOST_ANCESTORS:
            name = os.path.basename(above.arguments[0]) if above.arguments else os.path.basename(above.executable)
            found.append(Ancestor(above.pid, above.executable, name))
            above = above.parent
        return tuple(found)


class Tree:
    """All processes that were seen. Above `supervisor`, this process, and those of a sandbox nothing is looked up."""

    def __init__(self, supervisor: int, spared: tuple[int, ...] = ()) -> None:
        self.above_all = (0, 1, supervisor, *spared)
        self.supervisor = supervisor
        self.processes: dict[int, Known] = {}
        self.threads: dict[int, Known] = {}
        self.packages: set[str] = set()
        self._last: Cause | None = None
        self._first = 0
        self._began: dict[int, str] = {}
        self._open: list[Known] = []

    def of(self, thread: int) -> Known:
        """The process that a thread belongs to."""
        known = self.threads.get(thread)
        if known is None or (self.packages and self._began[thread] != ticks(thread)):
            # A number may have been given anew: what a package starts must not pass for who had it before.
            known = self._found(thread)
            self.threads[thread] = known
            self._began[thread] = ticks(thread)
        return known

    def bind(self, known: Known, package: str) -> None:
        """State that a process comes from a package, and so all that it starts."""
        known.bound |= {package}
        self.packages.add(package)
        self._last = known.cause

    def _found(self, thread: int) -> Known:
        fields = status(thread)
        pid = int(fields.get("Tgid", thread))
        known = self.processes.get(pid)
        if known is not None and known.ticks in ("", ticks(pid)):
            return known
        parent = self._above(pid, int(fields.get("PPid", 0)))
        known = Known(pid, parent)
        known.ticks = ticks(pid)
        known.executable = link(f"/proc/{pid}/exe")
        if parent is not None and known.executable == parent.executable:
            known.arguments, known.script, known.cut = parent.arguments, parent.script, parent.cut
        if not self._first:
            self._first = pid
        elif int(fields.get("PPid", 0)) == self.supervisor and pid != self._first:
            self._adopted(known)
        self.placed(known, fields)
        self.processes[pid] = known
        return known

    def _adopted(self, known: Known) -> None:
        """A process whose parent ended before anything was seen of it: of a package, if one ran at all.

        Who made it cannot be told any more; the package that began last is named, as not known.
        """
        if self.packages and not known.bound:
            known.bound = frozenset(self.packages)
            if (known.cause is None or not known.cause.name) and self._last is not None:
                last = self._last
                known.cause = Cause(last.ecosystem, last.name, last.version, last.step, "unknown")

    def _above(self, pid: int, parent: int) -> Known | None:
        """The process above; of one whose parent ended, the leader of its group or session."""
        if parent not in self.above_all:
            return self._found(parent)
        for ask in (os.getpgid, os.getsid):
            try:
                leader = ask(pid)
            except OSError:
                continue
            found = self.processes.get(leader)
            if found is not None and leader != pid:
                return found
        return None

    def placed(self, known: Known, fields: dict[str, str] | None = None) -> None:
        """Look up folder, group, session and user of a process."""
        fields = status(known.pid) if fields is None else fields
        known.folder = link(f"/proc/{known.pid}/cwd")
        with contextlib.suppress(OSError):
            known.group, known.session = os.getpgid(known.pid), os.getsid(known.pid)
        user = fields.get("Uid", "").split("\t")[0]
        known.user = int(user) if user.isdecimal() else None
        numbers = fields.get("NSpid", "").split()
        known.inner = int(numbers[-1]) if len(numbers) > 1 else None
        known.shown = None

    def memory(self, known: Known) -> Memory:
        """The memory of a process, opened where it is not."""
        if known.memory is None:
            known.memory = Memory(known.pid)
            self._open.append(known)
            if len(self._open) > MOST_OPEN:
                self.forget_memory(self._open[0])
        return known.memory

    def forget_memory(self, known: Known) -> None:
        """Close the memory of a process: it is another one after an execution."""
        if known.memory is not None:
            known.memory.close()
            known.memory = None
            self._open.remove(known)

    def prune(self) -> None:
        """Forget threads that are gone; processes stay as parents of others as long as one refers to them."""
        for thread in [one for one in self.threads if not os.path.exists(f"/proc/{one}")]:
            known = self.threads.pop(thread)
            self._began.pop(thread, None)
            if thread == known.pid:
                self.forget_memory(known)
                self.processes.pop(thread, None)

    def close(self) -> None:
        """Close all memories."""
        for known in list(self._open):
            self.forget_memory(known)


def ticks(pid: int) -> str:
    """When a process began, as the kernel counts; empty where it is gone. Two with one number differ in it."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read(1024).rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return ""
