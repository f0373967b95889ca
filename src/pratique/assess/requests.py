"""What a mirror's storage and logs show: does it hold a listed release, who pulled it, and when.

One sighting for each mirror and release. Held, or pulled by anybody: affected, fetched; `current` says whether the
archive is still there. Asked for without an answer that shows it was sent: under investigation, since who asks for that
archive had resolved to it. Known from metadata alone: a note.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

import msgspec

from pratique.assess.catalogue import Catalogue, Listing, compare
from pratique.assess.exposure import AFTER, INSIDE, exposure
from pratique.assess.words import purl_of
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Role, Version
from pratique.model.location import Location
from pratique.model.observation import ComponentFact, DigestFact, Observation, PresenceFact, Question, RequestFact, Time
from pratique.model.verdict import Sighting, Status, Subject

MOST_LISTED = 1000
"""So many requests are listed with a sighting; all are counted."""

_MOST_NAMES = 3
_TARGET = "mirror+"
_BY_NAME = ("artifactory-filestore", "nexus-blob")
"""Readers that tell a digest by a name or a record of the store, not by the bytes."""


class _Evidence(Protocol):
    observations: list[Observation]

    def subject(self, observation: Observation) -> Subject:
        """What an observation is about."""
        ...


class _Mirrored(msgspec.Struct):
    """All that one mirror shows about one listed release."""

    listing: Listing
    version: Version
    subject: Subject
    held: list[Observation] = []
    known: list[Observation] = []
    pulls: list[Observation] = []
    asked: list[Observation] = []
    metadata: list[Observation] = []


def of_mirror(observation: Observation) -> bool:
    """Whether an observation is judged here: an archive or a record of a mirror, or a request."""
    fact = observation.facts
    if isinstance(fact, RequestFact):
        return True
    if not observation.location.target.startswith(_TARGET):
        return False
    if isinstance(fact, DigestFact):
        return observation.reader in _BY_NAME
    return isinstance(fact, ComponentFact) and fact.record in ("mirror", "archive")


def shipped_by(location: Location) -> str | None:
    """The package archive that a file was shipped in by its author; None where that cannot be told.

    What a mirror holds are packages. Elsewhere an archive is one where npm's own folder `package` holds its files.
    """
    members = [step.path for step in location.inside if step.kind == "member"]
    if not members:
        return None
    archive = members[-2] if len(members) > 1 else location.path
    packed = archive.endswith(".tgz") and members[-1].startswith("package/")
    return archive.rpartition("/")[2] if packed or location.target.startswith(_TARGET) else None


def mirror_questions(catalogue: Catalogue, evidence: _Evidence) -> Iterator[Question]:
    """Is the archive that a mirror's record names still there?"""
    for observation in evidence.observations:
        fact = observation.facts
        if not of_mirror(observation):
            continue
        if isinstance(fact, ComponentFact) and fact.record == "mirror" and fact.files and _listed(catalogue, fact):
            for path in fact.files:
                yield Question("presence", observation.location.target, path, names=(fact.name,))
        elif isinstance(fact, DigestFact):
            yield Question("presence", observation.location.target, fact.path)


def _listed(catalogue: Catalogue, fact: ComponentFact) -> list[tuple[Listing, Version]]:
    return [*catalogue.listed(fact.ecosystem, fact.name, fact.version), *catalogue.by_hash(fact)]


def mirrored(catalogue: Catalogue, evidence: _Evidence) -> Iterator[Sighting]:
    """One sighting for each mirror and listed release."""
    found: dict[tuple[str, str, str, str], _Mirrored] = {}
    present = {
        (item.location.target, item.facts.path): item
        for item in evidence.observations
        if isinstance(item.facts, PresenceFact)
    }

    def take(listing: Listing, version: Version, observation: Observation) -> _Mirrored:
        subject = evidence.subject(observation)
        key = (subject.uri, listing.incident.id, listing.component.name, version.version)
        return found.setdefault(key, _Mirrored(listing, version, subject))

    metadata: list[Observation] = []
    digests = _digests(catalogue)
    for observation in evidence.observations:
        fact = observation.facts
        if not of_mirror(observation):
            continue
        if isinstance(fact, DigestFact):
            for listing, version in digests.get(fact.digest, ()):
                take(listing, version, observation).held.append(observation)
        if isinstance(fact, ComponentFact):
            for listing, version in _listed(catalogue, fact):
                entry = take(listing, version, observation)
                (entry.held if fact.depth != "resolved" else entry.known).append(observation)
        elif isinstance(fact, RequestFact):
            if not fact.version:
                metadata.append(observation)
            for listing, version in catalogue.listed(fact.ecosystem, fact.name, fact.version) if fact.version else ():
                entry = take(listing, version, observation)
                where = entry.pulls if fact.outcome == "fetched" else entry.asked if fact.archive else entry.metadata
                where.append(observation)
    shared = _shared(entry.pulls + entry.asked for entry in found.values())
    for _, entry in sorted(found.items(), key=lambda item: item[0]):
        yield _judged(entry, present, shared)
    yield from _only_metadata(catalogue, evidence, metadata, {(key[0], key[1]) for key in found})


