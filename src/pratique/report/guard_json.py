"""The JSON form of what a guarded command did: `pratique.guard/1`. The events themselves are a file of their own."""

from __future__ import annotations

import msgspec

from pratique.model.event import Detection, Process, Severity, Watch
from pratique.model.guarded import GUARD_SCHEMA, Guarded, by_level
from pratique.model.supervision import Means
from pratique.report.words import inert_json


class PassedOver(msgspec.Struct, frozen=True):
    """A means that would have seen more, and why it could not be had."""

    means: Means
    reason: str


class GuardDocument(msgspec.Struct, frozen=True):
    """The document. `code` is that of the command, `exit_code` that of the guard; `cpu` seconds of the command."""

    schema: str
    version: str
    generated: str
    command: tuple[str, ...]
    code: int
    exit_code: int
    timed_out: bool
    level: Severity | None
    fail_on: Severity | None
    events: int
    forgotten: int
    unwritten: str
    rules: str
    detections: tuple[Detection, ...]
    survivors: tuple[Process, ...]
    means: Means
    passed_over: tuple[PassedOver, ...]
    watch: Watch
    cpu: float


def guard_json(guarded: Guarded) -> bytes:
    """The document, with a line end. Control and format characters are escaped; its meaning is the same."""
    whole = GuardDocument(
        schema=GUARD_SCHEMA,
        version=guarded.version,
        generated=guarded.generated,
        command=guarded.command,
        code=guarded.ended.code,
        exit_code=guarded.exit_code,
        timed_out=guarded.ended.timed_out,
        level=guarded.level,
        fail_on=guarded.fail_on,
        events=guarded.ended.events,
        forgotten=guarded.forgotten,
        unwritten=guarded.unwritten,
        rules=guarded.rules,
        detections=tuple(by_level(guarded.detections)),
        survivors=guarded.ended.survivors,
        means=guarded.means,
        passed_over=tuple(PassedOver(means, reason) for means, reason in guarded.passed_over),
        watch=guarded.ended.watch,
        cpu=round(guarded.ended.cpu, 3),
    )
    return inert_json(msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2)) + b"\n"
