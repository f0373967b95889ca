"""What a guarded command gave: how it ended, what rules made of its events, what was seen and what not."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from pratique.model.event import SEVERITIES, Cause, Detection, Event, Severity
from pratique.model.supervision import Ended, Means

GUARD_SCHEMA = "pratique.guard/1"
FAILED = 13
"""The exit code where a detection reached the level that is to fail."""


class Guarded(msgspec.Struct, frozen=True):
    """What was seen of one command.

    `left_out` counts events beyond those that are held for the summary; rules judged all. `forgotten` counts chains
    of events that had to be given up for lack of room; `unwritten` says which events the file did not take. `rules` is
    the SHA-256 of the rules. `means` is by what it was watched, `passed_over` why what sees more could not be had.
    `journaled` says what a case took of it, `unjournaled` what it did not. `generated` is the end, in ISO 8601.
    """

    command: tuple[str, ...]
    ended: Ended
    events: tuple[Event, ...]
    left_out: int = 0
    detections: tuple[Detection, ...] = ()
    forgotten: int = 0
    rules: str = ""
    fail_on: Severity | None = None
    generated: str = ""
    version: str = ""
    unwritten: str = ""
    means: Means = "notify"
    passed_over: tuple[tuple[Means, str], ...] = ()
    journaled: str = ""
    unjournaled: str = ""

    @property
    def level(self) -> Severity | None:
        """The highest level that no exception was made of; None where nothing was detected."""
        return highest(self.detections)

    @property
    def failed(self) -> bool:
        """Whether a detection reached the level that is to fail."""
        level = self.level
        return (
            self.fail_on is not None and level is not None and SEVERITIES.index(level) >= SEVERITIES.index(self.fail_on)
        )

    @property
    def exit_code(self) -> int:
        """That of the command, or 13 where a detection reached the level that is to fail."""
        return FAILED if self.failed else self.ended.code


def highest(detections: Iterable[Detection]) -> Severity | None:
    """The highest level of detections of which no exception was made."""
    counted = [SEVERITIES.index(one.level) for one in detections if not one.silenced_by]
    return SEVERITIES[max(counted)] if counted else None


def by_level(detections: Iterable[Detection]) -> list[Detection]:
    """Detections, those of the highest level first, and of one level in their order; excepted ones last."""
    return sorted(detections, key=lambda one: (bool(one.silenced_by), -SEVERITIES.index(one.level)))


def caused(cause: Cause | None) -> str:
    """A cause in words: `harbour@1.0.1, postinstall`; empty where no package is known."""
    if cause is None or not cause.name:
        return ""
    version = f"@{cause.version}" if cause.version else ""
    return f"{cause.name}{version}" + (f", {cause.step}" if cause.step else "")
