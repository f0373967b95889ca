"""The words of rules: which events are of which log source, and what Sigma's fields are in our events.

Names are those of the Sigma taxonomy (appendix 2.1), which are those of Sysmon. Fields that it does not have are ours:
what package and step caused an event, what was written in this run, what class of place a path is of.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from pratique.behaviour.views import Value, View
from pratique.model.event import Event, EventKind

Product = str
PRODUCTS = ("linux", "macos", "windows")


class Seen:
    """An event and what is known beside it: the system that it is of, and the command line of its parent."""

    __slots__ = ("event", "parent_command", "product")

    def __init__(self, event: Event, product: Product = "linux", parent_command: str | None = None) -> None:
        self.event, self.product, self.parent_command = event, product, parent_command


Getter = Callable[[Seen], Value | None]


def _image(seen: Seen) -> Value | None:
    return (seen.event.process.executable or None) if seen.event.process is not None else None


def command_line(seen: Seen) -> str | None:
    """The arguments with a space between them, as Sysmon and audit write them."""
    process = seen.event.process
    return " ".join(process.arguments) if process is not None and process.arguments else None


def _parent_image(seen: Seen) -> Value | None:
    process = seen.event.process
    return (process.ancestors[0].executable or None) if process is not None and process.ancestors else None


def _user(seen: Seen) -> Value | None:
    named = seen.event.detail.get("user")
    process = seen.event.process
    if named or process is None or process.user is None:
        return named or None
    return "root" if process.user == 0 and seen.product != "windows" else str(process.user)


def _of_process(name: str) -> Getter:
    def get(seen: Seen) -> Value | None:
        return (getattr(seen.event.process, name) or None) if seen.event.process is not None else None

    return get


def _of_cause(name: str) -> Getter:
    def get(seen: Seen) -> Value | None:
        return (getattr(seen.event.cause, name) or None) if seen.event.cause is not None else None

    return get


def _of_event(name: str) -> Getter:
    def get(seen: Seen) -> Value | None:
        value: Value | None = getattr(seen.event, name)
        return value if value not in ("", ()) else None

    return get


def _of_detail(name: str) -> Getter:
    return lambda seen: seen.event.detail.get(name) or None


def _ancestors(name: str) -> Getter:
    def get(seen: Seen) -> Value | None:
        process = seen.event.process
        if process is None:
            return None
        return tuple([text for one in process.ancestors if (text := getattr(one, name))]) or None

    return get


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return True


def _address(seen: Seen) -> Value | None:
    return seen.event.address if _is_address(seen.event.address) else None


def _socket(seen: Seen) -> Value | None:
    return seen.event.address if seen.event.address and not _is_address(seen.event.address) else None


def _cut(seen: Seen) -> Value | None:
    return seen.event.process.cut if seen.event.process is not None else None


def _kind(seen: Seen) -> Value | None:
    return seen.event.kind.partition(".")[2]


Field = tuple[Getter, str]
"""How a field is found, and what it is in words."""

EVERYWHERE: dict[str, Field] = {
    "Image": (_image, "the program of the process"),
    "CommandLine": (command_line, "its arguments with spaces between"),
    "OriginalFileName": (_of_detail("original_file_name"), "the name in a Windows program's version resource"),
    "CurrentDirectory": (_of_process("folder"), "its current folder"),
    "User": (_user, "its account: a name where the observer tells one, else a number; 0 is root"),
    "ProcessId": (_of_process("pid"), "its number"),
    "ParentProcessId": (_of_process("parent"), "the number of its parent"),
    "ParentImage": (_parent_image, "the program of its parent"),
    "ParentCommandLine": (lambda seen: seen.parent_command, "the arguments of its parent, where its start was seen"),
    "AncestorImages": (_ancestors("executable"), "the programs of all processes above, nearest first"),
    "AncestorNames": (_ancestors("name"), "what they were started as, without folders"),
    "ScriptPath": (_of_process("script"), "the file in the place where an interpreter takes its program"),
    "ArgumentsCut": (_cut, "true where arguments were too many or too long to keep"),
    "PackageName": (_of_cause("name"), "the package whose script or build caused it"),
    "PackageVersion": (_of_cause("version"), "its version"),
    "PackageEcosystem": (_of_cause("ecosystem"), "npm or PyPI"),
    "Lifecycle": (_of_cause("step"), "the script or build hook: postinstall, build_wheel, import"),
    "CauseKnownBy": (_of_cause("known_by"), "environment, folder, ancestor, command or unknown"),
    "Outcome": (_of_event("outcome"), "done, failed, denied or unknown"),
    "Error": (_of_event("error"), "the name of the error: EACCES"),
    "EventSource": (_of_event("source"), "what saw it: notify, strace, falco"),
    "Indicator": (_of_detail("indicator"), "the indicator of an incident that it shows, where somebody compared"),
    "Incident": (_of_detail("incident"), "the incident of that indicator"),
    "OthersUse": (_of_detail("others"), "set where what the indicator names is used by others too"),
}
"""Fields that every event has."""

_PLACE: dict[str, Field] = {
    "PathClass": (
        _of_event("path_class"),
        "credential, temporary, persistence, package, manifest, project, system or other: of the file, or the target",
    ),
    "WrittenInRun": (_of_event("dropped"), "true where the file was written during this run"),
}
_TARGET: dict[str, Field] = {"TargetFilename": (_of_event("path"), "the file"), **_PLACE}
_PEER: dict[str, Field] = {
    "DestinationIp": (_address, "the address"),
    "DestinationPort": (_of_event("port"), "the port"),
    "DestinationHostname": (_of_event("host"), "the name, where it is known"),
    "DestinationSocket": (_socket, "the path of a socket of this machine"),
    "Protocol": (_of_event("protocol"), "inet, inet6, udp or unix"),
}


class Category:
    """A log source: its kinds of event, its fields beside those that every event has, and its meaning."""

    __slots__ = ("fields", "kinds", "meaning", "name", "own", "shown")

    def __init__(
        self, name: str, kinds: tuple[EventKind, ...], meaning: str, shown: dict[str, Field], own: bool = False
    ) -> None:
        self.name, self.kinds, self.meaning, self.own, self.shown = name, kinds, meaning, own, shown
        self.fields: dict[str, Getter] = {name: one[0] for name, one in {**EVERYWHERE, **shown}.items()}


_ALL = (
    Category(
        "process_creation", ("process.start",), "a program was started, or its start was denied",
        {"StartedFile": (_of_event("path"), "the program, or the script of its interpreter if that was dropped"),
         **_PLACE},
    ),
    Category("file_access", ("file.read",), "a file was opened for reading",
             {**_TARGET, "FileName": (_of_event("path"), "the file")}),
    Category(
        "file_event", ("file.write",), "a file was made or opened for writing, or is other than at the last look",
        {**_TARGET, "Change": (_of_detail("change"), "since the last look, of a watch: new or changed"),
         "Mechanism": (_of_detail("mechanism"), "what starts it: systemd, cron, git-hook"),
         "Starts": (_of_detail("starts"), "programs and files that it starts")},
    ),
    Category("file_delete", ("file.delete",), "a file was deleted", _TARGET),
    Category(
        "file_rename", ("file.rename",), "a file was put in another place, or linked there",
        {"SourceFilename": (_of_event("path"), "the file"), "TargetFilename": (_of_event("target"), "where it is now"),
         **_PLACE},
    ),
    Category("file_change", ("file.mode",), "a file was made executable, or set to run as its owner",
             {**_TARGET, "Mode": (_of_detail("mode"), "the new mode: 0o755")}),
    Category("network_connection", ("network.connect",), "a connection was begun, or something sent",
             {**_PEER, "Initiated": (lambda seen: True, "always true")}),
    Category("dns_query", ("network.name",), "the address of a name was asked for",
             {"QueryName": (_of_event("host"), "the name")}),
    Category("dns", ("network.name",), "the same, in the generic taxonomy", {"query": (_of_event("host"), "the name")}),
    Category("network_listening", ("network.listen",), "a port was opened for others",
             {"ListenIp": (_address, "the address"), "ListenPort": (_of_event("port"), "the port")}, own=True),
    Category(
        "network_payload", ("network.payload",), "what a sandbox's sink was sent",
        {**_PEER, "Honeytokens": (_of_event("honeytokens"), "the planted credentials that were in it"),
         "Beginning": (_of_detail("beginning"), "its first bytes, redacted"),
         "Size": (_of_detail("size"), "how many bytes")}, own=True,
    ),
    Category("process_survival", ("process.survived",), "a process outlived the command, or left its session",
             {"How": (_of_detail("how"), "session, nohup, alive"), "StartedFile": (_of_event("path"), "its program"),
              **_PLACE}, own=True),
    Category("memory_program", ("memory.program",), "a program was run out of memory or a deleted file",
             {"StartedFile": (_of_event("path"), "what the kernel calls it"), **_PLACE}, own=True),
    Category("environment_access", ("environment.read",), "a variable that carries a credential was read",
             {"VariableName": (_of_detail("name"), "its name")}, own=True),
    Category(
        "package_integrity", ("integrity.changed", "integrity.missing", "integrity.extra"),
        "a file of an installed package is not what its archive holds",
        {**_TARGET, "Change": (_kind, "changed, missing or extra"),
         "HashBefore": (_of_event("sha256_before"), "SHA-256 in the archive"),
         "HashAfter": (_of_event("sha256_after"), "SHA-256 on the disk")}, own=True,
    ),
    Category(
        "guard", ("guard.gap", "guard.dropped", "guard.tampering"), "something about the observation itself",
        {"Change": (_kind, "gap, dropped or tampering"), "What": (_of_detail("what"), "what happened"),
         "Why": (_of_detail("why"), "why it cannot be seen")}, own=True,
    ),
)  # fmt: skip
CATEGORIES: dict[str, Category] = {one.name: one for one in _ALL}

NOTHING_THERE = ("ENOENT", "ENOTDIR")
"""Errors of calls that met no file: looking for a program along PATH is no start of it."""


def categories_of(event: Event) -> tuple[Category, ...]:
    """The log sources that an event is of. One that failed because nothing was at that path is of none."""
    if event.outcome == "failed" and event.error in NOTHING_THERE and event.kind not in _ALWAYS:
        return ()
    return _OF_KIND.get(event.kind, ())


_ALWAYS = frozenset(kind for one in _ALL for kind in one.kinds if kind.startswith(("network.", "guard.", "integrity.")))
_OF_KIND: dict[str, tuple[Category, ...]] = {
    kind: tuple(one for one in _ALL if kind in one.kinds)
    for kind in dict.fromkeys(k for one in _ALL for k in one.kinds)
}


class EventView(View):
    """The fields of an event under a log source."""

    __slots__ = ("_getters", "seen")

    def __init__(self, seen: Seen, category: Category) -> None:
        super().__init__()
        self.seen = seen
        self._getters = category.fields

    def value(self, field: str) -> Value | None:
        """What the event has; None where it has it not, or its log source knows no such field."""
        getter = self._getters.get(field)
        return getter(self.seen) if getter is not None else None

    def fields(self) -> Iterable[str]:
        """The fields of its log source."""
        return self._getters
