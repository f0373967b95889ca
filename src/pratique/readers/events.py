"""Events that were written down: `pratique.event/1`, one JSON object a line, the schema's name first.

Reads what `pratique guard --events` writes. A line that is no event is a refusal with its number; the others are read.
Lines of another schema are refused as a whole: what they mean is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.event import EVENT_SCHEMA, Event
from pratique.model.observation import Refusal

MOST_LINE = 4 << 20
"""No event that is written here is as long, in bytes."""
MOST_REFUSALS = 100
"""So many lines are refused one by one; the rest are counted in one more."""


class _Schema(msgspec.Struct, forbid_unknown_fields=True):
    schema: str


def events_of(content: bytes, path: str = "events") -> tuple[tuple[Event, ...], tuple[Refusal, ...]]:
    """All events of a file in their order, and what of it could not be read."""
    found: list[Event] = []
    refusals: list[Refusal] = []
    left = 0
    for one in _lines(content, path):
        if isinstance(one, Event):
            found.append(one)
        elif len(refusals) < MOST_REFUSALS:
            refusals.append(one)
        else:
            left += 1
    if left:
        refusals.append(_refused(path, f"{left} more lines are no events"))
    return tuple(found), tuple(refusals)


def _lines(content: bytes, path: str) -> Iterator[Event | Refusal]:
    decoder = msgspec.json.Decoder(Event)
    named = msgspec.json.Decoder(_Schema)
    first, _, _ = content.partition(b"\n")
    try:
        schema = named.decode(first).schema
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        yield _refused(path, f"line 1 does not name a schema: it is not what is written as {EVENT_SCHEMA}")
        return
    if schema != EVENT_SCHEMA:
        yield _refused(path, f"is of the schema {schema[:60]!r}, not {EVENT_SCHEMA}")
        return
    at, number = len(first) + 1, 1
    while at < len(content):
        end = content.find(b"\n", at)
        whole = end >= 0
        line = content[at : end if whole else len(content)]
        at += len(line) + 1
        number += 1
        if not line.strip():
            continue
        if len(line) > MOST_LINE:
            yield _refused(path, f"line {number} is longer than {MOST_LINE} bytes")
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            cut = "" if whole else ", and it is the last one, without an end"
            yield _refused(path, f"line {number} is no event{cut}: {str(error)[:120]}")


def _refused(path: str, reason: str) -> Refusal:
    return Refusal(path, "events", reason, True)
