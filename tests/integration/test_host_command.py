"""`pratique host`: real processes and connections of inert stand-ins, and disks of three systems with look-alikes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.assess.catalogue import refanged
from tests.standins.hive import hive
from tests.standins.running import running

AXIOS = "axios-2026-03-31"
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="live tables are tested on Linux")


def run(*arguments: object, before: Sequence[str] = (), home: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    if home is not None:
        environment["HOME"] = str(home)
    command = [*before, sys.executable, "-m", "pratique", "host", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)


def report(*arguments: object, **more: Any) -> tuple[int, dict[str, Any]]:
    done = run(*arguments, "--format", "json", **more)
    assert done.returncode in (0, 4, 10, 11), done.stderr
    return done.returncode, json.loads(done.stdout)


def seen(document: dict[str, Any]) -> set[tuple[str, str]]:
    """Indicator and status of every sighting."""
    return {
        (re.findall(r"indicator ([a-z0-9-]+)", item["explanation"])[0], item["status"])
        for item in document["sightings"]
    }


def put(root: Path, path: str, text: str | bytes = "inert text of a test\n") -> Path:
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(text.encode() if isinstance(text, str) else text)
    return place


def domain() -> str:
    known, _ = api.available(None)
    return next(refanged(item.value) for item in known[AXIOS].indicators if item.id == "c2-domain")


def linux(root: Path) -> Path:
    put(root, "etc/passwd", "root:x:0:0::/root:/bin/sh\ndev:x:1000:1000::/home/dev:/bin/sh\n")
    put(root, "usr/bin/true")
    put(root, "var/lib/x")
    put(root, "home/dev/.bashrc", "alias ll='ls -l'\n")
    return root


def test_every_indicator_on_a_linux_disk_and_no_look_alike(tmp_path: Path) -> None:
    root = linux(tmp_path)
    for path in ("tmp/build.py", "var/tmp/ld.py", "home/dev/ld.py", "home/dev/project/tmp/ld.py", "tmp/ld.py.txt"):
        put(root, path)
    lines = [
        f"Mar 31 00:31:12 laptop sudo: dev : TTY=pts/0 ; COMMAND=/usr/bin/grep {domain()} /var/log/syslog",
        f"Mar 31 00:31:13 laptop dnsmasq[812]: query[A] not{domain()} from 127.0.0.1",
    ]
    put(root, "var/log/syslog", "\n".join(lines) + "\n")
    put(root, "etc/hosts", f"0.0.0.0 {domain()}\n")
    put(root, "var/spool/cron/crontabs/dev", "@reboot python3 /tmp/build.py\n0 1 * * * sha256sum /tmp/ld.py\n")
    code, document = report("--root", root, "--incident", AXIOS)
    assert (code, seen(document)) == (0, set())
    put(root, "tmp/ld.py")
    put(root, "var/spool/cron/crontabs/dev", "@reboot nohup python3 /tmp/ld.py x >/dev/null 2>&1 &\n")
    lines.append(f"Mar 31 00:31:14 laptop dnsmasq[812]: query[A] {domain()} from 127.0.0.1")
    put(root, "var/log/syslog", "\n".join(lines) + "\n")
    code, document = report("--root", root, "--incident", AXIOS)
    assert (code, seen(document)) == (11, {("linux-backdoor", "affected"), ("c2-domain", "affected")})
    assert {item["location"]["path"] for item in document["sightings"]} == {
        "tmp/ld.py",
        "var/spool/cron/crontabs/dev",
        "var/log/syslog",
    }
    assert [item["kind"] for item in document["subjects"]] == ["machine"]
    assert {item["depth"] for item in document["sightings"]} == {"executed"}


def test_every_indicator_on_a_disk_of_macos_and_no_look_alike(tmp_path: Path) -> None:
    for path in (
        "Applications/x",
        "System/x",
        "Users/dev/Library/Caches/com.apple.act.mond",
        "Library/Caches/com.apple.act.mond.plist",
        "Users/dev/6202033",
        "tmp/ld.py",
        "private/etc/hosts",
    ):
        put(tmp_path, path)
    code, document = report("--root", tmp_path, "--incident", AXIOS)
    assert (code, seen(document)) == (0, set())
    put(tmp_path, "Library/Caches/com.apple.act.mond")
    put(tmp_path, "private/var/folders/ab/cd/T/6202033")
    code, document = report("--root", tmp_path, "--incident", AXIOS)
    assert (code, seen(document)) == (11, {("macos-backdoor", "affected"), ("macos-applescript", "affected")})


def test_every_indicator_on_a_disk_of_windows_and_no_look_alike(tmp_path: Path) -> None:
    run_key = "[HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run]\r\n"
    head = "Windows Registry Editor Version 5.00\r\n\r\n"
    for path in (
        "Windows/System32/x.dll",
        "Users/dev/AppData/Local/Microsoft/WindowsApps/wt.exe",
        "Program Files/WindowsApps/Microsoft.WindowsTerminal/wt.exe",
        "Users/dev/system.bat",
        "Users/dev/6202033.ps1",
    ):
        put(tmp_path, path)
    put(tmp_path, "run.reg", (head + run_key + '"OneDrive"="C:\\\\x\\\\OneDrive.exe"\r\n').encode("utf-16"))
    code, document = report("--root", tmp_path, "--incident", AXIOS)
    assert (code, seen(document)) == (0, set())
    put(tmp_path, "PROGRAMDATA/WT.exe")
    put(tmp_path, "PROGRAMDATA/system.bat")
    put(tmp_path, "Users/dev/AppData/Local/Temp/6202033.vbs")
    put(tmp_path, "Users/dev/AppData/Local/Temp/6202033.ps1")
    put(tmp_path, "Users/dev/AppData/Local/Microsoft/CLR_v4.0/UsageLogs/wt.exe.log")
    put(
        tmp_path,
        "run.reg",
        (head + run_key + '"MicrosoftUpdate"="C:\\\\ProgramData\\\\system.bat"\r\n').encode("utf-16"),
    )
    task = "<Task><Actions><Exec><Command>cmd</Command><Arguments>/c C:\\ProgramData\\system.bat</Arguments></Exec></Actions></Task>"
    put(tmp_path, "Windows/System32/Tasks/Updates", task)
    code, document = report("--root", tmp_path, "--incident", AXIOS)
    assert code == 11
    assert seen(document) == {
        ("windows-powershell-copy", "affected"),
        ("windows-bat", "affected"),
        ("windows-vbs", "affected"),
        ("windows-ps1", "affected"),
        ("windows-clr-usage-log", "under_investigation"),
        ("windows-run-key", "affected"),
    }
    put(tmp_path, "Users/dev/NTUSER.DAT", b"regf")
    _, document = report("--root", tmp_path, "--incident", AXIOS)
    refusal = next(item for item in document["coverage"]["refusals"] if item["reader"] == "registry-hive")
    assert refusal["relevant"]


@pytest.mark.parametrize(("value", "code"), [("MicrosoftUpdate", 11), ("MicrosoftUpdater", 0)])
def test_a_run_key_in_the_hive_of_a_user(tmp_path: Path, value: str, code: int) -> None:
    run_key = {value: "C:\\Users\\dev\\x.bat", "OneDrive": "C:\\x\\OneDrive.exe"}
    put(tmp_path, "Windows/System32/x.dll")
    keys = {"Software": {"Microsoft": {"Windows": {"CurrentVersion": {"Run": run_key}}}}}
    put(tmp_path, "Users/dev/NTUSER.DAT", hive(keys))
    found, document = report("--root", tmp_path, "--incident", AXIOS)
    # its look-alike keeps the value alone from being sure: it must point at what the incident leaves
    assert (found, seen(document)) == ((4, {("windows-run-key", "under_investigation")}) if code else (0, set()))
    run_key[value] = "C:\\ProgramData\\system.bat"
    put(tmp_path, "Users/dev/NTUSER.DAT", hive(keys))
    found, document = report("--root", tmp_path, "--incident", AXIOS)
    wanted = {("windows-bat", "affected"), ("windows-run-key", "affected")} if code else {("windows-bat", "affected")}
    assert (found, seen(document)) == (11, wanted)


def test_a_watcher_that_lies_in_a_home_is_found_with_its_unit(tmp_path: Path) -> None:
    root = linux(tmp_path)
    put(root, "home/dev/.local/bin/gh-token-monitor.sh.bak")
    put(root, "home/dev/work/.local/bin/gh-token-monitor.sh")
    code, document = report("--root", root, "--incident", "tanstack-2026-05-11")
    assert (code, seen(document)) == (0, set())
    put(root, "home/dev/.local/bin/gh-token-monitor.sh")
    unit = "[Service]\nExecStart=/bin/bash %h/.local/bin/gh-token-monitor.sh\n"
    put(root, "home/dev/.config/systemd/user/gh-token-monitor.service", unit)
    code, document = report("--root", root, "--incident", "tanstack-2026-05-11")
    assert code == 11
    assert len({indicator for indicator, _ in seen(document)}) == 2
    assert document["incidents"][0]["guidance"]["remediation"] == []


def test_hostile_files_end_as_refusals(tmp_path: Path) -> None:
    for path in ("Applications/x", "System/x", "Users/dev/Library/x", "Library/x"):
        put(tmp_path, path)
    agents = tmp_path / "Library/LaunchAgents"
    agents.mkdir()
    os.mkfifo(agents / "pipe.plist")
    (agents / "loop.plist").symlink_to("loop.plist")
    (agents / "out.plist").symlink_to("/etc/passwd")
    entities = "".join(f'<!ENTITY x{n} "{f"&x{n - 1};" * 10 if n else "a"}">' for n in range(9))
    put(agents, "bomb.plist", f'<?xml version="1.0"?><!DOCTYPE plist [{entities}]><plist><string>&x8;</string></plist>')
    put(agents, "deep.plist", "<plist>" + "<array>" * 50_000)
    put(agents, "binary.plist", b"bplist00" + b"\xff" * 64)
    code, document = report("--root", tmp_path, "--incident", AXIOS)
    assert code == 4
    refused = {Path(item["path"]).name for item in document["coverage"]["refusals"] if item["relevant"]}
    assert refused == {"pipe.plist", "bomb.plist", "deep.plist", "binary.plist"}
    assert not document["sightings"]


def test_a_disk_that_is_none_is_no_answer(tmp_path: Path) -> None:
    assert run("--root", tmp_path, "--incident", AXIOS).returncode in (3, 4)
    assert run("--root", tmp_path / "missing").returncode == 2


# the running machine

DEFINITION = """
id = "standin"
revision = 1
updated = 2026-11-20
title = "A stand-in for tests"
summary = "Nothing that exists."
status = "active"
completeness = "fixed"
listed_on = 2026-11-20

