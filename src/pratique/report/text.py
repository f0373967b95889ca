"""The first screen: at most 24 lines of 100 columns, 6 where nothing was found.

## Holds
The worst verdict first, the projects it is about, what to do next, what was not examined, and the scope.

## Leaves out
Whatever does not fit: the JSON and HTML forms hold everything.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pratique.model.report import IncidentEntry, RefusalEntry, Report, SightingEntry, SubjectEntry, VerdictEntry
from pratique.report.renderer import Renderer
from pratique.report.words import (
    DEPTHS,
    after_publication,
    by_id,
    clip,
    count,
    printable,
    release,
    subject_name,
    top_sighting,
)

WIDTH = 100
LINES = 24
QUIET_LINES = 6
_SUBJECTS = 5
_OTHERS = 4


def render(report: Report) -> Iterator[bytes]:
    """Yield the screen as UTF-8."""
    lines = screen(report)
    yield ("\n".join(clip(line.rstrip(), WIDTH) for line in lines) + "\n").encode("utf-8", "replace")


def screen(report: Report) -> list[str]:
    """The lines of the screen."""
    affected = [item for item in report.verdicts if item.status == "affected"]
    unclear = [item for item in report.verdicts if item.status == "under_investigation" and item.sightings]
    lines: list[str] = []
    if affected:
        lines += _affected(report, affected)
    elif unclear:
        lines += _unclear(report, unclear)
    else:
        lines.append(_nothing(report))
    budget = LINES if affected or unclear else QUIET_LINES
    tail = [*_next(report), *_not_examined(report, 2 if affected or unclear else 1), *_scope(report)]
    return [*lines[: max(budget - len(tail), 1)], *tail][:budget]


def _incident(report: Report, identifier: str) -> IncidentEntry:
    return next(item for item in report.incidents if item.id == identifier)


def _label(incident: IncidentEntry) -> str:
    """A short name for an incident: its id with the date set apart."""
    head, _, date = incident.id.rpartition("-20")
    return f"{head} 20{date}" if head and len(date) == 8 else incident.id


def _affected(report: Report, affected: list[VerdictEntry]) -> list[str]:
    subjects, sightings = by_id(report)
    by_incident: dict[str, list[VerdictEntry]] = {}
    for verdict in affected:
        by_incident.setdefault(verdict.incident, []).append(verdict)
    order = sorted(by_incident, key=lambda key: (-_depth(by_incident[key][0]), key))
    lines: list[str] = []
    for position, identifier in enumerate(order):
        verdicts = by_incident[identifier]
        incident = _incident(report, identifier)
        if position == 0:
            lines.append(_headline(report, incident, verdicts, sightings))
            lines += _subject_lines(report, verdicts, subjects, sightings)
        elif position <= _OTHERS:
            top = verdicts[0]
            lines.append(f"AFFECTED  {_label(incident)}: {_tally(verdicts, subjects)}, deepest {top.depth}")
    more = len(order) - 1 - _OTHERS
    if more > 0:
        lines.append(f"AFFECTED  and {count(more, 'other incident')} (all in the report)")
    quiet = [item for item in report.incidents if item.id not in by_incident]
    if quiet:
        lines.append(f"  {count(len(quiet), 'other incident')}: no listed version seen")
    return lines


def _depth(verdict: VerdictEntry) -> int:
    return DEPTHS.index(verdict.depth) if verdict.depth in DEPTHS else -1


def _headline(
    report: Report, incident: IncidentEntry, verdicts: list[VerdictEntry], sightings: dict[str, SightingEntry]
) -> str:
    ran = [item for item in verdicts if item.depth in ("executed", "active")]
    known = {item.id: item for item in report.subjects}
    if ran:
        projects = [item for item in ran if known[item.subject].kind == "project"]
        tops = [sightings[key] for item in ran for key in item.sightings if key in sightings]
        delay = after_publication(report, [item for item in tops if item.depth in ("executed", "active")])
        where = (
            f"in {len(projects)} of {count(max(report.coverage.projects, len(projects)), 'project')} here"
            if projects
            else "on this machine"
        )
        tail = f" ({delay})" if delay else ""
        return f"AFFECTED  {_label(incident)}: the payload RAN {where}{tail}"
    return f"AFFECTED  {_label(incident)}: {_tally(verdicts, known)}; not shown to have run"


def _tally(verdicts: list[VerdictEntry], subjects: dict[str, SubjectEntry]) -> str:
    """`3 projects installed, 2 caches fetched`."""
    counts: dict[tuple[str, str], int] = {}
    for verdict in verdicts:
        key = (verdict.depth or "", subjects[verdict.subject].kind)
        counts[key] = counts.get(key, 0) + 1
    order = sorted(counts, key=lambda key: (-(DEPTHS.index(key[0]) if key[0] in DEPTHS else -1), key[1]))
    return ", ".join(f"{count(counts[key], key[1])} {key[0]}" for key in order)


def _subject_lines(
    report: Report,
    verdicts: list[VerdictEntry],
    subjects: dict[str, SubjectEntry],
    sightings: dict[str, SightingEntry],
) -> list[str]:
    shown = verdicts[:_SUBJECTS]
    width = min(max((len(subject_name(report, subjects[item.subject])) for item in shown), default=0), 28)
    lines = []
    for verdict in shown:
        top = top_sighting(verdict, sightings)
        name = clip(subject_name(report, subjects[verdict.subject]), width)
        what = f"{release(top.purl)}: {printable(top.explanation)}" if top else printable(verdict.summary)
        lines.append(clip(f"  {name:<{width}}  {verdict.depth:<9} {what}", WIDTH))
    rest = verdicts[_SUBJECTS:]
    if rest:
        lines.append(f"  and {_tally(rest, subjects)}")
    return lines


def _unclear(report: Report, unclear: list[VerdictEntry]) -> list[str]:
    subjects, sightings = by_id(report)
    incident = _incident(report, unclear[0].incident)
    lines = [f"UNDER INVESTIGATION  {_label(incident)}: {count(len(unclear), 'place')} undecided, none shown affected"]
    return lines + _subject_lines(report, unclear, subjects, sightings)


def _nothing(report: Report) -> str:
    coverage = report.coverage
    listed = sum(item.listed for item in report.incidents)
    if coverage.artifacts == 0:
        return "NOTHING EXAMINED  no reader was offered a file: this says nothing about the target"
    looked = f"{count(coverage.artifacts, 'file')} read of {coverage.entries:,} entries"
    lists = f"{listed:,} versions of {count(len(report.incidents), 'incident')}"
    if not coverage.complete:
        return f"UNDER INVESTIGATION  none of {lists} seen ({looked}), but not all was examined"
    open_lists = [item for item in report.incidents if item.completeness != "fixed"]
    dates = sorted({item.listed_on for item in open_lists})
    tail = f"; {len(open_lists)} lists as of {dates[0]} or later may still grow" if open_lists else ""
    return f"NOT AFFECTED  none of {lists} ({looked}){tail}"


def _next(report: Report) -> list[str]:
    if not report.next_steps:
        return []
    steps = [f"{number} {printable(step)}" for number, step in enumerate(report.next_steps, start=1)]
    text = "  ".join(steps)
    return textwrap.wrap(text, WIDTH, initial_indent="NEXT  ", subsequent_indent="      ")[:3]


def _not_examined(report: Report, most: int) -> list[str]:
    relevant = [item for item in report.coverage.refusals if item.relevant and item.accepted is None]
    accepted = [item for item in report.coverage.refusals if item.relevant and item.accepted is not None]
    tail = f"; {len(accepted)} accepted by name" if accepted else ""
    if not relevant:
        return [f"NOT EXAMINED  nothing relevant{tail}"]
    shown = ", ".join(_refusal(item) for item in relevant[:3])
    more = f", and {len(relevant) - 3} more" if len(relevant) > 3 else ""
    text = f"{len(relevant)} relevant: {shown}{more}{tail}"
    head = "NOT EXAMINED  "
    return [
        clip(line, WIDTH)
        for line in textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent="  ", break_on_hyphens=False)
    ][:most]


def _refusal(item: RefusalEntry) -> str:
    return f"{clip(printable(item.path), 48)} ({clip(printable(item.reason), 48)})"


def _scope(report: Report) -> list[str]:
    lines = []
    scope = report.header.scope
    if scope.statement:
        lines.append(clip(f"SCOPE  {printable(scope.statement)}", WIDTH))
    notes = [printable(note) for note in report.notes]
    return [*lines, *(clip(note, WIDTH) for note in notes[:2])]


RENDERER = Renderer(name="text", suffixes=(".txt",), media_type="text/plain; charset=utf-8", render=render)
