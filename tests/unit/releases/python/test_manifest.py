"""What a Python release states of itself: triggers, identity, files, dependencies, each against the predecessor."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping

import pytest

from pratique.model.observation import Refusal
from pratique.model.release import Dated, Fact, RegistryRecord, Release, Stated
from pratique.releases.python import manifest
from tests.unit.releases.opened import InMemory

METADATA = "Metadata-Version: 2.4\nName: sample\nVersion: 1.0.0\n"


def _record(files: Mapping[str, bytes]) -> bytes:
    rows = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}")
    return "\n".join([*rows, "sample-1.0.0.dist-info/RECORD,,"]).encode()


def wheel(
    files: Mapping[str, str],
    *,
    headers: str = "",
    record: bytes | None = None,
    history: Stated[tuple[Dated, ...]] = Stated(),  # noqa: B008 (it is frozen)
) -> Release:
    """A wheel of `sample` 1.0.0 with these files; its RECORD is right unless given."""
    content = {path: text.encode() for path, text in files.items()}
    content.setdefault("sample-1.0.0.dist-info/METADATA", (METADATA + headers).encode())
    content["sample-1.0.0.dist-info/RECORD"] = _record(content) if record is None else record
    opened = InMemory(content)
    opened.form = "wheel"
    return Release(
        "pkg:pypi/sample@1.0.0", "PyPI", "sample", "1.0.0", opened, RegistryRecord(history=history), "memory"
    )


def sdist(files: Mapping[str, str]) -> Release:
    """A source archive of `sample` 1.0.0."""
    opened = InMemory({path: text.encode() for path, text in files.items()})
    opened.form = "sdist"
    return Release("pkg:pypi/sample@1.0.0", "PyPI", "sample", "1.0.0", opened, RegistryRecord(), "memory")


def told(release: Release, predecessor: Release | None = None, kind: str = "") -> list[Fact]:
    """The facts of a kind."""
    found = manifest.facts(release, predecessor, {})
    return [one for one in found if isinstance(one, Fact) and one.kind.startswith(kind)]


def refused(release: Release) -> list[str]:
    """Why something was not read."""
    return [one.reason for one in manifest.facts(release, None, {}) if isinstance(one, Refusal)]


def test_a_new_dependency_that_nothing_imports() -> None:
    old = wheel({"sample/__init__.py": "import requests\n"}, headers="Requires-Dist: requests>=2\n")
    new = wheel(
        {"sample/__init__.py": "import requests\n"},
        headers="Requires-Dist: requests>=2.1\nRequires-Dist: left_helper==0.1\nRequires-Dist: pytest; extra == 'test'\n",
        history=Stated("present", (Dated("0.9", dependencies=("requests",)),)),
    )
    found = {one.attributes["name"]: one for one in told(new, old, "dependency.declared")}
    assert found["left-helper"].delta == "added"
    assert dict(found["left-helper"].attributes) == {
        "name": "left-helper", "range": "==0.1", "group": "dependencies", "source": "registry", "own_scope": False,
        "imported": "no", "seen_before": "no",
    }  # fmt: skip
    assert found["left-helper"].line == 5
    assert (found["requests"].delta, found["requests"].attributes["previous"]) == ("changed", ">=2")
    assert found["requests"].attributes["imported"] == "yes"
    assert found["pytest"].attributes["group"] == "optional"
    gone = {one.attributes["name"]: one.delta for one in told(old, new, "dependency.declared")}
    assert gone["left-helper"] == "removed"


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("a @ https://a.example/a.whl", "url"),
        ("a @ git+https://a.example/a.git", "git"),
        ("a @ file:///x/a.whl", "file"),
        ("a>1", "registry"),
    ],
)
def test_sources_of_dependencies(text: str, source: str) -> None:
    found = told(wheel({}, headers=f"Requires-Dist: {text}\n"), None, "dependency.declared")
    assert [one.attributes["source"] for one in found] == [source]


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("PyYAML", "import yaml", "yes"),
        ("python-dateutil", "from dateutil import tz", "yes"),
        ("beautifulsoup4", "def f():\n    from bs4 import x", "yes"),
        ("colorama", "import os", "unknown"),
        ("widget-tools", "import widget_extras", "unknown"),
        ("widget-tools", '"""\nimport widget_tools\n"""', "unknown"),
        ("widget-tools", "run(['widget-tools'])", "unknown"),
        ("widget-tools", "import other", "no"),
        ("widget-tools", "from x \\\n  import widget_tools", "unknown"),
    ],
)
def test_what_is_imported_under_another_name(name: str, code: str, expected: str) -> None:
    found = told(wheel({"sample/a.py": code}, headers=f"Requires-Dist: {name}\n"), None, "dependency.declared")
    assert [one.attributes["imported"] for one in found] == [expected]


def test_what_is_imported_and_not_declared() -> None:
    old = wheel({"sample/a.py": "import os\n"})
    new = wheel({"sample/a.py": "import os, leftover\nfrom sample import b\nfrom . import c\n", "sample/b.py": ""})
    assert [(one.attributes["name"], one.delta) for one in told(new, old, "dependency.undeclared")] == [
        ("leftover", "added")
    ]


def test_a_wheel_that_is_not_what_its_record_says() -> None:
    right = wheel({"sample/a.py": "x = 1\n"})
    assert told(right, None, "manifest") == []
    files = {"sample/a.py": "x = 1\n", "sample-1.0.0.dist-info/METADATA": METADATA}
    listed = _record({path: text.encode() for path, text in files.items()})
    wrong = wheel({**files, "sample/a.py": "x = 2\n", "sample/more.py": ""}, record=listed + b"\nsample/gone.py,,\n")
    assert {(one.attributes["field"], one.path) for one in told(wrong, None, "manifest.identity")} == {
        ("RECORD digest", "sample/a.py"),
        ("RECORD", "sample/more.py"),
        ("RECORD missing", "sample-1.0.0.dist-info/RECORD"),
    }


def test_another_name_and_version() -> None:
    lies = wheel({"sample-1.0.0.dist-info/METADATA": "Name: other\nVersion: 1.0\n\nName: sample\n"})
    assert [one.attributes["field"] for one in told(lies, None, "manifest.identity")] == ["name"]
    later = wheel({"sample-1.0.0.dist-info/METADATA": "Name: Sample\nVersion: 2.0\n"})
    assert [one.attributes["field"] for one in told(later, None, "manifest.identity")] == ["version"]


def test_folders_of_others() -> None:
    found = told(wheel({"requests/extra.py": "", "json.py": "", "sample/json.py": ""}), None, "manifest.shadow")
    assert {(one.attributes["module"], one.attributes["of"]) for one in found} == {
        ("json", "python"),
        ("requests", "requests"),
    }


def test_entry_points_and_scripts() -> None:
    text = "[console_scripts]\ngit = sample:main\nsample = sample:main\n[pytest11]\nsample = sample.plugin\n"
    old = wheel({"sample-1.0.0.dist-info/entry_points.txt": "[console_scripts]\nsample = sample:old\n"})
    new = wheel({"sample-1.0.0.dist-info/entry_points.txt": text, "sample-1.0.0.data/scripts/Run": "x"})
    points = {(one.attributes["group"], one.attributes["name"]): one for one in told(new, old, "trigger.entry-point")}
    assert {key: one.delta for key, one in points.items()} == {
        ("console_scripts", "git"): "added",
        ("console_scripts", "sample"): "changed",
        ("pytest11", "sample"): "added",
    }
    assert points["pytest11", "sample"].attributes["unasked"] is True
    commands = {one.attributes["name"]: one.attributes.get("shadows", False) for one in told(new, old, "trigger.bin")}
    assert commands == {"git": True, "Run": False}


SETUP = """from setuptools import setup
from setuptools.command.install import install
class Mine(install):
    def run(self):
        install.run(self)
