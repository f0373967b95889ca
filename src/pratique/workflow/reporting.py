"""From sightings and gaps to the report: verdicts for each incident and subject, entries, ids, order."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from pratique import version
from pratique.adapters import clock
from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.judge import OpenGap, judge, worst
from pratique.assess.subjects import uri_of
from pratique.ecosystems.grammar import canonical_name
from pratique.model.incident import Incident, Role
from pratique.model.location import Location
from pratique.model.observation import Observation, Refusal
from pratique.model.report import (
    SCHEMA,
    CoverageEntry,
    EvidenceEntry,
    GuidanceEntry,
    Header,
    IncidentEntry,
    ObservationEntry,
    RefusalEntry,
    Report,
    Scope,
    SecretEntry,
    SightingEntry,
    SkippedEntry,
    StepEntry,
    SubjectEntry,
    TargetEntry,
    Tool,
    VerdictEntry,
    WindowEntry,
    identify,
)
from pratique.model.verdict import Sighting, Status, Subject, Verdict
from pratique.readers import discovery
from pratique.workflow.request import Acceptance, CheckRequest
from pratique.workflow.sweep import Swept


def unexamined_marker(incident: Incident) -> str:
    """What a refusal names that is about one incident alone."""
    return f"incident:{incident.id}"


def examinable(incident: Incident) -> bool:
    """Whether any reader knows an ecosystem of this incident."""
    return any(component.ecosystem in discovery.ecosystems() for component in incident.components)


def unread(incident: Incident) -> list[str]:
    """Ecosystems of this incident that no reader knows yet."""
    known = discovery.ecosystems()
    return sorted({component.ecosystem for component in incident.components if component.ecosystem not in known})


def _accepted(refusal: Refusal, acceptances: Sequence[Acceptance], today: datetime.date) -> str | None:
    """The reason for which a refusal was accepted; None where it was not, or no longer is."""
    uri = uri_of(refusal.target, refusal.path)
    for acceptance in acceptances:
        if acceptance.until is not None and today > acceptance.until:
            continue
        if refusal.path == acceptance.path or uri == Path(os.path.abspath(acceptance.path)).as_uri():
            return acceptance.reason
    return None


def is_accepted(refusal: Refusal, acceptances: Sequence[Acceptance], today: datetime.date) -> bool:
    """Whether a person looked at a refusal and accepted it."""
    return _accepted(refusal, acceptances, today) is not None


def _observation_entry(observation: Observation) -> ObservationEntry:
    facts: dict[str, Any] = msgspec.to_builtins(observation.facts)
    kind = facts.pop("kind")
    return ObservationEntry(
        id=identify(observation),
        kind=kind,
        reader=observation.reader,
        location=observation.location,
        facts=facts,
        times=observation.times,
    )


def _subject_entry(subject: Subject) -> SubjectEntry:
    return SubjectEntry(id=identify(subject), kind=subject.kind, uri=subject.uri)


def _sighting_entry(sighting: Sighting) -> SightingEntry:
    observations = tuple(identify(item) for item in sighting.observations)
    entry = SightingEntry(
        id="",
        incident=sighting.incident,
        subject=identify(sighting.subject),
        kind=sighting.kind,
        status=str(sighting.status),
        purl=sighting.purl,
        depth=str(sighting.depth),
        confidence=str(sighting.confidence),
        role=str(sighting.role),
        inferred=sighting.inferred,
        current=sighting.current,
        location=sighting.location,
        times=sighting.times,
        explanation=sighting.explanation,
        observations=observations,
    )
    return msgspec.structs.replace(entry, id=identify(entry))


class _Gap(msgspec.Struct, frozen=True):
    entry: RefusalEntry
    subject: Subject


def compose(
    request: CheckRequest,
    evidence: Evidence,
    catalogue: Catalogue,
    total: Swept,
    sightings: list[Sighting],
    *,
    resolved: set[str],
    started: datetime.datetime,
    finished: datetime.datetime,
    host: str,
) -> Report:
    """The report of a run."""
    gaps: list[_Gap] = []
    refusals: dict[str, RefusalEntry] = {}
    worlds = {component.ecosystem for incident in catalogue.incidents for component in incident.components}
    for refusal in total.refusals:
        if refusal.ecosystems and not worlds.intersection(refusal.ecosystems):
            refusal = msgspec.structs.replace(refusal, relevant=False)
        accepted = _accepted(refusal, request.accepted, started.date()) if refusal.relevant else None
        entry = RefusalEntry(
            id=identify(refusal),
            path=refusal.path,
            reader=refusal.reader,
            reason=refusal.reason,
            relevant=refusal.relevant,
            target=refusal.target,
            path_bytes=refusal.path_bytes,
            accepted=accepted,
            names=refusal.names,
            inside=refusal.inside,
            ecosystems=refusal.ecosystems,
        )
        if entry.id in refusals:
            continue
        refusals[entry.id] = entry
        if refusal.relevant:
            gaps.append(_Gap(entry, evidence.subject_of_refusal(refusal)))
    verdicts, entries = _verdicts(catalogue, sightings, gaps, request, examined=total.artifacts)
    used = sorted({item for verdict in verdicts for item in verdict.sightings}, key=_sighting_key)
    observations = {identify(o): o for sighting in used for o in sighting.observations}
    subjects = sorted({verdict.subject for verdict in verdicts})
    projects = set(resolved) | {s.uri for s in subjects if s.kind == "project"}
    complete = not any(gap.entry.accepted is None for gap in gaps) and not total.interrupted
    affected = [v for v in verdicts if v.status is Status.AFFECTED]
    incidents = {incident.id: incident for incident in catalogue.incidents}
    open_verdicts = [v for v in verdicts if v.sightings and v.status in (Status.AFFECTED, Status.UNDER_INVESTIGATION)]
    armed = {v.incident for v in open_verdicts if incidents[v.incident].dead_man_switch is not None}
    if armed:
        entries = [entry if entry.id in armed else _held_back(entry) for entry in entries]
        affected = [verdict for verdict in open_verdicts if verdict.incident in armed]
    steps: dict[str, None] = {}
    if affected and not armed and all(verdict.subject.kind == "repository" for verdict in affected):
        steps[BUILT] = None
    for verdict in sorted(affected, key=lambda item: -(item.depth.rank if item.depth else 0)):
        steps.update(dict.fromkeys(incidents[verdict.incident].next_steps))
    return Report(
        header=Header(
            schema=SCHEMA,
            tool=Tool(name="pratique", version=version.VERSION),
            started=clock.iso(started),
            finished=clock.iso(finished),
            host=host,
            scope=Scope(statement=request.scope, options=request.shown_options, not_asked=request.not_asked),
        ),
        targets=tuple(TargetEntry(uri=target.uri, kind=target.kind, file=target.file) for target in request.targets),
        subjects=tuple(_subject_entry(subject) for subject in subjects),
        incidents=tuple(entries),
        verdicts=tuple(
            VerdictEntry(
                incident=verdict.incident,
                subject=identify(verdict.subject),
                status=str(verdict.status),
                depth=str(verdict.depth) if verdict.depth else None,
                current=verdict.current,
                confidence=str(verdict.confidence),
                summary=verdict.summary,
                sightings=tuple(_sighting_entry(item).id for item in verdict.sightings),
                gaps=verdict.gaps,
                accepted_gaps=verdict.accepted_gaps,
                lowered_by=tuple(identify(item) for item in verdict.lowered_by),
            )
            for verdict in verdicts
        ),
        sightings=tuple(_sighting_entry(item) for item in used),
        observations=tuple(_observation_entry(observations[key]) for key in sorted(observations)),
        coverage=CoverageEntry(
            complete=complete,
            interrupted=total.interrupted,
            entries=total.entries,
            artifacts=total.artifacts,
            bytes=total.octets,
            from_cache=total.from_cache,
            projects=len(projects),
            by_reader=total.by_reader,
            refusals=tuple(sorted(refusals.values(), key=lambda e: (not e.relevant, e.target, e.path, e.reason))),
            skipped_by_rule=tuple(SkippedEntry(rule=rule, count=n) for rule, n in sorted(total.skipped.items())),
        ),
        next_steps=tuple(steps)[:3],
        notes=request.notes,
    )


BUILT = "Find every machine that built the commits named here; for each of them:"
"""The first step where repositories alone are affected: nothing ran in a repository."""


def _sighting_key(sighting: Sighting) -> tuple[str, int, str, str, int, str, str, bytes]:
    location: Location = sighting.location
    return (
        sighting.incident,
        -sighting.depth.rank,
        location.target,
        location.path,
        location.line or 0,
        sighting.explanation,
        sighting.purl,
        msgspec.json.encode(sighting, order="deterministic"),
    )


def _verdicts(
    catalogue: Catalogue, sightings: list[Sighting], gaps: list[_Gap], request: CheckRequest, *, examined: int
) -> tuple[list[Verdict], list[IncidentEntry]]:
    """Verdicts for each incident and subject with a sighting or gap, and the totals."""
    verdicts: list[Verdict] = []
    entries: list[IncidentEntry] = []
    known = discovery.ecosystems()
    by_incident: dict[str, dict[Subject, list[Sighting]]] = {}
    for sighting in sightings:
        by_incident.setdefault(sighting.incident, {}).setdefault(sighting.subject, []).append(sighting)
    for incident in catalogue.incidents:
        readable = [component for component in incident.components if component.ecosystem in known]
        names = {canonical_name(component.ecosystem, component.name) for component in readable}
        names.update(component.name for component in readable)
        worlds = {component.ecosystem for component in readable}
        marker = unexamined_marker(incident)
        listed = sum(
            1
            for component in incident.components
            for item in component.versions
            if component.ecosystem in known and (item.role or component.role) is not Role.DECOY
        )
        open_gaps: dict[Subject, list[OpenGap]] = {}
        for gap in gaps:
            if not (names if not gap.entry.names else {marker, *names}.intersection(gap.entry.names)):
                continue
            if gap.entry.ecosystems and not worlds.intersection(gap.entry.ecosystems):
                continue
            item = OpenGap(gap.entry.id, gap.subject, gap.entry.names, gap.entry.accepted is not None)
            open_gaps.setdefault(gap.subject, []).append(item)
        seen = by_incident.get(incident.id, {})
        totals: dict[str, int] = {}
        statuses: dict[Status, int] = {}
        for subject in sorted({*seen, *open_gaps}):
            verdict = judge(incident, subject, seen.get(subject, ()), open_gaps.get(subject, ()), listed)
            verdicts.append(verdict)
            totals[str(verdict.status)] = totals.get(str(verdict.status), 0) + 1
            statuses[verdict.status] = statuses.get(verdict.status, 0) + 1
        overall = worst(statuses) if examined else Status.UNDER_INVESTIGATION
        entries.append(
            IncidentEntry(
                id=incident.id,
                title=incident.title,
                revision=incident.revision,
                completeness=incident.completeness,
                listed=listed,
                listed_on=str(incident.listed_on or incident.updated),
                digest=request.digests.get(incident.id, ""),
                totals=dict(sorted(totals.items())),
                worst=str(overall),
                windows=tuple(
                    WindowEntry(
                        start=clock.iso(window.start),
                        end=clock.iso(window.end) if window.end else None,
                        component=window.component,
                        basis=window.basis,
                        margin_minutes=window.margin_minutes,
                    )
                    for window in incident.windows
                ),
                summary=incident.summary.strip(),
                status=incident.status,
                guidance=_guidance(incident) if seen else None,
            )
        )
    verdicts.sort(key=_verdict_key)
    return verdicts, entries


def _guidance(incident: Incident) -> GuidanceEntry:
    """What the definition advises; where it has a dead man's switch, nothing that could set it off."""
    armed = incident.dead_man_switch is not None
    return GuidanceEntry(
        next_steps=incident.next_steps,
        dead_man_switch=incident.dead_man_switch,
        evidence=tuple(
            EvidenceEntry(what=item.what, why=item.why)
            for item in sorted(incident.evidence, key=lambda item: item.order)
        ),
        secrets=()
        if armed
        else tuple(SecretEntry(kind=s.kind, condition=s.condition, rotate=s.rotate) for s in incident.secrets),
        remediation=()
        if armed
        else tuple(
            StepEntry(id=s.id, action=s.action, after=s.after, destructive=s.destructive) for s in incident.remediation
        ),
    )


def _held_back(entry: IncidentEntry) -> IncidentEntry:
    """An incident's entry without its advice to act, while another incident's dead man's switch may be set."""
    if entry.guidance is None:
        return entry
    guidance = msgspec.structs.replace(entry.guidance, next_steps=(), secrets=(), remediation=())
    return msgspec.structs.replace(entry, guidance=guidance)


def _verdict_key(verdict: Verdict) -> tuple[int, int, str, Subject]:
    order = {Status.AFFECTED: 0, Status.UNDER_INVESTIGATION: 1, Status.NOT_AFFECTED: 2, Status.FIXED: 3}
    return (order[verdict.status], -(verdict.depth.rank if verdict.depth else -1), verdict.incident, verdict.subject)
