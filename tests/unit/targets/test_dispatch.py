"""Claims asked for by whole path are those that a walk meets piece by piece."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique.model.ports import ARCHIVE, Claimant, Options
from pratique.targets.directory import Pending, Walk
from pratique.targets.dispatch import Dispatch, lies_below
from pratique.workflow.sweep import dispatch

LOCK = Claimant(0, ("package-lock.json",), (), (), (), 1000)
INDEX = Claimant(1, (), (), (), (("_cacache", "index-v5"),), 1000)
LOG = Claimant(2, (), (), (".log",), (("_logs",),), 1000)
BRANCH = Claimant(3, (), ("pnpm-lock.",), (".yaml",), (), 1000)
BELOW = Claimant(4, ("METADATA",), (), (), (("site-packages",),), 1000)
BUNDLE = Claimant(5, (), (), (".js",), (("dist",),), 1000, ("node_modules",))
ZIPS = Claimant(6, (), (), (".zip",), ((".yarn", "cache"),), 1000)
TABLE = Dispatch(
    [LOCK, INDEX, LOG, BRANCH, BELOW, BUNDLE, ZIPS],
    {"npm-cache-content": (("_cacache", "content-v2"),), "git-directory": ((".git",),)},
)
NAMES = [
    "a",
    "b",
    "@s",
    "node_modules",
    "dist",
    "_cacache",
    "index-v5",
    "content-v2",
    "_logs",
    ".git",
    ".yarn",
    "cache",
    "site-packages",
    "package-lock.json",
    "pnpm-lock.yaml",
    "pnpm-lock.x.yaml",
    "x.log",
    "x.js",
    "x.zip",
    "x.tgz",
    "METADATA",
    "x.tar.gz",
    "x.whl",
]
PATHS = st.lists(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5).map("/".join), max_size=12)


def asked(table: Dispatch, path: str) -> set[tuple[int, str]]:
    return {(claimant.key, path) for claimant in table.at(path)}


@given(PATHS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_a_walk_and_whole_paths_give_the_same(tmp_path_factory: pytest.TempPathFactory, paths: list[str]) -> None:
    root = tmp_path_factory.mktemp("tree")
    for path in paths:
        place = root / path
        if not any(parent.is_file() for parent in (place, *place.parents)) and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text("{}")
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    walked = {
        (item[0], item[1].path)
        for item in Walk(root.as_uri(), str(root), TABLE, Options()).run([Pending("")])
        if isinstance(item, tuple)
    }
    assert set().union(*(asked(TABLE, path) for path in files)) == walked
    fresh = Dispatch(list(TABLE.claimants.values()), {"npm-cache-content": (("_cacache", "content-v2"),)})
    assert asked(fresh, "a/x.js") == set()


def test_every_reader_claims_its_own_cases_by_whole_path() -> None:
    table, modules = dispatch()
    root = Path(__file__).parents[2] / "golden/readers/npm"
    assert any("package_lock" in modules[row.key] for row in table.at("a/package-lock.json"))
    met = set()
    for path in root.glob("*/*/input/**/*"):
        if path.is_file():
            met |= {
                modules[row.key]
                for row in table.at(path.relative_to(root).as_posix().split("/input/")[1])
                if row.key != ARCHIVE
            }
    assert {module for module in modules if ".npm." in module} <= met


def test_archives_are_opened_only_where_nobody_else_takes_them() -> None:
    assert asked(TABLE, "a/x.zip") == {(ARCHIVE, "a/x.zip")}
    assert asked(TABLE, ".yarn/cache/x.zip") == {(6, ".yarn/cache/x.zip")}


def test_deep_paths_need_no_stack() -> None:
    assert asked(TABLE, "a/" * 50_000 + "package-lock.json")
    assert not asked(TABLE, ".git/" + "a/" * 50_000 + "package-lock.json")


def test_below_a_marker() -> None:
    assert lies_below("x/site-packages/y/", (("site-packages",),))
    assert not lies_below("x/site-packages2/", (("site-packages",),))
