"""What configuration that runs by itself means."""

from __future__ import annotations

import msgspec

from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.match import match
from pratique.assess.triggers import narrowed, plants, to_look_at
from pratique.incidents import library
from pratique.model.location import Location
from pratique.model.observation import AnyFact, ContentFact, Observation, PresenceFact, Refusal, TriggerFact
from pratique.model.verdict import Sighting, Status

CHAINDROP = library.load_file(library.BUNDLED / "chaindrop-2026-08-04.toml")
ANTV = library.load_file(library.BUNDLED / "antv-2026-05-19.toml")
HADES = library.load_file(library.BUNDLED / "hades-2026-06-07.toml")
SHAI = library.load_file(library.BUNDLED / "shai-hulud-2025-09.toml")
AXIOS = library.load_file(library.BUNDLED / "axios-2026-03-31.toml")
LOADER = "shop/.claude/setup.mjs"


def at(path: str, fact: AnyFact, reader: str = "editor-files") -> Observation:
    return Observation(reader, Location("file:///t", path), fact)


def there(path: str) -> Observation:
    return at(path, PresenceFact(path=path, exists=True))


def runs(*names: str, path: str = "shop/.vscode/tasks.json") -> Observation:
    return at(path, TriggerFact(tool="vscode", when="folderOpen", program="node", files=names), "editor-tasks")


def sightings(*observations: Observation, incidents: tuple[library.Incident, ...] = (CHAINDROP,)) -> list[Sighting]:
    catalogue = Catalogue(incidents)
    kept = [item for item in observations if catalogue.keeps(item)]
    return list(match(catalogue, Evidence(kept, {}, {"file:///t": "/t"})))


def test_a_trigger_alone_is_nothing() -> None:
    every = tuple(library.load_directory(library.BUNDLED))
    assert sightings(runs("scripts/watch.js"), there("shop/.vscode/tasks.json"), incidents=every) == []
    assert sightings(there("shop/.claude/settings.json"), incidents=every) == []


def test_a_planted_file_that_a_trigger_runs_is_affected() -> None:
    (found,) = sightings(there(LOADER), runs(".claude/setup.mjs"))
    assert (found.status, str(found.depth), str(found.confidence)) == (Status.AFFECTED, "installed", "medium")
    assert found.subject.uri == "file:///t/shop"
    assert found.purl == "pkg:generic/chaindrop-2026-08-04"
    assert len(found.observations) == 2
    assert "folderOpen" in found.explanation


def test_one_of_the_two_is_ambiguous() -> None:
    for observation in (there(LOADER), runs(".claude/setup.mjs")):
        (found,) = sightings(observation)
        assert (found.status, str(found.confidence)) == (Status.UNDER_INVESTIGATION, "low")
    apart = sightings(there(LOADER), runs(".claude/setup.mjs", path="other/.vscode/tasks.json"))
    assert {item.status for item in apart} == {Status.UNDER_INVESTIGATION}


def test_indicators_with_look_alikes_never_count_by_their_path() -> None:
    assert not any(plants(indicator) for indicator in ANTV.indicators)
    assert [item.id for item in CHAINDROP.indicators if plants(item)] == ["agent-loader", "editor-loader"]
    assert not any(plants(item) for item in HADES.indicators if item.type == "workflow-file")
    assert not any(plants(item) for item in AXIOS.indicators)


def test_a_workflow_of_the_incidents_own_name_is_affected() -> None:
    (found,) = sightings(there("shop/.github/workflows/shai-hulud-workflow.yml"), incidents=(SHAI,))
    assert (found.status, str(found.depth)) == (Status.AFFECTED, "installed")


def test_text_of_an_incident_in_configuration_is_affected() -> None:
    marker = next(item.value for item in HADES.indicators if item.id == "marker")
    fact = ContentFact(value=marker, kind_of_file="configuration")
    (found,) = sightings(at("shop/.claude/settings.json", fact, "agent-configuration"), incidents=(HADES,))
    assert (found.status, str(found.depth)) == (Status.AFFECTED, "installed")


def test_refusals_are_relevant_where_an_incident_asks() -> None:
    refusal = Refusal("shop/.vscode/tasks.json", "editor-tasks", "cut", False, "file:///t")
    other = Refusal("shop/yarn.lock", "yarn-lock", "cut", True, "file:///t")
    markers = {CHAINDROP.id: "incident:c", AXIOS.id: "incident:a"}
    assert list(narrowed([refusal, other], [CHAINDROP, AXIOS], markers)) == [
        msgspec.structs.replace(refusal, relevant=True, names=("incident:c",)),
        other,
    ]
    assert list(narrowed([refusal], [AXIOS], markers)) == [refusal]


def test_triggers_of_affected_projects_are_listed() -> None:
    trigger = runs("scripts/watch.js")
    projects = {trigger: "file:///t/shop"}
    found = sightings(there(LOADER), runs(".claude/setup.mjs"))
    (note,) = to_look_at(found, [trigger], projects)
    assert "shop/.vscode/tasks.json (folderOpen): node, scripts/watch.js" in note
    assert to_look_at([], [trigger], projects) == []
    assert to_look_at(found, [trigger], {trigger: "file:///t/other"}) == []
    many = [runs(f"{number}.js") for number in range(20)]
    (note,) = to_look_at(found, many, dict.fromkeys(many, "file:///t/shop"))
    assert note.endswith("; and 12 more")
