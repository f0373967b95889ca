"""Is it over? Look at every place of a case again, compare what was in reach, and say what is still open."""

from __future__ import annotations

import datetime
import hashlib
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args
from urllib.parse import unquote_to_bytes, urlsplit

import msgspec

from pratique.adapters import clock, disk
from pratique.assess import recovery
from pratique.assess.recovery import CALLS, RAN, Before, Facts, Held, Now
from pratique.casefile.case import Case
from pratique.ecosystems import purl as purls
from pratique.incidents.index import lookup_key
from pratique.model.case import Entry, Rotation
from pratique.model.credential import Credential, ReachAsked, ReachReport
from pratique.model.errors import CaseError, TargetError, UsageError
from pratique.model.incident import Incident
from pratique.model.plan import Edit, Plan, Quarantine, Receipt, shown_by_case
from pratique.model.ports import Unreadable
from pratique.model.report import RefusalEntry, Report, SightingEntry, identify
from pratique.model.verification import SCHEMA, Comparison, Open, Verification
from pratique.report.words import moment
from pratique.respond.rotate.order import ordered
from pratique.respond.rotate.planner import ENDS_WITH_JOB, items
from pratique.respond.seen import path_of
from pratique.respond.situation import Situation
from pratique.version import VERSION
from pratique.workflow import machine
from pratique.workflow.case import open_case
from pratique.workflow.case_proof import verify_case
from pratique.workflow.check import Progress, check
from pratique.workflow.collect import collect
from pratique.workflow.reach import ReachRequest, inventory
from pratique.workflow.request import Acceptance, CheckRequest, TargetSpec, TargetWord
from pratique.workflow.select import available, digest
from pratique.workflow.switch import swept

T = TypeVar("T")

REBUILD = "revert.rebuild"
"""The step of a plan that says that the machine was rebuilt."""
_TOLD = frozenset({"script", "command", "request", "job"})
"""Facts that tell of a past run: they stay true when nothing of it is left."""
_STANDING = frozenset({"workflow", "gitlab-ci", "action", "pre-commit"})
"""Readers of such facts in files that say what the next run does."""
_ELSEWHERE = frozenset({"git", "image", "ci-log", "mirror", "sbom"})
"""Kinds of targets that are kept on a machine and are not the machine."""
_LOOKS = ("monitor", "verify", "communicate", "prevent")
"""Phases whose steps are not asked for here."""
_NOTHING_TO_READ = ("permission denied", "is no file")
"""Reasons for which the account could not read a place either."""


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


