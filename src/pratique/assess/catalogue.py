"""All incidents at hand, laid out for matching: what is listed under which name."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Sequence

import msgspec

from pratique.ecosystems.grammar import admits, canonical_name, canonical_version
from pratique.ecosystems.npm.signatures import SIGNATURES
from pratique.model.incident import Component, Incident, Role, Tampering, Version
from pratique.model.observation import (
    BundledFact,
    CommandFact,
    ComponentFact,
    ContentFact,
    DigestFact,
    HostFact,
    JobFact,
    Observation,
    PersistenceFact,
    PolicyFact,
    PresenceFact,
    ProcessFact,
    ProtectionFact,
    RangeFact,
    RequestFact,
    ResolverFact,
    RunnerFact,
    ScriptFact,
    SideEffectFact,
    SocketFact,
    TriggerFact,
)
from pratique.model.ports import Interest
from pratique.model.signature import Signature

STUB = "0.0.1-security"
"""Version prefix of the placeholder that a registry publishes over a removed package: harmless."""

_KEPT = (
    ContentFact,
    ProtectionFact,
    PolicyFact,
    CommandFact,
    JobFact,
    TriggerFact,
    DigestFact,
    PresenceFact,
    HostFact,
    ProcessFact,
    SocketFact,
    PersistenceFact,
    RunnerFact,
    ResolverFact,
)
"""Facts that are kept whatever they say."""


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
                world, name = component.ecosystem, canonical_name(component.ecosystem, component.name)
                versions = {canonical_version(world, version.version): version for version in component.versions}
                listing = Listing(incident, component, versions, active)
                self.listings.setdefault((world, name), []).append(listing)
                names.setdefault(world, set()).add(name)
            for rule in incident.tampering:
                self.tampering.setdefault(rule.component, []).append((incident, rule))
        self.interest = Interest(
            {ecosystem: frozenset(found) for ecosystem, found in names.items()},
            digests=_listed_digests(self.incidents),
            basenames=_named_files(self.incidents),
            signatures=_signatures(self.incidents, names.get("npm", set())),
            fragments=_fragments(self.incidents),
            command_lines=tuple(
                sorted({i.value for one in self.incidents for i in one.indicators if i.type == "command-line"})
            ),
            hosts=_named_hosts(self.incidents),
        )
        self.paths = [
            (incident, indicator)
            for incident in self.incidents
            for indicator in incident.indicators
            if indicator.type == "file-path"
        ]
        """Every indicator that names a file by its path."""
        self._ranges: dict[tuple[str, str], bool] = {}

    def listed(self, ecosystem: str, name: str, version: str) -> list[tuple[Listing, Version]]:
        """Every listing that holds this exact release."""
        found = []
        if ecosystem != "npm":
            name, version = canonical_name(ecosystem, name), canonical_version(ecosystem, version)
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
            for listing in self.listings.get((fact.ecosystem, canonical_name(fact.ecosystem, fact.name)), ())
            for version in listing.versions.values()
            if canonical_version(fact.ecosystem, version.version) != canonical_version(fact.ecosystem, fact.version)
            and compare(fact.integrity, version)
        ]

    def admitted(self, fact: RangeFact, listing: Listing) -> list[str]:
        """Listed versions, decoys aside, that a declared range admits.

        Where listed releases name the tags that pointed to them, and the range is one of these, those alone.
        """
        tagged = [version.version for version in listing.versions.values() if fact.range in version.tags]
        if tagged and fact.ecosystem == "GitHub Actions":
            return tagged
        return [
            version.version
            for version in listing.versions.values()
            if listing.role(version) is not Role.DECOY and admits(fact.ecosystem, version.version, fact.range)
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
            if fact.record == "bundle":
                return (fact.ecosystem, fact.name) in self.listings
            return bool(self.listed(fact.ecosystem, fact.name, fact.version)) or bool(self.by_hash(fact))
        if isinstance(fact, RangeFact):
            if fact.asked_by is not None:
                return fact.name in self.tampering
            if (fact.ecosystem, fact.name) not in self.listings:
                return False
            return self.admits(fact)
        if isinstance(fact, ScriptFact | SideEffectFact):
            return bool(self.listed(fact.ecosystem, fact.name, fact.version)) or (
                not fact.version and (fact.ecosystem, fact.name) in self.listings
            )
        if isinstance(fact, RequestFact):
            return bool(self.listed(fact.ecosystem, fact.name, fact.version)) or (
                not fact.version and (fact.ecosystem, fact.name) in self.listings
            )
        if isinstance(fact, BundledFact):
            return (fact.ecosystem, fact.name) in self.listings
        return isinstance(fact, _KEPT)


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


def _listed_digests(incidents: Iterable[Incident]) -> dict[str, frozenset[str]]:
    """Every listed digest of archives and files, hexadecimal, by algorithm."""
    found: dict[str, set[str]] = {"sha1": set(), "sha256": set(), "sha512": set()}
    for incident in incidents:
        for component in incident.components:
            for version in component.versions:
                for algorithm, digest in (
                    ("sha1", version.sha1),
                    ("sha256", version.sha256),
                    ("sha512", hexadecimal(version.sha512)),
                ):
                    if digest:
                        found[algorithm].add(digest)
        for indicator in incident.indicators:
            if indicator.type == "file-hash":
                digest = indicator.value.removeprefix("sha256:")
                algorithm = {40: "sha1", 128: "sha512"}.get(len(digest), "sha256")
                found[algorithm].add(digest)
    return {algorithm: frozenset(digests) for algorithm, digests in found.items()}


def _signatures(incidents: Iterable[Incident], names: Iterable[str]) -> dict[str, Signature]:
    """What tells the packages in bundles: what an incident says, else what is known of the package."""
    found = {name: SIGNATURES[name] for name in sorted(names) if name in SIGNATURES}
    for incident in incidents:
        for component in incident.components:
            if component.bundle is not None and component.ecosystem == "npm":
                found[component.name] = component.bundle
    return found


def _fragments(incidents: Iterable[Incident]) -> dict[str, tuple[str, ...]]:
    """Texts that indicators name, by the kind of file in which they are looked for."""
    found: dict[str, set[str]] = {}
    for incident in incidents:
        for indicator in incident.indicators:
            if indicator.type == "file-content" and indicator.match == "exact":
                for kind in indicator.where or ("configuration",):
                    found.setdefault(kind, set()).add(indicator.value)
    return {kind: tuple(sorted(values)) for kind, values in sorted(found.items())}


def _named_files(incidents: Iterable[Incident]) -> frozenset[str]:
    """The last parts of paths that indicators name, where they hold no pattern."""
    names = set()
    for incident in incidents:
        for indicator in incident.indicators:
            kinds = ("file-path", "editor-configuration", "workflow-file")
            if indicator.type in kinds and indicator.match != "regex":
                name = indicator.value.replace("\\", "/").rpartition("/")[2]
                if name and not any(sign in name for sign in "*?[%$"):
                    names.add(name)
    return frozenset(names)


def refanged(value: str) -> str:
    """An indicator's value as machines spell it."""
    return value.replace("[.]", ".").replace("hxxp", "http")


def _named_hosts(incidents: Iterable[Incident]) -> frozenset[str]:
    """Names of hosts of indicators, in small letters; addresses are none."""
    found = set()
    for incident in incidents:
        for indicator in incident.indicators:
            if indicator.type in ("domain", "url") and indicator.match == "exact":
                host = refanged(indicator.value).lower().rpartition("://")[2].partition("/")[0].partition(":")[0]
                if host and not host.replace(".", "").isdigit():
                    found.add(host)
    return frozenset(found)
