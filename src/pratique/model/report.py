"""The report `pratique.report/1`: what is rendered, and the contract of its JSON form.

Identifiers are digests of content, so the same finding has the same id in every run.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from pratique.model.location import Location
from pratique.model.observation import Time

SCHEMA = "pratique.report/1"


def identify(value: object) -> str:
    """The identifier of a record: 16 hexadecimal digits of the SHA-256 of its canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="deterministic")).hexdigest()[:16]


class Part(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of the parts of a report."""


class Tool(Part, frozen=True):
    """The program that wrote the report."""

    name: str
    version: str


class Scope(Part, frozen=True):
    """What was asked to be examined, in words and as options."""

    statement: str
    options: dict[str, Any] = {}
    not_asked: tuple[str, ...] = ()


class Header(Part, frozen=True, omit_defaults=False):
    """Who looked, when, where. Times are ISO 8601 in UTC."""

    schema: str
    tool: Tool
    started: str
    finished: str
    host: str
    scope: Scope


class TargetEntry(Part, frozen=True):
    """A place that was examined."""

    uri: str
    kind: str


class SubjectEntry(Part, frozen=True):
    """What a verdict is about."""

    id: str
    kind: Literal["project", "repository", "install", "cache", "log", "image", "machine"]
    uri: str


class WindowEntry(Part, frozen=True):
    """When listed releases could be fetched. ISO 8601 in UTC."""

    start: str
    end: str | None = None
    component: str | None = None
    basis: str = "observed"
    margin_minutes: int = 0


class EvidenceEntry(Part, frozen=True):
    """What to preserve, and why; most volatile first."""

    what: str
    why: str


class SecretEntry(Part, frozen=True):
    """A kind of secret that the code could reach, on which condition, and how it is replaced."""

    kind: str
    condition: str
    rotate: str


class StepEntry(Part, frozen=True):
    """One step of the ordered response. `after` names steps that must be done before this one."""

    id: str
    action: str
    after: tuple[str, ...] = ()
    destructive: bool = False


class GuidanceEntry(Part, frozen=True, omit_defaults=False):
    """What an incident's definition advises.

    Where the incident carries a dead man's switch, `secrets` and `remediation` are empty: nothing that could set it
    off is shown before the switch was looked for and removed.
    """

    next_steps: tuple[str, ...] = ()
    dead_man_switch: str | None = None
    evidence: tuple[EvidenceEntry, ...] = ()
    secrets: tuple[SecretEntry, ...] = ()
    remediation: tuple[StepEntry, ...] = ()


class IncidentEntry(Part, frozen=True, omit_defaults=False):
    """One incident that was asked about.

    `totals` counts subjects by status. `guidance` stands only where something was sighted.
    """

    id: str
    title: str
    revision: int
    completeness: str
    listed: int
    listed_on: str
    digest: str
    totals: dict[str, int]
    worst: str
    windows: tuple[WindowEntry, ...] = ()
    summary: str = ""
    status: str = ""
    guidance: GuidanceEntry | None = None


class VerdictEntry(Part, frozen=True, omit_defaults=False):
    """The answer for one incident and one subject; lists hold ids."""

    incident: str
    subject: str
    status: str
    depth: str | None
    current: bool
    confidence: str
    summary: str
    sightings: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    accepted_gaps: tuple[str, ...] = ()
    lowered_by: tuple[str, ...] = ()


class SightingEntry(Part, frozen=True, omit_defaults=False):
    """A listed release, an indicator or tampering, seen."""

    id: str
    incident: str
    subject: str
    kind: str
    status: str
    purl: str
    depth: str
    confidence: str
    role: str
    inferred: bool
    current: bool
    location: Location
    times: tuple[Time, ...]
    explanation: str
    observations: tuple[str, ...]


class ObservationEntry(Part, frozen=True, omit_defaults=False):
    """A fact that a sighting names."""

    id: str
    kind: str
    reader: str
    location: Location
    facts: dict[str, Any]
    times: tuple[Time, ...] = ()


class RefusalEntry(Part, frozen=True):
    """Something that could not be examined."""

    id: str
    path: str
    reader: str
    reason: str
    relevant: bool
    target: str = ""
    path_bytes: str | None = None
    accepted: str | None = None
    names: tuple[str, ...] = ()


class SkippedEntry(Part, frozen=True):
    """How often a rule left something out."""

    rule: str
    count: int


class CoverageEntry(Part, frozen=True, omit_defaults=False):
    """What was looked at. `complete`: every relevant artifact was read, or its refusal accepted by name."""

    complete: bool
    interrupted: bool
    entries: int
    artifacts: int
    bytes: int
    from_cache: int
    projects: int
    by_reader: dict[str, int]
    refusals: tuple[RefusalEntry, ...]
    skipped_by_rule: tuple[SkippedEntry, ...]


class Report(Part, frozen=True, omit_defaults=False):
    """The whole."""

    header: Header
    targets: tuple[TargetEntry, ...]
    subjects: tuple[SubjectEntry, ...]
    incidents: tuple[IncidentEntry, ...]
    verdicts: tuple[VerdictEntry, ...]
    sightings: tuple[SightingEntry, ...]
    observations: tuple[ObservationEntry, ...]
    coverage: CoverageEntry
    next_steps: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 nothing and all read · 3 nothing examined · 4 under investigation · 10 affected · 11 executed or active."""
        code = 0
        for verdict in self.verdicts:
            if verdict.status == "affected":
                code = max(code, 11 if verdict.depth in ("executed", "active") else 10)
            elif verdict.status == "under_investigation":
                code = max(code, 4)
        if code < 10 and self.coverage.artifacts == 0:
            return 3
        if code < 10 and not self.coverage.complete:
            code = max(code, 4)
        return code