def _digests(catalogue: Catalogue) -> dict[str, list[tuple[Listing, Version]]]:
    """Listed archives by SHA-1, of which stores make their names."""
    found: dict[str, list[tuple[Listing, Version]]] = {}
    for listings in catalogue.listings.values():
        for listing in listings:
            for version in listing.versions.values():
                if version.sha1:
                    found.setdefault(version.sha1, []).append((listing, version))
    return found


def _shared(groups: Iterable[list[Observation]]) -> frozenset[str]:
    """Identities that came from several addresses, over all logs."""
    seen: dict[str, set[str]] = {}
    several: set[str] = set()
    for group in groups:
        for item in group:
            fact = item.facts
            if isinstance(fact, RequestFact) and fact.identity is not None:
                if fact.shared_identity:
                    several.add(fact.identity)
                if fact.client is not None:
                    seen.setdefault(fact.identity, set()).add(fact.client)
    return frozenset(several | {identity for identity, clients in seen.items() if len(clients) > 1})


def _judged(entry: _Mirrored, present: dict[tuple[str, str], Observation], shared: frozenset[str]) -> Sighting:
    listing, version = entry.listing, entry.version
    role = listing.role(version)
    named = [(item.location.target, path) for item in entry.held for path in _files(item)]
    answers = [present[place] for place in named if place in present]
    archives = [item for item in entry.held if getattr(item.facts, "record", "") == "archive"]
    there = bool(archives) or any(getattr(item.facts, "exists", False) for item in answers)
    gone = bool(answers) and len(answers) == len(named) and not there
    words = []
    if there:
        words.append("the mirror holds its archive")
    elif gone:
        words.append("the mirror's record says it fetched its archive; the file is gone")
    elif entry.held:
        words.append("the mirror fetched its archive")
    if any(time.meaning == "the mirror marked it deleted" for item in entry.held for time in item.times):
        words.append("marked as deleted")
    equal = _equal(entry, version)
    if equal and entry.held:
        words[0] += ", by the listed hash"
    elif equal is False and entry.held:
        words[0] += ", other bytes under a bad version: its hash is not the listed one"
    tags = sorted({tag for item in entry.held + entry.known for tag in getattr(item.facts, "tags", ())})
    if tags:
        words.append(f"offered as {_some(tags)}")
    if entry.pulls:
        words.append(_pulled(listing, entry.pulls, shared))
    if entry.asked:
        words.append(_asked(entry.asked, pulled=bool(entry.pulls)))
    status, depth = Status.AFFECTED, Depth.FETCHED
    if not entry.held and not entry.pulls:
        depth = Depth.RESOLVED
        status = Status.UNDER_INVESTIGATION if entry.asked else Status.NOT_AFFECTED
        if not entry.asked:
            words.append("known from metadata alone: its archive was not fetched here")
    if role is Role.DECOY:
        status = Status.NOT_AFFECTED
        words.append("attacker's package without payload: remove it")
    records = [*archives, *(item for item in entry.held if item not in archives), *answers]
    requests = [*entry.pulls, *entry.asked]
    observations = tuple(records + requests[:MOST_LISTED] or entry.known or entry.metadata)[
        : MOST_LISTED + len(records)
    ]
    if len(requests) > MOST_LISTED:
        words.append(f"{MOST_LISTED} kinds of requests of {len(requests)} are listed")
    return Sighting(
        incident=listing.incident.id,
        subject=entry.subject,
        kind="component",
        status=status,
        purl=_purl(listing, version.version),
        depth=depth,
        confidence={True: Confidence.HIGH, None: Confidence.MEDIUM, False: Confidence.LOW}[equal],
        role=role,
        location=observations[0].location,
        explanation="; ".join(words),
        observations=observations,
        current=not gone,
        times=_times(observations),
        lowered_by=observations[:1] if status is Status.NOT_AFFECTED else (),
    )


def _files(item: Observation) -> tuple[str, ...]:
    """The files that a record of a mirror says it holds."""
    fact = item.facts
    if isinstance(fact, DigestFact):
        return (fact.path,)
    return fact.files if isinstance(fact, ComponentFact) and fact.record == "mirror" else ()


def _purl(listing: Listing, version: str) -> str:
    return purl_of(listing.component.ecosystem, listing.component.name, version)


def _equal(entry: _Mirrored, version: Version) -> bool | None:
    """Whether the bytes are the listed ones: by the archive's own digest, else by a record's or a client's."""
    if any(isinstance(item.facts, DigestFact) for item in entry.held):
        return True
    for group in (
        [item for item in entry.held if getattr(item.facts, "record", "") == "archive"],
        entry.held,
        [*entry.pulls, *entry.known],
    ):
        answers = {compare(getattr(item.facts, "integrity", ()), version) for item in group}
        if True in answers or False in answers:
            return True in answers
    return None


