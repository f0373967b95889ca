"""The self-test passes here, and fails for every reader that is made blind, wrong or absent."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from pratique import api
from pratique.doors.cli.commands import pratique
from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers import discovery
from pratique.workflow import selftest as workflow


def test_everything_comes_out_as_it_must_in_time() -> None:
    before = time.process_time()
    proofs = list(api.selftest())
    assert {proof.name: proof.found for proof in proofs if not proof.ok} == {}
    assert time.process_time() - before < 5
    names = {proof.name for proof in proofs}
    assert {"readers", "incidents", "jobs", "state-a", "state-b", "override", "clean", "truncated"} <= names


def test_it_prints_a_table_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = CliRunner().invoke(pratique, ["selftest"], standalone_mode=False)
    assert result.return_value == 0
    lines = result.output.splitlines()
    assert all(line.startswith("ok") for line in lines)
    assert lines[-1].endswith("detection works on this machine")
    assert list(tmp_path.iterdir()) == []


def test_without_a_temporary_folder_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with pytest.raises(api.UsageError, match="TMPDIR"):
        list(api.selftest())


def blind(reader: Reader) -> Reader:
    def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
        artifact.content()
        yield from ()

    return msgspec.structs.replace(reader, read=read)


def failing(reader: Reader) -> Reader:
    def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
        raise ValueError
        yield  # a generator, as every reader is

    return msgspec.structs.replace(reader, read=read)


@pytest.mark.parametrize("sabotage", [blind, failing])
@pytest.mark.parametrize("name", sorted(workflow.covered() - {"probe"}))
def test_a_broken_reader_makes_it_fail(name: str, sabotage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    module = next(claim.module for claim in discovery.claims() if claim.name == name)
    real = discovery.load(module)
    monkeypatch.setattr(f"{module}.READER", sabotage(real))
    monkeypatch.setattr(workflow, "FOLDERS", 1)
    discovery.load.cache_clear()
    try:
        result = CliRunner().invoke(pratique, ["selftest", "--format", "json"], standalone_mode=False)
        text = CliRunner().invoke(pratique, ["selftest"], standalone_mode=False)
    finally:
        discovery.load.cache_clear()
    assert result.return_value == 1
    failed = [row for row in json.loads(result.output) if not row["ok"]]
    assert failed
    assert text.return_value == 1
    assert f"FAILED  {len(failed)} of" in text.output


def test_a_reader_that_cannot_be_loaded_or_differs_from_the_index_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, *others = discovery.claims()
    rows = (
        msgspec.structs.replace(first, module="pratique.readers.npm.missing"),
        msgspec.structs.replace(second, basenames=("other.json",)),
        *others,
    )
    monkeypatch.setattr(discovery, "claims", lambda: rows)
    proof = next(iter(workflow.selftest()))
    assert not proof.ok
    assert f"{first.name}: ModuleNotFoundError" in proof.found
    assert f"{second.name}: differs from the index" in proof.found


def test_a_changed_definition_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from pratique.incidents import index

    stale = tmp_path / "index.msgpack"
    stale.write_bytes(b"stale")
    monkeypatch.setattr(index, "INDEX", stale)
    proof = next(iter(workflow._incidents()))
    assert not proof.ok
    assert "was not made from these definitions" in proof.found
