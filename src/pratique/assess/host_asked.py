"""What is asked of a machine for the sake of incidents, and which gaps of a machine matter to which incident."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.host_paths import named_paths, places, spelled
from pratique.model.incident import Incident
from pratique.model.observation import HostFact, PersistenceFact, ProcessFact, Question, Refusal

HOST = "host+"
"""Targets that are a machine."""
ASKED = (
    "file-path",
    "process",
    "parent-child",
    "command-line",
    "registry-key",
    "service",
    "domain",
    "ip",
    "url",
    "runner-name",
)
"""Kinds of indicators that a machine can show."""
_OF_THE_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/System/", "/dev/", "/proc/", "/sys/", "/nix/store/")
_MOST_HASHED = 1000


def questions(catalogue: Catalogue, evidence: Evidence) -> list[Question]:
    """Whether files lie where indicators name them, on each machine."""
    asked: dict[tuple[str, str], set[str]] = {}
    for observation in evidence.observations:
        fact = observation.facts
        if not isinstance(fact, HostFact):
            continue
        for named in named_paths(catalogue.incidents, fact.platforms):
            for path in places(named.path, fact):
                marker = f"incident:{named.incident.id}"
                asked.setdefault((observation.location.target, path), set()).add(marker)
    for target, path, marker in _running(catalogue, evidence):
        asked.setdefault((target, path), set()).add(marker)
    return [
        Question("presence", target, path, names=tuple(sorted(names)))
        for (target, path), names in sorted(asked.items())
    ]


def _running(catalogue: Catalogue, evidence: Evidence) -> Iterator[tuple[str, str, str]]:
    """Target, path and markers of programs and scripts that run or start by themselves, for their digests.

    Those of the system's own folders are left out, and those of containers, whose files are not here.
    """
    markers = [
        f"incident:{incident.id}"
        for incident in catalogue.incidents
        if any(item.type == "file-hash" for item in incident.indicators)
    ]
    if not markers:
        return
    machines = {item.location.target for item in evidence.observations if isinstance(item.facts, HostFact)}
    found: dict[tuple[str, str], None] = {}
    for item in evidence.observations:
        fact, target = item.facts, item.location.target
        if target not in machines:
            continue
        paths: tuple[str | None, ...] = ()
        if isinstance(fact, ProcessFact) and fact.container is None and not fact.own:
            paths = (None if fact.deleted else fact.executable, fact.script)
        elif isinstance(fact, PersistenceFact):
            paths = fact.files
        for path in paths:
            if path and path.startswith("/") and not path.startswith(_OF_THE_SYSTEM) and not set(path) & set("*?["):
                found[target, path.strip("/")] = None
    for target, path in list(found)[:_MOST_HASHED]:
        for marker in markers:
            yield target, path, marker


def asks(incident: Incident, platforms: Sequence[str] = ()) -> bool:
    """Whether a machine could show anything of an incident."""
    return any(
        item.type in ASKED
        and (not platforms or not item.platforms or bool(set(platforms).intersection(item.platforms)))
        and (item.type != "file-path" or any(not path.startswith("**/") for path, _ in spelled(item.value)))
        for item in incident.indicators
    )


def narrowed(
    refusals: Iterable[Refusal], catalogue: Catalogue, markers: dict[str, str], kept: frozenset[str]
) -> Iterator[Refusal]:
    """Gaps of machines as gaps of the incidents that a machine could show, and of no other.

    `kept` are readers whose gaps were narrowed by other rules.
    """
    asking = tuple(sorted(markers[incident.id] for incident in catalogue.incidents if asks(incident)))
    for refusal in refusals:
        if refusal.target.startswith(HOST) and refusal.relevant and not refusal.names and refusal.reader not in kept:
            yield msgspec.structs.replace(refusal, relevant=bool(asking), names=asking, ecosystems=())
        else:
            yield refusal
