"""A level is earned by rarity, within what each rule may raise, and told by the fewest findings."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.errors import ConfigurationError
from pratique.model.observation import Refusal
from pratique.model.release import LEVELS, Fact
from pratique.releases.judge import judge
from pratique.releases.rules.language import Rule, parse_rule
from tests.unit.releases.rules.build import fact, rule, transition


def made(name: str, kind: str, family: str, alarms: int, ceiling: str = "block") -> Rule:
    """A rule that holds where a fact of that kind is new; `alarms` in 1,999 transitions."""
    text = rule(f'[[all]]\nfact = "{kind}"', alarms=alarms, transitions=1999, ceiling=ceiling)
    return parse_rule(text.replace("a-rule", name).replace('family = "code"', f'family = "{family}"'), name)


RARE = made("rare", "chain.secret-to-network", "code", 0)
ODD = made("odd", "trigger.lifecycle", "trigger", 30)
ALSO = made("also", "dependency.undeclared", "dependency", 19)
SAME = made("same", "capability.network", "code", 100)
WEAK = made("weak", "capability.process", "weak", 0, "note")
RULES = (RARE, ODD, ALSO, SAME, WEAK)
KINDS = [one.all[0].kinds[0] for one in RULES]


def test_one_rare_finding_blocks() -> None:
    judged = judge(transition(fact("chain.secret-to-network")), RULES)
    assert (judged.level, judged.chain) == ("block", ("harbour 1.0.1 does",))


def test_two_odd_findings_of_different_families_add_up_and_of_one_do_not() -> None:
    assert judge(transition(fact("trigger.lifecycle")), RULES).level == "note"
    assert judge(transition(fact("trigger.lifecycle"), fact("dependency.undeclared")), RULES).level == "block"
    assert judge(transition(fact("capability.network"), fact("capability.network", "b.js")), RULES).level == "note"


def test_a_finding_raises_no_more_than_its_rule_may() -> None:
    assert judge(transition(fact("capability.process")), RULES).level == "note"
    assert judge(transition(fact("capability.process"), fact("trigger.lifecycle")), RULES).level == "note"


def test_nothing_found_is_none_and_what_was_not_examined_is_told() -> None:
    refused = Refusal("a.js", "javascript", "is larger than the budget", True)
    judged = judge(transition(refusals=(refused,)), RULES)
    assert (judged.level, judged.complete, judged.refusals) == ("none", False, (refused,))
    assert judge(transition(), RULES).complete


def test_a_dependency_raises_what_asks_for_it() -> None:
    inner = transition(fact("chain.secret-to-network"), name="mooring", depth=1)
    judged = judge(transition(dependencies=(inner,)), RULES)
    assert judged.level == "block"
    assert judged.findings[0].facts[0][0] == "pkg:npm/mooring@1.0.1"


@given(st.lists(st.sampled_from(KINDS), max_size=6), st.sampled_from(KINDS))
def test_one_more_fact_never_lowers_the_level(kinds: list[str], more: str) -> None:
    facts: list[Fact] = [fact(kind) for kind in kinds]
    before, after = (judge(transition(*some), RULES) for some in (facts, [*facts, fact(more)]))
    assert LEVELS.index(after.level) >= LEVELS.index(before.level)
    assert after.rarity >= before.rarity


@given(st.lists(st.sampled_from(KINDS), max_size=6), st.randoms())
def test_order_does_not_matter(kinds: list[str], chance: random.Random) -> None:
    facts = [fact(kind) for kind in kinds]
    other = list(facts)
    chance.shuffle(other)
    assert judge(transition(*facts), RULES) == judge(transition(*other), tuple(reversed(RULES)))


def test_a_floor_holds_alone_and_adds_to_no_chain_above_it() -> None:
    text = rule('floor = "review"', '[[all]]\nfact = "trust.lost"', alarms=400, transitions=1999, scope="registry")
    lost = parse_rule(text, "x")
    judged = judge(transition(fact("trust.lost", delta="unknown")), (lost, RARE))
    assert (judged.level, len(judged.chain)) == ("review", 1)
    both = judge(transition(fact("trust.lost", delta="unknown"), fact("chain.secret-to-network")), (lost, RARE))
    assert both.level == "block"


def test_only_a_proof_may_have_the_floor_block() -> None:
    with pytest.raises(ConfigurationError, match="proofs alone"):
        parse_rule(rule('floor = "block"', '[[all]]\nfact = "trust.lost"', scope="registry"), "x")
    with pytest.raises(ConfigurationError, match="proofs alone"):
        parse_rule(rule('floor = "block"', '[[any]]\nfact = "trust.lost"', scope="registry"), "x")
    with pytest.raises(ConfigurationError, match="floor is above ceiling"):
        parse_rule(rule('floor = "review"', '[[all]]\nfact = "trust.lost"', scope="registry", ceiling="note"), "x")
    forged = parse_rule(rule('floor = "block"', '[[all]]\nfact = "trust.invalid"', scope="registry", alarms=1999), "x")
    assert judge(transition(fact("trust.invalid", delta="unknown")), (forged,)).level == "block"


WHO = made("who", "trust.publisher", "publisher", 9, "review")
DOES = made("does", "content.destination", "destination", 9, "review")
RHYTHM = made("rhythm", "registry.rhythm", "rhythm", 0, "review")


def test_who_published_and_what_is_done_block_together_though_neither_may_alone() -> None:
    rules = (WHO, DOES, RHYTHM)
    assert judge(transition(fact("trust.publisher")), rules).level == "note"
    assert judge(transition(fact("content.destination")), rules).level == "note"
    both = judge(transition(fact("trust.publisher"), fact("content.destination")), rules)
    assert both.level == "block"
    assert {one.rule for one in both.findings} == {"who", "does"}
    assert judge(transition(fact("trust.publisher"), fact("registry.rhythm")), rules).level == "review"
    common = made("common", "content.destination", "destination", 200, "review")
    assert judge(transition(fact("trust.publisher"), fact("content.destination")), (WHO, common)).level == "review"
