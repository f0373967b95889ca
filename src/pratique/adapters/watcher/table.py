"""All processes of this machine as they are known: who started whom, what each runs, what caused it.

A process keeps its line of ancestors after these ended, so that what was detached is still known for what it came from.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from pratique.adapters.supervisor.reading import link
from pratique.adapters.watcher import reading
from pratique.ecosystems.secrets_told import without_secrets
from pratique.ecosystems.watched import is_watched, program_name
from pratique.model.event import Ancestor, Cause, Process
from pratique.model.supervision import Seen

MOST_ANCESTORS = 16
MARKS = (b"npm_", b"PNPM_", b"YARN_", b"BUN_", b"PIP_", b"PEP517_", b"_PYPROJECT_HOOKS", b"UV_", b"INIT_CWD")
"""Beginnings of the variables by which package managers tell their scripts what they are."""
_DEEPEST = 256
"""A line of ancestors is cut when it has grown so long: a program may start itself anew for ever."""
_FRESH = 4
"""So many polls a new process is looked at again: it may begin its program a little later."""


class Known:
    """One process. `watched`: it, or one above it, is a program whose children are looked at."""

    __slots__ = (
        "arguments", "cause", "cut", "deleted", "depth", "executable", "folder", "fresh", "group", "name", "own",
        "parent", "pid", "read", "script", "session", "shown", "space", "ticks", "user", "watched",
    )  # fmt: skip

    def __init__(self, pid: int, parent: Known | None, ticks: int) -> None:
        self.pid, self.ticks = pid, ticks
        self.depth: int = parent.depth + 1 if parent is not None else 0
        if parent is not None and self.depth > _DEEPEST:
            parent = _shortened(parent)
            self.depth = MOST_ANCESTORS + 1
        self.parent = parent
        self.executable: str = parent.executable if parent is not None else ""
        self.arguments: tuple[str, ...] = parent.arguments if parent is not None else ()
        self.script: str = parent.script if parent is not None else ""
        self.name: str = parent.name if parent is not None else ""
        self.folder: str = parent.folder if parent is not None else ""
        self.cause: Cause | None = parent.cause if parent is not None else None
        self.watched: bool = parent.watched if parent is not None else False
        self.own: bool = parent.own if parent is not None else False
        self.space: str = parent.space if parent is not None else ""
        self.cut = self.deleted = False
        self.read = True
        self.group = self.session = 0
        self.user: int | None = None
        self.fresh = _FRESH
        self.shown: Process | None = None

    def process(self) -> Process:
        """The process as it is known now; secrets that are recognised in its arguments are replaced."""
        if self.shown is None:
            self.shown = Process(
                pid=self.pid,
                parent=self.parent.pid if self.parent is not None else 0,
                group=self.group,
                session=self.session,
                user=self.user,
                executable=self.executable,
                arguments=without_secrets(self.arguments),
                folder=self.folder,
                script=self.script,
                started_ns=reading.moment_of(self.ticks) if self.ticks else 0,
                ancestors=self.ancestors(),
                cut=self.cut,
            )
        return self.shown

    def ancestors(self) -> tuple[Ancestor, ...]:
        """The processes above, nearest first."""
        found: list[Ancestor] = []
        above = self.parent
        while above is not None and len(found) < MOST_ANCESTORS:
            found.append(Ancestor(above.pid, above.executable, above.name))
            above = above.parent
        return tuple(found)


def _shortened(known: Known) -> Known:
    """A process, with no more ancestors above it than are told."""
    above: Known | None = known
    for _ in range(MOST_ANCESTORS - 1):
        above = above.parent if above is not None else None
    if above is not None:
        above.parent = None
    known.depth = MOST_ANCESTORS
    return known


class Table:
    """Every process that is there. `attribute` gives the cause of one that begins a program below a watched one."""

    def __init__(self, attribute: Callable[[Seen], Cause | None]) -> None:
        self.attribute = attribute
        self.known: dict[int, Known] = {}
        self.unread = 0
        """Programs that had ended before their arguments could be read."""
        self.hidden = 0
        """Programs whose file this account may not see."""
        self._own = os.getpid()
        self._watched: dict[int, Known] = {}
        self._newest = b""
        self._fresh = False

    def fill(self) -> None:
        """Take in what runs now. None of it is told."""
        for pid in _numbers():
            self._taken(pid)

    def watched(self) -> list[Known]:
        """Those that are, or were started below, a program whose children are looked at."""
        for pid in [pid for pid, known in self._watched.items() if self.known.get(pid) is not known]:
            del self._watched[pid]
        return [known for known in self._watched.values() if known.watched and not known.own]

    def begun(self, pid: int, program: reading.Program) -> Known | None:
        """A process began a program, as it was read at once. None for this program's own."""
        known = self.known.get(pid)
        if known is None:
            known = self._new(pid)
        else:
            found = reading.stat_of(pid)
            if found is not None and known.ticks and found.ticks != known.ticks:
                known = self._new(pid)
            elif found is not None:
                known.ticks, known.group, known.session = found.ticks, found.group, found.session
        if known.own:
            return None
        self._read(known, program)
        return known

    def forked(self, pid: int, parent: int) -> None:
        """A process began as a copy of another: it runs what that one runs."""
        above = self.known.get(parent) or self._taken(parent)
        known = self.known[pid] = Known(pid, above, 0)
        if known.watched:
            self._watched[pid] = known

    def ended(self, pid: int) -> Known | None:
        """A process ended; those below it keep it as what started them."""
        return self.known.pop(pid, None)

    def polled(self) -> tuple[list[Known], list[Known]]:
        """What began a program, and what ended, since the last look, by the list of processes alone."""
        begun: list[Known] = []
        newest = _newest()
        if newest and newest == self._newest and not self._fresh:
            return [], []  # no process began; what ended is found out by the check of all
        self._newest = newest
        now = _numbers()
        here = set(now)
        gone = [self.known.pop(pid) for pid in list(self.known) if pid not in here]
        for pid in now:
            known = self.known.get(pid)
            if known is not None and not known.fresh:
                continue
            if known is None:
                known = self._new(pid)
                if known.own or self.known.get(pid) is not known:
                    continue
                if self._differs(known):
                    self._read(known)
                    begun.append(known)
                continue
            known.fresh -= 1
            if not known.own and self._differs(known):
                self._read(known)
                begun.append(known)
        self._fresh = any(known.fresh for known in self.known.values())
        return begun, gone

    def checked(self, known: Known) -> Known | None:
        """A process that was looked at before: the same if it runs something else by now, or a new one of its number.

        None where nothing changed, and where it ended.
        """
        found = reading.stat_of(known.pid)
        if found is None or known.own:
            return None
        if known.ticks and found.ticks != known.ticks:
            known = self._new(known.pid)
            if known.own:
                return None
            self._read(known)
            return known
        known.ticks = found.ticks
        if self._differs(known):
            self._read(known)
            return known
        return None

    def _differs(self, known: Known) -> bool:
        executable = reading.executable_of(known.pid)
        if not executable:
            return False
        if executable.removesuffix(reading.DELETED) != known.executable.removesuffix(reading.DELETED):
            return True
        arguments, _ = reading.arguments_of(known.pid)
        # A title that a program gave itself (npm, postgres) is one argument; it is no other program.
        return bool(arguments) and arguments != known.arguments and len(arguments) > 1

    def _taken(self, pid: int) -> Known | None:
        """A process that was there before, with those above it."""
        if pid <= 0:
            return None
        known = self.known.get(pid)
        if known is not None:
            return known
        known = self._new(pid)
        if pid in self.known and not known.own:
            self._read(known, counted=False)
        known.fresh = 0
        return known if pid in self.known else None

    def _new(self, pid: int) -> Known:
        """A process under a number that was not taken, or was another one's."""
        found = reading.stat_of(pid)
        if found is None:
            known = Known(pid, None, 0)
            known.executable = known.name = ""
            self.known[pid] = known
            return known
        self.known.pop(pid, None)
        parent = self._taken(found.parent) if found.parent != pid else None
        known = Known(pid, parent, found.ticks)
        known.own = pid == self._own or (parent is not None and parent.own)
        known.group, known.session = found.group, found.session
        self.known[pid] = known
        return known

    def _read(self, known: Known, program: reading.Program | None = None, *, counted: bool = True) -> None:
        """What a process runs, as far as it can still be seen."""
        program = program or reading.program_of(known.pid)
        known.read = bool(program.arguments)
        known.deleted = False
        known.shown = None
        if not program.executable and not program.arguments:
            known.executable, known.arguments, known.script, known.name, known.cut = "", (), "", "", False
            if counted:
                self.unread += 1
            return
        if not program.executable and counted:
            self.hidden += 1
        if counted and not program.arguments:
            self.unread += 1
        known.executable, known.arguments = program.executable, program.arguments
        known.cut, known.folder, known.script = program.cut, program.folder, program.script
        known.name = program_name(program.executable, program.arguments, program.script)
        known.user = reading.user_of(known.pid)
        above = known.parent
        known.watched = is_watched(known.name) or (above is not None and above.watched)
        known.cause = above.cause if above is not None else None
        if known.watched:
            self._watched[known.pid] = known
            known.space = link(f"/proc/{known.pid}/ns/net")
            seen = Seen(known.process(), reading.variables_of(known.pid, MARKS), known.cause)
            known.cause = self.attribute(seen)
            known.shown = None


def _newest() -> bytes:
    """The number that was given to a process last (proc_loadavg(5)); empty where it cannot be read."""
    try:
        descriptor = os.open("/proc/loadavg", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(descriptor, 200).split()[-1]
    except (OSError, IndexError):
        return b""
    finally:
        os.close(descriptor)


def _numbers() -> list[int]:
    """The numbers of all processes, smallest first."""
    return sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
