"""Preserve: copy what will be gone, most volatile first; seal it; look for a dead man's switch."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model import plan as plans
from pratique.model.incident import Incident
from pratique.model.plan import Command, Manual, Precondition, Step
from pratique.respond import seen
from pratique.respond.situation import Situation

COLLECT = plans.COLLECT
SEAL = plans.SEAL
DISCONNECT = "contain.disconnect"
SWEEP = "contain.sweep."
SEALED = Precondition(kind="sealed", words="The evidence is copied into the case, and the case is sealed.")


def steps(situation: Situation) -> Iterator[Step]:
    """The steps, where anything was seen."""
    found = seen.sights(situation)
    if not found:
        return
    yield _collect(situation, found)
    yield seal(situation)
    for incident in seen.definitions(situation):
        if incident.id in situation.armed():
            yield _sweep(incident)


def _collect(situation: Situation, found: list[seen.Sight]) -> Step:
    wanted = sorted(
        (item.order, number, f"{item.what}. {item.why}.")
        for number, incident in enumerate(seen.definitions(situation))
        for item in incident.evidence
    )
    lines = [text for _, _, text in wanted]
    if not lines:
        lines = [
            "Running processes and open connections. They end with the session.",
            "Records of the install, lockfiles, logs and caches. The next install rewrites them.",
        ]
    if situation.armed():
        lines = [line for line in lines if not seen.DANGEROUS.search(line)]
    case = "<CASE>"
    return Step(
        id=COLLECT,
        phase="preserve",
        title="Copy the evidence into a case, most volatile first",
        reason=f"Every later step changes what this proof rests on. Seen: {seen.because(found)}.",
        disposition="manual",
        action=Manual(
            instructions=(
                "Leave the machine switched on. Install, delete and update nothing.",
                *dict.fromkeys(lines),
            ),
            commands=(
                *(
                    ()
                    if situation.case
                    else (Command(words=("pratique", "case", "new", case), note="Make the case on a disk with room."),)
                ),
                Command(words=("pratique", "check", "--case", case), note="Write what is seen into the case."),
            ),
        ),
        owner="responder",
        incidents=seen.named(found),
        after=(DISCONNECT,) if disconnects_first(situation) else (),
        undo="Nothing is changed.",
        check="The case lists a copy of each of these, or says why there is none.",
        check_command=Command(words=("pratique", "case", "status", case)),
        sightings=seen.ids(found),
    )


def disconnects_first(situation: Situation) -> bool:
    """Whether the machine is cut off before anything is copied: an incident that ran says so, and no switch waits."""
    ran = seen.named(seen.ran(situation))
    return not situation.armed() and any(
        item.id == "isolate" and not item.after
        for incident in seen.definitions(situation)
        if incident.id in ran
        for item in incident.remediation
    )


def seal(situation: Situation) -> Step:
    """The step that seals the case. Whatever changes anything comes after it."""
    return Step(
        id=SEAL,
        phase="preserve",
        title="Seal the case",
        reason=(
            "The case is sealed; seal it again where anything is added."
            if situation.sealed
            else "Nothing is changed before a seal covers the copies: afterwards nobody could tell what was there."
        ),
        disposition="manual",
        action=Manual(commands=(Command(words=("pratique", "case", "seal", "<CASE>")),)),
        owner="responder",
        incidents=seen.incidents(situation),
        after=(COLLECT,),
        undo="Nothing is changed.",
        check="The case verifies, and its seal covers every piece of evidence.",
        check_command=Command(words=("pratique", "case", "verify", "<CASE>")),
    )


def sweep_of(incident: str) -> str:
    """Id of the step that looks for the dead man's switch of an incident."""
    return f"{SWEEP}{incident}"


def _sweep(incident: Incident) -> Step:
    places = [
        f"{item.value} ({', '.join(item.platforms)})" if item.platforms else item.value
        for item in incident.indicators
        if item.type in ("file-path", "service", "registry-key", "process")
        and item.meaning == "persisted"
        and not seen.DANGEROUS.search(item.value)
    ]
    return Step(
        id=sweep_of(incident.id),
        phase="contain",
        title="Look for the dead man's switch on every affected machine, and disarm it before anything else",
        reason=incident.dead_man_switch or "",
        disposition="manual",
        action=Manual(
            instructions=(
                "Until this is recorded, change no credential, leave the network as it is, and end no process.",
                *(("Look at these places:", *places) if places else ()),
                "Look too for any unit, agent, timer or login item that is new since the install, whatever its name.",
                "Where one is there: copy it into the case. Freeze it first; a freeze sends it no signal.",
                "Then keep it from starting again, switch the machine off hard (no shutdown: that sends signals), start"
                " it from other media or as another user, and move unit, program and its folder away together.",
                "Sign in again and look once more. Then record what was found.",
            ),
            commands=(
                Command(
                    words=("pratique", "host", "--case", "<CASE>", "--incident", incident.id),
                    note="Looks at processes, units and these places, and records the answer.",
                ),
                Command(words=("systemctl", "--user", "list-units", "--all"), note="Linux: units of this user."),
                Command(words=("launchctl", "print", "gui/<UID>"), note="macOS: agents of this user."),
                Command(words=("systemctl", "--user", "freeze", "<UNIT>"), note="Linux: hold it still."),
                Command(words=("systemctl", "--user", "disable", "<UNIT>"), note="Linux: it starts no more."),
                Command(words=("launchctl", "disable", "gui/<UID>/<LABEL>"), note="macOS: it starts no more."),
                Command(
                    words=("pratique", "case", "done", "<CASE>", f"sweep:{incident.id}", "--outcome", "removed"),
                    note="Only where it was looked for by hand on every affected machine.",
                ),
            ),
        ),
        owner="responder",
        incidents=(incident.id,),
        preconditions=(SEALED,),
        after=(SEAL,),
        undo="",
        check="A second sweep after a new login finds nothing, and the case records it.",
        check_command=Command(words=("pratique", "host", "--case", "<CASE>", "--incident", incident.id)),
    )


def swept(incident: Incident) -> Precondition:
    """That the dead man's switch of an incident is recorded as gone."""
    return Precondition(
        kind="swept",
        words="The dead man's switch was looked for on every affected machine and is gone, by a record in the case.",
        incident=incident.id,
    )
