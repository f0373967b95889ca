"""What a report advises: from the definitions, and nothing that could set off a dead man's switch (law 7)."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from pratique import api
from pratique.model.report import Report
from pratique.report.renderer import FORMATS, renderer

NAMED = "tanstack-2026-05-11"


def examine(folder: Path, *releases: tuple[str, str]) -> Report:
    packages = {f"node_modules/{name}": {"version": version} for name, version in releases}
    lock = {"name": "shop", "lockfileVersion": 3, "packages": {"": {"name": "shop"}, **packages}}
    (folder / "package-lock.json").write_text(json.dumps(lock), "utf-8")
    selection = api.select(today=datetime.date(2026, 11, 20))
    return api.check(api.CheckRequest(targets=tuple(api.specify([str(folder)])), incidents=selection.incidents))


def armed_release() -> tuple[str, str]:
    incident = next(item for item in api.select(today=datetime.date(2026, 11, 20)).incidents if item.id == NAMED)
    component = next(item for item in incident.components if item.ecosystem == "npm" and item.versions)
    return component.name, component.versions[0].version


def test_an_affected_incident_brings_its_own_advice(tmp_path: Path) -> None:
    report = examine(tmp_path, ("axios", "1.14.1"))
    entry = next(item for item in report.incidents if item.id == "axios-2026-03-31")
    assert entry.guidance is not None
    assert report.next_steps == entry.guidance.next_steps
    assert entry.guidance.remediation
    assert entry.summary
    assert all(item.guidance is None for item in report.incidents if item.id != entry.id)


@pytest.mark.parametrize("name", FORMATS)
def test_a_dead_mans_switch_holds_back_the_advice_of_every_incident(name: str, tmp_path: Path) -> None:
    report = examine(tmp_path, ("axios", "1.14.1"), armed_release())
    armed = next(item for item in report.incidents if item.id == NAMED)
    assert armed.guidance is not None
    assert armed.guidance.dead_man_switch
    assert report.next_steps[0] == "Revoke and rotate nothing yet"
    assert all(not item.guidance.remediation for item in report.incidents if item.guidance)
    page = b"".join(renderer(name).render(report)).decode()
    assert "Disconnect the machine" not in page
    assert "Take the machine or runner off the network" not in page
    assert "Revoke all tokens" not in page
