"""Every location that Windows or macOS spells otherwise is found there, on a disk of that system."""

from __future__ import annotations

import json
import posixpath
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from click.testing import CliRunner

from pratique.doors.cli.commands import pratique
from pratique.readers.credentials.contract import Row
from pratique.readers.credentials.table import table
from tests.fixtures_reach import Ground, lay_all, recipes

_WINDOWS = {
    "%USERPROFILE%": "Users/dev",
    "%APPDATA%": "Users/dev/AppData/Roaming",
    "%LOCALAPPDATA%": "Users/dev/AppData/Local",
    "%PROGRAMDATA%": "ProgramData",
    "$PROJECT": "srv/shop",
    "$HOME": "Users/dev",
}
_MACOS = {
    "$HOME": "Users/dev",
    "$XDG_CONFIG_HOME": "Users/dev/.config",
    "$XDG_DATA_HOME": "Users/dev/.local/share",
    "$XDG_CACHE_HOME": "Users/dev/.cache",
    "$PROJECT": "srv/shop",
    "": "",
}


def _spelled(row: Row, system: str) -> tuple[str, ...] | None:
    return row.windows if system == "windows" else row.macos


def _target(place: str, roots: dict[str, str]) -> str | None:
    head, _, rest = place.partition("/")
    return f"{roots[head]}/{rest}".strip("/") if head in roots else None


def _put(row: Row, ground: Ground, system: str, roots: dict[str, str], disk: Path) -> bool:
    """Write what the recipe made to a place of the other system that has its name; of a store, its folder alone."""
    for place in _spelled(row, system) or ():
        target = _target(place, roots)
        if target is None:
            continue
        if row.look == "presence":
            (disk / target.replace("*", "x")).mkdir(parents=True, exist_ok=True)
            return True
        for path, content in ground.files.items():
            if fnmatchcase(posixpath.basename(path), posixpath.basename(target)):
                file = disk / posixpath.dirname(target) / posixpath.basename(path)
                file.parent.mkdir(parents=True, exist_ok=True)
                if file.exists():
                    return False
                file.write_bytes(content)
                return True
    return False


@pytest.mark.parametrize(("system", "roots"), [("windows", _WINDOWS), ("macos", _MACOS)])
def test_every_place_of_another_system_is_found(tmp_path: Path, system: str, roots: dict[str, str]) -> None:
    disk = tmp_path / "disk"
    (disk / "Users/dev").mkdir(parents=True)
    (disk / "srv/shop").mkdir(parents=True)
    for folder in (
        ("Windows/System32/config",) if system == "windows" else ("System/Library", "Applications", "Library")
    ):
        (disk / folder).mkdir(parents=True)
    wanted: set[str] = set()
    for name in recipes():
        row = table().row(name)
        if _spelled(row, system) and _put(row, lay_all(11, only=name), system, roots, disk):
            wanted.add(name)
    assert len(wanted) >= (70 if system == "windows" else 25)
    done = CliRunner().invoke(
        pratique,
        ["reach", "--root", str(disk), "--user", "dev", "--project", str(disk / "srv/shop"), "--format", "json"],
        standalone_mode=False,
        env={"NO_COLOR": "1"},
    )
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    found = {item["location"] for item in json.loads(done.stdout)["credentials"]}
    missing = sorted(wanted - found)
    assert not missing, missing


def test_variables_that_are_public_by_name_are_left_out_and_secrets_of_jobs_have_no_row(tmp_path: Path) -> None:
    flow = tmp_path / "release.yml"
    flow.write_text(
        "on: push\njobs:\n  build:\n    runs-on: x\n    steps:\n    - run: make\n      env:\n"
        "        A: ${{ secrets.SHOP_INTERNAL_TOKEN }}\n"
    )
    home = tmp_path / "home"
    home.mkdir()
    done = CliRunner().invoke(
        pratique,
        ["reach", "--home", str(home), "--workflow", str(flow), "--format", "json"],
        standalone_mode=False,
        env={"NEXT_PUBLIC_SHOP_TOKEN": "x1y2z3", "SHOP_OTHER_TOKEN": "x1y2z3"},
    )
    found = {(item["fact"]["field"], item["location"]) for item in json.loads(done.stdout)["credentials"]}
    assert ("SHOP_OTHER_TOKEN", "variables-by-name") in found
    assert ("SHOP_INTERNAL_TOKEN", "ci-secret") in found
    assert "NEXT_PUBLIC_SHOP_TOKEN" not in {name for name, _ in found}
