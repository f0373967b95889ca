"""A timeline around an incident's windows: where each bar, mark and word stands, for a drawing without script."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import msgspec

from pratique.model.report import IncidentEntry, WindowEntry
from pratique.report.words import clip, columns, duration, moment, one_line, printable

WIDTH = 960
_EDGE = 10
_CHARACTER = 6.5
"""Width of a character at the drawing's size of type, a little more than the average."""
_ROW = 22
_YEARS = range(1970, 2200)
"""A window outside these years is no window of a registry, and arithmetic with it may leave the calendar."""
_OPEN_END = datetime.timedelta(days=14)
_STEPS = tuple(
    datetime.timedelta(minutes=minutes)
    for minutes in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 14400, 43200, 129600, 525600)
)
_DAY = datetime.timedelta(days=1)


class Event(msgspec.Struct, frozen=True, order=True):
    """A time that a sighting carries. `rank` is the depth of the sighting."""

    when: datetime.datetime
    meaning: str
    source: str
    subject: str
    rank: int


class Bar(msgspec.Struct, frozen=True):
    """A window, with its words above it."""

    x: float
    y: float
    width: float
    label: str
    span: str
    text_x: float
    anchor: str
    inferred: bool
    open_end: bool


class Mark(msgspec.Struct, frozen=True):
    """An event, with its words on the side that has room."""

    x: float
    y: float
    text_x: float
    anchor: str
    label: str
    ran: bool


class Tick(msgspec.Struct, frozen=True):
    """A line of the scale."""

    x: float
    label: str
    date: str


class Row(msgspec.Struct, frozen=True):
    """An event in the table below the drawing."""

    when: str
    meaning: str
    source: str
    subject: str
    relation: str
    drawn: bool


class Timeline(msgspec.Struct, frozen=True):
    """Everything that the drawing and its table hold."""

    height: float
    plot_bottom: float
    bars: list[Bar]
    marks: list[Mark]
    ticks: list[Tick]
    rows: list[Row]
    outside: int
    left_out: int
    description: str


def timeline(
    incident: IncidentEntry,
    events: Sequence[Event],
    *,
    until: datetime.datetime | None,
    most_marks: int,
    most_rows: int,
) -> Timeline | None:
    """Lay out the windows of an incident and the events around them. None where there is neither."""
    windows = [(item, *ends) for item in incident.windows if (ends := _ends(item, until)) is not None]
    ordered = sorted(set(events))
    if not windows:
        rows = [_row(event, "", drawn=False) for event in ordered[:most_rows]]
        left_out = max(len(ordered) - most_rows, 0)
        return Timeline(0, 0, [], [], [], rows, len(ordered), left_out, "") if rows else None
    first, last = min(start for _, start, _ in windows), max(end for _, _, end in windows)
    span = max(last - first, datetime.timedelta(minutes=10))
    near = [event for event in ordered if _moved(first, -2 * span) <= event.when <= _moved(last, 2 * span)]
    if near:
        first, last = min(first, near[0].when), max(last, near[-1].when)
    margin = max(last - first, datetime.timedelta(minutes=10)) * 0.06
    scale = _Scale(_moved(first, -margin), _moved(last, margin))
    bars = [_bar(item, scale, start, end, 24 + 44 * number) for number, (item, start, end) in enumerate(windows[:8])]
    top = 24 + 44 * len(bars) + 14
    chosen = sorted(sorted(near, key=lambda event: (-event.rank, event))[:most_marks])
    marks = [_mark(event, scale, top + _ROW * number) for number, event in enumerate(chosen)]
    bottom = top + _ROW * len(marks) + 2
    drawn = set(chosen)
    listed = [*chosen, *(event for event in ordered if event not in drawn)][:most_rows]
    rows = [_row(event, _relation(event, windows), drawn=event in drawn) for event in sorted(listed)]
    return Timeline(
        height=bottom + 40,
        plot_bottom=bottom,
        bars=bars,
        marks=marks,
        ticks=_ticks(scale),
        rows=rows,
        outside=len(ordered) - len(near),
        left_out=max(len(ordered) - most_rows, 0),
        description="; ".join(f"{bar.label}: {bar.span}" for bar in bars),
    )


