"""Packages against how they were before their scripts, under each real client; installed Python files against RECORD."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from pratique.adapters.supervisor import unusable
from tests.standins.real_clients import environment, need
from tests.standins.registry import Registry

REASON = unusable()
pytestmark = pytest.mark.skipif(bool(REASON), reason=f"no filter with a listener can be set here: {REASON}")
CLIENTS = ("npm-11", "pnpm-10", "pnpm-12", "yarn-1", "yarn-4.18", "bun-1.4")
WORDS = {
    "npm": ["install", "--offline", "--ignore-scripts=false"],
    "pnpm": ["install", "--offline", "--ignore-scripts=false", "--dangerously-allow-all-builds"],
    "yarn": ["install"],
    "bun": ["install"],
}
SWAPS = """\
// Inert: it deletes itself and puts another manifest in the place of its own, as droppers do.
const fs = require("fs"), path = require("path");
fs.unlinkSync(__filename);
fs.renameSync(path.join(__dirname, "package.md"), path.join(__dirname, "package.json"));
"""
BUILDS = """\
// An ordinary build: it writes beside what was unpacked, and reads that.
const fs = require("fs"), path = require("path");
fs.mkdirSync(path.join(__dirname, "build"), { recursive: true });
fs.writeFileSync(path.join(__dirname, "build", "made.js"), fs.readFileSync(path.join(__dirname, "package.json")));
"""


def _install(tmp_path: Path, label: str, script: str, more: dict[str, str] | None = None) -> dict[str, Any]:
    """The report of an install of a package with that script."""
    client = need(label)
    package, project, home = tmp_path / "package", tmp_path / "project", tmp_path / "home"
    for folder in (package, project, home):
        folder.mkdir()
    manifest = {"name": "anchor", "version": "1.0.0", "scripts": {"postinstall": "node setup.js", **(more or {})}}
    (package / "package.json").write_text(json.dumps(manifest), "utf-8")
    (package / "package.md").write_text(json.dumps({"name": "anchor", "version": "0.9.0"}), "utf-8")
    (package / "setup.js").write_text(script, "utf-8")
    with tarfile.open(project / "anchor.tgz", "w:gz") as archive:
        archive.add(package, "package")
    wanted: dict[str, Any] = {"name": "app", "version": "1.0.0", "dependencies": {"anchor": "file:./anchor.tgz"}}
    wanted |= {"trustedDependencies": ["anchor"], "dependenciesMeta": {"anchor": {"built": True}}}
    (project / "package.json").write_text(json.dumps(wanted), "utf-8")
    words = list(WORDS[client.name])
    with Registry() as registry:
        given = environment(home, registry, {"YARN_NODE_LINKER": "node-modules"})
        given |= {"YARN_ENABLE_SCRIPTS": "1", "YARN_ENABLE_IMMUTABLE_INSTALLS": "0"}
        return _guarded(tmp_path, project, [*client.command, *words], given)


def _guarded(tmp_path: Path, folder: Path, command: list[str], given: dict[str, str]) -> dict[str, Any]:
    events = tmp_path / "events.ndjson"
    guard = [sys.executable, "-m", "pratique", "guard", "--json", str(tmp_path / "guard.json"), "--linger", "0"]
    given = {**given, "PYTHONPATH": os.pathsep.join(sys.path), "PRATIQUE_ISOLATED": "no"}
    done = subprocess.run(
        [*guard, "--events", str(events), "--", *command],
        cwd=folder, env=given, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads((tmp_path / "guard.json").read_text("utf-8"))
    report["events"] = [json.loads(line) for line in events.read_text("utf-8").splitlines()[1:]]
    return report


def _compared(report: dict[str, Any]) -> dict[str, str]:
    """Kind of what differs by the file's name."""
    return {Path(one["path"]).name: one["kind"] for one in report["events"] if one["kind"].startswith("integrity.")}


def _row(report: dict[str, Any]) -> dict[str, str]:
    return next(row for row in report["watch"]["categories"] if row["category"] == "integrity")


