"""What changed between two releases, for a terminal: one screen, and with `every` all of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from pratique.model.difference import Code, Passage, ReleaseDifference
from pratique.report.difference_words import (
    MARKS,
    REACHED,
    SECTIONS,
    change_words,
    details,
    entry_mark,
    entry_words,
    place,
    subject,
    title,
    totals,
)
from pratique.report.words import clip, clip_path, count, printable

WIDTH = 100
_ROWS = {"triggers": 6, "dependencies": 6, "trust": 4, "capabilities": 8, "contents": 3}
_FIELDS = 6
_FILES = 6
_CODE = 10
"""So many lines of code the first screen shows."""
_WIDE = 400
T = TypeVar("T")


def difference_lines(difference: ReleaseDifference, *, every: bool = False) -> Iterator[str]:
    """The lines, without line ends; with `every` each section is shown whole."""
    yield clip(printable(title(difference)), WIDTH)
    yield f"  {clip(totals(difference), WIDTH - 2)}"
    for name, heading in SECTIONS:
        facts = getattr(difference, name)
        if facts:
            yield ""
            yield heading.upper()
            rows = [
                f"  {MARKS[fact.delta]} {subject(fact)}: {details(fact)}".rstrip(": ") + f"  ({place(fact)})"
                for fact in facts
            ]
            yield from _some(list(dict.fromkeys(rows)), _ROWS[name], every, _row)
    if difference.manifest:
        yield ""
        yield "MANIFEST"
        rows = [f"  {entry_mark(entry)} {entry_words(entry)}" for entry in difference.manifest]
        yield from _some(rows, _FIELDS, every, _row)
    if difference.changes:
        yield ""
        yield "FILES"
        ways = {one.path: one.reach for one in difference.code}
        order = {one.path: number for number, one in enumerate(difference.code)}
        changes = sorted(difference.changes, key=lambda change: (order.get(change.path, len(order)), change.path))
        rows = [
            f"  {MARKS[change.change]} {clip_path(printable(change.path), 60)}  {change_words(change)}"
            + (f", {REACHED[ways[change.path]]}" if ways.get(change.path) else "")
            for change in changes
        ]
        yield from _some(rows, _FILES, every, _row)
    yield from _code(difference.code, every)
    yield from _gaps(difference, every)


def _row(text: str) -> str:
    return clip(printable(text), WIDTH)


def _some(rows: Sequence[T], most: int, every: bool, shown: Callable[[T], str]) -> Iterator[str]:
    """The first rows, and how many there are more."""
    few = rows if every or len(rows) <= most + 1 else rows[:most]
    for row in few:
        yield shown(row)
    if len(rows) > len(few):
        yield f"    and {len(rows) - len(few):,} more (--all)"


def _code(found: Sequence[Code], every: bool) -> Iterator[str]:
    """Passages, file by file; on the first screen only what was added, and a few lines."""
    if not found:
        return
    yield ""
    yield "CODE"
    left = _CODE
    for number, one in enumerate(found):
        if not every and left <= 0:
            yield f"    and {count(len(found) - number, 'file')} more (--all)"
            return
        way = f", {REACHED[one.reach]}" if one.reach else ""
        yield clip(printable(f"  {one.path}  ({one.kind}, {one.change}{way})"), WIDTH)
        passages = [("+", passage) for passage in one.added]
        if every:
            passages += [("-", passage) for passage in one.removed]
        lines = [line for mark, passage in passages for line in _passage(mark, passage)]
        few = lines if every else lines[: max(left, 3)]
        yield from few
        left -= len(few) + 1
        rest = []
        if len(lines) > len(few):
            rest.append(f"{count(len(lines) - len(few), 'line')} more")
        if one.repeated:
            rest.append(f"{count(one.repeated, 'passage')} as shown above")
        if one.left_out:
            rest.append(f"{count(one.left_out, 'passage')} past the bounds, not shown")
        if rest:
            yield f"       … {', '.join(rest)}"


def _passage(mark: str, passage: Passage) -> Iterator[str]:
    if passage.outer:
        yield clip(printable(f"       in {passage.outer}"), WIDTH)
    for number, line in enumerate(passage.text.split("\n"), passage.line):
        shown = number if passage.column == 1 else passage.line
        yield clip(f"{shown:>6} {mark} {printable(line[:_WIDE])}".rstrip(), WIDTH)


def _gaps(difference: ReleaseDifference, every: bool) -> Iterator[str]:
    """What was not examined."""
    refusals = [refusal for refusal in difference.refusals if refusal.relevant or every]
    if not refusals:
        return
    yield ""
    yield "NOT EXAMINED"
    rows = [f"  {refusal.path or 'the release'}: {refusal.reason}" for refusal in refusals]
    yield from _some(rows, 4, every, _row)
