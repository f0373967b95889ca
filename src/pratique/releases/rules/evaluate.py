"""Whether a rule holds for a transition, and on what evidence. Pure: the same facts give the same finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pratique.model.release import Examination, Fact, Finding, Transition, Value
from pratique.releases.rules.language import Clause, Condition, Rule, Wanted, matching_kinds

MOST_EVIDENCE = 4
"""So many facts of one clause are kept as evidence."""
NEAR = 400
"""So many lines of a file may lie between facts that stand together: a bundle holds the code of many packages."""

Found = tuple[str, Fact]
"""The purl of the release that a fact is in, and the fact."""


class Facts:
    """The facts of some releases by kind, each with the purl of its release."""

    def __init__(self, examinations: Sequence[Examination]) -> None:
        self.by_kind: dict[str, list[Found]] = {}
        for examination in examinations:
            for fact in examination.facts:
                self.by_kind.setdefault(fact.kind, []).append((examination.purl, fact))
        for found in self.by_kind.values():
            found.sort(key=lambda one: (one[0], one[1].path, one[1].line, one[1].excerpt))

    def of(self, clause: Clause, scope_delta: tuple[str, ...] | None) -> Iterator[Found]:
        """The facts that meet a clause, in order."""
        deltas = clause.delta if clause.delta is not None else scope_delta
        for kind in clause.kinds:
            for word in matching_kinds(kind):
                for purl, fact in self.by_kind.get(word, ()):
                    if (deltas is None or fact.delta in deltas) and _meets(fact, clause):
                        yield purl, fact


def evaluate(rule: Rule, transition: Transition) -> Finding | None:
    """The rule's finding on a transition, None where it does not hold. Dependencies are looked at where it asks for."""
    if rule.transitions and transition.kind not in rule.transitions:
        return None
    if rule.ecosystems and transition.examination.ecosystem not in rule.ecosystems:
        return None
    release = Facts((transition.examination,))
    if rule.scope != "dependency":
        return _evaluate(rule, transition, release, None, "")
    for dependency in transition.dependencies:
        finding = _evaluate(rule, transition, release, Facts(_subtree(dependency)), dependency.examination.name)
        if finding is not None:
            return finding
    return None


def _subtree(transition: Transition) -> list[Examination]:
    """A dependency's examination and those of what it brings."""
    found = [transition.examination]
    for one in transition.dependencies:
        found += _subtree(one)
    return found


def _evaluate(
    rule: Rule, transition: Transition, release: Facts, dependency: Facts | None, name: str
) -> Finding | None:
    """The finding for the release alone, or for it and one dependency by that name."""
    delta = ("added", "changed") if rule.scope == "diff" else None

    def met(clause: Clause) -> list[Found]:
        facts = dependency if clause.of == "dependency" else release
        if facts is None:
            return []
        found = list(facts.of(clause, delta))
        if name and clause.of == "release":
            found = [one for one in found if _speaks_of(one[1], name)]
        return found

    if any(len(met(clause)) >= clause.count for clause in rule.none):
        return None
    required = [(clause, met(clause)) for clause in rule.all]
    choices = [(clause, met(clause)) for clause in rule.any]
    if rule.together == "file":
        evidence = _in_one_file(required, choices)
    else:
        evidence = _anywhere(required, choices)
    if evidence is None:
        return None
    return Finding(
        rule=rule.id,
        title=rule.title,
        family=rule.family,
        weight=round(rule.weight, 2),
        ceiling=rule.ceiling,
        floor=rule.floor,
        words=_words(rule.words, transition, name, evidence),
        facts=_distinct(found for _, found in evidence),
    )


def _speaks_of(fact: Fact, name: str) -> bool:
    """Whether a fact of the release may stand beside facts of the dependency by that name."""
    return not fact.kind.startswith("dependency.") or fact.attributes.get("name") == name


