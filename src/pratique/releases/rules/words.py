"""A rule in words: what it wants, why, and how rarely it fires."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.releases.rules.language import Clause, Condition, Rule, Wanted, matching_kinds
from pratique.releases.vocabulary import WORDS

_SCOPES = {
    "diff": "what the release changes",
    "release": "the release as it is",
    "dependency": "what a new dependency is and does",
    "registry": "what the registry states",
}


def rule_lines(rule: Rule) -> Iterator[str]:
    """The rule as lines of plain text."""
    yield f"{rule.id}: {rule.title}"
    yield f"  looks at {_SCOPES[rule.scope]}; may raise {rule.ceiling}; family {rule.family}"
    yield f"  why: {rule.why}"
    if rule.base_rate is not None:
        rate = rule.base_rate
        fired = f"fired on {rate.alarms} of {rate.transitions} ordinary releases"
        yield f"  {fired} ({rate.corpus}): {rule.weight:.1f} decades"
    else:
        yield "  was never measured: it raises nothing until it is"
    if rule.transitions:
        yield f"  only for transitions of kind {', '.join(rule.transitions)}"
    if rule.ecosystems:
        yield f"  only for {', '.join(rule.ecosystems)}"
    for title, clauses in (("all of", rule.all), ("one of", rule.any), ("none of", rule.none)):
        if clauses:
            yield f"  {title}:"
            for clause in clauses:
                yield f"    {clause_words(clause)}"
    if rule.together:
        yield "  all in one file"
    if rule.incidents:
        yield f"  seen in: {', '.join(rule.incidents)}"
    for reference in rule.references:
        yield f"  {reference}"


def clause_words(clause: Clause) -> str:
    """One clause in words."""
    kinds = [word for kind in clause.kinds for word in matching_kinds(kind)]
    what = " or ".join(WORDS[word][0] for word in kinds[:3]) + (" or ..." if len(kinds) > 3 else "")
    parts = [f"{'/'.join(clause.kinds)} ({what})"]
    if clause.of == "dependency":
        parts.append("of the dependency")
    if clause.count > 1:
        parts.append(f"at least {clause.count} times")
    if clause.delta is not None:
        parts.append(f"that is {' or '.join(clause.delta)}")
    parts += [f"{name} {_wanted(wanted)}" for name, wanted in clause.where.items()]
    if clause.path is not None:
        parts.append(f"in a path like {clause.path}")
    if clause.anywhere:
        parts.append("in any file")
    return ", ".join(parts)


def _wanted(wanted: Wanted) -> str:
    if isinstance(wanted, Condition):
        parts = []
        if wanted.one_of is not None:
            parts.append(f"is one of {', '.join(map(str, wanted.one_of))}")
        if wanted.no is not None:
            parts.append(f"is not {' or '.join(map(str, wanted.no))}")
        if wanted.min is not None:
            parts.append(f"at least {wanted.min:g}")
        if wanted.max is not None:
            parts.append(f"at most {wanted.max:g}")
        if wanted.matches is not None:
            parts.append(f"matches {wanted.matches}")
        return " and ".join(parts)
    if isinstance(wanted, tuple):
        return f"is one of {', '.join(map(str, wanted))}"
    return f"is {str(wanted).lower() if isinstance(wanted, bool) else wanted}"
