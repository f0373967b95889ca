"""`pratique guard --block`: what the policy refuses does not happen, by no way that was thought of; builds go on.

Every package here is an inert stand-in; the network is a namespace of the test's own.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.supervisor import execution, unusable
from pratique.workflow.guard_policy import without_auth
from tests.integration.own_network import enter, in_a_thread
from tests.standins.real_clients import environment, need
from tests.standins.registry import Registry

REASON = unusable()
LANDLOCK = execution.usable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"no filter with a listener can be set here: {REASON}")
SHAPES = Path(__file__).parents[1] / "standins" / "shapes"
SECRET = "aws_secret_access_key = inert"
POLICY = "[network]\nports = [53]\naddresses = ['192.0.2.0/24']\n"

Run = Callable[..., dict[str, Any]]


class Outcome:
    """What a guarded install came to: its report, and what the stand-in wrote down."""

    def __init__(self, done: subprocess.CompletedProcess[str], folder: Path) -> None:
        self.done = done
        report, found = folder / "guard.json", folder / "found.json"
        self.report: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
        self.found: dict[str, str] = json.loads(found.read_text("utf-8")) if found.exists() else {}

    def denied(self, category: str) -> str:
        """What the coverage says of refusing a category."""
        return next(
            row.get("denied", "not asked") for row in self.report["watch"]["categories"] if row["category"] == category
        )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / ".aws").mkdir(parents=True)
    (folder / ".aws/credentials").write_text(SECRET, "utf-8")
    (folder / ".npmrc").write_text(f"fund=false\n//registry.example/:_authToken={SECRET}\nloglevel=error\n", "utf-8")
    (folder / ".bashrc").write_text("# mine\n", "utf-8")
    (folder / ".gitconfig").write_text("[user]\n", "utf-8")
    return folder


def _installed(
    tmp_path: Path,
    home: Path,
    shape: Path,
    options: Sequence[str],
    more: Mapping[str, str],
    client: str = "npm-11",
    before: Sequence[str] = (),
) -> Outcome:
    manager = need(client)
    project, temporary, package = tmp_path / "project", tmp_path / "temporary", tmp_path / "package"
    project.mkdir()
    temporary.mkdir()
    shutil.copytree(shape, package)
    with tarfile.open(project / "anchor.tgz", "w:gz") as made:
        made.add(package, "package")
    manifest: dict[str, Any] = {"name": "app", "version": "1.0.0", "dependencies": {"anchor": "file:./anchor.tgz"}}
    manifest["trustedDependencies"] = ["anchor"]
    (project / "package.json").write_text(json.dumps(manifest), "utf-8")
    words = {
        "npm": ["install", "--offline", "--ignore-scripts=false", "--foreground-scripts"],
        "pnpm": ["install", "--offline", "--ignore-scripts=false", "--dangerously-allow-all-builds"],
        "yarn": ["install", "--no-immutable"],
        "bun": ["install"],
    }[manager.name]
    with Registry() as registry:
        given = environment(
            home,
            registry,
            {
                "TMPDIR": str(temporary),
                "STANDIN_TEMPORARY": str(temporary),
                "STANDIN_REPORT": str(tmp_path / "found.json"),
                **more,
            },
        )
        given["YARN_ENABLE_SCRIPTS"] = "1"
        given |= {"PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
        guard = [sys.executable, "-m", "pratique", "guard", "--json", str(tmp_path / "guard.json"), "--linger", "0.2"]
        done = subprocess.run(
            [*before, *guard, *options, "--", *manager.command, *words],
            cwd=project, env=given, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    return Outcome(done, tmp_path)


READS = (
    "read", "read by both", "read by another name", "read by a link", "read by a second name", "read after moving",
    "read after moving the folder", "read by cat", "read by python", "copy", "npm's environment",
)  # fmt: skip
WRITES = (
    "write what runs again", "write it by both", "write it by a link", "empty it", "put it in place", "make a unit",
    "link a unit", "a task of the editor", "delete itself", "move itself", "swap the manifest", "write the manifest",
)  # fmt: skip
PROGRAMS = (
    "dropped program", "dropped in the home", "dropped script by its line", "dropped script by sh",
    "dropped script by python", "dropped script by node", "dropped program by the loader", "program in memory",
)  # fmt: skip
BUILDS = {
    "own files": "true", "own program": "own", "data in a temporary folder": "data",
    "rename in a temporary folder": "data", "settings of git": "true", "a new file": "640", "exclusive": "EEXIST",
    "a pipe": "through", "delete a file": "false", "make and delete a folder": "false", "a link": "new",
    "a hook": "made",
}  # fmt: skip


def _refused(found: str) -> bool:
    return found in ("EACCES", "EPERM", "ENOENT") or found.startswith(("Error: ended with", "Error: spawn"))


@pytest.fixture(params=["npm-11", "pnpm-12"])
def attempts(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Outcome:
    outcome = _installed(tmp_path, home, SHAPES / "attempts", ["--block"], {}, request.param)
    assert outcome.done.returncode == 0, outcome.done.stdout + outcome.done.stderr
    return outcome


@pytest.mark.skipif(bool(LANDLOCK), reason=f"programs cannot be held to folders here: {LANDLOCK}")
def test_what_the_policy_refuses_does_not_happen_and_builds_go_on(attempts: Outcome, home: Path) -> None:
    found = attempts.found
    assert found, attempts.done.stdout + attempts.done.stderr
    assert {name: found[name] for name in (*READS, *WRITES, *PROGRAMS) if not _refused(found[name])} == {}
    assert SECRET not in json.dumps(found)
    assert {name: found[name] for name in BUILDS} == BUILDS
    assert found["npm run"] == "built within"
    assert found["settings of npm"] == "fund=false\nloglevel=error\n"
    if shutil.which("cc"):
        assert found["compile"] == ""
    assert (home / ".aws/credentials").read_text("utf-8") == SECRET
    assert (home / ".bashrc").read_text("utf-8") == "# mine\n"
    for category in ("file.read", "file.write", "file.delete", "process.start", "network.connect"):
        assert attempts.denied(category) == "sound"
    rules = {one["rule"] for one in attempts.report["detections"] if one.get("cause", {}).get("name") == "anchor"}
    assert {"credential-read", "exec-from-drop"} <= rules
    assert "denied" in attempts.done.stderr


def test_without_block_nothing_is_refused(tmp_path: Path, home: Path) -> None:
    outcome = _installed(tmp_path, home, SHAPES / "attempts", [], {})
    assert outcome.done.returncode == 0, outcome.done.stderr
    assert outcome.found.get("read") == SECRET, outcome.done.stdout + outcome.done.stderr
    assert outcome.found["dropped program"] == ""
    assert outcome.denied("file.read") == "not asked"


@pytest.mark.parametrize("client", ["yarn-4.18", "bun-1.4"])
def test_where_no_shell_holds_scripts_it_is_said_and_reads_are_refused_all_the_same(
    tmp_path: Path, home: Path, client: str
) -> None:
    outcome = _installed(tmp_path, home, SHAPES / "attempts", ["--block"], {}, client)
    assert outcome.done.returncode == 0, outcome.done.stdout + outcome.done.stderr
    assert outcome.found, outcome.done.stdout + outcome.done.stderr
    assert {name: outcome.found[name] for name in READS if not _refused(outcome.found[name])} == {}
    assert outcome.denied("file.read") == "sound"
    assert outcome.denied("process.start") == "seen, not blockable"
    assert "SEEN, NOT BLOCKABLE" in outcome.done.stderr


def test_a_policy_allows_by_name(tmp_path: Path, home: Path) -> None:
    (tmp_path / "policy.toml").write_text(
        "[credentials]\nallow = ['~/.aws/*']\n[programs]\ndeny_dropped = false\n", "utf-8"
    )
    outcome = _installed(
        tmp_path, home, SHAPES / "attempts", ["--block", "--policy", str(tmp_path / "policy.toml")], {}
    )
    assert outcome.found.get("read") == SECRET, outcome.done.stdout + outcome.done.stderr
    assert outcome.found["dropped program"] == ""
    assert outcome.denied("process.start") == "not asked"


def test_an_exempt_package_is_refused_nothing(tmp_path: Path, home: Path) -> None:
    (tmp_path / "policy.toml").write_text("exempt = ['anchor']\n[programs]\ndeny_dropped = false\n", "utf-8")
    outcome = _installed(
        tmp_path, home, SHAPES / "attempts", ["--block", "--policy", str(tmp_path / "policy.toml")], {}
    )
    assert outcome.found.get("read") == SECRET, outcome.done.stdout + outcome.done.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[credentials]\ndenny = true\n", "denny"),
        ("[network]\nports = [70000]\n", "70000 is no port"),
        ("[network]\naddresses = ['here']\n", "network.addresses"),
        ("[programs]\nallow = ['tools']\n", "neither absolute nor below ~/"),
        ("fail_on = 'terrible'\n", "fail_on"),
        ("= x", "is no policy"),
        (None, "cannot be read"),
    ],
)
def test_a_policy_that_cannot_be_used_stops_before_the_command(tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "policy.toml").write_text(text, "utf-8")
    done = _guard(tmp_path, "--block", "--policy", "policy.toml", "--", "touch", "ran")
    assert done.returncode == 2
    assert told in done.stderr
    assert not (tmp_path / "ran").exists()


def _guard(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no", **more}
    return subprocess.run(
        [sys.executable, "-m", "pratique", "guard", *words],
        cwd=folder, env=given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_strict_starts_nothing_that_it_cannot_keep(tmp_path: Path) -> None:
    done = _guard(tmp_path, "--block=strict", "--", "sh", "-c", "touch ran")
    assert done.returncode == 2
    assert "it is not known that sh starts scripts by the shell that it is told" in done.stderr
    assert not (tmp_path / "ran").exists()
    (tmp_path / "policy.toml").write_text("[programs]\ndeny_dropped = false\n", "utf-8")
    assert _guard(tmp_path, "--block=strict", "--policy", "policy.toml", "--", "touch", "ran").returncode == 0


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"registry=https://r.example/\n//r.example/:_authToken=s3cret\n", b"registry=https://r.example/\n"),
        (b"//r.example/:_password=s3cret\n//r.example/:username=me\nfund=false", b"fund=false"),
        (b"_auth = s3cret\ncafile=/etc/ca.pem\n", b"cafile=/etc/ca.pem\n"),
        (b"//r.example/:certfile=/home/me/s3cret\n//r.example/:keyfile=/home/me/s3cret\n", b""),
        (
            b"[global]\nindex-url = https://me:s3cret@r.example/simple\n",
            b"[global]\nindex-url = https://r.example/simple\n",
        ),
        (b"npmAuthToken: s3cret\nnpmRegistryServer: https://r.example\n", b"npmRegistryServer: https://r.example\n"),
    ],
)
def test_settings_are_given_without_what_authenticates(given: bytes, kept: bytes) -> None:
    assert without_auth(given) == kept


# races: what is judged is what happens

STEP = {"npm_package_name": "anchor", "npm_package_version": "1.0.0", "npm_lifecycle_event": "postinstall"}
RACE = """
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static char path[256]; static volatile int over; static const char *good, *bad;
static void *swap(void *x){ while(!over){ memcpy(path,bad,strlen(bad)+1); memcpy(path,good,strlen(good)+1);} return 0; }
int main(int n, char **v){
  pthread_t t; char read_[64]; int got=0, ok=0; good=v[1]; bad=v[2];
  strcpy(path,good); pthread_create(&t,0,swap,0);
  int most=atoi(v[3]);
  for(int i=0;i<most;i++){ int f=open(path,O_RDONLY); if(f<0) continue; int m=read(f,read_,60); read_[m>0?m:0]=0;
    if(strstr(read_,"inert")) got++; else ok++; close(f); }
  over=1; pthread_join(t,0); printf("%d %d\\n",got,ok); return 0; }
