"""From a waiting call to an event: what it is about, whether it matters, whether it is refused."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Callable, Mapping
from typing import Literal

from pratique.adapters.supervisor.calls import AUDIT_ARCH, O_WRITES, Call
from pratique.adapters.supervisor.defending import Defending
from pratique.adapters.supervisor.denying import Denying
from pratique.adapters.supervisor.kernel import Listener, Notification
from pratique.adapters.supervisor.programs import interpreter_of, is_interpreter, script_of
from pratique.adapters.supervisor.reaching import DONE
from pratique.adapters.supervisor.reading import Memory, link, placed, same_file
from pratique.adapters.supervisor.telling import OWN_FILES, TELLING, VARIABLES, Telling, named
from pratique.adapters.supervisor.traffic import Traffic
from pratique.adapters.supervisor.tree import Known, Tree, ticks
from pratique.model.event import Outcome
from pratique.model.supervision import Seen, Supervision, Told

_EMPTY_PATH = 0x1000
"""AT_EMPTY_PATH."""
_PATH_ONLY = 0o10000000
"""O_PATH."""

Verdict = int
"""0: the kernel carries the call out; else the errno that it fails with."""


class Watching(Telling):
    """Everything that is known of one run."""

    source = "notify"

    def __init__(self, request: Supervision, machine: str, listener: Listener, calls: Mapping[int, Call], told: Told):
        super().__init__(request, told)
        self.listener = listener
        self.calls = calls
        self.architecture = AUDIT_ARCH[machine]
        self.own = os.getpid()
        self.tree = Tree(self.own, request.confinement.spared if request.confinement is not None else ())
        self.notifications = 0
        self.unheld = 0
        self.denying = Denying(request.denials, listener, self._wrote, self._absolute, time.time(), request.given)
        self.traffic = Traffic(self)
        defending = Defending(self)
        self._ways: dict[str, Callable[[Notification, Call, Known], Verdict]] = {
            "execute": self._execute,
            "open": self._open,
            "connect": self.traffic.connect,
            "bind": self.traffic.bind,
            "send": self.traffic.send,
            "send-message": self.traffic.send_message,
            "delete": self._delete,
            "rename": self._rename,
            "link": self._rename,
            "mode": self._mode,
            "truncate": self._truncate,
            "memory": defending.memory_file,
            "handle": defending.handle,
            "trace": defending.trace,
            "kill": defending.kill,
            "session": defending.session,
            "unshare": defending.unshare,
            "ring": defending.ring,
            "forbidden": defending.forbidden,
            "socket": defending.socket,
            "end": defending.end,
        }

    # one call

    def handle(self, given: Notification) -> None:
        """Look at one waiting call, tell what it does, and let it go on or fail."""
        self.notifications += 1
        if not self.notifications % 20_000:
            self.tree.prune()
        verdict: Verdict = 0
        known = self.tree.of(given.thread)
        try:
            if given.architecture != self.architecture:
                self.gap(known, "foreign-calls", "calls of another architecture are not looked at")
                verdict = errno.ENOSYS if self.request.denials.any else 0
            else:
                call = self.calls.get(given.number)
                if call is not None:
                    verdict = self._ways[call.kind](given, call, known)
        finally:
            # Whatever happens here: a process never waits for an answer that does not come.
            if verdict == DONE:
                pass
            elif verdict > 0:
                self.listener.refuse(given.cookie, verdict)
            else:
                self.listener.proceed(given.cookie)

    def memory(self, known: Known) -> Memory:
        memory = self.tree.memory(known)
        if not memory.readable:
            self.gap(known, "memory", "its memory may not be read: arguments and paths are not known")
        return memory

    def _path(self, given: Notification, call: Call, known: Known, other: bool = False) -> str:
        """The absolute path that a call names."""
        argument = call.other_path if other else call.path
        folder = call.other_folder if other else call.folder
        text = self.memory(known).text(given.arguments[argument])
        return self._absolute(known, given.arguments[folder] if folder >= 0 else -1, text)

    def _absolute(self, known: Known, folder: int, text: str) -> str:
        if text.startswith("/") and "/." not in text and "//" not in text:
            return text
        return placed(known.pid, folder, text)

    def _there(self, known: Known, path: str) -> str:
        """A path of a process as this one can open it."""
        return same_file(known.pid, path, self.request.confinement is not None)

    # programs

    def _execute(self, given: Notification, call: Call, known: Known) -> Verdict:
        memory = self.memory(known)
        shift = 1 if call.name == "execveat" else 0
        named = memory.text(given.arguments[call.path])
        empty = bool(shift and not named and given.arguments[4] & _EMPTY_PATH)
        folder = given.arguments[0] if shift else -1
        path = link(f"/proc/{known.pid}/fd/{folder}") if empty else self._absolute(known, folder, named)
        arguments, cut = memory.arguments(given.arguments[1 + shift])
        environment = memory.variables(given.arguments[2 + shift], VARIABLES)
        if not self.listener.valid(given.cookie):
            return 0
        inside = path
        for prefix in ("/proc/self/fd/", f"/proc/{known.pid}/fd/", "/dev/fd/"):
            if path.startswith(prefix):
                inside = link(f"/proc/{known.pid}/fd/{path.removeprefix(prefix)}")
        held = inside.startswith(("/memfd:", "memfd:")) or inside.endswith(" (deleted)")
        if not held and not _may_run(self._there(known, inside)):
            return 0
        begun = self._begun(known, inside, arguments, cut, environment)
        if self._is_shell(begun, path):
            if begun.held is None and begun.bound:
                begun.held = self.denying.origins.holds_to(begun.folder, environment, self.request.folder)
            self._replace(known, begun)
            return 0
        self._unheld(known, begun)
        dropped = self._dropped(begun)
        verdict = self._refusal_of_program(begun, inside, held)
        outcome: Outcome = "denied" if verdict else "done"
        error = "EACCES" if verdict else ""
        about = begun.script if begun.script and dropped and not self._is_dropped(begun, inside) else inside
        if held:
            self.emit("memory.program", begun, outcome, path=inside, error=error, path_class="temporary", dropped=True)
        self.note_manager(begun)
        kind = self.class_of(about)
        self.emit("process.start", begun, outcome, path=about, path_class=kind, dropped=dropped, error=error)
        if not verdict:
            self._replace(known, begun)
        return verdict

    def _begun(
        self, known: Known, path: str, arguments: tuple[str, ...], cut: bool, environment: Mapping[str, str]
    ) -> Known:
        """The process as it will be when the program has begun."""
        begun = Known(known.pid, known.parent)
        begun.ticks = ticks(known.pid)
        begun.set_session, begun.gaps, begun.cause = known.set_session, known.gaps, known.cause
        begun.bound, begun.held = known.bound, known.held
        begun.executable = path
        begun.arguments, begun.cut = arguments, cut
        by = interpreter_of(self._there(known, path)) if not is_interpreter(path) else ""
        if by:
            begun.executable, begun.script = by, path
        else:
            script = script_of(path, arguments)
            begun.script = self._absolute(known, -1, script) if script else ""
        self.tree.placed(begun)
        above = known.parent.cause if known.parent is not None else None
        seen = Seen(begun.process(), environment, known.cause or above)
        begun.cause = self.request.attribute(seen)
        if begun.cause is not None and begun.cause.name and begun.cause.name not in begun.bound:
            if not begun.bound:
                self.denying.origins.begins(begun.folder)
            self.tree.bind(begun, self.denying.label(begun.cause, begun.folder))
        begun.shown = None
        return begun

    def _replace(self, known: Known, begun: Known) -> None:
        """Make a process what it is after an execution; those below it keep it as their parent."""
        self.tree.forget_memory(known)
        for name in (
            "executable",
            "arguments",
            "cut",
            "script",
            "cause",
            "bound",
            "held",
            "folder",
            "group",
            "session",
            "user",
            "ticks",
        ):
            setattr(known, name, getattr(begun, name))
        known.started = begun.started
        known.first = False
        known.shown = None
        self.traffic.forget(known.pid)

    def _wrote(self, path: str) -> bool:
        if path in self.written or self.request.confinement is not None:
            return path in self.written
        return os.path.islink(path) and os.path.realpath(path) in self.written

    def _dropped(self, begun: Known) -> bool:
        """Whether the program, or the script of its interpreter, was written during this run."""
        return any(self._is_dropped(begun, path) for path in (begun.executable, begun.script) if path)

    def _is_dropped(self, begun: Known, path: str) -> bool:
        """Whether a file was dropped, or is a link to one that was."""
        if self.is_dropped(begun, path) or self.request.confinement is not None:
            return self.is_dropped(begun, path)
        return os.path.islink(path) and self.is_dropped(begun, os.path.realpath(path))

    def _refusal_of_program(self, begun: Known, program: str, memory: bool) -> Verdict:
        """Whether a program is refused. Nothing sound: what is let go on is read again; see `execution`."""
        if not self.request.denials.dropped or not self.denying.applies(begun):
            return 0
        if memory or self.denying.origins.is_outside(begun, os.path.realpath(program)):
            return errno.EACCES
        for path in (begun.script, begun.executable):
            with contextlib.suppress(OSError):
                real = os.path.realpath(path) if path else ""
                if real and self.denying.origins.is_dropped(real, os.stat(real)):
                    return errno.EACCES
        return 0

    def _is_shell(self, begun: Known, path: str) -> bool:
        """Whether the supervisor's own script shell begins, which is no program of a package."""
        if not self.request.held_shell:
            return False
        if path == self.request.held_shell:
            with contextlib.suppress(OSError), open(path, "rb") as file:
                return file.read(1 << 16) == self.request.given.get(path)
            return False
        return bool(begun.script) and begun.script in self.request.given

    def _unheld(self, known: Known, begun: Known) -> None:
        """Count scripts of packages that something else than the supervisor's shell has started."""
        above = known.bound or (known.parent.bound if known.parent is not None else None)
        self.unheld += bool(begun.bound and not above)

    # files

    def _open(self, given: Notification, call: Call, known: Known) -> Verdict:
        if self.denying.applies(known):
            if call.name == "openat2":
                return errno.ENOSYS  # its flags lie in memory
            flags = given.arguments[call.flags] if call.flags >= 0 else O_WRITES
            written = self.request.denials.changes
            reads = flags & (os.O_WRONLY | os.O_RDWR) != os.O_WRONLY
            if (reads or written) and not flags & _PATH_ONLY:
                memory = self.memory(known)
                return self.denying.open(
                    given, call, known, memory, lambda path, error: self._opened(known, path, flags, error)
                )
        path = self._path(given, call, known)
        if call.name == "creat":
            flags = O_WRITES
        elif call.name == "openat2":
            flags = int.from_bytes(self.memory(known).bytes(given.arguments[2], 8), "little")
        else:
            flags = given.arguments[call.flags]
        if path in OWN_FILES or not path or flags & _PATH_ONLY:
            return 0
        kind = self.class_of(path)
        if flags & O_WRITES:
            if self.wrote(known, path, kind):
                self.emit("file.write", known, path=path, path_class=kind)
            return 0
        if not self.told_read(known, path, kind):
            return 0
        if os.path.lexists(self._there(known, path)):
            self.emit("file.read", known, path=path, path_class=kind)
        return 0

    def _opened(self, known: Known, path: str, flags: int, error: int) -> None:
        """Tell what was opened here for a process, or refused."""
        if path in OWN_FILES or not path:
            return
        kind = self.class_of(path)
        outcome: Outcome = "denied" if error else "done"
        name = errno.errorcode[error] if error else ""
        if flags & O_WRITES and not error:
            self.note_written(known, path)
            self.denying.origins.theirs.add(path)
            if kind != "system":
                self.emit("file.write", known, path=path, path_class=kind)
        elif error and flags & O_WRITES:
            self.emit("file.write", known, outcome, path=path, path_class=kind, error=name)
        elif error or self.told_read(known, path, kind):
            self.emit("file.read", known, outcome, path=path, path_class=kind, error=name)

    def _delete(self, given: Notification, call: Call, known: Known) -> Verdict:
        path = self._path(given, call, known)
        kind = self.class_of(path)
        there = False
        if kind in TELLING or named(known) or path == known.script:
            there = os.path.lexists(self._there(known, path))
        applies = self.request.denials.evidence and self.denying.applies(known)
        if not applies:
            if there:
                self.emit("file.delete", known, path=path, path_class=kind, dropped=path in self.written)
            return 0
        kept: list[str] = []
        verdict = self.denying.delete(given, call, known, self.memory(known), kept.append)
        for place in kept:
            self.emit("file.delete", known, "denied", path=place, path_class=self.class_of(place), error="EACCES")
        if there and not kept:
            self.emit("file.delete", known, path=path, path_class=kind, dropped=path in self.written)
        return verdict

    def _rename(self, given: Notification, call: Call, known: Known) -> Verdict:
        symbolic = call.name.startswith("symlink")
        before = self._path(given, call, known) if not symbolic else self.memory(known).text(given.arguments[call.path])
        after = self._path(given, call, known, other=True)
        if not self.denying.applies(known):
            self._renamed(call, known, before, after)
            return 0

        def refused(path: str) -> None:
            kind = self.class_of(path)
            self.emit("file.rename", known, "denied", path=before, target=path, path_class=kind, error="EACCES")

        begun = self.sequence
        verdict = self.denying.rename(given, call, known, self.memory(known), refused)
        if verdict == DONE and self.sequence == begun:
            self._renamed(call, known, before, after)
        return verdict

    def _renamed(self, call: Call, known: Known, before: str, after: str) -> None:
        """Tell that a file is, or is about to be, in another place too."""
        if self.denying.applies(known):
            self.denying.origins.theirs.add(after)
            if os.path.isdir(after) and after not in self.denying.origins.moved:
                self.denying.origins.moved.append(after)
        elif before in self.denying.origins.theirs:
            self.denying.origins.theirs.add(after)
        elif self.request.denials.dropped and call.kind == "rename" and os.path.isdir(before):
            self.denying.origins.carried.append((after, before))
        if self.moved(known, before, after, call.name):
            kind = self.class_of(after)
            self.emit("file.rename", known, path=before, target=after, path_class=kind, detail={"call": call.name})

    def _mode(self, given: Notification, call: Call, known: Known) -> Verdict:
        path = self._path(given, call, known)
        kind = self.class_of(path)
        if named(known) and (path in self.written or kind in TELLING):
            mode = oct(stat.S_IMODE(given.arguments[call.flags]))
            self.emit("file.mode", known, path=path, path_class=kind, dropped=True, detail={"mode": mode})
        return 0

    def _truncate(self, given: Notification, call: Call, known: Known) -> Verdict:
        path = self._path(given, call, known)
        verdict: Verdict = 0
        real = path
        if self.request.denials.changes and self.denying.applies(known):
            real, verdict = self.denying.truncate(given, call, known, self.memory(known))
            if not real:
                return verdict
        kind = self.class_of(real)
        outcome: Outcome = "denied" if verdict > 0 else "done"
        error = "EACCES" if verdict > 0 else ""
        self.note_written(known, real)
        if self.denying.applies(known):
            self.denying.origins.theirs.add(real)
        if kind in TELLING or named(known):
            self.emit("file.write", known, outcome, path=real, path_class=kind, error=error)
        return verdict


Level = Literal["all", "part", "none"]


def _may_run(path: str) -> bool:
    """Whether an execution of a path can succeed: most fail while a name is looked for along PATH."""
    try:
        found = os.stat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & 0o111)
