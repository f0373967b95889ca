"""The run: a release is examined apart and kept, rules are measured, and the tables say what was counted."""

from __future__ import annotations

import datetime
from pathlib import Path

import msgspec

from evals import guarddog, measure, tables
from evals.build import build
from evals.corpus import Listed
from evals.describe import REPLICAS, load
from evals.examined import Outcome, Wanted, code_digest, examine_all, kept, of_replica, place_of, read
from evals.run import results, sampled
from evals.statistics import rate
from pratique.releases.rules.language import parse_rule

RULE = """id = "has-hook"
title = "A hook is added"
scope = "diff"
family = "trigger"
ceiling = "block"
words = "{release} adds a hook"
why = "It runs when the package is installed."

[[all]]
fact = "trigger.lifecycle"
"""


def examined(name: str, tmp_path: Path) -> Outcome:
    replica = load(REPLICAS / name)
    build(replica, REPLICAS / name, tmp_path / "none", tmp_path / "built" / name)
    wanted = of_replica(replica, tmp_path / "built")
    examine_all([wanted], tmp_path / "out", jobs=1)
    return next(kept(tmp_path / "out", [wanted]))


def test_a_replica_is_examined_with_what_it_brings(tmp_path: Path) -> None:
    found = examined("b-axios-old-line", tmp_path)
    assert found.failure == ""
    assert found.cpu > 0
    assert found.peak > 1 << 20
    assert found.code == code_digest()
    assert [one.predecessor for one in found.transitions] == ["pkg:npm/axios@0.30.3"]
    assert [one.examination.purl for one in found.transitions[0].dependencies] == ["pkg:npm/clear-crypto-js@4.2.1"]


def test_what_cannot_be_examined_is_a_failure_and_a_miss(tmp_path: Path) -> None:
    gone = Wanted("npm/gone@1.0.0", "npm", "gone", "1.0.0", None, tmp_path)
    never = Wanted("npm/never@1.0.0", "npm", "never", "1.0.0", None, tmp_path)
    examine_all([gone], tmp_path / "out", jobs=1)
    first, second = kept(tmp_path / "out", [gone, never])
    assert first.failure.startswith("could not be had")
    assert second.failure == "was not examined"
    judged = tables.judged(first, ())
    assert judged.failed
    assert not tables.reaches(judged, "review")


def test_kept_is_not_examined_again_unless_the_code_changed(tmp_path: Path) -> None:
    one = Wanted("npm/gone@1.0.0", "npm", "gone", "1.0.0", None, tmp_path)
    examine_all([one], tmp_path, jobs=1)
    before = place_of(tmp_path, one.key).stat().st_mtime_ns
    examine_all([one], tmp_path, jobs=1, fresh=True)
    assert place_of(tmp_path, one.key).stat().st_mtime_ns == before
    assert read(place_of(tmp_path, one.key)).code == code_digest()


def test_a_rule_is_measured_on_its_split_alone(tmp_path: Path) -> None:
    outcome = examined("b-axios-old-line", tmp_path)
    rules = [parse_rule(RULE, "has-hook.toml")]
    rows = [
        Listed("npm", "a", "library", "1.0.0", "1.0.1", "measure"),
        Listed("npm", "b", "library", "1.0.0", "1.0.1", "report"),
        Listed("npm", "c", "library", "1.0.0", "1.0.1", "measure"),
    ]
    quiet = msgspec.structs.replace(outcome, transitions=outcome.transitions[0].dependencies[:0])
    found = measure.rates(rules, rows, [outcome, outcome, quiet])
    assert found == {"has-hook": (1, 1)}


def test_a_base_rate_replaces_the_one_before() -> None:
    day = datetime.date(2026, 11, 26)
    once = measure.with_rate(RULE, 3, 1574, "abc", day)
    twice = measure.with_rate(once, 4, 1574, "abc", day)
    rule = parse_rule(twice, "has-hook.toml")
    assert rule.base_rate is not None
    assert (rule.base_rate.alarms, rule.base_rate.transitions) == (4, 1574)
    assert len(rule.all) == 1
    assert twice.count("[base_rate]") == 1


def test_a_sample_is_the_same_whatever_the_order() -> None:
    rows = [Listed("npm", f"n{at}", "library", "1.0.0", "1.0.1", "report") for at in range(40)]
    assert sampled(rows, 5) == sampled(rows[::-1], 5)
    assert len(sampled(rows, 5)) == 5
    assert sampled(rows, 0) == rows


def test_answers_of_the_peer() -> None:
    text = 'a notice\n{"risk_score": {"score": 8.8}, "risks": [{"name": "r", "threat_rule": "t"}], "errors": []}'
    after = guarddog.read_answer(text, 1.0, 2.0, 3)
    assert (after.score, after.risks, after.refused) == (8.8, ("t",), "")
    assert guarddog.compared(after, None) == (True, True)
    assert guarddog.compared(after, after) == (True, False)
    broken = guarddog.read_answer("no sandbox here", 1.0, 2.0, 3)
    assert broken.refused == "no sandbox here"
    assert guarddog.compared(broken, None) == (False, False)


def test_tables_print_what_was_counted() -> None:
    told = {"npm": {"review": rate(30, 3000), "block": rate(3, 3000)}}
    results = tables.Results(
        "r" * 64,
        "c" * 64,
        "e" * 64,
        told,
        {"all": {"review": rate(9, 10), "block": rate(8, 10)}},
        {"nothing": {"recall": rate(8, 10), "alarms": rate(3, 3000)}},
        {"ordinary": tables.cost([])},
        ["x: y"],
        rate(1, 10),
        rate(2, 10),
        [],
        [],
    )
    text = tables.markdown(results)
    assert "| npm | 3000 | 3 | 1.00 (0.34 to 2.94) | 30 | 10.00 (7.01 to 14.24) |" in text
    assert "| all | 10 | 8, 80 % (49 to 94) | 9, 90 % (60 to 98) |" in text
    assert "Nothing examined at all: 1." in text


def test_results_count_what_was_not_examined_as_missed(tmp_path: Path) -> None:
    name = "b-axios-old-line"
    outcome = examined(name, tmp_path)
    failed = Outcome("npm/b@1.0.1", (), "could not be had: it is gone")
    rows = [
        Listed("npm", "a", "library", "1.0.0", "1.0.1", "report"),
        Listed("npm", "b", "library", "1.0.0", "1.0.1", "report"),
        Listed("npm", "c", "library", "1.0.0", "1.0.1", "measure"),
    ]
    never = Outcome("npm/c@1.0.1", (), "was not examined")
    found = results(
        {name: load(REPLICAS / name)}, [Outcome("replica/x", (), "over time")], rows, [outcome, failed, never]
    )
    assert found.recall["must"]["block"].found == 0
    assert found.recall["must"]["block"].of == 1
    assert found.missed == [f"{name}: none"]
    assert found.alarms["all"]["block"].of == 2
    assert len(found.failures) == 2
    assert found.ablation["nothing"]["alarms"].found == found.alarms["all"]["block"].found
