"""Composing a plan: order, evidence first, and what a dead man's switch holds back."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from pratique.model.plan import PHASES, Edit, Manual, Precondition, Quarantine
from pratique.report.plans import FORMS, render_plan
from pratique.respond import preserve
from pratique.respond.plan import PLANNERS, compose
from pratique.respond.seen import DANGEROUS
from tests.property.test_plan_laws import report_of
from tests.unit.respond.planning import examine, giving, release_of, situation_of, step

WATCHED = ("tanstack-2026-05-11", "chaindrop-2026-08-04")
MOVED = Quarantine(path="/home/dev/.npm/x", digest="sha256:00", what="package-cache")


def test_nothing_seen_gives_no_step(tmp_path: Path) -> None:
    plan = compose(situation_of(examine(tmp_path, ("left-pad", "1.3.0"))))
    assert plan.steps == ()
    assert plan.held_back == ()


def test_phases_stand_in_order_and_what_comes_after_comes_after(tmp_path: Path) -> None:
    plan = compose(situation_of(examine(tmp_path, ("axios", "1.14.1"))))
    ranks = [PHASES.index(item.phase) for item in plan.steps]
    assert ranks == sorted(ranks)
    places = {item.id: number for number, item in enumerate(plan.steps)}
    for item in plan.steps:
        assert all(places[name] < places[item.id] for name in item.after)


def test_twice_the_same_bytes(tmp_path: Path) -> None:
    found = situation_of(examine(tmp_path, ("axios", "1.14.1"), release_of(WATCHED[0])))
    assert render_plan(compose(found), "json") == render_plan(compose(found), "json")
    assert compose(found).digest == compose(found).digest


def test_a_json_plan_reads_back_with_its_digest(tmp_path: Path) -> None:
    plan = compose(situation_of(examine(tmp_path, ("axios", "1.14.1"))))
    assert msgspec.json.decode(render_plan(plan, "json"), type=type(plan)).digest == plan.digest


def test_a_cycle_is_an_error() -> None:
    with pytest.raises(ValueError, match="wait for each other"):
        compose(situation_of(), [giving(step("a", after=("b",)), step("b", after=("a",)))])


def test_two_steps_of_one_name_are_an_error() -> None:
    with pytest.raises(ValueError, match="named"):
        compose(situation_of(), [giving(step("a")), giving(step("a"))])


def test_a_step_that_rests_on_none_is_an_error() -> None:
    needs = Precondition(kind="done", words="first", step="nowhere")
    with pytest.raises(ValueError, match="nobody planned"):
        compose(situation_of(), [giving(step("a", preconditions=(needs,)))])


def test_an_edit_on_other_bytes_of_a_file_waits_and_a_note_says_so() -> None:
    def edit(before: str, after: str) -> Edit:
        return Edit(path="/srv/package.json", before=before, after=after, hunks=(), diff="")

    rests = Precondition(kind="done", words="w", step="b")
    steps = (
        step("a", phase="revert", disposition="safe", action=edit("1", "2")),
        step("b", phase="revert", disposition="safe", action=edit("1", "3")),
        step("c", phase="revert", disposition="safe", action=edit("2", "4")),
        step("d", preconditions=(rests,)),
    )
    plan = compose(situation_of(), [giving(*steps)])
    assert [item.id for item in plan.steps] == [preserve.SEAL, "a", "c"]
    assert len(plan.notes) == 2


def test_a_machine_is_cut_off_first_where_the_incident_says_so() -> None:
    found = report_of(["axios-2026-03-31"])
    plan = compose(situation_of(found))
    assert [item.id for item in plan.steps][:3] == [preserve.DISCONNECT, preserve.COLLECT, preserve.SEAL]
    with_switch = compose(situation_of(report_of(["axios-2026-03-31", WATCHED[0]])))
    assert with_switch.steps[0].id == preserve.COLLECT


def test_what_changes_anything_comes_after_the_seal() -> None:
    found = giving(step("verify.x"), step("revert.x", phase="preserve", action=MOVED, disposition="safe"))
    plan = compose(situation_of(), [found])
    assert [item.id for item in plan.steps] == [preserve.SEAL, "revert.x", "verify.x"]
    assert plan.steps[1].after == (preserve.SEAL,)
    assert plan.steps[1].preconditions[0].kind == "sealed"


def test_words_in_names_hold_steps_back_but_never_the_copies_the_seal_and_the_sweep(tmp_path: Path) -> None:
    report = examine(tmp_path / "kill" / "revoke", release_of(WATCHED[0]))
    plan = compose(situation_of(report))
    assert [item.id for item in plan.steps][:3] == [preserve.COLLECT, preserve.SEAL, preserve.sweep_of(WATCHED[0])]
    assert plan.held_back[0].count


@pytest.mark.parametrize("incident", WATCHED)
def test_nothing_dangerous_is_planned_before_the_sweep(incident: str, tmp_path: Path) -> None:
    report = examine(tmp_path, ("axios", "1.14.1"), release_of(incident))
    planted = giving(
        step("rotate.token", phase="rotate"),
        step("contain.cut", phase="contain", triggers_dead_man_switch=True),
        step("communicate.x", phase="communicate", action=Manual(text="Now revoke every token.")),
        step("verify.token", preconditions=(Precondition(kind="done", words="rotated", step="rotate.token"),)),
    )
    situation = situation_of(report)
    switch = situation.incidents[incident].dead_man_switch
    assert switch is not None
    plan = compose(situation, [*PLANNERS, planted])
    assert [item.incident for item in plan.held_back] == [incident]
    assert plan.held_back[0].count >= 4 + 3
    names = {item.id for item in plan.steps}
    assert not names & {"rotate.token", "contain.cut", "communicate.x", "verify.token", "contain.disconnect"}
    assert preserve.sweep_of(incident) in names
    for form in FORMS:
        page = render_plan(plan, form).decode()
        for word in (switch, " ".join(switch.split()[:3])):
            page = page.replace(word, "")
        assert not DANGEROUS.search(page), (form, DANGEROUS.search(page))

    later = compose(msgspec.structs.replace(situation, swept=frozenset({incident})), [*PLANNERS, planted])
    assert later.held_back == ()
    assert {"rotate.token", "contain.cut", "communicate.x", "verify.token"} <= {item.id for item in later.steps}
    assert "nft" in render_plan(later, "text").decode()
    rotate = next(item for item in later.steps if item.id == "rotate.token")
    assert [item.incident for item in rotate.preconditions if item.kind == "swept"] == [incident]
