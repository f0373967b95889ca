"""The answer of `pratique verify`, `pratique.verification/1`: is it over, and what is still open?"""

from __future__ import annotations

from typing import Literal

import msgspec

from pratique.model.credential import ReachReport, Tier
from pratique.model.report import Report

SCHEMA = "pratique.verification/1"

Recovered = Literal["fixed", "affected", "under_investigation"]
Comparison = Literal[
    "unchanged",  # the same value, there or at another place: not rotated
    "changed",  # another value stands there
    "gone",  # it is not there any more
    "cannot-tell",  # there is no fingerprint to compare, or the place could not be looked at
]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the parts of a verification."""


class SubjectAnswer(Part, frozen=True, omit_defaults=False):
    """The answer for one incident and one subject."""

    incident: str
    subject: str
    """URI of the subject."""
    kind: str
    host: str
    """Name of the machine that reported it."""
    before: str | None
    """The deepest step that the case records."""
    now: str | None
    """The step that is seen now; null where nothing is seen."""
    status: Recovered
    reason: str


class CredentialAnswer(Part, frozen=True, omit_defaults=False):
    """The answer for one credential that was in reach."""

    credential: str
    provider: str
    tier: Tier
    place: str
    field: str
    comparison: Comparison
    recorded: str
    """The state that the case records; empty where it records none."""
    closed: bool
    """Whether it is recorded as dead or not needed, and nothing seen says otherwise."""
    age: int | None
    """Days since the value was last written, where it still stands and that is known."""
    reason: str


class Open(Part, frozen=True):
    """Something that is still to be done, in order. `blocks`: the answer is not `fixed` while it stands."""

    what: str
    advice: str = ""
    blocks: bool = True


class Verification(Part, frozen=True, omit_defaults=False):
    """The whole."""

    schema: str
    """The name of this contract: `pratique.verification/1`."""
    tool: str
    host: str
    made: str
    """ISO 8601 in UTC."""
    case: str
    """Id of the case."""
    status: Recovered
    subjects: tuple[SubjectAnswer, ...]
    """Worst first."""
    credentials: tuple[CredentialAnswer, ...]
    """In the order of the rotation."""
    open: tuple[Open, ...]
    notes: tuple[str, ...] = ()
    report: Report | None = None
    """What was seen now."""
    reach: ReachReport | None = None
    """What is in reach now."""

    @property
    def exit_code(self) -> int:
        """0 fixed · 4 under investigation · 10 affected · 11 affected, and the code ran."""
        if self.status == "fixed":
            return 0
        if self.status == "under_investigation":
            return 4
        ran = any(
            item.status == "affected" and {item.before, item.now} & {"executed", "active"} for item in self.subjects
        )
        return 11 if ran else 10
