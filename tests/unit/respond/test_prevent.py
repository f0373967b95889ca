"""Settings of prevention: each in its manager's own file and unit, and never weaker than what is there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pratique.model.plan import Edit, patched
from pratique.respond import prevent
from pratique.respond.plan import compose
from tests.unit.respond.revert.test_locks import BERRY, MANIFEST, planned


def made(manager: str, name: str, before: bytes | None, version: tuple[int, ...] = ()) -> prevent.Setting:
    version = version or ((4, 18) if manager == "yarn" else ())
    found = prevent.changed(name, before, prevent.wishes(manager, version)[name], manager, version)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("manager", "name", "text"),
    [
        ("npm", ".npmrc", "min-release-age=7\nignore-scripts=true\n"),
        ("pnpm", "pnpm-workspace.yaml", "minimumReleaseAge: 10080\n"),
        ("yarn", ".yarnrc.yml", "npmMinimalAgeGate: 10080\nenableScripts: false\n"),
        ("yarn classic", ".yarnrc", "ignore-scripts true\n"),
        ("bun", "bunfig.toml", "[install]\nminimumReleaseAge = 604800\n"),
    ],
)
def test_a_new_file_holds_the_settings_in_the_managers_units(manager: str, name: str, text: str) -> None:
    found = made(manager, name, None)
    assert found.content.decode() == text
    assert made(manager, name, found.content).put_in == ()


@pytest.mark.parametrize(
    ("manager", "name", "before", "after"),
    [
        ("npm", ".npmrc", "min-release-age=3\n", "min-release-age=7\nignore-scripts=true\n"),
        ("npm", ".npmrc", "a=b\r\nignore-scripts = false\r\n", "a=b\r\nignore-scripts =true\r\nmin-release-age=7\r\n"),
        ("npm", ".npmrc", "x=1", "x=1\nmin-release-age=7\nignore-scripts=true\n"),
        ("npm", ".npmrc", "[scope]\ny=2\n", "min-release-age=7\nignore-scripts=true\n[scope]\ny=2\n"),
        ("pnpm", "pnpm-workspace.yaml", "packages:\n  - a\n", "packages:\n  - a\nminimumReleaseAge: 10080\n"),
        ("pnpm", "pnpm-workspace.yaml", "minimumReleaseAge: 60 # x\n", "minimumReleaseAge: 10080 # x\n"),
        (
            "yarn",
            ".yarnrc.yml",
            'enableScripts: true\nnpmMinimalAgeGate: "1d"\n',
            "enableScripts: false\nnpmMinimalAgeGate: 10080\n",
        ),
        (
            "bun",
            "bunfig.toml",
            "[install]\nexact = true\n\n[test]\n",
            "[install]\nexact = true\nminimumReleaseAge = 604800\n\n[test]\n",
        ),
        ("bun", "bunfig.toml", "telemetry = false", "telemetry = false\n\n[install]\nminimumReleaseAge = 604800\n"),
    ],
)
def test_what_is_there_stays(manager: str, name: str, before: str, after: str) -> None:
    assert made(manager, name, before.encode()).content.decode() == after


@pytest.mark.parametrize(
    ("manager", "name", "before", "words"),
    [
        ("npm", ".npmrc", "min-release-age=30\nignore-scripts=true\n", "stricter"),
        ("npm", ".npmrc", "before=2026-01-01\nignore-scripts=true\n", "before is set already"),
        ("npm", ".npmrc", "min-release-age=${AGE}\nignore-scripts=true\n", "environment"),
        ("pnpm", "pnpm-workspace.yaml", "minimumReleaseAge: 20160\n", "stricter"),
        ("yarn", ".yarnrc.yml", "npmMinimalAgeGate: 4w\nenableScripts: false\n", "stricter"),
        ("bun", "bunfig.toml", "[install]\nminimumReleaseAge = 9999999\n", "stricter"),
        ("bun", "bunfig.toml", "install = { minimumReleaseAge = 1 }\n", "not edited here"),
        ("pnpm", "pnpm-workspace.yaml", "minimumReleaseAge: {}\n", "not edited here"),
    ],
)
def test_a_stricter_value_or_one_not_understood_is_never_overwritten(
    manager: str, name: str, before: str, words: str
) -> None:
    found = made(manager, name, before.encode())
    assert found.content.decode() == before
    assert found.put_in == ()
    assert any(words in text for text in found.left)


def test_versions_decide_what_is_wished() -> None:
    assert [wish.key for wish in prevent.wishes("npm", (12, 0))[".npmrc"]] == ["min-release-age"]
    assert list(prevent.wishes("pnpm", (9, 1))) == [".npmrc"]
    for version in ((3, 8), ()):
        assert [wish.key for wish in prevent.wishes("yarn", version)[".yarnrc.yml"]] == ["enableScripts"]


def test_a_step_names_the_version_that_does_not_know_a_setting_and_is_never_safe(tmp_path: Path) -> None:
    manifest = MANIFEST.replace(b"{\n", b'{\n  "packageManager": "pnpm@10.2.0",\n', 1)
    lock = b"lockfileVersion: '9.0'\n# axios@1.14.1 plain-crypto-js\n"
    files = {"yarn.lock": BERRY, "package.json": manifest, "pnpm-lock.yaml": lock}
    found = planned(tmp_path / "shop", files)
    steps = {step.id.rpartition(".")[0]: step for step in prevent.steps(found)}
    told = " ".join(step.reason for step in prevent.steps(found))
    assert "pnpm 10.2 does not know minimumReleaseAge, which came with 10.16" in told
    assert {step.disposition for step in prevent.steps(found)} <= {"unsafe", "manual"}
    assert "prevent.settings.shop" in steps


def test_an_edit_follows_the_one_before_of_the_same_file(tmp_path: Path) -> None:
    rc = b"nodeLinker: node-modules\n//x: 1\n"
    found = planned(
        tmp_path / "shop", {"yarn.lock": BERRY, "package.json": MANIFEST, ".yarnrc.yml": rc}, uncommitted=False
    )
    (step,) = [item for item in prevent.steps(found) if isinstance(item.action, Edit)]
    assert isinstance(step.action, Edit)
    assert patched(rc, step.action.hunks) == rc + b"npmMinimalAgeGate: 10080\nenableScripts: false\n"
    assert "nodeLinker" not in step.action.diff
    assert {item.kind for item in step.preconditions} == {"sealed", "uncommitted", "digest"}
    plan = compose(found)
    assert [item.phase for item in plan.steps if item.id.startswith(("revert.lock", "prevent"))] == [
        "revert",
        "prevent",
        "prevent",
    ]


def test_a_payload_on_a_list_that_lets_scripts_run_is_told(tmp_path: Path) -> None:
    manifest = MANIFEST.replace(b"{\n", b'{\n  "trustedDependencies": ["plain-crypto-js"],\n', 1)
    found = planned(tmp_path / "shop", {"yarn.lock": BERRY, "package.json": manifest})
    (step,) = [item for item in prevent.steps(found) if item.id.startswith("prevent.allowed")]
    assert "trustedDependencies names plain-crypto-js" in step.reason
