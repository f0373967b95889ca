"""The laws of plans over any steps: evidence first, order, nothing dangerous while a switch may be armed."""

from __future__ import annotations

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pratique import api
from pratique.model.location import Location
from pratique.model.plan import PHASES, Command, Edit, Hunk, Manual, Plan, Quarantine, Step
from pratique.model.report import Report
from pratique.respond import preserve
from pratique.respond.plan import compose
from pratique.respond.seen import DANGEROUS
from pratique.respond.situation import Situation
from tests.unit.report.sample import REPORT
from tests.unit.respond.planning import TODAY, giving

KNOWN, _ = api.available()
WATCHED = tuple(sorted(name for name, item in KNOWN.items() if item.dead_man_switch))
CALM = tuple(sorted(name for name, item in KNOWN.items() if not item.dead_man_switch))[:3]
WORDS = ("Look at it", "kill 4711", "Revoke the token", "nft --file block", "systemctl --user stop x", "Read the log")

texts = st.sampled_from(WORDS)
actions = st.one_of(
    st.builds(
        Manual,
        instructions=st.lists(texts, max_size=2).map(tuple),
        commands=st.lists(st.builds(Command, words=texts.map(lambda text: tuple(text.split()))), max_size=2).map(tuple),
        text=texts,
    ),
    st.builds(
        Quarantine,
        path=st.sampled_from(("/home/dev/.npm/a", "/home/dev/b")),
        digest=st.just("sha256:0"),
        what=st.sampled_from(("package-cache", "user-unit")),
    ),
    st.just(
        Edit(path="/srv/a", before=None, after="sha256:0", hunks=(Hunk(offset=0, remove=b"", insert=b"x"),), diff="+x")
    ),
)


@st.composite
def planned(draw: st.DrawFn) -> list[Step]:
    """Steps in any order that wait for earlier ones alone, so that there is no cycle."""
    names = [f"step.{number}" for number in range(draw(st.integers(0, 8)))]
    found: list[Step] = []
    for number, name in enumerate(names):
        action = draw(actions)
        if isinstance(action, Edit):
            action = msgspec.structs.replace(action, path=f"/srv/{number}")
        found.append(
            Step(
                id=name,
                phase=draw(st.sampled_from(PHASES)),
                title=draw(texts),
                reason="because",
                disposition="manual",
                action=action,
                owner="responder",
                after=tuple(draw(st.lists(st.sampled_from(names[:number]), max_size=3))) if number else (),
                destroys_evidence=draw(st.booleans()),
                triggers_dead_man_switch=draw(st.booleans()),
            )
        )
    return draw(st.permutations(found))


def report_of(incidents: list[str]) -> Report:
    verdict, sighting = REPORT.verdicts[0], REPORT.sightings[0]
    sightings = tuple(
        msgspec.structs.replace(
            sighting, id=f"{number:016x}", incident=name, location=Location(REPORT.targets[0].uri, f"p{number}")
        )
        for number, name in enumerate(incidents)
    )
    verdicts = tuple(
        msgspec.structs.replace(verdict, incident=item.incident, sightings=(item.id,), status="affected")
        for item in sightings
    )
    return msgspec.structs.replace(REPORT, sightings=sightings, verdicts=verdicts)


situations = st.builds(
    lambda seen, swept: Situation(
        reports=(report_of(seen),),
        incidents=KNOWN,
        today=TODAY,
        host="here",
        platform="linux",
        swept=frozenset(swept),
    ),
    st.lists(st.sampled_from(WATCHED + CALM), unique=True, max_size=3),
    st.lists(st.sampled_from(WATCHED), unique=True),
)


def spoken(plan: Plan) -> str:
    """All that a plan says, without what the definitions say of the switch."""
    text = msgspec.json.encode(plan.steps).decode().replace('","', " ")
    for name in WATCHED:
        text = text.replace(msgspec.json.encode(KNOWN[name].dead_man_switch).decode()[1:-1], "")
    return text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(situations, planned())
def test_laws_of_a_plan(situation: Situation, steps: list[Step]) -> None:
    def everything() -> Plan:
        return compose(situation, [preserve.steps, giving(*steps)])

    plan = everything()
    assert msgspec.json.encode(plan) == msgspec.json.encode(everything())
    places = {item.id: number for number, item in enumerate(plan.steps)}
    assert len(places) == len(plan.steps)
    for number, item in enumerate(plan.steps):
        assert all(places[name] < number for name in item.after)
        if item.destroys_evidence or not isinstance(item.action, Manual):
            assert places[preserve.SEAL] < number
            assert any(condition.kind == "sealed" for condition in item.preconditions)
    for before, after in zip(plan.steps, plan.steps[1:], strict=False):
        if PHASES.index(before.phase) > PHASES.index(after.phase):
            assert waits_for_later(after, plan) or before.id in after.after
    armed = situation.armed()
    assert tuple(item.incident for item in plan.held_back) == armed
    if armed:
        assert all(not item.triggers_dead_man_switch and item.phase != "rotate" for item in plan.steps)
        assert not DANGEROUS.search(spoken(plan))
        shown = {item.id for item in plan.steps}
        assert plan.held_back[0].count == sum(item.id not in shown for item in steps)
    else:
        assert {item.id for item in steps} <= places.keys()


def waits_for_later(step: Step, plan: Plan) -> bool:
    """Whether a step waits, through others, for one of a later phase."""
    by_id = {item.id: item for item in plan.steps}
    todo, seen = list(step.after), set()
    while todo:
        name = todo.pop()
        if name in seen or name not in by_id:
            continue
        seen.add(name)
        if PHASES.index(by_id[name].phase) > PHASES.index(step.phase):
            return True
        todo += by_id[name].after
    return False
