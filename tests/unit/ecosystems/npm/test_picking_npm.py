"""npm's rule, against the npm-pick-manifest that npm ships."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest

from tests.unit.ecosystems.npm import node_picking as oracle

_TABLE = json.loads(oracle.TABLE.read_text(encoding="utf-8"))
_ERRORS = ("ETARGET", "ENOVERSIONS", "E403", "EINVALIDTAGNAME", "error")


def _theirs(answer: str) -> str | None:
    return None if answer in _ERRORS else answer


@pytest.mark.parametrize("name", sorted(oracle.DOCUMENTS))
@pytest.mark.parametrize("number", range(len(oracle.OPTIONS)))
def test_picks_as_the_library_did(name: str, number: int) -> None:
    options = oracle.OPTIONS[number]
    answers = _TABLE["answers"][name][number]
    found = {wanted: oracle.ours(oracle.DOCUMENTS[name], wanted, options) for wanted in oracle.REQUESTS}
    assert found == {wanted: _theirs(answer) for wanted, answer in zip(_TABLE["requests"], answers, strict=True)}


def _random(chance: random.Random) -> tuple[dict[str, Any], str, dict[str, Any]]:
    numbers = [f"{chance.randint(0, 2)}.{chance.randint(0, 3)}.{chance.randint(0, 2)}" for _ in range(8)]
    versions = list(dict.fromkeys(f"{n}{chance.choice(['', '', '', '-beta.1', '-rc.2', '-0'])}" for n in numbers))
    times = [oracle.OLD, oracle.NEW, None, "never"]

    def fields() -> dict[str, Any]:
        found: dict[str, Any] = {"time": chance.choices(times, [6, 4, 1, 1])[0]}
        if chance.random() < 0.25:
            found["deprecated"] = "yes"
        if chance.random() < 0.25:
            found["engines"] = {"node": chance.choice([">=22", ">=18", "^20 || ^22", "*", "nonsense"])}
        return found

    listed = {version: fields() for version in versions}
    tags = {tag: chance.choice([*versions, "7.7.7"]) for tag in ("latest", "next") if chance.random() < 0.85}
    document = oracle.document(listed, tags)
    if chance.random() < 0.1:
        document["time"] = None
    wanted = chance.choice(
        ["*", "", "x", "latest", "next", ">=0", "<2", "^2.0.0-0", chance.choice(versions)]
        + [sign + chance.choice(versions) for sign in ("^", "~", ">=", "<", "<=", ">", "=", "v")]
        + [f"{chance.choice(versions)} || {chance.choice(versions)}", f"{chance.choice(versions)} - 2"]
    )
    return document, wanted, dict(chance.choice(oracle.OPTIONS[:4]))


@pytest.mark.skipif(oracle.library() is None, reason="needs node and npm's own npm-pick-manifest")
def test_picks_as_the_library_does_on_random_documents() -> None:
    chance = random.Random(20260331)
    cases = [_random(chance) for _ in range(3000)]
    answers = oracle.ask([list(case) for case in cases])
    for case, answer in zip(cases, answers, strict=True):
        assert oracle.ours(*case) == _theirs(answer), case


def test_times_are_read_as_javascript_reads_them() -> None:
    assert math.isnan(oracle.seconds("never") or 0.0)
