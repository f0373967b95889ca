"""Git repositories made by git itself, out of the lockfiles of real npm installs of inert stand-ins."""

from __future__ import annotations

import functools
import os
import subprocess
import tarfile
from pathlib import Path

from tests.standins.installs import FOLDER

BEFORE, WITHIN, AFTER = "2026-03-30T10:00:00Z", "2026-03-31T01:00:00Z", "2026-04-02T09:00:00Z"
"""Moments before, in and after the window of the axios incident."""


@functools.cache
def project(name: str) -> dict[str, bytes]:
    """The project's own files of an install: lockfile and manifest."""
    with tarfile.open(FOLDER / f"{name}.tar.gz") as archive:
        found = {}
        for file in ("package.json", "package-lock.json"):
            source = archive.extractfile(f"project/{file}")
            assert source is not None
            found[file] = source.read()
        return found


def bad_lock() -> bytes:
    """A lockfile that npm wrote with axios 1.14.1 in it."""
    return project("npm-10-lock-only")["package-lock.json"]


def good_lock() -> bytes:
    """A lockfile that npm wrote without a listed release."""
    return project("npm-10-clean")["package-lock.json"]


def manifest() -> bytes:
    """A manifest that asks for axios by a range that admits 1.14.1."""
    return project("npm-10-lock-only")["package.json"]


class History:
    """One repository under construction."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", *options)
        for setting in ("user.name Somebody", "user.email somebody@example.test", "gc.auto 0"):
            self.git("config", *setting.split())

    def git(self, *arguments: str, at: str = BEFORE, folder: Path | None = None) -> str:
        """Run one command at a moment; what it printed."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": at,
            "GIT_COMMITTER_DATE": at,
            "GIT_ALLOW_PROTOCOL": "file",
        }
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=folder or self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, **files: bytes) -> None:
        """Put files into the work tree by their stem: `lock`, `manifest`."""
        names = {"lock": "package-lock.json", "manifest": "package.json"}
        for name, content in files.items():
            (self.folder / names[name]).write_bytes(content)

    def commit(self, message: str, *, at: str = BEFORE, **files: bytes) -> str:
        """Commit everything, after writing files; the id."""
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message, at=at)
        return self.git("rev-parse", "HEAD")

    def started(self) -> History:
        """With a first commit that is in order."""
        self.commit("start", lock=good_lock(), manifest=manifest())
        return self


def merge_only(folder: Path) -> tuple[History, str]:
    """The bad lock exists in one merge commit alone: no parent has it, the next commit removes it."""
    history = History(folder).started()
    history.git("checkout", "-q", "-b", "side")
    (folder / "side.txt").write_text("side\n")
    history.commit("side")
    history.git("checkout", "-q", "main")
    (folder / "main.txt").write_text("main\n")
    history.commit("main")
    history.git("merge", "-q", "--no-commit", "--no-ff", "side", at=WITHIN)
    merge = history.commit("merge", at=WITHIN, lock=bad_lock())
    history.commit("mend", at=AFTER, lock=good_lock())
    return history, merge


def amended_away(folder: Path) -> tuple[History, str]:
    """The bad lock was committed, amended away, and the reflog expired: nothing reaches it."""
    history = History(folder).started()
    lost = history.commit("oops", at=WITHIN, lock=bad_lock())
    history.write(lock=good_lock())
    history.git("commit", "-q", "-a", "--amend", "--allow-empty", "-m", "amended", at=AFTER)
    history.git("reflog", "expire", "--expire=now", "--all")
    return history, lost
