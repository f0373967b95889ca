"""What a guarded command did, where GitHub Actions shows it: annotations, and a section of the step's summary.

Annotations are workflow commands on a line (`::error title=...::...`), in which `%`, line ends, and in their properties
`:` and `,` too, are written as `%25`, `%0A`, `%0D`, `%3A`, `%2C`. Source: actions/toolkit, `core/src/command.ts`.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from pratique.model.guarded import Guarded, by_level, caused
from pratique.model.inert import code, one_line, printable, prose
from pratique.report.guard_sarif import LEVELS
from pratique.report.words import count

MOST_ANNOTATIONS = 10
"""GitHub shows ten errors and ten warnings of a step."""
MOST_ROWS = 50
_COMMANDS = {"note": "notice", "warning": "warning", "error": "error"}


def github_annotations(guarded: Guarded) -> Iterator[str]:
    """One line for each detection of at least medium level of which no exception was made."""
    found = [one for one in by_level(guarded.detections) if not one.silenced_by and LEVELS[one.level] != "note"]
    for one in found[:MOST_ANNOTATIONS]:
        command = _COMMANDS[LEVELS[one.level]]
        yield f"::{command} title={_property(f'{one.level} {one.rule}')}::{_message(one.statement)}"
    if len(found) > MOST_ANNOTATIONS:
        yield f"::warning title=pratique::{len(found) - MOST_ANNOTATIONS} more detections are in the step's summary"


def _message(text: str) -> str:
    return one_line(printable(text)).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")


def github_summary(guarded: Guarded) -> str:
    """A section in Markdown."""
    return "\n".join(_lines(guarded)) + "\n"


def _lines(guarded: Guarded) -> Iterator[str]:
    level = guarded.level
    yield f"## pratique guard: {prose(level) if level else 'nothing detected in what was seen'}"
    yield ""
    yield f"{code(one_line(shlex.join(guarded.command))[:200])} ended with {guarded.ended.code}."
    found = by_level(guarded.detections)
    if found:
        yield ""
        yield "| Level | Package and step | What |"
        yield "|---|---|---|"
        for one in found[:MOST_ROWS]:
            excepted = f" (excepted: {prose(one.silenced_by)})" if one.silenced_by else ""
            yield f"| {one.level}{excepted} | {_cell(caused(one.cause))} | {_cell(one.statement)} |"
        if len(found) > MOST_ROWS:
            yield ""
            yield f"{count(len(found) - MOST_ROWS, 'further detection')} left out here."
    unseen = [row for row in guarded.ended.watch.categories if row.seen != "all"]
    yield ""
    yield "Not seen, or in part: " + (", ".join(row.category for row in unseen) or "nothing") + "."
    if guarded.ended.watch.lost:
        yield f"{count(guarded.ended.watch.lost, 'event')} lost."


def _cell(text: str) -> str:
    shown = one_line(printable(text))
    return code((shown if len(shown) <= 200 else shown[:199] + "…").replace("|", "¦")) if shown else ""
