"""What observations mean: sightings, gaps and verdicts."""

from __future__ import annotations

import enum
from typing import Literal

import msgspec

from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Role
from pratique.model.location import Location
from pratique.model.observation import Observation, Time

SubjectKind = Literal["project", "repository", "install", "cache", "log", "image", "machine"]


class Subject(msgspec.Struct, frozen=True, order=True):
    """What a verdict is about. `uri` is the target's URI and the path of the subject's root."""

    kind: SubjectKind
    uri: str


class Status(enum.StrEnum):
    """OpenVEX status. `under_investigation` is the default that coverage must lift."""

    UNDER_INVESTIGATION = "under_investigation"
    AFFECTED = "affected"
    NOT_AFFECTED = "not_affected"
    FIXED = "fixed"


STATUS_RANK = {Status.FIXED: 0, Status.NOT_AFFECTED: 1, Status.UNDER_INVESTIGATION: 2, Status.AFFECTED: 3}


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """A listed release, an indicator or tampering, seen; it rests on `observations`.

    `status` is what this sighting alone supports: affected, or under_investigation where it is ambiguous, or
    not_affected where it is a note (protection in force, an attacker's harmless package).
    """

    incident: str
    subject: Subject
    kind: Literal["component", "indicator", "tampering"]
    status: Status
    purl: str
    depth: Depth
    confidence: Confidence
    role: Role
    location: Location
    explanation: str
    observations: tuple[Observation, ...]
    inferred: bool = False
    current: bool = True
    times: tuple[Time, ...] = ()
    lowered_by: tuple[Observation, ...] = ()


class Gap(msgspec.Struct, frozen=True, kw_only=True):
    """Why a negative cannot be given: a relevant refusal, or a declared range that nothing resolved."""

    incident: str | None
    subject: Subject | None
    refusal_id: str
    reason: str
    accepted: str | None = None


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer for one incident and one subject."""

    incident: str
    subject: Subject
    status: Status
    depth: Depth | None
    current: bool
    confidence: Confidence
    summary: str
    sightings: tuple[Sighting, ...] = ()
    gaps: tuple[str, ...] = ()
    accepted_gaps: tuple[str, ...] = ()
    lowered_by: tuple[Observation, ...] = ()
