"""Mounted disks and backups of other machines: real installs laid out as other systems keep them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.targets import directory
from tests.integration.examine import axios
from tests.standins.installs import unpack

WINDOWS = {
    ".npm": "AppData/Local/npm-cache",
    ".local/share/pnpm": "AppData/Local/pnpm",
    ".cache/pnpm": "AppData/Local/pnpm-cache",
    ".local/state/pnpm": "AppData/Local/pnpm-state",
    ".cache/yarn": "AppData/Local/Yarn/Cache",
    ".yarn/berry": "AppData/Local/Yarn/Berry",
    ".cache/deno": "AppData/Local/deno",
}
MACOS = {
    ".local/share/pnpm": "Library/pnpm",
    ".cache/pnpm": "Library/Caches/pnpm",
    ".cache/yarn": "Library/Caches/Yarn",
    ".cache/deno": "Library/Caches/deno",
}
CLIENTS = ("npm-10", "npm-6", "pnpm-10", "pnpm-12", "yarn-1", "yarn-4.18-node-modules", "bun-1.4", "deno-2.9")


def check(disk: Path, **options: Any) -> api.Report:
    chosen = axios()
    targets = tuple(api.specify([f"root:{disk}"]))
    return api.check(api.CheckRequest(targets=targets, incidents=chosen.incidents, named=chosen.named, **options))


def seen(report: api.Report) -> set[tuple[str, str, str]]:
    return {(item.purl.rpartition("/")[2], item.status, item.depth) for item in report.sightings}


def lay(disk: Path, name: str, home: str, moves: dict[str, str], tmp_path: Path, project: str) -> None:
    """One real install as a user of another system would have it."""
    source = unpack(name, tmp_path / "unpacked" / name)
    place = disk / home
    place.mkdir(parents=True, exist_ok=True)
    shutil.move(source / "project", place / project)
    for old, new in moves.items():
        if (source / "home" / old).exists():
            (place / new).parent.mkdir(parents=True, exist_ok=True)
            shutil.move(source / "home" / old, place / new)
    if (source / "home").exists():
        shutil.copytree(source / "home", place, symlinks=True, dirs_exist_ok=True)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize(("home", "moves"), [("Users/alice", WINDOWS), ("Users/carol", MACOS), ("home/dev", {})])
def test_an_install_says_the_same_on_every_system(
    client: str, home: str, moves: dict[str, str], tmp_path: Path
) -> None:
    name = f"{client}-ran"
    lay(tmp_path / "disk", name, home, moves, tmp_path, "project")
    if moves is MACOS:
        (tmp_path / "disk/Users/carol/Library").mkdir(exist_ok=True, parents=True)
    plain = unpack(name, tmp_path / "plain")
    chosen = axios()
    there = api.check(
        api.CheckRequest(
            targets=tuple(api.specify([str(plain)])), incidents=chosen.incidents, named=chosen.named, jobs=1
        )
    )
    report = check(tmp_path / "disk", jobs=1)
    assert report.exit_code == there.exit_code
    assert seen(report) == seen(there)
    kinds = {(item.kind, item.uri.startswith("root+file:")) for item in report.subjects}
    assert all(on_disk for _, on_disk in kinds)


def test_all_users_and_the_layout_are_named(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    lay(disk, "npm-10-ran", "Users/alice", WINDOWS, tmp_path, "work/shop")
    lay(disk, "yarn-1-clean", "Users/bob", WINDOWS, tmp_path, "shop")
    (disk / "Windows/System32").mkdir(parents=True)
    for user in ("alice", "bob"):
        history = disk / f"Users/{user}/AppData/Roaming/Microsoft/Windows/PowerShell/PSReadLine/ConsoleHost_history.txt"
        history.parent.mkdir(parents=True)
        history.write_text("cd work\nnpm install axios@1.14.1\n", encoding="utf-8")
    report = check(disk)
    assert "Windows; users: alice, bob" in report.notes[0]
    assert "absent: ProgramData, Program Files" in report.notes[0]
    assert report.notes[1].startswith("Users/alice: found npm cache")
    subjects = {(item.kind, item.uri.partition("/disk")[2]) for item in report.subjects}
    assert {("machine", "/Users/alice"), ("machine", "/Users/bob")} <= subjects
    assert ("project", "/Users/alice/work/shop") in subjects
    assert ("cache", "/Users/alice/AppData/Local/npm-cache/_cacache") in subjects


def test_a_log_names_a_project_as_its_own_machine_does(tmp_path: Path) -> None:
    lay(tmp_path / "disk", "npm-10-ran", "home/dev", {}, tmp_path, "project")
    report = check(tmp_path / "disk")
    ran = [item for item in report.sightings if "by a record of the run" in item.explanation]
    subjects = {item.id: item for item in report.subjects}
    assert {subjects[item.subject].uri.partition("/disk")[2] for item in ran} == {"/home/dev/project"}


def test_links_of_the_disk_are_followed_on_the_disk(tmp_path: Path) -> None:
    """An absolute link means the disk's own root: neither lost nor taken from this machine."""
    here = unpack("npm-10-ran", tmp_path / "this-machine")
    clean = unpack("npm-10-clean", tmp_path / "unpacked")
    disk = tmp_path / "disk"
    (disk / "home/dev").mkdir(parents=True)
    shutil.move(clean / "project", disk / "home/dev/shop")
    os.symlink(here / "project/package-lock.json", disk / "home/dev/package-lock.json")
    os.symlink(here / "project/node_modules", disk / "home/dev/node_modules")
    report = check(disk)
    assert [item for item in report.sightings if item.status == "affected"] == []
    reasons = {item.path: item.reason for item in report.coverage.refusals if item.relevant}
    assert reasons["home/dev/package-lock.json"] == "is a link that leads out of the target or nowhere"
    assert reasons["home/dev/node_modules"] == "is a link that leads out of the target or nowhere"


