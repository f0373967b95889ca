"""Situations for tests: made-up reports and steps, and real reports of small projects."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pratique import api
from pratique.model.plan import Manual, Step
from pratique.model.report import Report
from pratique.respond.situation import Planner, Situation

TODAY = datetime.date(2026, 11, 26)


def examine(folder: Path, *releases: tuple[str, str]) -> Report:
    """A real report of a project whose lockfile names these releases."""
    packages = {f"node_modules/{name}": {"version": version} for name, version in releases}
    lock = {"name": "shop", "lockfileVersion": 3, "packages": {"": {"name": "shop"}, **packages}}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package-lock.json").write_text(json.dumps(lock), "utf-8")
    selection = api.select(today=TODAY)
    return api.check(api.CheckRequest(targets=tuple(api.specify([str(folder)])), incidents=selection.incidents))


def release_of(incident: str) -> tuple[str, str]:
    """A listed npm release of a bundled incident."""
    known, _ = api.available()
    component = next(item for item in known[incident].components if item.ecosystem == "npm" and item.versions)
    return component.name, component.versions[0].version


def situation_of(*reports: Report, **more: Any) -> Situation:
    """A situation that rests on reports."""
    known, _ = api.available()
    settings: dict[str, Any] = {"today": TODAY, "host": "here", "platform": "linux", **more}
    return Situation(reports=tuple(reports), incidents=known, **settings)


def step(name: str, **more: Any) -> Step:
    """A manual step; `more` replaces its fields."""
    settings: dict[str, Any] = {
        "phase": "verify",
        "title": "Do it",
        "reason": "Because.",
        "disposition": "manual",
        "action": Manual(),
        "owner": "responder",
        **more,
    }
    return Step(id=name, **settings)


def giving(*steps: Step) -> Planner:
    """A planner that gives these steps."""
    chosen: Sequence[Step] = steps

    def planner(situation: Situation) -> Iterator[Step]:
        yield from chosen

    return planner


Changing = Callable[[Step], Step]
