"""The results of one run: alarms on ordinary releases, recall on replicas, cost, and the worth of each family."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from evals.corpus import Listed
from evals.describe import Replica
from evals.examined import Outcome
from evals.statistics import Rate, at_rank, rate
from pratique.model.release import LEVELS, Level
from pratique.releases.judge import judge
from pratique.releases.rules.language import Rule


class Judged(msgspec.Struct, frozen=True):
    """One release with the level it reached. `failed`: nothing could be examined; `complete`: all of it was."""

    key: str
    level: Level
    rules: tuple[str, ...]
    failed: bool
    complete: bool
    unresolved: int
    cpu: float
    wall: float
    peak: int
    failure: str = ""
    code: str = ""


class Results(msgspec.Struct, frozen=True):
    """Everything that is printed and written."""

    rules: str
    corpus: str
    replicas: str
    alarms: dict[str, dict[str, Rate]]
    recall: dict[str, dict[str, Rate]]
    ablation: dict[str, dict[str, Rate]]
    cost: dict[str, dict[str, float]]
    failures: list[str]
    incomplete: Rate
    unresolved: Rate
    missed: list[str]
    alarmed: list[str]
    codes: list[str] = []
    """Digests of the code that made the examinations; more than one: some were kept from before a change."""
    guarddog: dict[str, dict[str, float]] = {}


def judged(outcome: Outcome, rules: Sequence[Rule]) -> Judged:
    """The level of a release: the highest of its archives. What could not be examined reaches none."""
    found = [judge(one, rules) for one in outcome.transitions]
    level: Level = max((one.level for one in found), key=LEVELS.index, default="none")
    return Judged(
        outcome.key,
        level,
        tuple(sorted({finding.rule for one in found for finding in one.findings})),
        not found,
        bool(found) and all(one.complete for one in found),
        sum(1 for one in outcome.transitions for refusal in one.refusals if refusal.names and refusal.relevant),
        outcome.cpu,
        outcome.wall,
        outcome.peak,
        outcome.failure,
        outcome.code,
    )


def reaches(one: Judged, level: Level) -> bool:
    """Whether a level is reached."""
    return LEVELS.index(one.level) >= LEVELS.index(level)


def levels(rows: Sequence[Judged]) -> dict[str, Rate]:
    """How many reach review and block."""
    return {level: rate(sum(reaches(one, level) for one in rows), len(rows)) for level in ("review", "block")}


def alarms(rows: Iterable[tuple[Listed, Judged]]) -> dict[str, dict[str, Rate]]:
    """Rates by world, and by world and stratum."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for row, one in rows:
        groups[row.ecosystem].append(one)
        groups[f"{row.ecosystem} {row.stratum}"].append(one)
        groups["all"].append(one)
    return {name: levels(found) for name, found in sorted(groups.items())}


def recall(rows: Iterable[tuple[Replica, Judged]]) -> dict[str, dict[str, Rate]]:
    """Recall by split, class, family and for the families that must be found; benign twins apart."""
    groups: dict[str, list[Judged]] = defaultdict(list)
    for replica, one in rows:
        if replica.kind == "N":
            groups["benign twins"].append(one)
            continue
        groups[f"split {replica.split}"].append(one)
        groups[f"class {replica.kind}"].append(one)
        groups[f"family {replica.family}"].append(one)
        groups["all"].append(one)
        if replica.must:
            groups["must"].append(one)
    return {name: levels(found) for name, found in sorted(groups.items())}


def ablation(
    bad: Sequence[Outcome], of_bad: int, good: Sequence[Outcome], of_good: int, rules: Sequence[Rule]
) -> dict[str, dict[str, Rate]]:
    """Recall on replicas and alarms, at block level, without each family of rules.

    `bad` and `good` are those that all rules block: without a rule no level is higher than with it, so the others need
    no second look.
    """
    found = {}
    for family in ("", *sorted({rule.family for rule in rules})):
        left = [rule for rule in rules if rule.family != family]
        found[family or "nothing"] = {
            "recall": rate(sum(reaches(judged(one, left), "block") for one in bad), of_bad),
            "alarms": rate(sum(reaches(judged(one, left), "block") for one in good), of_good),
        }
    return found


def cost(rows: Sequence[Judged]) -> dict[str, float]:
    """CPU seconds, wall seconds and peak bytes of a release: median, 95th part in a hundred, most, and the sum."""
    told: dict[str, float] = {"releases": float(len(rows))}
    for name, values in (
        ("cpu", [one.cpu for one in rows]),
        ("wall", [one.wall for one in rows]),
        ("peak", [float(one.peak) for one in rows]),
    ):
        told |= {f"{name} median": at_rank(values, 0.5), f"{name} p95": at_rank(values, 0.95)}
        told[f"{name} most"] = max(values, default=0.0)
    told["cpu sum"] = sum(one.cpu for one in rows)
    return told


def markdown(results: Results) -> str:
    """The tables as they stand in the documentation."""
    lines = [
        f"Rules `{results.rules[:12]}`, corpus `{results.corpus[:12]}`, replicas `{results.replicas[:12]}`.",
        "",
        "| Ordinary releases (report split) | Of | Block | per 1,000 (95 %) | Review or block | per 1,000 (95 %) |",
        "|---|---|---|---|---|---|",
    ]
    for name, told in results.alarms.items():
        block, review = told["block"], told["review"]
        lines.append(f"| {name} | {block.of} | {block.found} | {_mille(block)} | {review.found} | {_mille(review)} |")
    lines += ["", "| Replicas | Of | Block (95 %) | Review or block (95 %) |", "|---|---|---|---|"]
    for name, told in results.recall.items():
        lines.append(f"| {name} | {told['block'].of} | {_share(told['block'])} | {_share(told['review'])} |")
    lines += ["", "| Without the family | Replicas blocked | Ordinary releases blocked |", "|---|---|---|"]
    for name, told in results.ablation.items():
        lines.append(f"| {name} | {told['recall'].found} of {told['recall'].of} | {told['alarms'].found} |")
    lines += ["", "| A release | Median | 95 % below | Most |", "|---|---|---|---|"]
    for who, told_cost in results.cost.items():
        for name, unit, part in (("cpu", "s CPU", 1.0), ("wall", "s wall", 1.0), ("peak", "MB peak", 1 << 20)):
            low, high, most = (told_cost[f"{name} {one}"] / part for one in ("median", "p95", "most"))
            lines.append(f"| {who}, {unit} | {low:.2f} | {high:.2f} | {most:.2f} |")
    lines += [
        "",
        f"Not fully examined: {results.incomplete.found} of {results.incomplete.of} ordinary releases; new "
        f"dependencies that could not be had: in {results.unresolved.found}.\nNothing "
        f"examined at all: {len(results.failures)}. States of the code that examined: {len(results.codes)}.",
    ]
    if results.guarddog:
        lines += ["", "| GuardDog 3.2.0, same archives | Releases | Refused | Score >= 5 | New risk | CPU s |"]
        lines.append("|---|---|---|---|---|---|")
        for name, row in results.guarddog.items():
            counts = " | ".join(f"{row[key]:.0f}" for key in ("releases", "refused", "high", "new"))
            lines.append(f"| {name} | {counts} | {row['cpu']:.1f} |")
    return "\n".join(lines) + "\n"


def _mille(told: Rate) -> str:
    return f"{told.per_thousand:.2f} ({1000 * told.low:.2f} to {1000 * told.high:.2f})"


def _share(told: Rate) -> str:
    share = 100 * told.found / told.of if told.of else 0.0
    return f"{told.found}, {share:.0f} % ({100 * told.low:.0f} to {100 * told.high:.0f})"
