"""What is new between two lockfiles, in every format, and what it took the place of."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.errors import UsageError
from pratique.workflow.lockfile_transitions import Change, Locked, difference, read_lockfile

FORMATS = {
    "package-lock.json": '{"lockfileVersion": 3, "packages": {"": {}, "node_modules/alpha": {"version": "%s"}}}',
    "npm-shrinkwrap.json": '{"lockfileVersion": 1, "dependencies": {"alpha": {"version": "%s"}}}',
    "pnpm-lock.yaml": "lockfileVersion: '9.0'\nimporters:\n  .: {}\npackages:\n  alpha@%s:\n    resolution: {integrity: sha512-AAAA}\nsnapshots:\n  alpha@%s: {}\n",
    "yarn.lock": '# yarn lockfile v1\n\n\nalpha@^1.0.0:\n  version "%s"\n  resolved "https://registry.example/alpha/-/alpha-%s.tgz#aaaa"\n',
    "uv.lock": 'version = 1\n[[package]]\nname = "alpha"\nversion = "%s"\nsource = { registry = "https://index.example/simple" }\n',
    "poetry.lock": '[[package]]\nname = "alpha"\nversion = "%s"\n\n[metadata]\nlock-version = "2.1"\n',
    "pylock.toml": 'lock-version = "1.0"\n[[packages]]\nname = "alpha"\nversion = "%s"\n',
    "requirements.txt": "alpha==%s\n",
}


@pytest.mark.parametrize("name", FORMATS)
def test_an_update_in_every_format(name: str, tmp_path: Path) -> None:
    tables = []
    for version in ("1.0.0", "1.0.1"):
        (tmp_path / version).mkdir()
        path = tmp_path / version / name
        path.write_text(FORMATS[name].replace("%s", version))
        tables.append(read_lockfile(str(path)))
    found = difference(*tables)
    world = "npm" if name in ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock") else "PyPI"
    assert found.changes == (Change(world, "alpha", "1.0.1", "1.0.0"),)  # type: ignore[arg-type]  # one of the two worlds
    assert found.removed == ()
    assert not any(one.relevant for one in found.refusals)


def locked(**versions: set[str]) -> Locked:
    return Locked({("npm", name): set(found) for name, found in versions.items()}, {}, [])


def test_added_removed_and_further_copies() -> None:
    old = locked(a={"1.0.0"}, b={"1.0.0", "2.0.0"}, c={"1.0.0"}, d={"2.0.0"})
    new = locked(a={"1.0.0", "1.1.0"}, b={"1.0.1", "2.0.1"}, d={"1.9.0"}, e={"0.1.0"})
    found = difference(old, new)
    assert found.changes == (
        Change("npm", "a", "1.1.0"),
        Change("npm", "b", "1.0.1", "1.0.0"),
        Change("npm", "b", "2.0.1", "2.0.0"),
        Change("npm", "d", "1.9.0", "2.0.0"),
        Change("npm", "e", "0.1.0"),
    )
    assert found.removed == ("pkg:npm/c@1.0.0",)


def test_spellings_of_one_python_version_are_one() -> None:
    old = Locked({("PyPI", "a"): {"1.0"}}, {}, [])
    new = Locked({("PyPI", "a"): {"1.0.0"}}, {}, [])
    assert difference(old, new).changes == ()
    assert difference(old, new).removed == ()


def test_what_comes_from_elsewhere_is_a_gap() -> None:
    new = Locked({}, {("npm", "a"): {"1.0.0"}}, [])
    (refusal,) = difference(locked(), new).refusals
    assert refusal.relevant
    assert refusal.names == ("a",)
    assert difference(new, new).refusals == ()


def test_a_damaged_lockfile_is_a_gap_and_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "package-lock.json"
    path.write_text('{"lockfileVersion": 3, "packages": {"": ')
    assert any(one.relevant for one in difference(locked(), read_lockfile(str(path))).refusals)
    with pytest.raises(UsageError, match="is no file"):
        read_lockfile(str(tmp_path / "none"))
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UsageError, match="no lockfile"):
        read_lockfile(str(tmp_path / "notes.txt"))


VERSIONS = st.sets(st.sampled_from(["1.0.0", "1.0.1", "1.1.0", "2.0.0", "2.0.0-rc.1", "banana", ""]), max_size=4)
TABLES = st.dictionaries(st.sampled_from("abc"), VERSIONS, max_size=3)


@given(TABLES, TABLES)
def test_every_new_release_is_one_change_and_nothing_else_is(
    old: dict[str, set[str]], new: dict[str, set[str]]
) -> None:
    found = difference(locked(**old), locked(**new))
    expected = {(name, version) for name, versions in new.items() for version in versions - old.get(name, set())}
    assert {(change.name, change.version) for change in found.changes} == expected
    assert len(found.changes) == len(expected)
    for change in found.changes:
        assert change.before is None or change.before in old[change.name] - new[change.name]
