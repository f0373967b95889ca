"""The report `pratique.report/1`: what is rendered, and the contract of its JSON form.

Identifiers are digests of content, so the same finding has the same id in every run.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec

from pratique.model.location import Inside, Location
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
    """Always `pratique`."""
    version: str
    """Its version."""


class Scope(Part, frozen=True):
    """What was asked to be examined, in words and as options."""

    statement: str
    """What was examined, in one sentence."""
    options: dict[str, Any] = {}
    """Options that were given and change what is examined."""
    not_asked: tuple[str, ...] = ()
    """What lies outside, in words."""


class Header(Part, frozen=True, omit_defaults=False):
    """Who looked, when, where. Times are ISO 8601 in UTC."""

    schema: str
    """The name of this contract: `pratique.report/1`."""
    tool: Tool
    """The program."""
    started: str
    """When the run began."""
    finished: str
    """When the run ended."""
    host: str
    """Name of the machine that looked."""
    scope: Scope
    """What was asked to be examined."""


class TargetEntry(Part, frozen=True):
    """A place that was examined."""

    uri: str
    """Where it is; paths of locations are relative to it."""
    kind: str
    """What kind of target it is: `directory`, `file`, `place`, `git`, `image`, `ci-log`, `mirror`, `sbom`, `root`."""
    file: str | None = None
    """Name of the file, where one file was examined; `uri` is that of its folder then."""


class SubjectEntry(Part, frozen=True):
    """What a verdict is about."""

    id: str
    """Digest of the subject."""
    kind: Literal["project", "repository", "install", "cache", "log", "image", "machine"]
    """What it is."""
    uri: str
    """URI of its root."""


class WindowEntry(Part, frozen=True):
    """When listed releases could be fetched. ISO 8601 in UTC."""

    start: str
    """From when on."""
    end: str | None = None
    """Until when; null where no end is known."""
    component: str | None = None
    """The package it is about; null: all of the incident."""
    basis: str = "observed"
    """Whether the ends are `observed` or `inferred`."""
    margin_minutes: int = 0
    """How far both ends may be off."""


class EvidenceEntry(Part, frozen=True):
    """What to preserve, and why; most volatile first."""

    what: str
    """What to preserve."""
    why: str
    """Why it matters, and what destroys it."""


class SecretEntry(Part, frozen=True):
    """A kind of secret that the code could reach, on which condition, and how it is replaced."""

    kind: str
    """The kind of secret."""
    condition: str
    """When it was within reach."""
    rotate: str
    """How it is replaced."""


class StepEntry(Part, frozen=True):
    """One step of the ordered response. `after` names steps that must be done before this one."""

    id: str
    """Name of the step."""
    action: str
    """What to do."""
    after: tuple[str, ...] = ()
    """Steps that must be done before."""
    destructive: bool = False
    """Whether it destroys evidence."""


class GuidanceEntry(Part, frozen=True, omit_defaults=False):
    """What an incident's definition advises.

    Where an incident with a sighting carries a dead man's switch, `secrets` and `remediation` are empty, and so are
    the `next_steps` of all others: nothing that could set it off is shown before the switch was looked for and removed.
    """

    next_steps: tuple[str, ...] = ()
    """At most three short imperatives, in order."""
    dead_man_switch: str | None = None
    """What must be found and removed before anything is revoked, disconnected or stopped."""
    evidence: tuple[EvidenceEntry, ...] = ()
    """What to preserve first."""
    secrets: tuple[SecretEntry, ...] = ()
    """What the code could reach."""
    remediation: tuple[StepEntry, ...] = ()
    """The response, in order."""


class IncidentEntry(Part, frozen=True, omit_defaults=False):
    """One incident that was asked about.

    `totals` counts subjects by status. `guidance` stands only where something was sighted.
    """

    id: str
    """Name of the definition."""
    title: str
    """What happened, in one line."""
    revision: int
    """Revision of the definition."""
    completeness: str
    """`fixed`: the list is final; `growing`: releases were still being added; `partial`: known to lack some."""
    listed: int
    """How many releases are listed, harmless ones of the attacker aside."""
    listed_on: str
    """Date of the list."""
    digest: str
    """Digest of the definition."""
    totals: dict[str, int]
    """How many subjects have which status."""
    worst: str
    """The worst status of any subject."""
    windows: tuple[WindowEntry, ...] = ()
    """When its releases could be fetched."""
    summary: str = ""
    """What happened, in a few sentences."""
    status: str = ""
    """`active`, `contained` or `closed`."""
    guidance: GuidanceEntry | None = None
    """What the definition advises."""


class VerdictEntry(Part, frozen=True, omit_defaults=False):
    """The answer for one incident and one subject; lists hold ids."""

    incident: str
    """Id of the incident."""
    subject: str
    """Id of the subject."""
    status: str
    """`affected`, `under_investigation`, `not_affected` or `fixed`."""
    depth: str | None
    """How far it got; null where nothing was seen."""
    current: bool
    """Whether it is still there."""
    confidence: str
    """`low`, `medium` or `high`."""
    summary: str
    """Why, in one line."""
    sightings: tuple[str, ...] = ()
    """Ids of the sightings it rests on, the telling one first."""
    gaps: tuple[str, ...] = ()
    """Ids of relevant refusals that are open."""
    accepted_gaps: tuple[str, ...] = ()
    """Ids of relevant refusals that a person accepted."""
    lowered_by: tuple[str, ...] = ()
    """Ids of observations that lowered it."""


class SightingEntry(Part, frozen=True, omit_defaults=False):
    """A listed release, an indicator or tampering, seen."""

    id: str
    """Digest of the sighting."""
    incident: str
    """Id of the incident."""
    subject: str
    """Id of the subject."""
    kind: str
    """`component`, `indicator` or `tampering`."""
    status: str
    """What this sighting alone supports."""
    purl: str
    """The release."""
    depth: str
    """How far this sighting alone shows that it got."""
    confidence: str
    """`low`, `medium` or `high`."""
    role: str
    """What the release does in the incident."""
    inferred: bool
    """Whether it follows from other facts and was not read itself."""
    current: bool
    """Whether it is still there."""
    location: Location
    """Where it was seen."""
    times: tuple[Time, ...]
    """Times that it carries, each with its meaning."""
    explanation: str
    """What was seen and what it means."""
    observations: tuple[str, ...]
    """Ids of the observations it rests on."""


class ObservationEntry(Part, frozen=True, omit_defaults=False):
    """A fact that a sighting names."""

    id: str
    """Digest of the observation."""
    kind: str
    """What kind of fact it is."""
    reader: str
    """The reader that read it."""
    location: Location
    """Where it was read."""
    facts: dict[str, Any]
    """The fact; its keys depend on `kind`."""
    times: tuple[Time, ...] = ()
    """Times that it carries."""


class RefusalEntry(Part, frozen=True):
    """Something that could not be examined."""

    id: str
    """Digest of the refusal."""
    path: str
    """Where, relative to the target."""
    reader: str
    """The reader or door that could not read it."""
    reason: str
    """Why."""
    relevant: bool
    """Whether it could have carried a sighting."""
    target: str = ""
    """The target's URI."""
    path_bytes: str | None = None
    """The exact bytes of the path in base64, where `path` could not hold them."""
    accepted: str | None = None
    """The reason for which a person accepted it; null where nobody did."""
    names: tuple[str, ...] = ()
    """Packages it could have carried; empty: any."""
    inside: tuple[Inside, ...] = ()
    """The steps into a container, where it lies in one."""
    ecosystems: tuple[str, ...] = ()
    """Ecosystems whose packages it could have carried; empty: any."""


