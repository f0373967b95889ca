"""A case put in order for reading: its reports, evidence, plan, receipts and what happened when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from pratique.model.case import CaseFile, Entry, EvidenceItem, MissingEvidence, Rotation, Sweep
from pratique.model.credential import Credential, ReachReport
from pratique.model.dossier import Dossier, Happening, JournalRow
from pratique.model.errors import CaseError
from pratique.model.noticed import Noticed
from pratique.model.plan import Plan, Receipt
from pratique.model.report import Report
from pratique.report.words import one_line, printable
from pratique.workflow.switch import swept

R = TypeVar("R")
_MEANINGS = {
    "opened": "case opened",
    "report": "examined",
    "reach": "reach listed",
    "evidence": "evidence copied",
    "missing": "evidence not copied",
    "note": "note",
    "plan": "plan made",
    "receipt": "step",
    "sweep": "sweep",
    "rotation": "credential",
    "verification": "recovery examined",
    "seal": "evidence sealed",
    "detection": "noticed as it ran",
    "export": "case exported",
}


def dossier(case: CaseFile) -> Dossier:
    """Read the whole journal. Raises CaseError where an entry is damaged."""
    reports: dict[tuple[str, ...], tuple[Report, str]] = {}
    evidence: list[EvidenceItem] = []
    missing: dict[MissingEvidence, None] = {}
    reaches: list[ReachReport] = []
    rotations: dict[str, Rotation] = {}
    plan: Plan | None = None
    receipts: list[Receipt] = []
    sweeps: list[Sweep] = []
    verification: dict[str, Any] | None = None
    notes: list[tuple[str, str, str]] = []
    rows: list[JournalRow] = []
    first: Entry | None = None
    seals = 0
    for entry in case.entries():
        first = first or entry
        words = ""
        if entry.kind == "report":
            report = _read(entry, Report)
            scope = tuple(sorted(target.uri for target in report.targets))
            reports.pop(scope, None)
            reports[scope] = (report, entry.digest)
            words = report.header.scope.statement
        elif entry.kind == "evidence":
            item = _read(entry, EvidenceItem)
            evidence.append(item)
            words = item.what
        elif entry.kind == "missing":
            lacking = _read(entry, MissingEvidence)
            missing[lacking] = None
            words = f"{lacking.what}: {lacking.reason}"
        elif entry.kind == "reach":
            reach = _read(entry, ReachReport)
            reaches.append(reach)
            words = f"{len(reach.credentials)} credentials in reach of {reach.identity}"
        elif entry.kind == "rotation":
            rotation = _read(entry, Rotation)
            rotations[rotation.credential] = rotation
            words = f"{rotation.credential}: {rotation.state} {rotation.words}".strip()
        elif entry.kind == "plan":
            plan = _read(entry, Plan)
            words = f"{len(plan.steps)} steps, {plan.digest}"
        elif entry.kind == "receipt":
            receipt = _read(entry, Receipt)
            receipts.append(receipt)
            words = f"{receipt.step}: {receipt.outcome} {receipt.message}".strip()
        elif entry.kind == "sweep":
            sweep = _read(entry, Sweep)
            sweeps.append(sweep)
            words = f"{sweep.incident}: {sweep.outcome} {sweep.words}".strip()
        elif entry.kind == "verification":
            verification = entry.body
            words = str(entry.body.get("status", ""))
        elif entry.kind == "note":
            words = str(entry.body.get("text", ""))
            notes.append((entry.time, entry.who, words))
        elif entry.kind == "detection":
            detection = _read(entry, Noticed).detection
            words = f"{detection.level} {detection.rule}: {detection.statement}"
        elif entry.kind == "seal":
            seals += 1
        rows.append(
            JournalRow(
                number=entry.number,
                kind=entry.kind,
                time=entry.time,
                who=entry.who,
                words=one_line(words),
                digest=entry.digest,
            )
        )
    if first is None:
        raise CaseError("the journal is empty", where=case.folder)
    chosen = tuple(report for report, _ in reports.values())
    named = first.body.get("incidents", ())
    return Dossier(
        id=case.id,
        opened=first.time,
        by=first.who,
        tool=first.tool,
        head=rows[-1].digest,
        host=first.who.rpartition("@")[2],
        incidents=tuple(str(name) for name in named) if isinstance(named, list) else (),
        reports=chosen,
        report_digests=tuple(digest for _, digest in reports.values()),
        evidence=tuple(evidence),
        missing=tuple(missing),
        reach=together(reaches),
        rotations=rotations,
        plan=plan,
        receipts=tuple(receipts),
        sweeps=tuple(sweeps),
        swept=tuple(name for name in sorted({item.incident for item in sweeps}) if swept(case, name)),
        verification=verification,
        notes=tuple(notes),
        sealed=case.sealed,
        seals=seals,
        journal=tuple(rows),
        timeline=tuple(timeline(chosen, evidence, rows)),
    )


def together(reaches: Iterable[ReachReport]) -> ReachReport | None:
    """All inventories as one: what was once in reach stays, as it was seen last; gaps are those of the last ones."""
    last: dict[tuple[Any, ...], ReachReport] = {}
    credentials: dict[str, Credential] = {}
    for reach in reaches:
        last.pop((reach.host, reach.identity, reach.asked), None)
        last[reach.host, reach.identity, reach.asked] = reach
        credentials.update({item.id: item for item in reach.credentials})
    if not last:
        return None
    parts = list(last.values())
    ordered = sorted(credentials.values(), key=lambda item: (item.tier, item.provider, item.place, item.id))
    return msgspec.structs.replace(
        parts[-1],
        identity=", ".join(dict.fromkeys(part.identity for part in parts)),
        looked_at=sum(part.looked_at for part in parts),
        credentials=tuple(ordered),
        refusals=tuple(dict.fromkeys(refusal for part in parts for refusal in part.refusals)),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def timeline(
    reports: Iterable[Report], evidence: Iterable[EvidenceItem], rows: Iterable[JournalRow]
) -> list[Happening]:
    """Everything that has a time, in order: of the incidents, of what was seen, of copied files, of the response."""
    found: set[Happening] = set()
    for report in reports:
        found.update(_of_report(report))
    for item in evidence:
        if item.kind in ("process-table", "socket-table"):
            continue
        for meaning, value in (("file modified", item.modified), ("file made", item.born)):
            if value is not None:
                found.add(
                    Happening(
                        time=value,
                        kind="file",
                        meaning=meaning,
                        message=item.what,
                        source=item.source,
                        incident=item.incident,
                    )
                )
    copied = 0
    for row in rows:
        if row.kind in ("evidence", "missing"):
            copied += 1
            if copied > 1:
                continue
        meaning = _MEANINGS.get(row.kind, row.kind)
        found.add(
            Happening(
                time=row.time,
                kind="response",
                meaning=meaning,
                message=row.words or f"entry {row.number} by {row.who}",
                source=f"journal entry {row.number}",
            )
        )
    return sorted(found)


def _of_report(report: Report) -> Iterator[Happening]:
    subjects = {item.id: item.uri for item in report.subjects}
    seen = {sighting.incident for sighting in report.sightings}
    for incident in report.incidents:
        if incident.id not in seen:
            continue
        for window in incident.windows:
            name = window.component or "listed releases"
            for value, meaning in ((window.start, "window opens"), (window.end, "window closes")):
                if value is not None:
                    yield Happening(
                        time=value,
                        kind="window",
                        meaning=meaning,
                        message=f"{name} could be fetched {'from' if meaning == 'window opens' else 'until'} here"
                        f" ({window.basis})",
                        source="incident definition",
                        incident=incident.id,
                    )
    for sighting in report.sightings:
        for time in sighting.times:
            yield Happening(
                time=time.value,
                kind="sighting",
                meaning=time.meaning,
                message=printable(f"{sighting.purl}: {one_line(sighting.explanation)}"),
                source=f"{time.source}: {sighting.location.path}",
                incident=sighting.incident,
                subject=subjects.get(sighting.subject, ""),
            )


def _read(entry: Entry, kind: type[R]) -> R:
    try:
        return msgspec.convert(entry.body, kind)
    except (msgspec.ValidationError, TypeError):
        raise CaseError(
            f"entry {entry.number} is no {entry.kind} that this program understands",
            advice="Use the version of pratique that wrote it, or a newer one",
        ) from None