class _Record(msgspec.Struct):
    """What a case holds, as far as the answer rests on it."""

    reports: list[Report] = []
    reaches: list[ReachReport] = []
    rotations: dict[str, Rotation] = {}
    plans: dict[str, Plan] = {}
    last_plan: str = ""
    receipts: dict[tuple[str, str], Receipt] = {}
    rebuilt: set[str] = set()


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
        self.record = _read(case)
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
        before = tuple(self._before())
        seen = sorted({item.incident for item in before})
        report, unreachable = self._look_again(seen)
        unreachable |= {
            target: f"it is a place of {item.host}"
            for item in before
            if item.host != self.host
            for target in item.targets
        }
        reach, credentials, unread = self._compare(seen)
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
            uninventoried=tuple(self._uninventoried(before)),
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

    def _before(self) -> Iterator[Before]:
        """What the case records as affected, or as undecided with a sighting; each subject once for each machine."""
        found: dict[tuple[str, str, str], Before] = {}
        recorded = self._recorded()
        for report in self.record.reports:
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
                here = host == self.host
                item = Before(
                    incident=verdict.incident,
                    subject=uri,
                    kind=kind,
                    host=host,
                    depth=verdict.depth,
                    sightings=frozenset(_what(item) for item in seen),
                    targets=frozenset(targets if here else {f"{host}: {target}" for target in targets}),
                    of_this_machine=any(kinds.get(target, "") not in _ELSEWHERE for target in targets),
                    recorded=set(verdict.sightings) <= recorded,
                )
                key = (verdict.incident, uri, host)
                found[key] = _merged(found[key], item) if key in found else item
        return (found[key] for key in sorted(found))

    def _recorded(self) -> set[str]:
        """Ids of sightings for which a person recorded that a step of reverting was done."""
        return {
            name
            for (plan, step_id), receipt in self.record.receipts.items()
            if receipt.outcome == "by-hand" and plan in self.record.plans
            for step in self.record.plans[plan].steps
            if step.id == step_id and step.phase == "revert"
            for name in step.sightings
        }

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
        seen = {_what(item) for item in now.sightings} if now is not None else set()
        for report in self.record.reports:
            digests = {entry.id: entry.digest for entry in report.incidents}
            for item in report.sightings:
                incident = self.known.get(item.incident)
                if incident is None or digests.get(item.incident) == digest(incident):
                    continue
                parsed = purls.parse(item.purl)
                if item.kind != "component":
                    if report.header.host == self.host and _what(item) not in seen and _unchanged(item, report):
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

    def _compare(
        self, seen: list[str]
    ) -> tuple[ReachReport | None, tuple[Held, ...] | None, tuple[tuple[str, str], ...]]:
        """What was in reach, compared with what is there now."""
        before = self.record.reaches
        if not before:
            return None, None, ()
        incidents = tuple(self.known[name] for name in seen if name in self.known)
        now: list[ReachReport] = []
        missed: list[tuple[str, str]] = []
        for asked in dict.fromkeys(item.asked or ReachAsked() for item in before if item.host == self.host):
            try:
                now.append(inventory(_request(asked, incidents), self.case))
            except (UsageError, TargetError) as error:
                missed.append((asked.home or asked.root or "the inventory", f"it could not be made again: {error}"))
        here = {item.id: item for report in now for item in report.credentials}
        refused = {(item.location, item.place): item.reason for report in now for item in report.refusals}
        unknown_before = {(item.location, item.place) for report in before for item in report.refusals}
        first: dict[str, tuple[Credential, ReachReport]] = {}
        for report in before:
            for item in report.credentials:
                if item.id not in first or (_in_reach(item) and not _in_reach(first[item.id][0])):
                    first[item.id] = item, report
        prints = {item.fact.fingerprint for item in here.values() if item.fact.fingerprint is not None}
        held: dict[str, Held] = {}
        for item, report in first.values():
            if not _in_reach(item):
                continue
            comparison: Comparison = "cannot-tell"
            if report.host == self.host and (report.asked is not None or item.place.startswith("$HOME")) and now:
                comparison = _comparison(item, here.get(item.id), prints, (item.location, item.place) in refused)
            held[item.id] = self._held(item, here.get(item.id), comparison)
        for item in here.values():
            if item.id not in held and (item.location, item.place) in unknown_before and item.reach != "not-readable":
                held[item.id] = self._held(item, item, "cannot-tell")
        unread: set[tuple[str, str]] = {
            (place, reason) for (_, place), reason in refused.items() if reason not in _NOTHING_TO_READ
        }
        if self.host not in self.record.rebuilt:
            unread.update(missed)
        self.notes += [f"{place}: {reason}" for place, reason in missed]
        merged = _joined(now) if now else None
        return merged, tuple(held[name] for name in self._order(first, held)), tuple(sorted(unread))

    def _held(self, item: Credential, now: Credential | None, comparison: Comparison) -> Held:
        rotation = self.record.rotations.get(item.id)
        written = (now or item).modified
        ended = (item.fact.expires or "")[:10]
        ended = ended if ended and ended < self.today.isoformat() else ""
        return Held(
            credential=item.id,
            provider=item.provider,
            tier=item.tier,
            place=item.place,
            field=item.fact.field,
            comparison=comparison,
            recorded=rotation.state if rotation is not None and rotation.state != "open" else "",
            age=_days(written, self.today) if comparison == "unchanged" else None,
            ended="with its job" if item.fact.kind == ENDS_WITH_JOB else ended,
        )

    def _order(self, first: Mapping[str, tuple[Credential, ReachReport]], held: Mapping[str, Held]) -> list[str]:
        """Ids in the order of the rotation; those that are no step of it stand last."""
        whole = _joined([report for _, report in first.values()]) if first else None
        if whole is None:
            return sorted(held)
        whole = msgspec.structs.replace(whole, credentials=tuple(item for item, _ in first.values()))
        situation = Situation(
            reports=tuple(self.record.reports),
            incidents=self.known,
            today=self.today,
            host=self.host,
            platform="linux",
            reach=whole,
        )
        names = [member.id for work in ordered(items(situation)) for item in work.items for member in item.members]
        rest = sorted(set(held) - set(names), key=lambda name: (held[name].tier, held[name].place, name))
        return [name for name in (*names, *rest) if name in held]

    def _uninventoried(self, before: Iterable[Before]) -> Iterator[tuple[str, str]]:
        """Machines and jobs in which a listed release was, and of whose reach the inventories say nothing."""
        if not self.record.reaches:
            return
        case = shlex.quote(self.case.folder)
        accounts = {item.host for item in self.record.reaches if not _of_jobs_alone(item)}
        for host in sorted({item.host for item in before if item.of_this_machine and item.depth in CALLS} - accounts):
            yield f"the account on {host}", f"pratique reach --case {case}, on {host}"
        asked = [item.asked for item in self.record.reaches if item.asked is not None]
        if not any(item.workflows or item.reports for item in asked) and any(
            item.kind == "log" and not item.of_this_machine and item.depth in CALLS for item in before
        ):
            yield "the jobs", f"pratique reach --case {case} --workflow FILE --report REPORT"

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


