"""Every rule that comes with the program fires on its cases, stays quiet on the others, and is told in whole words."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.behaviour.detect import detect
from pratique.behaviour.library import bundled
from pratique.model.event import SEVERITIES, Detection
from pratique.readers.events import events_of

CASES = Path(__file__).parents[2] / "golden" / "behaviour"
RULE_FILES = Path(__file__).parents[3] / "src" / "pratique" / "behaviour" / "rules"
RULES = [rule.name for rule in bundled()]
CAMPAIGNS = (
    "axios",
    "shai",
    "hulud",
    "sfrclak",
    "6202033",
    "plain-crypto",
    "nx",
    "tanstack",
    "chalk",
    "teampcp",
    "litellm",
)


def _cases(rule: str, wanted: str) -> list[Path]:
    return sorted((CASES / rule / wanted).glob("*.ndjson"))


def _all() -> Iterator[tuple[str, str, Path]]:
    for rule in RULES:
        for wanted in ("fires", "quiet"):
            for case in _cases(rule, wanted):
                yield rule, wanted, case


def _fired(case: Path) -> list[Detection]:
    events, refusals = events_of(case.read_bytes())
    assert not refusals
    assert events
    return list(detect(events, bundled()))


@pytest.mark.parametrize(
    ("rule", "wanted", "case"), [pytest.param(*one, id=f"{one[0]}-{one[1]}-{one[2].stem}") for one in _all()]
)
def test_a_rule_does_what_its_case_wants(rule: str, wanted: str, case: Path) -> None:
    fired = [one for one in _fired(case) if one.rule == rule]
    assert bool(fired) is (wanted == "fires")
    for one in fired:
        assert one.level in SEVERITIES
        assert one.statement
        assert "{" not in one.statement
        assert "?" not in one.statement
        assert one.events == tuple(sorted(one.events))


def test_every_rule_has_cases_of_both_kinds_and_no_case_is_without_a_rule() -> None:
    assert {rule for rule in RULES if not _cases(rule, "fires") or not _cases(rule, "quiet")} == set()
    assert {one.name for one in CASES.iterdir()} == set(RULES)


def test_rules_are_identified_explained_and_name_no_campaign() -> None:
    ids = set()
    for rule in bundled():
        ids.add(uuid.UUID(rule.head.id))
        assert rule.head.description
        assert rule.head.false_positives
        assert not rule.head.unknown
        whole = (RULE_FILES / rule.head.file).read_text("utf-8").lower()
        assert not [word for word in CAMPAIGNS if word in whole.replace("unix", "")]
    assert len(ids) == len(RULES) >= 12
