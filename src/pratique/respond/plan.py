"""Compose a plan: every planner's steps in one order, evidence first, and nothing that a dead man's switch waits for.

Same situation, same bytes (law 8). Steps stand in the order of their phases, as `after` allows it, and else as their
planner gave them. What changes anything comes after the seal (law 5). While an incident's dead man's switch was not
looked for, no step of any incident that ends access, cuts a network or stops a process is in the plan: it is counted
(law 7).
"""

from __future__ import annotations

import hashlib
import heapq
from collections.abc import Callable, Iterable, Iterator

import msgspec

from pratique.model.plan import PHASES, SCHEMA, Edit, HeldBack, Manual, Plan, Quarantine, Step
from pratique.respond import communicate, monitor, preserve, prevent, seen, verify
from pratique.respond.contain import automation, network, persistence, processes
from pratique.respond.revert import install, locks, quarantine
from pratique.respond.rotate import planner as rotate
from pratique.respond.seen import DANGEROUS
from pratique.respond.situation import Planner, Situation
from pratique.version import VERSION

PLANNERS: tuple[Planner, ...] = (
    preserve.steps,
    network.steps,
    processes.steps,
    persistence.steps,
    automation.steps,
    quarantine.steps,
    locks.steps,
    install.steps,
    rotate.steps,
    verify.steps,
    monitor.steps,
    prevent.steps,
    communicate.steps,
)
"""Every planner, in the order in which steps of one phase stand."""
NOTES: tuple[Callable[[Situation], Iterator[str]], ...] = (rotate.notes,)
"""What planners say of what they could not plan."""


def compose(situation: Situation, planners: Iterable[Planner] = PLANNERS) -> Plan:
    """The plan for a situation. Raises ValueError where planners break their contract: an id twice, a cycle."""
    found = [step for planner in planners for step in planner(situation)]
    if any(_changes(step) for step in found) and all(step.id != preserve.SEAL for step in found):
        found.insert(0, preserve.seal(situation))
    names = [step.id for step in found]
    if len(set(names)) != len(names):
        raise ValueError(f"two steps are named {sorted(name for name in set(names) if names.count(name) > 1)}")
    armed = situation.armed()
    held = _held(found, situation) if armed else frozenset()
    known = set(names) - held
    unfit = _unfit([step for step in found if step.id in known])
    known -= unfit.keys()
    shown = [_bound(step, known, situation) for step in found if step.id in known]
    waiting = tuple(
        HeldBack(
            incident=name,
            reason="The dead man's switch must be looked for on every affected machine, disarmed, and that recorded in"
            " the case. Make the plan again then.",
            count=len(held),
        )
        for name in armed
    )
    return Plan(
        schema=SCHEMA,
        tool=f"pratique {VERSION}",
        host=situation.host,
        made=situation.today.isoformat(),
        basis=tuple(digest(report) for report in situation.reports),
        case=situation.case,
        incidents=seen.incidents(situation),
        steps=tuple(_ordered(shown)),
        held_back=waiting,
        notes=tuple(
            dict.fromkeys(
                text
                for text in (
                    *situation.notes,
                    *(unfit[name] for name in sorted(unfit)),
                    *(note for notes in NOTES for note in notes(situation)),
                )
                if not armed or not DANGEROUS.search(text)
            )
        ),
    )


def digest(report: object) -> str:
    """`sha256:<hexadecimal>` of the canonical JSON of a report."""
    return f"sha256:{hashlib.sha256(msgspec.json.encode(report, order='deterministic')).hexdigest()}"


def _changes(step: Step) -> bool:
    return step.destroys_evidence or isinstance(step.action, Edit | Quarantine)


def _held(found: list[Step], situation: Situation) -> frozenset[str]:
    """Steps that wait for a sweep: those that could set a switch off, and those that rest on one of them."""
    switches = [item.dead_man_switch for item in situation.incidents.values() if item.dead_man_switch]
    held = {step.id for step in found if _could_trigger(step, switches)}
    while True:
        more = {step.id for step in found if step.id not in held and held & {*step.after, *_needed(step)}}
        if not more:
            return frozenset(held)
        held |= more


