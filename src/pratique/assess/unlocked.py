"""Manifests in a git history that asked for a package while no lockfile beside them named it.

A lockfile of today settles nothing of a manifest of last year. What counts are the commits that somebody may have
built while the release could be fetched: those made in the incident's window, the last ones before it on any line of
development, and older tips of refs. At each of them a lockfile must lie in the manifest's folder or in one above it,
and that very version of the lockfile must name the package. Otherwise the gap stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pratique.assess.catalogue import Catalogue, Listing
from pratique.assess.history import windows_of
from pratique.model.location import Inside
from pratique.model.observation import BesideFact, Observation, Question, RangeFact

Key = tuple[str, str, tuple[Inside, ...], tuple[tuple[str, str], ...]]


class Locks(msgspec.Struct, frozen=True):
    """What lockfiles of git histories name: id of each version to names between line ends; and how they are called."""

    names: Mapping[str, str] = {}
    files: tuple[str, ...] = ()


def in_history(observation: Observation) -> bool:
    """Whether it was read in a git history, and in no archive there."""
    return [step.kind for step in observation.location.inside] == ["commit"]


def beside_questions(catalogue: Catalogue, observations: Iterable[Observation], locks: Locks) -> list[Question]:
    """What lay beside each manifest that asks for a package of an incident that is active or was named."""
    asked: set[Question] = set()
    for observation in observations:
        fact = observation.facts
        if not isinstance(fact, RangeFact) or not open_range(fact) or not in_history(observation):
            continue
        for listing in catalogue.listings.get((fact.ecosystem, fact.name), ()):
            if listing.named:
                place = observation.location
                asked.add(
                    Question(
                        "beside",
                        place.target,
                        place.path,
                        locks.files,
                        inside=place.inside[:1],
                        windows=windows_of(listing.incident),
                    )
                )
    return sorted(asked, key=lambda question: (question.target, question.path, question.inside[0].id, question.windows))


def open_range(fact: RangeFact) -> bool:
    """Whether a project's own manifest leaves open which version it gets, and has to get one."""
    return fact.exact is None and fact.asked_by is None and fact.field != "peerDependencies"


def beside_answers(observations: Iterable[Observation]) -> dict[Key, BesideFact]:
    """The answers, by place and windows."""
    found: dict[Key, BesideFact] = {}
    for observation in observations:
        fact = observation.facts
        if isinstance(fact, BesideFact):
            place = observation.location
            found[place.target, place.path, place.inside[:1], fact.windows] = fact
    return found


def unlocked(
    observation: Observation, name: str, listing: Listing, known: Mapping[Key, BesideFact], locks: Locks
) -> tuple[str, ...] | None:
    """Commits at which nothing beside a manifest named the package; None where each of them had a lockfile."""
    place = observation.location
    fact = known.get((place.target, place.path, place.inside[:1], windows_of(listing.incident)))
    if fact is None:
        return ("a commit that was not found",)
    found = tuple(
        f"commit {item.commit.id[:12]} ({item.commit.committed})" if item.commit.committed else "the index"
        for item in fact.at
        if not any(f"\n{name}\n" in locks.names.get(blob, "") for _, blob in item.files)
    )
    if found:
        return found
    return None if fact.at or fact.whole else ("a commit of a history that is not whole",)
