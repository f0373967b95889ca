"""The steps that replace what could be read, and the notes on what is not replaced.

For each provider: contain and export the audit log; for each value replace, in the order that the provider needs, and
see that the old one is dead; then a second look after the longest life of what could have been made with it. Nothing
here touches a service: every step is for a person, and every step may set off a dead man's switch.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping

from pratique.model.incident import Incident
from pratique.model.plan import Command, Manual, Precondition, Step
from pratique.respond.rotate.library import FALLBACK, provider
from pratique.respond.rotate.order import Item, Work, ordered
from pratique.respond.rotate.provider import Act, Provider
from pratique.respond.rotate.wanted import CACHES, RAN, calling, items, left_out, of_a_job, seen
from pratique.respond.situation import Situation

_STAGES: Mapping[str, tuple[str, ...]] = {
    "new-first": ("new-issued", "deployed", "revoked", "verified"),
    "revoke-first": ("revoked", "new-issued", "deployed", "verified"),
}
"""States of a rotation in the order in which a provider goes through them."""
_CLOSED = ("verified", "not-needed")


def steps(situation: Situation) -> Iterator[Step]:
    """Every step of this phase, in order."""
    called = calling(situation)
    if not called:
        return
    placed: dict[str, tuple[str, ...]] = {}
    works = ordered(items(situation))
    for work in sorted(works, key=lambda work: work.provider.id != CACHES):
        made = list(_work(situation, called, work, placed))
        placed[work.provider.id] = tuple(step.id for step in made if ".value." in step.id)
        yield from made


def notes(situation: Situation) -> Iterator[str]:
    """What is not replaced, and why."""
    called = calling(situation)
    if not called:
        shallow = sorted({verdict.incident for verdict in seen(situation)})
        if shallow:
            yield (
                f"{', '.join(shallow)}: a release is asked for or locked, and nothing shows that it came here; "
                "nothing is rotated for that. Where it was installed elsewhere, plan there"
            )
        return
    if situation.reach is None:
        yield (
            "no inventory of credentials was made: `pratique reach` says which ones this account could read; "
            "the rotation below names whole classes"
        )
        return
    for credential in situation.reach.credentials:
        why = left_out(credential, situation.today)
        if why:
            yield f"{credential.place}, {credential.fact.field}: {why}"
    for refusal in situation.reach.refusals:
        yield f"{refusal.place}: {refusal.reason}; whatever lies there is not in the rotation"


def _work(
    situation: Situation, called: Mapping[str, str], work: Work, placed: Mapping[str, tuple[str, ...]]
) -> Iterator[Step]:
    """The steps of one provider."""
    chosen = work.provider
    conditions = _preconditions(situation, called)
    parents = list(work.parents)
    if chosen.id != CACHES and any(of_a_job(item) for item in work.items):
        parents = list(dict.fromkeys((*parents, CACHES)))
    before = tuple(step for parent in parents for step in placed.get(parent, ()))
    closed = all(_state(situation, item) in _CLOSED for item in work.items)
    first = f"rotate.{chosen.id}.first"
    if not closed:
        yield Step(
            id=first,
            phase="rotate",
            title=f"{chosen.name}: {'contain, ' if chosen.contain else ''}export the audit log, look for what was made",
            reason="What revocation deletes cannot be read afterwards, and what goes on being used is lost twice.",
            disposition="manual",
            action=Manual(
                instructions=(
                    *(f"Where an outage is better than the exposure: {_said(act)}" for act in chosen.contain),
                    *(f"Export and read: {_said(act)}" for act in chosen.audit),
                    *_made(chosen),
                    "Remove what nobody of you made, before the old credential is called dead",
                ),
                commands=(
                    *_commands(chosen.contain, "contain"),
                    *_commands(chosen.audit, "audit"),
                    *_commands(chosen.listing, "list"),
                ),
            ),
            owner=chosen.owner,
            incidents=tuple(called),
            preconditions=conditions,
            after=before,
            check="The exported log is kept with the case, and its first entry is older than the release.",
            triggers_dead_man_switch=True,
        )
    values: list[str] = []
    for item in work.items:
        step = _value(situation, called, chosen, item, (*before, first) if not closed else before, conditions)
        values.append(step.id)
        yield step
    if closed:
        return
    until = situation.today + datetime.timedelta(days=chosen.second_look.days)
    yield Step(
        id=f"rotate.{chosen.id}.look-again",
        phase="rotate",
        title=f"{chosen.name}: look again on {until.isoformat()}",
        reason=f"What was made with the old credential may outlive it: {chosen.second_look.words}.",
        disposition="manual",
        action=Manual(
            instructions=(
                *(("Look tomorrow and in a week too, not on that day alone",) if chosen.second_look.days > 7 else ()),
                *(f"Read again: {_said(act)}" for act in chosen.audit),
                *_made(chosen),
            ),
            commands=(*_commands(chosen.audit, "audit"), *_commands(chosen.listing, "list")),
        ),
        owner=chosen.owner,
        incidents=tuple(called),
        preconditions=conditions,
        after=tuple(values),
        check="No entry is newer than the revocation, and nothing is listed that nobody of you made.",
        triggers_dead_man_switch=True,
        until=until.isoformat(),
    )


def _preconditions(situation: Situation, called: Mapping[str, str]) -> tuple[Precondition, ...]:
    """First the sweep of every incident with a dead man's switch that was seen, then a machine to work on."""
    armed = sorted({verdict.incident for verdict in seen(situation)} | set(called))
    found = [
        Precondition(
            kind="swept",
            incident=name,
            words=f"The dead man's switch of {name} was looked for on every affected machine and removed, on record.",
        )
        for name in armed
        if name in situation.incidents and situation.incidents[name].dead_man_switch
    ]
    words = (
        f"The work is done on a machine that was never affected; nothing new comes to {situation.host} "
        "before it was rebuilt."
    )
    return (*found, Precondition(kind="rebuilt", words=words))


