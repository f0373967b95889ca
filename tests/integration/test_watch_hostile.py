"""A watch under what it may meet: numbers that are used again, floods, odd names, full disks, terminals that close."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.adapters.watcher import connector as connectors
from pratique.adapters.watcher.lookout import Asked, Lookout
from pratique.adapters.watcher.table import Table
from pratique.model.event import Event
from tests.integration.test_watch_command import DEFINITION, NO_CONNECTOR
from tests.standins.watching import given, watching, words

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the watch runs on Linux alone")


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Programs that are started here get SIGHUP as usual, even where the tests were started with it ignored (nohup)."""
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, former)


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="pratique-watch-"))
    yield made
    shutil.rmtree(made)


REUSED = """
import os, subprocess, sys, time
from pratique.adapters.watcher.table import Table
table = Table(lambda seen: None)
table._own = -1  # this very process may be told of
table.fill()
first = subprocess.Popen(["/bin/sh", "-c", "sleep 50; :"])
time.sleep(0.1)
begun, gone = table.polled()
known = table.known[first.pid]
for child in [one for one in begun if one.name == "sleep"]:
    os.kill(child.pid, 9)
first.kill(); first.wait()
with open("/proc/sys/kernel/ns_last_pid", "w") as file:
    file.write(str(first.pid - 1))
second = subprocess.Popen(["/bin/sleep", "50"])
assert second.pid == first.pid, (first.pid, second.pid)
time.sleep(0.05)
again = table.checked(known)
try:
    other = table.known[second.pid]
    print(other is not known, known.ticks != other.ticks, known.arguments[0], os.path.basename(os.readlink(f"/proc/{second.pid}/exe")))
finally:
    second.kill(); second.wait()
"""


def test_a_number_that_is_used_again_is_another_process() -> None:
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    if subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no namespaces can be had here")
    done = subprocess.run(
        [*apart, sys.executable, "-c", REUSED], env=given(Path.home()), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "True", "/bin/sh", "sleep"]


def test_a_line_of_ancestors_that_grows_for_ever_is_cut() -> None:
    table = Table(lambda seen: None)
    table.known.clear()
    table._new(os.getppid())
    above = os.getppid()
    for number in range(10_000_000, 10_002_000):  # numbers that no process has
        table.forked(number, above)
        table.ended(above)
        above = number
    last = table.known[above]
    assert len(last.ancestors()) == 16
    depth, known = 0, last
    while known.parent is not None:
        depth, known = depth + 1, known.parent
    assert depth <= 300


@pytest.mark.skipif(bool(NO_CONNECTOR), reason=f"the kernel tells no process events here: {NO_CONNECTOR}")
def test_events_that_the_kernel_gave_up_are_counted_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connectors, "ROOM", 1)
    found: list[Event] = []
    asked = Asked(lambda path: "other", lambda seen: None, lambda address, port: False, "connector")
    lookout = Lookout(asked, found.append)
    try:
        for _ in range(300):  # nobody takes what the kernel tells of these
            child = os.fork()
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        assert lookout.connector is not None
        lookout._heard(lookout.connector)
        lookout._gaps()
        covered = lookout.coverage()
    finally:
        lookout.close()
    told = [event for event in found if event.kind == "guard.dropped"]
    assert len(told) == 1
    assert int(told[0].detail["count"]) == lookout.lost >= 1
    assert covered.lost == lookout.lost


