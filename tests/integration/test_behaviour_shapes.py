"""Inert stand-ins in the shapes of real incidents, installed by real clients under guard: seen, attributed, judged.

Each is readable text below `tests/standins/shapes`; a client packs and installs it on the loopback. What is wanted is
the least: the rules named must fire, with the package and step named.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.supervisor import unusable
from pratique.adapters.supervisor.means import unusable_by
from pratique.model.supervision import Means
from tests.standins.real_clients import environment, need
from tests.standins.registry import Registry

REASON = unusable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"no filter with a listener can be set here: {REASON}")
SHAPES = Path(__file__).parents[1] / "standins" / "shapes"
NPM = "npm-11"
TOO_SHORT = ("fetched-runtime", "native-build")
"""Shapes of which polling misses what runs outside of Node and ends at once."""
UNSET = ("env", "-u", "PYTHONPATH")


@dataclass(frozen=True)
class Shape:
    """A stand-in, the step that must be named, and the rules that must fire."""

    folder: str
    step: str
    rules: frozenset[str]
    also: frozenset[str] = field(default_factory=frozenset)
    """Rules that must fire without a package: what they see has none."""


def _shape(folder: str, step: str, *rules: str, also: Sequence[str] = ()) -> Shape:
    return Shape(folder, step, frozenset(rules), frozenset(also))


NPM_SHAPES = [
    _shape("dropper-linux", "postinstall", "credential-read", "credential-harvest", "downloader-chain", "exec-from-drop",
           "background-command", "self-delete", "manifest-swap", "detached-survivor", "manifest-changed",
           "package-file-missing"),
    _shape("dropper-macos", "postinstall", "scripting-host"),
    _shape("fetched-runtime", "preinstall", "downloader-chain", "exec-from-drop", "credential-harvest"),
    _shape("native-build", "install", "credential-read", "credential-harvest", "exec-from-drop"),
    _shape("self-deletion", "install", "self-delete", "package-file-missing"),
    _shape("dead-mans-switch", "postinstall", "persistence", "detached-survivor"),
    _shape("editor-persistence", "postinstall", "persistence"),
    _shape("miner", "preinstall", "exec-from-drop", "egress-odd-port", "detached-survivor"),
    _shape("names-out", "postinstall", "dns-exfiltration"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What second stages are fetched from: inert files on the loopback."""
    folder = tmp_path_factory.mktemp("server")
    (folder / "second-stage.py").write_text("import time\ntime.sleep(1)\n", "utf-8")
    reads = "".join(f'cat "$HOME/{one}" > /dev/null\n' for one in (".npmrc", ".aws/credentials", ".ssh/id_ed25519"))
    (folder / "runtime.sh").write_text(f"#!/bin/sh\n{reads}", "utf-8")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the name is the base class's
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with places of credentials that hold nothing."""
    folder = tmp_path / "home"
    for place in (".npmrc", ".aws/credentials", ".ssh/id_ed25519"):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        (folder / place).write_text("# inert\n", "utf-8")
    return folder


def _guarded(command: Sequence[str], folder: Path, given: dict[str, str], *options: str) -> dict[str, Any]:
    """The JSON report of a guarded command, which must end well unless it is blocked; its events are in `events`."""
    report, events = folder.parent / "guard.json", folder.parent / "events.ndjson"
    words = [
        sys.executable,
        "-m",
        "pratique",
        "guard",
        "--linger",
        "0.2",
        "--json",
        str(report),
        "--events",
        str(events),
    ]
    words += [*options, "--", *command]
    given = {**given, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
    done = subprocess.run(words, cwd=folder, env=given, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0 or options, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    found["events"] = [json.loads(line) for line in events.read_text("utf-8").splitlines()[1:]]
    return found


def _pack(folder: Path, archive: Path) -> None:
    with tarfile.open(archive, "w:gz") as made:
        made.add(folder, "package")


def _npm_install(tmp_path: Path, home: Path, server: str, packages: dict[str, Path], *options: str) -> dict[str, Any]:
    client = need(NPM)
    project, temporary = tmp_path / "project", tmp_path / "temporary"
    project.mkdir()
    temporary.mkdir()
    wanted = {}
    for name, folder in packages.items():
        _pack(folder, project / f"{name}.tgz")
        wanted[name] = f"file:{name}.tgz"
    (project / "package.json").write_text(
        json.dumps({"name": "app", "version": "1.0.0", "dependencies": wanted}), "utf-8"
    )
    with Registry() as registry:
        given = environment(
            home, registry, {"TMPDIR": str(temporary), "STANDIN_SERVER": server, "no_proxy": "127.0.0.1"}
        )
        headers = _headers(tmp_path)
        given |= {"npm_config_nodedir": str(headers), "npm_config_python": sys.executable}
        words = [*client.command, "install", "--offline", "--ignore-scripts=false", "--foreground-scripts"]
        return _guarded(words, project, given, *options)


def _headers(tmp_path: Path) -> Path:
    """As much of the headers of Node as configuring a build wants, so that nothing is fetched."""
    folder = tmp_path / "headers" / "include" / "node"
    folder.mkdir(parents=True)
    (folder / "node_version.h").write_text("#define NODE_MAJOR_VERSION 22\n", "utf-8")
    (folder / "common.gypi").write_text("{'variables': {}, 'target_defaults': {'type': 'none'}}\n", "utf-8")
    (folder / "config.gypi").write_text("{'variables': {}, 'target_defaults': {}}\n", "utf-8")
    return tmp_path / "headers"


def _fired(report: dict[str, Any], package: str = "anchor") -> dict[str, set[str]]:
    """The rules that fired on a package, each with the steps it named."""
    found: dict[str, set[str]] = {}
    for one in report["detections"]:
        if one.get("cause", {}).get("name", "") == package:
            found.setdefault(one["rule"], set()).add(one["cause"].get("step", ""))
    return found


def _unattributed(report: dict[str, Any]) -> set[str]:
    return {one["rule"] for one in report["detections"] if not one.get("cause", {}).get("name")}


@pytest.mark.parametrize(
    ("shape", "means"),
    [
        pytest.param(shape, means, id=f"{shape.folder}-{means}")
        for shape in NPM_SHAPES
        for means in ("notify", "strace", "poll")
        if means != "poll" or shape.folder not in TOO_SHORT
    ],
)
def test_a_shape_is_seen_with_its_package_and_step(
    shape: Shape, means: Means, tmp_path: Path, home: Path, server: str
) -> None:
    if reason := unusable_by(means):
        pytest.skip(f"{means} sees nothing here: {reason}")
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    source = tmp_path / "source"
    shutil.copytree(SHAPES / shape.folder, source)
    for file in source.iterdir():
        file.chmod(0o755 if file.read_text("utf-8").startswith("#!") else 0o644)
    report = _npm_install(tmp_path, home, server, {"anchor": source}, "--means", means)
    fired = _fired(report)
    assert shape.rules <= set(fired), f"did not fire: {sorted(shape.rules - set(fired))}"
    assert {step for rule in shape.rules for step in fired[rule]} == {shape.step}
    assert report["level"] in ("high", "critical")


def test_a_second_stage_that_another_package_put_is_seen_at_the_step_that_runs_it(
    tmp_path: Path, home: Path, server: str
) -> None:
    folder = SHAPES / "two-steps"
    report = _npm_install(tmp_path, home, server, {"anchor": folder / "first", "windlass": folder / "second"})
    assert _fired(report, "windlass")["exec-from-drop"] == {"postinstall"}


STOPPED = [
    # what is refused at which step, and what must not have come to be
    ("dropper-linux", "postinstall", {"file.read", "process.start", "file.delete"}, {"file.read": "credentials"}),
    ("fetched-runtime", "preinstall", {"process.start"}, {"process.start": "/runtime"}),
    ("native-build", "install", {"file.read", "process.start"}, {"process.start": "/probe"}),
    ("self-deletion", "install", {"file.delete"}, {"file.delete": "/install.js"}),
    ("dead-mans-switch", "postinstall", {"file.write"}, {"file.write": "/token-watch.service"}),
    ("editor-persistence", "postinstall", {"file.write"}, {"file.write": "/.vscode/tasks.json"}),
    ("miner", "preinstall", {"process.start"}, {"process.start": "/dev/shm/standin-"}),
    ("names-out", "postinstall", {"network.connect"}, {}),
]


@pytest.mark.parametrize(("folder", "step", "kinds", "named"), STOPPED, ids=[row[0] for row in STOPPED])
def test_a_shape_is_stopped_at_the_step_that_does_it(
    folder: str, step: str, kinds: set[str], named: dict[str, str], tmp_path: Path, home: Path, server: str
) -> None:
    source = tmp_path / "source"
    shutil.copytree(SHAPES / folder, source)
    policy = tmp_path / "policy.toml"
    # Its names are asked for at the loopback, which is always reached: a network that is not is made of it here.
    if folder == "names-out":
        text = (source / "ask.js").read_text("utf-8")
        (source / "ask.js").write_text(text.replace('"127.0.0.1"', '"192.0.2.53"'), "utf-8")
        policy.write_text("[network]\nports = [443]\n", "utf-8")
    else:
        policy.write_text("", "utf-8")
    report = _npm_install(tmp_path, home, server, {"anchor": source}, "--block", "--policy", str(policy))
    denied = [one for one in report["events"] if one.get("outcome") == "denied"]
    assert kinds <= {one["kind"] for one in denied}
    assert {one["cause"]["step"] for one in denied} == {step}
    assert {one["cause"]["name"] for one in denied} == {"anchor"}
    for kind, part in named.items():
        places = [one.get("path", "") for one in denied if one["kind"] == kind]
        assert any(part in place for place in places), places
        done = [one for one in report["events"] if one["kind"] == kind and one.get("outcome") == "done"]
        assert not [one for one in done if part in one.get("path", "") and one.get("cause", {}).get("name") == "anchor"]
    assert not report["survivors"] or folder == "dead-mans-switch"


def test_a_second_stage_of_another_package_is_stopped_where_it_is_run(tmp_path: Path, home: Path, server: str) -> None:
    folder = SHAPES / "two-steps"
    packages = {"anchor": folder / "first", "windlass": folder / "second"}
    report = _npm_install(tmp_path, home, server, packages, "--block")
    denied = [one for one in report["events"] if one.get("outcome") == "denied"]
    assert [(one["cause"]["name"], one["cause"]["step"], one["kind"]) for one in denied][:1] == [
        ("windlass", "postinstall", "process.start")
    ]


@pytest.fixture
def python(tmp_path: Path) -> str:
    """A virtual environment with pip and setuptools, made without a network."""
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=60)
    return str(folder / "bin" / "python")


def _python_environment(home: Path) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"], "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}


def _wheel(folder: Path, archive: Path, name: str = "anchor") -> None:
    """A wheel of the files of a folder."""
    about = f"{name}-1.0.0.dist-info"
    with zipfile.ZipFile(archive, "w") as made:
        for file in sorted(folder.iterdir()):
            if file.is_file():
                made.write(file, file.name)
        made.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n")
        made.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: stand-in\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        made.writestr(f"{about}/RECORD", "")


def test_what_is_read_while_a_wheel_is_built_is_seen_with_its_package(tmp_path: Path, home: Path, python: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with tarfile.open(project / "anchor-1.0.0.tar.gz", "w:gz") as made:
        made.add(SHAPES / "build-stealer", "anchor-1.0.0")
    words = [*UNSET, python, "-m", "pip", "install", "--no-index", "anchor-1.0.0.tar.gz"]
    report = _guarded(words, project, _python_environment(home))
    fired = _fired(report)
    assert {"credential-read", "credential-harvest"} <= set(fired)
    assert fired["credential-read"] == {"prepare_metadata_for_build_wheel"}
    assert report["level"] == "critical"


def test_a_build_is_refused_what_it_reads(tmp_path: Path, home: Path, python: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    with tarfile.open(project / "anchor-1.0.0.tar.gz", "w:gz") as made:
        made.add(SHAPES / "build-stealer", "anchor-1.0.0")
    words = [*UNSET, python, "-m", "pip", "install", "--no-index", "anchor-1.0.0.tar.gz"]
    report = _guarded(words, project, _python_environment(home), "--block")
    denied = {(one["kind"], one["cause"]["name"]) for one in report["events"] if one.get("outcome") == "denied"}
    assert denied == {("file.read", "anchor")}
    assert report["code"] != 0


def test_what_an_import_reads_is_seen_though_nothing_names_its_package(tmp_path: Path, home: Path, python: str) -> None:
    project = tmp_path / "project"
    project.mkdir()
    _wheel(SHAPES / "import-stealer", project / "anchor-1.0.0-py3-none-any.whl")
    words = f"{python} -m pip install --no-index *.whl && {python} -c 'import anchor'"
    report = _guarded([*UNSET, "sh", "-c", words], project, _python_environment(home))
    assert "unattributed-harvest" in _unattributed(report)


def test_a_file_that_runs_whenever_python_starts_is_seen_when_it_comes_and_when_it_acts(
    tmp_path: Path, home: Path, python: str
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    _wheel(SHAPES / "start-file", project / "anchor-1.0.0-py3-none-any.whl")
    words = f"{python} -m pip install --no-index *.whl && {python} -c pass"
    report = _guarded([*UNSET, "sh", "-c", words], project, _python_environment(home))
    assert {"start-file", "unattributed-harvest"} <= _unattributed(report)
