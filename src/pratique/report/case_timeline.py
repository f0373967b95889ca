"""The timeline of a case: as text, as a page, and as CSV with the columns that timesketch imports.

CSV columns: `message`, `datetime`, `timestamp` (microseconds since the epoch), `timestamp_desc`, then our own
(`kind`, `source`, `incident`, `subject`). A cell that a spreadsheet would take for a formula gets an apostrophe.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Iterator

import msgspec

from pratique.model.dossier import Dossier, Happening
from pratique.model.errors import UsageError
from pratique.report.words import clip, count, inert_json, one_line, pad, printable

WIDTH = 100
COLUMNS = ("message", "datetime", "timestamp", "timestamp_desc", "kind", "source", "incident", "subject")


def rendered(dossier: Dossier, form: str) -> Iterator[bytes]:
    """The timeline as `text`, `csv`, `html` or `json`. Raises UsageError for another form."""
    if form == "text":
        yield from text(dossier)
    elif form == "csv":
        yield from table(dossier)
    elif form == "html":
        from pratique.report.case_pages import timeline_page

        yield timeline_page(dossier)
    elif form == "json":
        yield inert_json(msgspec.json.format(msgspec.json.encode(dossier.timeline), indent=2)) + b"\n"
    else:
        raise UsageError(f"there is no form {form!r} of a timeline", advice="Choose one of text, html, csv, json")


def text(dossier: Dossier) -> Iterator[bytes]:
    """One line for each happening; the day stands above its lines."""
    yield f"TIMELINE  case {dossier.id}, {count(len(dossier.timeline), 'line')}, times in UTC\n".encode()
    day = ""
    for item in dossier.timeline:
        date, _, clock = item.time.partition("T")
        if date != day:
            day = date
            yield f"{printable(day)}\n".encode()
        head = f"  {printable(clock)[:8]:<8}  {pad(clip(printable(one_line(item.meaning)), 26), 26)}  "
        yield f"{head}{clip(printable(one_line(item.message)), WIDTH - len(head))}\n".encode("utf-8", "replace")


def table(dossier: Dossier) -> Iterator[bytes]:
    """CSV in UTF-8, lines ended by CR LF (RFC 4180)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for item in dossier.timeline:
        writer.writerow([_inert(cell) for cell in _cells(item)])
        yield buffer.getvalue().encode("utf-8", "replace")
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode("utf-8", "replace")


def _cells(item: Happening) -> tuple[str, ...]:
    return (
        one_line(item.message),
        item.time,
        str(microseconds(item.time)),
        one_line(item.meaning),
        item.kind,
        one_line(item.source),
        item.incident,
        item.subject,
    )


def microseconds(time: str) -> int:
    """Microseconds since the epoch of an ISO 8601 time in UTC; 0 where it is none."""
    try:
        moment = datetime.datetime.fromisoformat(time)
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return (moment - epoch) // datetime.timedelta(microseconds=1)


def _inert(cell: str) -> str:
    shown = printable(cell)
    return f"'{shown}" if shown[:1] in ("=", "+", "-", "@", "\t", "\r") else shown
