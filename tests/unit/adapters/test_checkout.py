"""Whether git shows a change that nobody committed; nothing of the repository is started."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pratique.adapters.checkout import uncommitted

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.invalid")
    subprocess.run(["git", "-C", str(folder), *identity, *words], check=True, capture_output=True, timeout=30)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "web").mkdir(parents=True)
    git(tmp_path, "init", "-q", "shop")
    (folder / "web" / "package.json").write_bytes(b"{}\n")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def test_committed_changed_staged_and_new(checkout: Path) -> None:
    path = str(checkout / "web" / "package.json")
    assert uncommitted(path, b"{}\n") is False
    assert uncommitted(path, b"{ }\n") is True
    (checkout / "web" / "package.json").write_bytes(b"{ }\n")
    git(checkout, "add", ".")
    assert uncommitted(path, b"{ }\n") is True
    assert uncommitted(str(checkout / "new.json"), b"") is True


def test_line_ends_that_git_converts_are_no_change(checkout: Path) -> None:
    assert uncommitted(str(checkout / "web" / "package.json"), b"{}\r\n") is False


def test_a_second_worktree_and_no_checkout(checkout: Path, tmp_path: Path) -> None:
    git(checkout, "worktree", "add", "-q", str(tmp_path / "other"))
    assert uncommitted(str(tmp_path / "other" / "web" / "package.json"), b"{}\n") is False
    assert uncommitted(str(tmp_path / "other" / "web" / "package.json"), b"x") is True
    (tmp_path / "bare").mkdir()
    assert uncommitted(str(tmp_path / "bare" / "package.json"), b"x") is None


def test_nothing_of_a_hostile_repository_is_started(checkout: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n")
    program.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "filter.x.clean", "filter.x.smudge", "core.sshCommand"):
        git(checkout, "config", key, str(program))
    (checkout / ".git" / "info" / "attributes").write_text("* filter=x\n")
    assert uncommitted(str(checkout / "web" / "package.json"), b"{}\n") is False
    assert not mark.exists()


def test_a_repository_without_a_commit_or_with_a_broken_one(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "empty")
    assert uncommitted(str(tmp_path / "empty" / "package.json"), b"x") is True
    (tmp_path / "broken" / ".git").mkdir(parents=True)
    assert uncommitted(str(tmp_path / "broken" / "package.json"), b"x") is None
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / ".git").write_bytes(b"gitdir: /nowhere\n")
    assert uncommitted(str(tmp_path / "odd" / "package.json"), b"x") is None
