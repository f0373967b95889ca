"""Tables of the running machine, with real processes and sockets of inert stand-ins."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from pratique.targets import live
from tests.standins.running import running

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the tables are tested on Linux")


def row(number: int, *globs: str) -> dict[str, Any]:
    table = json.loads(live.processes(globs))
    found: dict[str, Any] = next(item for item in table["processes"] if item["process"] == number)
    return found


def test_a_script_is_told_whole_and_an_argument_is_not(tmp_path: Path) -> None:
    script = tmp_path / "stand-in.py"
    script.write_text("import time\ntime.sleep(60)\n", encoding="utf-8")
    arguments = ["--token=s3cr3tvalue", "-pAnotherSecret", "plainsecret", "https://user:pw@proxy.test:8443/path?key=v"]
    with running(sys.executable, "stand-in.py", *arguments, cwd=tmp_path) as number:
        found = row(number)
    assert found["script"] == str(script)
    assert found["words"] == ["stand-in.py", "--token=…", "-p…", "…", "https://proxy.test:8443/…"]
    assert found["hosts"] == ["proxy.test:8443"]
    assert "own" not in found
    assert not any(secret in json.dumps(found) for secret in ("s3cr3t", "Another", "plainsecret", "user:", "path?"))


def test_a_deleted_executable_is_told(tmp_path: Path) -> None:
    program = tmp_path / "gone"
    shutil.copy("/bin/sleep", program)
    with running(str(program), "60") as number:
        program.unlink()
        found = row(number)
    assert (found["executable"], found["deleted"], found["name"]) == (str(program), True, "gone")


def test_a_command_line_is_compared_and_not_kept(tmp_path: Path) -> None:
    glob = "*standin -c * -d files[.]standin[.]test/product2 -s *"
    line = ["-c", "sleep 60; :", "-d", "files.standin.test/product2", "-s", "http://s3cret.test/"]
    with running("standin", *line, executable="/bin/sh", cwd=tmp_path) as number:
        table = json.loads(live.processes([glob]))
    assert table["asked"] == [glob]
    assert all("product2" not in word for item in table["processes"] for word in item.get("words", ()))
    assert [item["process"] for item in table["processes"] if item.get("matched")] == [number]


def test_this_program_is_marked() -> None:
    assert row(os.getpid())["own"] is True


def test_an_argument_of_a_megabyte_is_cut(tmp_path: Path) -> None:
    with running("/bin/sh", "-c", "sleep 60; : " + "x" * 100_000, cwd=tmp_path) as number:
        found = row(number)
    assert len(json.dumps(found)) < 2000


def test_a_name_with_escapes_is_valid_text(tmp_path: Path) -> None:
    program = os.path.join(os.fsencode(tmp_path), b"na\x1b[31m\xff me")
    shutil.copy(b"/bin/sleep", program)
    process = subprocess.Popen([program, b"60"])
    time.sleep(0.2)
    try:
        found = row(process.pid)
    finally:
        process.kill()
        process.wait()
    assert found["executable"].endswith("na\x1b[31m\ufffd me")
    assert "programs" not in found


def test_both_ends_of_a_connection_are_told_with_their_owner() -> None:
    with socket.socket() as listening, socket.socket() as client:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        client.connect(("127.0.0.1", port))
        table = json.loads(live.sockets())
    found = [item for item in table["sockets"] if item.get("remote_port") == port]
    assert [(item["state"], item["remote"], item["process"]) for item in found] == [
        ("ESTABLISHED", "127.0.0.1", os.getpid())
    ]


def test_rows_of_the_kernel_are_understood() -> None:
    lines = [
        "   0: 0100007F:1F90 490BCE8E:1F40 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n",
        "   1: 0000000000000000FFFF00000100007F:0016 00000000000000000000000000000000:0000 0A 0 0 0 0 0 1\n",
        "   2: cut",
    ]
    found = list(live._rows(lines, "tcp"))
    if sys.byteorder == "little":
        assert [(item.local, item.local_port, item.remote, item.remote_port, item.state) for item in found] == [
            ("127.0.0.1", 8080, "142.206.11.73", 8000, "ESTABLISHED"),
            ("127.0.0.1", 22, None, None, "LISTEN"),
        ]


def test_tables_are_canonical_json() -> None:
    for text in (live.processes(), live.sockets()):
        plain = json.loads(text)
        assert next(iter(plain)) == "format"
        assert text.endswith(b"}\n")
