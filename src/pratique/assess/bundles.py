"""What the output of a bundler means: releases by what tells them, packages of unknown release, and known bad code.

A bundle that carries a release shows two things: the machine that built it had it installed, and the code runs
wherever the bundle is loaded. Nothing in a bundle shows that anybody loaded it, so it is never more than `installed`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.assess.catalogue import Catalogue, Listing
from pratique.assess.exposure import BEFORE, exposure
from pratique.assess.subjects import scope_of
from pratique.ecosystems.npm.layout import built_from
from pratique.model.depth import Confidence
from pratique.model.incident import Incident, Indicator, Role
from pratique.model.location import Location
from pratique.model.observation import BundledFact, ComponentFact, ContentFact, Observation, Refusal, Time

_TOLD = {
    "constant": (Confidence.MEDIUM, "its version constant is in there"),
    "path": (Confidence.MEDIUM, "a path in there spells name and version"),
    "manifest": (Confidence.LOW, "its manifest is in there"),
    "banner": (Confidence.LOW, "a banner in there names it"),
    "literal": (Confidence.LOW, "the only version that stands in there is this one"),
}


def graded(fact: ComponentFact) -> tuple[Confidence, str]:
    """Confidence and explanation of a release that a bundle carries, by what tells it."""
    confidence, why = _TOLD[fact.told_by or "literal"]
    return confidence, f"a bundle carries it: {why}; the machine that built it had it installed"


class Possible(msgspec.Struct, frozen=True):
    """A package in a bundle whose release is one of several, some of them listed."""

    listing: Listing
    listed: tuple[str, ...]
    explanation: str


def possible(catalogue: Catalogue, fact: BundledFact) -> Iterator[Possible]:
    """Where a bundle leaves several releases open, the incidents that list one of them."""
    for listing in catalogue.listings.get((fact.ecosystem, fact.name), ()):
        listed = tuple(
            version
            for version in fact.versions
            if (release := listing.version(version)) is not None and listing.role(release) is not Role.DECOY
        )
        if listed:
            some = ", ".join(fact.versions[:6]) + (" and others" if len(fact.versions) > 6 else "")
            yield Possible(listing, listed, f"a bundle carries {fact.name}; which release is not told: one of {some}")


class Untold(msgspec.Struct, frozen=True):
    """A package in a bundle of which no release is told. `relevant` as with a declared range that nothing resolved."""

    refusal: Refusal
    relevant: bool


def untold(catalogue: Catalogue, observations: list[Observation], projects: dict[Observation, str]) -> list[Untold]:
    """Packages of unknown release, for each bundle and package one.

    Nothing where another part of the same output tells the release, or where the bundle was last written before any
    listed release was published. `projects` gives the project that an observation's bundle was built from.
    """
    told = {
        (projects[item], _output(item.location), item.facts.name)
        for item in observations
        if isinstance(item.facts, ComponentFact) and item.facts.record == "bundle"
    }
    found: dict[tuple[str, str, str, object], Untold] = {}
    for item in observations:
        fact = item.facts
        if not isinstance(fact, BundledFact) or fact.versions:
            continue
        if (projects[item], _output(item.location), fact.name) in told:
            continue
        for listing in catalogue.listings.get((fact.ecosystem, fact.name), ()):
            if older(listing.incident, fact.name, item.times):
                continue
            place = item.location
            reason = f"carries {fact.name}, and does not tell which release"
            refusal = Refusal(
                place.path, item.reader, reason, True, place.target, place.path_bytes, (fact.name,), place.inside
            )
            key = (place.target, place.path, fact.name, place.inside)
            known = found.get(key)
            found[key] = Untold(refusal, listing.named or (known is not None and known.relevant))
    return list(found.values())


def _output(location: Location) -> tuple[object, str]:
    """Which build's output a file is part of: the outermost build folder, in its layer, archive or blob."""
    path = location.inside[-1].path if location.inside and location.inside[-1].kind == "member" else location.path
    folder = built_from(path)
    scope = scope_of(location)
    return location.inside if scope is None else scope, folder + path[len(folder) :].partition("/")[0]


def older(incident: Incident, name: str, times: tuple[Time, ...]) -> bool:
    """Whether a bundle was last written before any listed release of a package could be had."""
    return exposure(incident, name, [msgspec.structs.replace(time, meaning="the bundle") for time in times]) == BEFORE


class Content(msgspec.Struct, frozen=True):
    """Strings of one incident that stand in one file."""

    incident: Incident
    indicators: tuple[Indicator, ...]
    observations: tuple[Observation, ...]
    certain: bool
    explanation: str


def contents(catalogue: Catalogue, observations: list[Observation]) -> Iterator[Content]:
    """Strings that indicators name, by incident and file.

    Where an incident names several for bundles, one alone is ambiguous: texts about the incident quote them too.
    """
    by_place: dict[tuple[object, str], list[Observation]] = {}
    for item in observations:
        if isinstance(item.facts, ContentFact):
            by_place.setdefault((item.location, item.facts.kind_of_file), []).append(item)
    for (_, kind), items in by_place.items():
        values = {item.facts.value: item for item in items if isinstance(item.facts, ContentFact)}
        for incident in catalogue.incidents:
            asked = [indicator for indicator in incident.indicators if looked_for(indicator, kind)]
            met = sorted(
                (indicator for indicator in asked if indicator.value in values),
                key=lambda indicator: (-Confidence(indicator.confidence).rank, indicator.id),
            )
            if not met:
                continue
            certain = len(met) >= min(2, len(asked)) if kind == "bundle" else True
            names = ", ".join(indicator.id for indicator in met)
            where = "the bundle" if kind == "bundle" else "the file"
            said = (
                f"{where} holds what indicator{'s' if len(met) > 1 else ''} {names} name{'' if len(met) > 1 else 's'}"
            )
            if kind == "bundle":
                said += "; its code runs wherever the bundle is loaded, in visitors' browsers too"
            if not certain:
                said += "; one alone may be a text about the incident"
            yield Content(incident, tuple(met), tuple(values[indicator.value] for indicator in met), certain, said)


def looked_for(indicator: Indicator, kind: str) -> bool:
    """Whether an indicator's text is looked for in this kind of file."""
    if indicator.type != "file-content" or indicator.match != "exact":
        return False
    return kind in indicator.where if indicator.where else kind == "configuration"
