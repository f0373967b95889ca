"""The report as one JSON record a line: the header first, the coverage last.

## Holds
Everything that the JSON form holds; each line is an object with `record` naming its kind.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.report import Report
from pratique.report.renderer import Renderer
from pratique.report.words import inert_json

PARTS = ("targets", "subjects", "incidents", "verdicts", "sightings", "observations")


def render(report: Report) -> Iterator[bytes]:
    """Yield one line for each record."""
    yield _line("header", report.header)
    for part in PARTS:
        for item in getattr(report, part):
            yield _line(part.removesuffix("s"), item)
    yield _line("coverage", report.coverage)
    yield _line("end", {"next_steps": report.next_steps, "notes": report.notes, "exit_code": report.exit_code})


def _line(record: str, item: object) -> bytes:
    return inert_json(msgspec.json.encode({"record": record, **msgspec.to_builtins(item)})) + b"\n"


RENDERER = Renderer(name="ndjson", suffixes=(".ndjson", ".jsonl"), media_type="application/x-ndjson", render=render)
