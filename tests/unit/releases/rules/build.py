"""Transitions for tests of rules: facts without files."""

from __future__ import annotations

from pratique.model.observation import Refusal
from pratique.model.release import Delta, Examination, Fact, Transition, TransitionKind, Value


def fact(kind: str, path: str = "", line: int = 0, delta: Delta = "added", **attributes: Value) -> Fact:
    """A fact with its attributes as keywords."""
    return Fact(kind=kind, path=path, line=line, delta=delta, attributes=attributes)


def transition(
    *facts: Fact,
    name: str = "harbour",
    version: str = "1.0.1",
    predecessor: str = "pkg:npm/harbour@1.0.0",
    kind: TransitionKind = "patch",
    dependencies: tuple[Transition, ...] = (),
    refusals: tuple[Refusal, ...] = (),
    depth: int = 0,
) -> Transition:
    """A transition that holds these facts."""
    examination = Examination(
        purl=f"pkg:npm/{name}@{version}",
        ecosystem="npm",
        name=name,
        version=version,
        source="test",
        form="tarball",
        digests={},
        facts=facts,
    )
    return Transition(
        examination=examination,
        predecessor=predecessor,
        kind=kind,
        depth=depth,
        dependencies=dependencies,
        refusals=refusals,
    )


def rule(*more: str, scope: str = "diff", ceiling: str = "block", alarms: int = 0, transitions: int = 2000) -> str:
    """A rule's text with these clauses."""
    return "\n".join(
        (
            'id = "a-rule"',
            'title = "A rule"',
            f'scope = "{scope}"',
            'family = "code"',
            f'ceiling = "{ceiling}"',
            'why = "because"',
            *(() if any(line.startswith("words") for line in more) else ('words = "{release} does"',)),
            *more,
            f'[base_rate]\nalarms = {alarms}\ntransitions = {transitions}\ncorpus = "test"',
        )
    )
