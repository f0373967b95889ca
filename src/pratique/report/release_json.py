"""The JSON form of a judgement of releases: `pratique.release/1`."""

from __future__ import annotations

import msgspec

from pratique.model.release import ReleaseReport
from pratique.report.words import inert_json


class _Whole(msgspec.Struct, frozen=True):
    """The document: what the report holds, and what follows from it."""

    schema: str
    version: str
    generated: str
    command: tuple[str, ...]
    level: str
    complete: bool
    exit_code: int
    rules: str
    inspections: object
    refusals: object


def exit_code(report: ReleaseReport) -> int:
    """0 none or note, 12 review, 13 block; 4 where neither was reached and something relevant was not examined."""
    level = report.level
    if level == "block":
        return 13
    if level == "review":
        return 12
    return 0 if report.complete and (report.inspections or not report.refusals) else 4


def release_json(report: ReleaseReport) -> bytes:
    """The document, with a line end. Control and format characters are escaped; its meaning is the same."""
    whole = _Whole(
        schema=report.schema,
        version=report.version,
        generated=report.generated,
        command=report.command,
        level=report.level,
        complete=report.complete,
        exit_code=exit_code(report),
        rules=report.rules,
        inspections=report.inspections,
        refusals=report.refusals,
    )
    return inert_json(msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2)) + b"\n"
