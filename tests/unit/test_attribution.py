"""Which package and step a process belongs to."""

from __future__ import annotations

import pytest

from pratique.ecosystems.attribution import cause
from pratique.model.event import Cause

PROJECT = "/home/dev/app"
FOLDER = f"{PROJECT}/node_modules/@scope/anchor"
SCRIPT = {
    "npm_package_name": "@scope/anchor",
    "npm_package_version": "1.2.3",
    "npm_lifecycle_event": "postinstall",
    "npm_package_json": f"{FOLDER}/package.json",
}


def test_a_lifecycle_script_is_told_by_its_environment() -> None:
    assert cause(("sh", "-c", "x"), FOLDER, SCRIPT, PROJECT, None) == Cause(
        "npm", "@scope/anchor", "1.2.3", "postinstall", "environment"
    )


def test_what_it_starts_has_its_cause_by_the_ancestor() -> None:
    above = cause(("sh",), FOLDER, SCRIPT, PROJECT, None)
    below = cause(("curl",), "/", {}, PROJECT, above)
    assert below == Cause("npm", "@scope/anchor", "1.2.3", "postinstall", "ancestor")
    assert cause(("sh",), "/", {}, PROJECT, below) == below


def test_a_script_of_the_projects_own_is_the_users_and_its_installation_is_not() -> None:
    own = {**SCRIPT, "npm_package_json": f"{PROJECT}/package.json", "npm_lifecycle_event": "build"}
    assert cause(("sh",), PROJECT, own, PROJECT, None) == Cause("npm", "", "", "build", "command")
    installed = cause(("sh",), PROJECT, {**own, "npm_lifecycle_event": "postinstall"}, PROJECT, None)
    assert installed is not None
    assert installed.name == "@scope/anchor"


def test_a_script_of_a_workspace_is_the_users_too() -> None:
    member = {**SCRIPT, "npm_package_json": f"{PROJECT}/packages/a/package.json", "npm_lifecycle_event": "build"}
    assert cause(("sh",), f"{PROJECT}/packages/a", member, PROJECT, None) == Cause("npm", "", "", "build", "command")
    beside = {**member, "npm_package_json": f"{PROJECT}-other/package.json"}
    assert cause(("sh",), PROJECT, beside, PROJECT, None) == Cause(
        "npm", "@scope/anchor", "1.2.3", "build", "environment"
    )


def test_what_a_package_starts_does_not_become_the_users_own() -> None:
    above = cause(("sh",), FOLDER, SCRIPT, PROJECT, None)
    own = {**SCRIPT, "npm_package_json": f"{PROJECT}/package.json", "npm_lifecycle_event": "build"}
    assert cause(("sh",), PROJECT, own, PROJECT, above) == cause(("sh",), PROJECT, {}, PROJECT, above)


@pytest.mark.parametrize(
    ("arguments", "folder", "expected"),
    [
        (
            ("python", "/x/pyproject_hooks/_in_process/_in_process.py", "build_wheel", "/t/in"),
            "/tmp/pip-install-ab12/harbour_0123456789abcdef0123456789abcdef",
            Cause("PyPI", "harbour", "", "build_wheel", "environment"),
        ),
        (("gcc",), "/tmp/pip-req-build-ab12", Cause("PyPI", "pip-req-build-ab12", "", "", "folder")),
        (("node", "x"), f"{PROJECT}/node_modules/a/node_modules/b/lib", Cause("npm", "b", "", "", "folder")),
        (("node", "x"), PROJECT, None),
    ],
)
def test_build_hooks_and_folders_tell_a_package(
    arguments: tuple[str, ...], folder: str, expected: Cause | None
) -> None:
    assert cause(arguments, folder, {}, PROJECT, None) == expected