def test_odd_names_are_shown_without_their_effect(folder: Path) -> None:
    program = folder / "x\n\x1b[31mHIGH all-is-well\x1b[0m"
    shutil.copyfile(shutil.which("sleep") or "", program)
    program.chmod(0o755)
    process = subprocess.Popen(words("--for", "4"), env=given(folder), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stderr is not None
    assert process.stderr.readline().startswith(b"watch: began")
    subprocess.run([program, "0.5", "a\nb", "\x1b]0;x\x07"], stderr=subprocess.DEVNULL, check=False)
    running = subprocess.Popen([program, "1"])
    out, _ = process.communicate(timeout=30)
    running.wait()
    assert b"exec-from-temporary" in out
    assert b"\x1b" not in out
    assert not [line for line in out.splitlines() if line.startswith((b"\x1b", b"HIGH", b"[31m"))]


def test_a_disk_that_is_full_is_said(folder: Path) -> None:
    done = subprocess.run(
        words("--for", "1", "--events", "/dev/full"), env=given(folder), capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "/dev/full: cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    for options in (("--state", "/nonexistent/x"), ("--events", "/nonexistent/x"), ("--run", "'"), ("--webhook", "x")):
        done = subprocess.run(words("--once", *options), env=given(folder), capture_output=True, text=True, check=False)
        assert done.returncode == 2, options
        assert "Traceback" not in done.stderr


def test_a_terminal_that_closes_ends_it(folder: Path) -> None:
    master, slave = pty.openpty()
    held = open(folder / "told", "wb")  # noqa: SIM115 (closed below)

    def controlling() -> None:
        fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(
        words(), env=given(folder), stdin=slave, stdout=slave, stderr=held, start_new_session=True,
        preexec_fn=controlling,  # noqa: PLW1509 (one thread alone is here)
    )  # fmt: skip
    try:
        os.close(slave)
        end = time.monotonic() + 20
        while b"watch: began" not in (folder / "told").read_bytes() and time.monotonic() < end:
            time.sleep(0.05)
        os.close(master)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
        held.close()
    told = (folder / "told").read_text("utf-8")
    assert "ended (SIGHUP)" in told
    assert "Traceback" not in told


def test_many_starts_at_once_are_all_seen_and_told_of(folder: Path) -> None:
    if NO_CONNECTOR:
        pytest.skip(f"the kernel tells no process events here: {NO_CONNECTOR}")
    events = folder / "events.ndjson"
    line = "i=0; while [ $i -lt 150 ]; do /bin/true & i=$((i+1)); done; wait"
    with watching(folder, "--events", events) as watch:
        shells = [subprocess.Popen(["/bin/sh", "-c", line]) for _ in range(4)]
        assert [shell.wait(30) for shell in shells] == [0] * 4
        sums = watch.end()
    own = {shell.pid for shell in shells}
    seen = [json.loads(text) for text in events.read_text("utf-8").splitlines()[1:]]
    starts = [one for one in seen if one["kind"] == "process.start" and one["process"].get("parent") in own]
    assert len(starts) == 600
    assert sums.get("lost", 0) == 0
    assert [one["sequence"] for one in seen] == list(range(1, len(seen) + 1))


def test_the_incidents_of_a_case_are_looked_for(folder: Path) -> None:
    home = folder / "home"
    left = home / ".local" / "share" / "standin" / "monitor.py"
    left.parent.mkdir(parents=True)
    definitions = folder / "definitions"
    definitions.mkdir()
    (definitions / "standin.toml").write_text(
        DEFINITION + '\n[[indicators]]\nid = "place"\ntype = "file-path"\nvalue = "~/.local/share/standin/monitor.py"\n'
        'confidence = "high"\nmeaning = "persisted"\nsources = ["test", "more"]\n',
        "utf-8",
    )
    case, key = folder / "case", folder / "case.key"
    api.new_case(case, incidents=["standin"], definitions=definitions, key=key).close()
    options = ("--json", "--once", "--level", "critical", "--case", case, "--key", key, "--incidents", definitions)

    def look() -> tuple[int, list[dict[str, Any]]]:
        done = subprocess.run(words(*options), env=given(home), capture_output=True, text=True, check=False)
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return done.returncode, [one for one in found if one.get("incident") == "standin"]

    assert look()[1] == []
    left.write_text("pass\n", "utf-8")
    code, found = look()
    assert code == 4
    assert [one["detection"]["rule"] for one in found] == ["indicator-file"]
    with api.open_case(case, key=key) as opened:
        assert [entry.body["indicator"] for entry in opened.entries("detection")] == ["place"]
    unknown = folder / "other"
    api.new_case(unknown, incidents=["standin"], definitions=definitions, key=folder / "other.key").close()
    done = subprocess.run(
        words("--once", "--case", unknown, "--key", folder / "other.key"),
        env=given(home), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "standin" in done.stderr


@pytest.mark.parametrize("user", [False, True])
def test_the_unit_is_one_that_systemd_takes(user: bool, folder: Path) -> None:
    odd = folder / "with space and $x %h"
    odd.mkdir()
    options = ["unit", *(["--user"] if user else []), "--case", odd, "--key", folder / "k", "--state", odd / "s"]
    options += ["--level", "medium", "--project", folder, "--run", "notify 'two words'", "--again", "60"]
    done = subprocess.run(words(*options), env=given(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    start = next(line for line in done.stdout.splitlines() if line.startswith("ExecStart="))
    assert f'"{str(odd).replace("$", "$$").replace("%", "%%")}"' in start
    assert "--level medium" in start
    assert ("ReadWritePaths=" in done.stdout) is not user
    if shutil.which("systemd-analyze"):
        unit = folder / "pratique-watch.service"
        unit.write_text(done.stdout, "utf-8")
        verified = subprocess.run(
            ["systemd-analyze", *(["--user"] if user else []), "verify", "--man=no", unit],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not [line for line in verified.stderr.splitlines() if unit.name in line], verified.stderr
    tab = subprocess.run(words("unit", "--run", "a\nb"), env=given(folder), capture_output=True, text=True, check=False)
    assert tab.returncode == 2
    assert "Traceback" not in tab.stderr
