"""Announcements, filled from the facts: for engineers, management, customers, legal and privacy.

Each text says what happened, since when, how far it got, what could have been reached, what is done and what is open.
What is not known stands as `[UNKNOWN: ...]`; nothing is invented, and no text says that something was taken where it
was merely within reach. Names from outside are harmless in Markdown. Texts for management and customers hold no paths
and no names of machines. While a dead man's switch is armed, no text asks anybody to revoke, cut off or stop anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from pratique.model.inert import code, prose
from pratique.model.plan import Manual, Owner, Step
from pratique.respond.communicate_clocks import clocks
from pratique.respond.communicate_facts import Facts, counted, unknown
from pratique.respond.situation import Situation

_DEPTH_WORDS = {
    "declared": "a listed release is asked for; nothing shows that it was fetched",
    "resolved": "a lockfile names a listed release; nothing shows that it was fetched",
    "fetched": "a listed release was fetched; nothing shows that it was installed",
    "installed": "a listed release was installed; nothing shows that its code ran",
    "executed": "the code of a listed release ran",
    "active": "the code of a listed release ran, and what it left behind runs",
}
_TIERS = {
    0: "mints, publishes or controls an identity",
    1: "production or a cloud",
    2: "a single service",
    3: "little, or a second factor is needed",
}
_PLACES = 20
_COUNSEL = "This is no legal advice: have counsel check every line before it is used."


class Audience(msgspec.Struct, frozen=True):
    """Whom a text is for."""

    id: str
    title: str
    owner: Owner
    write: Callable[[Facts], Iterator[str]]
    reason: str


def steps(situation: Situation) -> Iterator[Step]:
    """One step for each audience; none where nothing was seen."""
    facts = Facts(situation)
    if not facts.verdicts:
        return
    for audience in AUDIENCES:
        yield Step(
            id=f"communicate.{audience.id}",
            phase="communicate",
            title=audience.title,
            reason=audience.reason,
            disposition="manual",
            action=Manual(text="\n".join(audience.write(facts)).rstrip("\n") + "\n", media="text/markdown"),
            owner=audience.owner,
            incidents=tuple(facts.verdicts),
            check="Every [UNKNOWN] was replaced by a fact or by the plain statement that it is not known.",
        )


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _depth(facts: Facts, name: str) -> str:
    depth = facts.depth(name)
    if not depth:
        return unknown("how far it got")
    decided = any(verdict.status in ("affected", "fixed") for verdict in facts.verdicts[name])
    return _DEPTH_WORDS[depth] if decided else f"not decided yet; what was seen would mean that {_DEPTH_WORDS[depth]}"


def _reach(facts: Facts, places: bool) -> Iterator[str]:
    """What could have been reached, by tier; each place where `places`."""
    found = facts.situation.reach
    if found is None:
        yield f"- {unknown('which credentials the account could read; no inventory was made')}"
        return
    within = [item for item in found.credentials if item.reach != "not-readable"]
    if not within:
        yield "- The inventory holds no credential that the account could read."
    for tier, words in _TIERS.items():
        mine = [item for item in within if item.tier == tier]
        if not mine:
            continue
        taken = sum(item.taken == "taken" for item in mine)
        of_them = f"; {taken:,} of a class that victims of this incident lost" if taken else ""
        yield f"- Tier {tier} ({words}): {counted(len(mine), 'credential')}{of_them}."
        if places:
            for item in mine[:_PLACES]:
                yield f"  - {code(item.provider)}: {code(item.fact.field)} in {code(item.place)}"
            if len(mine) > _PLACES:
                yield f"  - and {len(mine) - _PLACES:,} more"
    if found.refusals:
        unread = counted(len(found.refusals), "place")
        yield f"- {unknown(f'what lies in {unread} that could not be read')}"
    yield "- Within reach does not mean taken. That anything was taken is not shown by this inventory."


def _done(facts: Facts) -> Iterator[str]:
    """What is done and what is open."""
    situation = facts.situation
    sealed = "sealed" if situation.sealed else "not sealed yet"
    yield f"- Evidence: {sealed if situation.case else unknown('whether evidence was copied; no case is open')}."
    for name in facts.verdicts:
        incident = situation.incidents.get(name)
        if incident is not None and incident.dead_man_switch:
            state = "not looked for yet" if name in facts.armed else "looked for and removed, on record"
            yield f"- Dead man's switch of {code(name)}: {state}."
    found = situation.reach
    if found is None:
        yield f"- Credentials: {unknown('how many must be replaced')}."
    else:
        within = [item for item in found.credentials if item.reach != "not-readable" and item.fact.state != "reference"]
        states = [situation.rotations[item.id].state if item.id in situation.rotations else "open" for item in within]
        closed = sum(state in ("verified", "not-needed") for state in states)
        begun = sum(state in ("new-issued", "deployed", "revoked") for state in states)
        left = len(within) - closed - begun
        yield f"- Credentials: {closed:,} of {len(within):,} closed, {begun:,} begun, {left:,} open."
    gaps = facts.gaps()
    if gaps:
        yield f"- {counted(gaps, 'place')} could not be examined and may change the answer."
    yield f"- Machine rebuilt: {unknown('whether and when it was rebuilt')}."


def _what(facts: Facts, releases: bool = True) -> Iterator[str]:
    for name in facts.verdicts:
        yield f"- {_sentence(facts.title(name))} {facts.summary(name)}"
        if releases:
            yield f"  - Releases seen here: {facts.releases(name)}"
        yield f"  - Could be fetched {facts.windows(name)}"
        yield f"  - Came here: {facts.since(name)}"
        yield f"  - How far it got: {_depth(facts, name)}"
        yield f"  - Places: {facts.count(name)}"


def _engineers(facts: Facts) -> Iterator[str]:
    yield "# Compromised packages: what to do and what not to do"
    yield ""
    if facts.armed:
        names = ", ".join(code(name) for name in facts.armed)
        yield f"**End no token, cut no machine off, stop no process yet** ({names})."
        for name in facts.armed:
            yield prose(facts.situation.incidents[name].dead_man_switch or "")
        yield ""
    yield "## What happened"
    yield ""
    yield from _what(facts)
    yield ""
    yield "## Where"
    yield ""
    shown = 0
    total = sum(len(found) for found in facts.verdicts.values())
    for name, found in facts.verdicts.items():
        for verdict in found:
            if shown == _PLACES:
                continue
            subject = facts.subjects.get(verdict.subject)
            where = code(subject.uri) if subject else code(verdict.subject)
            yield f"- {where}: {verdict.depth or 'not decided yet'} ({code(name)})"
            shown += 1
    if total > shown:
        yield f"- and {total - shown:,} more; the report holds all"
    yield ""
    yield "## What to do"
    yield ""
    yield "1. Delete nothing and reinstall nothing: it is evidence."
    yield "2. Install nothing that resolves anew. Leave lockfiles as they are; the plan changes them."
    yield "3. Start no old job again: it hands out old values, and may fetch the listed release again."
    if facts.armed:
        yield "4. Look for the switch above on every affected machine, copy it, remove it, and record that. Then go on."
    else:
        yield "4. Put no new secret on an affected machine. Replace from another one, in the order of the plan."
    yield f"5. Ask here before you act: {unknown('name and channel of the person who leads the response')}."
    yield ""
    if not facts.armed:
        yield "## What could have been reached"
        yield ""
        yield from _reach(facts, places=True)
        yield ""
    yield "## Done and open"
    yield ""
    yield from _done(facts)


def _lead(facts: Facts) -> str:
    """What is known, in one or two sentences."""
    depths = {facts.depth(name) for name in facts.verdicts}
    if not any(item.status in ("affected", "fixed") for found in facts.verdicts.values() for item in found):
        return "Whether a compromised package reached our environment is being examined."
    if facts.ran():
        return (
            "Code of a compromised package ran in our environment. Whatever that account could read counts as exposed."
        )
    if depths & {"fetched", "installed"}:
        return "A compromised package reached our environment. That its code ran is not shown."
    return "Our code asks for a compromised package. That it reached our environment is not shown."


def _management(facts: Facts) -> Iterator[str]:
    yield "# Compromised packages: state of the response"
    yield ""
    yield f"As of {facts.situation.today.isoformat()}."
    yield ""
    yield "## In short"
    yield ""
    yield _lead(facts)
    yield ""
    yield from _what(facts, releases=False)
    yield ""
    yield "## What could have been reached"
    yield ""
    yield from _reach(facts, places=False)
    yield ""
    yield "## Done and open"
    yield ""
    yield from _done(facts)
    yield ""
    yield "## To decide"
    yield ""
    yield f"- Who speaks for us: {unknown('name')}."
    yield f"- Outages that replacing credentials brings: {unknown('which services, when')}."
    yield f"- Customers: {unknown('whether their data or our products to them are touched')}."
    yield "- Notification duties: counsel decides; the clocks that may run stand in the text for legal."


def _customers(facts: Facts) -> Iterator[str]:
    yield "# Security notice (draft)"
    yield ""
    yield "Not to be sent before counsel and the lead of the response approved it, and no [UNKNOWN] is left."
    yield ""
    yield "## What happened"
    yield ""
    for name in facts.verdicts:
        yield f"- {_sentence(facts.title(name))}"
        yield f"  - The releases could be fetched {facts.windows(name)}"
        yield f"  - With us: {_depth(facts, name)}"
    yield ""
    yield "## What it means for you"
    yield ""
    yield f"- Your data: {unknown('whether customer data was within reach, and whether there is a sign of access')}"
    built = unknown("whether a product, package or image that we gave you was built where the code ran")
    yield f"- What we deliver: {built}"
    yield f"- Credentials that you gave us: {unknown('whether any was within reach')}"
    yield ""
    yield "## What we do"
    yield ""
    yield f"- {unknown('which steps are done, in words that you can stand by')}"
    yield ""
    yield "## What you can do"
    yield ""
    yield f"- {unknown('what customers should do, if anything')}"
    yield ""
    yield f"Contact: {unknown('address that is answered')}. Next notice: {unknown('date')}."


def _legal(facts: Facts) -> Iterator[str]:
    yield "# Compromised packages: facts for counsel"
    yield ""
    yield _COUNSEL
    yield ""
    yield "## What happened"
    yield ""
    yield from _what(facts)
    yield ""
    yield "## Clocks that may run"
    yield ""
    yield from clocks(facts.situation.aware)
    yield ""
    yield "## What could have been reached"
    yield ""
    yield from _reach(facts, places=False)
    yield ""
    yield "## Evidence and state"
    yield ""
    if facts.situation.case:
        yield f"- Case {code(facts.situation.case)}: its journal is chained; `pratique case verify` recomputes it."
    yield from _done(facts)
    yield f"- Legal hold: {unknown('whether deletion of logs and mail was stopped')}."
    yield "- Test no credential of somebody else, and open nothing that an attacker published: tell its owner."


def _privacy(facts: Facts) -> Iterator[str]:
    yield "# Compromised packages: questions of privacy"
    yield ""
    yield _COUNSEL
    yield ""
    yield "## Was personal data within reach?"
    yield ""
    found = facts.situation.reach
    personal = 0
    if found is not None:
        personal = sum(item.fact.state == "store" and item.reach != "not-readable" for item in found.credentials)
    if personal:
        yield f"- On the machine: {counted(personal, 'store')} of passwords, sessions or messages; none was opened."
    yield f"- Systems that the credentials in reach open: {unknown('which of them hold personal data, and of whom')}"
    yield f"- Signs of access: {unknown('what the audit logs of those systems show since then')}"
    yield f"- Kinds and number of people: {unknown('categories and approximate numbers, as Art. 33(3) asks')}"
    yield f"- Likely consequences, and measures taken: {unknown('to be assessed')}"
    yield ""
    yield "## What could have been reached"
    yield ""
    yield from _reach(facts, places=False)
    yield ""
    yield "## Clocks that may run"
    yield ""
    yield from clocks(facts.situation.aware)
    yield ""
    yield "## The inventory itself"
    yield ""
    yield "- It holds names and places of credentials of a person's account, never a value. It is a map for the"
    yield "  next attacker: keep it in the case alone, with a date on which it is deleted; show the person."
    yield f"- Works council or staff representation: {unknown('whether it must be told')}."


AUDIENCES: tuple[Audience, ...] = (
    Audience(
        "engineers",
        "Tell the engineers what happened and what not to do",
        "responder",
        _engineers,
        "The first hours are lost by deleting, reinstalling and replacing in the wrong order.",
    ),
    Audience(
        "management",
        "Tell management what is known, what is not, and what to decide",
        "management",
        _management,
        "Outages and notices need a decision.",
    ),
    Audience(
        "customers",
        "Draft the notice to customers, and hold it back until it is approved",
        "communications",
        _customers,
        "Customers ask; a notice that must be corrected costs more than one that waits.",
    ),
    Audience(
        "legal",
        "Give counsel the facts and the clocks that may run",
        "legal",
        _legal,
        "Some clocks run from awareness, not from certainty.",
    ),
    Audience(
        "privacy",
        "Give the person responsible for privacy the questions and the facts",
        "legal",
        _privacy,
        "Whether personal data were breached is decided on facts that only you have.",
    ),
)
"""The texts, in the order in which they are sent."""
