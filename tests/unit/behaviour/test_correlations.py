"""Correlations over streams: what a slow definition of each kind says, with exceptions told and memory bounded."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.behaviour.correlate import MOST_GROUPS, SECOND
from pratique.behaviour.detect import Detector, detect
from pratique.behaviour.ruleset import RuleSet, rules_of
from pratique.model.event import Cause, Detection, Event

PARTS = "\n---\n".join(
    f"""title: it asks for {name}
name: rule-{name}
logsource:
    category: dns_query
detection:
    selection:
        QueryName|startswith: '{name}'
    condition: selection"""
    for name in "abc"
)


def _rules(body: str) -> RuleSet:
    correlation = "title: together\nname: together\ncorrelation:\n" + "\n".join(
        f"    {line}" for line in body.splitlines()
    )
    return rules_of([("made-up.yml", f"{PARTS}\n---\n{correlation}\n")])


def _event(sequence: int, time: float, name: str, package: str = "p") -> Event:
    return Event(
        "network.name",
        "notify",
        sequence,
        int(time * SECOND),
        host=name,
        cause=Cause("npm", package, "1.0.0") if package else None,
    )


ORDERED = "type: temporal_ordered\nrules: [rule-a, rule-b, rule-c]\ngroup-by: [PackageName]\ntimespan: 10s"
TOGETHER = ORDERED.replace("temporal_ordered", "temporal")
COUNT = "type: event_count\nrules: [rule-a]\ngroup-by: [PackageName]\ntimespan: 10s\ncondition:\n    gte: 3"
VALUES = COUNT.replace("event_count", "value_count") + "\n    field: QueryName"

Timed = tuple[int, str, str]
STREAMS = st.lists(
    st.tuples(st.integers(0, 6), st.sampled_from(["a", "b", "c", "a1", "a2"]), st.sampled_from("pq")), max_size=14
)


def _stream(steps: list[Timed]) -> list[Event]:
    now, found = 0, []
    for number, (step, name, package) in enumerate(steps, 1):
        now += step
        found.append(_event(number, now, name, package))
    return found


def _first(events: list[Event], rules: RuleSet) -> dict[str, int]:
    """For each package the event that first completed the correlation."""
    found: dict[str, int] = {}
    for one in detect(events, rules):
        if one.rule != "together":
            continue
        assert one.cause is not None
        found.setdefault(one.cause.name, one.events[-1])
    return found


def _slow(events: list[Event], kind: str) -> dict[str, int]:
    """The same by looking at all earlier events each time."""
    found: dict[str, int] = {}
    for at, event in enumerate(events):
        package = event.cause.name if event.cause is not None else ""
        if package in found:
            continue
        earlier = [one for one in events[: at + 1] if one.cause == event.cause]
        near = [one for one in earlier if event.time_ns - one.time_ns <= 10 * SECOND]
        if _holds(kind, near, event):
            found[package] = event.sequence
    return found


def _holds(kind: str, near: list[Event], last: Event) -> bool:
    starts = [one for one in near if one.host.startswith("a")]
    if kind == "count":
        return last in starts and len(starts) >= 3
    if kind == "values":
        return last in starts and len({one.host for one in starts}) >= 3
    if kind == "together":
        return {one.host[0] for one in near} >= set("abc")
    return last.host == "c" and any(
        one.host[0] == "a" and two.host == "b" and one.sequence < two.sequence < last.sequence
        for one in near
        for two in near
    )


@pytest.mark.parametrize(
    ("body", "kind"), [(ORDERED, "ordered"), (TOGETHER, "together"), (COUNT, "count"), (VALUES, "values")]
)
@given(steps=STREAMS)
def test_it_first_holds_where_the_slow_definition_says(body: str, kind: str, steps: list[Timed]) -> None:
    events = _stream(steps)
    assert _first(events, _rules(body)) == _slow(events, kind)


@given(steps=STREAMS)
def test_the_same_stream_gives_the_same_detections(steps: list[Timed]) -> None:
    events, rules = _stream(steps), _rules(ORDERED)
    assert list(detect(events, rules)) == list(detect(events, rules))


def test_parts_are_silent_unless_they_are_to_be_generated() -> None:
    events = [_event(1, 0, "a"), _event(2, 1, "b"), _event(3, 2, "c")]
    assert [one.rule for one in detect(events, _rules(ORDERED))] == ["together"]
    told = [one.rule for one in detect(events, _rules(ORDERED + "\ngenerate: true"))]
    assert told == ["rule-a", "rule-b", "rule-c", "together"]


def test_what_has_no_value_to_group_by_is_of_no_group() -> None:
    events = [_event(1, 0, "a", ""), _event(2, 1, "b", ""), _event(3, 2, "c", "")]
    assert not list(detect(events, _rules(ORDERED)))


def test_groups_that_are_given_up_while_their_time_runs_are_counted() -> None:
    detector = Detector(_rules(ORDERED))
    for number in range(MOST_GROUPS + 5):
        detector.feed(_event(number, 0, "a", f"p{number}"))
    assert detector.forgotten == 5


def _filtered(expires: str, rules: str = "rule-b") -> RuleSet:
    exception = f"""title: ours
owner: platform team
expires: {expires}
logsource:
    category: dns_query
filter:
    rules: [{rules}]
    selection:
        PackageName: p
    condition: selection"""
    body = "\n".join(f"    {line}" for line in (ORDERED + "\ngenerate: true").splitlines())
    return rules_of(
        [("made-up.yml", f"{PARTS}\n---\ntitle: t\nname: together\ncorrelation:\n{body}\n---\n{exception}\n")]
    )


def _by_rule(found: list[Detection]) -> dict[str, str]:
    return {one.rule: one.silenced_by for one in found}


def test_an_exception_is_told_and_silences_what_rests_on_it() -> None:
    events = [_event(1, 0, "a"), _event(2, 1, "b"), _event(3, 2, "c")]
    found = _by_rule(list(detect(events, _filtered("1970-01-01"))))
    assert found["rule-a"] == found["rule-c"] == ""
    assert found["rule-b"] == "ours, owner platform team, until 1970-01-01"
    assert found["together"] == "an exception of one of its rules"


def test_an_exception_ends_with_its_day() -> None:
    day = 86_400
    events = [_event(1, day, "a"), _event(2, day + 1, "b"), _event(3, day + 2, "c")]
    found = list(detect(events, _filtered("1970-01-01")))
    assert set(_by_rule(found).values()) == {""}
    told = next(one for one in found if one.rule == "rule-b")
    assert told.statement.endswith("(no longer excepted: ours, owner platform team, ended on 1970-01-01)")


def test_an_exception_for_another_package_silences_nothing() -> None:
    events = [_event(1, 0, "a", "q"), _event(2, 1, "b", "q"), _event(3, 2, "c", "q")]
    found: Any = _by_rule(list(detect(events, _filtered("2030-01-01"))))
    assert set(found.values()) == {""}
