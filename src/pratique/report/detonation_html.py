"""A detonation as one page with its process trees drawn: no script, nothing fetched, all texts made inert."""

from __future__ import annotations

import base64
import hashlib

from pratique.model.detonation import Detonation, DetonationRun
from pratique.model.event import SEVERITIES, Detection
from pratique.report.detonation_words import MEANING, Node, level_of, level_of_run, tree
from pratique.report.words import count, printable

TONES = {"nothing": "manual", "note": "manual", "review": "unsafe", "block": "stop"}
_STYLE = """
.stop { color: var(--red); font-weight: 700; }
.tree { font: .8125rem/1 ui-monospace, "SF Mono", Consolas, "Liberation Mono", monospace; width: 100%; height: auto; }
.tree text { fill: var(--ink); } .tree .known { fill: var(--quiet); } .tree .strong { fill: var(--red); }
.tree path { stroke: var(--line); fill: none; stroke-width: 1.5; } .tree circle { fill: var(--quiet); }
.tree circle.strong { fill: var(--red); }
table { border-collapse: collapse; width: 100%; font-size: .875rem; }
h3 { margin-top: 1.25rem; } td:first-child { white-space: nowrap; } td:nth-child(2) { min-width: 6.5rem; }
th, td { text-align: left; vertical-align: top; padding: .25rem .5rem .25rem 0; border-bottom: 1px solid var(--line); }
""".strip()
ROW, INDENT, WIDTH = 22, 18, 860
_CHARACTER = 7.9
"""Width of a character of the tree, for cutting lines."""
MOST_NODES = 400


class _Drawn:
    """A node with its place, and the line to the one above it."""

    def __init__(self, node: Node, at: int, above: int) -> None:
        self.x = 12 + node.depth * INDENT
        self.y = 14 + at * ROW
        self.line = f"M{self.x - INDENT} {14 + above * ROW + 5}V{self.y}H{self.x - 5}" if node.depth else ""
        room = int((WIDTH - self.x - 10) / _CHARACTER)
        marks = [word for word, so in (("dropped", node.dropped), ("still running", node.survived)) if so]
        text = node.text + (f"  ({', '.join(marks)})" if marks else "") + (f"  — {node.step}" if node.step else "")
        self.whole = printable(" ".join(text.split()))
        self.text = self.whole if len(self.whole) <= room else self.whole[: room - 1] + "…"
        self.tone = "strong" if marks else "known" if node.known else ""


def _drawn(run: DetonationRun) -> list[_Drawn]:
    made: list[_Drawn] = []
    last: dict[int, int] = {}
    for at, node in enumerate(tree(run)[:MOST_NODES]):
        made.append(_Drawn(node, at, last.get(node.depth - 1, 0)))
        last[node.depth] = at
    return made


def _strongest(run: DetonationRun) -> list[Detection]:
    return sorted(run.detections, key=lambda one: -SEVERITIES.index(one.level))


def detonation_html(report: Detonation) -> bytes:
    """The page."""
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def inert(value: object) -> object:
        if isinstance(value, Markup) or not isinstance(value, str):
            return value
        return "\n".join(printable(line) for line in value.split("\n"))

    folder = files("pratique.report") / "templates"
    style = (folder / "plan.css").read_text("utf-8").strip() + "\n" + _STYLE
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=inert
    )
    environment.filters |= {"count": count, "drawn": _drawn, "strongest": _strongest, "level": level_of_run}
    template = environment.from_string((folder / "detonation.html").read_text("utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = template.render(
        style=Markup(style),  # noqa: S704 (our own file)
        style_digest=digest,
        report=report,
        level=level_of(report),
        meaning=MEANING,
        tones=TONES,
        row=ROW,
        width=WIDTH,
    )
    return page.encode("utf-8", "replace")
