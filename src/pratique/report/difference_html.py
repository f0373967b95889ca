"""What changed between two releases as one page: no script, nothing fetched, everything a release wrote made inert."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from pratique.model.difference import Passage, ReleaseDifference
from pratique.report.difference_words import (
    MARKS,
    REACHED,
    SECTIONS,
    change_words,
    details,
    entry_mark,
    entry_words,
    place,
    subject,
    title,
    totals,
)
from pratique.report.words import count, printable

_STYLE = """
.mark { font-family: monospace; font-weight: 700; }
.came { color: var(--green, #1a7f37); }
.went { color: var(--red, #b42318); }
pre.code { white-space: pre-wrap; overflow-wrap: anywhere; }
pre.code.came { border-left: 3px solid var(--green, #1a7f37); color: inherit; }
pre.code.went { border-left: 3px solid var(--red, #b42318); color: inherit; }
table.rows td { vertical-align: top; overflow-wrap: anywhere; }
"""
_MOST_FILES = 2000


def difference_html(difference: ReleaseDifference) -> bytes:
    """The page: sections in order of how much they say, then the code, each file folded away until it is asked for."""
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def inert(value: object) -> object:
        return value if isinstance(value, Markup) or not isinstance(value, str) else _inert(value)

    folder = files("pratique.report") / "templates"
    style = (folder / "plan.css").read_text("utf-8").strip() + _STYLE
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=inert
    )
    environment.filters |= {
        "count": count,
        "subject": subject,
        "details": details,
        "place": place,
        "change": change_words,
        "entry": entry_words,
        "mark": entry_mark,
        "numbered": _numbered,
    }
    template = environment.from_string((folder / "difference.html").read_text("utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    values: dict[str, Any] = {
        "difference": difference,
        "title": title(difference),
        "totals": totals(difference),
        "sections": [(heading, getattr(difference, name)) for name, heading in SECTIONS],
        "marks": MARKS,
        "reached": REACHED,
        "changes": difference.changes[:_MOST_FILES],
        "more": max(len(difference.changes) - _MOST_FILES, 0),
    }
    page = template.render(style=Markup(style), style_digest=digest, **values)  # noqa: S704 (our own file)
    return page.encode()


def _numbered(passage: Passage) -> str:
    """The text of a passage with the numbers of its lines; of a part of a line the number stands once."""
    lines = passage.text.split("\n")
    if passage.column > 1:
        return "\n".join(f"{passage.line if not number else '':>6}  {line}" for number, line in enumerate(lines))
    return "\n".join(f"{number:>6}  {line}" for number, line in enumerate(lines, passage.line))


def _inert(text: str) -> str:
    return "\n".join(printable(line) for line in text.split("\n"))