def _distinct(groups: Iterable[list[Found]]) -> tuple[Found, ...]:
    """The evidence of all clauses, each fact once, in order."""
    kept: list[Found] = []
    for group in groups:
        for one in group[:MOST_EVIDENCE]:
            if one not in kept:
                kept.append(one)
    return tuple(kept)


Met = list[tuple[Clause, list[Found]]]


def _anywhere(required: Met, choices: Met) -> Met | None:
    """The evidence where every required clause is met, and one of the choices; None where not."""
    if any(len(found) < clause.count for clause, found in required):
        return None
    chosen = [(clause, found) for clause, found in choices if len(found) >= clause.count]
    if choices and not chosen:
        return None
    return required + chosen


def _in_one_file(required: Met, choices: Met) -> Met | None:
    """The evidence where all clauses that are not `anywhere` are met near each other in one file of one release."""
    bound = [found for clause, found in (*required, *choices) if not clause.anywhere]
    around = dict.fromkeys((purl, fact.path, fact.line) for found in bound for purl, fact in found if fact.path)
    for purl, path, line in around:

        def there(found: Found, purl: str = purl, path: str = path, line: int = line) -> bool:
            fact = found[1]
            return (found[0], fact.path) == (purl, path) and (
                not fact.line or not line or line <= fact.line <= line + NEAR
            )

        evidence = _anywhere(
            [(clause, found if clause.anywhere else list(filter(there, found))) for clause, found in required],
            [(clause, found if clause.anywhere else list(filter(there, found))) for clause, found in choices],
        )
        if evidence is not None:
            return evidence
    return None


def _meets(fact: Fact, clause: Clause) -> bool:
    """Whether a fact of the right kind has the attributes and the path that a clause wants."""
    if clause.path is not None and re.search(clause.path, fact.path) is None:
        return False
    return all(_is(fact.attributes, name, wanted) for name, wanted in clause.where.items())


def _is(attributes: Mapping[str, Value], name: str, wanted: Wanted) -> bool:
    """Whether an attribute is what is wanted. What is not there is nothing but `not` some value."""
    value = attributes.get(name)
    if isinstance(wanted, Condition):
        return _fits(value, wanted)
    if isinstance(wanted, tuple):
        return value in wanted
    return value is not None and value == wanted


def _fits(value: Value | None, wanted: Condition) -> bool:
    """Whether a value meets every part of a condition."""
    if wanted.no is not None and value in wanted.no:
        return False
    if wanted.min is None and wanted.max is None and wanted.matches is None and wanted.one_of is None:
        return True
    if value is None:
        return False
    if wanted.one_of is not None and value not in wanted.one_of:
        return False
    if wanted.matches is not None and re.search(wanted.matches, str(value)) is None:
        return False
    if wanted.min is None and wanted.max is None:
        return True
    if not isinstance(value, int | float):
        return False
    return not (wanted.min is not None and value < wanted.min) and not (wanted.max is not None and value > wanted.max)


def _words(words: str, transition: Transition, dependency: str, evidence: Met) -> str:
    """The rule's sentence with its places filled in; a place that has nothing reads `?`."""
    named = {clause.name: found[0] for clause, found in evidence if clause.name and found}
    examination = transition.examination

    def fill(match: re.Match[str]) -> str:
        name, _, attribute = match[1].partition(".")
        if name == "release":
            return f"{examination.name} {examination.version}"
        if name == "predecessor":
            return transition.predecessor.rpartition("@")[2] or "nothing"
        if name == "dependency":
            return dependency or "?"
        if name not in named:
            return "?"
        fact = named[name][1]
        if attribute in ("", "at"):
            return f"{fact.path}:{fact.line}" if fact.line else fact.path
        if attribute in ("path", "excerpt", "line"):
            return str(getattr(fact, attribute))
        value = fact.attributes.get(attribute, "?")
        return f"{value:g}" if isinstance(value, float) else str(value)

    return re.sub(r"\{([^}]*)\}", fill, words)
