"""What a declared range would have resolved to: the answers of `pratique resolve`."""

from __future__ import annotations

from typing import Literal

import msgspec

from pratique.model.location import Location

SCHEMA = "pratique-resolution/1"

Outcome = Literal[
    "listed",  # a listed release would have been picked
    "refused",  # a listed release would have been picked but for a protection in force
    "unknown",  # the records do not tell
    "other",  # no listed release would have been picked
]


class Span(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would have been picked from a moment until another, in ISO 8601; `end` None: at that one moment.

    `held_back` is what a cooldown kept out. `incidents` list the picked version, or the one held back.
    """

    start: str
    end: str | None
    version: str | None
    rule: str
    incidents: tuple[str, ...] = ()
    held_back: str | None = None


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer for one request: a declared range, or one that a lockfile nearby records of a dependant."""

    ecosystem: str
    name: str
    range: str
    manager: str
    outcome: Outcome
    text: str
    inferred: bool
    spans: tuple[Span, ...] = ()
    field: str | None = None
    location: Location | None = None
    asked_by: tuple[str, ...] = ()
    """The chain of dependants from the project's own dependency to the one that asks, as lockfiles nearby record it."""
    protections: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    known_client: bool = False
    """Whether the manager and its version are recorded or were named: else nobody knows that it minds a cooldown."""


class Unread(msgspec.Struct, frozen=True):
    """A place that could not be read, or a package whose document could not be had."""

    place: str
    reason: str


class Resolutions(msgspec.Struct, frozen=True, kw_only=True):
    """All answers of one run. `examined` counts the manifests read and the requests named on the command line."""

    schema: str
    moment: str | None
    window: tuple[str, str] | None
    source: str
    examined: int
    answers: tuple[Answer, ...]
    unread: tuple[Unread, ...] = ()
    locked: int = 0
    """How many requests were left to the lockfile or tree that resolves them."""

    @property
    def exit_code(self) -> int:
        """3 nothing examined; 4 a listed release would have been picked, or it cannot be told; else 0.

        A refusal by a cooldown counts as one only where it is known that the manager in use minds it.
        """
        if self.examined == 0:
            return 3
        unsure = [item for item in self.answers if item.outcome == "refused" and not item.known_client]
        if self.unread or unsure or any(answer.outcome in ("listed", "unknown") for answer in self.answers):
            return 4
        return 0