@pytest.mark.parametrize("label", CLIENTS)
def test_a_script_gone_and_a_manifest_swapped_are_told_whoever_installs(tmp_path: Path, label: str) -> None:
    report = _install(tmp_path, label, SWAPS)
    assert _compared(report) == {
        "setup.js": "integrity.missing",
        "package.json": "integrity.changed",
        "package.md": "integrity.missing",
    }
    fired = {one["rule"] for one in report["detections"] if one.get("cause", {}).get("name") == "anchor"}
    assert {"manifest-changed", "package-file-missing", "self-delete"} <= fired
    row = _row(report)
    by = "the archive" if label.startswith("npm") else "how it was before its script"
    assert (row["seen"], row["reason"].partition(";")[0]) == ("part", f"1 package whose script ran compared with {by}")


@pytest.mark.parametrize("label", CLIENTS)
def test_an_ordinary_build_gives_no_alarm(tmp_path: Path, label: str) -> None:
    report = _install(tmp_path, label, BUILDS)
    assert _compared(report) == {}
    assert report["level"] in (None, "low"), "a process of the manager that lives on is a note"
    assert _row(report)["seen"] == "part"


AGAIN = """\
// An ordinary build that runs its package manager again, as some do for a step of their own.
require("child_process").execFileSync(process.env.npm_node_execpath, [process.env.npm_execpath, "run", "step"]);
"""


def test_a_build_that_runs_its_manager_again_gives_no_alarm(tmp_path: Path) -> None:
    report = _install(tmp_path, "yarn-1", AGAIN, {"step": "node -e 0"})
    started = [one["process"]["arguments"][:2] for one in report["events"] if one["kind"] == "process.start"]
    assert any("/yarn--" in word for words in started for word in words) or ["/bin/sh", "-c"] in started
    assert report["level"] in (None, "low"), report["detections"]


def test_what_a_build_changes_of_another_distribution_is_told_by_its_record(tmp_path: Path) -> None:
    folder = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=60)
    (site,) = folder.glob("lib/python*/site-packages")
    victim, plain = b"value = 1\n", b"value = 2\n"
    (site / "windlass.py").write_bytes(victim)
    (site / "capstan.py").write_bytes(plain)
    about = site / "windlass-1.0.dist-info"
    about.mkdir()
    rows = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip('=')},{len(content)}"
        for name, content in (("windlass.py", victim), ("capstan.py", plain))
    ]
    (about / "RECORD").write_text("\n".join([*rows, "windlass-1.0.dist-info/RECORD,,"]) + "\n", "utf-8")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: windlass\nVersion: 1.0\n", "utf-8")
    project, source = tmp_path / "project", tmp_path / "anchor-1.0"
    project.mkdir()
    source.mkdir()
    (source / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n", "utf-8"
    )
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: anchor\nVersion: 1.0\n", "utf-8")
    (source / "backend.py").write_text(
        "# Inert: while it is built it changes a file of another distribution, and writes another one anew.\n"
        f"open({str(site / 'windlass.py')!r}, 'a').write('changed = True\\n')\n"
        f"open({str(site / 'capstan.py')!r}, 'w').write('value = 2\\n')\n"
        "import zipfile\n"
        "def build_wheel(folder, *rest):\n"
        "    name = 'anchor-1.0-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(folder + '/' + name, 'w') as made:\n"
        "        made.writestr('anchor-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: anchor\\nVersion: 1.0\\n')\n"
        "        made.writestr('anchor-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\n"
        "Tag: py3-none-any\\n')\n"
        "        made.writestr('anchor-1.0.dist-info/RECORD', '')\n"
        "    return name\n",
        "utf-8",
    )
    with tarfile.open(project / "anchor-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "anchor-1.0")
    given = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = ["env", "-u", "PYTHONPATH", str(folder / "bin/python"), "-m", "pip", "install", "--no-index"]
    report = _guarded(tmp_path, project, [*pip, "anchor-1.0.tar.gz"], given)
    assert _compared(report) == {"windlass.py": "integrity.changed"}
    (event,) = [one for one in report["events"] if one["kind"] == "integrity.changed"]
    assert event["sha256_before"] == hashlib.sha256(victim).hexdigest()
    assert (event["cause"]["ecosystem"], event["cause"]["name"]) == ("PyPI", "anchor")
    assert "compared with RECORD" in _row(report)["reason"]
