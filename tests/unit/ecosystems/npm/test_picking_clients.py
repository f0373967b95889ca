"""The rules of npm, pnpm, yarn and bun, against what real clients took of a loopback registry."""

from __future__ import annotations

import json

import pytest

from tests.standins.picking import GATES, REQUESTS, SCENES, TABLE, expected, unpacked

_ANSWERS = json.loads(TABLE.read_text(encoding="utf-8"))["answers"]


@pytest.mark.parametrize(("gate", "label"), [(gate, label) for gate, labels in GATES.items() for label in labels])
def test_picks_what_the_client_took(gate: str, label: str) -> None:
    answers = _ANSWERS[gate][label]
    ours = {
        (scene, REQUESTS[number]): expected(label, gate, scene, number).version
        for scene in SCENES
        for number in range(len(REQUESTS))
    }
    theirs = {
        (scene, REQUESTS[number]): answer
        for scene, found in answers.items()
        for number, answer in enumerate(unpacked(found))
    }
    assert ours == theirs
