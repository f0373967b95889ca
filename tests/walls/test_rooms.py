"""The house stands: import rules, names, docstrings, the public surface, the size of the core."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pratique import api

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src/pratique").rglob("*.py"))
BANNED = frozenset(
    {
        "util",
        "utils",
        "helper",
        "helpers",
        "manager",
        "managers",
        "handler",
        "handlers",
        "data",
        "misc",
        "common",
        "core",
    }
    | {"issue", "issues", "hit", "hits", "scan", "scanner", "safe", "clean", "stuff", "lib", "base", "shared"}
)
MOST_DISTRIBUTIONS = 9


def test_import_rules_hold() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))",
        ],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "PATH": "", "HOME": "/nonexistent", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_rules_name_every_room() -> None:
    """The layers contract is exhaustive, so a stray room fails; it must stay so."""
    text = (ROOT / ".importlinter").read_text(encoding="utf-8")
    assert "exhaustive = True" in text
    rooms = {path.name for path in (ROOT / "src/pratique").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert [room for room in sorted(rooms) if not re.search(rf"\b{room}\b", text)] == []


@pytest.mark.parametrize("path", SOURCES, ids=[path.relative_to(ROOT).as_posix() for path in SOURCES])
def test_module_says_what_it_is_and_has_a_name_that_does(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "has no docstring"
    parts = path.relative_to(ROOT / "src/pratique").with_suffix("").parts
    assert BANNED.isdisjoint(parts)
    assert BANNED.isdisjoint(word for part in parts for word in part.split("_") if part != "incidents")
    names = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_")
    ]
    assert [name for name in names if name.lower() in BANNED] == []
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_public_surface_is_the_documented_one() -> None:
    assert list(api.__all__) == sorted(api.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
    assert [name for name in api.__all__ if not hasattr(api, name)] == []
    page = (ROOT / "docs/reference/api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^#+ `?([A-Za-z_]+)\b", page, re.MULTILINE)) | set(re.findall(r"`([A-Za-z_]+)", page))
    assert set(api.__all__) - documented == set()


def runtime(name: str, found: set[str]) -> set[str]:
    """The names of a distribution and of everything that it needs here."""
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key not in found:
        found.add(key)
        for requirement in importlib.metadata.requires(name) or ():
            match = re.match(r"[A-Za-z0-9._-]+", requirement)
            if (
                match
                and "extra ==" not in requirement
                and "sys_platform" not in requirement
                and "platform_system" not in requirement
            ):
                runtime(match.group(), found)
    return found


def test_core_needs_at_most_eight_distributions() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    for requirement in project["dependencies"]:
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert match
        runtime(match.group(), found)
    assert len(found) <= MOST_DISTRIBUTIONS, sorted(found)
