"""Base rates: `python -m evals.measure --out FOLDER [--rules FOLDER] [--write]`.

How often each rule fires on the `measure` split of the corpus that `evals.run` examined, as `[base_rate]` of the rule.
A transition counts once for a rule. Without `--write` the rates are printed alone.
"""

from __future__ import annotations

import argparse
import datetime
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from evals import corpus
from evals.corpus import Listed
from evals.examined import Outcome, kept
from evals.run import of_listed
from pratique.model.release import Transition
from pratique.releases.rules.evaluate import evaluate
from pratique.releases.rules.language import Rule, parse_rule

BUNDLED = Path(__file__).parents[1] / "src/pratique/releases/rules"
_TABLE = re.compile(r"\n*^\[base_rate\]\n(?:(?!\[).*\n?)*", re.MULTILINE)


def fired(rules: Sequence[Rule], transition: Transition) -> set[str]:
    """The rules that fire on a transition or on what it brings."""
    found = {rule.id for rule in rules if evaluate(rule, transition) is not None}
    for dependency in transition.dependencies:
        found |= fired(rules, dependency)
    return found


def rates(rules: Sequence[Rule], rows: Sequence[Listed], outcomes: Sequence[Outcome]) -> dict[str, tuple[int, int]]:
    """Alarms and transitions for each rule, on the measure split; a rule of one world counts that world alone."""
    alarms: Counter[str] = Counter()
    of: Counter[str] = Counter()
    for row, outcome in zip(rows, outcomes, strict=True):
        if row.split != "measure" or not outcome.transitions:
            continue
        found = set().union(*(fired(rules, one) for one in outcome.transitions))
        for rule in rules:
            if not rule.ecosystems or row.ecosystem in rule.ecosystems:
                of[rule.id] += 1
                alarms[rule.id] += rule.id in found
    return {rule.id: (alarms[rule.id], of[rule.id]) for rule in rules}


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
    found = rates(rules, rows, list(kept(options.out, [of_listed(one, options.out / "view") for one in rows])))
    for path, rule in zip(files, rules, strict=True):
        alarms, transitions = found[rule.id]
        print(f"{alarms:6} of {transitions:6}  {rule.id}")
        if options.write:
            today = datetime.datetime.now(datetime.UTC).date()
            text = with_rate(path.read_text("utf-8"), alarms, transitions, corpus.digest(), today)
            parse_rule(text, path.name)
            path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
