"""Base rates: `python -m evals.measure --out FOLDER [--rules FOLDER] [--write]`.

How often each rule fires on the `measure` split of the corpus that `evals.run` examined, as `[base_rate]` of the rule.
A transition counts once for a rule. Without `--write` the rates are printed alone.
"""

from __future__ import annotations

import argparse
import datetime
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from evals import corpus
from evals.corpus import Listed
from evals.examined import Outcome, kept
from evals.run import first_of, of_listed
from pratique.model.release import Transition
from pratique.releases.rules.evaluate import evaluate
from pratique.releases.rules.language import PROOFS, Rule, parse_rule

BUNDLED = Path(__file__).parents[1] / "src/pratique/releases/rules"
PUBLISHED = "published"
"""What stands for the day of a rate that a publication gives: the corpus has no such field, and leaves it."""
_TABLE = re.compile(r"\n*^\[base_rate\]\n(?:(?!\[).*\n?)*", re.MULTILINE)


def fired(rules: Sequence[Rule], transition: Transition) -> set[str]:
    """The rules that fire on a transition or on what it brings."""
    found = {rule.id for rule in rules if evaluate(rule, transition) is not None}
    for dependency in transition.dependencies:
        found |= fired(rules, dependency)
    return found


def rates(
    rules: Sequence[Rule], rows: Sequence[Listed], outcomes: Iterable[Outcome], alone: Iterable[Outcome] = ()
) -> dict[str, tuple[int, int]]:
    """Alarms and transitions for each rule, on the measure split; a rule of one world counts that world alone.

    A rule for first releases is measured on `alone`: ordinary releases that were examined as if they were first ones.
    """
    alarms: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for row, outcome in zip(rows, outcomes, strict=True):
        if row.split != "measure" or not outcome.transitions:
            continue
        found = set().union(*(fired(rules, one) for one in outcome.transitions))
        for rule in rules:
            if rule.transitions != ("first",) and (not rule.ecosystems or row.ecosystem in rule.ecosystems):
                of[rule.id] += 1
                alarms[rule.id] += rule.id in found
    firsts = [rule for rule in rules if rule.transitions == ("first",)]
    for outcome in alone:
        for transition in outcome.transitions[:1]:
            made = msgspec.structs.replace(transition, kind="first")
            for rule in firsts:
                of[rule.id] += 1
                alarms[rule.id] += evaluate(rule, made) is not None
    return {rule.id: (alarms[rule.id], of[rule.id]) for rule in rules}


def _elsewhere(rule: Rule) -> bool:
    """Whether a rule is not measured here: a publication gives its rate, or the corpus never holds its facts."""
    if rule.base_rate is not None and rule.base_rate.measured == PUBLISHED:
        return True
    kinds = {kind for clause in (*rule.all, *rule.any) for kind in clause.kinds}
    return all(kind.startswith("trust.") or kind in PROOFS for kind in kinds)


def with_rate(text: str, alarms: int, transitions: int, digest: str, day: datetime.date) -> str:
    """The text of a rule with its base rate, which stands where the old one stood, or in front of the first table."""
    told = f'[base_rate]\nalarms = {alarms}\ntransitions = {transitions}\ncorpus = "{digest}"\nmeasured = "{day}"\n'
    bare = _TABLE.sub("\n", text).rstrip("\n") + "\n"
    return f"{bare}\n{told}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every rule."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of evals.run")
    parser.add_argument("--rules", type=Path, default=BUNDLED)
    parser.add_argument("--write", action="store_true", help="write the rates into the rules")
    options = parser.parse_args(arguments)
    files = sorted(options.rules.glob("*.toml"))
    rules = [parse_rule(path.read_text("utf-8"), path.name) for path in files]
    rows = corpus.listed()
    view = options.out / "view"
    alone = kept(options.out, first_of(rows, view))
    found = rates(rules, rows, kept(options.out, [of_listed(one, view) for one in rows]), alone)
    for path, rule in zip(files, rules, strict=True):
        alarms, transitions = found[rule.id]
        print(f"{alarms:6} of {transitions:6}  {rule.id}")
        if options.write and not _elsewhere(rule):
            today = datetime.datetime.now(datetime.UTC).date()
            text = with_rate(path.read_text("utf-8"), alarms, transitions, corpus.digest(), today)
            parse_rule(text, path.name)
            path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