class SkippedEntry(Part, frozen=True):
    """How often a rule left something out."""

    rule: str
    """The rule."""
    count: int
    """How often."""


class CoverageEntry(Part, frozen=True, omit_defaults=False):
    """What was looked at. `complete`: every relevant artifact was read, or its refusal accepted by name."""

    complete: bool
    """Whether every relevant artifact was read, or its refusal accepted by name."""
    interrupted: bool
    """Whether the run was ended before its end."""
    entries: int
    """Files and folders met."""
    artifacts: int
    """Files that a reader was offered."""
    bytes: int
    """Bytes read."""
    from_cache: int
    """Results that came from an earlier run."""
    projects: int
    """Projects met."""
    by_reader: dict[str, int]
    """Files by reader."""
    refusals: tuple[RefusalEntry, ...]
    """What could not be examined, relevant ones first."""
    skipped_by_rule: tuple[SkippedEntry, ...]
    """What was left out by rule."""


class Report(Part, frozen=True, omit_defaults=False):
    """The whole."""

    header: Header
    """Who looked, when, where."""
    targets: tuple[TargetEntry, ...]
    """Places that were examined."""
    subjects: tuple[SubjectEntry, ...]
    """What the verdicts are about."""
    incidents: tuple[IncidentEntry, ...]
    """What was asked about."""
    verdicts: tuple[VerdictEntry, ...]
    """The answers, worst first."""
    sightings: tuple[SightingEntry, ...]
    """What the verdicts rest on."""
    observations: tuple[ObservationEntry, ...]
    """What the sightings rest on."""
    coverage: CoverageEntry
    """What was looked at, and what not."""
    next_steps: tuple[str, ...] = ()
    """What to do next, in order."""
    notes: tuple[str, ...] = ()
    """Remarks on the run."""

    @property
    def exit_code(self) -> int:
        """0 nothing and all read · 3 nothing examined · 4 under investigation · 10 affected · 11 executed or active."""
        code = 0
        for verdict in self.verdicts:
            if verdict.status == "affected":
                code = max(code, 11 if verdict.depth in ("executed", "active") else 10)
            elif verdict.status == "under_investigation":
                code = max(code, 4)
        if code < 10 and not self.coverage.complete:
            return 4
        return 3 if code < 10 and self.coverage.artifacts == 0 else code
