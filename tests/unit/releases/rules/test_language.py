"""Rules are data: what is wrong with one is told, and what is right holds as written."""

from __future__ import annotations

import math

import pytest

from pratique.model.errors import ConfigurationError
from pratique.releases.rules.evaluate import evaluate
from pratique.releases.rules.language import BaseRate, parse_rule
from tests.unit.releases.rules.build import fact, rule, transition

NETWORK = '[[all]]\nfact = "capability.network"'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (rule('[[all]]\nfact = "capability.teleport"'), "no kind of fact"),
        (rule('[[all]]\nfact = "capability.network"\nwhere = { colour = "red" }'), "no attribute 'colour'"),
        (rule('[[all]]\nfact = "capability.network"\nwhere = { api = { matches = "(" } }'), "no regular expression"),
        (rule('[[all]]\nfact = "capability.network"\npath = "["'), "no regular expression"),
        (rule('[[all]]\nfact = "capability.network"\ncount = 0'), "count is less than 1"),
        (rule('[[none_such]]\nfact = "capability.network"'), "unknown field"),
        (rule(), "no clause"),
        (rule('[[not]]\nfact = "capability.network"'), "no clause"),
        (rule(NETWORK, scope="release"), "review at most"),
        (rule(NETWORK, scope="dependency"), 'needs a clause of = "dependency"'),
        (rule('[[all]]\nfact = "capability.network"\nof = "dependency"'), "needs scope dependency"),
        (rule(NETWORK, ceiling="none"), "raises nothing"),
        (rule('words = "{gone.api} is there"', NETWORK), "which no clause is called"),
        (rule(NETWORK).replace("a-rule", "A Rule"), "small letters"),
        ("id = ", "is no rule"),
        ("", "is no rule"),
    ],
)
def test_a_wrong_rule_is_told(text: str, told: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_rule(text, "team/a-rule.toml")
    assert told in str(raised.value)
    assert "team/a-rule.toml" in str(raised.value)


def test_all_must_be_met_and_none_of_not() -> None:
    text = rule(
        '[[all]]\nfact = "capability.network"',
        '[[all]]\nfact = "capability.environment-read"\nwhere = { whole = true }',
        '[[not]]\nfact = "capability.delay"',
    )
    both = (fact("capability.network"), fact("capability.environment-read", whole=True))
    parsed = parse_rule(text, "x")
    assert evaluate(parsed, transition(*both)) is not None
    assert evaluate(parsed, transition(both[0])) is None
    assert evaluate(parsed, transition(both[0], fact("capability.environment-read", whole=False))) is None
    assert evaluate(parsed, transition(*both, fact("capability.delay"))) is None


def test_one_of_any_is_enough() -> None:
    parsed = parse_rule(rule('[[any]]\nfact = "trigger.bin"', '[[any]]\nfact = "trigger.lifecycle"'), "x")
    assert evaluate(parsed, transition(fact("trigger.lifecycle"))) is not None
    assert evaluate(parsed, transition(fact("capability.network"))) is None


def test_a_rule_of_a_difference_wants_what_is_new() -> None:
    parsed = parse_rule(rule(NETWORK), "x")
    assert evaluate(parsed, transition(fact("capability.network", delta="kept"))) is None
    assert evaluate(parsed, transition(fact("capability.network", delta="unknown"))) is None
    assert evaluate(parsed, transition(fact("capability.network", delta="changed"))) is not None


def test_one_file() -> None:
    text = rule(
        'together = "file"',
        '[[all]]\nfact = "capability.network"',
        '[[all]]\nfact = "capability.environment-read"',
        '[[all]]\nfact = "trigger.lifecycle"\nanywhere = true',
    )
    parsed = parse_rule(text, "x")
    hook = fact("trigger.lifecycle", "package.json")
    apart = (hook, fact("capability.network", "a.js"), fact("capability.environment-read", "b.js"))
    assert evaluate(parsed, transition(*apart)) is None
    found = evaluate(parsed, transition(*apart, fact("capability.environment-read", "a.js", 3)))
    assert found is not None
    assert [one.path for _, one in found.facts] == ["a.js", "a.js", "package.json"]


def test_kinds_with_a_star_numbers_and_patterns() -> None:
    text = rule('[[all]]\nfact = "capability.*"\nwhere = { api = { matches = "^fetch$" } }\ncount = 2')
    parsed = parse_rule(text, "x")
    assert evaluate(parsed, transition(fact("capability.network", api="fetch"))) is None
    two = (fact("capability.network", api="fetch"), fact("capability.download", api="fetch"))
    assert evaluate(parsed, transition(*two)) is not None
    young = parse_rule(
        rule('[[all]]\nfact = "registry.age"\nwhere = { release_days = { max = 2 } }', scope="registry"), "x"
    )
    assert evaluate(young, transition(fact("registry.age", delta="unknown", release_days=0.5))) is not None
    assert evaluate(young, transition(fact("registry.age", delta="unknown", release_days=3))) is None
    assert evaluate(young, transition(fact("registry.age", delta="unknown"))) is None, "what is not known is not young"


def test_a_dependency_is_bound_by_its_name() -> None:
    text = rule(
        'words = "{release} adds {dependency}, which {hook.event} runs {hook.command}"',
        '[[all]]\nfact = "dependency.declared"\ndelta = ["added"]\nwhere = { imported = "no" }',
        '[[all]]\nfact = "trigger.lifecycle"\nof = "dependency"\nas = "hook"',
        scope="dependency",
    )
    parsed = parse_rule(text, "x")
    declared = fact("dependency.declared", name="mooring", imported="no")
    runs = fact("trigger.lifecycle", "package.json", 4, delta="unknown", event="postinstall", command="node a.js")
    mooring = transition(runs, name="mooring", predecessor="", kind="first", depth=1)
    other = transition(runs, name="anchor", predecessor="", kind="first", depth=1)
    found = evaluate(parsed, transition(declared, dependencies=(mooring,)))
    assert found is not None
    assert found.words == "harbour 1.0.1 adds mooring, which postinstall runs node a.js"
    assert [purl for purl, _ in found.facts] == ["pkg:npm/harbour@1.0.1", "pkg:npm/mooring@1.0.1"]
    assert evaluate(parsed, transition(declared, dependencies=(other,))) is None
    deep = transition(name="mooring", predecessor="", kind="first", depth=1, dependencies=(other,))
    assert evaluate(parsed, transition(declared, dependencies=(deep,))) is not None, "what it brings counts as its own"


def test_the_weight_is_the_rarity() -> None:
    assert BaseRate(0, 1499, "c").weight == pytest.approx(-math.log10(0.5 / 1500))
    assert BaseRate(1500, 1500, "c").weight < 0.01
    assert BaseRate(0, 10**9, "c").weight == 4.0
    unmeasured = parse_rule(rule(NETWORK).partition("[base_rate]")[0], "x")
    assert unmeasured.weight == 0.0
