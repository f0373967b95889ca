"""From strace's lines to events: which process did it, what runs there, what it is about, whether it is told.

Nothing is read of a process but what strace wrote: it may be gone. The folder of a process is followed through `chdir`,
and corrected wherever `-y` writes it. Numbers of processes are those that strace sees; a process in a namespace of
numbers of its own returns others from `clone`, and its children are then found by the kernel's tables (proc(5)).
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from pratique.adapters.supervisor import dns
from pratique.adapters.supervisor.programs import interpreter_of, is_interpreter, script_of
from pratique.adapters.supervisor.reading import LONGEST_ARGUMENT, MOST_ARGUMENTS, status
from pratique.adapters.supervisor.strace_lines import (
    Begun,
    Call,
    ThreadEnded,
    address,
    is_cut,
    listed,
    messages,
    number,
    place,
    unescaped,
)
from pratique.adapters.supervisor.telling import OWN_FILES, TELLING, VARIABLES, Telling, named
from pratique.adapters.supervisor.tree import Known
from pratique.model.event import Cause, Outcome
from pratique.model.supervision import ENGINES, Seen, Supervision, Told

_FORKS = frozenset(("fork", "vfork", "clone", "clone3"))
_WRITES = re.compile(rb"O_(?:WRONLY|RDWR|CREAT|TRUNC)")
_SILENT = frozenset(("ENOENT", "ENOTDIR", "ENXIO", "ELOOP", "EINTR"))
"""Failures after which nothing is there."""
_INTERNET = ("inet", "inet6")
_VARIABLES = tuple(name.encode() for name in VARIABLES)
_DESCRIPTORS = re.compile(r"/(?:proc/(?:self|\d+)/fd|dev/fd)/(\d{1,9})")
_MOST_QUERY = 512


class Traced(Telling):
    """Everything that is known of one run under strace. `guards` are the processes that must not be touched."""

    source = "strace"

    def __init__(self, request: Supervision, told: Told, guards: frozenset[int], log: str) -> None:
        super().__init__(request, told)
        self.root = 0
        self.guards = guards
        self.log = log
        self.threads: dict[int, Known] = {}
        self._forking: dict[int, None] = {}
        self._sockets: dict[tuple[int, int], tuple[str, int | None]] = {}
        self._memory: dict[tuple[int, int], str] = {}
        self._ways: dict[str, Callable[[Call, Known], None]] = {
            "execve": self._execute,
            "execveat": self._execute,
            "chdir": self._chdir,
            "fchdir": self._fchdir,
            "open": self._open,
            "openat": self._open,
            "openat2": self._open,
            "creat": self._open,
            "truncate": self._truncate,
            "connect": self._connect,
            "bind": self._bind,
            "sendto": self._send,
            "sendmsg": self._send_message,
            "sendmmsg": self._send_message,
            "unlink": self._delete,
            "unlinkat": self._delete,
            "rmdir": self._delete,
            "chmod": self._mode,
            "fchmodat": self._mode,
            "fchmodat2": self._mode,
            "memfd_create": self._memory_file,
            "setsid": self._session,
            "setpgid": self._group,
            "ptrace": self._trace,
            "kill": self._kill,
            "tgkill": self._kill,
            "tkill": self._kill,
            "pidfd_open": self._kill,
            "io_uring_setup": self._ring,
        }
        for name in ("rename", "renameat", "renameat2", "link", "linkat", "symlink", "symlinkat"):
            self._ways[name] = self._rename

    def take(self, found: Call | ThreadEnded | Begun) -> None:
        """What a line tells."""
        thread = found.thread
        known = self.threads.get(thread)
        if known is None:
            known = self._appeared(thread)
        if isinstance(found, ThreadEnded):
            self.threads.pop(thread, None)
            self._forking.pop(thread, None)
            if thread == known.pid:
                self._forget(thread)
        elif isinstance(found, Begun):
            if found.name in _FORKS:
                self._forking[thread] = None
        elif found.name in _FORKS:
            self._forking.pop(thread, None)
            if found.result is not None and found.result > 0:
                self._forked(found, known)
        else:
            way = self._ways.get(found.name)
            if way is not None:
                way(found, known)

    def of(self, pid: int) -> Known:
        """The process of a number, also of one that no line spoke of."""
        return self.threads.get(pid) or self._appeared(pid)

    def tampered(self, what: str, known: Known | None = None) -> None:
        """Somebody worked against what watches."""
        self.emit("guard.tampering", known, detail={"what": what})

    # processes

    def _appeared(self, thread: int) -> Known:
        """A thread that was not known: the command itself, or a child whose parent's call is not finished yet."""
        if not self.root:
            self.root = thread
            known = Known(thread, None)
            known.folder, known.user = self.request.folder, os.getuid()
            known.group, known.session = os.getpgid(0), os.getsid(0)
            known.first = False
        else:
            known = self._child(thread, self._parent(thread))
        self.threads[thread] = known
        return known

    def _parent(self, thread: int) -> Known | None:
        """Who started a thread: who is in a call that starts one; of several, whom the kernel names."""
        waiting = [self.threads[one] for one in self._forking if one in self.threads]
        if len(waiting) == 1:
            return waiting[0]
        told = status(thread)
        parent = self.threads.get(int(told.get("PPid", 0)))
        return parent or (waiting[-1] if waiting else self.threads.get(self.root))

    def _child(self, pid: int, parent: Known | None) -> Known:
        known = Known(pid, parent)
        if parent is not None:
            known.executable, known.arguments, known.cut = parent.executable, parent.arguments, parent.cut
            known.script, known.folder, known.user = parent.script, parent.folder, parent.user
            known.group, known.session = parent.group, parent.session
            for (owner, descriptor), path in list(self._memory.items()):
                if owner == parent.pid:
                    self._memory[pid, descriptor] = path
        return known

    def _forked(self, call: Call, known: Known) -> None:
        """A process or thread was started: what was seen of it before may have been given to the wrong parent."""
        child = call.result or 0
        text = b"".join(call.arguments)
        if b"CLONE_THREAD" in text:
            self.threads[child] = known
            return
        parent = known.parent if b"CLONE_PARENT|" in text else known
        former = self.threads.get(child)
        if former is None:
            self.threads[child] = self._child(child, parent)
        elif former.first and former.parent is not parent and former.pid == child:
            former.parent, former.shown = parent, None
            former.cause = former.cause or (parent.cause if parent is not None else None)

    def _forget(self, pid: int) -> None:
        """Forget the descriptors of a process."""
        for table in (self._sockets, self._memory):
            for key in [one for one in table if one[0] == pid]:
                del table[key]

    # programs

    def _execute(self, call: Call, known: Known) -> None:
        shift = 1 if call.name == "execveat" else 0
        if call.result != 0 or len(call.arguments) < 3 + shift:
            if call.error and call.error not in (*_SILENT, "EACCES", "ENOEXEC"):
                path = self._path(known, call.arguments[: 1 + shift])
                kind = self.class_of(path)
                self.emit("process.start", known, "failed", path=path, path_class=kind, error=call.error)
            return
        path = self._path(known, call.arguments[: 1 + shift])
        descriptor = number(call.arguments[0]) if shift and not unescaped(call.arguments[1]) else None
        inside = _DESCRIPTORS.fullmatch(path)
        if inside is not None:
            descriptor = int(inside[1])
        held = (known.pid, descriptor or -1) in self._memory
        if held:
            path = self._memory[known.pid, descriptor or -1]
        words = listed(call.arguments[1 + shift])
        begun = self._begun(call.thread, known, path, words)
        begun.cause = self._cause(begun, known, listed(call.arguments[2 + shift]))
        self.threads = {one: whom for one, whom in self.threads.items() if whom is not known}
        self.threads[begun.pid] = begun
        self.note_manager(begun)
        dropped = any(self.is_dropped(begun, one) for one in (begun.executable, begun.script) if one)
        if held:
            self.emit("memory.program", begun, path=path, path_class="temporary", dropped=True)
        about = begun.script if self.is_dropped(begun, begun.script) and not self.is_dropped(begun, path) else path
        self.emit("process.start", begun, path=about, path_class=self.class_of(about), dropped=dropped)

    def _begun(self, thread: int, known: Known, path: str, words: list[bytes]) -> Known:
        """The process as it is now that the program has begun. The process that it was stays as others' parent."""
        begun = Known(known.pid, known.parent)
        begun.folder, begun.group, begun.session, begun.user = known.folder, known.group, known.session, known.user
        begun.gaps, begun.set_session, begun.first = known.gaps, known.set_session, False
        begun.arguments = tuple(os.fsdecode(unescaped(one)[:LONGEST_ARGUMENT]) for one in words[:MOST_ARGUMENTS])
        begun.cut = len(words) > MOST_ARGUMENTS or any(is_cut(one) for one in words)
        begun.executable = path
        by = interpreter_of(path) if not is_interpreter(path) else ""
        if by:
            begun.executable, begun.script = by, path
        else:
            script = script_of(path, begun.arguments)
            begun.script = os.path.normpath(os.path.join(begun.folder, script)) if script else ""
        return begun

    def _cause(self, begun: Known, known: Known, variables: list[bytes]) -> Cause | None:
        """What caused a program to begin."""
        given: dict[str, str] = {}
        for one in variables:
            if one.startswith(b'"') and one.startswith(_VARIABLES, 1):
                name, _, value = os.fsdecode(unescaped(one)).partition("=")
                given[name] = value[:LONGEST_ARGUMENT]
        above = known.parent.cause if known.parent is not None else None
        return self.request.attribute(Seen(begun.process(), given, known.cause or above))

    def _chdir(self, call: Call, known: Known) -> None:
        if call.result == 0:
            known.folder, known.shown = self._path(known, call.arguments), None

    def _fchdir(self, call: Call, known: Known) -> None:
        if call.result == 0 and call.arguments and place(call.arguments[0]):
            known.folder, known.shown = os.fsdecode(place(call.arguments[0])), None

    def _session(self, call: Call, known: Known) -> None:
        if call.result is not None and call.result > 0:
            known.session = known.group = known.pid
            known.set_session, known.shown = True, None

    def _group(self, call: Call, known: Known) -> None:
        if call.result == 0 and len(call.arguments) == 2:
            whom = self.threads.get(number(call.arguments[0]) or known.pid, known)
            whom.group, whom.shown = number(call.arguments[1]) or whom.pid, None

    def _trace(self, call: Call, known: Known) -> None:
        target = number(call.arguments[1]) if len(call.arguments) > 1 else None
        if target in self.guards:
            self.tampered("ptrace of the guard", known)

    def _kill(self, call: Call, known: Known) -> None:
        """A signal, or a descriptor by which one is sent."""
        target = number(call.arguments[0]) if call.arguments else None
        last = call.arguments[-1] if call.arguments else b"0"
        sends = call.name == "pidfd_open" or last != b"0"
        if sends and (target in self.guards or (target == -1 and call.name == "kill")):
            self.tampered(f"{call.name} of the guard: {os.fsdecode(last)[:40]}", known)

    def _ring(self, call: Call, known: Known) -> None:
        if call.error == "ENOSYS":
            self.gap(known, "io_uring", "got ENOSYS: what is done by it would not be seen")
        elif call.result is not None and call.result >= 0:
            self.gap(known, "io_uring", "what is done by it is not seen")

    # files

    def _path(self, known: Known, arguments: tuple[bytes, ...]) -> str:
        """The absolute path that arguments name: a path, or a folder's descriptor and a path."""
        if not arguments:
            return ""
        folder = known.folder
        text = os.fsdecode(unescaped(arguments[-1]))
        if len(arguments) > 1:
            given = os.fsdecode(place(arguments[-2]))
            if arguments[-2].startswith(b"AT_FDCWD") and given and given != known.folder:
                known.folder, known.shown = given, None
            folder = given or (known.folder if arguments[-2].startswith(b"AT_FDCWD") else "")
        if text.startswith("/") and "/." not in text and "//" not in text:
            return text
        whole = os.path.join(folder, text) if text else folder
        return os.path.normpath(whole) if whole.startswith("/") else ""

    def _open(self, call: Call, known: Known) -> None:
        at = 1 if call.name.startswith("openat") else 0
        if len(call.arguments) < at + 1 or call.result is None:
            return
        flags = b"O_CREAT" if call.name == "creat" else b" ".join(call.arguments[at + 1 : at + 2])
        path = self._path(known, call.arguments[: at + 1])
        if not path or path in OWN_FILES or b"O_PATH" in flags or call.error in _SILENT:
            return
        if path == self.log:
            self.tampered("the file of what strace writes was opened", known)
        kind = self.class_of(path)
        outcome: Outcome = "failed" if call.error else "done"
        if _WRITES.search(flags):
            if call.error:
                told = kind in TELLING
            else:
                told = self.wrote(known, path, kind)
                if call.place and os.fsdecode(call.place) != path:
                    self.note_written(known, os.fsdecode(call.place))
            if told:
                self.emit("file.write", known, outcome, path=path, path_class=kind, error=call.error)
        elif self.request.reads and self.told_read(known, path, kind):
            self.emit("file.read", known, outcome, path=path, path_class=kind, error=call.error)

    def _truncate(self, call: Call, known: Known) -> None:
        if call.result == 0:
            path = self._path(known, call.arguments[:1])
            kind = self.class_of(path)
            if self.wrote(known, path, kind):
                self.emit("file.write", known, path=path, path_class=kind)

    def _delete(self, call: Call, known: Known) -> None:
        if call.result != 0:
            return
        path = self._path(known, call.arguments[: 2 if call.name == "unlinkat" else 1])
        kind = self.class_of(path)
        if kind in TELLING or named(known) or path == known.script:
            self.emit("file.delete", known, path=path, path_class=kind, dropped=path in self.written)

    def _rename(self, call: Call, known: Known) -> None:
        given = call.arguments
        if call.result != 0 or len(given) < 2:
            return
        if call.name == "symlinkat":
            before, after = os.fsdecode(unescaped(given[0])), self._path(known, given[1:3])
        elif len(given) >= 4:
            before, after = self._path(known, given[:2]), self._path(known, given[2:4])
        else:
            symbolic = call.name == "symlink"
            before = os.fsdecode(unescaped(given[0])) if symbolic else self._path(known, given[:1])
            after = self._path(known, given[1:2])
        if self.moved(known, before, after, call.name):
            kind = self.class_of(after)
            self.emit("file.rename", known, path=before, target=after, path_class=kind, detail={"call": call.name})

    def _mode(self, call: Call, known: Known) -> None:
        at = 0 if call.name == "chmod" else 1
        if call.result != 0 or len(call.arguments) < at + 2:
            return
        path = self._path(known, call.arguments[: at + 1])
        kind = self.class_of(path)
        if named(known) and (path in self.written or kind in TELLING):
            mode = os.fsdecode(call.arguments[at + 1])
            mode = f"0o{mode.lstrip('0')}" if mode.isdecimal() else mode[:40]
            self.emit("file.mode", known, path=path, path_class=kind, dropped=True, detail={"mode": mode})

    def _memory_file(self, call: Call, known: Known) -> None:
        if call.result is not None and call.result >= 0 and call.arguments:
            name = os.fsdecode(unescaped(call.arguments[0]))
            self._memory[known.pid, call.result] = f"/memfd:{name} (deleted)"

    # the network

    def _connect(self, call: Call, known: Known) -> None:
        if len(call.arguments) < 2:
            return
        family, host, port = address(call.arguments[1])
        outcome: Outcome = "done" if call.result == 0 else "failed" if call.error != "EINPROGRESS" else "unknown"
        error = call.error if outcome == "failed" else ""
        if family in _INTERNET:
            self._sockets[known.pid, number(call.arguments[0]) or 0] = (host, port)
            self.emit("network.connect", known, outcome, address=host, port=port, protocol=family, error=error)
        elif family == "unix" and any(word in host for word in ENGINES[:-2]):
            self.emit("network.connect", known, outcome, address=host, protocol="unix", error=error)

    def _bind(self, call: Call, known: Known) -> None:
        family, host, port = address(call.arguments[1]) if len(call.arguments) > 1 else ("", "", None)
        if call.result == 0 and family in _INTERNET and port and named(known):
            self.emit("network.listen", known, address=host, port=port, protocol=family)

    def _send(self, call: Call, known: Known) -> None:
        if len(call.arguments) >= 5:
            self._sent(call, known, call.arguments[4], call.arguments[1])

    def _send_message(self, call: Call, known: Known) -> None:
        if len(call.arguments) >= 2:
            for to, content in messages(call.arguments[1]):
                self._sent(call, known, to, content)

    def _sent(self, call: Call, known: Known, to: bytes, content: bytes) -> None:
        """Something was sent, to an address of its own or to that of a connected socket."""
        family, host, port = address(to)
        own = family in _INTERNET
        if not own:
            host, port = self._sockets.get((known.pid, number(call.arguments[0]) or 0), ("", None))
        outcome: Outcome = "failed" if call.error else "done"
        if own:
            self.emit("network.connect", known, outcome, address=host, port=port, protocol="udp", error=call.error)
        name = dns.question(unescaped(content)[:_MOST_QUERY]) if port == dns.PORT else ""
        if name:
            self.emit("network.name", known, outcome, address=host, port=port, protocol="udp", host=name)
