"""Announcements, filled from the facts: for engineers, management, customers, legal and privacy.

Each text says what happened, since when, how far it got, what could have been reached, what is done and what is open.
What is not known stands as `[UNKNOWN: ...]`; nothing is invented, and no text says that something was taken where it
was merely within reach. Names from outside are harmless in Markdown. Texts for management and customers hold no paths
and no names of machines. While a dead man's switch is armed, no text asks anybody to revoke, cut off or stop anything.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

import msgspec

from pratique.model.inert import code, prose
from pratique.model.plan import Manual, Owner, Step
from pratique.model.report import SightingEntry, SubjectEntry, VerdictEntry
from pratique.respond.situation import Situation

_DEPTHS = ("declared", "resolved", "fetched", "installed", "executed", "active")
_DEPTH_WORDS = {
    "declared": "a listed release is asked for; nothing shows that it was fetched",
    "resolved": "a lockfile names a listed release; nothing shows that it was fetched",
    "fetched": "a listed release was fetched; nothing shows that it was installed",
    "installed": "a listed release was installed; nothing shows that its code ran",
    "executed": "the code of a listed release ran",
    "active": "the code of a listed release ran, and what it left behind runs",
}
_TELLING = (
    "it was fetched through the mirror",
    "the archive was downloaded",
    "the command was typed",
    "the npm command started",
    "the registry answered",
)
"""Meanings of times at which a release came."""
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


class Facts:
    """What the texts are filled from."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.subjects: dict[str, SubjectEntry] = {
            item.id: item for report in situation.reports for item in report.subjects
        }
        sightings = {item.id: item for report in situation.reports for item in report.sightings}
        self.verdicts: dict[str, list[VerdictEntry]] = {}
        for report in situation.reports:
            for verdict in report.verdicts:
                if verdict.status in ("affected", "fixed") or (
                    verdict.status == "under_investigation" and verdict.sightings
                ):
                    self.verdicts.setdefault(verdict.incident, []).append(verdict)
        self.verdicts = dict(sorted(self.verdicts.items()))
        self.sightings: dict[str, list[SightingEntry]] = {
            name: [sightings[key] for verdict in found for key in verdict.sightings if key in sightings]
            for name, found in self.verdicts.items()
        }
        self.armed = situation.armed()

    def title(self, name: str) -> str:
        """What happened, in one line."""
        incident = self.situation.incidents.get(name)
        return prose(incident.title) if incident else code(name)

    def summary(self, name: str) -> str:
        """What happened, in a few sentences."""
        incident = self.situation.incidents.get(name)
        return prose(incident.summary) if incident else _unknown("what happened upstream")

    def releases(self, name: str) -> str:
        """The listed releases that were seen."""
        found = sorted({item.purl for item in self.sightings[name] if item.kind == "component" and item.purl})
        return ", ".join(code(purl) for purl in found) or _unknown("which listed releases were seen")

    def windows(self, name: str) -> str:
        """When the listed releases could be fetched."""
        incident = self.situation.incidents.get(name)
        if incident is None or not incident.windows:
            return _unknown("when the listed releases could be fetched")
        start = min(window.start for window in incident.windows)
        ends = [window.end for window in incident.windows]
        known = [end for end in ends if end is not None]
        last = _moment(max(known)) if len(known) == len(ends) else _unknown("when they were removed")
        return f"from {_moment(start)} to {last}"

    def since(self, name: str) -> str:
        """The first time that a record shows a release coming here."""
        found = sorted(
            (time.value, time.meaning)
            for sighting in self.sightings[name]
            for time in sighting.times
            if time.meaning in _TELLING
        )
        if not found:
            return _unknown("since when it was here; no record holds the time")
        return f"{code(found[0][0])} ({found[0][1]})"

    def depth(self, name: str) -> str | None:
        """How far it got at the deepest place."""
        found = [verdict.depth for verdict in self.verdicts[name] if verdict.depth in _DEPTHS]
        return max(found, key=_DEPTHS.index) if found else None

    def ran(self) -> bool:
        """Whether the code of any incident ran."""
        return any(self.depth(name) in ("executed", "active") for name in self.verdicts)

    def count(self, name: str) -> str:
        """How many places of each kind and status."""
        totals: dict[tuple[str, str], int] = {}
        for verdict in self.verdicts[name]:
            subject = self.subjects.get(verdict.subject)
            key = (verdict.status, subject.kind if subject else "place")
            totals[key] = totals.get(key, 0) + 1
        words = {"affected": "affected", "under_investigation": "not decided yet", "fixed": "recovered"}
        return ", ".join(
            f"{_counted(number, kind)} {words[status]}" for (status, kind), number in sorted(totals.items())
        )

    def gaps(self) -> int:
        """How many relevant places could not be examined."""
        return sum(
            item.relevant and item.accepted is None
            for report in self.situation.reports
            for item in report.coverage.refusals
        )


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


def _unknown(what: str) -> str:
    return f"[UNKNOWN: {what}]"


