"""Lists of a case in blocks of a page: evidence and journal, what was not examined, what happened when."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pratique.model.case import EvidenceItem
from pratique.model.dossier import Dossier
from pratique.report.case_parts import ROWS, Block, Cell
from pratique.report.words import count, one_line

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def _copied_by(dossier: Dossier) -> Iterable[str]:
    """Who copied evidence, when, and with what."""
    rows = [row for row in dossier.journal if row.kind == "evidence"]
    if rows:
        who = ", ".join(dict.fromkeys(row.who for row in rows))
        yield f"Copied by {who} with {dossier.tool}, {_when(rows[0].time)} to {_when(rows[-1].time)} UTC."


def evidence(dossier: Dossier) -> Iterable[Block]:
    """What was copied and what was not, and the journal."""
    ordered = sorted(dossier.evidence, key=_evidence_key)
    yield Block(
        kind="table",
        heading="Copied",
        lines=(*_copied_by(dossier), "In the order of volatility. Digests are SHA-256 of the bytes as they were."),
        columns=("What", "Where it was", "Bytes", "SHA-256", "Modified", "Mode and owner"),
        rows=tuple(
            (
                Cell(item.what),
                Cell(item.source, code=True),
                Cell(f"{item.size:,}", short=True),
                Cell(item.digest.removeprefix("sha256:"), code=True),
                Cell(_when(item.modified)),
                Cell(" ".join(part for part in (item.mode, item.owner) if part)),
            )
            for item in ordered[:ROWS]
        ),
        more=max(0, len(ordered) - ROWS),
    )
    yield Block(
        kind="table",
        heading="Not copied",
        lines=("What the incident asks for and is not here: who has it must export it.",)
        if dossier.missing
        else ("Nothing was missing.",),
        columns=("What", "Where", "Why not"),
        rows=tuple(
            (Cell(item.what), Cell(item.source, code=True), Cell(item.reason)) for item in dossier.missing[:ROWS]
        ),
        more=max(0, len(dossier.missing) - ROWS),
    )
    yield Block(
        kind="table",
        heading="Journal",
        lines=("Each entry covers the digest of the one before it.",),
        columns=("Entry", "Time", "Kind", "Who", "Words", "Digest"),
        rows=tuple(
            (
                Cell(str(row.number)),
                Cell(_when(row.time)),
                Cell(row.kind),
                Cell(row.who),
                Cell(row.words),
                Cell(row.digest[:16], code=True),
            )
            for row in dossier.journal[-ROWS:]
        ),
        more=max(0, len(dossier.journal) - ROWS),
    )


def _evidence_key(item: EvidenceItem) -> tuple[int, str, str]:
    return (item.order, item.kind, item.source)


def coverage(dossier: Dossier) -> Iterable[Block]:
    """What each report looked at, and what it could not."""
    for report in dossier.reports:
        coverage = report.coverage
        relevant = [item for item in coverage.refusals if item.relevant]
        lines = [
            one_line(report.header.scope.statement),
            f"{report.header.started}: {coverage.entries:,} files and folders met, {coverage.artifacts:,} read,"
            f" {coverage.bytes:,} bytes; {count(len(relevant), 'relevant place')} not examined.",
        ]
        lines += [f"Not asked: {item}" for item in report.header.scope.not_asked]
        lines += [f"Left out by rule: {item.rule} ({item.count:,})" for item in coverage.skipped_by_rule]
        yield Block(
            kind="table",
            heading=", ".join(target.uri for target in report.targets[:3]) or "Nothing was examined",
            lines=tuple(lines),
            columns=("Not examined", "Why not", "Accepted"),
            rows=tuple(
                (Cell(short_refusal(item.target, item.path)), Cell(one_line(item.reason)), Cell(item.accepted or "no"))
                for item in relevant[:ROWS]
            ),
            more=max(0, len(relevant) - ROWS),
        )
    if not dossier.reports:
        yield Block(kind="words", heading="Nothing was examined", lines=("The case holds no report yet.",))


def short_refusal(target: str, path: str) -> str:
    """A refused place, for a table."""
    return path if path not in ("", ".") else target


def _when(time: str | None) -> str:
    """A time to the second, with a space where it may be broken."""
    if time is None or not _TIME.match(time):
        return time or ""
    return f"{time[:10]} {time[11:19]}"


def timeline(dossier: Dossier) -> Block:
    """What happened when."""
    happenings = list(dossier.timeline)
    if len(happenings) > ROWS:  # times of files are the many, and prove the least
        happenings = [item for item in happenings if item.kind != "file"]
    return Block(
        kind="table",
        heading="What happened when",
        lines=("Times in UTC. Each stands with its source; times of files may have been set by anyone.",),
        columns=("Time", "What", "Told by", "Where"),
        rows=tuple(
            (
                Cell(_when(item.time), short=True),
                Cell(f"{item.meaning}: {item.message}"),
                Cell(item.kind, short=True),
                Cell(item.source, code=True),
            )
            for item in happenings[:ROWS]
        ),
        more=len(dossier.timeline) - len(happenings[:ROWS]),
    )
