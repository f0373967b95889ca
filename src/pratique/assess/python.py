"""What Python's records mean: installs and their files, sources other than an index, builds, constraints.

A listed release that is installed is `installed`, also where it has a file that runs at every start of that Python:
no record shows that one took place, though any use of that Python is one. A build is `executed` only where the
incident says that building or installing runs the code.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Incident
from pratique.model.location import Inside
from pratique.model.observation import (
    ComponentFact,
    DigestFact,
    Observation,
    PresenceFact,
    Question,
    RangeFact,
    TriggerFact,
)
from pratique.model.verdict import Sighting, Status

_OTHER_SOURCES = ("git", "link", "file")
_STARTING = (".pth", ".start")
_BUILDING = ("install-script", "build")


def questions(observations: Iterable[Observation]) -> Iterator[Question]:
    """Of each recorded install of a listed release: are its files there, and as recorded; not inside containers."""
    for observation in observations:
        fact = observation.facts
        if not _recorded(fact) or not isinstance(fact, ComponentFact) or fact.folder is None:
            continue
        location = observation.location
        place = fact.folder.rpartition("/")[0]
        if location.inside:
            continue
        for path, digest in zip(fact.files, fact.digests, strict=False):
            kind, _, expected = digest.partition(":")
            if expected:
                full = f"{place}/{path}" if place else path
                yield Question("digest", location.target, full, algorithm=kind, expected=expected, names=(fact.name,))


def _recorded(fact: object) -> bool:
    """Whether a fact is an install with the list of its files."""
    return (
        isinstance(fact, ComponentFact)
        and fact.ecosystem == "PyPI"
        and fact.record == "installed-record"
        and bool(fact.digests)
    )


def otherwise_settled(observations: Iterable[Observation]) -> set[Observation]:
    """Metadata of installs whose direct reference names another source: that one is judged in their place."""
    other: set[tuple[str, str, tuple[Inside, ...]]] = set()
    installs: list[tuple[tuple[str, str, tuple[Inside, ...]], Observation]] = []
    for observation in observations:
        fact = observation.facts
        if isinstance(fact, ComponentFact) and fact.ecosystem == "PyPI" and fact.folder and fact.depth == "installed":
            key = (observation.location.target, fact.folder, observation.location.inside[:-1])
            if fact.origin in _OTHER_SOURCES:
                other.add(key)
            else:
                installs.append((key, observation))
    return {observation for key, observation in installs if key in other}


class Looked:
    """The answers of the second look about files, and the files that run at a start, by place."""

    def __init__(self, observations: Iterable[Observation]) -> None:
        self.digests: dict[tuple[str, str], Observation] = {}
        self.triggers: dict[tuple[str, str], Observation] = {}
        for observation in observations:
            fact, location = observation.facts, observation.location
            if isinstance(fact, DigestFact | PresenceFact):
                self.digests[location.target, location.path] = observation
            elif isinstance(fact, TriggerFact) and fact.when == "interpreter-start":
                self.triggers[location.target, location.path] = observation


def judged(sighting: Sighting, observation: Observation, looked: Looked) -> Sighting:
    """A sighting of a release of PyPI, with what its record and the second look add."""
    fact = observation.facts
    if not isinstance(fact, ComponentFact) or sighting.status is not Status.AFFECTED:
        return sighting
    if fact.record == "cache" and fact.depth == "resolved":
        text = "a resolver read its metadata and kept it; nothing here shows that its archive arrived"
        return msgspec.structs.replace(
            sighting, status=Status.UNDER_INVESTIGATION, confidence=Confidence.LOW, explanation=text
        )
    if fact.record == "store":
        return msgspec.structs.replace(sighting, explanation="its archive was fetched and unpacked into a cache")
    if fact.depth != "installed":
        return sighting
    notes, proof = _state(fact, observation, looked)
    if not notes:
        return sighting
    return msgspec.structs.replace(
        sighting,
        explanation="; ".join([sighting.explanation, *notes]),
        observations=(*sighting.observations, *proof),
    )


def _state(fact: ComponentFact, observation: Observation, looked: Looked) -> tuple[list[str], list[Observation]]:
    """What became of the recorded files, and which of them run at every start."""
    if not fact.digests or fact.folder is None:
        return [], []
    location = observation.location
    place = fact.folder.rpartition("/")[0]
    prefix = f"{place}/" if place else ""
    gone: list[str] = []
    changed: list[str] = []
    same = 0
    proof: list[Observation] = []
    running: list[str] = []
    for path in fact.files:
        answer = looked.digests.get((location.target, prefix + path))
        trigger = looked.triggers.get((location.target, prefix + path))
        if trigger is not None and not location.inside:
            running.append(path)
            proof.append(trigger)
        if answer is None or location.inside:
            continue
        if isinstance(answer.facts, PresenceFact):
            gone.append(path)
            proof.append(answer)
        elif isinstance(answer.facts, DigestFact) and answer.facts.equal is False:
            changed.append(path)
            proof.append(answer)
        elif isinstance(answer.facts, DigestFact):
            same += 1
    notes = []
    if running:
        notes.append(f"{_some(running)} runs at every start of this Python; no record shows that one took place")
    if changed:
        notes.append(f"changed since it was installed: {_some(changed)}")
    if gone and not same and not changed:
        notes.append("its record is left, the files that were looked for are gone: it was removed in part")
    elif gone:
        notes.append(f"recorded and gone: {_some(gone)}")
    elif same and not changed:
        notes.append(f"{same} of its files were compared and are as recorded (its other files were not compared)")
    elif not changed:
        notes.append("its files were not compared with its record")
    return notes, proof


def _some(paths: list[str]) -> str:
    more = f" and {len(paths) - 3} more" if len(paths) > 3 else ""
    return ", ".join(paths[:3]) + more


def declared(sighting: Sighting, fact: RangeFact) -> Sighting:
    """A sighting of an exact request: a constraint alone installs nothing."""
    if fact.field != "constraint":
        return sighting
    text = "a constraint pins exactly this version: whatever asks for it under that constraint gets it"
    return msgspec.structs.replace(sighting, status=Status.UNDER_INVESTIGATION, explanation=text)


def built(sighting: Sighting, incident: Incident, trigger: str | None) -> Sighting:
    """A build of a listed release: its code ran only where building it is what runs the code."""
    kinds = {item.kind for item in incident.triggers if trigger is None or item.id == trigger}
    if kinds & set(_BUILDING):
        return msgspec.structs.replace(
            sighting, explanation="it was built on a machine that shares this cache, which runs its code"
        )
    text = "it was built from its source archive here; this incident's code runs at another moment"
    return msgspec.structs.replace(sighting, depth=Depth.FETCHED, explanation=text)
