"""The judgement of releases as one page: no script, nothing fetched, everything a release wrote made inert."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from pratique.model.release import LEVELS, Finding, Judgement, ReleaseReport
from pratique.report.release_text import MEANING, chain_of, release_of
from pratique.report.words import count, printable

TONES = {"none": "manual", "note": "manual", "review": "unsafe", "block": "stop"}


def release_html(report: ReleaseReport) -> bytes:
    """The page, the highest level first."""
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def inert(value: object) -> object:
        return value if isinstance(value, Markup) or not isinstance(value, str) else _inert(value)

    folder = files("pratique.report") / "templates"
    style = (folder / "plan.css").read_text("utf-8").strip() + "\n.stop { color: var(--red); font-weight: 700; }"
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=inert
    )
    environment.filters |= {"count": count, "release": release_of, "chain": chain_of, "rest": _rest}
    template = environment.from_string((folder / "release.html").read_text("utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    values: dict[str, Any] = {
        "report": report,
        "inspections": sorted(report.inspections, key=lambda one: -LEVELS.index(one.judgement.level)),
        "meaning": MEANING,
        "tones": TONES,
    }
    page = template.render(style=Markup(style), style_digest=digest, **values)  # noqa: S704 (our own file)
    return page.encode()


def _rest(judgement: Judgement) -> list[Finding]:
    chain = chain_of(judgement)
    return [finding for finding in judgement.findings if finding not in chain]


def _inert(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