def _times(observations: tuple[Observation, ...]) -> tuple[Time, ...]:
    """The times of requests; those of records only where there are no requests."""
    requests = {time for item in observations if isinstance(item.facts, RequestFact) for time in item.times}
    return tuple(sorted(requests or {time for item in observations for time in item.times}))


def _pulled(listing: Listing, pulls: list[Observation], shared: frozenset[str]) -> str:
    """Who pulled it: how many clients, between when, and under which accounts."""
    facts = [item.facts for item in pulls if isinstance(item.facts, RequestFact)]
    clients = {fact.client for fact in facts if fact.client is not None}
    number = sum(fact.count for fact in facts)
    moments = sorted(time.value for item in pulls for time in item.times)
    who = _count(len(clients), "client") if clients else "clients that the log does not name"
    words = f"{who} pulled it"
    if number > max(len(clients), 1):
        words += f" in {number} logged requests"
    if moments:
        same = moments[0][:16] == moments[-1][:16]
        words += f" at {_minute(moments[0])}" if same else f" between {_minute(moments[0])} and {_minute(moments[-1])}"
    inside = _where(listing, pulls, INSIDE)
    after = _where(listing, pulls, AFTER)
    if inside or after:
        words += f" ({len(inside)} inside the window, {len(after)} after its removal)"
    accounts = sorted({fact.identity for fact in facts if fact.identity in shared and fact.identity is not None})
    own = sorted({fact.identity for fact in facts if fact.identity is not None} - set(accounts))
    if accounts:
        words += f", {_count(len(accounts), 'shared account')} {_some(accounts)}"
    if own:
        words += f", {_count(len(own), 'user')} {_some(own)}"
    nameless = {fact.client for fact in facts if fact.identity is None and fact.client is not None}
    if nameless and (accounts or own):
        words += f", {len(nameless)} without a name"
    return words


def _where(listing: Listing, pulls: list[Observation], answer: str) -> set[str]:
    """Clients of which some pull lies there."""
    name = listing.component.name
    return {
        getattr(item.facts, "client", None) or ""
        for item in pulls
        for time in item.times
        if exposure(listing.incident, name, (time,)) == answer
    }


def _asked(asked: list[Observation], *, pulled: bool) -> str:
    """Who asked for the archive, and nothing shows that it was sent."""
    facts = [item.facts for item in asked if isinstance(item.facts, RequestFact)]
    clients = {fact.client for fact in facts if fact.client is not None}
    statuses = sorted({str(fact.status) if fact.status else "no answer told" for fact in facts})
    who = _count(len(clients), "client") if clients else "clients that the log does not name"
    also = " also" if pulled else ""
    return f"{who}{also} asked for its archive without being sent it as far as the log shows ({', '.join(statuses)})"


def _only_metadata(
    catalogue: Catalogue, evidence: _Evidence, metadata: list[Observation], told: set[tuple[str, str]]
) -> Iterator[Sighting]:
    """A note where the metadata of a listed package was asked for inside a window, and nothing else was."""
    groups: dict[tuple[Subject, str, str], tuple[Listing, list[Observation]]] = {}
    for observation in metadata:
        fact = observation.facts
        if isinstance(fact, RequestFact):
            for listing in catalogue.listings.get((fact.ecosystem, fact.name), ()):
                subject = evidence.subject(observation)
                if (subject.uri, listing.incident.id) in told:
                    continue
                if any(exposure(listing.incident, fact.name, (time,)) == INSIDE for time in observation.times):
                    key = (subject, listing.incident.id, listing.component.name)
                    groups.setdefault(key, (listing, []))[1].append(observation)
    for (subject, incident, _), (listing, items) in sorted(groups.items(), key=lambda entry: entry[0]):
        version = next(iter(listing.versions.values()), None)
        if version is None:
            continue
        clients = {getattr(item.facts, "client", None) for item in items}
        yield Sighting(
            incident=incident,
            subject=subject,
            kind="component",
            status=Status.NOT_AFFECTED,
            purl=_purl(listing, ""),
            depth=Depth.RESOLVED,
            confidence=Confidence.MEDIUM,
            role=listing.role(version),
            location=items[0].location,
            explanation=f"{_count(len(clients), 'client')} asked for its metadata inside the window; "
            "no listed archive was pulled here",
            observations=tuple(items[:MOST_LISTED]),
            lowered_by=tuple(items[:1]),
        )


def _minute(moment: str) -> str:
    return f"{moment[:16]}Z"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _some(items: Iterable[str]) -> str:
    listed = list(items)
    more = f" and {len(listed) - _MOST_NAMES} more" if len(listed) > _MOST_NAMES else ""
    return ", ".join(listed[:_MOST_NAMES]) + more
