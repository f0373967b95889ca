"""What was in reach by the inventories of a case, compared with what is there now."""

from __future__ import annotations

import datetime
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pratique.assess.recovery import CALLS, Before, Held
from pratique.casefile.case import Case
from pratique.model.credential import Credential, ReachAsked, ReachReport
from pratique.model.errors import TargetError, UsageError
from pratique.model.incident import Incident
from pratique.model.verification import Comparison
from pratique.respond.rotate.order import ordered
from pratique.respond.rotate.wanted import ENDS_WITH_JOB, items
from pratique.respond.situation import Situation
from pratique.workflow.reach import ReachRequest, inventory
from pratique.workflow.verify_record import Record

_NOTHING_TO_READ = ("permission denied", "is no file")
"""Reasons for which the account could not read a place either."""


class Inventories:
    """The inventories of a case, and those of this machine made again as they were asked for."""

    def __init__(
        self, case: Case, record: Record, known: Mapping[str, Incident], host: str, today: datetime.date
    ) -> None:
        self.case = case
        self.record = record
        self.known = known
        self.host = host
        self.today = today
        self.notes: list[str] = []

    def compare(
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

    def uninventoried(self, before: Iterable[Before]) -> Iterator[tuple[str, str]]:
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


def _of_jobs_alone(report: ReachReport) -> bool:
    """Whether an inventory asked about jobs and about no account."""
    asked = report.asked
    if asked is None or not (asked.workflows or asked.reports):
        return False
    return not (asked.home or asked.root or asked.user or asked.projects)


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
