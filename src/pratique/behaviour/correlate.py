"""Correlations over a stream: how many, how many different, all of them, all in order, each within a time and a group.

Memory is bounded: so many groups are held for each correlation, and of each no more than decides. A group that has to
be given up while its time still runs is counted, and told by who asks.

The times are those of the events. A correlation that held begins anew, so that one chain is told once.
"""

from __future__ import annotations

from collections import OrderedDict, deque

from pratique.behaviour.language import Correlation, Count
from pratique.behaviour.views import View

MOST_GROUPS = 4096
SECOND = 1_000_000_000

Key = tuple[tuple[str, ...], ...]


class Occurrence:
    """A match of a rule or a correlation: when it was complete, on which events it rests, and the last one's fields."""

    __slots__ = ("events", "time_ns", "view")

    def __init__(self, time_ns: int, events: tuple[int, ...], view: View) -> None:
        self.time_ns, self.events, self.view = time_ns, events, view


class _Counting:
    """One group of event_count: the latest matches, as many as decide."""

    __slots__ = ("kept",)

    def __init__(self, count: Count) -> None:
        self.kept: deque[tuple[int, tuple[int, ...]]] = deque(maxlen=(count.most or count.least) + 1)


class _Values:
    """One group of value_count: when each value was last seen."""

    __slots__ = ("kept",)

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[str, ...], tuple[int, tuple[int, ...]]] = OrderedDict()


class _Chain:
    """One group of a temporal correlation: for each rule its last match; in order, the best chain that ends there."""

    __slots__ = ("kept",)

    def __init__(self, number: int) -> None:
        self.kept: list[tuple[int, int, tuple[int, ...]] | None] = [None] * number


class Correlator:
    """The state of one correlation."""

    def __init__(self, correlation: Correlation) -> None:
        self.correlation = correlation
        self.span = correlation.seconds * SECOND
        self.groups: OrderedDict[Key, tuple[int, _Counting | _Values | _Chain]] = OrderedDict()
        self.forgotten = 0
        self._fields = [
            tuple(correlation.aliases.get(field, {}).get(rule, field) for field in correlation.group_by)
            for rule in correlation.rules
        ]

    def feed(self, position: int, match: Occurrence) -> tuple[int, ...] | None:
        """Take a match of the rule at that position; the events that it rests on where the correlation holds now."""
        key = tuple(match.view.folded(field) for field in self._fields[position])
        if not all(key):
            return None  # what has no value belongs to no group
        state = self._state(key, match.time_ns)
        if isinstance(state, _Counting):
            found = self._count(state, match)
        elif isinstance(state, _Values):
            found = self._value(state, match)
        elif self.correlation.way == "temporal":
            found = self._together(state, position, match)
        else:
            found = self._in_order(state, position, match)
        if found is not None:
            self.groups.pop(key, None)
            found = tuple(dict.fromkeys(found))
        return found

    def _state(self, key: Key, now: int) -> _Counting | _Values | _Chain:
        held = self.groups.pop(key, None)
        if held is not None:
            state = held[1]
        elif self.correlation.count is None:
            state = _Chain(len(self.correlation.rules))
        elif self.correlation.count.field:
            state = _Values()
        else:
            state = _Counting(self.correlation.count)
        while len(self.groups) >= MOST_GROUPS:
            _, (last, _) = self.groups.popitem(last=False)
            self.forgotten += now - last <= self.span
        self.groups[key] = (now, state)
        return state

    def _count(self, state: _Counting, match: Occurrence) -> tuple[int, ...] | None:
        count = self.correlation.count
        state.kept.append((match.time_ns, match.events))
        while state.kept and match.time_ns - state.kept[0][0] > self.span:
            state.kept.popleft()
        if count is not None and count.holds(len(state.kept)):
            return tuple(event for _, events in state.kept for event in events)
        return None

    def _value(self, state: _Values, match: Occurrence) -> tuple[int, ...] | None:
        count = self.correlation.count
        if count is None:
            return None
        value = match.view.folded(count.field)
        if not value:
            return None
        state.kept.pop(value, None)
        state.kept[value] = (match.time_ns, match.events)
        while state.kept and match.time_ns - next(iter(state.kept.values()))[0] > self.span:
            state.kept.popitem(last=False)
        while len(state.kept) > (count.most or count.least) + 1:
            state.kept.popitem(last=False)
        if count.holds(len(state.kept)):
            return tuple(event for _, events in state.kept.values() for event in events)
        return None

    def _together(self, state: _Chain, position: int, match: Occurrence) -> tuple[int, ...] | None:
        state.kept[position] = (match.time_ns, match.time_ns, match.events)
        found: list[tuple[int, int, tuple[int, ...]]] = []
        for one in state.kept:
            if one is None or abs(match.time_ns - one[0]) > self.span:
                return None
            found.append(one)
        return tuple(event for one in sorted(found) for event in one[2])

    def _in_order(self, state: _Chain, position: int, match: Occurrence) -> tuple[int, ...] | None:
        """Lengthen the chain that ends before this rule. Of two chains of one length the one begun later is better."""
        if position == 0:
            state.kept[0] = (match.time_ns, match.time_ns, match.events)
            return None
        before = state.kept[position - 1]
        if before is None or match.time_ns - before[0] > self.span or before[2][-1] == match.events[-1]:
            return None
        chain = (before[0], match.time_ns, before[2] + match.events)
        if position == len(state.kept) - 1:
            return chain[2]
        state.kept[position] = chain
        return None