def _read(case: Case) -> _Record:
    """What a case holds. Raises CaseError where an entry is not understood."""
    record = _Record()
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


def _seen(record: _Record, report: Report, ran: set[str]) -> None:
    """Add a report. A run of the machine that is new after a rebuild, or still there, needs another rebuild."""
    kinds = {entry.uri: entry.kind for entry in report.targets}
    runs = [
        item for item in report.sightings if item.depth in RAN and kinds.get(item.location.target, "") not in _ELSEWHERE
    ]
    found = {_what(item) for item in runs}
    told = _told(report)
    if found - ran or any(_stands(item, told) for item in runs):
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


def _what(item: SightingEntry) -> str:
    """What a sighting is about, whatever line of a growing file it stands in now."""
    place = item.location.target, item.location.path, item.location.inside
    return identify((item.incident, item.kind, item.purl, item.depth, place, sorted(item.times)))


def _told(report: Report) -> frozenset[str]:
    """Ids of the observations that tell of the past alone."""
    return frozenset(
        item.id
        for item in report.observations
        if (item.kind in _TOLD and item.reader not in _STANDING) or item.facts.get("record") == "log"
    )


def _stands(item: SightingEntry, told: frozenset[str]) -> bool:
    """Whether what was sighted is still there: not if all that it rests on tells of the past."""
    return item.current and not (item.observations and told.issuperset(item.observations))


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
    told = _told(report)
    for verdict in report.verdicts:
        subject = subjects.get(verdict.subject)
        mine = [sightings[name] for name in verdict.sightings if name in sightings]
        against = [item for item in mine if item.status in ("affected", "under_investigation")]
        there = not against or any(_stands(item, told) for item in against)
        yield Now(
            incident=verdict.incident,
            subject=subject.uri if subject else verdict.subject,
            kind=subject.kind if subject else "machine",
            status=verdict.status,
            depth=verdict.depth,
            current=verdict.current and there,
            sightings=frozenset(map(_what, mine)),
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


def _of_jobs_alone(report: ReachReport) -> bool:
    """Whether an inventory asked about jobs and about no account."""
    asked = report.asked
    if asked is None or not (asked.workflows or asked.reports):
        return False
    return not (asked.home or asked.root or asked.user or asked.projects)


def _listed(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _request(asked: ReachAsked, incidents: tuple[Incident, ...]) -> ReachRequest:
    return ReachRequest(
        home=asked.home,
        root=asked.root,
        user=asked.user,
        projects=tuple(path for path in asked.projects if os.path.isdir(path)),
        workflows=tuple(path for path in asked.workflows if os.path.lexists(path)),
        job=asked.job,
        reports=tuple(path for path in asked.reports if os.path.lexists(path)),
        incidents=incidents,
    )


def _joined(reports: list[ReachReport]) -> ReachReport:
    """Inventories as one."""
    return msgspec.structs.replace(
        reports[0],
        looked_at=sum(report.looked_at for report in reports),
        credentials=tuple({item.id: item for report in reports for item in report.credentials}.values()),
        refusals=tuple(dict.fromkeys(item for report in reports for item in report.refusals)),
        notes=tuple(dict.fromkeys(note for report in reports for note in report.notes)),
    )


def _in_reach(item: Credential) -> bool:
    """Whether the account could read it, and not the mere name of where it is kept."""
    return item.reach != "not-readable" and item.fact.state != "reference"


def _comparison(before: Credential, now: Credential | None, prints: set[str], refused: bool) -> Comparison:
    """What became of a value. Without a fingerprint only its absence can be told, and of a name not even that."""
    known = before.fact.fingerprint
    if known is not None and known in prints:
        return "unchanged"
    if refused or before.fact.state == "name":
        return "cannot-tell"
    if now is None:
        return "gone"
    return "changed" if known is not None and now.fact.fingerprint is not None else "cannot-tell"


def _days(written: str | None, today: datetime.date) -> int | None:
    try:
        return max((today - datetime.date.fromisoformat((written or "")[:10])).days, 0)
    except ValueError:
        return None


def _digest(path: str) -> str | None:
    try:
        content, _ = disk.read(path)
    except Unreadable:
        return None
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
