"""The main job: sweep, match, probe, match, judge, report."""

from __future__ import annotations

import datetime
import hashlib
import itertools
import os
from collections.abc import Callable, Sequence

import msgspec

from pratique.adapters import clock, git
from pratique.adapters.results import Results, default_folder
from pratique.assess import host as machines
from pratique.assess import host_asked
from pratique.assess.actions import moved_words
from pratique.assess.bundles import untold
from pratique.assess.catalogue import Catalogue
from pratique.assess.declared import DeclaredOnly, declared_only
from pratique.assess.evidence import Evidence
from pratique.assess.inferred import Inference
from pratique.assess.jobs import silent
from pratique.assess.match import match, questions
from pratique.assess.subjects import uri_of
from pratique.assess.triggers import narrowed, to_look_at
from pratique.assess.unlocked import Locks
from pratique.ecosystems.npm.layout import CONFIGURATION_READERS
from pratique.model.errors import TargetError, UsageError
from pratique.model.observation import Observation, Question, RangeFact, Refusal
from pratique.model.ports import Options, Unit
from pratique.model.report import Report
from pratique.model.verdict import SubjectKind
from pratique.readers import discovery
from pratique.targets import archive, mounted
from pratique.targets import discovery as kinds
from pratique.targets.digests import digests
from pratique.targets.second_look import probe
from pratique.workflow import units
from pratique.workflow.reporting import compose, examinable, is_accepted, unexamined_marker
from pratique.workflow.request import CheckRequest, TargetSpec
from pratique.workflow.sweep import Swept, sweep

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
        unreachable=request.unreachable,
        command_lines=catalogue.interest.command_lines,
        git=git.starter() if any(target.in_units for target in request.targets) else None,
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
    if request.resume is not None:
        _results(request)
    listed, in_units = _in_units(request, catalogue, options, progress)
    request, gaps = _disks(request, installs)
    total.refusals += gaps
    for target in request.targets:
        step = (lambda count, uri=target.uri: progress(uri, count)) if progress else None
        if target.in_units:
            if target.uri not in in_units:
                continue  # named twice
            part = in_units.pop(target.uri)
        elif total.interrupted:
            continue
        else:
            part = sweep(
                target.uri,
                target.path,
                catalogue.interest,
                catalogue.keeps,
                msgspec.structs.replace(options, mounted=target.mounted),
                jobs=request.jobs,
                progress=step,
                door=target.door,
            )
        if part.artifacts == 0 and target.kind != "place":
            empty.append(target)
        elif target.door != "files" and _nothing_of_it(part):
            total.refusals.append(
                Refusal(".", target.kind, "nothing in this target is of a form that is read", True, target.uri)
            )
        if target.label == "global-root":
            installs.add(target.uri)
        resolved.update(uri_of(target.uri, folder) for folder in part.resolved)
        settled.update((uri_of(target.uri, folder), name) for folder, name in part.settled)
        caches += [(target.uri, os.fsdecode(cache)) for cache in part.caches]
        total.add(part)
    if empty and total.artifacts:
        total.refusals += [
            Refusal(
                os.path.basename(spec.path) if spec.root != spec.path else ".",
                "directory",
                "no reader was offered a file in this target",
                True,
                spec.uri,
            )
            for spec in empty
        ]
    by_reader: dict[str, SubjectKind] = {
        reader.name: reader.subject
        for reader in (discovery.load(claim.module) for claim in discovery.claims() if claim.name in total.by_reader)
    }
    targets = {target.uri: target.root for target in request.targets}
    subjects = {target.uri: kinds.load(target.kind).subject for target in request.targets if target.in_units}
    subjects |= {target.uri: "cache" for target in request.targets if target.door == "mirror"}
    locks = Locks(total.locks, tuple(sorted(set(total.lock_names))))
    evidence = Evidence(total.observations, by_reader, targets, caches, installs, subjects, locks)
    if not total.interrupted:
        _second_look(request, catalogue, options, evidence, total, listed)
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
    inference = Inference(catalogue, evidence.observations)
    for item in declared_only(catalogue, evidence, frozenset(settled)):
        if item.relevant:
            gap = _declared_gap(item)
            total.refusals.append(gap)
            if not is_accepted(gap, request.accepted, started.date()):
                sightings += inference.sightings(item, evidence)
        else:
            inactive += 1
    inactive_bundles = 0
    for bundled in untold(catalogue, evidence.observations, evidence.projects()):
        if bundled.relevant:
            total.refusals.append(bundled.refusal)
        else:
            inactive_bundles += 1
    if inactive_bundles:
        total.skipped["bundled-release-not-told-for-inactive-incident"] = inactive_bundles
    total.refusals += silent(catalogue, evidence.observations)
    markers = {incident.id: unexamined_marker(incident) for incident in request.incidents}
    total.refusals = list(narrowed(total.refusals, catalogue.incidents, markers))
    total.refusals = list(host_asked.narrowed(total.refusals, catalogue, markers, CONFIGURATION_READERS))
    look_at = to_look_at(sightings, evidence.observations, evidence.projects())
    look_at += machines.notes(evidence.observations)
    request = msgspec.structs.replace(request, notes=(*look_at, *request.notes))
    total.refusals += _unexaminable(request)
    if inactive:
        total.skipped["declared-range-without-lock-for-inactive-incident"] = inactive
    return compose(
        request, evidence, catalogue, total, sightings, resolved=resolved, started=started, finished=now(), host=host()
    )


