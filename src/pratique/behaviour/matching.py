"""Tests on an event: what is wanted of its fields, made into functions once, so that each event costs little."""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Sequence
from functools import lru_cache

from pratique.behaviour.expressions import Expression, UnsupportedError
from pratique.behaviour.modifiers import (
    Compared,
    Exists,
    Found,
    Item,
    Network,
    Null,
    Number,
    Reference,
    Several,
    Text,
    Truth,
    Wanted,
    WrongError,
    contains,
    words,
)
from pratique.behaviour.texts import fold_parts, glob, shape_of
from pratique.behaviour.views import View

Test = Callable[[View], bool]

_COMPARISONS = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def test_of(item: Item) -> Test:
    """Whether an event is what an item wants. Raises WrongError where an expression is not supported."""
    found = _keywords(item) if item.field is None else _of_field(item.field, item)
    return (lambda view: not found(view)) if item.negated else found


def _keywords(item: Item) -> Test:
    """Words that are looked for in every field."""
    tests: list[Callable[[View, str], bool]] = []
    for one in item.wanted:
        if isinstance(one, Number):
            one = Text((str(one.number),), str(one.number))
        values = one.values if isinstance(one, Several) else (one,)
        texts = tuple(contains(each) if isinstance(each, Text) else each for each in values)
        if not all(isinstance(each, Text | Found) for each in texts):
            raise WrongError(f"{words(one)} cannot be a keyword", "Name the field that it is about")
        tests.append(_either([_single(each) for each in texts]))
    if item.all_of:
        return lambda view: all(any(test(view, field) for field in view.fields()) for test in tests)
    return lambda view: any(test(view, field) for field in view.fields() for test in tests)


def _either(tests: list[Callable[[View, str], bool]]) -> Callable[[View, str], bool]:
    return tests[0] if len(tests) == 1 else lambda view, field: any(test(view, field) for test in tests)


def _of_field(field: str, item: Item) -> Test:
    if item.all_of or len(item.wanted) == 1:
        tests = [_group(field, one.values if isinstance(one, Several) else (one,)) for one in item.wanted]
        if len(tests) == 1:
            return tests[0]
        return lambda view: all(test(view) for test in tests)
    flat: list[Wanted] = []
    for one in item.wanted:
        flat += one.values if isinstance(one, Several) else [one]
    return _group(field, flat)


def _group(field: str, wanted: Sequence[Wanted]) -> Test:
    """A test for one of several values: those of one simple shape are compared together."""
    shapes: dict[str, list[str]] = {}
    others: list[Callable[[View, str], bool]] = []
    for one in wanted:
        shape = shape_of(fold_parts(one.parts)) if isinstance(one, Text) and not one.cased else None
        if shape is not None:
            shapes.setdefault(shape[0], []).append(shape[1])
        else:
            others.append(_single(one))
    tests: list[Test] = [_shaped(field, shape, texts) for shape, texts in shapes.items()]
    tests += [_bound(field, one) for one in others]
    return tests[0] if len(tests) == 1 else lambda view: any(test(view) for test in tests)


def _bound(field: str, test: Callable[[View, str], bool]) -> Test:
    return lambda view: test(view, field)


def _shaped(field: str, shape: str, texts: list[str]) -> Test:
    if shape == "equals":
        exact = frozenset(texts)
        return lambda view: any(text in exact for text in view.folded(field))
    many = tuple(texts)
    if shape == "starts":
        return lambda view: any(text.startswith(many) for text in view.folded(field))
    if shape == "ends":
        return lambda view: any(text.endswith(many) for text in view.folded(field))
    if len(many) == 1:
        only = many[0]
        return lambda view: any(only in text for text in view.folded(field))
    return lambda view: any(one in text for text in view.folded(field) for one in many)


def _single(wanted: Wanted) -> Callable[[View, str], bool]:
    """A test for one value, on a field that is named when it is asked."""
    if isinstance(wanted, Text):
        if wanted.cased:
            cased = glob(wanted.parts)
            return lambda view, field: any(cased(text) for text in view.texts(field))
        folded = glob(fold_parts(wanted.parts))
        return lambda view, field: any(folded(text) for text in view.folded(field))
    if isinstance(wanted, Found):
        try:
            search = Expression(wanted.expression, wanted.flags).search
        except UnsupportedError as error:
            raise WrongError(
                f"the expression {wanted.expression!r} is not evaluated: {error}",
                "Write it without, with contains, startswith and endswith where they do",
            ) from None
        return lambda view, field: any(search(text) for text in view.texts(field))
    if isinstance(wanted, Null):
        return lambda view, field: view.value(field) is None
    if isinstance(wanted, Exists):
        return lambda view, field: (view.value(field) is not None) is wanted.wanted
    if isinstance(wanted, Truth):
        truth = "true" if wanted.truth else "false"
        return lambda view, field: truth in view.folded(field)
    if isinstance(wanted, Number):
        number = wanted.number
        return lambda view, field: any(_number(text) == number for text in view.texts(field))
    if isinstance(wanted, Compared):
        compare, limit = _COMPARISONS[wanted.way], wanted.number
        return lambda view, field: any(
            (found := _number(text)) is not None and compare(found, limit) for text in view.texts(field)
        )
    if isinstance(wanted, Network):
        return lambda view, field: any(_within(text, wanted.network) for text in view.texts(field))
    if isinstance(wanted, Reference):
        return lambda view, field: _refers(view, field, wanted)
    raise AssertionError("several values are taken apart before")


def _number(text: str) -> int | float | None:
    try:
        return int(text) if len(text) < 20 else None
    except ValueError:
        pass
    try:
        return float(text) if len(text) < 40 else None
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; one of IPv4 that is written within IPv6 is one of IPv4."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
        return found.ipv4_mapped
    return found


def _within(text: str, network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> bool:
    found = _address(text)
    return found is not None and found.version == network.version and found in network


def _refers(view: View, field: str, wanted: Reference) -> bool:
    """Whether a field is, begins with, ends in or contains what another one holds."""
    for text in view.folded(field):
        for other in view.folded(wanted.field):
            if wanted.starts and wanted.ends:
                found = other in text
            elif wanted.starts:
                found = text.startswith(other)
            elif wanted.ends:
                found = text.endswith(other)
            else:
                found = text == other
            if found:
                return True
    return False
