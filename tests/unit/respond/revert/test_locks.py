"""Plans of repairs: one ordered group for each lockfile, with what goes along, until when, and how it was proven."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from pratique import api
from pratique.model.plan import Edit, Manual, patched, unpatched
from pratique.model.repair import LockedRelease
from pratique.respond.edits import edit
from pratique.respond.plan import compose
from pratique.respond.revert import locks
from pratique.respond.situation import Project, ProjectFile, Proof, Situation
from tests.unit.ecosystems.test_locks import GOLDEN, releases
from tests.unit.respond.planning import situation_of

BERRY = (GOLDEN / "npm/yarn-lock/yarn-4.18-ran/input/yarn.lock").read_bytes()
MANIFEST = b'{\n  "name": "incident-project",\n  "dependencies": {\n    "axios": "^1.14.0"\n  }\n}\n'


def accepted(project: Project, files: Mapping[str, bytes]) -> Proof:
    return Proof(True, "yarn 4.18.1 install --immutable accepts it")


def planned(folder: Path, files: Mapping[str, bytes], uncommitted: bool | None = None, **more: object) -> Situation:
    """A situation with one project that was really examined."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    selection = api.select(today=datetime.date(2026, 11, 26))
    report = api.check(api.CheckRequest(targets=tuple(api.specify([str(folder)])), incidents=selection.incidents))
    made = tuple(
        ProjectFile(path=f"{folder}/{name}", content=content, uncommitted=uncommitted)
        for name, content in sorted(files.items())
    )
    ids = tuple(item.id for item in report.sightings)
    assert ids
    project = Project(folder=str(folder), files=made, sightings=ids, name="shop")
    return situation_of(report, projects=(project,), **{"releases": releases, "prove": accepted, **more})


def test_one_group_with_the_rule_its_date_and_the_proof(tmp_path: Path) -> None:
    found = planned(tmp_path / "shop", {"yarn.lock": BERRY, "package.json": MANIFEST}, uncommitted=False)
    steps = list(locks.steps(found))
    assert [step.id.rpartition(".")[0] for step in steps] == ["revert.manifest.shop", "revert.lock.shop"]
    manifest, lock = steps
    assert isinstance(manifest.action, Edit)
    assert isinstance(lock.action, Edit)
    new = json.loads(patched(MANIFEST, manifest.action.hunks))
    assert new["resolutions"] == {"axios@^1.14.0": "npm:1.14.0", "plain-crypto-js": "npm:0.0.0-blocked"}
    text = patched(BERRY, lock.action.hunks)
    assert b'"axios@npm:1.14.0":' in text
    assert b"1.14.1" not in text
    assert unpatched(text, lock.action.hunks) == BERRY
    assert manifest.id in lock.after
    assert {item.kind for item in lock.preconditions} == {"sealed", "uncommitted", "digest", "done"}
    assert (lock.disposition, lock.until) == ("safe", "2027-02-24")
    assert lock.proof == "yarn 4.18.1 install --immutable accepts it"
    assert "axios@npm:^1.14.0" in lock.action.diff
    assert "1.14.1 becomes 1.14.0" in lock.reason
    assert compose(found).steps


def test_what_the_client_added_is_part_of_the_edit(tmp_path: Path) -> None:
    def adds(project: Project, files: Mapping[str, bytes]) -> Proof:
        path = next(path for path in files if path.endswith("yarn.lock"))
        more = files[path].replace(b"  languageName: node\n", b"  checksum: 10c0/aa\n  languageName: node\n", 1)
        return Proof(True, "accepted", {path: more, "/elsewhere/x": b""})

    found = planned(tmp_path / "shop", {"yarn.lock": BERRY, "package.json": MANIFEST}, prove=adds)
    manifest, lock = locks.steps(found)
    assert isinstance(lock.action, Edit)
    assert b"  checksum: 10c0/aa\n" in patched(BERRY, lock.action.hunks)
    assert "/elsewhere" not in str(manifest)


def test_what_no_client_was_asked_about_is_unsafe(tmp_path: Path) -> None:
    files = {"yarn.lock": BERRY, "package.json": MANIFEST}
    found = planned(tmp_path / "shop", files, prove=lambda project, files: Proof(None, "no client"))
    assert {step.disposition for step in locks.steps(found)} == {"unsafe"}


def test_a_rule_that_the_client_refuses_is_left_out_and_told(tmp_path: Path) -> None:
    def refuses(project: Project, files: Mapping[str, bytes]) -> Proof:
        rule = any(b"resolutions" in content for content in files.values())
        return Proof(not rule, "refused: YN0028" if rule else "accepted")

    found = planned(tmp_path / "shop", {"yarn.lock": BERRY, "package.json": MANIFEST}, prove=refuses)
    (step,) = locks.steps(found)
    assert step.id.startswith("revert.lock.shop")
    assert step.until == ""
    assert "YN0028" in step.reason


def test_what_the_client_refuses_altogether_is_for_a_person(tmp_path: Path) -> None:
    found = planned(
        tmp_path / "shop", {"yarn.lock": BERRY, "package.json": MANIFEST}, prove=lambda p, f: Proof(False, "exit 1")
    )
    (step,) = locks.steps(found)
    assert isinstance(step.action, Manual)
    assert "refuses the repaired file: exit 1" in step.reason
    assert step.action.commands[0].words[:3] == ("yarn", "set", "resolution")


