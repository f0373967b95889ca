"""Is it over? Look at every place of a case again, compare what was in reach, and say what is still open."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from pratique.adapters import clock, disk
from pratique.assess import recovery
from pratique.assess.recovery import RAN, Before, Facts, Now
from pratique.casefile.case import Case
from pratique.ecosystems import purl as purls
from pratique.incidents.index import lookup_key
from pratique.model.errors import TargetError, UsageError
from pratique.model.incident import Incident
from pratique.model.plan import Edit, Quarantine, shown_by_case
from pratique.model.ports import Unreadable
from pratique.model.report import RefusalEntry, Report, SightingEntry
from pratique.model.verification import SCHEMA, Open, Verification
from pratique.report.words import moment
from pratique.respond.seen import path_of
from pratique.version import VERSION
from pratique.workflow import machine
from pratique.workflow import verify_record as records
from pratique.workflow.case import open_case
from pratique.workflow.case_proof import verify_case
from pratique.workflow.check import Progress, check
from pratique.workflow.collect import collect
from pratique.workflow.request import Acceptance, CheckRequest, TargetSpec, TargetWord
from pratique.workflow.select import available, digest
from pratique.workflow.switch import swept
from pratique.workflow.verify_reach import Inventories

_LOOKS = ("monitor", "verify", "communicate", "prevent")
"""Phases whose steps are not asked for here."""


class VerifyRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Which case, and how to look."""

    case: Path
    key: Path | None = None
    definitions: Path | None = None
    """A folder of more definitions."""
    incidents: tuple[Incident, ...] = ()
    """Definitions that are not bundled: those of `--bad` and `--bad-list`."""
    accepted: tuple[Acceptance, ...] = ()
    limit: int | None = None
    jobs: int = 0


def verify(request: VerifyRequest, progress: Progress | None = None) -> Verification:
    """The answer, written into the case. Raises CaseError, UsageError, IncidentError."""
    with open_case(request.case, key=request.key) as case:
        verifier = _Verifier(request, case, progress)
        found = verifier.answer()
        case.append("verification", found)
        if found.report is not None:  # what was not there before may not be there for long
            collect(case, found.report, tuple(verifier.known.values()), again=True)
        return found