def test_an_absolute_link_inside_the_disk_is_found(tmp_path: Path) -> None:
    bad = unpack("npm-10-ran", tmp_path / "unpacked")
    disk = tmp_path / "disk"
    (disk / "srv").mkdir(parents=True)
    (disk / "home/dev").mkdir(parents=True)
    shutil.copy(bad / "project/package-lock.json", disk / "srv/locked")
    os.symlink("/srv/locked", disk / "home/dev/package-lock.json")
    report = check(disk)
    assert ("axios@1.14.1", "affected", "resolved") in seen(report)
    assert [item for item in report.coverage.refusals if item.relevant] == []


def test_the_second_look_stays_on_the_disk(tmp_path: Path) -> None:
    """A tree that is an absolute link of the disk must not be looked at on this machine."""
    bad = unpack("npm-10-ran", tmp_path / "unpacked")
    disk = tmp_path / "disk"
    (disk / "home/dev").mkdir(parents=True)
    shutil.copy(bad / "project/package-lock.json", disk / "home/dev/package-lock.json")
    os.symlink(bad / "project/node_modules", disk / "home/dev/node_modules")
    report = check(disk)
    assert {item.depth for item in report.sightings if item.status == "affected"} == {"resolved"}


def test_other_file_systems_inside_are_gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpack("npm-10-clean", tmp_path / "disk/home/dev")
    (tmp_path / "disk/boot").mkdir()
    (tmp_path / "disk/proc").mkdir()
    monkeypatch.setattr(
        directory, "mount_points", lambda _, kept=False: frozenset({"boot"} if kept else {"boot", "proc"})
    )
    report = check(tmp_path / "disk", jobs=1)
    assert {item.path: item.reason for item in report.coverage.refusals if item.relevant} == {
        "boot": "is another file system mounted here: name it as a target of its own"
    }


def test_a_folder_that_is_no_disk_says_so(tmp_path: Path) -> None:
    unpack("npm-10-ran", tmp_path / "some")
    report = check(tmp_path / "some/project")
    assert "no layout of Linux, macOS or Windows was recognised" in report.notes[0]
    assert report.exit_code == 11
