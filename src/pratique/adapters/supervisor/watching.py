"""From a waiting call to an event: what it is about, whether it matters, whether it is refused."""

from __future__ import annotations

import errno
import os
import stat
import struct
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from pratique.adapters.supervisor import dns
from pratique.adapters.supervisor.calls import AUDIT_ARCH, O_WRITES, Call
from pratique.adapters.supervisor.kernel import Listener, Notification
from pratique.adapters.supervisor.programs import interpreter_of, is_interpreter, script_of
from pratique.adapters.supervisor.reading import Memory, link, placed, same_file, socket_address
from pratique.adapters.supervisor.tree import Known, Tree, ticks
from pratique.model.event import Event, EventKind, Outcome, PathClass
from pratique.model.supervision import Seen, Supervision, Told

TELLING = ("credential", "persistence")
"""Classes of paths of which every use is told, whoever it is."""
_EMPTY_PATH = 0x1000
"""AT_EMPTY_PATH."""
_PATH_ONLY = 0o10000000
"""O_PATH."""
_MOST_ADDRESS = 128
_MOST_QUERY = 512
_MESSAGE = struct.Struct("=QIxxxxQQ")
"""The first fields of `struct msghdr`: name, its length, vectors, their number."""
VARIABLES = ("npm_", "PNPM_", "YARN_", "BUN_", "PIP_", "PEP517_", "_PYPROJECT_HOOKS", "UV_", "INIT_CWD")
"""Variables by which package managers tell their scripts what they are."""

Verdict = int
"""0: the kernel carries the call out; else the errno that it fails with."""


