"""The whole way of a repair: a project that a real client locked, examined, planned and proven by that client."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pratique import api
from pratique.model.plan import Edit, patched
from pratique.respond.revert import locks
from pratique.respond.situation import Project, ProjectFile
from pratique.workflow.proof import prover
from tests.integration.test_proof import made
from tests.standins.packages import AFTER_WINDOW, IN_WINDOW
from tests.standins.real_clients import SMALL
from tests.standins.registry import Registry
from tests.unit.ecosystems.test_locks import releases
from tests.unit.respond.planning import situation_of


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the machine's own settings decides."""
    import os

    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.lower().startswith("npm_config"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", "/nonexistent")


@pytest.mark.parametrize("label", SMALL)
def test_rule_and_repair_are_proven_together(label: str, tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    with Registry(as_of=IN_WINDOW) as registry:
        name, search = made(label, folder, registry)
        registry.as_of = AFTER_WINDOW
        selection = api.select(today=datetime.date(2026, 11, 26))
        report = api.check(api.CheckRequest(targets=tuple(api.specify([str(folder)])), incidents=selection.incidents))
        files = tuple(
            ProjectFile(path=str(path), content=path.read_bytes())
            for path in sorted(folder.iterdir())
            if path.is_file()
        )
        ids = tuple(item.id for item in report.sightings)
        project = Project(folder=str(folder), files=files, sightings=ids, name="shop")
        found = situation_of(report, projects=(project,), releases=releases, prove=prover(search=search))
        steps = [step for step in locks.steps(found) if isinstance(step.action, Edit)]
        assert steps, [step.reason for step in locks.steps(found)]
        lock = steps[-1]
        assert isinstance(lock.action, Edit)
        assert lock.disposition == "safe", lock.proof
        assert "accepts it" in lock.proof
        ruled = label != "yarn-1"
        assert bool(lock.until) == ruled, lock.reason
        assert (len(steps) > 1) == ruled
        for step in steps:
            assert isinstance(step.action, Edit)
            path = Path(step.action.path)
            path.write_bytes(patched(path.read_bytes() if step.action.before else b"", step.action.hunks))
        assert Path(lock.action.path).name == name
        again = api.check(api.CheckRequest(targets=tuple(api.specify([str(folder)])), incidents=selection.incidents))
    assert [item for item in again.sightings if item.depth == "resolved"] == []
