"""What the forms of a detonation's report have in common: its level, its exit code, the tree of processes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import Literal

import msgspec

from pratique.model.detonation import Detonation, DetonationRun
from pratique.model.event import SEVERITIES, Event, Severity

Level = Literal["nothing", "note", "review", "block"]
LEVELS: tuple[Level, ...] = ("nothing", "note", "review", "block")
MEANING = {
    "nothing": "nothing was seen that an empty package of its kind does not do too",
    "note": "it does more than an empty package; no rule calls that more than information",
    "review": "something of low or medium weight was seen: a person should look",
    "block": "behaviour was seen that no ordinary install shows",
}
STRONG: tuple[Severity, ...] = ("high", "critical")


def level_of_run(run: DetonationRun) -> Level:
    """The level of one run, by the strongest detection that no exception silences."""
    levels = [SEVERITIES.index(one.level) for one in run.detections if not one.silenced_by]
    strongest = SEVERITIES[max(levels)] if levels else "informational"
    if strongest in STRONG:
        return "block"
    if strongest != "informational":
        return "review"
    return "note" if run.behaviours else "nothing"


def level_of(report: Detonation) -> Level:
    """The level of a whole report: that of its strongest run."""
    return max((level_of_run(run) for run in report.runs), key=LEVELS.index, default="nothing")


def complete(report: Detonation) -> bool:
    """Whether every run came to its end and every step of it ran and succeeded."""
    return all(
        not run.broken and not run.timed_out and all(step.code == 0 for step in run.steps) for run in report.runs
    )


def exit_code(report: Detonation) -> int:
    """13 block, 12 review; else 4 where a run or step did not come to a good end; else 0."""
    level = level_of(report)
    if level == "block":
        return 13
    if level == "review":
        return 12
    return 0 if complete(report) else 4


class Node(msgspec.Struct, frozen=True):
    """One line of a tree of processes. `depth` counts from 0; `known`: it is one that an empty package starts too.

    `last` says for its own depth and each above whether no sibling follows, for drawing.
    """

    depth: int
    text: str
    step: str = ""
    known: bool = False
    dropped: bool = False
    survived: bool = False


class _Made:
    """A node while the tree grows."""

    __slots__ = ("below", "node")

    def __init__(
        self, text: str, step: str = "", *, known: bool = False, dropped: bool = False, survived: bool = False
    ) -> None:
        self.node = (text, step, known, dropped, survived)
        self.below: list[_Made] = []


def tree(run: DetonationRun) -> list[Node]:
    """The processes of a run, each below the one that started it."""
    survived = {one.pid for one in run.survivors}
    top = _Made("")
    held: dict[int, _Made] = {}
    for event in run.events:
        if event.kind == "process.start" and event.process is not None:
            made = _made(event, event.process.pid in survived)
            _above(event, held, top).below.append(made)
            held[event.process.pid] = made
    return list(_lines(top, 0))


def _made(event: Event, survived: bool) -> _Made:
    process, cause = event.process, event.cause
    assert process is not None
    step = f"{cause.name} {cause.step}".strip() if cause is not None and cause.name else ""
    dropped = bool(event.dropped) and event.path_class not in ("package", "manifest", "project", "system")
    return _Made(shlex.join(process.arguments) or process.executable, step, dropped=dropped, survived=survived)


def _above(event: Event, held: dict[int, _Made], top: _Made) -> _Made:
    """The node that a process hangs below; those of the client, which are not told, stand there by their names."""
    process = event.process
    assert process is not None
    if process.pid in held:
        return held[process.pid]
    above = top
    for one in reversed(process.ancestors):
        if one.pid not in held:
            held[one.pid] = _Made(one.name or one.executable, known=True)
            above.below.append(held[one.pid])
        above = held[one.pid]
    return above


def _lines(made: _Made, depth: int) -> Iterator[Node]:
    for one in made.below:
        text, step, known, dropped, survived = one.node
        yield Node(depth, text, step, known, dropped, survived)
        yield from _lines(one, depth + 1)