def _nothing_of_it(part: Swept) -> bool:
    """Whether every file of a target of one trade was put aside as something else, and no gap says so yet."""
    aside = {(item.path, item.inside, item.reader) for item in part.refusals}
    return len(aside) >= part.artifacts and not any(item.relevant for item in part.refusals)


def _disks(request: CheckRequest, installs: set[str]) -> tuple[CheckRequest, list[Refusal]]:
    """The request with a note on each disk of another machine, and what lies outside such a disk.

    `installs` takes the folders of global trees on them.
    """
    notes: list[str] = []
    gaps: list[Refusal] = []
    for target in request.targets:
        if target.mounted:
            disk = mounted.recognise(target.path)
            notes += mounted.notes(f"root:{os.path.basename(target.path) or '/'}", disk)
            gaps += mounted.elsewhere(target.uri, disk)
            installs.update(uri_of(target.uri, folder) for user in disk.users for folder in user.installs)
    return msgspec.structs.replace(request, notes=(*notes, *request.notes)) if notes else request, gaps


def _in_units(
    request: CheckRequest, catalogue: Catalogue, options: Options, progress: Progress | None
) -> tuple[list[Unit], dict[str, Swept]]:
    """All units, and what was read of the targets that are examined in units, by URI."""
    targets = {target.uri: target for target in request.targets if target.in_units}
    if not targets:
        return [], {}
    found: dict[str, Swept] = {uri: Swept() for uri in targets}
    listed: list[Unit] = []
    for target in targets.values():
        planned = units.plan(target.kind, target.path, target.uri, options)
        found[target.uri].refusals += planned.refusals
        listed += planned.units

    def told(done: int, every: int, seconds: float | None) -> None:
        if progress is not None:
            left = "" if seconds is None else f", about {seconds:.0f} s left"
            progress(f"{done} of {every} units{left}", done)

    examined = units.examine(
        listed,
        catalogue.interest,
        catalogue.keeps,
        options,
        question=_question(request, options),
        jobs=request.jobs,
        results=_results(request),
        told=told,
    )
    for uri, swept in examined.items():
        found[uri].add(swept)
    return listed, found


def _question(request: CheckRequest, options: Options) -> str:
    """A digest of all that a kept result depends on besides the content and this program."""
    shown = [options.exclude, options.quick, options.limit, options.unreachable]
    incidents = sorted(request.incidents, key=lambda incident: incident.id)
    named = sorted(request.named)
    return hashlib.sha256(msgspec.msgpack.encode([shown, incidents, named], order="deterministic")).hexdigest()


def _results(request: CheckRequest) -> Results | None:
    """Where results are kept: the folder of `--resume`, else this user's cache; never inside a target.

    Raises UsageError where the folder of `--resume` lies inside a target or cannot be used.
    """
    folder = request.resume if request.resume is not None else default_folder() if request.cache else None
    if folder is None:
        return None
    real = os.path.realpath(folder)
    if any(f"{real}/".startswith(f"{os.path.realpath(target.path).rstrip('/')}/") for target in request.targets):
        if request.resume is not None:
            raise UsageError("lies inside a target", where=f"--resume {folder}", advice="Name a folder elsewhere")
        return None
    return Results(folder, required=request.resume is not None)


def _second_look(
    request: CheckRequest,
    catalogue: Catalogue,
    options: Options,
    evidence: Evidence,
    total: Swept,
    listed: Sequence[Unit],
) -> None:
    """Ask the questions of the first look at their places, and take the answers in."""
    results = _results(request) if listed else None
    by_target: dict[str, list[Question]] = {}
    for question in questions(catalogue, evidence):
        by_target.setdefault(question.target, []).append(question)
    for target in request.targets:
        asked = by_target.pop(target.uri, [])
        if target.in_units:
            own = [unit for unit in listed if unit.target == target.uri]
            answers = units.second_look(target.kind, target.path, target.uri, own, asked, options, results)
        else:
            answers = itertools.chain(
                probe(
                    target.uri,
                    target.root,
                    [question for question in asked if not question.inside],
                    mounted=target.mounted,
                ),
                archive.probe(target.uri, target.root, [question for question in asked if question.inside], options),
            )
        for answer in answers:
            if isinstance(answer, Refusal):
                total.refusals.append(answer)
            else:
                evidence.observations.append(answer)


def _deep(request: CheckRequest, catalogue: Catalogue, options: Options, evidence: Evidence, total: Swept) -> None:
    """Hash every file of every target and take in those that are listed."""
    wanted = catalogue.interest.digests
    for target in request.targets:
        if target.in_units:
            total.skipped["deep-in-units"] = total.skipped.get("deep-in-units", 0) + 1
            continue
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
    at = ", ".join(item.commits[:3]) + (f" and {len(item.commits) - 3} more" if len(item.commits) > 3 else "")
    if isinstance(fact, RangeFact) and fact.ecosystem == "GitHub Actions":
        reason = moved_words(fact, item.incident, item.admitted)
        reason += f"; in force at {at}" if at else ""
    elif at:
        reason += f": no lockfile beside it names it at {at}"
    names = (str(getattr(fact, "name", "")),)
    reader = item.observation.reader
    return Refusal(location.path, reader, reason, True, location.target, location.path_bytes, names, location.inside)
