"""Tables of the running machine: its processes and its sockets, as bytes that can be kept, sealed and read again.

Nothing is started and nothing is sent a signal. Arguments are reduced where they are read (`ecosystems/arguments.py`
says to what): no command line, no variable and no secret enters a table. What this account may not see is said in the
table itself (`lacks`), counted, so that a reader makes gaps of it.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

import msgspec

from pratique.ecosystems.arguments import reduced
from pratique.model.location import shown
from pratique.model.observation import ProcessFact, SocketFact
from pratique.model.ports import iso_time
from pratique.model.tables import Lack, ProcessTable, SocketTable

_DELETED = " (deleted)"
_CONTAINER = re.compile(
    rb"(?:docker[-/]|libpod-|cri-containerd-|crio-|/kubepods[^\n]*/|/lxc/)([0-9a-f]{12,64}|[\w-]{1,64})"
)
_STATES = {
    "01": "ESTABLISHED",
    "02": "SYN_SENT",
    "03": "SYN_RECV",
    "04": "FIN_WAIT1",
    "05": "FIN_WAIT2",
    "06": "TIME_WAIT",
    "07": "CLOSE",
    "08": "CLOSE_WAIT",
    "09": "LAST_ACK",
    "0A": "LISTEN",
    "0B": "CLOSING",
}
_MOST_NAMESPACES = 1000


def platform() -> Literal["linux", "macos", "windows"]:
    """The system that this machine runs; any other counts as Linux, as malicious code counts it."""
    if sys.platform == "darwin":
        return "macos"
    return "windows" if sys.platform in ("win32", "cygwin") else "linux"


def processes(globs: Sequence[str] = ()) -> bytes:
    """All processes as a table in JSON. `globs` are command lines of indicators, as these spell them."""
    import psutil

    rows: list[ProcessFact] = []
    unseen: dict[str, list[str]] = {}
    argv: dict[int, list[str]] = {}
    names = ["pid", "ppid", "name", "create_time", "username", "cmdline", "cwd", "exe"]
    for process in psutil.process_iter(names, ad_value=_DENIED):
        row = _process(process.info, globs, unseen)
        if row is not None:
            rows.append(row)
            argv[row.process] = process.info["cmdline"] if isinstance(process.info["cmdline"], list) else []
    rows = _owned(rows, argv)
    rows.sort(key=lambda row: row.process)
    lacks = [Lack(_unseen(what, named), what in _HIDING) for what, named in sorted(unseen.items())]
    if platform() == "linux" and not os.path.lexists("/proc/1"):
        lacks.append(Lack("processes of other accounts are hidden from this one"))
    table = ProcessTable(
        platform=platform(), taken=_now(), asked=tuple(sorted(globs)), lacks=tuple(sorted(lacks)), processes=tuple(rows)
    )
    return msgspec.json.encode(table, order="deterministic") + b"\n"


def _unseen(what: str, named: Sequence[str]) -> str:
    """What could not be seen, of how many processes, and which these are."""
    of = f"{what} of {len(named)} process{'' if len(named) == 1 else 'es'} could not be seen by this account"
    more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    return f"{of}: {', '.join(named[:_MOST_NAMED])}{more}"


_MOST_NAMED = 3
_DENIED: Any = object()
_HIDING = ("the executable", "the arguments")
"""What a trace may hide in: where it cannot be seen, that is a gap."""


def _process(info: dict[str, Any], globs: Sequence[str], unseen: dict[str, list[str]]) -> ProcessFact | None:
    """One process. What may not be seen of it is noted in `unseen`, with its number and name."""
    number = info["pid"]
    name = _plain_name(shown(info["name"])) if isinstance(info["name"], str) else ""

    def lacking(what: str) -> None:
        unseen.setdefault(what, []).append(f"{number} {name}".strip())

    executable, deleted, allowed = _executable(number, info["exe"])
    kernel = False
    argv: list[str] = []
    if info["cmdline"] is _DENIED:
        if not _ended(number):
            lacking("the arguments")
    else:
        argv = [shown(word) for word in info["cmdline"] or ()]
        kernel = not argv and executable is None and allowed
    if not allowed and argv:
        lacking("the executable")
    folder = info["cwd"] if isinstance(info["cwd"], str) and info["cwd"] else None
    if folder is None and argv and info["cwd"] is _DENIED:
        lacking("the working folder")
    if folder is not None:
        folder = shown(folder).removesuffix(_DELETED)
    known = os.path.basename(executable) if executable else None
    found = reduced(argv, folder, globs, known=known)
    if found.cut:
        lacking("the end of the arguments")
    started = None
    if isinstance(info["create_time"], float):
        with contextlib.suppress(ValueError, OverflowError, OSError):
            started = iso_time(info["create_time"])
    container, namespace = (None, None) if kernel else _confined(number)
    return ProcessFact(
        process=number,
        parent=info["ppid"] if isinstance(info["ppid"], int) else 0,
        name=name,
        executable=executable,
        deleted=deleted,
        programs=found.programs,
        words=found.words,
        script=found.script,
        hosts=found.hosts,
        matched=found.matched,
        user=shown(info["username"]) if isinstance(info["username"], str) else None,
        working_directory=folder,
        started=started,
        container=container,
        namespace=namespace,
    )


def _ended(number: int) -> bool:
    """Whether a process has ended, and at most waits for its parent to take notice."""
    import psutil

    try:
        return bool(psutil.Process(number).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
    except (psutil.Error, OSError):
        return False


def _plain_name(name: str) -> str:
    """The name of a process, which it may choose: its first word alone."""
    first = re.split(r"\s", name.strip(), maxsplit=1)[0] if name.strip() else ""
    return first[:64]


def _executable(number: int, seen: Any) -> tuple[str | None, bool, bool]:
    """Path of the executable, whether its file is gone, and whether this account may know."""
    if os.path.isdir("/proc/self"):
        try:
            path = shown(os.readlink(f"/proc/{number}/exe"))
        except (FileNotFoundError, ProcessLookupError):
            return None, False, True
        except OSError:
            return None, False, False
        gone = path.endswith(_DELETED)
        return path.removesuffix(_DELETED), gone, True
    if isinstance(seen, str) and seen:
        return shown(seen), not os.path.lexists(seen), True
    return None, False, seen is not _DENIED


def _confined(number: int) -> tuple[str | None, int | None]:
    """The container that a process runs in, and its number in there, where the system says so."""
    container, namespace = None, None
    try:
        with open(f"/proc/{number}/cgroup", "rb") as file:
            match = _CONTAINER.search(file.read(65_536))
            container = match[1].decode()[:64] if match else None
        with open(f"/proc/{number}/status", "rb") as file:
            line = re.search(rb"^NSpid:\s+([\d\t ]+)$", file.read(65_536), re.MULTILINE)
            inner = line[1].split() if line else []
            namespace = int(inner[-1]) if len(inner) > 1 else None
    except (OSError, ValueError):
        pass
    return container, namespace


def _owned(rows: list[ProcessFact], argv: dict[int, list[str]]) -> list[ProcessFact]:
    """The rows, with those of this program marked: this process, and those it forked or was forked from."""
    parents = {row.process: row.parent for row in rows}
    own = {os.getpid()}
    same = {number for number, words in argv.items() if words and words == argv.get(os.getpid())}
    for _ in range(8):
        more = {number for number in same - own if parents.get(number) in own}
        more |= {parents[number] for number in own if parents.get(number) in same} - own
        if not more:
            break
        own |= more
    return [msgspec.structs.replace(row, own=True) if row.process in own else row for row in rows]


def sockets() -> bytes:
    """All sockets of the Internet protocols as a table in JSON."""
    import psutil

    lacks: list[Lack] = []
    found: dict[SocketFact, None] = {}
    names: dict[int, str] = {}
    try:
        connections = psutil.net_connections("inet")
    except (psutil.AccessDenied, PermissionError):
        lacks.append(Lack("sockets of other accounts could not be seen by this one"))
        connections = _own_connections()
    except (OSError, RuntimeError) as error:
        lacks.append(Lack(f"the sockets could not be listed: {type(error).__name__}"))
        connections = []
    unowned = 0
    for item in connections:
        fact = _socket(item, names)
        found[fact] = None
        unowned += fact.process is None and fact.state not in ("TIME_WAIT", "NONE")
    if unowned:
        lacks.append(Lack(f"the owner of {unowned} socket{'' if unowned == 1 else 's'} could not be seen", False))
    if os.path.isdir("/proc/self/net"):
        seen = {_ends(fact) for fact in found}
        for number in _elsewhere():
            found.update((fact, None) for fact in _of_namespace(number) if _ends(fact) not in seen)
    rows = sorted(found, key=lambda fact: msgspec.json.encode(fact, order="deterministic"))
    table = SocketTable(platform=platform(), taken=_now(), lacks=tuple(sorted(lacks)), sockets=tuple(rows))
    return msgspec.json.encode(table, order="deterministic") + b"\n"


def _own_connections() -> list[Any]:
    """The connections of the processes that this account may look into."""
    import psutil

    found: list[Any] = []
    for process in psutil.process_iter(["pid"]):
        try:
            for item in process.net_connections("inet"):
                found.append(_Owned(item, process.pid))
        except (psutil.Error, OSError):
            continue
    return found


class _Owned:
    """A connection with its owner, as `net_connections` of the whole machine gives it."""

    def __init__(self, item: Any, pid: int) -> None:
        self.family, self.type, self.laddr, self.raddr, self.status = (
            item.family,
            item.type,
            item.laddr,
            item.raddr,
            item.status,
        )
        self.pid = pid


def _socket(item: Any, names: dict[int, str]) -> SocketFact:
    import socket

    local, local_port = (str(item.laddr[0]), int(item.laddr[1])) if item.laddr else ("", 0)
    remote, remote_port = (str(item.raddr[0]), int(item.raddr[1])) if item.raddr else (None, None)
    return SocketFact(
        protocol="udp" if item.type == socket.SOCK_DGRAM else "tcp",
        state=str(item.status),
        local=_address(local),
        local_port=local_port,
        remote=_address(remote) if remote is not None else None,
        remote_port=remote_port,
        process=item.pid,
        program=_named(item.pid, names),
    )


def _address(text: str) -> str:
    """An address, one of version 4 in the clothes of version 6 as itself, without a zone."""
    plain = text.partition("%")[0].lower()
    return plain.removeprefix("::ffff:") if plain.startswith("::ffff:") and "." in plain else plain


def _named(number: int | None, names: dict[int, str]) -> str | None:
    import psutil

    if number is None:
        return None
    if number not in names:
        try:
            names[number] = _plain_name(shown(psutil.Process(number).name()))
        except (psutil.Error, OSError):
            names[number] = ""
    return names[number] or None


def _ends(fact: SocketFact) -> tuple[object, ...]:
    return (fact.protocol, fact.state, fact.local, fact.local_port, fact.remote, fact.remote_port)


def _elsewhere() -> Iterator[int]:
    """One process of each network namespace but this one; those whose namespace this account may not learn, each."""
    own = _link("/proc/self/ns/net")
    seen = {own}
    count = 0
    for name in sorted((entry for entry in os.listdir("/proc") if entry.isdigit()), key=int):
        space = _link(f"/proc/{name}/ns/net")
        if space is None or space not in seen:
            count += 1
            if count > _MOST_NAMESPACES:
                return
            seen.add(space or own)
            yield int(name)


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _of_namespace(number: int) -> Iterator[SocketFact]:
    """The sockets of the network namespace of a process, by what the kernel shows of it."""
    for name in ("tcp", "tcp6", "udp", "udp6"):
        try:
            with open(f"/proc/{number}/net/{name}", encoding="ascii", errors="replace") as file:
                lines = file.readlines(16 << 20)[1:]
        except OSError:
            continue
        yield from _rows(lines, "udp" if name.startswith("udp") else "tcp")


def _rows(lines: Iterable[str], protocol: Literal["tcp", "udp"]) -> Iterator[SocketFact]:
    for line in lines:
        cells = line.split()
        try:
            local, remote = _endpoint(cells[1]), _endpoint(cells[2])
        except (IndexError, ValueError):
            continue
        state = _STATES.get(cells[3], cells[3]) if protocol == "tcp" else "NONE"
        known = remote[1] != 0
        yield SocketFact(
            protocol=protocol,
            state=state,
            local=local[0],
            local_port=local[1],
            remote=remote[0] if known else None,
            remote_port=remote[1] if known else None,
        )


def _endpoint(text: str) -> tuple[str, int]:
    """Address and port as the kernel prints them: words of the machine's own byte order."""
    import socket

    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    if sys.byteorder == "little":
        raw = b"".join(raw[index : index + 4][::-1] for index in range(0, len(raw), 4))
    return _address(socket.inet_ntop(socket.AF_INET6 if len(raw) == 16 else socket.AF_INET, raw)), int(port, 16)


def _now() -> str:
    return iso_time(datetime.datetime.now(datetime.UTC).timestamp())