class Watching:
    """Everything that is known of one run."""

    def __init__(self, request: Supervision, machine: str, listener: Listener, calls: Mapping[int, Call], told: Told):
        self.request = request
        self.listener = listener
        self.calls = calls
        self.architecture = AUDIT_ARCH[machine]
        self.told = told
        self.own = os.getpid()
        self.tree = Tree(self.own, request.confinement.spared if request.confinement is not None else ())
        self.sequence = 0
        self.notifications = 0
        self.gaps: dict[str, int] = {}
        self.written: dict[str, int] = {}
        self._sockets: dict[tuple[int, int], tuple[str, int | None]] = {}
        self._ways: dict[str, Callable[[Notification, Call, Known], Verdict]] = {
            "execute": self._execute,
            "open": self._open,
            "connect": self._connect,
            "bind": self._bind,
            "send": self._send,
            "send-message": self._send_message,
            "delete": self._delete,
            "rename": self._rename,
            "link": self._rename,
            "mode": self._mode,
            "truncate": self._truncate,
            "memory": self._nothing,
            "trace": self._trace,
            "kill": self._kill,
            "session": self._session,
            "unshare": self._unshare,
            "ring": self._ring,
            "forbidden": self._forbidden,
        }
        self.own_files = {"/dev/null", "/dev/tty", "/dev/zero", "/dev/stdout", "/dev/stderr"}

    # telling

    def emit(self, kind: EventKind, known: Known | None, outcome: Outcome = "done", **fields: Any) -> None:
        """Tell an event of a process."""
        self.sequence += 1
        self.told(
            Event(
                kind=kind,
                source="notify",
                sequence=self.sequence,
                time_ns=time.time_ns(),
                process=known.process() if known is not None else None,
                cause=known.cause if known is not None else None,
                outcome=outcome,
                **fields,
            )
        )

    def gap(self, known: Known, what: str, why: str, **detail: str) -> None:
        """Tell once for each process that something cannot be seen."""
        self.gaps[what] = self.gaps.get(what, 0) + 1
        if what not in known.gaps:
            known.gaps.add(what)
            self.emit("guard.gap", known, "unknown", detail={"what": what, "why": why, **detail})

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
            else:
                call = self.calls.get(given.number)
                if call is not None:
                    verdict = self._ways[call.kind](given, call, known)
        finally:
            # Whatever happens here: a process never waits for an answer that does not come.
            if verdict > 0:
                self.listener.refuse(given.cookie, verdict)
            else:
                self.listener.proceed(given.cookie)

    def _memory(self, known: Known) -> Memory:
        memory = self.tree.memory(known)
        if not memory.readable:
            self.gap(known, "memory", "its memory may not be read: arguments and paths are not known")
        return memory

    def _path(self, given: Notification, call: Call, known: Known, other: bool = False) -> str:
        """The absolute path that a call names."""
        argument = call.other_path if other else call.path
        folder = call.other_folder if other else call.folder
        text = self._memory(known).text(given.arguments[argument])
        return self._absolute(known, given.arguments[folder] if folder >= 0 else -1, text)

    def _absolute(self, known: Known, folder: int, text: str) -> str:
        if text.startswith("/") and "/." not in text and "//" not in text:
            return text
        return placed(known.pid, folder, text)

    def _there(self, known: Known, path: str) -> str:
        """A path of a process as this one can open it."""
        return same_file(known.pid, path, self.request.confinement is not None)

    def _class(self, path: str) -> PathClass:
        return self.request.classify(path)

    # programs

    def _execute(self, given: Notification, call: Call, known: Known) -> Verdict:
        memory = self._memory(known)
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
        dropped = self._dropped(begun)
        verdict = self._refusal_of_program(begun, dropped)
        outcome: Outcome = "denied" if verdict else "done"
        error = "EACCES" if verdict else ""
        about = begun.script if begun.script and dropped and not self._wrote(inside) else inside
        if held:
            self.emit("memory.program", begun, outcome, path=inside, error=error, path_class="temporary", dropped=True)
        kind = self._class(about)
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
        for key in [one for one in self._sockets if one[0] == known.pid]:
            del self._sockets[key]

    def _wrote(self, path: str) -> bool:
        if path in self.written or self.request.confinement is not None:
            return path in self.written
        return os.path.islink(path) and os.path.realpath(path) in self.written

    def _dropped(self, begun: Known) -> bool:
        """Whether the program, or the script of its interpreter, was written during this run."""
        return self._wrote(begun.executable) or bool(begun.script and self._wrote(begun.script))

    def _refusal_of_program(self, begun: Known, dropped: bool) -> Verdict:
        if not (self.request.denials.dropped and dropped and begun.cause is not None and begun.cause.name):
            return 0
        what = begun.script if begun.script and self._wrote(begun.script) else begun.executable
        return 0 if self._class(what) in ("package", "manifest", "project", "system") else errno.EACCES

    # files

    def _open(self, given: Notification, call: Call, known: Known) -> Verdict:
        path = self._path(given, call, known)
        if call.name == "creat":
            flags = O_WRITES
        elif call.name == "openat2":
            flags = int.from_bytes(self._memory(known).bytes(given.arguments[2], 8), "little")
        else:
            flags = given.arguments[call.flags]
        if path in self.own_files or not path or flags & _PATH_ONLY:
            return 0
        kind = self._class(path)
        if flags & O_WRITES:
            if path not in self.written:
                self.written[path] = known.pid
            elif kind not in TELLING and known.cause is None:
                return 0
            if kind in TELLING or (known.cause is not None and known.cause.name and kind != "system"):
                self.emit("file.write", known, path=path, path_class=kind)
            return 0
        if kind not in TELLING and not (known.cause is not None and known.cause.name and self._told_read(path, kind)):
            return 0
        verdict = self._refusal_of_reading(path, known)
        if verdict or os.path.lexists(self._there(known, path)):
            outcome: Outcome = "denied" if verdict else "done"
            error = errno.errorcode[verdict] if verdict else ""
            self.emit("file.read", known, outcome, path=path, path_class=kind, error=error)
        return verdict

    def _told_read(self, path: str, kind: PathClass) -> bool:
        """Whether a package's script reading a file is told: what this run wrote in temporary folders."""
        return kind == "temporary" and path in self.written

    def _refusal_of_reading(self, path: str, known: Known) -> Verdict:
        if known.cause is None or not known.cause.name or not self.request.denials.reads:
            return 0
        denied = any(path == one or path.startswith(one.rstrip("/") + "/") for one in self.request.denials.reads)
        return errno.EACCES if denied else 0

    def _delete(self, given: Notification, call: Call, known: Known) -> Verdict:
        path = self._path(given, call, known)
        kind = self._class(path)
        if kind in TELLING or (known.cause is not None and known.cause.name) or path == known.script:
            there = os.path.lexists(self._there(known, path))
            if there:
                self.emit("file.delete", known, path=path, path_class=kind, dropped=path in self.written)
        return 0

    def _rename(self, given: Notification, call: Call, known: Known) -> Verdict:
        symbolic = call.name.startswith("symlink")
        before = (
            self._path(given, call, known) if not symbolic else self._memory(known).text(given.arguments[call.path])
        )
        after = self._path(given, call, known, other=True)
        if not symbolic and before in self.written:
            self.written[after] = self.written[before]
            if call.kind == "rename":
                del self.written[before]
        elif call.kind == "link":
            self.written.setdefault(after, known.pid)
        kind = self._class(after)
        if kind in TELLING or (known.cause is not None and known.cause.name):
            self.emit("file.rename", known, path=before, target=after, path_class=kind, detail={"call": call.name})
        return 0

    def _mode(self, given: Notification, call: Call, known: Known) -> Verdict:
        path = self._path(given, call, known)
        kind = self._class(path)
        if known.cause is not None and known.cause.name and (path in self.written or kind in TELLING):
            mode = oct(stat.S_IMODE(given.arguments[call.flags]))
            self.emit("file.mode", known, path=path, path_class=kind, dropped=True, detail={"mode": mode})
        return 0

    def _truncate(self, given: Notification, call: Call, known: Known) -> Verdict:
        path = self._path(given, call, known)
        kind = self._class(path)
        self.written.setdefault(path, known.pid)
        if kind in TELLING or (known.cause is not None and known.cause.name):
            self.emit("file.write", known, path=path, path_class=kind)
        return 0

    # the network

    def _connect(self, given: Notification, call: Call, known: Known) -> Verdict:
        length = min(given.arguments[2], _MOST_ADDRESS)
        family, address, port = socket_address(self._memory(known).bytes(given.arguments[1], length))
        if not self.listener.valid(given.cookie):
            return 0
        if family in ("inet", "inet6"):
            self._reached(address, port)
            self._sockets[known.pid, given.arguments[0]] = (address, port)
            self.emit("network.connect", known, "unknown", address=address, port=port, protocol=family)
        elif family == "unix" and any(word in address for word in _ENGINES):
            self.emit("network.connect", known, "unknown", address=address, protocol="unix")
        return 0

    def _bind(self, given: Notification, call: Call, known: Known) -> Verdict:
        length = min(given.arguments[2], _MOST_ADDRESS)
        family, address, port = socket_address(self._memory(known).bytes(given.arguments[1], length))
        if family in ("inet", "inet6") and port and known.cause is not None and known.cause.name:
            self.emit("network.listen", known, "unknown", address=address, port=port, protocol=family)
        return 0

    def _send(self, given: Notification, call: Call, known: Known) -> Verdict:
        memory = self._memory(known)
        family, address, port = socket_address(memory.bytes(given.arguments[4], min(given.arguments[5], _MOST_ADDRESS)))
        if family in ("inet", "inet6"):
            query = memory.bytes(given.arguments[1], min(given.arguments[2], _MOST_QUERY)) if port == dns.PORT else b""
            self._sent(known, address, port, query)
        return 0

    def _send_message(self, given: Notification, call: Call, known: Known) -> Verdict:
        memory = self._memory(known)
        header = memory.bytes(given.arguments[1], _MESSAGE.size)
        if len(header) < _MESSAGE.size:
            return 0
        name, length, vectors, count = _MESSAGE.unpack(header)
        address, port = self._sockets.get((known.pid, given.arguments[0]), ("", None))
        named = False
        if name and length:
            family, to, at = socket_address(memory.bytes(name, min(length, _MOST_ADDRESS)))
            if family in ("inet", "inet6"):
                address, port, named = to, at, True
        if not named and port != dns.PORT:
            return 0
        first = memory.bytes(vectors, 16) if count else b""
        query = b""
        if port == dns.PORT and len(first) == 16:
            begin, size = struct.unpack("=QQ", first)
            query = memory.bytes(begin, min(size, _MOST_QUERY))
        self._sent(known, address, port, query, connected=not named)
        return 0

    def _reached(self, address: str, port: int | None) -> None:
        """Let a sandbox know where something is about to go."""
        if self.request.confinement is not None and port:
            self.request.confinement.reached(address, port)

    def _sent(self, known: Known, address: str, port: int | None, query: bytes, connected: bool = False) -> None:
        if not connected:
            self._reached(address, port)
            self.emit("network.connect", known, "unknown", address=address, port=port, protocol="udp")
        host = dns.question(query)
        if host:
            self.emit("network.name", known, "unknown", address=address, port=port, protocol="udp", host=host)

    # the guard itself

    def _nothing(self, given: Notification, call: Call, known: Known) -> Verdict:
        return 0

    def _trace(self, given: Notification, call: Call, known: Known) -> Verdict:
        target = given.arguments[0 if call.name == "process_vm_writev" else 1] & 0xFFFFFFFF
        if self.request.confinement is not None:
            # Numbers of processes are those of the sandbox: none of them is this process.
            return 0
        if target == self.own:
            self.emit("guard.tampering", known, "denied", error="EPERM", detail={"what": f"{call.name} of the guard"})
            return errno.EPERM
        return 0

    def _kill(self, given: Notification, call: Call, known: Known) -> Verdict:
        target = struct.unpack("=i", struct.pack("=I", given.arguments[0] & 0xFFFFFFFF))[0]
        number = given.arguments[2 if call.name == "tgkill" else 1] & 0xFF
        if self.request.confinement is not None:
            return 0
        if call.name == "pidfd_send_signal":
            target = _of_descriptor(known.pid, target)
        if number and target in (self.own, -1):
            self.emit(
                "guard.tampering", known, "denied", error="EPERM", detail={"what": f"signal {number} to the guard"}
            )
            return errno.EPERM
        return 0

    def _session(self, given: Notification, call: Call, known: Known) -> Verdict:
        known.set_session = True
        known.shown = None
        return 0

    def _forbidden(self, given: Notification, call: Call, known: Known) -> Verdict:
        what = f"{call.name}: a call that could lead out of the sandbox"
        if what not in known.gaps:
            known.gaps.add(what)
            self.emit("guard.tampering", known, "denied", error="EPERM", detail={"what": what})
        return errno.EPERM

    def _unshare(self, given: Notification, call: Call, known: Known) -> Verdict:
        if self.request.confinement is not None:
            return self._forbidden(given, call, known)
        self.gap(known, "user namespace", "it entered a user namespace of its own, in which paths may mean other files")
        return 0

    def _ring(self, given: Notification, call: Call, known: Known) -> Verdict:
        self.gap(known, "io_uring", "calls by io_uring are not seen, so it was told that this system has none")
        return errno.ENOSYS


_ENGINES = ("docker.sock", "containerd", "podman", "crio.sock", "buildkit")

Level = Literal["all", "part", "none"]


def _may_run(path: str) -> bool:
    """Whether an execution of a path can succeed: most fail while a name is looked for along PATH."""
    try:
        found = os.stat(path)
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & 0o111)


def _of_descriptor(pid: int, number: int) -> int:
    """The process that a pidfd of another process stands for; 0 where it is none."""
    try:
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith("Pid:"):
                    return int(line[4:])
    except (OSError, ValueError):
        pass
    return 0


def replaced(event: Event, **fields: Any) -> Event:
    """An event with other fields."""
    return msgspec.structs.replace(event, **fields)
