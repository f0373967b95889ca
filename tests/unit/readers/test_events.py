"""Events that were written down are read as they were; what is none is refused with its line."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.event import EVENT_SCHEMA, Ancestor, Event, Process
from pratique.readers.events import MOST_REFUSALS, events_of

HEAD = msgspec.json.encode({"schema": EVENT_SCHEMA}) + b"\n"
EVENT = Event("file.read", "notify", 1, 5, path="/home/ann/.npmrc", path_class="credential")


def _line(event: Event) -> bytes:
    return msgspec.json.encode(event) + b"\n"


NUMBERS = st.integers(0, 2**63 - 1)
PROCESSES = st.builds(
    Process, pid=NUMBERS, parent=NUMBERS, group=NUMBERS, session=NUMBERS, user=st.none() | NUMBERS, started_ns=NUMBERS,
    ancestors=st.lists(st.builds(Ancestor, pid=NUMBERS, executable=st.text(), name=st.text()), max_size=2).map(tuple),
    inner_pid=st.none() | NUMBERS,
)  # fmt: skip
EVENTS = st.builds(
    Event, sequence=NUMBERS, time_ns=NUMBERS, process=st.none() | PROCESSES, port=st.none() | NUMBERS,
    detail=st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)  # fmt: skip


@given(st.lists(EVENTS, max_size=3))
def test_what_is_written_is_read_again(events: list[Event]) -> None:
    whole = HEAD + b"".join(_line(one) for one in events)
    assert events_of(whole) == (tuple(events), ())


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_give_events_or_refusals(content: bytes, headed: bool) -> None:
    events, refusals = events_of((HEAD if headed else b"") + content)
    assert headed or not events
    assert refusals or events or not content.strip() or headed


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "does not name a schema"),
        (b"[1]\n", "does not name a schema"),
        (b'{"schema":"pratique.event/9"}\n', "'pratique.event/9'"),
        (HEAD + _line(EVENT)[:20], "line 2 is no event, and it is the last one, without an end"),
        (HEAD + b'{"kind":"file.eaten"}\n', "line 2 is no event: "),
        (HEAD + b"[" * 5000 + b"\n", "line 2 is no event"),
        (HEAD + b"\xff\n", "line 2 is no event"),
    ],
)
def test_what_is_no_event_is_refused_with_its_line(content: bytes, reason: str) -> None:
    events, refusals = events_of(content, "a.ndjson")
    assert not events
    assert len(refusals) == 1
    assert refusals[0].path == "a.ndjson"
    assert refusals[0].relevant
    assert reason in refusals[0].reason


def test_many_broken_lines_are_counted() -> None:
    events, refusals = events_of(HEAD + b"x\n" * 1000 + _line(EVENT))
    assert events == (EVENT,)
    assert len(refusals) == MOST_REFUSALS + 1
    assert refusals[-1].reason == f"{1000 - MOST_REFUSALS} more lines are no events"