def test_what_nothing_knows_the_good_release_of_is_for_a_person(tmp_path: Path) -> None:
    files = {"yarn.lock": BERRY, "package.json": MANIFEST}
    found = planned(tmp_path / "shop", files, releases=lambda name, version: None)
    (step,) = locks.steps(found)
    assert step.disposition == "manual"
    assert "nothing at hand knows" in step.reason


def test_bun_binary_gets_the_command(tmp_path: Path) -> None:
    content = next(GOLDEN.glob("npm/bun-lockb/bun-1.1-ran/input/**/bun.lockb")).read_bytes()
    found = planned(tmp_path / "shop", {"bun.lockb": content, "package.json": MANIFEST})
    (step,) = locks.steps(found)
    assert isinstance(step.action, Manual)
    assert step.action.commands[0].words[:3] == ("bun", "install", "--save-text-lockfile")


def test_a_workflow_is_shown_as_a_diff_for_a_person(tmp_path: Path) -> None:
    commit = "0e58ed8671d6b60d0890c21b07f8835ace038e67"
    text = (
        f"on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: tj-actions/changed-files@{commit}\n".encode()
    )
    folder = tmp_path / "shop"
    (folder / ".github" / "workflows").mkdir(parents=True)

    def known(name: str, version: str) -> LockedRelease:
        return LockedRelease(name=name, version=version, manifest={"commit": "a" * 40})

    found = planned(folder, {".github/workflows/ci.yml": text}, releases=known)
    steps = list(locks.steps(found))
    (step,) = steps
    assert isinstance(step.action, Manual)
    if step.action.text:
        assert f"+      - uses: tj-actions/changed-files@{'a' * 40} # v" in step.action.text
    else:
        assert "no known good release" in step.reason


def test_nothing_listed_gives_no_step(tmp_path: Path) -> None:
    found = planned(tmp_path / "shop", {"yarn.lock": BERRY, "package.json": MANIFEST})
    assert list(locks.steps(found))
    (project,) = found.projects
    clean = tuple(file for file in project.files if file.path.endswith("package.json"))
    assert not list(locks.steps(situation_of(*found.reports, projects=(Project(folder="/x", files=clean),))))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"a\n"),
        (b"a\nb\nc", b"a\nB\nc"),
        (b"a\r\nb\r\n", b"b\r\n"),
        (b"a\nb\nc\n", b"x\na\nc\ny"),
        (b"\xff\n", b"\xfe\n"),
        (b"same\n" * 50, b"same\n" * 20 + b"x\n" + b"same\n" * 30),
    ],
)
def test_an_edit_is_exact_and_can_be_turned(before: bytes, after: bytes) -> None:
    made = edit("/p/yarn.lock", before, after)
    assert patched(before, made.hunks) == after
    assert unpatched(after, made.hunks) == before


def test_a_diff_shows_no_secret() -> None:
    before = b"registry=https://registry.example/\n//registry.example/:_authToken=npm_secret\nsave=true\n"
    made = edit("/p/.npmrc", before, before + b"ignore-scripts=true\n")
    assert "npm_secret" not in made.diff
    made = edit("/p/.npmrc", before, before.replace(b"npm_secret", b"other"))
    assert "npm_secret" not in made.diff
    lock = b'  resolved "https://user:pass@mirror.test/a.tgz"\n'
    assert "pass" not in edit("/p/yarn.lock", lock, lock.replace(b"a.tgz", b"b.tgz")).diff


def test_a_pin_of_pyproject_goes_with_uv_lock_and_its_constraint(tmp_path: Path) -> None:
    lock = next(GOLDEN.glob("pypi/uv-lock/uv-0.13/input/project/uv.lock")).read_bytes()
    lock = lock.replace(b'{ name = "litellm", specifier = ">=1.82" }', b'{ name = "litellm", specifier = "==1.82.8" }')
    manifest = (
        b'[project]\nname = "harbour"\nversion = "0.1.0"\ndependencies = [\n  "litellm[proxy]==1.82.8 ; python_version > \'3\'",'
        b'\n  "standin-colours",\n]\n'
    )
    found = planned(tmp_path / "shop", {"uv.lock": lock, "pyproject.toml": manifest})
    first, last = locks.steps(found)
    assert isinstance(first.action, Edit)
    assert isinstance(last.action, Edit)
    new = patched(manifest, first.action.hunks).decode()
    assert "\"litellm[proxy]==1.82.6 ; python_version > '3'\"" in new
    assert '    # Until 2027-02-24: keeps listed releases out.\n    "litellm!=1.82.8",\n' in new
    text = patched(lock, last.action.hunks)
    assert b'specifier = "==1.82.6"' in text
    assert b'constraints = [{ name = "litellm", specifier = "!=1.82.8" }]' in text


def test_two_lockfiles_beside_each_other_give_edits_that_follow_each_other(tmp_path: Path) -> None:
    lock = next(GOLDEN.glob("npm/package-lock/npm-10-ran/input/**/package-lock.json")).read_bytes()
    files = {"yarn.lock": BERRY, "package.json": MANIFEST, "package-lock.json": lock}
    found = planned(tmp_path / "shop", files)
    plan = compose(found)
    steps = [step for step in plan.steps if isinstance(step.action, Edit) and step.id.startswith("revert.")]
    assert len({step.id for step in steps}) == len(steps) == 4
    contents = dict(files)
    for step in steps:
        assert isinstance(step.action, Edit)
        name = step.action.path.rpartition("/")[2]
        contents[name] = patched(contents[name], step.action.hunks)
    manifest = json.loads(contents["package.json"])
    assert set(manifest) >= {"overrides", "resolutions"}
