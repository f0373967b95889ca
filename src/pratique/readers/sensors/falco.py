"""Falco's alerts, as it writes them with `json_output: true`, one a line.

## Reads
`time` and `output_fields` of alerts of the source `syscall`: `evt.type` says what happened; process, ancestors, file,
address come from the fields of the table below. Falco writes the fields alone that a rule's output names: without
`evt.type` an alert is refused, and the refusal says what to add (`append_output`, Falco 0.40 and later).

## Leaves out
Alerts of plugins (Kubernetes audit, cloud trails), which tell of no process of a machine. Arguments come as one text,
so that an argument with spaces is several.

## References
falco.org, "Supported Fields for Conditions and Outputs", "Alert Formatting", "Supported Events".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pratique.model.event import Ancestor, Event, EventKind, Outcome
from pratique.model.observation import Refusal
from pratique.readers.sensors.lines import (
    Told,
    arguments,
    nanoseconds,
    number,
    process,
    record_of,
    refused,
    text,
)

SENSOR = "falco"
KINDS: dict[str, EventKind] = {
    "execve": "process.start",
    "execveat": "process.start",
    "fork": "process.fork",
    "vfork": "process.fork",
    "clone": "process.fork",
    "clone3": "process.fork",
    "procexit": "process.end",
    "connect": "network.connect",
    "sendto": "network.connect",
    "sendmsg": "network.connect",
    "bind": "network.listen",
    "listen": "network.listen",
    "open": "file.read",
    "openat": "file.read",
    "openat2": "file.read",
    "open_by_handle_at": "file.read",
    "creat": "file.write",
    "truncate": "file.write",
    "unlink": "file.delete",
    "unlinkat": "file.delete",
    "rmdir": "file.delete",
    "rename": "file.rename",
    "renameat": "file.rename",
    "renameat2": "file.rename",
    "link": "file.rename",
    "linkat": "file.rename",
    "symlink": "file.rename",
    "symlinkat": "file.rename",
    "chmod": "file.mode",
    "fchmod": "file.mode",
    "fchmodat": "file.mode",
}
"""What the calls of `evt.type` are; one that opens is `file.write` where its flags or `evt.is_open_write` say so."""
PATHS = ("fs.path.name", "fd.name", "evt.arg.path", "evt.arg.pathname", "evt.arg.name", "evt.arg.filename")
SOURCES = ("fs.path.source", "evt.arg.oldpath", "evt.arg.target")
TARGETS = ("fs.path.target", "evt.arg.newpath", "evt.arg.linkpath")
ADDRESSES = ("fd.rip", "fd.sip")
PORTS = ("fd.rport", "fd.sport")
_WRITES = ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE")
_MOST_ABOVE = 16


def read(line: bytes, path: str, line_number: int) -> tuple[tuple[Event, ...], Refusal | None]:
    """The event of one alert, or why there is none."""
    try:
        return (_event(record_of(line)),), None
    except Told as error:
        return (), refused(path, SENSOR, line_number, error.reason)


def _event(record: dict[str, Any]) -> Event:
    fields = record.get("output_fields")
    if not isinstance(fields, dict) or not isinstance(record.get("rule"), str):
        raise Told("is no alert of Falco: it has no rule or no output_fields")
    source = record.get("source", "syscall")
    if source != "syscall":
        raise Told(f"is an alert of the source {str(source)[:40]!r}, which tells of no process of a machine")
    call = text(fields, "evt.type").removesuffix("_x")
    if not call:
        raise Told("names no evt.type: add %evt.type to the rule's output, or by append_output to that of all rules")
    kind = KINDS.get(call)
    if kind is None:
        raise Told(f"tells of {call[:40]}, which is no event that rules are about")
    if kind == "file.read" and _opened_to_write(fields):
        kind = "file.write"
    outcome, error = _result(fields)
    executable = text(fields, "proc.exepath", "proc.exe")
    name = text(fields, "proc.name")
    words, cut = arguments(text(fields, "proc.cmdline") or f"{name} {text(fields, 'proc.args')}".strip())
    where = text(fields, *PATHS) if kind.startswith("file.") else ""
    target = ""
    if kind == "file.rename":
        where, target = text(fields, *SOURCES) or where, text(fields, *TARGETS)
    detail = {"sensor_rule": str(record["rule"])[:200], "call": call}
    for key, field in (("user", "user.name"), ("container", "container.id"), ("mode", "evt.arg.mode")):
        if value := text(fields, field):
            detail[key] = value[:200]
    if fields.get("proc.is_exe_from_memfd") is True and not executable.startswith("/memfd:"):
        executable = f"/memfd:{name} (deleted)"
    network = kind.startswith("network.")
    family = text(fields, "fd.typechar")
    return Event(
        kind=kind,
        source="falco",
        sequence=0,
        time_ns=_time(record, fields),
        process=process(
            number(fields, "proc.pid") or 0,
            parent=number(fields, "proc.ppid") or 0,
            user=number(fields, "user.uid"),
            session=number(fields, "proc.sid") or 0,
            executable=executable or name,
            words=words,
            folder=text(fields, "proc.cwd").rstrip("/"),
            ancestors=_above(fields),
            cut=cut,
        ),
        outcome=outcome,
        error=error,
        path=executable if kind == "process.start" else where,
        target=target,
        address=text(fields, *ADDRESSES) if network else "",
        port=number(fields, *PORTS) if network else None,
        protocol={"4": "inet", "6": "inet6", "u": "unix"}.get(family, "") if network else "",
        host=text(fields, "fd.sip.name", "fd.rip.name") if network else "",
        detail=detail,
    )


def _opened_to_write(fields: Mapping[str, Any]) -> bool:
    flags = text(fields, "evt.arg.flags")
    return fields.get("evt.is_open_write") is True or any(flag in flags for flag in _WRITES)


def _result(fields: Mapping[str, Any]) -> tuple[Outcome, str]:
    said = text(fields, "evt.res").upper()
    if said in ("", "0"):
        return ("done" if said else "unknown"), ""
    if said == "SUCCESS":
        return "done", ""
    return ("unknown", "") if said == "EINPROGRESS" else ("failed", said[:20])


def _above(fields: Mapping[str, Any]) -> tuple[Ancestor, ...]:
    """The parent and those above it, as far as the alert names them: `proc.pname`, `proc.aname[2]`, ..."""
    found: list[Ancestor] = []
    for level in range(1, _MOST_ABOVE + 1):
        name = text(fields, *(("proc.pname", "proc.aname[1]") if level == 1 else (f"proc.aname[{level}]",)))
        path = text(fields, *(("proc.pexepath", "proc.aexepath[1]") if level == 1 else (f"proc.aexepath[{level}]",)))
        pid = number(fields, *(("proc.ppid", "proc.apid[1]") if level == 1 else (f"proc.apid[{level}]",)))
        if not (name or path):
            break
        found.append(Ancestor(max(pid or 0, 0), path, name or path.rpartition("/")[2]))
    return tuple(found)


def _time(record: Mapping[str, Any], fields: Mapping[str, Any]) -> int:
    for name in ("evt.rawtime", "evt.time", "evt.time.iso8601"):
        value = fields.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 10**17 < value < 1 << 62:
            return value
    found = nanoseconds(text(record, "time"))
    if found is None:
        raise Told("has no time that can be read")
    return found
