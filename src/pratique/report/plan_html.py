"""A plan as one page, to be read on a phone, printed and ticked off: no script, nothing fetched."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec

from pratique.model.plan import PHASES, Edit, Plan, Quarantine, Step
from pratique.report.plan_text import DISPOSITIONS, HEADINGS, WHERE, command_line
from pratique.report.words import count, printable


class _Phase(msgspec.Struct, frozen=True):
    name: str
    title: str
    steps: list[tuple[int, Step]]


def plan_html(plan: Plan) -> bytes:
    """The page."""
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def inert(value: object) -> object:
        return value if isinstance(value, Markup) or not isinstance(value, str) else _inert(value)

    folder = files("pratique.report") / "templates"
    style = (folder / "plan.css").read_text("utf-8").strip()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=inert
    )
    environment.filters |= {"count": count, "line": command_line, "kind": _kind, "diff": _diff, "block": _inert}
    template = environment.from_string((folder / "plan.html").read_text("utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    numbers = {step.id: number for number, step in enumerate(plan.steps, 1)}
    phases = [
        _Phase(phase, HEADINGS[phase].partition("  ")[0].capitalize(), steps)
        for phase in PHASES
        if (steps := [(numbers[step.id], step) for step in plan.steps if step.phase == phase])
    ]
    values: dict[str, Any] = {"plan": plan, "phases": phases, "where": WHERE, "dispositions": DISPOSITIONS}
    page = template.render(style=Markup(style), style_digest=digest, **values)  # noqa: S704 (our own file)
    return page.encode()


def _kind(step: Step) -> str:
    return {Edit: "edit", Quarantine: "quarantine"}.get(type(step.action), "manual")


def _inert(text: str) -> str:
    """Text with its lines, and nothing in it that steers the eye."""
    return "\n".join(printable(line) for line in text.split("\n"))


def _diff(text: str) -> list[tuple[str, str]]:
    """The lines of a diff, with the name of their colour."""
    tones = {"+": "added", "-": "taken"}
    return [(line, tones.get(line[:1], "")) for line in text.splitlines()]
