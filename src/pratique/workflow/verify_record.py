"""What a case holds, as far as an answer rests on it, and what of it was affected before the new look.

A sighting is told by what it is about, and by whether it stands or tells of a past run alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import msgspec

from pratique.assess import recovery
from pratique.assess.recovery import RAN, Before
from pratique.casefile.case import Case
from pratique.model.case import Entry, Rotation
from pratique.model.credential import ReachReport
from pratique.model.errors import CaseError
from pratique.model.plan import Plan, Receipt
from pratique.model.report import Report, SightingEntry, identify
from pratique.model.verification import Verification

T = TypeVar("T")

REBUILD = "revert.rebuild"
"""The step of a plan that says that the machine was rebuilt."""
_TOLD = frozenset({"script", "command", "request", "job"})
"""Facts that tell of a past run: they stay true when nothing of it is left."""
_STANDING = frozenset({"workflow", "gitlab-ci", "action", "pre-commit"})
"""Readers of such facts in files that say what the next run does."""
_ELSEWHERE = frozenset({"git", "image", "ci-log", "mirror", "sbom"})
"""Kinds of targets that are kept on a machine and are not the machine."""


class Record(msgspec.Struct):
    """What a case holds, as far as the answer rests on it."""

    reports: list[Report] = []
    reaches: list[ReachReport] = []
    rotations: dict[str, Rotation] = {}
    plans: dict[str, Plan] = {}
    last_plan: str = ""
    receipts: dict[tuple[str, str], Receipt] = {}
    rebuilt: set[str] = set()


def read(case: Case) -> Record:
    """What a case holds. Raises CaseError where an entry is not understood."""
    record = Record()
    ran: set[str] = set()
    for entry in case.entries():
        if entry.kind == "report":
            _seen(record, _record(case, entry, Report), ran)
        elif entry.kind == "verification":
            nested = _record(case, entry, Verification).report
            if nested is not None:
                _seen(record, nested, ran)
        elif entry.kind == "reach":
            record.reaches.append(_record(case, entry, ReachReport))
        elif entry.kind == "rotation":
            rotation = _record(case, entry, Rotation)
            record.rotations[rotation.credential] = rotation
        elif entry.kind == "plan":
            plan = _record(case, entry, Plan)
            record.last_plan = plan.digest
            record.plans[plan.digest] = plan
        elif entry.kind == "receipt":
            receipt = _record(case, entry, Receipt)
            record.receipts[receipt.plan, receipt.step] = receipt
            if receipt.step == REBUILD and receipt.plan in record.plans:
                host = record.plans[receipt.plan].host
                (record.rebuilt.add if receipt.outcome in ("done", "by-hand") else record.rebuilt.discard)(host)
    return record


def before(record: Record, here: str) -> Iterator[Before]:
    """What the case records as affected, or as undecided with a sighting; each subject once for each machine.

    `here` is the name of this machine.
    """
    found: dict[tuple[str, str, str], Before] = {}
    recorded = _recorded(record)
    for report in record.reports:
        host = report.header.host
        kinds = {entry.uri: entry.kind for entry in report.targets}
        subjects = {item.id: item for item in report.subjects}
        sightings = {item.id: item for item in report.sightings}
        for verdict in report.verdicts:
            subject = subjects.get(verdict.subject)
            if verdict.status not in ("affected", "under_investigation", "fixed") or not verdict.sightings:
                continue
            uri, kind = (subject.uri, subject.kind) if subject else (verdict.subject, "machine")
            seen = [sightings[name] for name in verdict.sightings if name in sightings]
            targets = {item.location.target for item in seen}
            item = Before(
                incident=verdict.incident,
                subject=uri,
                kind=kind,
                host=host,
                depth=verdict.depth,
                sightings=frozenset(what(item) for item in seen),
                targets=frozenset(targets if host == here else {f"{host}: {target}" for target in targets}),
                of_this_machine=any(kinds.get(target, "") not in _ELSEWHERE for target in targets),
                recorded=set(verdict.sightings) <= recorded,
            )
            key = (verdict.incident, uri, host)
            found[key] = _merged(found[key], item) if key in found else item
    return (found[key] for key in sorted(found))


def _recorded(record: Record) -> set[str]:
    """Ids of sightings for which a person recorded that a step of reverting was done."""
    return {
        name
        for (plan, step_id), receipt in record.receipts.items()
        if receipt.outcome == "by-hand" and plan in record.plans
        for step in record.plans[plan].steps
        if step.id == step_id and step.phase == "revert"
        for name in step.sightings
    }


def _seen(record: Record, report: Report, ran: set[str]) -> None:
    """Add a report. A run of the machine that is new after a rebuild, or still there, needs another rebuild."""
    kinds = {entry.uri: entry.kind for entry in report.targets}
    runs = [
        item for item in report.sightings if item.depth in RAN and kinds.get(item.location.target, "") not in _ELSEWHERE
    ]
    found = {what(item) for item in runs}
    past = told(report)
    if found - ran or any(stands(item, past) for item in runs):
        record.rebuilt.discard(report.header.host)
    ran |= found
    record.reports.append(report)


def _record(case: Case, entry: Entry, kind: type[T]) -> T:
    try:
        return msgspec.convert(entry.body, kind)
    except (msgspec.ValidationError, RecursionError):
        raise CaseError(
            f"entry {entry.number} holds no {entry.kind} that this program understands", where=case.folder
        ) from None


def _merged(first: Before, second: Before) -> Before:
    depths = [depth for depth in (first.depth, second.depth) if depth in recovery.DEPTHS]
    return msgspec.structs.replace(
        first,
        depth=max(depths, key=recovery.DEPTHS.index, default=None),
        sightings=first.sightings | second.sightings,
        targets=first.targets | second.targets,
        of_this_machine=first.of_this_machine or second.of_this_machine,
        recorded=first.recorded and second.recorded,
    )


def what(item: SightingEntry) -> str:
    """What a sighting is about, whatever line of a growing file it stands in now."""
    place = item.location.target, item.location.path, item.location.inside
    return identify((item.incident, item.kind, item.purl, item.depth, place, sorted(item.times)))


def told(report: Report) -> frozenset[str]:
    """Ids of the observations that tell of the past alone."""
    return frozenset(
        item.id
        for item in report.observations
        if (item.kind in _TOLD and item.reader not in _STANDING) or item.facts.get("record") == "log"
    )


def stands(item: SightingEntry, past: frozenset[str]) -> bool:
    """Whether what was sighted is still there: not if all that it rests on tells of the past."""
    return item.current and not (item.observations and past.issuperset(item.observations))
