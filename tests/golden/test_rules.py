"""Every rule that comes with the program does what its cases say, was measured, and names no incident's indicator."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.incidents.library import BUNDLED, load_directory
from pratique.releases.rules.language import Rule
from pratique.releases.rules.library import bundled, texts_of_bundled
from pratique.workflow.rules import Tried, try_rules

CASES = Path(__file__).parent / "rules"
RULES = {rule.id: rule for rule in bundled()}


def places() -> Iterator[tuple[str, str, str]]:
    """Rule, what is wanted, and the name of each case."""
    for path in sorted(CASES.glob("*/*/*")):
        yield path.parts[-3], path.parts[-2], path.parts[-1]


@functools.cache
def tried(rule: str) -> dict[tuple[str, str], Tried]:
    """What became of the cases of a rule."""
    return {(one.wanted, one.case): one for one in try_rules([RULES[rule]], str(CASES))}


@pytest.mark.parametrize(("rule", "wanted", "case"), list(places()), ids=str)
def test_a_rule_does_what_its_case_wants(rule: str, wanted: str, case: str) -> None:
    one = tried(rule)[wanted, case]
    assert one.right, f"{rule} {'fired' if one.fired else 'did not fire'} on {wanted}/{case}"
    assert "?" not in one.words, "every place of the words is filled"


def test_every_rule_has_cases_and_every_case_a_rule() -> None:
    assert {path.name for path in CASES.iterdir()} == set(RULES)
    for rule in RULES:
        assert {path.name for path in (CASES / rule).iterdir()} == {"fires", "quiet"}


VERIFIED = {"trust.invalid", "trust.changed", "registry.mismatch"}
"""Facts of verification, which no corpus out of a mirror holds: rules on them alone raise a level by their floor."""


def by_floor(rule: Rule) -> bool:
    """Whether a rule speaks of what was verified alone, and raises its level without a rate."""
    return rule.floor != "none" and {kind for clause in (*rule.all, *rule.any) for kind in clause.kinds} <= VERIFIED


def test_every_rule_was_measured() -> None:
    unmeasured = [rule.id for rule in RULES.values() if rule.base_rate is None and not by_floor(rule)]
    assert unmeasured == []
    for rule in RULES.values():
        if rule.base_rate is not None:
            assert 0 <= rule.base_rate.alarms <= rule.base_rate.transitions
            assert rule.base_rate.transitions >= (40 if by_floor(rule) else 100), rule.id


def test_no_rule_names_what_identifies_an_incident() -> None:
    """A rule that names a package, a domain, a digest or a dropped file would only find what is known already."""
    listed = {name for path in indicators() for name in path}
    for name, text in texts_of_bundled():
        words = set(strings(tomllib.loads(text)))
        assert not words & listed, f"{name} names {words & listed}"


def indicators() -> Iterator[set[str]]:
    """The names and values of indicators of every bundled incident."""
    for incident in load_directory(BUNDLED):
        yield {component.name for component in incident.components}
        yield {str(getattr(indicator, "value", "")) for indicator in incident.indicators} - {""}


def strings(value: object) -> Iterator[str]:
    """Every text in conditions, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in {"incidents", "references", "base_rate"}:
                yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