"""


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[str, str], str]:
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to make the programs that are watched")

    def make(name: str, text: str) -> str:
        folder = tmp_path / "node_modules" / "anchor"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.c").write_text(text, "utf-8")
        subprocess.run(
            ["cc", "-w", "-pthread", "-o", str(folder / name), str(folder / f"{name}.c")], check=True, timeout=30
        )
        return str(folder / name)

    return make


def test_a_thread_that_swaps_the_path_gets_nothing_else(
    tmp_path: Path, home: Path, compiled: Callable[[str, str], str]
) -> None:
    (tmp_path / "plain").write_text("plain", "utf-8")
    bad, good = str(home / ".aws/credentials"), str(tmp_path / "plain")
    program = compiled("race", RACE)
    alone = subprocess.run([program, good, bad, "400000"], capture_output=True, text=True, timeout=60, check=True)
    assert int(alone.stdout.split()[0]) > 0, "the race does not race"
    done = _guard(tmp_path, "--block", "--", program, good, bad, "6000", HOME=str(home), **STEP)
    got, ok = (int(word) for word in done.stdout.split())
    assert got == 0, done.stderr
    assert ok > 0


START = """
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static char path[256]; static volatile int over; static const char *good, *bad;
static void *swap(void *x){ while(!over){ memcpy(path,bad,strlen(bad)+1); memcpy(path,good,strlen(good)+1);} return 0; }
int main(int n, char **v){
  pthread_t t; good=v[1]; bad=v[2]; char *w[]={"x",0};
  strcpy(path,good); pthread_create(&t,0,swap,0);
  for(int i=0,most=atoi(v[3]);i<most;i++){ pid_t p=vfork(); if(!p){ execve(path,w,environ); _exit(1);} waitpid(p,0,0); }
  over=1; pthread_join(t,0); return 0; }