class _Verifier:
    def __init__(self, request: VerifyRequest, case: Case, progress: Progress | None) -> None:
        self.request = request
        self.case = case
        self.progress = progress
        self.host = clock.host()
        self.today = clock.now().date()
        self.record = records.read(case)
        self.notes: list[str] = []
        if not self.record.reports:
            raise UsageError(
                "holds no report: there is nothing to look at again",
                where=case.folder,
                advice="Run: pratique check --case CASE TARGET",
            )
        self.known = self._definitions()

    def answer(self) -> Verification:
        """Look again, compare, judge."""
        before = tuple(records.before(self.record, self.host))
        seen = sorted({item.incident for item in before})
        report, unreachable = self._look_again(seen)
        unreachable |= {
            target: f"it is a place of {item.host}"
            for item in before
            if item.host != self.host
            for target in item.targets
        }
        inventories = Inventories(self.case, self.record, self.known, self.host, self.today)
        reach, credentials, unread = inventories.compare(seen)
        self.notes += inventories.notes
        facts = Facts(
            host=self.host,
            case=shlex.quote(self.case.folder),
            before=before,
            now=tuple(_now(report)) if report is not None else (),
            unreachable=unreachable,
            unsettled=self._unsettled(),
            refusals=tuple(self._refusals(report, seen)) if report is not None else (),
            rebuilt=frozenset(self.record.rebuilt),
            withdrawn=frozenset(self._withdrawn(report)),
            unknown=frozenset(name for name in seen if name not in self.known),
            armed=tuple(self._armed(seen)),
            credentials=credentials,
            uninventoried=tuple(inventories.uninventoried(before)),
            unread=unread,
            damaged=tuple(
                f"entry {item.entry}, {item.field}: {item.words}" if item.entry else item.words
                for item in verify_case(self.case).disagreements
            ),
            remarks=tuple(self._remarks(before)),
        )
        judged = recovery.judge(facts)
        return Verification(
            schema=SCHEMA,
            tool=f"pratique {VERSION}",
            host=self.host,
            made=clock.iso(clock.now()),
            case=self.case.id,
            status=judged.status,
            subjects=judged.subjects,
            credentials=judged.credentials,
            open=judged.open,
            notes=tuple(dict.fromkeys(self.notes)),
            report=report,
            reach=reach,
        )

    def _definitions(self) -> dict[str, Incident]:
        """The definitions of the incidents that the reports are about."""
        known, notes = available(self.request.definitions)
        self.notes += notes
        known |= {incident.id: incident for incident in self.request.incidents}
        asked = {entry.id for report in self.record.reports for entry in report.incidents}
        missing = sorted(asked - set(known))
        if missing:
            self.notes.append(
                f"definitions that are not at hand: {', '.join(missing)}; name them with --incidents or --bad"
            )
        return {name: known[name] for name in sorted(asked & set(known))}

    def _look_again(self, seen: list[str]) -> tuple[Report | None, dict[str, str]]:
        """A check of every target of this machine, and the targets that are not there, with the reason."""
        unreachable: dict[str, str] = {}
        specs: dict[TargetSpec, None] = {}
        labels = {spec.path: spec.label for spec in _own_places()}
        for report in self.record.reports:
            if report.header.host != self.host:
                continue
            for entry in report.targets:
                path = _path(entry.uri)
                if path is None or entry.kind not in get_args(TargetWord):
                    unreachable[entry.uri] = "is of a kind that is not known here"
                    continue
                full = os.path.join(path, entry.file) if entry.file is not None else path
                if not os.path.lexists(full):
                    unreachable[entry.uri] = "is not there any more"
                    continue
                kind = "directory" if entry.kind == "file" and os.path.isdir(full) else entry.kind
                specs[TargetSpec(full, kind, labels.get(full, ""))] = None  # type: ignore[arg-type]  # one of the words
        if not specs:
            return None, unreachable
        options = [report.header.scope.options for report in self.record.reports if report.header.host == self.host]
        exclude = set.intersection(*({str(text) for text in _listed(option.get("exclude"))} for option in options))
        if exclude:
            self.notes.append(f"left out, as in every check of this case: {', '.join(sorted(exclude))}")
        incidents = tuple(self.known.values())
        request = CheckRequest(
            targets=tuple(specs),
            incidents=incidents,
            named=(frozenset(self.case.incidents) | frozenset(seen)) & frozenset(self.known),
            digests={incident.id: digest(incident) for incident in incidents},
            jobs=self.request.jobs,
            deep=any(option.get("deep") for option in options),
            unreachable=any(option.get("unreachable") for option in options),
            limit=self.request.limit,
            exclude=tuple(sorted(exclude)),
            accepted=self.request.accepted,
            scope=f"again: every place of case {self.case.id} on this machine",
        )
        report = check(request, progress=self.progress)
        if report.coverage.interrupted:
            self.notes.append("the second check was interrupted")
        if report.coverage.artifacts == 0:
            unreachable |= {spec.uri: "holds nothing that a reader knows" for spec in specs}
        return report, unreachable

    def _unsettled(self) -> frozenset[str]:
        return frozenset(
            item.target
            for report in self.record.reports
            if report.header.host == self.host
            for item in report.coverage.refusals
            if item.relevant and item.accepted is None
        )

    def _refusals(self, report: Report, seen: list[str]) -> Iterator[tuple[str, str, str]]:
        """Open gaps that may hide what was seen. Without a sighting in the case any gap counts."""
        names = {
            name
            for incident in seen
            if incident in self.known
            for component in self.known[incident].components
            for name in (component.name, lookup_key(component.ecosystem, component.name))
        }
        for item in report.coverage.refusals:
            if item.relevant and item.accepted is None and (not seen or _may_hide(item, names)):
                yield item.target, item.path, item.reason

    def _withdrawn(self, now: Report | None) -> Iterator[tuple[str, str]]:
        """What was sighted, and what a definition that was revised since does not list.

        Of a release its name tells. Of indicators no report tells which one it was: one is not listed any more where
        its file stands unchanged and is not seen.
        """
        seen = {records.what(item) for item in now.sightings} if now is not None else set()
        for report in self.record.reports:
            digests = {entry.id: entry.digest for entry in report.incidents}
            for item in report.sightings:
                incident = self.known.get(item.incident)
                if incident is None or digests.get(item.incident) == digest(incident):
                    continue
                parsed = purls.parse(item.purl)
                if item.kind != "component":
                    if report.header.host == self.host and records.what(item) not in seen and _unchanged(item, report):
                        yield item.incident, item.location.path
                elif parsed is not None and not _lists(incident, parsed.ecosystem, parsed.name, parsed.version):
                    yield item.incident, item.purl

    def _armed(self, seen: list[str]) -> Iterator[str]:
        for name in seen:
            incident = self.known.get(name)
            switch = incident.dead_man_switch if incident is not None else self._told_of_switch(name)
            if switch and not swept(self.case, name):
                yield name

    def _told_of_switch(self, name: str) -> bool:
        """Whether a report says that an incident has a dead man's switch, where its definition is not at hand."""
        return any(
            entry.id == name and entry.guidance is not None and entry.guidance.dead_man_switch
            for report in self.record.reports
            for entry in report.incidents
        )

    def _not_examined(self, before: Iterable[Before]) -> Iterator[Open]:
        """What the case never asked about on this machine, though a listed release was installed on it."""
        if not any(
            item.host == self.host and item.of_this_machine and item.depth in ("installed", *RAN) for item in before
        ):
            return
        kinds = {entry.kind for report in self.record.reports for entry in report.targets}
        case = shlex.quote(self.case.folder)
        if not kinds & {"place", "root"}:
            yield Open(
                what="Caches, stores, logs and global packages of this user were not examined in this case",
                advice=f"pratique check --case {case}",
                blocks=False,
            )
        if "host" not in kinds:
            yield Open(
                what="What runs and what starts by itself on this machine was not examined in this case",
                advice=f"pratique host --case {case}",
                blocks=False,
            )

    def _remarks(self, before: Iterable[Before]) -> Iterator[Open]:
        """What else is open: the seal, steps without a receipt, files that are not as a step left them."""
        if not self.case.sealed:
            yield Open(
                what="No seal covers the evidence", advice=f"pratique case seal {self.case.folder}", blocks=False
            )
        yield from self._not_examined(before)
        plan = self.record.plans.get(self.record.last_plan)
        if plan is not None:
            done = {
                step
                for (digest_, step), receipt in self.record.receipts.items()
                if digest_ == self.record.last_plan and receipt.outcome in ("done", "by-hand")
            }
            done |= shown_by_case(sealed=self.case.sealed, evidence=sum(1 for _ in self.case.entries("evidence")))
            left = [
                step.id
                for step in plan.steps
                if step.id not in done and step.phase not in _LOOKS and step.phase != "rotate"
            ]
            if left:
                shown = ", ".join(left[:5]) + (f" and {len(left) - 5} more" if len(left) > 5 else "")
                yield Open(what=f"Steps of the plan without a receipt: {shown}", blocks=False)
        for (name, step_id), receipt in self.record.receipts.items():
            steps = {step.id: step for step in self.record.plans[name].steps} if name in self.record.plans else {}
            step = steps.get(step_id)
            if receipt.outcome != "done" or step is None or self.record.plans[name].host != self.host:
                continue
            if isinstance(step.action, Quarantine):
                words = _again(step.action)
                if words:
                    yield Open(
                        what=f"{step.action.path} is there again{words}, though {step.id} moved it away",
                        advice="Look at what put it there",
                    )
            elif isinstance(step.action, Edit) and _digest(step.action.path) != step.action.after:
                yield Open(what=f"{step.action.path} is not as {step.id} left it", blocks=False)