def _value(
    situation: Situation,
    called: Mapping[str, str],
    chosen: Provider,
    item: Item,
    after: tuple[str, ...],
    conditions: tuple[Precondition, ...],
) -> Step:
    """The step that replaces one value, or one class of secrets."""
    state = _state(situation, item)
    what = _what(item)
    name = f"rotate.{chosen.id}.value.{_plain(item)}"
    credential = item.members[0].id if item.members else ""
    if state in _CLOSED:
        return Step(
            id=name,
            phase="rotate",
            title=f"{chosen.name}: done, {what}; recorded as {state.replace('-', ' ')}",
            reason=_recorded(situation, item, state),
            disposition="manual",
            action=Manual(instructions=("Nothing is left to do.",)),
            owner=chosen.owner,
            incidents=tuple(called),
            credential=credential,
            triggers_dead_man_switch=True,
        )
    left = _left(chosen, state)
    recorded_as = f" (recorded: {state.replace('-', ' ')})" if state not in ("open", "") else ""
    return Step(
        id=name,
        phase="rotate",
        title=f"{chosen.name}: {'finish replacing' if recorded_as else 'replace'} {what}{recorded_as}",
        reason=_reason(called, item),
        disposition="manual",
        action=Manual(instructions=tuple(_instructions(chosen, item, left)), commands=_chosen(chosen, left)),
        owner=chosen.owner,
        incidents=tuple(called),
        credential=credential,
        triggers_dead_man_switch=True,
        preconditions=conditions,
        after=after,
        check="; ".join(f"{death.grade}: {death.words}" for death in chosen.verify),
        check_command=next(iter(_commands(chosen.listing, "list")), None),
    )


def _plain(item: Item) -> str:
    if item.members or item.kind:
        return item.id
    return "job." + "".join(char if char.isascii() and (char.isalnum() or char in "-_") else "-" for char in item.job)


def _what(item: Item) -> str:
    if item.members:
        first = item.members[0]
        where = first.place if len(item.members) == 1 else f"{first.place} and {_count(len(item.members) - 1)} more"
        whose = f"{first.provider}, " if item.provider == FALLBACK and first.provider else ""
        return f"{whose}{first.fact.field} in {where}"
    if item.job:
        return f"what the job {item.job} held"
    if item.kind == CACHES:
        return "caches and artifacts of every run that the release may have reached"
    return "whatever this account had there"


def _count(number: int) -> str:
    return f"{number} place" if number == 1 else f"{number} places"


def _reason(called: Mapping[str, str], item: Item) -> str:
    """Why, on the evidence that there is: never more than it shows."""
    names = ", ".join(called)
    if item.kind == CACHES:
        return "A cache that the code wrote runs it again, with the new secrets: it goes before them."
    parts = []
    if not any(depth in RAN for depth in called.values()):
        parts.append("Nothing here shows that the code ran; where it did, it could read this.")
    if item.evidence == "taken":
        parts.append(f"Victims of {names} lost secrets of this class.")
    elif item.evidence == "targeted":
        parts.append(f"The code of {names} looks for secrets of this class.")
    else:
        parts.append("It was within reach of that account; that it was taken is not shown.")
    if not item.members:
        if item.condition:
            parts.append(f"No inventory was made. In reach: {item.condition}.")
        if item.job:
            held = f"It held {', '.join(item.names)}. " if item.names else ""
            parts.append(f"{held}Every secret of the run counts, not the suspected one.")
        return " ".join(parts)
    found = {member.reach for member in item.members}
    if "observed" in found:
        parts.append("A record shows that it was read.")
    elif found == {"unknown-time"}:
        parts.append("Whether it was there in time is not known.")
    elif found == {"by-reference"}:
        parts.append("It was in reach through a helper or an agent: it could be used there without being copied.")
    if any(member.fact.protection in ("encrypted", "passphrase", "keychain", "hardware") for member in item.members):
        kinds = sorted({member.fact.protection for member in item.members})
        parts.append(f"Protection: {', '.join(kinds)}; a running session may have opened it.")
    if len(item.members) > 1:
        parts.append(f"The same value stands in: {'; '.join(member.place for member in item.members)}.")
    return " ".join(parts)


