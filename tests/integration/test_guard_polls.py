"""`pratique guard --means poll`: what looks at the kernel's tables and the shell of scripts tell, and no more.

Real npm, real processes, all inert and on the loopback.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.supervisor.means import unusable_by
from tests.standins.real_clients import environment, need
from tests.standins.registry import Registry

REASON = unusable_by("poll")
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"nothing is told by looking: {REASON}")

LINGERS = """\
// Inert: it holds a place and a connection open for a moment, leaves a process behind, and deletes itself.
const fs = require("fs"), os = require("os"), path = require("path"), cp = require("child_process"), net = require("net");
const held = fs.openSync(path.join(os.homedir(), ".netrc"));
const socket = net.connect(Number(process.env.HARBOUR_PORT), "127.0.0.1");
cp.spawn("sleep", ["2"], { detached: true, stdio: "ignore" }).unref();
setTimeout(() => { fs.unlinkSync(__filename); socket.destroy(); fs.closeSync(held); }, 700);
"""


class Report:
    """What a guarded command told."""

    def __init__(self, folder: Path, done: subprocess.CompletedProcess[str]) -> None:
        self.code, self.summary = done.returncode, done.stderr
        self.document: dict[str, Any] = json.loads((folder / "guard.json").read_text("utf-8"))
        lines = (folder / "events.ndjson").read_text("utf-8").splitlines()[1:]
        self.events: list[dict[str, Any]] = [json.loads(line) for line in lines]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["kind"] == kind]

    def seen(self, category: str) -> str:
        return next(str(row["seen"]) for row in self.document["watch"]["categories"] if row["category"] == category)


def _polled(folder: Path, *command: str, **variables: str) -> Report:
    words = [sys.executable, "-m", "pratique", "guard", "--means", "poll", "--linger", "0.2"]
    words += ["--json", str(folder / "guard.json"), "--events", str(folder / "events.ndjson"), "--", *command]
    given = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
    work = folder / "work"
    work.mkdir(exist_ok=True)
    done = subprocess.run(words, cwd=work, env=given, capture_output=True, text=True, timeout=90, check=False)
    return Report(folder, done)


def _package(folder: Path, scripts: dict[str, str], files: dict[str, str]) -> None:
    """An app in `work` that depends on the package `anchor`, packed beside it."""
    package, work = folder / "package", folder / "work"
    package.mkdir()
    work.mkdir()
    (package / "package.json").write_text(
        json.dumps({"name": "anchor", "version": "1.0.0", "scripts": scripts}), "utf-8"
    )
    for name, text in files.items():
        (package / name).write_text(text, "utf-8")
    with tarfile.open(work / "anchor.tgz", "w:gz") as archive:
        archive.add(package, "package")
    wanted = {"name": "app", "version": "1.0.0", "dependencies": {"anchor": "file:anchor.tgz"}}
    (work / "package.json").write_text(json.dumps(wanted), "utf-8")


def test_what_stays_open_for_a_moment_is_seen_with_package_and_step(tmp_path: Path) -> None:
    client = need("npm-11")
    home = tmp_path / "home"
    home.mkdir()
    (home / ".netrc").write_text("machine registry.example login inert password inert\n", "utf-8")
    _package(tmp_path, {"postinstall": "node setup.js"}, {"setup.js": LINGERS})
    with Registry() as registry, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        given = environment(home, registry, {"HARBOUR_PORT": str(port)})
        report = _polled(tmp_path, *client.command, "install", "--offline", "--ignore-scripts=false", **given)
    assert report.code == 0, report.summary
    cause = {"ecosystem": "npm", "name": "anchor", "version": "1.0.0", "step": "postinstall"}

    def caused(kind: str) -> list[dict[str, Any]]:
        return [one for one in report.of(kind) if cause.items() <= one.get("cause", {}).items()]

    started = [one["process"]["arguments"] for one in caused("process.start")]
    assert started.count(["/bin/sh", "-c", "node setup.js"]) == 1
    assert started.count(["node", "setup.js"]) == 1
    assert [one["path"] for one in caused("file.read")] == [f"{home}/.netrc"]
    assert [(one["address"], one["port"]) for one in caused("network.connect")] == [("127.0.0.1", port)]
    assert [Path(one["path"]).name for one in caused("file.delete")] == ["setup.js"]
    assert [one["process"]["arguments"] for one in caused("process.survived")] == [["sleep", "2"]]
    assert {"credential-read", "self-delete", "detached-survivor"} <= {
        one["rule"] for one in report.document["detections"]
    }


def test_a_script_too_short_to_be_looked_at_is_told_by_its_shell(tmp_path: Path) -> None:
    client = need("npm-11")
    home = tmp_path / "home"
    home.mkdir()
    _package(tmp_path, {"preinstall": ": harbour", "install": "exit 0"}, {})
    with Registry() as registry:
        given = environment(home, registry, {})
        report = _polled(tmp_path, *client.command, "install", "--offline", "--ignore-scripts=false", **given)
    told = [
        (one["process"]["arguments"][-1], one["cause"]["step"])
        for one in report.of("process.start")
        if one["process"]["arguments"][:2] == ["/bin/sh", "-c"] and "step" in one.get("cause", {})
    ]
    (npm,) = {one["process"]["parent"] for one in report.of("process.start") if one.get("cause")}
    begun = [one["process"]["arguments"][0] for one in report.of("process.start") if one["process"]["pid"] == npm]
    assert len(begun) == 1, "a program that writes over its title has not begun anew"
    assert told == [(": harbour", "preinstall"), ("exit 0", "install")]


def test_nothing_is_called_seen_whole_and_no_refusal_is_promised(tmp_path: Path) -> None:
    report = _polled(tmp_path, "sh", "-c", "exit 3")
    assert report.code == 3
    assert report.document["means"] == "poll"
    whole = {row["category"] for row in report.document["watch"]["categories"] if row["seen"] == "all"}
    assert whole == {"process.survived"}
    assert (report.seen("io_uring"), report.seen("foreign-calls")) == ("none", "none")
    assert "WATCHED  by polling" in report.summary


def test_a_program_in_memory_is_seen_while_it_lives(tmp_path: Path) -> None:
    run = (
        "import os,shutil\n"
        "f=os.memfd_create('x',0)\n"
        "os.write(f,open(shutil.which('sleep'),'rb').read())\n"
        "os.execv(f'/proc/self/fd/{f}',['sleep','0.5'])\n"
    )
    report = _polled(tmp_path, sys.executable, "-c", run)
    assert [one["path"].startswith("/memfd:x") for one in report.of("memory.program")] == [True]


def test_the_shell_of_scripts_is_gone_with_the_guard(tmp_path: Path) -> None:
    report = _polled(tmp_path, "sh", "-c", "test -x $npm_config_script_shell", TMPDIR=str(tmp_path))
    assert report.code == 0
    assert not list(tmp_path.glob("pratique-shell-*"))


SHORT = """\
// Inert: all of this is over before anybody looks.
const fs = require("fs"), path = require("path"), os = require("os"), cp = require("child_process");
if (process.env.HARBOUR_TOKEN !== "inert") process.exit(9);
fs.readFileSync(path.join(os.homedir(), ".netrc"));
cp.spawnSync("true", ["harbour"]);
import("node:fs").then((own) => own.promises.writeFile(path.join(os.homedir(), ".bashrc"), "# inert"));
"""


def test_what_a_short_script_asks_of_node_is_noted_by_a_hook(tmp_path: Path) -> None:
    client = need("npm-11")
    home, own = tmp_path / "home", tmp_path / "own.cjs"
    home.mkdir()
    (home / ".netrc").write_text("machine registry.example login inert password inert\n", "utf-8")
    own.write_text("process.env.HARBOUR_TOKEN = 'inert';\n", "utf-8")
    _package(tmp_path, {"install": "node setup.js"}, {"setup.js": SHORT})
    with Registry() as registry:
        given = environment(home, registry, {"NODE_OPTIONS": f"--require {own}"})
        report = _polled(tmp_path, *client.command, "install", "--offline", "--ignore-scripts=false", **given)
    assert report.code == 0, report.summary
    noted = [one for one in report.events if one["source"] == "hook"]
    assert {one["cause"]["step"] for one in noted} == {"install"}
    told = {(one["kind"], one.get("path", "")) for one in report.events}
    assert {("file.read", f"{home}/.netrc"), ("file.write", f"{home}/.bashrc")} <= told
    assert [one["detail"]["name"] for one in report.of("environment.read")] == ["HARBOUR_TOKEN"]
    assert ["true", "harbour"] in [one["process"]["arguments"] for one in report.of("process.start")]
    assert (report.seen("environment.read"), report.seen("network.name")) == ("part", "part")
    assert "inert" not in json.dumps([one for one in noted if one["kind"] != "process.start"]).replace("inert-", "")


def test_notes_of_no_form_are_counted_and_harm_nothing(tmp_path: Path) -> None:
    write = (
        "import glob,os\n"
        "folder=os.path.dirname(os.environ['npm_config_script_shell'])+'/notes/'\n"
        'for name,text in ((\'node-1-1\',\'no note\\n{"what":3}\\n{"what":"read","path":"/etc/hosts"}\\n\'),(\'node-x\',\'x\')):\n'
        "    open(folder+name,'w').write(text)\n"
        "open(folder+'12','wb').write(b'\\0'*9)\n"
        "os.mkfifo(folder+'13'); os.mkfifo(folder+'node-2-2')\n"
    )
    report = _polled(tmp_path, sys.executable, "-c", write)
    assert report.code == 0
    assert any("no known form (2)" in gap for gap in report.document["watch"]["gaps"])
