"""The language of rules: a rule is TOML, and speaks of facts in the words of the vocabulary alone.

A rule holds for a transition when every clause of `all` is met, one of `any` (where given), and none of `not`. A clause
is met by facts of the release (`of = "release"`), or of one new dependency and what that brings (`of = "dependency"`).
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Mapping
from typing import Literal

import msgspec

from pratique.model.errors import ConfigurationError
from pratique.model.release import LEVELS, Delta, Level, TransitionKind, Value
from pratique.releases.vocabulary import CODE_ATTRIBUTES, WORDS

Scope = Literal["diff", "release", "dependency", "registry"]
"""`diff`: what the release changes; `release`: the release as it is, review at most; `dependency`: what a new
dependency is and does; `registry`: what the registry states."""

_ADVICE = "See docs/how-to/write-a-release-rule.md"

PROOFS = frozenset({"trust.invalid", "registry.mismatch"})
"""Facts that need no rate: what a signature or a digest denies is not what was published."""

HEAVIEST = 4.0
"""No rule weighs more, however seldom it fires: no corpus here is large enough to tell."""


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"no": "not"}):
    """What an attribute must be: within numbers, matching a regular expression, one of, or not one of some values."""

    min: float | None = None
    max: float | None = None
    matches: str | None = None
    one_of: tuple[Value, ...] | None = None
    no: tuple[Value, ...] | None = None


Wanted = str | int | float | bool | tuple[Value, ...] | Condition


class Clause(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"name": "as"}):
    """Facts that are wanted: of a kind, or one of several; a kind may end in `.*`.

    Without `delta` a rule of scope `diff` wants facts that were added or changed; any other takes facts as they are.
    `as` names the first fact for the rule's words. `anywhere` frees the clause from `together`.
    """

    fact: str | tuple[str, ...]
    of: Literal["release", "dependency"] = "release"
    where: Mapping[str, Wanted] = {}
    delta: tuple[Delta, ...] | None = None
    path: str | None = None
    count: int = 1
    anywhere: bool = False
    name: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of fact."""
        return (self.fact,) if isinstance(self.fact, str) else self.fact


class BaseRate(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often a rule fired on ordinary releases: so many alarms in so many transitions of a named corpus."""

    alarms: int
    transitions: int
    corpus: str
    measured: str = ""

    @property
    def weight(self) -> float:
        """Decades of rarity: 3 for one in a thousand. Half an alarm is added, as nothing is impossible."""
        return min(HEAVIEST, -math.log10((self.alarms + 0.5) / (self.transitions + 1)))


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"none": "not"}):
    """One rule. `words` is a sentence with places such as `{release}`, `{dependency}`, `{name.attribute}`.

    `family` groups rules that see the same thing: of one family only the heaviest finding counts. `ceiling` is the
    highest level that the rule may raise; `floor` is raised by the finding alone, however often the rule fires.
    `together = "file"` wants all its facts of code in one file, within 400 lines of it.
    """

    id: str
    title: str
    scope: Scope
    family: str
    ceiling: Level
    words: str
    why: str
    all: tuple[Clause, ...] = ()
    any: tuple[Clause, ...] = ()
    none: tuple[Clause, ...] = ()
    floor: Level = "none"
    together: Literal["file", ""] = ""
    transitions: tuple[TransitionKind, ...] = ()
    ecosystems: tuple[Literal["npm", "PyPI"], ...] = ()
    incidents: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    base_rate: BaseRate | None = None

    @property
    def weight(self) -> float:
        """Decades of rarity among ordinary releases; 0 where it was never measured: then it raises nothing."""
        return self.base_rate.weight if self.base_rate is not None else 0.0


def parse_rule(text: str, origin: str) -> Rule:
    """One rule out of TOML. Raises ConfigurationError naming the place and what to do."""
    try:
        rule = msgspec.convert(tomllib.loads(text), Rule)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ConfigurationError(
            f"is no rule: {error}", where=origin, advice="See docs/how-to/write-a-release-rule.md"
        ) from None
    faults = lint(rule)
    if faults:
        raise ConfigurationError(f"is no sound rule: {'; '.join(faults)}", where=origin, advice=_ADVICE)
    return rule


def lint(rule: Rule) -> list[str]:
    """What is wrong with a rule, in words; empty where nothing is."""
    faults = []
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", rule.id):
        faults.append(f"id {rule.id!r} is not made of small letters, digits and hyphens")
    if not rule.all and not rule.any:
        faults.append("it has no clause that wants a fact (all, any)")
    if rule.scope == "release" and rule.ceiling == "block" and rule.transitions != ("first",):
        faults.append(
            'scope release may raise review at most, as it says nothing of a change; or transitions = ["first"]'
        )
    if LEVELS.index(rule.floor) > LEVELS.index(rule.ceiling):
        faults.append("floor is above ceiling")
    if rule.floor == "block" and not {kind for clause in rule.all or rule.any for kind in clause.kinds} <= PROOFS:
        faults.append(f"floor block is for proofs alone: {', '.join(sorted(PROOFS))}")
    if rule.ceiling == "none":
        faults.append("ceiling none raises nothing")
    clauses = (*rule.all, *rule.any, *rule.none)
    if any(clause.of == "dependency" for clause in clauses) and rule.scope != "dependency":
        faults.append('a clause of = "dependency" needs scope dependency')
    if rule.scope == "dependency" and not any(clause.of == "dependency" for clause in clauses):
        faults.append('scope dependency needs a clause of = "dependency"')
    for clause in clauses:
        faults += _faults_of(clause)
    known = {"release", "predecessor", "dependency"} | {clause.name for clause in (*rule.all, *rule.any) if clause.name}
    for place in re.findall(r"\{([^}]*)\}", rule.words):
        name, _, attribute = place.partition(".")
        if name not in known or (name in {"release", "predecessor", "dependency"} and attribute):
            faults.append(f"the words name {{{place}}}, which no clause is called")
    return faults


def _faults_of(clause: Clause) -> list[str]:
    """What is wrong with one clause."""
    faults = []
    allowed: set[str] = set()
    for kind in clause.kinds:
        matching = matching_kinds(kind)
        if not matching:
            faults.append(f"{kind!r} is no kind of fact")
        for word in matching:
            allowed.update(WORDS[word][1])
    allowed.update(CODE_ATTRIBUTES)
    for name, wanted in clause.where.items():
        if name not in allowed:
            faults.append(f"{'/'.join(clause.kinds)} has no attribute {name!r}")
        pattern = wanted.matches if isinstance(wanted, Condition) else None
        if pattern is not None:
            faults += _faults_of_pattern(pattern)
    if clause.path is not None:
        faults += _faults_of_pattern(clause.path)
    if clause.count < 1:
        faults.append("count is less than 1")
    return faults


def _faults_of_pattern(pattern: str) -> list[str]:
    """What is wrong with a regular expression."""
    try:
        re.compile(pattern)
    except re.error as error:
        return [f"{pattern!r} is no regular expression: {error}"]
    return []


def matching_kinds(kind: str) -> tuple[str, ...]:
    """The words that a kind in a rule stands for: itself, or all that begin like it where it ends in `.*`."""
    if kind.endswith(".*"):
        return tuple(word for word in WORDS if word.startswith(kind[:-1]))
    return (kind,) if kind in WORDS else ()