def _counted(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def _moment(value: datetime.datetime) -> str:
    return value.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _depth(facts: Facts, name: str) -> str:
    depth = facts.depth(name)
    if not depth:
        return _unknown("how far it got")
    decided = any(verdict.status in ("affected", "fixed") for verdict in facts.verdicts[name])
    return _DEPTH_WORDS[depth] if decided else f"not decided yet; what was seen would mean that {_DEPTH_WORDS[depth]}"


def _reach(facts: Facts, places: bool) -> Iterator[str]:
    """What could have been reached, by tier; each place where `places`."""
    found = facts.situation.reach
    if found is None:
        yield f"- {_unknown('which credentials the account could read; no inventory was made')}"
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
        yield f"- Tier {tier} ({words}): {_counted(len(mine), 'credential')}{of_them}."
        if places:
            for item in mine[:_PLACES]:
                yield f"  - {code(item.provider)}: {code(item.fact.field)} in {code(item.place)}"
            if len(mine) > _PLACES:
                yield f"  - and {len(mine) - _PLACES:,} more"
    if found.refusals:
        unread = _counted(len(found.refusals), "place")
        yield f"- {_unknown(f'what lies in {unread} that could not be read')}"
    yield "- Within reach does not mean taken. That anything was taken is not shown by this inventory."


def _done(facts: Facts) -> Iterator[str]:
    """What is done and what is open."""
    situation = facts.situation
    sealed = "sealed" if situation.sealed else "not sealed yet"
    yield f"- Evidence: {sealed if situation.case else _unknown('whether evidence was copied; no case is open')}."
    for name in facts.verdicts:
        incident = situation.incidents.get(name)
        if incident is not None and incident.dead_man_switch:
            state = "not looked for yet" if name in facts.armed else "looked for and removed, on record"
            yield f"- Dead man's switch of {code(name)}: {state}."
    found = situation.reach
    if found is None:
        yield f"- Credentials: {_unknown('how many must be replaced')}."
    else:
        within = [item for item in found.credentials if item.reach != "not-readable" and item.fact.state != "reference"]
        states = [situation.rotations[item.id].state if item.id in situation.rotations else "open" for item in within]
        closed = sum(state in ("verified", "not-needed") for state in states)
        begun = sum(state in ("new-issued", "deployed", "revoked") for state in states)
        left = len(within) - closed - begun
        yield f"- Credentials: {closed:,} of {len(within):,} closed, {begun:,} begun, {left:,} open."
    gaps = facts.gaps()
    if gaps:
        yield f"- {_counted(gaps, 'place')} could not be examined and may change the answer."
    yield f"- Machine rebuilt: {_unknown('whether and when it was rebuilt')}."


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
    yield f"5. Ask here before you act: {_unknown('name and channel of the person who leads the response')}."
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
    yield f"- Who speaks for us: {_unknown('name')}."
    yield f"- Outages that replacing credentials brings: {_unknown('which services, when')}."
    yield f"- Customers: {_unknown('whether their data or our products to them are touched')}."
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
    yield f"- Your data: {_unknown('whether customer data was within reach, and whether there is a sign of access')}"
    built = _unknown("whether a product, package or image that we gave you was built where the code ran")
    yield f"- What we deliver: {built}"
    yield f"- Credentials that you gave us: {_unknown('whether any was within reach')}"
    yield ""
    yield "## What we do"
    yield ""
    yield f"- {_unknown('which steps are done, in words that you can stand by')}"
    yield ""
    yield "## What you can do"
    yield ""
    yield f"- {_unknown('what customers should do, if anything')}"
    yield ""
    yield f"Contact: {_unknown('address that is answered')}. Next notice: {_unknown('date')}."


def clocks(aware: str | None) -> Iterator[str]:
    """The notification clocks that may run, counted from when awareness is recorded."""
    start = _parsed(aware)
    told = _moment(start) if start else _unknown("when we became aware; record it, the clocks count from it")
    yield f"- Aware since: {told}"

    def until(hours: int) -> str:
        return _moment(start + datetime.timedelta(hours=hours)) if start else _unknown(f"{hours} h after that")

    yield (
        f"- GDPR Art. 33, to the supervisory authority: 72 h, {until(72)}. It runs if personal data are breached, "
        "unless a risk to people is unlikely. A processor tells its controller without undue delay."
    )
    yield "- GDPR Art. 34, to the people: without undue delay. It runs if a high risk to them is likely."
    yield (
        f"- NIS2 Art. 23: early warning 24 h, {until(24)}; notification 72 h, {until(72)}; final report one month "
        "after the notification. It runs for essential and important entities, if the incident is significant."
    )
    yield (
        f"- Cyber Resilience Act Art. 14: early warning 24 h, {until(24)}; notification 72 h, {until(72)}. It may run "
        "for makers of products with digital elements, if the security of a product is touched."
    )
    yield f"- Contracts: {_unknown('which contracts hold notification terms, and of how many hours')}"
    yield f"- Sector rules (finance, health, telecommunications, listed companies): {_unknown('which apply')}"
    yield f"- Insurance: {_unknown('notification terms of the policy')}"


def _parsed(text: str | None) -> datetime.datetime | None:
    try:
        value = datetime.datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if value is None:
        return None
    try:
        start = (value if value.tzinfo else value.replace(tzinfo=datetime.UTC)).astimezone(datetime.UTC)
        return start if start + datetime.timedelta(days=40) else None
    except (OverflowError, ValueError):
        return None


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
    yield f"- Legal hold: {_unknown('whether deletion of logs and mail was stopped')}."
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
        yield f"- On the machine: {_counted(personal, 'store')} of passwords, sessions or messages; none was opened."
    yield f"- Systems that the credentials in reach open: {_unknown('which of them hold personal data, and of whom')}"
    yield f"- Signs of access: {_unknown('what the audit logs of those systems show since then')}"
    yield f"- Kinds and number of people: {_unknown('categories and approximate numbers, as Art. 33(3) asks')}"
    yield f"- Likely consequences, and measures taken: {_unknown('to be assessed')}"
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
    yield f"- Works council or staff representation: {_unknown('whether it must be told')}."


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