def _again(moved: Quarantine) -> str | None:
    """How what was moved away lies at its place again; None where it does not.

    Other bytes in a folder of packages are for the new look to judge. Where code was planted nothing may lie.
    """
    try:
        if disk.status(moved.path) is None:
            return None
        if disk.digest(moved.path)[0] == moved.digest:
            return " with the same bytes"
    except Unreadable as error:
        return f" ({error.reason})"
    return None if moved.what in ("package-cache", "package-folder") else " with other bytes"


def _unchanged(item: SightingEntry, report: Report) -> bool:
    """Whether the file of a sighting stands there as it was when the report was made."""
    path, made = path_of(item.location), moment(report.header.started)
    try:
        found = disk.status(path) if path is not None else None
    except Unreadable:
        return True
    return found is not None and (made is None or found.st_mtime <= made.timestamp())


def _now(report: Report) -> Iterator[Now]:
    subjects = {item.id: item for item in report.subjects}
    sightings = {item.id: item for item in report.sightings}
    told = records.told(report)
    for verdict in report.verdicts:
        subject = subjects.get(verdict.subject)
        mine = [sightings[name] for name in verdict.sightings if name in sightings]
        against = [item for item in mine if item.status in ("affected", "under_investigation")]
        there = not against or any(records.stands(item, told) for item in against)
        yield Now(
            incident=verdict.incident,
            subject=subject.uri if subject else verdict.subject,
            kind=subject.kind if subject else "machine",
            status=verdict.status,
            depth=verdict.depth,
            current=verdict.current and there,
            sightings=frozenset(map(records.what, mine)),
        )


def _may_hide(item: RefusalEntry, names: set[str]) -> bool:
    return not item.names or bool(names & set(item.names))


def _lists(incident: Incident, ecosystem: str | None, name: str, version: str | None) -> bool:
    for component in incident.components:
        if component.ecosystem == ecosystem and lookup_key(component.ecosystem, component.name) == lookup_key(
            component.ecosystem, name
        ):
            return component.all_versions or any(item.version == version for item in component.versions)
    return False


def _path(uri: str) -> str | None:
    """The path of a URI of a target (`file:`, `git+file:`); None where it is none of this machine."""
    parts = urlsplit(uri)
    if parts.scheme.rpartition("+")[2] != "file" or parts.netloc:
        return None
    path = os.fsdecode(unquote_to_bytes(parts.path))
    if os.name == "nt":
        path = path.lstrip("/")
    return path or None


def _own_places() -> Iterable[TargetSpec]:
    try:
        return machine.this_user()
    except TargetError:
        return ()


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _digest(path: str) -> str | None:
    try:
        content, _ = disk.read(path)
    except Unreadable:
        return None
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