def _moved(when: datetime.datetime, by: datetime.timedelta) -> datetime.datetime:
    """A moment earlier or later, as far as the calendar goes."""
    try:
        return when + by
    except OverflowError:
        edge = datetime.datetime.min if by < datetime.timedelta() else datetime.datetime.max
        return edge.replace(tzinfo=when.tzinfo)


class _Scale:
    def __init__(self, first: datetime.datetime, last: datetime.datetime) -> None:
        self.first, self.last = first, last
        self._length = (last - first).total_seconds()

    def x(self, when: datetime.datetime) -> float:
        return _EDGE + (WIDTH - 2 * _EDGE) * (when - self.first).total_seconds() / self._length


def _ends(item: WindowEntry, until: datetime.datetime | None) -> tuple[datetime.datetime, datetime.datetime] | None:
    start = moment(item.start)
    if start is None or start.year not in _YEARS:
        return None
    end = moment(item.end) if item.end else None
    if end is None or end.year not in _YEARS:
        end = start + _OPEN_END
        if until is not None and start < until < end:
            end = until
    return start, max(start, end)


def _bar(item: WindowEntry, scale: _Scale, start: datetime.datetime, end: datetime.datetime, y: float) -> Bar:
    x, width = round(scale.x(start), 1), round(max(scale.x(end) - scale.x(start), 3), 1)
    left = x < WIDTH / 2
    return Bar(
        x=x,
        y=y,
        width=width,
        label=clip(printable(item.component or "listed releases"), 40),
        span=_span(item),
        text_x=x if left else x + width,
        anchor="start" if left else "end",
        inferred=item.basis != "observed",
        open_end=item.end is None,
    )


def _span(item: WindowEntry) -> str:
    start, end = moment(item.start), moment(item.end) if item.end else None
    first = f"{start:%Y-%m-%d %H:%M:%S}" if start else ""
    same_day = start is not None and end is not None and start.date() == end.date()
    last = (f"removed {end:%H:%M:%S}" if same_day else f"removed {end:%Y-%m-%d %H:%M:%S}") if end else "no end known"
    margin = f", ±{item.margin_minutes} min" if item.margin_minutes else ""
    basis = "" if item.basis == "observed" else f" ({printable(item.basis)}{margin})"
    return f"published {first}, {last}{basis}"


def _mark(event: Event, scale: _Scale, y: float) -> Mark:
    x = scale.x(event.when)
    right = x < WIDTH / 2
    room = int(((WIDTH - x) if right else x) / _CHARACTER) - 3
    words = f"{event.when:%H:%M:%S}  {event.meaning} · "
    text = clip(words + event.subject, room) if columns(words) + 8 < room else clip(words, room)
    return Mark(
        x=round(x, 1),
        y=y,
        text_x=round(x + (11 if right else -11), 1),
        anchor="start" if right else "end",
        label=text,
        ran=event.rank >= 4,
    )


def _ticks(scale: _Scale) -> list[Tick]:
    length = scale.last - scale.first
    step = next((step for step in _STEPS if length / step <= 9), _STEPS[-1])
    epoch = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    when = epoch + step * -(-(scale.first - epoch) // step)
    ticks: list[Tick] = []
    shown = ""
    while when <= scale.last and len(ticks) < 40:
        date = f"{when:%Y-%m-%d}"
        if step >= _DAY:
            ticks.append(Tick(round(scale.x(when), 1), date, ""))
        else:
            ticks.append(Tick(round(scale.x(when), 1), f"{when:%H:%M}", date if date != shown else ""))
        shown = date
        when += step
    return ticks


def _row(event: Event, relation: str, *, drawn: bool) -> Row:
    return Row(
        when=f"{event.when:%Y-%m-%d %H:%M:%S}",
        meaning=printable(one_line(event.meaning)),
        source=printable(one_line(event.source)),
        subject=event.subject,
        relation=relation,
        drawn=drawn,
    )


def _relation(event: Event, windows: Sequence[tuple[WindowEntry, datetime.datetime, datetime.datetime]]) -> str:
    first = min(start for _, start, _ in windows)
    last = max(end for _, _, end in windows)
    if event.when < first:
        return f"{duration(first - event.when)} before publication"
    if any(item.end is None for item, _, _ in windows):
        return "after publication; no end known"
    if event.when <= last:
        return "inside the window"
    return f"{duration(event.when - last)} after removal"
