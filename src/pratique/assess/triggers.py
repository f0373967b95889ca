"""What configuration that runs by itself means.

A trigger alone is nothing: editors, agents and git are made to run things. It becomes a sighting where an incident
names what it runs. Three grades:

- the digest or a text of the file is listed: affected, as the indicator says;
- an incident's own file lies in the checkout and a trigger runs it: affected;
- only one of the two: ambiguous, since names can be shared.

Indicators with look-alikes (`.vscode/tasks.json`, which every project may have) never count by their path. A checkout
brings such files along, so that nothing here shows a run on this machine: the depth is at most `installed`.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator

import msgspec

from pratique.ecosystems.npm.layout import CONFIGURATION_FOLDERS, CONFIGURATION_READERS
from pratique.model.depth import Confidence
from pratique.model.incident import Incident, Indicator
from pratique.model.location import Location
from pratique.model.observation import Observation, PresenceFact, Refusal, TriggerFact
from pratique.model.verdict import Sighting, Status

_TYPES = ("editor-configuration", "file-path", "workflow-file")
_MOST = 8


class Planted(msgspec.Struct, frozen=True):
    """A file that an incident plants in checkouts, met there, or a trigger that runs it."""

    incident: Incident
    indicator: Indicator
    observations: tuple[Observation, ...]
    certain: bool
    explanation: str


def planted(
    incidents: Iterable[Incident], observations: list[Observation], projects: dict[Observation, str]
) -> Iterator[Planted]:
    """Files that incidents plant, with the triggers that run them, by project."""
    files: dict[str, list[Observation]] = {}
    triggers: dict[str, list[Observation]] = {}
    for item in observations:
        if isinstance(item.facts, PresenceFact) and item.reader in CONFIGURATION_READERS:
            files.setdefault(projects[item], []).append(item)
        elif isinstance(item.facts, TriggerFact) and item.reader in CONFIGURATION_READERS:
            triggers.setdefault(projects[item], []).append(item)
    for project in sorted({*files, *triggers}):
        for incident in incidents:
            for indicator in incident.indicators:
                if plants(indicator):
                    yield from _planted(incident, indicator, files.get(project, []), triggers.get(project, []))


def plants(indicator: Indicator) -> bool:
    """Whether an indicator names a file in a checkout that nothing else is called: what an incident plants there."""
    if indicator.type not in _TYPES or indicator.look_alikes or indicator.match == "regex":
        return False
    return indicator.value.removeprefix("**/").partition("/")[0] in CONFIGURATION_FOLDERS


def _planted(
    incident: Incident, indicator: Indicator, files: list[Observation], triggers: list[Observation]
) -> Iterator[Planted]:
    there = [item for item in files if _named(indicator, _path(item.location))]
    running = [
        item
        for item in triggers
        if isinstance(item.facts, TriggerFact) and any(_named(indicator, name) for name in item.facts.files)
    ]
    if there and indicator.type == "workflow-file":
        said = "a workflow file that the incident plants lies here"
        yield Planted(incident, indicator, tuple(there), True, said)
    elif there and running:
        said = f"{_said(running[0])} runs {_path(there[0].location)}, a file that the incident plants"
        yield Planted(incident, indicator, (*there, *running), True, f"{said}; not shown to have run here")
    elif there:
        said = "a file of the name that the incident plants lies here, and nothing that was read runs it"
        yield Planted(incident, indicator, tuple(there), False, said)
    elif running:
        said = f"{_said(running[0])} runs a file of the name that the incident plants, which is not here"
        yield Planted(incident, indicator, tuple(running), False, said)


def _path(location: Location) -> str:
    return location.inside[-1].path if location.inside else location.path


def _named(indicator: Indicator, path: str) -> bool:
    value = indicator.value.removeprefix("**/")
    return fnmatch.fnmatchcase(path, value) or fnmatch.fnmatchcase(path, f"*/{value}")


def _said(observation: Observation) -> str:
    """Place and event of a trigger: `.vscode/tasks.json (folderOpen)`."""
    when = observation.facts.when if isinstance(observation.facts, TriggerFact) else ""
    return f"{_path(observation.location)} ({when})"


def narrowed(refusals: Iterable[Refusal], incidents: Iterable[Incident], markers: dict[str, str]) -> Iterator[Refusal]:
    """Refusals of configuration as what they are: relevant for the incidents that ask about such files, and no other.

    `markers` gives for each incident the name by which a refusal is about it alone.
    """
    asking = tuple(
        markers[incident.id]
        for incident in incidents
        if any(plants(indicator) or indicator.type == "editor-configuration" for indicator in incident.indicators)
    )
    for refusal in refusals:
        if refusal.reader in CONFIGURATION_READERS:
            yield msgspec.structs.replace(refusal, relevant=bool(asking), names=asking)
        else:
            yield refusal


def to_look_at(
    sightings: Iterable[Sighting], observations: list[Observation], projects: dict[Observation, str]
) -> list[str]:
    """Notes on what runs by itself in affected projects: places to look at, each once."""
    affected = sorted({item.subject.uri for item in sightings if item.status is Status.AFFECTED})
    found: dict[str, None] = {}
    for item in observations:
        fact = item.facts
        if not isinstance(fact, TriggerFact) or item.reader not in CONFIGURATION_READERS:
            continue
        if any(uri == projects[item] or uri.startswith(f"{projects[item]}/") for uri in affected):
            runs = ", ".join(dict.fromkeys((*([fact.program] if fact.program else []), *fact.files[:2])))
            found[f"{_said(item)}{f': {runs}' if runs else ''}"] = None
    if not found:
        return []
    listed = list(found)
    more = f"; and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return [f"NOTE  runs by itself in an affected project, look at it: {'; '.join(listed[:_MOST])}{more}"]


def confidence(item: Planted) -> Confidence:
    """As the indicator says; low where it is ambiguous."""
    return Confidence(item.indicator.confidence) if item.certain else Confidence.LOW
