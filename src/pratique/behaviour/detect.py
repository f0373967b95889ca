"""From events to detections, one by one, for hours: every rule on every event, correlations over time, exceptions told.

Deterministic: the same events and rules give the same detections in the same order. The only clock is that of the
events; an exception ends on its day by their time.
"""

from __future__ import annotations

import datetime
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from pratique.behaviour.correlate import SECOND, Correlator, Occurrence
from pratique.behaviour.language import PLACE, Correlation, Filter, Rule
from pratique.behaviour.ruleset import RuleSet
from pratique.behaviour.views import View
from pratique.behaviour.vocabulary import EventView, Product, Seen, categories_of, command_line
from pratique.model.event import Detection, Event

MOST_PROCESSES = 16_384
"""So many command lines of processes are remembered, for those that they start."""
MOST_TOLD = 8192
"""So many detections are remembered, so that one that is repeated is not told again."""
LONGEST = 300


def detect(
    events: Iterable[Event], rules: RuleSet, filters: Sequence[Filter] = (), *, product: Product = "linux"
) -> Iterator[Detection]:
    """The detections of a stream of events, each as soon as the event that completes it has come.

    `product` is the system that the events are of: linux, macos or windows; rules for another do not apply. What one
    process does again and again to the same file, address or name is told once. Raises ConfigurationError where a
    filter names a rule that is not there.
    """
    detector = Detector(rules, filters, product=product)
    for event in events:
        yield from detector.feed(event)


class _Bound:
    """A rule with the filters that are for it and the correlations that it feeds."""

    __slots__ = ("feeds", "filters", "rule", "shown")

    def __init__(self, rule: Rule, filters: tuple[Filter, ...], shown: bool) -> None:
        self.rule, self.filters, self.shown = rule, filters, shown
        self.feeds: list[tuple[_Pair, int]] = []


class _Pair:
    """A correlation twice: over what no exception was made of, and, where one could be, over everything."""

    __slots__ = ("counting", "everything", "feeds", "shown")

    def __init__(self, correlation: Correlation, excepted: bool, shown: bool) -> None:
        self.counting = Correlator(correlation)
        self.everything = Correlator(correlation) if excepted else None
        self.shown = shown
        self.feeds: list[tuple[_Pair, int]] = []