"""


@pytest.mark.skipif(bool(LANDLOCK), reason=f"programs cannot be held to folders here: {LANDLOCK}")
def test_a_thread_that_swaps_the_program_starts_nothing_else(
    tmp_path: Path, home: Path, compiled: Callable[[str, str], str]
) -> None:
    marks = tmp_path / "marks"
    marks.touch()
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    bad = temporary / "bad"
    bad.write_text(f"#!/bin/sh\necho x >> {marks}\n", "utf-8")
    bad.chmod(0o755)
    program = compiled("start", "#define _GNU_SOURCE\n" + START)
    subprocess.run([program, "/bin/true", str(bad), "2000"], timeout=60, check=True)
    assert marks.read_text("utf-8"), "the race does not race"
    marks.write_text("", "utf-8")
    script = f'"$npm_config_script_shell" -c "{program} /bin/true {bad} 1500"'
    done = _guard(tmp_path, "--block", "--", "sh", "-c", script, HOME=str(home), TMPDIR=str(temporary), **STEP)
    assert done.returncode == 0, done.stderr
    assert marks.read_text("utf-8") == ""


# the network, in a namespace of its own


ATTEMPT = """
import json, os, socket, sys
def attempt(act):
    try: return act() or "done"
    except OSError as error: return error.strerror
