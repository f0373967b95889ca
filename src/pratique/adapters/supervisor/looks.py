"""From looks at the kernel's tables to events: what runs, what is open, what is connected, and what that tells."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from typing import NamedTuple

from pratique.adapters.supervisor import dns
from pratique.adapters.supervisor.programs import interpreter_of, is_interpreter, script_of
from pratique.adapters.supervisor.reading import LONGEST_ARGUMENT, MOST_ARGUMENTS, link, status
from pratique.adapters.supervisor.recording import Noted, Script
from pratique.adapters.supervisor.telling import OWN_FILES, TELLING, VARIABLES, Telling, named
from pratique.adapters.supervisor.tree import Known, ticks
from pratique.adapters.watcher.sockets import Connections, owners
from pratique.model.event import EventKind, PathClass
from pratique.model.supervision import Seen, Supervision, Told

_DELETED = " (deleted)"
_MOST_READ = MOST_ARGUMENTS * LONGEST_ARGUMENT
_MOST_DESCRIPTORS = 4096
_O_WRONLY_RDWR = 0o3
_BEGINS_WITHIN = 0.2
"""Seconds."""
_SLOWER = 5
"""Files of what no package caused are looked at each so many looks."""


class _Shown(NamedTuple):
    """What a process showed: its program, where its stack begins, its arguments where that is not known."""

    executable: str
    stack: int
    words: bytes

    def same(self, other: _Shown) -> bool:
        """Whether this is the same execution. While a program begins, its stack moves by what it is given."""
        near = abs(self.stack - other.stack) < 1 << 20
        return near and (self.executable, self.words) == (other.executable, other.words)


class Polled(Telling):
    """Everything that is known of one run by looking.

    `ours` maps processes that the kernel told of to their parents, also those that were never looked at. `own_shell` is
    the shell that notes what it is started for, which is no program of a package.
    """

    source = "poll"

    def __init__(self, request: Supervision, told: Told, own_shell: str = "") -> None:
        super().__init__(request, told)
        self.own_shell = own_shell
        self.began = time.time()
        self.own = os.getpid()
        self.ours: dict[int, int] = {}
        self.processes: dict[int, Known] = {}
        self._shown: dict[int, _Shown] = {}
        self._open: dict[tuple[int, str], None] = {}
        self._scripts: dict[str, Known] = {}
        self._gone: set[str] = set()
        self._recorded: dict[int, str] = {}
        self._connections = Connections()
        self._connections.look()
        self._looks = 0
        self._stacks = bool(_stack(self.own))

    # processes

    def command(self, pid: int, path: str) -> None:
        """Tell that the command itself has begun, which may have ended already."""
        end = time.monotonic() + _BEGINS_WITHIN
        while not self.sequence and time.monotonic() < end and status(pid).get("State", "Z")[:1] not in ("Z", "X"):
            self.process(pid, told=True)  # its arguments are there a moment after the execution has succeeded
        if not self.sequence:
            words = b"\0".join(os.fsencode(one) for one in self.request.command) + b"\0"
            self.processes[pid] = self._begun(Known(pid, None), path, words)

    def process(self, pid: int, told: bool = False) -> Known | None:
        """Look at a process; tell where it has begun a program. `told`: the kernel says that it has.

        None where it is gone and was not known.
        """
        known = self.processes.get(pid)
        began = ticks(pid)
        if not began:
            if told:
                self.gaps["programs that were gone before they were looked at"] = (
                    self.gaps.get("programs that were gone before they were looked at", 0) + 1
                )
            return known
        if known is None or known.ticks != began:
            known = self._appeared(pid, began)
        executable, words = link(f"/proc/{pid}/exe"), _command(pid)
        # A program may write over its arguments; where its stack lies is drawn anew when one begins.
        stack = _stack(pid)
        if self._stacks and not stack:
            return known  # an execution is not over: the next look sees it whole
        now = _Shown(executable, stack, b"" if stack else words)
        former = self._shown.get(pid)
        if executable and words and (former is None or not now.same(former) or (told and known.first)):
            self._shown[pid] = now
            above = known.parent
            before = self._shown.get(above.pid) if above is not None and former is None else None
            copied = before is not None and now.same(before)
            if not copied or told:
                known = self._begun(known, executable, words)
                self.processes[pid] = known
        return known

    def _appeared(self, pid: int, began: str) -> Known:
        parent = int(status(pid).get("PPid", 0))
        if parent == self.own:
            parent = self.ours.get(pid, 0)
        known = Known(pid, self.processes.get(parent))
        known.ticks = began
        self._shown.pop(pid, None)
        self.processes[pid] = known
        self.ours.setdefault(pid, parent)
        above = known.parent
        if above is not None:
            known.executable, known.arguments, known.script = above.executable, above.arguments, above.script
            known.folder = above.folder
        return known

    def _begun(self, known: Known, executable: str, words: bytes) -> Known:
        """Tell that a process has begun a program."""
        begun = Known(known.pid, known.parent)
        begun.ticks, begun.gaps, begun.first = known.ticks, known.gaps, False
        begun.executable = executable
        parts = words.removesuffix(b"\0").split(b"\0")
        begun.arguments = tuple(os.fsdecode(one[:LONGEST_ARGUMENT]) for one in parts[:MOST_ARGUMENTS])
        begun.cut = len(parts) > MOST_ARGUMENTS or any(len(one) > LONGEST_ARGUMENT for one in parts)
        self._place(begun)
        script = script_of(executable, begun.arguments)
        if not script and len(parts) > 1 and is_interpreter(executable) and interpreter_of(begun.arguments[1]):
            script = begun.arguments[1]
        begun.script = os.path.normpath(os.path.join(begun.folder, script)) if script else ""
        above = known.parent.cause if known.parent is not None else None
        begun.cause = self.request.attribute(Seen(begun.process(), _variables(known.pid), known.cause or above))
        begun.shown = None
        memory = executable.startswith(("/memfd:", "memfd:")) or executable.endswith(_DELETED)
        if memory:
            self.emit("memory.program", begun, path=executable, path_class="temporary", dropped=True)
        if self.own_shell and begun.script == self.own_shell:
            return begun
        if self._recorded.pop(known.pid, None) is None:
            about = (
                begun.script if begun.script and self._new(begun.script) and not self._new(executable) else executable
            )
            dropped = memory or self._new(about)
            self.emit("process.start", begun, path=about, path_class=self.class_of(about), dropped=dropped)
        if begun.script and named(begun) and os.path.exists(begun.script):
            self._scripts[begun.script] = begun
        return begun

    def _place(self, known: Known) -> None:
        fields = status(known.pid)
        known.folder = link(f"/proc/{known.pid}/cwd") or known.folder
        with contextlib.suppress(OSError):  # it has ended meanwhile: what is known of it stays
            known.group, known.session = os.getpgid(known.pid), os.getsid(known.pid)
        user = fields.get("Uid", "").split("\t")[0]
        known.user = int(user) if user.isdecimal() else None
        known.shown = None

    def _new(self, path: str) -> bool:
        """Whether a file came to be, or was changed, during the run."""
        try:
            return path in self.written or os.stat(path).st_ctime >= self.began
        except OSError:
            return False

    def of_shell(self, scripts: Iterable[Script]) -> None:
        """Tell scripts that package managers have started, as their shell noted them."""
        for one in scripts:
            known = self.processes.get(one.pid)
            noting = known is None or known.first or known.script == self.own_shell
            stepless = known is None or known.cause is None or not known.cause.step  # its variables were gone already
            if known is not None and not noting and not stepless and one.text in known.arguments:
                continue  # it was looked at already
            begun = Known(one.pid, self.processes.get(one.parent))
            begun.executable, begun.first = one.shell, False
            begun.arguments = (one.shell, "-c", one.text[:LONGEST_ARGUMENT])
            begun.cut, begun.folder = len(one.text) > LONGEST_ARGUMENT, one.folder
            above = begun.parent.cause if begun.parent is not None else None
            begun.cause = self.request.attribute(Seen(begun.process(), one.environment, above))
            begun.shown, begun.ticks = None, ticks(one.pid)
            self.processes[one.pid] = begun
            self.ours.setdefault(one.pid, one.parent)
            if begun.ticks:
                self._recorded[one.pid] = one.text
            self.emit("process.start", begun, source="shell", path=one.shell, path_class="system", dropped=False)

    def of_node(self, notes: Iterable[tuple[int, Noted]]) -> None:
        """Tell what packages' scripts have asked of Node's own modules, as its hook noted."""
        for pid, one in notes:
            known = self.processes.get(pid)
            if one.what == "begin":
                self._node(pid, known, one)
            elif known is None:
                continue
            elif one.what == "start":
                self._started(known, one)
            elif one.what in ("connect", "name"):
                self._reached(known, one)
            elif one.what == "variable":
                self.emit("environment.read", known, source="hook", detail={"name": one.name[:200]})
            elif one.path.startswith("/"):
                self._asked(known, one)

    def _node(self, pid: int, known: Known | None, one: Noted) -> None:
        """A Node with a hook has begun: it may not have been looked at."""
        if known is not None and not known.first and known.executable == one.executable:
            return
        self._unseen(pid, self.processes.get(one.parent), one)

    def _reached(self, known: Known, one: Noted) -> None:
        """Tell an address that was reached or a name that was asked for, once for each process."""
        told: tuple[tuple[EventKind, str, str], ...] = (
            ("network.connect", "", one.address),
            ("network.name", one.host or dns.question(one.content), one.address),
        )
        for kind, host, address in told:
            key = (known.pid, f"{host} {address} {one.port}")
            if key not in self._open and (host or (address and kind == "network.connect")):
                self._open[key] = None
                self.emit(
                    kind,
                    known, "unknown", "hook", address=address, port=one.port or None, host=host,
                )  # fmt: skip

    def _started(self, known: Known, one: Noted) -> None:
        """A program was started, which may be gone before it is looked at."""
        seen = self.processes.get(one.pid) if one.pid else None
        if seen is None or seen.first:
            self._unseen(one.pid, known, one)

    def _unseen(self, pid: int, parent: Known | None, one: Noted) -> None:
        """Tell a program that a hook knows of and no look has seen."""
        begun = Known(pid, parent)
        begun.executable, begun.folder, begun.first = one.executable, one.folder, False
        begun.arguments = tuple(word[:LONGEST_ARGUMENT] for word in one.arguments[:MOST_ARGUMENTS])
        script = script_of(begun.executable, begun.arguments)
        begun.script = os.path.normpath(os.path.join(begun.folder, script)) if script else ""
        above = parent.cause if parent is not None else None
        begun.cause = self.request.attribute(Seen(begun.process(), one.variables, above))
        begun.shown, begun.ticks = None, ticks(pid) if pid else ""
        if pid:
            self.processes[pid] = begun
            self.ours.setdefault(pid, parent.pid if parent is not None else 0)
            if begun.ticks:
                self._recorded[pid] = one.what
        path = begun.executable
        dropped = self._new(begun.script or path)
        self.emit("process.start", begun, "unknown", "hook", path=path, path_class=self.class_of(path), dropped=dropped)
        if begun.script and named(begun) and os.path.exists(begun.script):
            self._scripts[begun.script] = begun

    def _asked(self, known: Known, one: Noted) -> None:
        """Tell a file that a script has asked for by Node's own modules."""
        kind = self.class_of(one.path)
        if one.what in ("rename", "link"):
            call = "rename" if one.what == "rename" else "link"
            if self.moved(known, one.path, one.target, call):
                about = self.class_of(one.target)
                self.emit(
                    "file.rename", known, "unknown", "hook", path=one.path, target=one.target, path_class=about,
                    detail={"call": call},
                )  # fmt: skip
            if call == "rename":
                self._scripts.pop(one.path, None)
        elif one.what == "delete":
            self._scripts.pop(one.path, None)
            if (kind in TELLING or named(known)) and one.path not in self._gone:
                dropped = one.path in self.written
                self.emit("file.delete", known, "unknown", "hook", path=one.path, path_class=kind, dropped=dropped)
        else:
            written = one.target if one.what == "copy" else one.path if one.what == "write" else ""
            if written and self.wrote(known, written, about := self.class_of(written)):
                self._once("file.write", known, written, about)
            if one.what in ("read", "copy") and self.request.reads and kind in TELLING and os.path.lexists(one.path):
                self._once("file.read", known, one.path, kind)

    def _once(self, kind: EventKind, known: Known, path: str, about: PathClass) -> None:
        """Tell a use of a file, once for each process."""
        if (known.pid, path) not in self._open:
            self._open[known.pid, path] = None
            self.emit(kind, known, "unknown", "hook", path=path, path_class=about)

    # everything

    def look(self, living: list[int]) -> None:
        """Look at what lives, at what it has open, at what is connected."""
        self._looks += 1
        for pid in reversed(living):  # parents are given after their children
            self.process(pid)
        for pid in living:
            known = self.processes.get(pid)
            if known is not None and (named(known) or not self._looks % _SLOWER):
                self._files(pid, known)
        self._network(living)
        self._deleted()
        if not self._looks % 500:
            self._forget(frozenset(living))

    def _files(self, pid: int, known: Known) -> None:
        """Tell what a process has open, once for each file."""
        folder = f"/proc/{pid}/fd"
        try:
            numbers = os.listdir(folder)[:_MOST_DESCRIPTORS]
        except OSError:
            return
        for number in numbers:
            path = link(f"{folder}/{number}").removesuffix(_DELETED)
            if not path.startswith("/") or path in OWN_FILES or path.startswith(("/dev/", "/proc/", "/memfd:")):
                continue
            if (pid, path) in self._open:
                continue
            self._open[pid, path] = None
            if known.first and known.parent is not None and (known.parent.pid, path) in self._open:
                continue  # a copy of what its parent has open
            kind = self.class_of(path)
            writes = _flags(pid, number) & _O_WRONLY_RDWR
            if writes:
                if self.wrote(known, path, kind):
                    self.emit("file.write", known, path=path, path_class=kind)
            elif self.request.reads and kind in TELLING:
                self.emit("file.read", known, path=path, path_class=kind)

    def _network(self, living: list[int]) -> None:
        """Tell what is connected that was not before."""
        found = {one.number: one for one in self._connections.look()}
        for number, pid in owners(frozenset(found), living).items() if found else ():
            one = found[number]
            if (pid, f" {one.address} {one.port}") in self._open:
                continue  # the hook has told it
            self._open[pid, f" {one.address} {one.port}"] = None
            protocol = "inet6" if ":" in one.address else "inet"
            self.emit("network.connect", self.processes.get(pid), address=one.address, port=one.port, protocol=protocol)

    def _deleted(self) -> None:
        """Tell scripts that were there when they began and are gone."""
        for path in [one for one in self._scripts if not os.path.lexists(one)]:
            known = self._scripts.pop(path)
            self._gone.add(path)
            self.emit("file.delete", known, path=path, path_class=self.class_of(path), dropped=path in self.written)

    def _forget(self, living: frozenset[int]) -> None:
        """Forget what is gone; processes stay as parents of others as long as one refers to them."""
        for pid in [one for one in self.processes if one not in living]:
            self.processes.pop(pid)
            self._shown.pop(pid, None)
            self._recorded.pop(pid, None)
        self._open = {key: None for key in self._open if key[0] in living}


def _command(pid: int) -> bytes:
    """The arguments as they stand in the process's memory; empty where it is gone."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read(_MOST_READ)
    except OSError:
        return b""


def _stack(pid: int) -> int:
    """Where the stack of a process begins (proc(5), `startstack`); 0 where this account may not know."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            cells = file.read(1024).rpartition(b")")[2].split()
    except OSError:
        return 0
    return int(cells[25]) if len(cells) > 25 and cells[25].isdigit() else 0


def _variables(pid: int) -> dict[str, str]:
    """The variables that package managers set, as a process was started with them."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            whole = file.read(_MOST_READ)
    except OSError:
        return {}
    found: dict[str, str] = {}
    for one in os.fsdecode(whole).split("\0"):
        if one.startswith(VARIABLES):
            name, _, value = one.partition("=")
            found[name] = value[:LONGEST_ARGUMENT]
    return found


def _flags(pid: int, number: str) -> int:
    """How a descriptor was opened (proc(5), fdinfo); 0 where that is gone."""
    try:
        with open(f"/proc/{pid}/fdinfo/{number}", "rb") as file:
            for line in file:
                if line.startswith(b"flags:"):
                    return int(line.split()[1], 8)
    except (OSError, ValueError, IndexError):
        return 0
    return 0