class Detector:
    """Rules at work. `forgotten` counts what had to be given up for lack of room: chains that may have been missed."""

    def __init__(self, rules: RuleSet, filters: Sequence[Filter] = (), *, product: Product = "linux") -> None:
        rules = rules.joined(filters)
        self.product = product
        self._by_category: dict[str, list[_Bound]] = {}
        bound: dict[str, _Bound | _Pair] = {}
        filters_of = {one.name: rules.bound(one) for one in rules.filters}
        for rule in rules.rules:
            if rule.product in ("", product):
                own = tuple(one for one in rules.filters if rule in filters_of[one.name])
                one = bound[rule.name] = _Bound(rule, own, rule.name not in rules.hidden)
                self._by_category.setdefault(rule.category, []).append(one)
        self._pairs: list[_Pair] = []
        for correlation in rules.correlations:
            excepted = any(
                name == rule.name for part in rules.parts[correlation.name] for name, _ in rules.fields(part)
                for found in filters_of.values() for rule in found
            )  # fmt: skip
            pair = bound[correlation.name] = _Pair(correlation, excepted, correlation.name not in rules.hidden)
            self._pairs.append(pair)
        for pair in self._pairs:
            for position, part in enumerate(rules.parts[pair.counting.correlation.name]):
                if part.name in bound:
                    bound[part.name].feeds.append((pair, position))
        self._commands: OrderedDict[int, str] = OrderedDict()
        self._told: OrderedDict[tuple[object, ...], None] = OrderedDict()

    @property
    def forgotten(self) -> int:
        """How many groups of correlations were given up before their time had run out."""
        return sum(pair.counting.forgotten for pair in self._pairs)

    def feed(self, event: Event) -> list[Detection]:
        """The detections that an event completes."""
        found: list[Detection] = []
        seen: Seen | None = None
        for category in categories_of(event):
            bound = self._by_category.get(category.name)
            if not bound:
                continue
            if seen is None:
                seen = Seen(event, self.product, self._parent_command(event))
            view = EventView(seen, category)
            for one in bound:
                if one.rule.detected.matches(view):
                    self._matched(one, event, view, found)
        self._remember(event, seen)
        return found

    def _parent_command(self, event: Event) -> str | None:
        return self._commands.get(event.process.parent) if event.process is not None else None

    def _remember(self, event: Event, seen: Seen | None) -> None:
        """The command lines of processes, for those that they start."""
        if event.process is None:
            return
        pid = event.process.pid
        if event.kind == "process.end":
            self._commands.pop(pid, None)
        elif event.kind == "process.start" and event.outcome in ("done", "unknown"):
            command = command_line(seen or Seen(event))
            if command is not None:
                self._commands.pop(pid, None)
                self._commands[pid] = command
                if len(self._commands) > MOST_PROCESSES:
                    self._commands.popitem(last=False)

    def _matched(self, one: _Bound, event: Event, view: View, found: list[Detection]) -> None:
        silenced, ended = "", []
        for exception in one.filters:
            if exception.detected.matches(view):
                if event.time_ns // SECOND < _end(exception.expires):
                    silenced = silenced or _named(exception, "until")
                else:
                    ended.append(_named(exception, "ended on"))
        if one.shown:
            self._tell(one.rule, event, view, (event.sequence,), silenced, ended, found)
        self._fed(one.feeds, Occurrence(event.time_ns, (event.sequence,), view), event, view, silenced, found)

    def _fed(
        self,
        feeds: list[tuple[_Pair, int]],
        match: Occurrence,
        event: Event,
        view: View,
        silenced: str,
        found: list[Detection],
    ) -> None:
        """Let correlations take a match. A silenced one counts only for what an exception keeps from being told."""
        for pair, position in feeds:
            events = pair.counting.feed(position, match) if not silenced else None
            with_all = pair.everything.feed(position, match) if pair.everything is not None else None
            why = ""
            if events is None and with_all is not None:
                events, why = with_all, silenced or "an exception of one of its rules"
            if events is not None:
                correlation = pair.counting.correlation
                if pair.shown:
                    self._tell(correlation, event, view, events, why, [], found)
                self._fed(pair.feeds, Occurrence(match.time_ns, events, view), event, view, why, found)

    def _tell(
        self,
        rule: Rule | Correlation,
        event: Event,
        view: View,
        events: tuple[int, ...],
        silenced: str,
        ended: list[str],
        found: list[Detection],
    ) -> None:
        process = event.process
        about = (event.path, event.target, event.address, event.port, event.host, tuple(event.detail.items()))
        own = (process.pid, process.started_ns, process.arguments) if process is not None else None
        key = (rule.name, event.cause, own, about, silenced)
        if key in self._told:
            self._told.move_to_end(key)
            return
        self._told[key] = None
        if len(self._told) > MOST_TOLD:
            self._told.popitem(last=False)
        statement = statement_of(rule, view)
        if ended:
            statement += f" (no longer excepted: {'; '.join(ended)})"
        found.append(
            Detection(
                rule=rule.name,
                title=rule.head.title,
                level=rule.level,
                statement=statement,
                events=events,
                cause=event.cause,
                process=process,
                tags=rule.head.tags,
                references=rule.head.references,
                silenced_by=silenced,
            )
        )


def _end(day: datetime.date) -> int:
    """The second at which a day is over in UTC."""
    return int(datetime.datetime.combine(day, datetime.time(), datetime.UTC).timestamp()) + 86_400


def _named(exception: Filter, word: str) -> str:
    return f"{exception.head.title}, owner {exception.owner}, {word} {exception.expires.isoformat()}"


def statement_of(rule: Rule | Correlation, view: View) -> str:
    """The rule's sentence with its fields filled in, or its title and what the event is about."""
    if rule.head.words:
        filled = PLACE.sub(lambda match: _shown(view, match[1]) or "?", rule.head.words)
        return filled if len(filled) <= LONGEST else filled[: LONGEST - 1] + "…"
    about = [_shown(view, name) for name in _ABOUT]
    return ": ".join([rule.head.title, *[one for one in about if one][:1]])


_ABOUT = ("TargetFilename", "QueryName", "query", "DestinationIp", "CommandLine", "StartedFile", "Image", "What")


def _shown(view: View, field: str) -> str:
    text = ", ".join(view.texts(field))
    return text if len(text) <= 120 else text[:119] + "…"
