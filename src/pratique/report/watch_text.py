"""What a watch noticed, for a person: one line for each detection, one for what it rests on, the sums at the end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from pratique.model.event import Event, Process, Watch
from pratique.model.inert import one_line, printable
from pratique.model.noticed import Noticed, Sums
from pratique.report.words import count

LONGEST = 220
_ANCESTORS = 4


def lines(noticed: Noticed) -> Iterator[str]:
    """A detection: level, rule, statement; then the process, and those that it stands below."""
    found = noticed.detection
    again = f" ({noticed.repeated} more like it since)" if noticed.repeated else ""
    yield _cut(f"{noticed.time} {found.level.upper()} {found.rule}: {found.statement}{again}")
    if noticed.indicator:
        yield "    " + _cut(f"indicator {noticed.indicator} of {noticed.incident}")
    process = found.process
    if process is not None and process.pid:
        yield "    " + _cut(f"process {process.pid}{_below(process)}: {_command(process)}")
    for event in noticed.events[-1:]:
        said = _more(event)
        if said:
            yield "    " + _cut(said)


def _below(process: Process) -> str:
    names = [one.name or "?" for one in process.ancestors[:_ANCESTORS]]
    return f" below {' < '.join(names)}" if names else ""


def _command(process: Process) -> str:
    return shlex.join(process.arguments) if process.arguments else process.executable or "?"


def _more(event: Event) -> str:
    """What a changed place starts."""
    if event.kind not in ("file.write", "file.delete"):
        return ""
    parts = [f"{name} {event.detail[name]}" for name in ("mechanism", "when", "starts") if name in event.detail]
    return ", ".join(parts)


def begin_line(watch: Watch) -> str:
    """That a watch has begun, and by what means it sees processes."""
    row = next(row for row in watch.categories if row.category == "process.start")
    return _cut(f"watch: began; processes by {row.means}" + (f", {row.reason}" if row.reason else ""))


def sum_lines(sums: Sums) -> Iterator[str]:
    """How a watch ended, and what it could not see."""
    yield _cut(f"watch: ended ({sums.ended}); {count(sums.events, 'event')}, {count(sums.noticed, 'detection')}")
    told = (
        (sums.repeated, "repeated and not told again"),
        (sums.below, "milder than was asked for"),
        (sums.silenced, "excepted"),
        (sums.journaled, "written into the case"),
        (sums.given, "notices given"),
        (sums.failed, "notices or entries that failed"),
        (sums.held_back, "notices held back, to bound their rate"),
        (sums.lines, "lines of the sensor"),
        (sums.refused, "lines that were no such record"),
        (sums.unread, "programs that ended before their arguments could be read"),
        (sums.hidden, "programs whose file this account may not see"),
        (sums.lost, "times that the kernel gave up events"),
        (sums.forgotten, "chains given up for lack of room"),
    )
    yield from (f"  {number} {words}" for number, words in told if number)
    for row in sums.watch.categories:
        if row.seen == "part":
            yield "  " + _cut(f"in part: {row.category}: {row.means}" + (f", {row.reason}" if row.reason else ""))
    missed = [row.category for row in sums.watch.categories if row.seen == "none"]
    if missed:
        yield "  " + _cut(f"not seen: {', '.join(missed)}")
    yield from ("  " + _cut(f"gap: {gap}") for gap in (*sums.watch.gaps, *sums.gaps))


def _cut(text: str) -> str:
    text = one_line(printable(text))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
