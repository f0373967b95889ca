"""`pratique guard` around real programs: what they do is seen, told by package, and nothing of it hides.

The command runs as a user runs it, in a process of its own. Everything here is inert and stays on the loopback.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.supervisor.means import unusable_by
from pratique.model.supervision import MEANS, Means
from tests.standins.real_clients import environment, need
from tests.standins.registry import Registry

BLIND = {means: unusable_by(means) for means in MEANS}
BLIND_BECAUSE = {
    "notify": "no filter with a listener can be set here",
    "strace": "strace cannot stand in here",
    "poll": "nothing is told by looking",
}
by_any = pytest.mark.parametrize("means", MEANS)
by_notification_alone = pytest.mark.parametrize("means", ["notify"])
by_strace_alone = pytest.mark.parametrize("means", ["strace"])

Events = list[dict[str, Any]]


class Run:
    """One guarded command: its exit code, its streams, its events."""

    def __init__(self, result: subprocess.CompletedProcess[str], events: Path) -> None:
        self.code, self.out, self.told = result.returncode, result.stdout, result.stderr
        lines = events.read_text("utf-8").splitlines() if events.exists() else []
        self.schema = json.loads(lines[0]) if lines else {}
        self.events: Events = [json.loads(line) for line in lines[1:]]

    def of(self, kind: str, **fields: Any) -> Events:
        """The events of a kind with these fields."""
        return [
            event
            for event in self.events
            if event["kind"] == kind and all(event.get(name) == value for name, value in fields.items())
        ]

    def started(self) -> list[list[str]]:
        """The arguments of all programs that began."""
        return [event["process"]["arguments"] for event in self.of("process.start")]


Guard = Callable[..., Run]


@pytest.fixture(params=["notify", "strace"])
def means(request: pytest.FixtureRequest) -> Means:
    """By what the command is watched: each of these sees every call."""
    asked: Means = request.param
    return asked


@pytest.fixture
def guard(tmp_path: Path, means: Means) -> Guard:
    if BLIND[means]:
        pytest.skip(f"{BLIND_BECAUSE[means]}: {BLIND[means]}")
    (tmp_path / "work").mkdir()
    home = tmp_path / "home"
    home.mkdir()

    def run(*command: str, options: Sequence[str] = (), before: Sequence[str] = (), **variables: str) -> Run:
        events = tmp_path / "events.ndjson"
        words = [
            *before,
            sys.executable,
            "-m",
            "pratique",
            "guard",
            "--means",
            means,
            "--events",
            str(events),
            *options,
            "--",
            *command,
        ]
        given = {**os.environ, "HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), **variables}
        given |= {"PRATIQUE_ISOLATED": "no"}
        result = subprocess.run(
            words, cwd=tmp_path / "work", env=given, capture_output=True, text=True, timeout=60, check=False
        )
        return Run(result, events)

    return run


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], str]:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to make the programs that are watched")
    folder = tmp_path_factory.mktemp("programs")

    def make(name: str, text: str) -> str:
        source = folder / f"{name}.c"
        source.write_text(text, "utf-8")
        subprocess.run(["cc", "-w", "-o", str(folder / name), str(source)], check=True, timeout=30)
        return str(folder / name)

    return make


@by_any
def test_the_code_of_the_command_is_that_of_the_guard_and_its_streams_are_its_own(guard: Guard) -> None:
    ran = guard("sh", "-c", "echo out; exit 7")
    assert (ran.code, ran.out) == (7, "out\n")
    assert ran.schema == {"schema": "pratique.event/1"}
    assert ran.started()[0] == ["sh", "-c", "echo out; exit 7"]
    assert [event["sequence"] for event in ran.events] == list(range(1, len(ran.events) + 1))
    assert "NOT SEEN" in ran.told


@by_any
@pytest.mark.parametrize(
    ("command", "code", "told"),
    [(("no-such-program-here",), 127, "was not found"), (("./plain",), 126, "cannot be executed")],
)
def test_what_cannot_be_started_is_told_with_the_code_of_shells(
    guard: Guard, tmp_path: Path, command: tuple[str, ...], code: int, told: str
) -> None:
    (tmp_path / "work/plain").write_text("x", "utf-8")
    ran = guard(*command)
    assert ran.code == code
    assert told in ran.told
    assert "Traceback" not in ran.told


def test_no_command_and_a_file_that_cannot_be_written_are_told(guard: Guard, tmp_path: Path) -> None:
    assert guard().code == 2
    ran = guard("true", options=["--events", str(tmp_path / "no/such/folder")])
    assert ran.code == 2
    assert "cannot be written" in ran.told


def test_a_thousand_short_processes_are_all_seen(guard: Guard, tmp_path: Path) -> None:
    (tmp_path / "work/many.sh").write_text("i=0; while [ $i -lt 1000 ]; do /bin/true $i; i=$((i+1)); done\n", "utf-8")
    ran = guard("sh", "many.sh")
    assert [words[1] for words in ran.started() if words[0] == "/bin/true"] == [str(one) for one in range(1000)]


def test_what_fails_along_the_path_is_no_start(guard: Guard, tmp_path: Path) -> None:
    ran = guard("sh", "-c", "true-not-there || /bin/true", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert [words[0] for words in ran.started()] == ["sh", "/bin/true"]


@by_any
def test_what_survives_is_told_and_goes_on(guard: Guard, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    ran = guard(
        "sh", "-c", f"(setsid sh -c 'sleep 1.5; /bin/echo on > {mark}' &) ; exit 0", options=["--linger", "0.3"]
    )
    assert ran.code == 0
    survived = ran.of("process.survived")
    assert survived
    assert "STILL RUNNING" in ran.told
    deadline = time.monotonic() + 10
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert mark.exists(), "a survivor's calls must go on when the guard is gone"


@by_any
def test_a_time_limit_ends_everything(guard: Guard) -> None:
    begun = time.monotonic()
    ran = guard("sh", "-c", "trap '' TERM INT HUP; (setsid sleep 60 &); sleep 60", options=["--time", "0.5"])
    assert time.monotonic() - begun < 20
    assert ran.code == 128 + signal.SIGKILL
    assert "at its time limit" in ran.told


def test_arguments_keep_their_signs_and_long_ones_are_cut(guard: Guard) -> None:
    ran = guard("/bin/true", "a\nb", "\x1b[31m", "é", "x" * 100_000)
    (words,) = ran.started()
    assert words[1:4] == ["a\nb", "\x1b[31m", "é"]
    assert len(words[4]) == 4096
    (event,) = ran.of("process.start")
    assert event["process"]["cut"] is True
    assert "\x1b" not in ran.told


def test_a_connection_and_a_name_are_seen(guard: Guard) -> None:
    ask = (
        "import socket\n"
        "s = socket.socket(); s.connect_ex(('127.0.0.1', 9))\n"
        "q = b'\\x12\\x34\\x01\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7collect\\7invalid\\0\\0\\1\\0\\1'\n"
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(q, ('127.0.0.1', 53))\n"
    )
    ran = guard(sys.executable, "-c", ask)
    assert {(event["address"], event["port"]) for event in ran.of("network.connect")} >= {
        ("127.0.0.1", 9),
        ("127.0.0.1", 53),
    }
    assert [event["host"] for event in ran.of("network.name")] == ["collect.invalid"]


def test_places_of_credentials_and_persistence_are_told(guard: Guard, tmp_path: Path) -> None:
    (tmp_path / "home/.npmrc").write_text("//registry.example/:_authToken=inert\n", "utf-8")
    ran = guard("sh", "-c", "cat ~/.npmrc > /dev/null; echo '# inert' >> ~/.bashrc")
    assert [event["path"] for event in ran.of("file.read", path_class="credential")] == [f"{tmp_path}/home/.npmrc"]
    assert [event["path"] for event in ran.of("file.write", path_class="persistence")] == [f"{tmp_path}/home/.bashrc"]
    assert "inert" not in json.dumps(ran.of("file.read"))
    assert not guard("sh", "-c", "cat ~/.npmrc > /dev/null", options=["--no-reads"]).of("file.read")


def test_io_uring_is_refused_and_told(guard: Guard, compiled: Callable[[str, str], str]) -> None:
    program = compiled(
        "ring",
        "#include <unistd.h>\n#include <errno.h>\n#include <sys/syscall.h>\n"
        "int main(){char p[120]={0};long r=syscall(425,8,p);return r<0&&errno==ENOSYS?5:6;}",
    )
    ran = guard(program)
    assert ran.code == 5
    (gap,) = ran.of("guard.gap")
    assert gap["detail"]["what"] == "io_uring"
    assert "io_uring" in ran.told


@by_notification_alone
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="32-bit calls by int 0x80 are a thing of x86")
def test_calls_of_another_architecture_are_a_gap(guard: Guard, compiled: Callable[[str, str], str]) -> None:
    program = compiled("old", 'int main(){int r;asm volatile("int $0x80":"=a"(r):"a"(20));return 3;}')
    ran = guard(program)
    assert ran.code == 3
    assert [gap["detail"]["what"] for gap in ran.of("guard.gap")] == ["foreign-calls"]


@by_notification_alone
def test_the_guard_can_be_neither_traced_nor_ended_from_below(
    guard: Guard, compiled: Callable[[str, str], str]
) -> None:
    program = compiled(
        "attack",
        "#include <signal.h>\n#include <unistd.h>\n#include <errno.h>\n#include <sys/ptrace.h>\n"
        "int main(){int p=getppid();int a=kill(p,9)<0&&errno==EPERM;int b=ptrace(PTRACE_ATTACH,p,0,0)<0&&errno==EPERM;"
        "int c=kill(-1,9)<0&&errno==EPERM;return a+2*b+4*c;}",
    )
    ran = guard(program)
    assert ran.code == 7
    assert len(ran.of("guard.tampering", outcome="denied")) == 3


@by_strace_alone
def test_who_ends_strace_is_told_and_starts_nothing_more(guard: Guard) -> None:
    ran = guard("sh", "-c", "kill -9 $PPID; /bin/true later; cat /etc/hostname; exit 5")
    assert ran.code not in (0, 5), "not even a process can be made"
    assert ["/bin/true", "later"] not in ran.started()
    assert ran.out == "", "what opens files begins no more"
    assert len(ran.of("guard.tampering")) >= 1
    assert "strace was ended" in ran.told


@by_strace_alone
def test_who_writes_lines_in_the_name_of_strace_is_told(guard: Guard) -> None:
    forge = (
        "import os,glob\nfor log in glob.glob('/tmp/pratique-strace-*/log'):\n open(log,'ab').write(b'1 nonsense\\n')\n"
    )
    ran = guard(sys.executable, "-c", forge, TMPDIR="/tmp")
    assert ran.of("guard.tampering")
    assert "no known form" in ran.told


@by_strace_alone
def test_strict_refusal_is_not_promised(guard: Guard, tmp_path: Path) -> None:
    strict = guard("touch", "begun", options=["--block=strict"])
    assert (strict.code, "strace refuses nothing" in strict.told) == (2, True)
    assert not (tmp_path / "work/begun").exists()
    usual = guard("true", options=["--block"])
    assert usual.code == 0
    assert "SEEN, NOT BLOCKABLE" in usual.told
    assert "for good" not in usual.told


def test_a_program_out_of_memory_is_told(guard: Guard) -> None:
    run = (
        "import os,shutil\n"
        "f=os.memfd_create('x',0)\n"
        "os.write(f,open(shutil.which('true'),'rb').read())\n"
        "os.execv(f'/proc/self/fd/{f}',['true'])\n"
    )
    ran = guard(sys.executable, "-c", run)
    assert ran.code == 0
    assert [event["path"].startswith("/memfd:x") for event in ran.of("memory.program")] == [True]


def test_closed_descriptors_threads_and_many_executions_do_not_blind_it(guard: Guard) -> None:
    run = (
        "import os,threading,subprocess\n"
        "os.closerange(3,4096)\n"
        "def one(n): subprocess.run(['/bin/true',str(n)])\n"
        "t=[threading.Thread(target=one,args=(n,)) for n in range(20)]\n"
        "[x.start() for x in t];[x.join() for x in t]\n"
        "os.execv('/bin/sh',['sh','-c','exec /bin/true last'])\n"
    )
    ran = guard(sys.executable, "-c", run)
    assert ran.code == 0
    seen = [words[1] for words in ran.started() if words[0] == "/bin/true"]
    assert sorted(seen[:-1], key=int) == [str(one) for one in range(20)]
    assert seen[-1] == "last"


@by_any
def test_it_needs_no_rights_of_root(guard: Guard, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        reading = "+dac_read_search"  # so that it may start this Python wherever it lies
        before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        before += [f"--inh-caps={reading}", f"--ambient-caps={reading}"]
        for path in (tmp_path, tmp_path / "work"):
            path.chmod(0o777)
    else:
        before = []
    ran = guard("sh", "-c", "id -u; grep CapEff /proc/self/status", before=before)
    assert ran.code == 0, ran.told
    assert ran.out.startswith(f"{65534 if before else os.geteuid()}\n")
    assert ["sh", "-c", "id -u; grep CapEff /proc/self/status"] in ran.started()


@by_any
def test_a_signal_to_the_guard_reaches_the_command(guard: Guard, means: Means) -> None:
    words = [sys.executable, "-m", "pratique", "guard", "--means", means, "--"]
    words += ["sh", "-c", "trap 'exit 9' TERM; echo up; sleep 30 & wait"]
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
    with subprocess.Popen(words, env=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(signal.SIGTERM)
        process.stdout.close()
        assert process.wait(20) == 9


SETUP = """\
// Inert: the shape of a dropper. It reads a place, drops a script that sleeps, leaves it behind and deletes itself.
const fs = require("fs"), os = require("os"), path = require("path"), cp = require("child_process"), net = require("net");
try { fs.readFileSync(path.join(os.homedir(), ".npmrc")); } catch {}
const drop = path.join(os.tmpdir(), "ld.py");
fs.writeFileSync(drop, "import time\\ntime.sleep(1)\\n");
net.connect(9, "127.0.0.1").on("error", () => {});
cp.spawn("/bin/sh", ["-c", `nohup python3 ${drop} > /dev/null 2>&1 &`], { detached: true, stdio: "ignore" }).unref();
fs.unlinkSync(__filename);
fs.renameSync(path.join(__dirname, "package.md"), path.join(__dirname, "package.json"));
"""


@pytest.mark.parametrize("label", ["npm-11"])
def test_the_shape_of_a_dropper_is_seen_and_told_by_package_and_step(guard: Guard, tmp_path: Path, label: str) -> None:
    client = need(label)
    package, project, temporary = tmp_path / "package", tmp_path / "work", tmp_path / "temporary"
    package.mkdir()
    temporary.mkdir()
    manifest = {"name": "anchor", "version": "1.0.0", "scripts": {"postinstall": "node setup.js"}}
    (package / "package.json").write_text(json.dumps(manifest), "utf-8")
    (package / "package.md").write_text(json.dumps({"name": "anchor", "version": "1.0.0"}), "utf-8")
    (package / "setup.js").write_text(SETUP, "utf-8")
    with tarfile.open(project / "anchor.tgz", "w:gz") as archive:
        archive.add(package, "package")
    (project / "package.json").write_text(
        json.dumps({"name": "app", "version": "1.0.0", "dependencies": {"anchor": "file:anchor.tgz"}}), "utf-8"
    )
    (tmp_path / "home/.npmrc").write_text("audit=false\n", "utf-8")
    with Registry() as registry:
        given = environment(tmp_path / "home", registry, {"TMPDIR": str(temporary)})
        ran = guard(
            *client.command, "install", "--offline", "--ignore-scripts=false", options=["--linger", "0.2"], **given
        )
    assert ran.code == 0, ran.told
    mine = [event for event in ran.events if event.get("cause", {}).get("name") == "anchor"]
    assert {event["cause"]["step"] for event in mine} == {"postinstall"}
    kinds = {(event["kind"], event.get("path_class")) for event in mine}
    assert {
        ("file.read", "credential"),
        ("file.write", "temporary"),
        ("file.delete", "package"),
        ("file.rename", "manifest"),
        ("process.survived", None),
    } <= {(kind, place if kind != "process.survived" else None) for kind, place in kinds}
    dropped = [event for event in mine if event["kind"] == "process.start" and event.get("dropped")]
    assert any(event["process"]["script"].endswith("/ld.py") for event in dropped)
    assert [event["port"] for event in mine if event["kind"] == "network.connect"] == [9]
    assert "npm anchor@1.0.0, postinstall" in ran.told
