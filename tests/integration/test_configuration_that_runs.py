"""Configuration that runs when a checkout is opened, by the command's own path."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from pratique import api
from tests.golden.harness import ROOT
from tests.integration.examine import TODAY, everything, examined, visible

EDITOR = ROOT / "editor"
TASKS = (EDITOR / "editor-tasks" / "folder-open" / "input" / "shop" / ".vscode" / "tasks.json").read_text()
LOADER = (EDITOR / "editor-tasks" / "loader" / "input" / "shop" / ".vscode" / "tasks.json").read_text()


def write(root: Path, relative: str, text: str) -> Path:
    path = root / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def chaindrop() -> api.Selection:
    return api.select(incidents=["chaindrop-2026-08-04"], today=TODAY)


def bad_lock(root: Path) -> None:
    write(
        root,
        "package-lock.json",
        '{"lockfileVersion": 3, "packages": {"": {}, "node_modules/axios": {"version": "1.14.1"}}}',
    )


def test_every_benign_case_raises_nothing(tmp_path: Path) -> None:
    for case in EDITOR.glob("*/*/input"):
        if "truncated" not in case.parent.name and case.parent.name not in ("loader", "claude-local"):
            shutil.copytree(case, tmp_path, dirs_exist_ok=True)
    write(tmp_path, "shop/package.json", "{}")
    report = examined(tmp_path, everything())
    assert (report.exit_code, report.sightings) == (0, ())
    assert report.coverage.by_reader["editor-tasks"] == 1


def test_a_loader_and_its_trigger_are_affected(tmp_path: Path) -> None:
    write(tmp_path, "shop/package.json", "{}")
    write(tmp_path, "shop/.vscode/tasks.json", LOADER)
    assert examined(tmp_path, chaindrop()).exit_code == 4
    write(tmp_path, "shop/.claude/setup.mjs", "// inert\n")
    report = examined(tmp_path, chaindrop())
    assert (report.exit_code, report.verdicts[0].depth) == (10, "installed")
    assert any("folderOpen" in note for note in report.notes)
    assert examined(tmp_path).exit_code == 0


def test_cut_configuration_is_a_gap_for_incidents_that_ask_about_it(tmp_path: Path) -> None:
    write(tmp_path, "shop/package.json", "{}")
    write(tmp_path, "shop/.vscode/tasks.json", TASKS[:300])
    report = examined(tmp_path, chaindrop())
    assert report.exit_code == 4
    assert any("not whole JSON" in text for text in visible(report))
    assert examined(tmp_path).exit_code == 0


def test_triggers_of_an_affected_project_are_listed_and_of_no_other(tmp_path: Path) -> None:
    bad_lock(tmp_path / "shop")
    write(tmp_path, "shop/.vscode/tasks.json", TASKS)
    write(tmp_path, "other/.vscode/tasks.json", TASKS)
    (note,) = [note for note in examined(tmp_path).notes if "runs by itself" in note]
    assert "shop/.vscode/tasks.json (folderOpen)" in note
    assert "other/" not in note


def test_configuration_that_packages_ship_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "node_modules/x/.vscode/tasks.json", LOADER)
    write(tmp_path, "node_modules/x/.claude/setup.mjs", "// inert\n")
    write(tmp_path, "package.json", "{}")
    assert examined(tmp_path, chaindrop()).exit_code == 0


def test_configuration_alone_is_no_examination(tmp_path: Path) -> None:
    write(tmp_path, ".vscode/tasks.json", TASKS)
    assert examined(tmp_path).exit_code == 3


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_hooks_and_settings_of_a_repository_are_seen_and_its_objects_are_not(tmp_path: Path) -> None:
    git = shutil.which("git") or ""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run([git, "init", "-q", str(tmp_path / "shop")], check=True, env=environment, timeout=60)
    settings = [git, "-C", str(tmp_path / "shop"), "config"]
    subprocess.run([*settings, "core.fsmonitor", "tools/monitor.sh"], check=True, env=environment, timeout=60)
    write(tmp_path, "shop/.git/hooks/post-checkout", "#!/bin/sh\nnode .claude/setup.mjs\n")
    write(tmp_path, "shop/.git/objects/package.json", '{"dependencies": {"axios": "1.14.1"}}')
    bad_lock(tmp_path / "shop")
    report = examined(tmp_path)
    assert report.exit_code == 10
    assert report.coverage.by_reader["git-hooks"] == 1
    assert report.coverage.by_reader["git-configuration"] == 1
    assert "manifest" not in report.coverage.by_reader
    assert any("post-checkout" in note and "core.fsmonitor" in note for note in report.notes)
    write(tmp_path, "shop/.claude/setup.mjs", "// inert\n")
    assert examined(tmp_path, chaindrop()).exit_code == 10
    assert examined(tmp_path, exclude=(".git",)).coverage.by_reader.get("git-hooks") is None
