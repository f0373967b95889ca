"""The level of a transition out of the findings of rules, with the shortest chain of evidence for it.

Each finding weighs as many decades as its rule is rare among ordinary releases. Of a family the heaviest counts, since
rules of one family see the same thing; families are added, as if independent. A level is reached by the findings that
may raise it alone. Many rules share the budget of a level, so each has to be rarer than the level may be: one in ten is
a note, one in five hundred a review, one in two thousand a block; findings of several families together get there too.

Who published and what the code newly does are found apart. Where both stand out, findings that may raise no more than a
review alone reach a block together, if by their rates not one release in thirty thousand has both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pratique.model.observation import Refusal
from pratique.model.release import LEVELS, Finding, Judgement, Level, Transition
from pratique.releases.rules.evaluate import evaluate
from pratique.releases.rules.language import Rule

THRESHOLDS: dict[Level, float] = {"note": 1.0, "review": 2.7, "block": 3.3}
"""Decades of rarity that a level needs."""

TOGETHER = 4.5
"""Decades that a block needs by findings on who published and on what is done, which may not raise it alone."""
_WHO = frozenset(("publisher", "trust"))
_DOES = frozenset(("destination", "ability", "code", "trigger", "dependency", "hiding", "worm", "money"))

_ACTS = frozenset(("code", "hiding", "worm", "money", "first"))
"""Families of findings that say what is done."""
_ORDER = (
    *("dependency", "age", "name", "trigger", "first", "code", "money", "worm", "hiding", "destination", "ability"),
    *("content", "trust", "publisher", "rhythm", "size"),
)
"""Families in the order in which a chain is told; others come last."""


def judge(transition: Transition, rules: Iterable[Rule]) -> Judgement:
    """The judgement of one transition: its own findings, and those of the dependencies that it newly resolves."""
    rules = tuple(sorted(rules, key=lambda rule: rule.id))
    findings = tuple(_findings(transition, rules))
    level, reached = _level(findings)
    reached = _told(reached, findings)
    refusals = tuple(_refusals(transition))
    return Judgement(
        purl=transition.examination.purl,
        predecessor=transition.predecessor,
        level=level,
        rarity=round(_rarity(findings), 2),
        findings=findings,
        chain=tuple(dict.fromkeys(finding.words for finding in reached)),
        refusals=refusals,
        complete=not any(refusal.relevant for refusal in refusals),
    )


def _findings(transition: Transition, rules: tuple[Rule, ...]) -> Iterator[Finding]:
    """The findings on a transition and, after them, on its dependencies."""
    for rule in rules:
        finding = evaluate(rule, transition)
        if finding is not None:
            yield finding
    for dependency in transition.dependencies:
        yield from _findings(dependency, rules)


def _refusals(transition: Transition) -> Iterator[Refusal]:
    """What was not examined of a transition and its dependencies."""
    yield from transition.refusals
    yield from transition.examination.refusals
    for dependency in transition.dependencies:
        yield from _refusals(dependency)


def heaviest(findings: Iterable[Finding]) -> list[Finding]:
    """The heaviest finding of each family, heaviest first."""
    best: dict[str, Finding] = {}
    for finding in findings:
        held = best.get(finding.family)
        if held is None or finding.weight > held.weight:
            best[finding.family] = finding
    return sorted(best.values(), key=lambda finding: (-finding.weight, *_place(finding)))


def _rarity(findings: Iterable[Finding]) -> float:
    """The sum of the heaviest weights of all families."""
    return sum(finding.weight for finding in heaviest(findings))


def _level(findings: tuple[Finding, ...]) -> tuple[Level, list[Finding]]:
    """The highest level that is reached, and the fewest findings that reach it, in the order of telling."""
    for level in reversed(LEVELS[1:]):
        alone = [finding for finding in findings if finding.floor == level]
        may = [finding for finding in findings if LEVELS.index(finding.ceiling) >= LEVELS.index(level)]
        total = 0.0
        reached: list[Finding] = []
        for finding in heaviest(may):
            total += finding.weight
            reached.append(finding)
            if total >= THRESHOLDS[level]:
                return level, reached
        if alone:
            return level, alone
        if level == "block" and (both := _both(findings)):
            return level, both
    return "none", []


def _both(findings: tuple[Finding, ...]) -> list[Finding]:
    """The heaviest finding on who published and those on what is done, where they block together; else nothing."""
    counted = heaviest(finding for finding in findings if LEVELS.index(finding.ceiling) >= LEVELS.index("review"))
    who = [finding for finding in counted if finding.family in _WHO]
    does = [finding for finding in counted if finding.family in _DOES]
    if who and does and sum(finding.weight for finding in (*who, *does)) >= TOGETHER:
        return [*does, *who]
    return []


def _told(reached: list[Finding], findings: tuple[Finding, ...]) -> list[Finding]:
    """What is told: what reached the level, what is done where that says only how it came in, and what alarms alone."""
    if not reached:
        return []
    told = list(reached)
    if not any(finding.family in _ACTS for finding in reached):
        places = {purl for finding in reached for purl, _ in finding.facts}
        acts = [one for one in findings if one.family in _ACTS and any(purl in places for purl, _ in one.facts)]
        told += heaviest(acts)[:1]
    told += [finding for finding in findings if finding.floor != "none"]
    distinct = {finding.words: finding for finding in reversed(told)}
    return sorted(distinct.values(), key=_place)


def _place(finding: Finding) -> tuple[int, str]:
    """Where a finding stands in a chain."""
    return (_ORDER.index(finding.family) if finding.family in _ORDER else len(_ORDER), finding.rule)
