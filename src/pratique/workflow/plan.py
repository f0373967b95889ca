"""From a report or a case to a plan: read the files that steps may change, and hand everything to the planner."""

from __future__ import annotations

import fnmatch
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from pratique.adapters import checkout, clock, disk
from pratique.adapters.apply.places import EDITABLE
from pratique.model.case import CaseFile, EntryKind, Rotation
from pratique.model.credential import ReachReport
from pratique.model.errors import UsageError
from pratique.model.incident import Component, Incident, Role, Version
from pratique.model.plan import Plan
from pratique.model.ports import Unreadable
from pratique.model.report import SCHEMA, IncidentEntry, Report
from pratique.respond import seen
from pratique.respond.plan import compose
from pratique.respond.situation import Held, Platform, Project, ProjectFile, Situation
from pratique.workflow.case import last_plan, open_case
from pratique.workflow.held import held
from pratique.workflow.proof import prover
from pratique.workflow.releases import Known
from pratique.workflow.releases import known as known_releases
from pratique.workflow.select import available
from pratique.workflow.switch import MACHINE, swept, understood

LARGEST_REPORT = 512 << 20
PLATFORMS: dict[str, Platform] = {"win32": "windows", "cygwin": "windows", "darwin": "macos"}
_ROOTS = ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "uv.lock", "pdm.lock")
_WORKFLOWS = (".github/workflows", ".gitea/workflows", ".forgejo/workflows")
_JOBS = ("*.yml", "*.yaml")
_ABOVE = 8


class PlanRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What a plan is made from. `report` is the path of a report's JSON form."""

    report: str | None = None
    case: str | None = None
    key: Path | None = None
    """The key of the case, where it does not lie in its usual place."""
    incidents: Path | None = None
    """A folder of more definitions."""
    online: bool = False
    """Whether registries that the user's clients are configured for may be asked for good releases."""
    proof: bool = True
    """Whether repaired lockfiles are shown to their real client in a scratch copy."""


def plan(request: PlanRequest) -> Plan:
    """Make the plan, and add it to the case where one is named. Raises UsageError, IncidentError and CaseError."""
    if request.case is None:
        return _composed(situation(request))
    with open_case(Path(request.case), key=request.key) as case:
        made = _composed(situation(request, case))
        last = last_plan(case)
        if last is None or last[0] != made.digest:
            case.append("plan", made)
        return made


def _composed(given: Situation) -> Plan:
    """The plan, with what a registry answered where a good release is still not known."""
    made = compose(given)
    told = given.releases.told if isinstance(given.releases, Known) else ()
    return msgspec.structs.replace(made, notes=(*made.notes, *told)) if told else made


def situation(request: PlanRequest, case: CaseFile | None = None) -> Situation:
    """Everything that the planners may know."""
    if request.report is not None:
        reports: tuple[Report, ...] = (read_report(request.report),)
    elif case is not None:
        reports = last_reports(case)
        if not reports:
            raise UsageError(
                "the case holds no report", where=case.folder, advice="Run: pratique check --case DIR, or name a report"
            )
    else:
        raise UsageError("needs a report", where="plan", advice="Name the JSON form of a report")
    found = _situation(reports, request)
    if case is None:
        return found
    return msgspec.structs.replace(
        found,
        case=case.id,
        sealed=case.sealed,
        swept=frozenset(name for name in found.incidents if swept(case, name)),
        reach=_last(case, "reach", ReachReport),
        rotations={item.credential: item for item in _each(case, "rotation", Rotation)},
        aware=_aware(case),
    )


def last_reports(case: CaseFile) -> tuple[Report, ...]:
    """The last report of each set of places, in the order of the journal. Raises CaseError.

    Of machines also the last one that showed a trace: that a trace was taken away makes no run undone.
    """
    found: dict[tuple[object, ...], Report] = {}
    for report in _each(case, "report", Report):
        places = tuple(sorted(target.uri for target in report.targets))
        kinds = {target.kind for target in report.targets}
        seen_there = any(item.location.target.startswith(MACHINE) for item in report.sightings)
        for key in ((places, True), (places, False)) if "host" in kinds and seen_there else ((places, False),):
            found.pop(key, None)
            found[key] = report
    return tuple({id(report): report for report in found.values()}.values())


def _aware(case: CaseFile) -> str | None:
    """When somebody became aware, as the first note `aware: TIME` says."""
    for entry in case.entries("note"):
        for text in entry.body.values():
            if isinstance(text, str) and text.lower().startswith("aware:"):
                return text[6:].strip()
    return None


T = TypeVar("T")


def _each(case: CaseFile, kind: EntryKind, record: type[T]) -> Iterator[T]:
    for entry in case.entries(kind):
        yield understood(case, entry, record)


def _last(case: CaseFile, kind: EntryKind, record: type[T]) -> T | None:
    return next(reversed([*_each(case, kind, record)]), None)


def read_report(path: str) -> Report:
    """A report's JSON form. Raises UsageError."""
    try:
        content, _ = disk.read(os.path.realpath(path), LARGEST_REPORT)
        report = msgspec.json.decode(content, type=Report)
    except Unreadable as error:
        raise UsageError(f"cannot be read: {error.reason}", where=path) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(
            f"is no report: {error}", where=path, advice="Make one with: pratique check --output report.json"
        ) from None
    if report.header.schema != SCHEMA:
        raise UsageError(f"is a report of {report.header.schema!r}, not of {SCHEMA}", where=path)
    return report