def _unfit(steps: list[Step]) -> dict[str, str]:
    """Edits that rest on other bytes of a file than earlier ones leave, and what rests on them: id and note."""
    left: dict[str, str] = {}
    unfit: dict[str, str] = {}
    for step in steps:
        if isinstance(step.action, Edit):
            path = step.action.path
            if path in left and step.action.before != left[path]:
                unfit[step.id] = f"{path}: {step.title} waits: apply this plan, check again, and plan anew"
            else:
                left[path] = step.action.after
    while True:
        more = {
            step.id: f"{step.title} waits for another step that is not planned yet"
            for step in steps
            if step.id not in unfit and _needed(step) & unfit.keys()
        }
        if not more:
            return unfit
        unfit |= more


def _could_trigger(step: Step, switches: list[str]) -> bool:
    if step.triggers_dead_man_switch or step.phase == "rotate":
        return True
    if step.id in (preserve.COLLECT, preserve.SEAL) or step.id.startswith(preserve.SWEEP):
        return False
    text = "\n".join(_texts(step))
    for words in switches:
        text = text.replace(words, "")
    return DANGEROUS.search(text) is not None


def _texts(step: Step) -> Iterable[str]:
    """Every text of a step that a rendering may show."""
    yield from (step.title, step.reason, step.undo, step.check, step.proof)
    yield from (item.words for item in step.preconditions)
    commands = [step.check_command] if step.check_command else []
    if isinstance(step.action, Manual):
        yield from step.action.instructions
        yield step.action.text
        commands += step.action.commands
    elif isinstance(step.action, Edit):
        yield step.action.diff
    for command in commands:
        yield " ".join(command.words)
        yield command.note


def _needed(step: Step) -> set[str]:
    return {item.step for item in step.preconditions if item.kind == "done"}


def _bound(step: Step, known: set[str], situation: Situation) -> Step:
    """A step with what its kind demands, and without words about steps that are not there."""
    if not _needed(step) <= known:
        raise ValueError(f"{step.id} rests on steps that nobody planned: {sorted(_needed(step) - known)}")
    after = [name for name in step.after if name in known]
    conditions = list(step.preconditions)
    if _changes(step) and step.id != preserve.SEAL:
        if preserve.SEAL not in after:
            after.insert(0, preserve.SEAL)
        if all(item.kind != "sealed" for item in conditions):
            conditions.insert(0, preserve.SEALED)
    if step.triggers_dead_man_switch or step.phase == "rotate":
        told = {item.incident for item in conditions if item.kind == "swept"}
        conditions += [
            preserve.swept(incident)
            for incident in seen.definitions(situation)
            if incident.dead_man_switch and incident.id not in told
        ]
    return msgspec.structs.replace(step, after=tuple(dict.fromkeys(after)), preconditions=tuple(conditions))


def _ordered(steps: list[Step]) -> list[Step]:
    """In the order of phases as far as `after` allows it; else as given. Raises ValueError for a cycle."""
    place = {step.id: (PHASES.index(step.phase), number) for number, step in enumerate(steps)}
    by_id = {step.id: step for step in steps}
    waits = {step.id: set(step.after) | _needed(step) for step in steps}
    opens: dict[str, list[str]] = {}
    for name, before in waits.items():
        for other in before:
            opens.setdefault(other, []).append(name)
    ready = [(*place[name], name) for name, before in waits.items() if not before]
    heapq.heapify(ready)
    ordered: list[Step] = []
    while ready:
        name = heapq.heappop(ready)[2]
        ordered.append(by_id[name])
        for other in opens.get(name, ()):
            waits[other].discard(name)
            if not waits[other]:
                heapq.heappush(ready, (*place[other], other))
    if len(ordered) != len(steps):
        done = {step.id for step in ordered}
        raise ValueError(f"steps wait for each other: {sorted(set(by_id) - done)}")
    return ordered
