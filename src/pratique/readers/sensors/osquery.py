"""osquery's results log: rows of its tables of events, one record a line (event, batch and snapshot format).

## Reads
`process_events`, `bpf_process_events`, `es_process_events`, `socket_events`, `bpf_socket_events`,
`process_file_events`, `file_events`. A record names the scheduled query and not the table, so that the table is known
by the columns of a row. Rows that were added, and those of snapshots, are taken; numbers may be texts or numbers.

## Leaves out
Rows that were removed, rows of other tables, forks and clones. Arguments come as one text, but from `json_cmdline`.

## References
osquery documentation, "Logging" and "Process auditing"; the table specifications in its repository (`specs/`).
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from pratique.ecosystems.secrets_told import without_secrets
from pratique.model.event import Event, EventKind, Outcome
from pratique.model.observation import Refusal
from pratique.readers.sensors.lines import (
    LONGEST,
    MOST_WORDS,
    Told,
    arguments,
    number,
    process,
    record_of,
    refused,
    text,
)

SENSOR = "osquery"
MOST_ROWS = 10_000
Row = Mapping[str, Any]
_FAMILIES = {1: "unix", 2: "inet", 10: "inet6", 30: "inet6"}
_SOCKETS: dict[str, EventKind] = {
    "connect": "network.connect",
    "bind": "network.listen",
    "listen": "network.listen",
    "accept": "network.listen",
    "accept4": "network.listen",
    "sendto": "network.connect",
    "sendmsg": "network.connect",
}
_OPERATIONS: dict[str, EventKind] = {
    "open": "file.read",
    "read": "file.read",
    "create": "file.write",
    "created": "file.write",
    "write": "file.write",
    "updated": "file.write",
    "moved_to": "file.write",
    "unlink": "file.delete",
    "deleted": "file.delete",
    "moved_from": "file.delete",
    "rename": "file.rename",
    "link": "file.rename",
    "symlink": "file.rename",
    "attributes_modified": "file.mode",
}
_STARTS = ("", "execve", "execveat", "exec", "posix_spawn")


def read(line: bytes, path: str, line_number: int) -> tuple[tuple[Event, ...], Refusal | None]:
    """The events of one record, and why a part of it is none."""
    try:
        record = record_of(line)
        rows = list(_rows(record))
    except Told as error:
        return (), refused(path, SENSOR, line_number, error.reason)
    found: list[Event] = []
    reason = ""
    for row in rows[:MOST_ROWS]:
        try:
            event = _event(row, record)
        except Told as error:
            reason = reason or error.reason
            continue
        if event is not None:
            found.append(event)
    if len(rows) > MOST_ROWS:
        reason = reason or f"holds more than {MOST_ROWS} rows"
    return tuple(found), refused(path, SENSOR, line_number, reason) if reason else None


def _rows(record: Mapping[str, Any]) -> Iterator[Row]:
    """The rows of a record that are there, not those that are gone."""
    if not isinstance(record.get("name"), str):
        raise Told("is no record of a results log: it names no query")
    given = record.get("columns"), record.get("snapshot"), record.get("diffResults")
    if isinstance(given[0], dict):
        if record.get("action") != "removed":
            yield given[0]
        return
    rows: Any = given[1]
    if isinstance(given[2], dict):
        rows = given[2].get("added") or []
    if not isinstance(rows, list):
        raise Told("is no record of a results log: it has no columns, snapshot or diffResults")
    for row in rows:
        if not isinstance(row, dict):
            raise Told("holds a row that is no object")
        yield row


def _event(row: Row, record: Mapping[str, Any]) -> Event | None:
    """The event of a row; None for one that rules are not about. Raises Told where its table is not known."""
    for columns, of in _TABLES:
        if all(name in row for name in columns):
            return of(row, _time(row, record))
    name = str(record.get("name"))[:60]
    raise Told(f"holds rows of {name!r}, which are of no table of events that is read")


def _started(row: Row, time_ns: int) -> Event | None:
    call = text(row, "syscall", "event_type").lower()
    if call not in _STARTS:
        return None
    path = text(row, "path")
    words, cut = _words(row)
    outcome, error = _result(text(row, "exit_code"))
    return Event(
        kind="process.start",
        source="osquery",
        sequence=0,
        time_ns=time_ns,
        process=process(
            number(row, "pid") or 0,
            parent=number(row, "parent") or 0,
            user=number(row, "euid", "uid"),
            executable=path,
            words=words,
            folder=text(row, "cwd").strip('"'),
            cut=cut or bool(text(row, "overflows")),
        ),
        outcome=outcome,
        error=error,
        path=path,
        detail={"unread": "arguments"} if number(row, "probe_error") == 1 or not words else {},
    )


def _words(row: Row) -> tuple[tuple[str, ...], bool]:
    exact = row.get("json_cmdline")
    if isinstance(exact, str):
        try:
            found = msgspec.json.decode(exact, type=list[str])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found = []
        if found:
            kept = without_secrets([word[:LONGEST] for word in found[:MOST_WORDS]])
            return kept, len(found) > MOST_WORDS or any(len(word) > LONGEST for word in found)
    return arguments(text(row, "cmdline"))


def _connected(row: Row, time_ns: int) -> Event | None:
    kind = _SOCKETS.get(text(row, "action", "syscall").lower())
    family = _FAMILIES.get(number(row, "family") or 0, "")
    if kind is None:
        return None
    listens = kind == "network.listen"
    address = text(row, "socket") if family == "unix" else text(row, "local_address" if listens else "remote_address")
    if not address:
        return None
    outcome, error = _result(text(row, "exit_code"))
    status = text(row, "status")
    if status in ("succeeded", "failed"):
        outcome = "done" if status == "succeeded" else "failed"
    return Event(
        kind=kind,
        source="osquery",
        sequence=0,
        time_ns=time_ns,
        process=process(
            number(row, "pid") or 0,
            parent=number(row, "parent") or 0,
            user=number(row, "uid", "auid") if "uid" in row else None,
            executable=text(row, "path"),
        ),
        outcome=outcome,
        error=error,
        address=address,
        port=number(row, "local_port" if listens else "remote_port") if family != "unix" else None,
        protocol=family,
    )


def _changed(row: Row, time_ns: int) -> Event | None:
    kind = _OPERATIONS.get(text(row, "operation").lower())
    if kind is None:
        return None
    return Event(
        kind=kind,
        source="osquery",
        sequence=0,
        time_ns=time_ns,
        process=process(
            number(row, "pid") or 0,
            parent=number(row, "ppid") or 0,
            user=number(row, "euid", "uid"),
            executable=text(row, "executable"),
            folder=text(row, "cwd"),
        ),
        outcome="done",
        path=text(row, "path"),
        target=text(row, "dest_path") if kind == "file.rename" else "",
    )


def _file(row: Row, time_ns: int) -> Event | None:
    kind = _OPERATIONS.get(text(row, "action").lower())
    if kind is None:
        return None
    digest = text(row, "sha256").lower()
    whole = len(digest) == 64 and not digest.strip("0123456789abcdef")
    return Event(
        kind=kind,
        source="osquery",
        sequence=0,
        time_ns=time_ns,
        outcome="done",
        path=text(row, "target_path"),
        sha256_after=digest if whole else "",
        detail={"category": value[:100]} if (value := text(row, "category")) else {},
    )


def _result(code: str) -> tuple[Outcome, str]:
    """What the exit code of a call says; empty where there is none: audit tells of those alone that succeeded."""
    if code in ("", "0"):
        return "done", ""
    try:
        value = int(code)
    except ValueError:
        return "unknown", ""
    if value >= 0 or -value == errno.EINPROGRESS:
        return "done" if value >= 0 else "unknown", ""
    return "failed", errno.errorcode.get(-value, "")


def _time(row: Row, record: Mapping[str, Any]) -> int:
    seconds = number(row, "time")
    if seconds is None:
        seconds = number(record, "unixTime")
    if seconds is None or not 0 < seconds < 1 << 33:
        raise Told("has no time that can be read")
    return seconds * 1_000_000_000


_TABLES: tuple[tuple[tuple[str, ...], Callable[[Row, int], Event | None]], ...] = (
    (("remote_address", "remote_port"), _connected),
    (("local_address", "local_port", "pid"), _connected),
    (("operation", "executable"), _changed),
    (("target_path", "action"), _file),
    (("path", "cmdline", "pid"), _started),
)
"""Columns that tell a table of events, the more telling first, and what makes an event of its rows."""
