"""The main job: sweep, match, probe, match, judge, report."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec

from pratique import version
from pratique.adapters import clock
from pratique.assess.catalogue import Catalogue
from pratique.assess.judge import OpenGap, judge, worst
from pratique.assess.match import DeclaredOnly, Evidence, declared_only, match, questions, wanted_digests
from pratique.assess.subjects import uri_of
from pratique.model.errors import TargetError
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
from pratique.model.verdict import Sighting, Status, Subject, SubjectKind, Verdict
from pratique.readers import discovery
from pratique.targets.digests import digests
from pratique.targets.directory import Options, probe
from pratique.workflow.sweep import Swept, sweep


class TargetSpec(msgspec.Struct, frozen=True):
    """A place to examine: an absolute path, and what kind of target it is."""

    path: str
    kind: Literal["directory", "file", "place"] = "directory"
    label: str = ""

    @property
    def root(self) -> str:
        """The folder that locations are relative to."""
        return os.path.dirname(self.path) if self.kind == "file" else self.path

    @property
    def uri(self) -> str:
        """The file URI of the root."""
        return Path(self.root).as_uri()


class Acceptance(msgspec.Struct, frozen=True):
    """A refusal that a person looked at and accepts, by path, with a reason and perhaps an end date."""

    path: str
    reason: str
    until: datetime.date | None = None


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to check, and how."""

    targets: tuple[TargetSpec, ...]
    incidents: tuple[Incident, ...]
    named: frozenset[str] = frozenset()
    digests: dict[str, str] = {}
    jobs: int = 1
    quick: bool = False
    deep: bool = False
    limit: int | None = None
    exclude: tuple[str, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    scope: str = ""
    not_asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shown_options: dict[str, Any] = {}


Progress = Callable[[str, int], None]


def check(
    request: CheckRequest,
    *,
    now: Callable[[], datetime.datetime] = clock.now,
    host: Callable[[], str] = clock.host,
    progress: Progress | None = None,
) -> Report:
    """Examine the targets and answer for every incident. Raises TargetError where a target does not exist."""
    started = now()
    catalogue = Catalogue(request.incidents, request.named)
    options = Options(
        exclude=request.exclude,
        quick=request.quick,
        limit=request.limit,
        names=catalogue.interest.names.get("npm", frozenset()),
    )
    total = Swept()
    resolved: set[str] = set()
    settled: set[tuple[str, str]] = set()
    caches: list[tuple[str, str]] = []
    empty: list[TargetSpec] = []
    installs: set[str] = set()
    for target in request.targets:
        if not os.path.lexists(target.path):
            raise TargetError("does not exist", where=target.path, advice="Name a folder or file that exists")
        step = (lambda count, uri=target.uri: progress(uri, count)) if progress else None
        part = sweep(
            target.uri, target.path, catalogue.interest, catalogue.keeps, options, jobs=request.jobs, progress=step
        )
        if part.artifacts == 0 and target.kind != "place":
            empty.append(target)
        if target.label == "global-root":
            installs.add(target.uri)
        resolved.update(uri_of(target.uri, folder) for folder in part.resolved)
        settled.update((uri_of(target.uri, folder), name) for folder, name in part.settled)
        caches += [(target.uri, os.fsdecode(cache)) for cache in part.caches]
        total.add(part)
        if total.interrupted:
            break
    if empty and total.artifacts:
        total.refusals += [
            Refusal(
                os.path.basename(spec.path) if spec.kind == "file" else ".",
                "directory",
                "no reader was offered a file in this target",
                True,
                spec.uri,
            )
            for spec in empty
        ]
    kinds: dict[str, SubjectKind] = {
        reader.name: reader.subject
        for reader in (discovery.load(claim.module) for claim in discovery.claims() if claim.name in total.by_reader)
    }
    targets = {target.uri: target.root for target in request.targets}
    evidence = Evidence(total.observations, kinds, targets, caches, installs)
    if not total.interrupted:
        _second_look(request, catalogue, evidence, total)
    if request.deep and not total.interrupted:
        _deep(request, catalogue, options, evidence, total)
    elif not request.deep:
        by_hash = sum(item.type == "file-hash" for incident in catalogue.incidents for item in incident.indicators)
        if by_hash:
            total.skipped["hash-indicator-asked-with-deep-alone"] = by_hash
    sightings = list(dict.fromkeys(match(catalogue, evidence)))
    if request.quick:
        uri = request.targets[0].uri if request.targets else ""
        total.refusals.append(
            Refusal(".", "directory", "--quick leaves folders out: it cannot say not affected", True, uri)
        )
    if total.interrupted:
        uri = request.targets[0].uri if request.targets else ""
        total.refusals.append(Refusal(".", "directory", "interrupted before everything was examined", True, uri))
    inactive = 0
    for item in declared_only(catalogue, evidence, frozenset(settled)):
        if item.relevant:
            total.refusals.append(_declared_gap(item))
        else:
            inactive += 1
    total.refusals += _unexaminable(request)
    if inactive:
        total.skipped["declared-range-without-lock-for-inactive-incident"] = inactive
    return _report(
        request, evidence, catalogue, total, sightings, resolved=resolved, started=started, finished=now(), host=host()
    )


def _second_look(request: CheckRequest, catalogue: Catalogue, evidence: Evidence, total: Swept) -> None:
    """Ask the questions of the first look at their places, and take the answers in."""
    by_target: dict[str, list[Any]] = {}
    for question in questions(catalogue, evidence):
        by_target.setdefault(question.target, []).append(question)
    for target in request.targets:
        for answer in probe(target.uri, target.root, by_target.pop(target.uri, [])):
            if isinstance(answer, Refusal):
                total.refusals.append(answer)
            else:
                evidence.observations.append(answer)


def _deep(request: CheckRequest, catalogue: Catalogue, options: Options, evidence: Evidence, total: Swept) -> None:
    """Hash every file of every target and take in those that are listed."""
    wanted = wanted_digests(catalogue)
    for target in request.targets:
        hashed = 0
        for item in digests(target.uri, target.root, wanted, options):
            if isinstance(item, Refusal):
                total.refusals.append(item)
            elif isinstance(item, Observation):
                evidence.observations.append(item)
            else:
                hashed += 1
                total.octets += item
        total.by_reader["deep"] = total.by_reader.get("deep", 0) + hashed
        total.artifacts += hashed


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


def _unexaminable(request: CheckRequest) -> list[Refusal]:
    """A gap for each incident of which no reader knows an ecosystem: silence about it is no negative."""
    uri = request.targets[0].uri if request.targets else ""
    return [
        Refusal(
            ".",
            "ecosystem",
            f"{incident.id}: no reader knows {', '.join(sorted({c.ecosystem for c in incident.components}))} yet",
            True,
            uri,
            names=(unexamined_marker(incident),),
        )
        for incident in request.incidents
        if not examinable(incident)
    ]


def _declared_gap(item: DeclaredOnly) -> Refusal:
    """A declared range that nothing resolved, as a gap of its project."""
    fact = item.observation.facts
    location = item.observation.location
    asked = f"{getattr(fact, 'name', '')} {getattr(fact, 'range', '')}".strip()
    reason = f"asks for {asked}, which admits {', '.join(item.admitted)}; nothing here says what it resolved to"
    names = (str(getattr(fact, "name", "")),)
    return Refusal(location.path, "manifest", reason, True, location.target, location.path_bytes, names)


def _accepted(refusal: Refusal, acceptances: Sequence[Acceptance], today: datetime.date) -> str | None:
    """The reason for which a refusal was accepted; None where it was not, or no longer is."""
    uri = uri_of(refusal.target, refusal.path)
    for acceptance in acceptances:
        if acceptance.until is not None and today > acceptance.until:
            continue
        if refusal.path == acceptance.path or uri == Path(os.path.abspath(acceptance.path)).as_uri():
            return acceptance.reason
    return None


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


def _report(
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
    gaps: list[_Gap] = []
    refusals: dict[str, RefusalEntry] = {}
    for refusal in total.refusals:
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
        targets=tuple(TargetEntry(uri=target.uri, kind=target.kind) for target in request.targets),
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
            from_cache=0,
            projects=len(projects),
            by_reader=total.by_reader,
            refusals=tuple(sorted(refusals.values(), key=lambda e: (not e.relevant, e.target, e.path, e.reason))),
            skipped_by_rule=tuple(SkippedEntry(rule=rule, count=n) for rule, n in sorted(total.skipped.items())),
        ),
        next_steps=tuple(steps)[:3],
        notes=request.notes,
    )


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
        names = {component.name for component in incident.components if component.ecosystem in known}
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


def specify(paths: Iterable[str]) -> list[TargetSpec]:
    """Targets out of command line words. Raises TargetError for one that does not exist or is of no known kind."""
    found = []
    for text in paths:
        head, _, _ = text.partition(":")
        if head in ("git", "image", "ci-log", "mirror", "sbom", "root") and not os.path.lexists(text):
            raise TargetError(f"targets of kind {head!r} cannot be examined yet", where=text, advice="Name a path")
        path = os.path.abspath(text)
        if not os.path.lexists(path):
            raise TargetError("does not exist", where=text, advice="Name a folder or file that exists")
        if os.path.isdir(path):
            found.append(TargetSpec(_real(path), "directory"))
        else:
            found.append(TargetSpec(path, "file"))
    return found


def _real(path: str) -> str:
    """The path with its links followed, where that is the same folder.

    It is another one below `/proc/<process>/root` of a container: the text of that link is `/`, and following it as
    text would examine this machine instead.
    """
    real = os.path.realpath(path)
    try:
        return real if os.path.samefile(real, path) else path
    except OSError:
        return path