def connect(address, port):
    with socket.socket() as one: one.settimeout(5); one.connect((address, port))
def waits(address, port):
    with socket.socket() as one: one.connect((address, port))
def sends(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one: one.sendto(b"x", (address, port))
def messages(address, port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one: one.sendmsg([b"x"], [], 0, (address, port))
def local(path):
    with socket.socket(socket.AF_UNIX) as one: one.connect(path)
print(json.dumps({name: attempt(lambda: eval(text)) for name, text in json.loads(sys.argv[1]).items()}))
"""


@pytest.fixture
def network(tmp_path: Path) -> Iterator[dict[str, int]]:
    """Listeners in a network of their own, in which this thread's children run."""
    reason = enter("192.0.2.1", "198.51.100.1")
    if reason:
        pytest.skip(f"no network of its own can be had here: {reason}")
    listeners = {}
    held = []
    for name, address, kind in (
        ("allowed", "192.0.2.1", socket.SOCK_STREAM), ("denied", "198.51.100.1", socket.SOCK_STREAM),
        ("near", "127.0.0.1", socket.SOCK_STREAM), ("udp allowed", "192.0.2.1", socket.SOCK_DGRAM),
        ("udp denied", "198.51.100.1", socket.SOCK_DGRAM),
    ):  # fmt: skip
        one = socket.socket(socket.AF_INET, kind)
        one.bind((address, 0))
        if kind == socket.SOCK_STREAM:
            one.listen(64)
        held.append(one)
        listeners[name] = one.getsockname()[1]
    yield listeners
    for one in held:
        one.close()


def test_only_what_the_policy_allows_is_reached(tmp_path: Path, home: Path) -> None:
    former = os.getcwd()

    def act() -> None:
        fixture = network.__wrapped__(tmp_path)  # type: ignore[attr-defined]  # its generator, in this thread
        ports = next(fixture)
        policy = f"[network]\nports = [{ports['allowed']}, {ports['udp allowed']}]\naddresses = ['192.0.2.0/24']\n"
        (tmp_path / "policy.toml").write_text(policy, "utf-8")
        with socket.socket(socket.AF_UNIX) as engine, socket.socket(socket.AF_UNIX) as plain:
            os.chdir(tmp_path)
            engine.bind("docker.sock")
            engine.listen()
            plain.bind("plain.sock")
            plain.listen()
            os.symlink("docker.sock", "innocent")
            wanted = {
                "allowed": f"connect('192.0.2.1', {ports['allowed']})",
                "allowed, waiting": f"waits('192.0.2.1', {ports['allowed']})",
                "another port": f"connect('192.0.2.1', {ports['denied']})",
                "another address": f"connect('198.51.100.1', {ports['denied']})",
                "near": f"connect('127.0.0.1', {ports['near']})",
                "within 6": f"socket.create_connection(('::ffff:198.51.100.1', {ports['denied']}), 5)",
                "sends": f"sends('192.0.2.1', {ports['udp allowed']})",
                "sends elsewhere": f"sends('198.51.100.1', {ports['udp denied']})",
                "messages": f"messages('192.0.2.1', {ports['udp allowed']})",
                "messages elsewhere": f"messages('198.51.100.1', {ports['udp denied']})",
                "plain": "local('plain.sock')",
                "engine": "local('docker.sock')",
                "engine by a link": "local('innocent')",
            }
            done = _guard(
                tmp_path, "--block", "--policy", "policy.toml", "--", sys.executable, "-c", ATTEMPT, json.dumps(wanted),
                HOME=str(home), **STEP,
            )  # fmt: skip
        found = json.loads(done.stdout)
        refused = {name for name, outcome in found.items() if outcome == "Permission denied"}
        assert refused == {
            "another port", "another address", "within 6", "sends elsewhere", "messages elsewhere", "engine",
            "engine by a link",
        }, found  # fmt: skip
        assert {outcome for name, outcome in found.items() if name not in refused} == {"done"}, found
        next(fixture, None)

    try:
        in_a_thread(act)
    finally:
        os.chdir(former)  # of the whole process: short names for sockets need it
