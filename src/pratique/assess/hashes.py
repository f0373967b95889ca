"""Archives and files known by their digests."""

from __future__ import annotations

from pratique.assess.catalogue import Catalogue, Listing, hexadecimal
from pratique.assess.evidence import Evidence
from pratique.assess.indicators import MEANINGS, representative
from pratique.assess.words import purl_of
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Incident, Indicator, Role, Version
from pratique.model.observation import (
    Observation,
)
from pratique.model.verdict import Sighting, Status, Subject


def listed_hashes(
    catalogue: Catalogue,
) -> tuple[dict[str, list[tuple[Listing, Version]]], dict[str, list[tuple[Incident, Indicator]]]]:
    """Hexadecimal digests of listed archives, and of files that indicators name."""
    archives: dict[str, list[tuple[Listing, Version]]] = {}
    for listings in catalogue.listings.values():
        for listing in listings:
            for version in listing.versions.values():
                for digest in (version.sha1, version.sha256, hexadecimal(version.sha512)):
                    if digest:
                        archives.setdefault(digest, []).append((listing, version))
    hashes: dict[str, list[tuple[Incident, Indicator]]] = {}
    for incident in catalogue.incidents:
        for indicator in incident.indicators:
            if indicator.type == "file-hash":
                hashes.setdefault(indicator.value.removeprefix("sha256:"), []).append((incident, indicator))
    return archives, hashes


def by_archive(listing: Listing, version: Version, observation: Observation, evidence: Evidence) -> Sighting:
    """A file that is a listed archive, by its digest."""
    decoy = listing.role(version) is Role.DECOY
    return Sighting(
        incident=listing.incident.id,
        subject=evidence.subject(observation),
        kind="component",
        status=Status.NOT_AFFECTED if decoy else Status.AFFECTED,
        purl=purl_of(listing.component.ecosystem, listing.component.name, version.version),
        depth=Depth.FETCHED,
        confidence=Confidence.HIGH,
        role=listing.role(version),
        location=observation.location,
        explanation="a file here is its archive, by hash",
        observations=(observation,),
        lowered_by=(observation,) if decoy else (),
    )


def by_indicator(
    incident: Incident, indicator: Indicator, observation: Observation, evidence: Evidence
) -> Sighting | None:
    """A file that an indicator names by its hash; infrastructure says nothing about a machine."""
    depth = MEANINGS.get(indicator.meaning)
    if depth is None:
        return None
    component, version = representative(incident)
    return Sighting(
        incident=incident.id,
        subject=evidence.subject(observation),
        kind="indicator",
        status=Status.AFFECTED,
        purl=purl_of(component.ecosystem, component.name, version.version),
        depth=depth,
        confidence=Confidence(indicator.confidence),
        role=version.role or component.role,
        location=observation.location,
        explanation=f"a file here is the one that indicator {indicator.id} names by its hash",
        observations=(observation,),
    )


def held(listing: Listing, version: Version, observation: Observation) -> Sighting:
    """A listed archive that npm's cache still holds under its digest."""
    location = observation.location
    cache = location.path.partition("/content-v2/")[0]
    return Sighting(
        incident=listing.incident.id,
        subject=Subject("cache", f"{location.target.rstrip('/')}/{cache}".rstrip("/")),
        kind="component",
        status=Status.AFFECTED,
        purl=purl_of(listing.component.ecosystem, listing.component.name, version.version),
        depth=Depth.FETCHED,
        confidence=Confidence.HIGH,
        role=listing.role(version),
        location=location,
        explanation="the cache still holds its archive, under the listed hash",
        observations=(observation,),
        times=observation.times,
    )


def digest_of(path: str) -> str:
    """The digest that a content path of npm's cache spells."""
    return path.partition("/sha512/")[2].replace("/", "")
