"""The index saves time and decides nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pratique.incidents import index
from pratique.incidents.library import BUNDLED, load_directory
from pratique.model.errors import IncidentError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for path in BUNDLED.glob("axios*"):
        shutil.copy(path, tmp_path)
    for path in BUNDLED.glob("mastra*"):
        shutil.copy(path, tmp_path)
    (tmp_path / index.INDEX.name).write_bytes(index.build(tmp_path))
    return tmp_path


def test_the_index_in_the_repository_is_current() -> None:
    assert index.INDEX.read_bytes() == index.build(), "run: python -m pratique.incidents.index"


def test_the_index_equals_the_files() -> None:
    assert index.load_bundled() == load_directory(BUNDLED)


def test_a_current_index_is_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "_parse", lambda _: pytest.fail("the definitions were parsed"))
    bundle = index.load(folder)
    assert len(bundle) == 2
    assert bundle.ids() == ["axios-2026-03-31", "mastra-2026-06-17"]
    assert bundle.incident("axios-2026-03-31").title.startswith("axios")
    with pytest.raises(KeyError):
        bundle.incident("other")


@pytest.mark.parametrize("damage", ["changed", "added", "removed", "missing index", "broken index", "other format"])
def test_an_index_that_does_not_fit_is_not_used(folder: Path, damage: str) -> None:
    definition = folder / "axios-2026-03-31.toml"
    stored = folder / index.INDEX.name
    if damage == "changed":
        definition.write_text(definition.read_text(encoding="utf-8").replace("revision = 1", "revision = 2"))
    elif damage == "added":
        text = definition.read_text(encoding="utf-8").replace("axios-2026-03-31", "another")
        (folder / "another.toml").write_text(text, encoding="utf-8")
    elif damage == "removed":
        definition.unlink()
    elif damage == "missing index":
        stored.unlink()
    elif damage == "broken index":
        stored.write_bytes(stored.read_bytes()[:1000])
    else:
        stored.write_bytes(b"\x94\x63" + stored.read_bytes()[2:])
    assert index.load(folder).incidents() == load_directory(folder)
    if damage == "changed":
        assert index.load(folder).incident("axios-2026-03-31").revision == 2


def test_a_broken_definition_is_an_error_in_spite_of_the_index(folder: Path) -> None:
    (folder / "axios-2026-03-31.toml").write_text("revision = 1", encoding="utf-8")
    with pytest.raises(IncidentError, match=r"axios-2026-03-31\.toml"):
        index.load(folder)


def test_names_are_looked_up_as_the_ecosystem_spells_them() -> None:
    bundle = index.load()
    assert bundle.listed("npm", "axios") == (("axios-2026-03-31", ("1.14.1", "0.30.4")),)
    assert [item for item, _ in bundle.listed("npm", "node-ipc")] == ["node-ipc-2022-03", "node-ipc-2026-05-14"]
    assert bundle.listed("npm", "Axios") == ()
    assert bundle.listed("PyPI", "Dynamo_Release")[0][0] == "hades-2026-06-07"
    assert bundle.listed("GitHub Actions", "TJ-Actions/changed-files")[0][0] == "tj-actions-2025-03-14"
    assert bundle.listed("crates", "axios") == ()
