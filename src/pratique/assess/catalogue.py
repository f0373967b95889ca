"""All incidents at hand, laid out for matching: what is listed under which name."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Sequence

import msgspec

from pratique.model.incident import Component, Incident, Role, Tampering, Version
from pratique.model.observation import (
    CommandFact,
    ComponentFact,
    Observation,
    PolicyFact,
    ProtectionFact,
    RangeFact,
    ScriptFact,
    SideEffectFact,
)
from pratique.model.ports import Interest

_TAG = re.compile(r"[A-Za-z][\w.-]*")
STUB = "0.0.1-security"
"""Version prefix of the placeholder that a registry publishes over a removed package: harmless."""


class Listing(msgspec.Struct, frozen=True):
    """One component of one incident. `named`: the user asked for this incident by name."""

    incident: Incident
    component: Component
    versions: dict[str, Version]
    named: bool

    def version(self, text: str) -> Version | None:
        """The listed release, None where this version is not listed."""
        found = self.versions.get(text)
        if found is None and self.component.all_versions and not text.startswith(STUB):
            return Version(version=text)
        return found

    def role(self, version: Version) -> Role:
        """The role of a listed release."""
        return version.role or self.component.role


class Catalogue:
    """Incidents by package name; pure lookups."""

    def __init__(self, incidents: Iterable[Incident], named: frozenset[str] = frozenset()) -> None:
        self.incidents = sorted(incidents, key=lambda incident: incident.id)
        self.listings: dict[tuple[str, str], list[Listing]] = {}
        self.tampering: dict[str, list[tuple[Incident, Tampering]]] = {}
        names: dict[str, set[str]] = {}
        for incident in self.incidents:
            active = incident.id in named or incident.status == "active"
            for component in incident.components:
                versions = {version.version: version for version in component.versions}
                listing = Listing(incident, component, versions, active)
                self.listings.setdefault((component.ecosystem, component.name), []).append(listing)
                names.setdefault(component.ecosystem, set()).add(component.name)
            for rule in incident.tampering:
                self.tampering.setdefault(rule.component, []).append((incident, rule))
        self.interest = Interest({ecosystem: frozenset(found) for ecosystem, found in names.items()})
        self._ranges: dict[tuple[str, str], bool] = {}

    def listed(self, ecosystem: str, name: str, version: str) -> list[tuple[Listing, Version]]:
        """Every listing that holds this exact release."""
        found = []
        for listing in self.listings.get((ecosystem, name), ()):
            release = listing.version(version)
            if release is not None:
                found.append((listing, release))
        return found

    def by_hash(self, fact: ComponentFact) -> list[tuple[Listing, Version]]:
        """Listings of this name whose hash the record states under another version: bad bytes by another label."""
        if not fact.integrity:
            return []
        return [
            (listing, version)
            for listing in self.listings.get((fact.ecosystem, fact.name), ())
            for version in listing.versions.values()
            if version.version != fact.version and compare(fact.integrity, version)
        ]

    def admitted(self, fact: RangeFact, listing: Listing) -> list[str]:
        """Listed versions, decoys aside, that a declared range admits."""
        return [
            version.version
            for version in listing.versions.values()
            if listing.role(version) is not Role.DECOY and _admits(version.version, fact.range)
        ]

    def admits(self, fact: RangeFact) -> bool:
        """Whether a declared range admits any listed version; remembered, since the same ranges recur."""
        key = (f"{fact.ecosystem}/{fact.name}", fact.range)
        answer = self._ranges.get(key)
        if answer is None:
            listings = self.listings.get((fact.ecosystem, fact.name), ())
            answer = any(self.admitted(fact, listing) for listing in listings)
            self._ranges[key] = answer
        return answer

    def keeps(self, observation: Observation) -> bool:
        """Whether an observation can matter to any incident; the rest is dropped where it was read."""
        fact = observation.facts
        if isinstance(fact, ComponentFact):
            if fact.name in self.tampering:
                return True
            return bool(self.listed(fact.ecosystem, fact.name, fact.version)) or bool(self.by_hash(fact))
        if isinstance(fact, RangeFact):
            if fact.asked_by is not None:
                return fact.name in self.tampering
            if (fact.ecosystem, fact.name) not in self.listings:
                return False
            return self.admits(fact)
        if isinstance(fact, ScriptFact | SideEffectFact):
            return bool(self.listed(fact.ecosystem, fact.name, fact.version))
        return isinstance(fact, ProtectionFact | PolicyFact | CommandFact)


def compare(integrity: Sequence[str], version: Version) -> bool | None:
    """Whether recorded integrity equals a listed hash; None where they cannot be compared."""
    listed = {"sha512": hexadecimal(version.sha512), "sha1": version.sha1, "sha256": version.sha256}
    comparable = False
    for item in integrity:
        algorithm, digest = _integrity(item)
        expected = listed.get(algorithm)
        if expected is None or digest is None:
            continue
        if expected == digest:
            return True
        comparable = True
    return False if comparable else None


def hexadecimal(integrity: str | None) -> str | None:
    """The hexadecimal digest of a Subresource Integrity string; None where it is none."""
    return _integrity(integrity)[1] if integrity else None


def _integrity(item: str) -> tuple[str, str | None]:
    """Algorithm and hexadecimal digest of `sha512-<base64>` or `sha1:<hexadecimal>`."""
    if ":" in item:
        algorithm, _, digest = item.partition(":")
        return algorithm, digest.lower()
    algorithm, _, text = item.partition("?")[0].partition("-")
    try:
        return algorithm, base64.b64decode(text, validate=True).hex()
    except (binascii.Error, ValueError):
        return algorithm, None


def _admits(version: str, asked: str) -> bool:
    """Whether a declared range admits a version; a dist-tag such as `latest` may have pointed at any."""
    from pratique.ecosystems.npm.versions import satisfies

    answer = satisfies(version, asked)
    return bool(answer) if answer is not None else _TAG.fullmatch(asked) is not None