def _state(situation: Situation, item: Item) -> str:
    """The recorded state of a value. Its places share its fate, so the most advanced record of any holds for all;
    that it is not needed holds where it is recorded for every place.
    """
    found = [situation.rotations[member.id].state for member in item.members if member.id in situation.rotations]
    if found and len(found) == len(item.members) and set(found) == {"not-needed"}:
        return "not-needed"
    rank = ("open", *_STAGES[provider(item.provider).order])
    return max((state for state in found if state in rank), key=rank.index, default="open")


def _recorded(situation: Situation, item: Item, state: str) -> str:
    """What the case says of a value that is done."""
    records = [situation.rotations[member.id] for member in item.members if member.id in situation.rotations]
    record = next(record for record in records if record.state == state)
    grade = f", by: {record.grade.replace('-', ' ')}" if record.grade else ""
    said = f" {record.words}" if record.words else ""
    return f"The case records it as {state.replace('-', ' ')}{grade}.{said}"


def _left(chosen: Provider, state: str) -> tuple[str, ...]:
    """The stages that are still to be done."""
    stages = _STAGES[chosen.order]
    return stages[stages.index(state) + 1 :] if state in stages else stages


def _instructions(chosen: Provider, item: Item, left: tuple[str, ...]) -> Iterator[str]:
    if not chosen.page.words.startswith("None"):
        yield f"Page: {chosen.page.words}"
    if item.job and item.mints_identity:
        yield "The job could ask for identity tokens: review trusted publishers and cloud roles that trust it"
    for member in item.members:
        told = ", ".join(f"{key} {value}" for key, value in member.fact.identity)
        scopes = f"; scopes {', '.join(member.fact.scopes)}" if member.fact.scopes else ""
        yield f"Which: {member.fact.field} in {member.place}{f': {told}' if told else ''}{scopes}"
    for caution in chosen.cautions:
        yield f"Beware: {caution.words}"
    for stage in left:
        if stage == "new-issued":
            yield from (f"New: {_said(act)}" for act in chosen.new)
        elif stage == "deployed":
            yield from (f"Put the new one into: {item.words}" for item in chosen.dependants)
            yield from (f"Expect: {item.words}" for item in chosen.side_effects)
        elif stage == "revoked":
            if all(not act.source for act in chosen.revoke):
                yield "The next lines are general knowledge: read the issuer's own page before you revoke"
            yield from (f"Revoke: {_said(act)}" for act in chosen.revoke)
            yield from (f"Goes with it: {item.words}" for item in chosen.also)
            wait = f"count on {_span(chosen.effective.minutes)}; " if chosen.effective.minutes else ""
            yield f"Takes effect: {wait}{chosen.effective.words}"
        else:
            yield from (f"Instead of a lasting one: {item.words}" for item in chosen.short_lived)


def _made(chosen: Provider) -> Iterator[str]:
    for words in dict.fromkeys(mint.words for mint in chosen.mints):
        yield f"What a thief may have made or read with it: {words}"


def _span(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{minutes // 60} hours"


def _said(act: Act) -> str:
    return act.words or f"run: {' '.join(act.run)}"


def _commands(acts: Iterable[Act], note: str) -> Iterator[Command]:
    return (Command(words=act.run, where="other-machine", note=note) for act in acts if act.run)


def _chosen(chosen: Provider, left: tuple[str, ...]) -> tuple[Command, ...]:
    """The commands of the stages that are left, in their order."""
    found = list(_commands(chosen.listing, "list"))
    for stage in left:
        if stage == "new-issued":
            found += _commands(chosen.new, "new")
        elif stage == "revoked":
            found += _commands(chosen.revoke, "revoke")
    return tuple(found)


def remediation_order(incident: Incident) -> tuple[str, ...]:
    """The steps of an incident's own definition that come before its rotation, in its order."""
    by_id = {step.id: step for step in incident.remediation}
    found: set[str] = set()
    waiting = list(by_id["rotate"].after) if "rotate" in by_id else []
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += by_id[name].after
    return tuple(step.id for step in incident.remediation if step.id in found)
