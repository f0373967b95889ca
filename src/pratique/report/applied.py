"""What `apply` and `undo` did, as text: a line for each step, and what to do next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from typing import Protocol

from pratique.report.words import count, one_line, printable

WIDTH = 100
_WORDS = {
    "done": "DONE",
    "already": "DONE BEFORE",
    "by-hand": "BY HAND",
    "left": "LEFT",
    "refused": "REFUSED",
    "failed": "FAILED",
    "undone": "UNDONE",
}


class _Outcome(Protocol):
    @property
    def step(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def outcome(self) -> str: ...
    @property
    def message(self) -> str: ...


class _Applied(Protocol):
    @property
    def outcomes(self) -> Iterable[_Outcome]: ...
    @property
    def not_reached(self) -> int: ...
    @property
    def held_back(self) -> int: ...
    @property
    def records(self) -> str: ...


def applied_lines(found: _Applied) -> Iterator[str]:
    """The lines, without line ends. Steps for people are counted, not listed."""
    by_hand = 0
    stopped = False
    for item in found.outcomes:
        if item.outcome == "by-hand":
            by_hand += 1
            continue
        stopped = stopped or item.outcome in ("refused", "failed")
        yield f"{_WORDS[item.outcome]:<12}{printable(item.step)}"
        if item.message:
            yield from textwrap.wrap(
                printable(one_line(item.message)),
                WIDTH,
                initial_indent=" " * 12,
                subsequent_indent=" " * 12,
                break_long_words=False,
                break_on_hyphens=False,
            )
    if by_hand:
        yield f"{count(by_hand, 'step')} for people: the plan says what to do"
    if found.held_back:
        yield f"{count(found.held_back, 'step')} held back until a dead man's switch was looked for, and that recorded"
    if stopped and found.not_reached:
        yield f"stopped: {count(found.not_reached, 'step')} not tried; run it again to go on"
    yield f"receipts: {printable(found.records)}"
