"""The script that writes the version lists, and its rules, agree with the lists."""

from __future__ import annotations

import importlib.util
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from pratique.incidents.library import BUNDLED, load_directory, parse

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_version_lists", ROOT / "scripts" / "make_version_lists.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def rules(script: ModuleType) -> object:
    return script.Rules(tomllib.loads((ROOT / "scripts" / "campaigns.toml").read_text(encoding="utf-8")))


def test_every_listed_release_belongs_where_it_stands(rules: object) -> None:
    for path in BUNDLED.glob("*.tsv"):
        for line in path.read_text(encoding="utf-8").splitlines()[1:]:
            name, version = line.split("\t")[:2]
            assert rules.campaign(name, version) == path.name.removesuffix(".versions.tsv")


def test_every_rule_names_a_bundled_incident_and_is_used(rules: object) -> None:
    library = {incident.id: incident for incident in load_directory(BUNDLED)}
    names = {component.name for incident in library.values() for component in incident.components}
    campaigns = {*rules.names.values(), *rules.scopes.values(), *rules.inline, rules.rest}
    assert campaigns <= set(library)
    assert set(rules.names) <= names
    assert set(rules.scopes) <= {name[1:].split("/")[0] for name in names if name[0] == "@"}
    assert all(any(name.startswith(prefix) for name in names) for prefix, _ in rules.prefixes)


def test_the_script_writes_lists(script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "table.tsv"
    table.write_text(
        "ecosystem\tname\tversions\tsource\n"
        "npm\tkeyv\t6.0.0|10.0.0|6.0.10\tcompromised-list-x\n"
        "npm\tunheard-of\t1.0.0|0.0.1-security\tcompromised-list-x\n"
        "npm\tother-source\t1.0.0\tsomething-else\n"
        "npm\tgo:example.test/x\tv1.0.0\tcompromised-list-x\n"
        "composer\ta/b\t1.0.0\tcompromised-list-x\n",
        encoding="utf-8",
    )
    assert script.main([str(table), str(tmp_path)]) == 0
    rows = (tmp_path / "chaindrop-2026-08-04.versions.tsv").read_text(encoding="utf-8").splitlines()
    assert [row.split("\t")[1] for row in rows[1:]] == ["6.0.0", "6.0.10", "10.0.0"]
    assert "unheard-of\t1.0.0\t" in (tmp_path / "campaigns-2025-09-to-2026-08.versions.tsv").read_text(encoding="utf-8")
    output = capsys.readouterr().out
    assert "all: 4 versions" in output
    for reason in ("ecosystem composer: 1", "ecosystem go: 1", "placeholder of the registry: 1"):
        assert f"left out, {reason}" in output
    assert script.main([]) == 2


def test_the_example_of_the_guide_loads() -> None:
    guide = (ROOT / "docs" / "how-to" / "write-an-incident.md").read_text(encoding="utf-8")
    example = guide.split("```toml\n")[1].split("```")[0]
    assert parse(example, where="guide").id == "example-2026-01-02"
