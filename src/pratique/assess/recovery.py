"""Is it over? From what a case records and what is seen now to `fixed`, `affected` or `under_investigation`.

`fixed` is said only where everything that was affected was looked at again and is gone or remediated, nothing relevant
was refused, and every credential that was in reach is recorded as dead or not needed while nothing seen says otherwise.
That a value changed or is gone from a disk ends nothing at its issuer, so it closes nothing alone. A machine on which
the code ran is never fixed by taking files away: it needs the record that it was rebuilt.

Law 2 holds: a sighting, a refusal or an unchanged value that is added never makes the answer better.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from pratique.model.credential import Tier
from pratique.model.verification import Comparison, CredentialAnswer, Open, Recovered, SubjectAnswer

RAN = ("executed", "active")
CALLS = ("fetched", "installed", *RAN)
"""Depths that call for an inventory of credentials."""
DEPTHS = ("declared", "resolved", *CALLS)
CLOSED = ("revoked", "verified", "not-needed")
"""Recorded states of a rotation that close it."""
STATUSES: tuple[Recovered, ...] = ("fixed", "under_investigation", "affected")
"""Best first."""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """A subject that the case records as affected, or as undecided with a sighting."""

    incident: str
    subject: str
    kind: str
    host: str
    depth: str | None
    sightings: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    """URIs of the targets in which it was seen."""
    of_this_machine: bool = True
    """Whether it is a place of the machine itself, and no log, mirror, image or history that was kept there."""
    recorded: bool = False
    """Whether a person recorded that the step was done that takes all of it away."""


class Now(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict of the second check."""

    incident: str
    subject: str
    kind: str
    status: str
    depth: str | None
    current: bool
    sightings: frozenset[str] = frozenset()


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A credential that was in reach: what the case records of it, and what is seen of it now."""

    credential: str
    provider: str
    tier: Tier
    place: str
    field: str
    comparison: Comparison
    recorded: str = ""
    age: int | None = None
    ended: str = ""
    """When it ended by itself: a date that its file said and that is past, or `with its job`."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """All that the answer rests on."""

    host: str
    case: str = "CASE"
    """How the case is named on a command line."""
    before: tuple[Before, ...]
    now: tuple[Now, ...] = ()
    unreachable: Mapping[str, str] = {}
    """URI of a target that could not be examined again, to the reason."""
    unsettled: frozenset[str] = frozenset()
    """URIs of targets in which something relevant could not be read when they were examined before."""
    refusals: tuple[tuple[str, str, str], ...] = ()
    """Refusals of the second check that nobody accepted and that may hide what was seen: target, path, reason."""
    rebuilt: frozenset[str] = frozenset()
    """Machines of which it is recorded that they were rebuilt."""
    withdrawn: frozenset[tuple[str, str]] = frozenset()
    """Incident and release that were sighted and that the definition does not list any more."""
    unknown: frozenset[str] = frozenset()
    """Incidents whose definition is not at hand."""
    armed: tuple[str, ...] = ()
    """Incidents that were seen, with a dead man's switch whose sweep is not recorded as done."""
    credentials: tuple[Held, ...] | None = None
    """In the order of the rotation; None: no inventory was made."""
    uninventoried: tuple[tuple[str, str], ...] = ()
    """Whose reach no inventory tells, and what to do."""
    unread: tuple[tuple[str, str], ...] = ()
    """Places of the inventory that could not be looked at: place, reason."""
    damaged: tuple[str, ...] = ()
    """What of the case does not agree with itself."""
    remarks: tuple[Open, ...] = ()
    """What else is open."""


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, and what it rests on."""

    status: Recovered
    subjects: tuple[SubjectAnswer, ...]
    credentials: tuple[CredentialAnswer, ...]
    open: tuple[Open, ...]


def judge(facts: Facts) -> Judged:
    """The answer for each subject, for each credential, and for the whole."""
    subjects = tuple(sorted(_subjects(facts), key=_subject_key))
    credentials = tuple(_credential(item) for item in facts.credentials or ())
    found = tuple(_open(facts, subjects, credentials))
    status: Recovered = "fixed"
    for item in subjects:
        status = _worse(status, item.status)
    if any(item.blocks for item in found):
        status = _worse(status, "under_investigation")
    return Judged(status=status, subjects=subjects, credentials=credentials, open=found)


def _worse(first: Recovered, second: Recovered) -> Recovered:
    return max(first, second, key=STATUSES.index)


def _deeper(*depths: str | None) -> str | None:
    return max((depth for depth in depths if depth in DEPTHS), key=DEPTHS.index, default=None)


def _subject_key(item: SubjectAnswer) -> tuple[int, int, str, str]:
    depth = _deeper(item.before, item.now)
    return -STATUSES.index(item.status), -DEPTHS.index(depth) if depth else 1, item.subject, item.incident


def _subjects(facts: Facts) -> Iterator[SubjectAnswer]:
    seen = {(item.incident, item.subject): item for item in facts.now}
    for before in facts.before:
        now = seen.get((before.incident, before.subject)) if before.host == facts.host else None
        status, reason = _subject(facts, before, now)
        yield _answer(before.incident, before.subject, before.kind, before.host, before.depth, now, status, reason)
    known = {(item.incident, item.subject) for item in facts.before if item.host == facts.host}
    for key, now in sorted(seen.items()):
        if key in known or now.status not in ("affected", "under_investigation") or not now.sightings:
            continue
        status = "affected" if now.status == "affected" else "under_investigation"
        reason = "seen now for the first time"
        yield _answer(now.incident, now.subject, now.kind, facts.host, None, now, status, reason)


def _answer(
    incident: str,
    subject: str,
    kind: str,
    host: str,
    before: str | None,
    now: Now | None,
    status: Recovered,
    reason: str,
) -> SubjectAnswer:
    depth = now.depth if now is not None and now.status in ("affected", "under_investigation") else None
    return SubjectAnswer(
        incident=incident,
        subject=subject,
        kind=kind,
        host=host,
        before=before,
        now=depth,
        status=status,
        reason=reason,
    )


def _subject(facts: Facts, before: Before, now: Now | None) -> tuple[Recovered, str]:
    """The worst of what speaks against `fixed`, or why nothing does."""
    rebuilt = before.host in facts.rebuilt and before.of_this_machine
    if now is not None and now.status == "affected":
        if now.current and now.kind != "log":
            return "affected", "it is still there"
        if now.sightings - before.sightings:
            return "affected", "something is seen that was not seen before"
    ran = before.depth in RAN or (now is not None and now.depth in RAN)
    if ran and before.of_this_machine and not rebuilt:
        return "affected", "the code ran there, and it is not recorded that the machine was rebuilt"
    if now is not None and now.status == "under_investigation":
        return "under_investigation", "what is seen now is not decided"
    if before.incident in facts.unknown:
        return "under_investigation", "the definition of the incident is not at hand"
    if any(incident == before.incident for incident, _ in facts.withdrawn):
        return "under_investigation", "the definition does not list any more what was seen"
    missing = sorted(target for target in before.targets if target in facts.unreachable)
    if missing and not rebuilt and not before.recorded:
        return "under_investigation", f"cannot be looked at again: {facts.unreachable[missing[0]]}"
    if not before.targets:
        return "under_investigation", "the case does not say where it was seen"
    refused = [path for target, path, _ in facts.refusals if target in before.targets]
    if refused:
        return "under_investigation", f"could not be read again: {refused[0]}"
    if missing:
        what = "that the machine was rebuilt" if rebuilt else "that it was taken away"
        return "fixed", f"it is gone, and it is recorded {what}"
    if now is not None and now.status == "affected":
        return "fixed", "a record of what happened then, and nothing newer"
    return "fixed", "looked at again, and nothing is left"


def _credential(item: Held) -> CredentialAnswer:
    closed, reason = _closed(item)
    return CredentialAnswer(
        credential=item.credential,
        provider=item.provider,
        tier=item.tier,
        place=item.place,
        field=item.field,
        comparison=item.comparison,
        recorded=item.recorded,
        closed=closed,
        age=item.age,
        reason=reason,
    )


def _closed(item: Held) -> tuple[bool, str]:
    if item.recorded == "not-needed":
        return True, "recorded as not needed"
    if item.ended:
        return True, f"ended by itself: {item.ended}"
    if item.comparison == "unchanged":
        if item.recorded in CLOSED:
            return False, f"recorded as {item.recorded}, and the same value still stands there"
        return False, "not rotated: the same value still stands there"
    if item.recorded in CLOSED:
        return True, f"recorded as {item.recorded}"
    if item.comparison == "changed":
        return False, "another value stands there; that the old one is dead at its issuer is not recorded"
    if item.comparison == "gone":
        return False, "gone from here, which ends nothing at its issuer; that it is dead there is not recorded"
    return False, "cannot be compared, and nothing is recorded"


def _open(facts: Facts, subjects: Iterable[SubjectAnswer], credentials: Iterable[CredentialAnswer]) -> Iterator[Open]:
    """What is still open, in the order in which it is done."""
    for text in facts.damaged:
        yield Open(what=f"The case does not agree with itself: {text}", advice=f"pratique case verify {facts.case}")
    for name in facts.armed:
        yield Open(
            what=f"The dead man's switch of {name} is not recorded as gone: everything else waits for it",
            advice=f"Look for it on every affected machine, change no credential before: pratique host --case"
            f" {facts.case} --incident {name}",
        )
    for status in ("affected", "under_investigation"):
        for item in subjects:
            if item.status == status:
                yield Open(what=f"{item.subject}, {item.incident}: {item.reason}", advice=_advice(facts, item))
    for target, path, reason in facts.refusals:
        yield Open(
            what=f"{path} in {target} could not be examined: {reason}", advice="Look at it, or accept it by name"
        )
    for target, reason in sorted(facts.unreachable.items()):
        if not any(target in before.targets for before in facts.before):
            yield Open(
                what=f"{target} cannot be examined again: {reason}",
                advice="Run this where it is",
                blocks=target in facts.unsettled,
            )
    if any(item.depth in CALLS for item in facts.before) and facts.credentials is None:
        yield Open(
            what="No inventory of credentials was made: what was in reach is not known",
            advice=f"pratique reach --case {facts.case}",
        )
    for whose, advice in facts.uninventoried:
        yield Open(what=f"No inventory tells what {whose} could read", advice=advice)
    for credential in credentials:
        if not credential.closed:
            age = f", {credential.age} days old" if credential.age is not None else ""
            yield Open(
                what=f"{credential.provider}: {credential.field} in {credential.place}{age}: {credential.reason}",
                advice=_record_it(facts, credential),
            )
    for place, reason in facts.unread:
        yield Open(what=f"{place} could not be looked at for credentials: {reason}", advice="Look at it by hand")
    yield from facts.remarks


def _record_it(facts: Facts, credential: CredentialAnswer) -> str:
    if facts.armed:
        return f"Leave it as it is until the dead man's switch of {', '.join(facts.armed)} is recorded as gone"
    command = f"pratique case done {facts.case} {credential.credential} --state"
    if credential.comparison == "unchanged":
        return f"Replace it and take the old value away; where it never was one: {command} not-needed --words WHY"
    return f"Once its issuer lists the old one as dead: {command} verified --grade GRADE"


def _advice(facts: Facts, item: SubjectAnswer) -> str:
    if item.incident in facts.armed and {item.before, item.now} & set(RAN):
        return f"First the sweep for the dead man's switch: pratique plan --case {facts.case}"
    if item.status == "affected" and {item.before, item.now} & set(RAN):
        return f"Rebuild the machine, then: pratique case done {facts.case} revert.rebuild"
    if item.status == "affected":
        return f"pratique plan --case {facts.case}, then pratique apply"
    return "Make it readable, run this where it is, or record what became of it"
