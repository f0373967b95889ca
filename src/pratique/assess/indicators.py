"""Files that indicators name by their path, met where a reader tells of a file that runs.

A path is compared whole, so that a look-alike of the same name elsewhere is none. `**/` stands for any folders, `~/`
for any user's folder, a variable of Windows for the folder that it names by default. A pattern in the file's name, or
known look-alikes, make the sighting a matter to look into, unless a listed release of the same incident recorded the
file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator
from urllib.parse import unquote

from pratique.assess.catalogue import Catalogue
from pratique.assess.words import purl_of
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Component, Incident, Indicator, Role, Version
from pratique.model.location import Location
from pratique.model.observation import ComponentFact, Observation
from pratique.model.verdict import Sighting, Status, Subject

MEANINGS = {
    "resolved": Depth.RESOLVED,
    "fetched": Depth.FETCHED,
    "installed": Depth.INSTALLED,
    "executed": Depth.EXECUTED,
    "persisted": Depth.EXECUTED,
    "exfiltrated": Depth.EXECUTED,
}
"""How deep a release got, by what an indicator means; infrastructure says nothing about a machine."""

_VARIABLES = {
    "%PROGRAMDATA%": "ProgramData",
    "%LOCALAPPDATA%": "AppData/Local",
    "%APPDATA%": "AppData/Roaming",
    "%TEMP%": "AppData/Local/Temp",
    "%USERPROFILE%": "~",
    "$TMPDIR": "tmp",
}
_HOMES = r"(?:.*/)?(?:home/[^/]+|root|Users/[^/]+|Documents and Settings/[^/]+)/"


def representative(incident: Incident) -> tuple[Component, Version]:
    """The release that stands for an incident where a trace names none: the payload before all others."""
    return next(
        (component, version)
        for role in (Role.PAYLOAD, *Role)
        for component in incident.components
        for version in (*component.versions, Version(version="*"))
        if (version.role or component.role) is role
    )


@functools.lru_cache(maxsize=1024)
def pattern(value: str, match: str) -> re.Pattern[str] | None:
    """A test of absolute paths (`/` between parts) for an indicator's value; None where it is no path."""
    if match == "regex":
        try:
            return re.compile(value)
        except re.error:
            return None
    text = value.replace("\\", "/")
    flags = 0
    for variable, folder in _VARIABLES.items():
        if text.upper().startswith(variable):
            text, flags = f"**/{folder}{text[len(variable) :]}", re.IGNORECASE
    text = text.replace("**/~/", "~/")
    head = ""
    if text.startswith("~/"):
        head, text = _HOMES, text[2:]
    elif text.startswith("**/"):
        head, text = r"(?:.*/)?", text[3:]
    elif text.startswith("/"):
        head, text = r"(?:.*!?)?/", text[1:]
    parts = []
    for part in re.split(r"(\*\*/|\*|\?)", text):
        parts.append({"**/": r"(?:.*/)?", "*": r"[^/]*", "?": r"[^/]"}.get(part, re.escape(part)))
    return re.compile(head + "".join(parts), flags | re.DOTALL)


def absolute(location: Location) -> str:
    """The path of a location from its target's root on, into containers too."""
    steps = [step.path for step in location.inside]
    if not steps:
        base = unquote(location.target.partition("://")[2]) if "://" in location.target else ""
        return f"{base.rstrip('/')}/{location.path}"
    return f"/{steps[-1].lstrip('/')}"


def indicated(
    catalogue: Catalogue, observation: Observation, subject: Subject, observations: Iterable[Observation]
) -> Iterator[Sighting]:
    """Sightings for a file whose path an indicator names."""
    path = absolute(observation.location)
    for incident, indicator in catalogue.paths:
        test = pattern(indicator.value, indicator.match)
        if test is not None and test.fullmatch(path):
            yield _sighting(catalogue, incident, indicator, observation, subject, observations)


def _sighting(
    catalogue: Catalogue,
    incident: Incident,
    indicator: Indicator,
    observation: Observation,
    subject: Subject,
    observations: Iterable[Observation],
) -> Sighting:
    basename = observation.location.path.rpartition("/")[2]
    owner = next(_recording(catalogue, incident, observation, observations), None)
    vague = bool(indicator.look_alikes) or "*" in indicator.value.rpartition("/")[2]
    component, version = representative(incident)
    name, release, role = component.name, version.version, version.role or component.role
    proof = [observation]
    if owner is not None and isinstance(owner.facts, ComponentFact):
        name, release = owner.facts.name, owner.facts.version
        proof.append(owner)
    text = f"{basename} lies where indicator {indicator.id} names it"
    if owner is not None:
        text += f", and {name} {release} recorded it"
    elif vague:
        others = f" ({indicator.look_alikes[0]})" if indicator.look_alikes else ""
        text += f"; others use such names{others}"
    if getattr(observation.facts, "when", "") == "interpreter-start":
        text += "; it runs at every start of this Python, and no record shows that one took place"
    return Sighting(
        incident=incident.id,
        subject=subject,
        kind="indicator",
        status=Status.UNDER_INVESTIGATION if vague and owner is None else Status.AFFECTED,
        purl=purl_of(component.ecosystem, name, release),
        depth=MEANINGS.get(indicator.meaning, Depth.INSTALLED),
        confidence=Confidence(indicator.confidence),
        role=role,
        location=observation.location,
        explanation=text,
        observations=tuple(proof),
        times=observation.times,
    )


def _recording(
    catalogue: Catalogue, incident: Incident, observation: Observation, observations: Iterable[Observation]
) -> Iterator[Observation]:
    """Records of listed releases of an incident that list the file, in the same folder."""
    location = observation.location
    folder, _, basename = location.path.rpartition("/")
    inside = location.inside[:-1]
    if location.inside:
        folder, _, basename = location.inside[-1].path.rpartition("/")
    for other in observations:
        fact = other.facts
        if (
            not isinstance(fact, ComponentFact)
            or basename not in fact.files
            or other.location.target != location.target
        ):
            continue
        if fact.folder is None or fact.folder.rpartition("/")[0] != folder or other.location.inside[:-1] != inside:
            continue
        if any(listing.incident.id == incident.id for listing, _ in catalogue.listed("PyPI", fact.name, fact.version)):
            yield other
