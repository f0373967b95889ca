"""Where the table's spellings lead on each system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pratique.targets import reach
from pratique.targets.reach_places import Account, Roots, Wanted


def wanted(template: str) -> Wanted:
    return Wanted(location="x", template=template, look="content", limit=100)


def spelled(roots: Roots, template: str) -> list[tuple[str, str]]:
    found = roots.places(wanted(template))
    return [(item.shown, "/".join((item.base.rstrip("/"), *item.names))) for item in found]


@pytest.fixture
def roots(tmp_path: Path) -> Roots:
    (tmp_path / "dev").mkdir()
    (tmp_path / "shop").mkdir()
    environment = {
        "XDG_CONFIG_HOME": str(tmp_path / "elsewhere"),
        "GH_CONFIG_DIR": str(tmp_path / "dev/gh"),
        "REL": "a/b",
    }
    return Roots(Account(name="dev", home=str(tmp_path / "dev")), (str(tmp_path / "shop"),), environment)


def test_roots_have_their_names(roots: Roots, tmp_path: Path) -> None:
    assert spelled(roots, "$HOME/.npmrc") == [("$HOME/.npmrc", f"{tmp_path}/dev/.npmrc")]
    assert spelled(roots, "$PROJECT/.env") == [("$PROJECT/.env", f"{tmp_path}/shop/.env")]
    assert spelled(roots, "/etc/npmrc") == [("/etc/npmrc", "/etc/npmrc")]
    assert spelled(roots, "%APPDATA%/x") == [("$HOME/AppData/Roaming/x", f"{tmp_path}/dev/AppData/Roaming/x")]
    assert spelled(roots, "$GH_CONFIG_DIR/hosts.yml") == [("$HOME/gh/hosts.yml", f"{tmp_path}/dev/gh/hosts.yml")]
    assert spelled(roots, "$UNSET_DIR/x") == []
    assert spelled(roots, "$REL/x") == []


def test_a_variable_adds_a_root_and_the_usual_one_stays(roots: Roots, tmp_path: Path) -> None:
    assert spelled(roots, "$XDG_CONFIG_HOME/gh") == [
        ("$HOME/.config/gh", f"{tmp_path}/dev/.config/gh"),
        ("$XDG_CONFIG_HOME/gh", f"{tmp_path}/elsewhere/gh"),
    ]


def test_an_override_may_be_a_list(tmp_path: Path) -> None:
    (tmp_path / "dev").mkdir()
    value = os.pathsep.join((f"{tmp_path}/dev/a", f"{tmp_path}/b", "relative", ""))
    roots = Roots(Account(name="dev", home=str(tmp_path / "dev")), (), {"KUBECONFIG": value})
    found = list(roots.override(wanted("$KUBECONFIG"), "KUBECONFIG"))
    assert [item.shown for item in found] == ["$HOME/a", "$KUBECONFIG[2]"]
    assert list(roots.override(wanted("$OTHER"), "OTHER")) == []


def test_paths_that_settings_name(roots: Roots, tmp_path: Path) -> None:
    def named(path: str) -> str | None:
        place = roots.named(wanted("$HOME/.ssh/*"), path)
        return place.shown if place is not None else None

    assert named("~/keys/a") == "$HOME/keys/a"
    assert named("%d/keys/a") == "$HOME/keys/a"
    assert named(f"{tmp_path}/dev/keys/a") == "$HOME/keys/a"
    assert named("~/../other/a") is None
    assert named("/etc/shadow") is None
    assert named("keys/a") is None


def test_what_an_index_of_git_records() -> None:
    def entry(path: bytes) -> bytes:
        return b"\0" * 60 + len(path).to_bytes(2, "big") + path + b"\0"

    index = b"DIRC\0\0\0\2\0\0\0\1" + entry(b"a/.env") + entry(b"b")
    assert reach._in_index(index, b"a/.env") is True
    assert reach._in_index(index, b".env") is False or reach._in_index(index, b".env") is None
    assert reach._in_index(index, b"c") in (None, False)
    assert reach._in_index(b"DIRC\0\0\0\4", b"a") is None
    assert reach._in_index(b"", b"a") is None


def test_who_may_read_an_entry() -> None:
    account = Account(name="dev", home="/home/dev", uid=1000, groups=(100,))
    entry = reach.Entry(shown="x", mode=0o640, uid=0, gid=100)
    assert reach.readable_by(entry, account)
    assert not reach.readable_by(reach.Entry(shown="x", mode=0o600, uid=0, gid=100), account)
    assert reach.readable_by(reach.Entry(shown="x", mode=0o604, uid=0, gid=5), account)
    assert not reach.readable_by(reach.Entry(shown="x", mode=0o044, uid=1000, gid=5), account)
    assert reach.readable_by(reach.Entry(shown="x", mode=0, uid=0), Account(name="root", home="/root", uid=0))
