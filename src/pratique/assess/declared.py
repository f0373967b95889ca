"""Releases that were only asked for: exactly, by a command, or by a range that nothing resolved."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.assess.actions import asked_words
from pratique.assess.catalogue import Catalogue, Listing
from pratique.assess.evidence import Evidence
from pratique.assess.jobs import asked_release
from pratique.assess.requests import shipped_by
from pratique.assess.subjects import folder_of, settled_name, uri_of
from pratique.assess.unlocked import beside_answers, in_history, open_range, unlocked
from pratique.assess.words import purl_of
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Incident, Role, Version
from pratique.model.location import Location
from pratique.model.observation import (
    CommandFact,
    Observation,
    RangeFact,
)
from pratique.model.verdict import Sighting, Status, Subject


def declared(
    listing: Listing, version: Version, observation: Observation, fact: RangeFact, subject: Subject
) -> Sighting:
    """A manifest that asks for exactly a listed release."""
    return Sighting(
        incident=listing.incident.id,
        subject=subject,
        kind="component",
        status=Status.AFFECTED,
        purl=purl_of(fact.ecosystem, fact.name, version.version),
        depth=Depth.DECLARED,
        confidence=Confidence.MEDIUM,
        role=listing.role(version),
        location=observation.location,
        explanation=asked_words(fact),
        observations=(observation,),
        times=observation.times,
    )


INSTALLING = ("install", "add", "exec", "x", "dlx", "upgrade", "up", "update", "create")


def typed(catalogue: Catalogue, observation: Observation, fact: CommandFact, subject: Subject) -> Iterator[Sighting]:
    """A command that asked a package manager for exactly a listed release."""
    for package in fact.packages:
        asked = asked_release(fact, package)
        if asked is None:
            continue
        for listing, release in catalogue.listed(*asked):
            if listing.role(release) is Role.DECOY:
                continue
            yield Sighting(
                incident=listing.incident.id,
                subject=subject,
                kind="component",
                status=Status.AFFECTED,
                purl=purl_of(*asked),
                depth=Depth.DECLARED,
                confidence=Confidence.MEDIUM,
                role=listing.role(release),
                location=observation.location,
                explanation=f"a command asked for exactly this version: {fact.manager} {fact.verb}",
                observations=(observation,),
                times=observation.times,
            )


class DeclaredOnly(msgspec.Struct, frozen=True):
    """A declared range that admits a listed release, in a project where nothing shows what it resolved to."""

    incident: Incident
    observation: Observation
    subject: Subject
    admitted: tuple[str, ...]
    relevant: bool
    commits: tuple[str, ...] = ()
    """Out of a git history: at which commits nothing beside the manifest named the package."""


def declared_only(
    catalogue: Catalogue, evidence: Evidence, settled: frozenset[tuple[str, str]]
) -> Iterator[DeclaredOnly]:
    """Declared ranges that nothing resolved. `settled` holds folder URI and name of what locks and trees resolve.

    A name resolved in its project or in a folder above it (a workspace root) is nothing; a lockfile that does not
    name it resolves nothing of it. Peer dependencies are somebody else's to install. In a git history each commit that
    counts is asked (see `unlocked`).
    """
    beside = beside_answers(evidence.observations)
    for observation in evidence.observations:
        fact = observation.facts
        if not isinstance(fact, RangeFact) or not open_range(fact) or shipped_by(observation.location):
            continue
        subject = evidence.subject(observation)
        place = uri_of(observation.location.target, folder_of(observation.location))
        name = settled_name(fact.ecosystem, fact.name)
        covered = _covered(place, name, observation.location, settled)
        for listing in catalogue.listings.get((fact.ecosystem, fact.name), ()):
            commits: tuple[str, ...] | None = None if covered else ()
            if listing.named and in_history(observation):
                commits = unlocked(observation, name, listing, beside, evidence.locks)
            admitted = catalogue.admitted(fact, listing) if commits is not None else ()
            if admitted:
                yield DeclaredOnly(
                    listing.incident, observation, subject, tuple(admitted), listing.named, commits or ()
                )


def _covered(uri: str, name: str, location: Location, settled: frozenset[tuple[str, str]]) -> bool:
    """Whether a package was resolved in the project or a folder above it, inside the target."""
    base = location.target.rstrip("/")
    while True:
        if (uri, name) in settled:
            return True
        if len(uri) <= len(base) or uri.endswith("!"):
            return False
        uri = uri.rpartition("/")[0]
