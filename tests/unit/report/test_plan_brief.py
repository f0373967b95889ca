"""A plan on one screen: every step is there or in a run that says how many, within the width, inert."""

from __future__ import annotations

import msgspec
import pytest

from pratique.model.errors import UsageError
from pratique.model.plan import HeldBack, Manual, Plan, Quarantine, Step
from pratique.report.plan_brief import brief_lines, chosen_lines, runs
from pratique.report.plan_text import WIDTH
from pratique.report.plans import plan_steps
from pratique.report.words import columns
from tests.unit.report.case_sample import EVERYTHING, dossier


def plan_of(*steps: Step, text: str = "shop-web", **changes: object) -> Plan:
    made = dossier(text).plan
    assert made is not None
    return msgspec.structs.replace(made, steps=(*made.steps, *steps), **changes)


def moves(number: int) -> tuple[Step, ...]:
    return tuple(
        Step(
            id=f"revert.quarantine.package-cache.{index:012x}",
            phase="revert",
            title=f"Move a cached copy of axios 1.14.{index}",
            reason="",
            disposition="safe",
            action=Quarantine(path=f"/c/{index}", digest="sha256:" + "0" * 64, what="package-cache"),
            owner="responder",
        )
        for index in range(number)
    )


@pytest.mark.parametrize("number", [1, 2, 3, 40])
def test_like_steps_in_a_row_are_one_line_and_none_is_lost(number: int) -> None:
    plan = plan_of(*moves(number))
    covered = [step.id for run in runs(plan) for step in run.steps]
    assert covered == [step.id for step in plan.steps]
    lines = list(brief_lines(plan))
    moved = [line for line in lines if "Move a cached copy" in line]
    assert len(moved) == (number if number < 3 else 1)
    if number >= 3:
        first = len(plan.steps) - number + 1
        assert f"{first}-{len(plan.steps)}" in moved[0]
        assert f"and {number - 1} like it" in moved[0]
    assert f"{number} that apply does" in lines[0]
    assert lines[-1] == f"Digest of this plan: {plan.digest}"


def test_what_is_held_back_is_said_first() -> None:
    held = (HeldBack(incident="x", reason="Look for the switch.", count=7),)
    lines = list(brief_lines(plan_of(held_back=held)))
    assert lines[1] == "HELD BACK  7 steps for x: Look for the switch."
    none = (HeldBack(incident="x", reason="Look for the switch.", count=0),)
    assert list(brief_lines(plan_of(held_back=none)))[1].startswith("HELD BACK  whatever could set it off for x")


def test_lines_keep_the_width_and_are_inert() -> None:
    for line in brief_lines(plan_of(*moves(4), text=EVERYTHING, notes=(EVERYTHING,))):
        assert columns(line) <= WIDTH + 30
        assert "\x1b" not in line
        assert "\u202e" not in line


def test_single_steps_are_shown_whole_by_number_id_or_start() -> None:
    plan = plan_of(*moves(3))
    text = Manual(text="word for word")
    plan = msgspec.structs.replace(plan, steps=(msgspec.structs.replace(plan.steps[0], action=text), *plan.steps[1:]))
    for name in ("1", plan.steps[0].id):
        assert "word for word" in "\n".join(chosen_lines(plan, (name,)))
    assert sum("Move a cached copy" in line for line in chosen_lines(plan, ("revert.quarantine",))) == 3
    with pytest.raises(UsageError):
        plan_steps(plan, ("nothing",))
