"""Stop processes that a look at the machine showed, by number and with the chain that they came from: for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.model.plan import Command, Manual, Step
from pratique.respond import preserve, seen
from pratique.respond.situation import Situation


def steps(situation: Situation) -> Iterator[Step]:
    """One step for all processes that sightings rest on."""
    rows: dict[int, tuple[seen.Sight, dict[str, Any]]] = {}
    for sight, fact in seen.facts(situation, "process"):
        number = fact.get("process")
        if isinstance(number, int) and number > 1 and not fact.get("own"):
            rows.setdefault(number, (sight, fact))
    if not rows:
        return
    table = {
        item.facts.get("process"): item.facts
        for report in situation.reports
        for item in report.observations
        if item.kind == "process"
    }
    windows = situation.platform == "windows"
    commands: list[Command] = []
    told: list[str] = []
    for number, (_, fact) in sorted(rows.items()):
        program = str(fact.get("executable") or fact.get("name") or "unknown")
        chain = " > ".join(_chain(number, table))
        told.append(f"Process {number}: {program}, started {fact.get('started') or 'at an unknown time'}; {chain}.")
        if windows:
            commands.append(Command(words=("taskkill", "/PID", str(number), "/T", "/F"), note=program))
        else:
            commands.append(Command(words=("kill", "-STOP", str(number)), note=f"{program}: hold it, for its memory"))
            commands.append(Command(words=("kill", "-KILL", str(number)), note=program))
    sights = [sight for sight, _ in rows.values()]
    yield Step(
        id="contain.processes",
        phase="contain",
        title="Stop the processes that were seen",
        reason=f"They run code of the incident. {seen.because(sights)}.",
        disposition="manual",
        action=Manual(
            instructions=(
                "A number is used again after its process ended: compare program and start time before each command.",
                *told,
                "Stop the children first where one starts the other again.",
            ),
            commands=tuple(commands),
        ),
        owner="responder",
        incidents=seen.named(sights),
        preconditions=(preserve.SEALED,),
        after=(preserve.SEAL,),
        undo="",
        check="Another look finds none of them, also after a minute.",
        check_command=Command(words=("pratique", "host")),
        destroys_evidence=True,
        triggers_dead_man_switch=True,
        sightings=seen.ids(sights),
    )


def _chain(number: int, table: dict[Any, dict[str, Any]]) -> list[str]:
    """Names from the first ancestor that was seen down to a process."""
    names: list[str] = []
    known: set[Any] = set()
    at: Any = number
    while at in table and at not in known and len(names) < 20:
        known.add(at)
        names.append(f"{table[at].get('name') or '?'} ({at})")
        at = table[at].get("parent")
    return names[::-1]
