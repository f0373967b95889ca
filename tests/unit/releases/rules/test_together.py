"""Facts that have to stand together stand near each other: a bundle is one file, and holds many packages."""

from __future__ import annotations

import msgspec
import pytest

from pratique.releases.rules.evaluate import NEAR, evaluate
from pratique.releases.rules.language import parse_rule
from tests.unit.releases.rules.build import fact, rule, transition

RULE = parse_rule(
    rule('[[all]]\nfact = "capability.process"\n\n[[any]]\nfact = "capability.network"\n').replace(
        'scope = "diff"', 'scope = "diff"\ntogether = "file"'
    ),
    "rule.toml",
)


@pytest.mark.parametrize(
    ("one", "other", "fires"),
    [(10, 10 + NEAR, True), (10 + NEAR, 10, True), (10, 11 + NEAR, False), (0, 5000, True), (5000, 0, True)],
)
def test_near_is_within_so_many_lines_and_a_fact_of_a_whole_file_is_near_to_all(
    one: int, other: int, fires: bool
) -> None:
    process = msgspec.structs.replace(fact("capability.process", "a.js"), line=one)
    network = msgspec.structs.replace(fact("capability.network", "a.js"), line=other)
    assert (evaluate(RULE, transition(process, network)) is not None) is fires
