"""The first screen: at most 24 lines of 100 columns, 6 where nothing was found.

## Holds
The worst verdict first, the projects it is about, what to do next, what was not examined, and the scope.

## Leaves out
Whatever does not fit: the JSON and HTML forms hold everything.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pratique.model.report import RefusalEntry, Report, VerdictEntry
from pratique.report.renderer import Renderer
from pratique.report.summary import Answer, answer, lists, notes, nothing, refusals, sentence, tally
from pratique.report.words import claim, clip, clip_path, columns, count, label, pad, printable, subject_name
from pratique.report.words import top_sighting as top_of

WIDTH = 100
LINES = 24
QUIET_LINES = 6
_SUBJECTS = 5
_OTHERS = 4
_NAME = 26


def render(report: Report) -> Iterator[bytes]:
    """Yield the screen as UTF-8."""
    lines = screen(report)
    yield ("\n".join(clip(line.rstrip(), WIDTH) for line in lines) + "\n").encode("utf-8", "replace")


def screen(report: Report) -> list[str]:
    """The lines of the screen."""
    found = answer(report)
    seen = bool(found.affected or found.unclear)
    lines = [*_affected(report, found), *_unclear(report, found)]
    if not seen:
        word = {"not_affected": "NOT AFFECTED", "under_investigation": "UNDER INVESTIGATION"}[found.status]
        lines.append(f"{word if found.examined else 'NOTHING EXAMINED'}  {nothing(report, found)}")
        seen_quiet = notes(report, found)
        lines += [clip(f"  {seen_quiet}", WIDTH)] if seen_quiet else []
        grow = lists(report)
        lines += [f"  {grow}"] if grow and found.examined else []
    elif found.quiet:
        lines.append(f"  {count(len(found.quiet), 'other incident')}: no listed version seen")
    budget = LINES if seen else QUIET_LINES
    tail = [*(_next(report) if seen else ()), *_not_examined(report, found, 2 if seen else 1), *_scope(report)]
    return [*lines[: max(budget - len(tail), 1)], *tail][:budget]


def _affected(report: Report, found: Answer) -> Iterator[str]:
    for position, chapter in enumerate(found.affected):
        if position == 0:
            yield f"AFFECTED  {label(chapter.incident)}: {sentence(report, found, chapter)}"
            yield from _subjects(report, found, chapter.verdicts)
        elif position <= _OTHERS:
            yield f"AFFECTED  {label(chapter.incident)}: {tally(chapter.verdicts, found.subjects)}"
    more = len(found.affected) - 1 - _OTHERS
    if more > 0:
        yield f"AFFECTED  and {count(more, 'other incident')} (all in the report)"


def _unclear(report: Report, found: Answer) -> Iterator[str]:
    for chapter in found.unclear[:1]:
        places = count(len(chapter.verdicts), "place")
        yield f"UNDER INVESTIGATION  {label(chapter.incident)}: {places} undecided, none shown affected"
        if not found.affected:
            yield from _subjects(report, found, chapter.verdicts)
    if len(found.unclear) > 1:
        yield f"UNDER INVESTIGATION  and {count(len(found.unclear) - 1, 'other incident')} with an undecided place"


def _subjects(report: Report, found: Answer, verdicts: list[VerdictEntry]) -> Iterator[str]:
    shown = verdicts[:_SUBJECTS]
    names = [clip_path(subject_name(report, found.subjects[verdict.subject]), _NAME) for verdict in shown]
    width = max((columns(name) for name in names), default=0)
    for verdict, name in zip(shown, names, strict=True):
        top = top_of(verdict, found.sightings)
        what = claim(top) if top else printable(verdict.summary)
        head = f"  {pad(name, width)}  {verdict.depth or 'undecided':<9} "
        lines = _wrapped(what, head, " " * columns(head))
        yield from lines if len(lines) <= 2 else [lines[0], clip(f"{lines[1]} …", WIDTH)]
    rest = verdicts[_SUBJECTS:]
    if rest:
        yield f"  and {tally(rest, found.subjects)}"


def _next(report: Report) -> list[str]:
    if not report.next_steps:
        return []
    steps = [f"{number} {printable(step)}" for number, step in enumerate(report.next_steps[:3], start=1)]
    lines = _wrapped("  ".join(steps), "NEXT  ", "      ")
    if len(lines) <= 3:
        return lines
    return [clip(f"{'NEXT  ' if not row else '      '}{step}", WIDTH) for row, step in enumerate(steps)]


def _wrapped(text: str, first: str, following: str) -> list[str]:
    """Lines of at most `WIDTH` columns; where wide characters break that, each line is cut."""
    lines = textwrap.wrap(
        text, WIDTH, initial_indent=first, subsequent_indent=following, break_on_hyphens=False, drop_whitespace=True
    )
    return [clip(line, WIDTH) for line in lines]


def _not_examined(report: Report, found: Answer, most: int) -> list[str]:
    relevant, accepted, _ = refusals(report)
    tail = f"; {len(accepted):,} accepted by name" if accepted else ""
    if not relevant:
        what = "nothing relevant" if found.examined else "everything: nothing here is of a kind that a reader knows"
        return [f"NOT EXAMINED  {what}{tail}"]
    for shown in range(min(len(relevant), 3), 0, -1):
        more = f", and {len(relevant) - shown:,} more" if len(relevant) > shown else ""
        named = ", ".join(_refusal(item) for item in relevant[:shown])
        lines = _wrapped(f"{len(relevant):,} relevant: {named}{more}{tail}", "NOT EXAMINED  ", "  ")
        if len(lines) <= most:
            return lines
    return [clip(f"NOT EXAMINED  {len(relevant):,} relevant{tail}: {_refusal(relevant[0])}", WIDTH)]


def _refusal(item: RefusalEntry) -> str:
    return f"{clip_path(printable(item.path), 48)} ({clip(printable(item.reason), 48)})"


def _scope(report: Report) -> list[str]:
    lines = []
    scope = report.header.scope
    if scope.statement:
        wrapped = _wrapped(printable(scope.statement), "SCOPE  ", "       ")
        lines += wrapped if len(wrapped) <= 2 else [wrapped[0], clip(f"{wrapped[1]} …", WIDTH)]
    return [*lines, *(clip(printable(note), WIDTH) for note in report.notes[:2])]


RENDERER = Renderer(name="text", suffixes=(".txt",), media_type="text/plain; charset=utf-8", render=render)
