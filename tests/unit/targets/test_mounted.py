"""Disks of other machines: what they are, who lived there, and where their links lead."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pratique.targets import mounted
from pratique.targets.boundaries import resolve


def lay(root: Path, *paths: str) -> Path:
    for path in paths:
        place = root / path
        if path.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("x\n", encoding="utf-8")
    return root


LINUX = ("etc/os-release", "usr/bin/x", "var/log/x", "root/.bash_history", "home/alice/.npm/_cacache/x", "home/bob/")
MACOS = ("System/Library/x", "Library/x", "Applications/x", "Users/carol/Library/Caches/Yarn/x", "Users/Shared/x")
WINDOWS = (
    "Windows/System32/x",
    "Users/alice/AppData/Local/npm-cache/_cacache/x",
    "Users/Public/x",
    "Users/Default/x",
    "Windows/ServiceProfiles/NetworkService/AppData/Local/npm-cache/_cacache/x",
)


@pytest.mark.parametrize(
    ("paths", "systems", "users"),
    [
        (LINUX, [("linux", "")], ["alice", "bob", "root"]),
        (MACOS, [("macos", "")], ["carol"]),
        (WINDOWS, [("windows", "")], ["alice", "NetworkService"]),
        (("home/alice/.npm/x",), [("linux", "")], ["alice"]),
        (("Users/alice/AppData/Roaming/x",), [("windows", "")], ["alice"]),
        (("USERS/alice/appdata/Roaming/x",), [("windows", "")], ["alice"]),
        (("Users/carol/Library/x",), [("macos", "")], ["carol"]),
        (("Documents and Settings/alice/AppData/x",), [("windows", "")], ["alice"]),
        (tuple(f"C/{path}" for path in WINDOWS), [("windows", "C")], ["alice", "NetworkService"]),
        (("project/package.json",), [], []),
    ],
)
def test_systems_and_users(
    paths: tuple[str, ...], systems: list[tuple[str, str]], users: list[str], tmp_path: Path
) -> None:
    disk = mounted.recognise(str(lay(tmp_path, *paths)))
    assert list(disk.systems) == systems
    assert [user.name for user in disk.users] == users


def test_places_of_each_user_are_told_found_and_absent(tmp_path: Path) -> None:
    disk = mounted.recognise(str(lay(tmp_path, *LINUX)))
    told = list(mounted.notes("disk", disk))
    assert told[0] == "disk: Linux; users: alice, bob, root"
    assert "found npm cache; absent: " in told[1]
    assert "shell history" in told[1].partition("absent")[2]
    assert "found shell history" in told[3]
    told = list(mounted.notes("disk", mounted.recognise(str(lay(tmp_path / "w", *WINDOWS)))))
    assert told[0].endswith("absent: ProgramData, Program Files")
    assert told[1].startswith("Users/alice: found npm cache")


def test_a_home_named_by_the_list_of_users_counts_where_something_lies_there(tmp_path: Path) -> None:
    lay(tmp_path, *LINUX, "var/lib/jenkins/.npm/x", "var/lib/empty/", "etc/passwd")
    (tmp_path / "etc/passwd").write_text(
        "root:x:0:0::/root:/bin/sh\njenkins:x:110:110::/var/lib/jenkins:/bin/sh\nnone:x:111:1::/var/lib/empty:/bin/sh\n",
        encoding="utf-8",
    )
    users = {user.name: user.home for user in mounted.recognise(str(tmp_path)).users}
    assert users == {"alice": "home/alice", "bob": "home/bob", "root": "root", "jenkins": "var/lib/jenkins"}


def test_a_place_that_settings_name_and_the_disk_does_not_hold_is_a_gap(tmp_path: Path) -> None:
    lay(tmp_path, *LINUX)
    (tmp_path / "home/bob/.npmrc").write_text("cache=/data/npm\nstore-dir=/data/pnpm\n", encoding="utf-8")
    found = list(mounted.elsewhere("root+file:///disk", mounted.recognise(str(tmp_path))))
    assert {item.path for item in found} == {"home/bob"}
    assert all(item.relevant for item in found)
    assert sorted(item.reason for item in found)[0] == (
        "cache in the user's npmrc names /data/npm, which is not on this disk"
    )
    lay(tmp_path, "data/npm/x", "data/pnpm/x")
    assert list(mounted.elsewhere("root+file:///disk", mounted.recognise(str(tmp_path)))) == []


def test_other_drives_are_not_on_this_disk(tmp_path: Path) -> None:
    lay(tmp_path, *WINDOWS)
    (tmp_path / "Users/alice/.npmrc").write_text("cache=D:\\npm\n", encoding="utf-8")
    (item,) = mounted.elsewhere("root+file:///disk", mounted.recognise(str(tmp_path)))
    assert "names D:\\npm, which is not on this disk" in item.reason


def test_links_stay_inside(tmp_path: Path) -> None:
    disk = lay(tmp_path / "disk", "etc/real", "opt/node/x", "home/alice/", "Users/Alice/Data/x")
    outside = lay(tmp_path, "secret/x")
    links = {
        "etc/alternatives": "/opt/node",
        "home/alice/up": "../../../../../../secret",
        "home/alice/own": f"{outside}/secret",
        "home/alice/driver": f"{disk}/opt",
        "home/alice/junction": "C:\\Users\\alice\\data",
        "home/alice/raw": "\\??\\C:\\Users\\Alice",
        "home/alice/loop": "loop",
        "home/alice/chain": "../../etc/alternatives/../node",
    }
    for path, target in links.items():
        os.symlink(target, disk / path)
    root = str(disk)

    def where(path: str) -> str | None:
        found = resolve(root, path)
        return None if found is None else os.path.relpath(found, root)

    assert where("etc/alternatives/x") == "opt/node/x"
    assert where("home/alice/up") is None
    assert where("home/alice/own/x") is None
    assert where("home/alice/driver/node") == "opt/node"
    assert where("home/alice/junction/x") == "Users/Alice/Data/x"
    assert where("home/alice/raw") == "Users/Alice"
    assert where("home/alice/loop") is None
    assert where("home/alice/chain") == "opt/node"
    assert where("../../etc/real") == "etc/real"
    assert where("") == "."