setup(name="sample", cmdclass={"install": Mine, "egg_info": Mine})
"""


def test_setup_code() -> None:
    old = sdist({"PKG-INFO": METADATA, "setup.py": "from setuptools import setup\nsetup()\n"})
    new = sdist({"PKG-INFO": METADATA, "setup.py": SETUP})
    found = told(new, old, "trigger.setup")
    assert [(one.delta, one.attributes["hooks"], one.line) for one in found] == [("changed", "install, egg_info", 6)]
    assert [one.attributes["hooks"] for one in told(old, None, "trigger.setup")] == [""]
    assert [one.delta for one in told(new, new, "trigger.setup")] == ["kept"]


def test_build_backends() -> None:
    project = """[build-system]
requires = ["setuptools>=60", "thing @ https://a.example/thing.whl"]
build-backend = "build.backend"
backend-path = ["tools"]
[project]
name = "sample"
version = "1.0.0"
dependencies = ["a"]
[tool.hatch.build.hooks.custom]
path = "make.py"
[tool.poetry]
build = "compile.py"
"""
    found = told(sdist({"pyproject.toml": project, "make.py": ""}))
    backend = next(one for one in found if one.kind == "trigger.build-backend")
    assert dict(backend.attributes) == {
        "backend": "build.backend", "in_tree": True, "requires": "setuptools, thing", "direct": "https://a.example/thing.whl",
    }  # fmt: skip
    assert {(one.attributes["form"], one.attributes["file"]) for one in found if one.kind == "trigger.setup"} == {
        ("tool.hatch.build.hooks.custom", "make.py"),
        ("tool.poetry.build", "compile.py"),
    }
    assert [one.attributes["name"] for one in found if one.kind == "dependency.declared"] == ["a"]


def test_old_source_archives() -> None:
    found = told(
        sdist({"PKG-INFO": METADATA, "sample.egg-info/requires.txt": "a>=1\n\n[more]\nb\n"}), None, "dependency.d"
    )
    assert [(one.attributes["name"], one.attributes["group"]) for one in found] == [
        ("a", "dependencies"),
        ("b", "optional"),
    ]


def test_what_cannot_be_read_is_told() -> None:
    assert refused(sdist({})) == ["no METADATA, PKG-INFO or pyproject.toml states what the release is"]
    assert "is no TOML" in refused(sdist({"PKG-INFO": METADATA, "pyproject.toml": "[["}))
    assert refused(wheel({}, record=b"")) == []
    two = wheel({"other-1.0.dist-info/RECORD": ""})
    assert "the wheel has several" in refused(two)
    assert any("dependency that is none" in one for one in refused(wheel({}, headers="Requires-Dist: ==\n")))


def test_nothing_is_said_of_other_worlds() -> None:
    release = wheel({})
    release.ecosystem = "npm"
    assert told(release) == []