[[references]]
id = "test"
title = "this test"
kind = "vendor-report"

[[references]]
id = "more"
title = "this test once more"
kind = "vendor-report"

[[components]]
ecosystem = "npm"
name = "standin-of-a-test"
role = "payload"

[[components.versions]]
version = "1.0.0"

[[windows]]
start = 2026-01-01T00:00:00Z
basis = "observed"
source = "test"
"""


def definition(folder: Path, *indicators: tuple[str, str, str], extra: str = "", switch: str = "") -> Path:
    text = DEFINITION
    if switch:
        text = text.replace("completeness", f'dead_man_switch = "{switch}"\ncompleteness', 1)
        text += '\n[[remediation]]\nid = "sweep"\naction = "Look for it"\n'
        text += '\n[[remediation]]\nid = "rotate"\naction = "Revoke"\nafter = ["sweep"]\n'
    for name, kind, value in indicators:
        meaning = "persisted" if extra == "persisted" else "executed"
        text += (
            f'\n[[indicators]]\nid = "{name}"\ntype = "{kind}"\nvalue = \'{value}\'\n'
            f'confidence = "high"\nmeaning = "{meaning}"\nsources = ["test", "more"]\n'
        )
        if kind == "command-line":
            text += 'match = "glob"\n'
    return put(folder, "standin.toml", text)


@LINUX
def test_a_running_script_and_a_deleted_executable_are_active(tmp_path: Path) -> None:
    script = put(tmp_path, "ld.py", "import time\ntime.sleep(60)\n")
    look_alike = put(tmp_path, "build.py", "import time\ntime.sleep(60)\n")
    program = tmp_path / "standin-helper"
    shutil.copy("/bin/sleep", program)
    file = definition(
        tmp_path / "d",
        ("script", "file-path", str(script)),
        ("program", "file-path", str(program)),
        ("called", "process", "standin-helper"),
    )
    with (
        running(sys.executable, "build.py", cwd=tmp_path),
        running("/bin/sh", "-c", f"sleep 60; : grep {script}"),
        running(sys.executable, str(look_alike), str(script)),
        running("/usr/bin/tail", "-f", str(script)),
    ):
        script.unlink()
        code, document = report("--incident", file)
        assert seen(document) - {("program", "affected")} == set()
        script.write_text("import time\ntime.sleep(60)\n")
        with running(sys.executable, "ld.py", cwd=tmp_path) as number, running(str(program), "60") as other:
            time.sleep(0.5)  # so that the script was opened
            script.unlink()
            program.unlink()
            code, document = report("--incident", file)
    assert code == 11
    found = {(item["depth"], item["explanation"]) for item in document["sightings"]}
    assert {depth for depth, _ in found} == {"active"}, found
    assert any(f"process {number} (" in text and str(script) in text for _, text in found)
    assert any(f"process {other} (" in text and "is gone" in text for _, text in found)
    assert seen(document) == {("script", "affected"), ("program", "affected"), ("called", "affected")}


@LINUX
def test_a_running_script_of_another_name_is_known_by_its_digest(tmp_path: Path) -> None:
    script = put(tmp_path, "innocent.py", "import time\ntime.sleep(60)  # a stand-in\n")
    digest = hashlib.sha256(script.read_bytes()).hexdigest()
    file = definition(tmp_path / "d", ("bytes", "file-hash", f"sha256:{digest}"))
    with running(sys.executable, "innocent.py", cwd=tmp_path):
        time.sleep(0.3)
        code, document = report("--incident", file)
    assert (code, seen(document)) == (11, {("bytes", "affected")})
    assert [item["depth"] for item in document["sightings"]] == ["active"]


@LINUX
def test_a_command_line_is_met_and_a_search_for_it_is_not(tmp_path: Path) -> None:
    glob = "*standin -c * -d files[.]standin[.]test/product2 -s *"
    plain = "standin -c x -d files.standin.test/product2 -s http://host.test/s3cretword"
    file = definition(tmp_path, ("line", "command-line", glob))
    with (
        running("/bin/sh", "-c", f"sleep 60; : grep '{plain}'"),
        running("grep", "-r", plain, "/dev/zero", executable="/bin/grep"),
        running("/usr/bin/tail", "-f", "/dev/null", plain),
    ):
        assert not report("--incident", file)[1]["sightings"]
        with running("standin", "-c", "sleep 60; :", *plain.split()[3:], executable="/bin/sh"):
            done = run("--incident", file, "--format", "json")
    assert done.returncode == 11
    assert seen(json.loads(done.stdout)) == {("line", "affected")}
    assert "s3cretword" not in done.stdout


@LINUX
def test_its_own_arguments_are_no_trace(tmp_path: Path) -> None:
    place = put(tmp_path, "standin.toml")
    file = definition(tmp_path, ("own", "command-line", "*pratique host*"), ("also", "command-line", "*python* -m *"))
    assert file == place
    done = run("--incident", file, "--format", "json")
    assert not [item for item in json.loads(done.stdout)["sightings"] if "pratique" in item["explanation"]]


@LINUX
def test_a_connection_to_a_listed_address_is_active(tmp_path: Path) -> None:
    with socket.socket() as listening, socket.socket() as client:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        file = definition(tmp_path, ("place", "url", f"hxxp://127.0.0[.]1:{port}/x"))
        _, document = report("--incident", file)
        assert not document["sightings"]  # listening is no connection
        client.connect(("127.0.0.1", port))
        code, document = report("--incident", file)
        assert code == 11
        (sighting,) = document["sightings"]
        assert (sighting["depth"], sighting["status"]) == ("active", "affected")
        assert f"process {os.getpid()} (" in sighting["explanation"]
        other = definition(tmp_path / "other", ("place", "ip", f"127.0.0[.]1:{port + 1}"))
        assert not report("--incident", other)[1]["sightings"]


@LINUX
def test_a_chain_of_programs_alone_is_a_matter_to_look_into(tmp_path: Path) -> None:
    for name in ("standin-a", "standin-b", "standin-c"):
        shutil.copy("/bin/sh", tmp_path / name)
    file = definition(tmp_path, ("chain", "parent-child", "standin-a > standin-b > standin-c"))
    inner = f"{tmp_path}/standin-b -c '{tmp_path}/standin-c -c \"sleep 60; :\"; :'; :"
    with running(str(tmp_path / "standin-a"), "-c", inner):
        time.sleep(0.3)
        code, document = report("--incident", file)
    assert (code, seen(document)) == (4, {("chain", "under_investigation")})


@LINUX
def test_nothing_of_the_bundled_incidents_runs_on_this_machine() -> None:
    _, document = report()
    assert document["sightings"] == []


@LINUX
def test_gaps_are_those_of_the_machine_alone(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root and setpriv to become another account")
    folder = tmp_path / "home"
    folder.mkdir()
    reading = "+dac_read_search"  # so that it may start this Python wherever it lies; it may look into no process
    probe = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    probe += [f"--inh-caps={reading}", f"--ambient-caps={reading}"]
    python = subprocess.run([*probe, sys.executable, "-c", "import pratique"], capture_output=True, check=False)
    if python.returncode != 0:
        pytest.skip("another account cannot start this Python")
    code, document = report("--incident", AXIOS, before=probe, home=folder)
    assert code == 4
    assert any("could not be seen by this account" in item["reason"] for item in document["coverage"]["refusals"])
    assert {item["kind"] for item in document["subjects"]} == {"machine"}


@LINUX
def test_a_case_records_the_sweep_only_where_it_was_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    file = definition(
        tmp_path,
        ("watcher", "file-path", "~/.local/bin/standin-monitor.sh"),
        extra="persisted",
        switch="A stand-in. Remove it first.",
    )
    case, key = tmp_path / "case", tmp_path / "case.key"
    with api.new_case(case, key=key):
        pass

    def sweeps() -> list[dict[str, Any]]:
        with api.open_case(case, key=key) as opened:
            return [entry.body for entry in opened.entries("sweep")]

    done = run("--incident", file, "--case", case, "--key", key, home=home)
    assert "nothing-found" in done.stderr, done.stderr
    assert [(item["outcome"], item["basis"]) for item in sweeps()] == [("nothing-found", "host-sweep")]
    put(home, ".local/bin/standin-monitor.sh")
    done = run("--incident", file, "--case", case, "--key", key, home=home)
    assert done.returncode == 11
    assert [item["outcome"] for item in sweeps()] == ["nothing-found", "found"]
    (home / ".local/bin/standin-monitor.sh").unlink()
    put(home, ".config/systemd/user/odd.service", b"\0no unit\n")
    done = run("--incident", file, "--case", case, "--key", key, home=home)
    assert "not recorded" in done.stderr
    assert len(sweeps()) == 2
    done = run("--root", linux(tmp_path / "disk"), "--incident", file, "--case", case, "--key", key, home=home)
    assert "this machine was not swept" in done.stderr
    assert len(sweeps()) == 2


@LINUX
def test_a_check_without_a_target_sweeps_the_machine_too(tmp_path: Path) -> None:
    script = put(tmp_path, "work/ld.py", "import time\ntime.sleep(60)\n")
    file = definition(tmp_path / "d", ("script", "file-path", str(script)))
    home = tmp_path / "home"
    home.mkdir()
    with running(sys.executable, "ld.py", cwd=script.parent):
        time.sleep(0.3)
        command = [sys.executable, "-m", "pratique", "check", "--incident", str(file), "--format", "json"]
        environment = {**os.environ, "HOME": str(home)}
        done = subprocess.run(command, capture_output=True, text=True, timeout=200, env=environment, check=False)
    document = json.loads(done.stdout)
    assert done.returncode == 11
    assert "host" in {item["kind"] for item in document["targets"]}
    assert {item["depth"] for item in document["sightings"]} == {"active", "executed"}


@LINUX
def test_a_name_with_escapes_moves_no_terminal(tmp_path: Path) -> None:
    program = tmp_path / "na\x1b[31m\u202eme"
    shutil.copy("/bin/sleep", program)
    file = definition(tmp_path / "d", ("program", "file-path", f"{tmp_path}/na*"))
    file.write_text(file.read_text().replace('confidence = "high"', 'match = "glob"\nconfidence = "high"'))
    with running(str(program), "60"):
        for form in ("text", "markdown", "html"):
            done = run("--incident", file, "--format", form)
            assert done.returncode == 11
            assert "\x1b" not in done.stdout
            assert "\u202e" not in done.stdout


WATCHED = "~/.local/bin/standin-monitor.sh"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            ".config/systemd/user/dbus.service.d/override.conf",
            "[Service]\nExecStartPost=%h/.local/bin/standin-monitor.sh\n",
        ),
        (
            "../../etc/systemd/system/cron.service.d/x.conf",
            "[Service]\nExecStart=/home/dev/.local/bin/standin-monitor.sh\n",
        ),
        (".strange-place/pre-commit", "#!/bin/sh\n/bin/sh ~/.local/bin/standin-monitor.sh\n"),
        (".my-template/hooks/post-checkout", "#!/bin/sh\nexec ~/.local/bin/standin-monitor.sh\n"),
    ],
)
def test_what_a_drop_in_or_a_hook_of_a_named_folder_starts_is_seen(path: str, text: str, tmp_path: Path) -> None:
    root = linux(tmp_path / "disk")
    file = definition(tmp_path, ("watcher", "file-path", WATCHED), extra="persisted")
    put(
        root,
        "home/dev/.gitconfig",
        "[core]\n\thooksPath = ~/.strange-place\n[init] templateDir = /home/dev/.my-template\n",
    )
    put(root, "usr/lib/systemd/system/user@0.service.d/10-barrier.conf", "# Comments alone: nothing is started.\n\n")
    assert report("--root", root, "--incident", file)[0] == 0
    put(root, f"home/dev/{path}", text)
    code, document = report("--root", root, "--incident", file)
    assert (code, seen(document)) == (11, {("watcher", "affected")})


@LINUX
def test_a_closed_folder_above_the_units_is_a_gap(tmp_path: Path) -> None:
    root = linux(tmp_path / "disk")
    put(root, "home/dev/.config/systemd/user/odd.service", "[Service]\nExecStart=/bin/true\n")
    file = definition(tmp_path, ("watcher", "file-path", WATCHED), extra="persisted")
    closed, before = root / "home/dev/.config", []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to take rights from root")
        without = "-dac_override,-dac_read_search"
        before = ["setpriv", f"--bounding-set={without}", f"--inh-caps={without}"]
        os.chown(closed, 65534, 65534)
    closed.chmod(0)
    try:
        if subprocess.run([*before, "ls", str(closed)], capture_output=True, check=False).returncode == 0:
            pytest.skip("nothing is closed to this account")
        code, document = report("--root", root, "--incident", file, before=before)
    finally:
        closed.chmod(0o700)
    assert code == 4
    gaps = [item["path"] for item in document["coverage"]["refusals"] if item["reader"] == "host"]
    assert gaps == ["home/dev/.config"]


@LINUX
def test_a_table_that_could_not_be_taken_says_why_and_what_to_do(tmp_path: Path) -> None:
    file = definition(tmp_path, ("called", "process", "standin-of-no-process"))
    hidden = (
        "import os, sys; sys.modules['psutil'] = None; from pratique.doors.cli.commands import pratique; pratique()"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}
    command = [sys.executable, "-c", hidden, "host", "--incident", str(file), "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
    reasons = [item["reason"] for item in json.loads(done.stdout)["coverage"]["refusals"]]
    assert "could not be taken: the Python package psutil is not installed here" in reasons
    assert done.stderr.startswith("gap"), done.stderr
