"""The `detection` of a rule, or the body of a filter: named selections and a condition, made into one test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import msgspec

from pratique.behaviour import conditions, modifiers
from pratique.behaviour.conditions import Condition, Named, Not
from pratique.behaviour.documents import Node, Origin
from pratique.behaviour.matching import Test, test_of
from pratique.behaviour.modifiers import Item
from pratique.behaviour.views import View

MOST_SELECTIONS = 200


class Selection(msgspec.Struct, frozen=True):
    """A named selection: items that must all be met, or, where `either`, inner ones of which one is enough."""

    items: tuple[Item | Selection, ...]
    either: bool = False


class Detected(msgspec.Struct, frozen=True):
    """What a rule looks for: selections by name, conditions (one is enough), and whether an event meets them."""

    selections: dict[str, Selection]
    conditions: tuple[Condition, ...]
    matches: Test
    fields: tuple[str, ...]
    unused: tuple[str, ...] = ()


def detected(node: Node, origin: Origin, fields: Collection[str] | None, skip: Collection[str] = ()) -> Detected:
    """The detection section. `fields` are those that its events can have; None: any. Raises ConfigurationError."""
    if not isinstance(node.value, dict):
        raise origin.error(node, "holds no selections", "Write names with fields below, and `condition`")
    condition = node.get("condition")
    if condition is None:
        raise origin.error(node, "has no condition", "Write `condition: selection`")
    if "timeframe" in node.value:
        raise origin.error(node.keys["timeframe"], "has a timeframe, which was given up", "Write a correlation instead")
    selections: dict[str, Selection] = {}
    tests: dict[str, Test] = {}
    used: dict[str, None] = {}
    for name, inner in node.value.items():
        if name == "condition" or name in skip:
            continue
        if len(selections) >= MOST_SELECTIONS:
            raise origin.error(inner, f"has more than {MOST_SELECTIONS} selections", "Split the rule")
        selections[name] = _selection(inner, origin, fields)
        used.update(dict.fromkeys(_fields(selections[name])))
        try:
            tests[name] = _test(selections[name])
        except modifiers.WrongError as error:
            raise origin.error(inner, f"selection {name!r}: {error.what}", error.advice) from None
    found = tuple(_condition(one, origin, selections) for one in _conditions(condition, origin))
    asked = {name for one in found for name in conditions.named(one)}
    whole = [_compiled(one, tests) for one in found]
    matches = whole[0] if len(whole) == 1 else _any(whole)
    unused = tuple(name for name in selections if name not in asked)
    return Detected(selections, found, matches, tuple(used), unused)


def _conditions(node: Node, origin: Origin) -> Iterator[Node]:
    inner = node.value if isinstance(node.value, list) else [node]
    if not inner:
        raise origin.error(node, "has an empty condition", "Write `condition: selection`")
    for one in inner:
        if not isinstance(one.value, str):
            raise origin.error(one, "has a condition that is no text", "Write `condition: selection`")
        yield one


def _condition(node: Node, origin: Origin, names: Collection[str]) -> Condition:
    try:
        return conditions.parse(str(node.value), names)
    except conditions.WrongError as error:
        advice = "See docs/how-to/write-a-behaviour-rule.md"
        raise origin.error(node, f"the condition {str(node.value)[:80]!r}: {error}", advice) from None


def _selection(node: Node, origin: Origin, fields: Collection[str] | None) -> Selection:
    if isinstance(node.value, dict):
        if not node.value:
            raise origin.error(node, "is an empty selection", "Write a field and its value, or remove it")
        return Selection(tuple(_item(key, inner, origin, fields) for key, inner in node.value.items()))
    if isinstance(node.value, list):
        if not node.value:
            raise origin.error(node, "is an empty selection", "Write a field and its value, or remove it")
        if all(not isinstance(one.value, dict | list) for one in node.value):
            return Selection((_item("", node, origin, fields),))
        return Selection(tuple(_selection(one, origin, fields) for one in node.value), either=True)
    return Selection((_item("", node, origin, fields),))


def _item(key: str, node: Node, origin: Origin, fields: Collection[str] | None) -> Item:
    if isinstance(node.value, dict):
        raise origin.error(node, f"{key!r} holds a mapping", "Write a value or a list of values")
    values = [one.value for one in node.value] if isinstance(node.value, list) else [node.value]
    try:
        made = modifiers.item(key, values)
    except modifiers.WrongError as error:
        raise origin.error(node, error.what, error.advice) from None
    for field in modifiers.fields_of(made):
        if fields is not None and field not in fields:
            raise origin.error(
                node,
                f"speaks of the field {field!r}, which no event of this log source has here",
                f"It could never be met. Use one of {', '.join(sorted(fields))}",
            )
    if made.field is None and any(isinstance(one, modifiers.Null) for one in made.wanted):
        raise origin.error(node, "has null as a keyword", "Name the field that is not to be there")
    return made


def _fields(selection: Selection) -> Iterator[str]:
    for one in selection.items:
        if isinstance(one, Selection):
            yield from _fields(one)
        else:
            yield from modifiers.fields_of(one)


def _test(selection: Selection) -> Test:
    tests = [_test(one) if isinstance(one, Selection) else test_of(one) for one in selection.items]
    if len(tests) == 1:
        return tests[0]
    return _any(tests) if selection.either else _all(tests)


def _compiled(condition: Condition, tests: dict[str, Test]) -> Test:
    if isinstance(condition, Named):
        return tests[condition.name]
    if isinstance(condition, Not):
        inner = _compiled(condition.inner, tests)
        return lambda view: not inner(view)
    items = [_compiled(one, tests) for one in condition.items]
    return _all(items) if isinstance(condition, conditions.All) else _any(items)


def _two(tests: list[Test], way: Callable[[Test, Test], Test]) -> Test | None:
    return way(*tests) if len(tests) == 2 else None


def _all(tests: list[Test]) -> Test:
    def both(one: Test, other: Test) -> Test:
        return lambda view: one(view) and other(view)

    def every(view: View) -> bool:
        return all(test(view) for test in tests)

    return _two(tests, both) or every


def _any(tests: list[Test]) -> Test:
    def either(one: Test, other: Test) -> Test:
        return lambda view: one(view) or other(view)

    def some(view: View) -> bool:
        return any(test(view) for test in tests)

    return _two(tests, either) or some
