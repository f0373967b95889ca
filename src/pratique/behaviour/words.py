"""A behaviour rule in words, for a person: what it looks for, how bad it is, what else it may be."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.behaviour import modifiers
from pratique.behaviour.conditions import All, Condition, Named, Not
from pratique.behaviour.language import Correlation, Filter, Rule
from pratique.behaviour.ruleset import RuleSet
from pratique.behaviour.selections import Selection
from pratique.behaviour.vocabulary import CATEGORIES
from pratique.model.errors import ConfigurationError

_HOW = {
    "event_count": "so many matches",
    "value_count": "so many different values",
    "temporal": "all of them, in any order",
    "temporal_ordered": "all of them, in this order",
}


def behaviour_rule_lines(rules: RuleSet, name: str) -> list[str]:
    """One rule or correlation, by name or id, in lines. Raises ConfigurationError where there is none."""
    found = rules.named.get(name)
    if found is None:
        raise ConfigurationError(f"there is no behaviour rule {name!r}", advice="See: pratique rules list")
    return list(_lines(rules, found))


def _lines(rules: RuleSet, one: Rule | Correlation) -> Iterator[str]:
    head = one.head
    yield f"{one.name}  {one.level}{'' if one.level_given else ' (by default)'}"
    yield head.title
    if head.description:
        yield ""
        yield " ".join(head.description.split())
    yield ""
    if isinstance(one, Rule):
        category = CATEGORIES[one.category]
        yield f"on      {one.category}: {category.meaning}" + (f", on {one.product}" if one.product else "")
        yield f"when    {' or '.join(_condition(each) for each in one.detected.conditions)}"
        for selection, inner in one.detected.selections.items():
            unused = "  (named by no condition)" if selection in one.detected.unused else ""
            yield f"  {selection}{unused}"
            yield from (f"    {line}" for line in _selection(inner))
    else:
        yield f"when    {_HOW[one.way]}, within {one.seconds} s, of one {', '.join(one.group_by) or 'stream'}"
        if one.count is not None:
            most = f" and at most {one.count.most}" if one.count.most is not None else ""
            yield f"        at least {one.count.least}{most}" + (f" of {one.count.field}" if one.count.field else "")
        yield from (f"  {part.name}: {part.head.title}" for part in rules.parts[one.name])
    yield ""
    yield from (f"may also be  {text}" for text in head.false_positives)
    yield from (f"excepted     {line}" for line in _exceptions(rules, one))
    yield from (f"tag          {text}" for text in head.tags)
    yield from (f"see          {text}" for text in head.references)
    if head.unknown:
        yield f"not heeded   {', '.join(head.unknown)}"
    yield f"stands in    {head.file}:{head.line}"


def _exceptions(rules: RuleSet, one: Rule | Correlation) -> Iterator[str]:
    for exception in rules.filters:
        if one in rules.bound(exception):
            yield _exception(exception)


def _exception(exception: Filter) -> str:
    return f"{exception.head.title}, owner {exception.owner}, until {exception.expires.isoformat()}"


def _condition(condition: Condition, inner: bool = False) -> str:
    if isinstance(condition, Named):
        return condition.name
    if isinstance(condition, Not):
        return f"not {_condition(condition.inner, True)}"
    word = " and " if isinstance(condition, All) else " or "
    text = word.join(_condition(one, True) for one in condition.items)
    return f"({text})" if inner else text


def _selection(selection: Selection) -> Iterator[str]:
    for number, item in enumerate(selection.items):
        between = "or " if selection.either and number else ""
        if isinstance(item, Selection):
            lines = list(_selection(item))
            yield between + " and ".join(lines)
        else:
            yield between + _item(item)


def _item(item: modifiers.Item) -> str:
    values = [modifiers.shown(one) for one in item.wanted]
    word = " and " if item.all_of else " or "
    shown = word.join(values[:6]) + (f"{word}{len(values) - 6} more" if len(values) > 6 else "")
    return f"{item.field or 'any field'} {'is not' if item.negated else 'is'} {shown}"