def _situation(reports: tuple[Report, ...], request: PlanRequest) -> Situation:
    known, _ = available(request.incidents)
    incidents = {
        entry.id: known.get(entry.id) or _from_report(entry, report) for report in reports for entry in report.incidents
    }
    bare = Situation(
        reports=reports,
        incidents=incidents,
        today=clock.now().date(),
        host=clock.host(),
        platform=PLATFORMS.get(sys.platform, "linux"),
    )
    projects: dict[str, Project] = {}
    moved: dict[str, Held] = {}
    notes: list[str] = []
    for report in reports:
        if report.header.host != bare.host:
            notes.append(f"a report is of {report.header.host}: no file of it is read here; make the plan there")
            continue
        found = seen.sights(msgspec.structs.replace(bare, reports=(report,)))
        for folder, sightings in _folders(found).items():
            _read_project(folder, sightings, report, projects, notes)
        things, told = held(found, report.header.finished)
        moved |= {item.path: item for item in things}
        notes += told
    made = msgspec.structs.replace(
        bare,
        projects=_named(projects),
        held=tuple(moved[path] for path in sorted(moved)),
        notes=tuple(dict.fromkeys(notes)),
    )
    return with_means(made, online=request.online, proof=request.proof)


def with_means(situation: Situation, *, online: bool, proof: bool) -> Situation:
    """The situation with what knows good releases, and with what shows lockfiles to their clients."""
    given = msgspec.structs.replace(situation, releases=known_releases(situation.projects, online=online))
    return msgspec.structs.replace(given, prove=prover(online=online)) if proof else given


def _from_report(entry: IncidentEntry, report: Report) -> Incident:
    """A definition that is not at hand, as far as a report tells it."""
    import datetime

    from pratique.ecosystems import purl as purls

    releases: dict[tuple[str, str, str], set[str]] = {}
    for sighting in report.sightings:
        parsed = purls.parse(sighting.purl)
        if sighting.incident == entry.id and parsed is not None and parsed.ecosystem:
            releases.setdefault((parsed.ecosystem, parsed.name, sighting.role), set()).add(parsed.version)
    switch = entry.guidance.dead_man_switch if entry.guidance is not None else None
    return Incident(
        id=entry.id,
        revision=entry.revision,
        updated=datetime.date.min,
        title=entry.title,
        summary=entry.summary,
        status="active",
        completeness=entry.completeness,  # type: ignore[arg-type]  # a report says one of the three
        dead_man_switch=switch,
        components=tuple(
            Component(
                ecosystem=world,  # type: ignore[arg-type]  # a purl of a known world
                name=name,
                role=Role(role) if role in {*Role} else Role.CARRIER,
                versions=tuple(Version(version=version) for version in sorted(versions)),
            )
            for (world, name, role), versions in sorted(releases.items())
        ),
    )


def _folders(found: list[seen.Sight]) -> dict[str, list[str]]:
    """Folders of projects of this machine, with the ids of their sightings."""
    folders: dict[str, list[str]] = {}
    for sight in found:
        folder = seen.folder_of(sight.subject)
        if folder is None or sight.subject_kind != "project" or sight.path is None:
            continue
        if not {"_npx", "node_modules"} & set(folder.split("/")):
            folders.setdefault(folder, []).append(sight.entry.id)
    return dict(sorted(folders.items()))


def _read_project(
    folder: str, sightings: list[str], report: Report, projects: dict[str, Project], notes: list[str]
) -> None:
    base = next(
        (top for entry in report.targets if (top := seen.folder_of(entry.uri)) and f"{folder}/".startswith(f"{top}/")),
        folder,
    )
    files: dict[str, ProjectFile] = {}
    jobs = [f"{folder}/{name}" for name in _WORKFLOWS if os.path.isdir(f"{folder}/{name}")]
    for place in dict.fromkeys((folder, _root(folder, base), *jobs)):
        for name in _names(place, notes, _JOBS if place in jobs else EDITABLE):
            path = os.path.join(place, name)
            try:
                content, _ = disk.read(path)
            except Unreadable as error:
                notes.append(f"{path}: is not planned for: {error.reason}")
                continue
            files[path] = ProjectFile(path=path, content=content, uncommitted=checkout.uncommitted(path, content))
    earlier = projects[folder].sightings if folder in projects else ()
    projects[folder] = Project(
        folder=folder,
        files=tuple(files[path] for path in sorted(files)),
        sightings=tuple(dict.fromkeys((*earlier, *sightings))),
    )


def _names(folder: str, notes: list[str], patterns: tuple[str, ...] = EDITABLE) -> list[str]:
    try:
        present = sorted(os.listdir(folder))
    except OSError as error:
        notes.append(f"{folder}: cannot be listed: {(error.strerror or '').lower()}")
        return []
    return [name for name in present if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


def _root(folder: str, base: str) -> str:
    """The nearest folder, up to the target's own, with a lockfile: the root of a workspace."""
    at = folder
    for _ in range(_ABOVE):
        if any(os.path.lexists(os.path.join(at, name)) for name in _ROOTS):
            return at
        if at == base or os.path.dirname(at) == at:
            break
        at = os.path.dirname(at)
    return folder


def _named(projects: Mapping[str, Project]) -> tuple[Project, ...]:
    """The projects in order of their folders, each with a short name that no other has."""
    named: list[Project] = []
    taken: set[str] = set()
    for folder in sorted(projects):
        parts = [part for part in folder.split("/") if part] or ["root"]
        name = next(
            (short for size in range(1, len(parts) + 1) if (short := "-".join(parts[-size:])) not in taken), folder
        )
        taken.add(name)
        named.append(msgspec.structs.replace(projects[folder], name=name))
    return tuple(named)
