"""What Python's records and files named by indicators mean."""

from __future__ import annotations

import datetime

import pytest

from pratique import api
from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.indicators import absolute, pattern
from pratique.assess.match import match, questions
from pratique.model.location import Inside, Location
from pratique.model.observation import (
    ComponentFact,
    DigestFact,
    Fact,
    Observation,
    PresenceFact,
    RangeFact,
    ScriptFact,
    TriggerFact,
)
from pratique.model.verdict import Sighting

TARGET = "file:///home/dev"
SITE = "p/.venv/lib/python3.11/site-packages"
INFO = f"{SITE}/litellm-1.82.8.dist-info"


def sightings(*observations: Observation, incident: str = "litellm-2026-03-24") -> list[Sighting]:
    chosen = api.select(incidents=[incident], today=datetime.date(2026, 11, 20))
    catalogue = Catalogue(chosen.incidents, chosen.named)
    evidence = Evidence(observations, {}, {TARGET: "/home/dev"})
    return list(match(catalogue, evidence))


def seen(path: str, fact: Fact, reader: str = "r") -> Observation:
    return Observation(reader, Location(TARGET, path), fact)


def component(**more: object) -> ComponentFact:
    fields = {"depth": "installed", "record": "installed-record", "ecosystem": "PyPI", **more}
    return ComponentFact(name="litellm", version="1.82.8", **fields)


RECORD = seen(
    f"{INFO}/RECORD",
    component(
        folder=INFO,
        files=("litellm_init.pth", "litellm/__init__.py"),
        digests=("sha256:" + "a" * 64, "sha256:" + "b" * 64),
    ),
)
TRIGGER = seen(f"{SITE}/litellm_init.pth", TriggerFact(tool="python", when="interpreter-start"))


def digest(path: str, equal: bool) -> Observation:
    return seen(path, DigestFact(path=path, algorithm="sha256", digest="c" * 64, expected="a" * 64, equal=equal))


def gone(path: str) -> Observation:
    return seen(path, PresenceFact(path=path, exists=False))


def test_a_start_file_with_its_record_is_installed_and_never_executed() -> None:
    found = sightings(RECORD, TRIGGER, digest(f"{SITE}/litellm_init.pth", True))
    assert {str(item.depth) for item in found} == {"installed"}
    assert {item.kind for item in found} == {"component", "indicator"}
    assert all(item.subject.uri == f"{TARGET}/p" for item in found)
    assert any("runs at every start" in item.explanation for item in found)


def test_what_was_not_compared_is_said() -> None:
    said = [item.explanation for item in sightings(RECORD) if item.kind == "component"]
    assert said[0].endswith("its files were not compared with its record")
    said = [item.explanation for item in sightings(RECORD, digest(f"{SITE}/litellm/__init__.py", True))]
    assert said[0].endswith("(its other files were not compared)")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([digest(f"{SITE}/litellm_init.pth", False)], "changed since it was installed: litellm_init.pth"),
        ([gone(f"{SITE}/litellm_init.pth"), digest(f"{SITE}/litellm/__init__.py", True)], "recorded and gone"),
        ([gone(f"{SITE}/litellm_init.pth"), gone(f"{SITE}/litellm/__init__.py")], "it was removed in part"),
        ([digest(f"{SITE}/litellm/__init__.py", True)], "1 of its files were compared and are as recorded"),
    ],
)
def test_the_second_look_is_told(answers: list[Observation], expected: str) -> None:
    (found,) = sightings(RECORD, *answers)
    assert expected in found.explanation


def test_questions_are_about_the_recorded_files() -> None:
    chosen = api.select(incidents=["litellm-2026-03-24"], today=datetime.date(2026, 11, 20))
    catalogue = Catalogue(chosen.incidents, chosen.named)
    asked = questions(catalogue, Evidence([RECORD], {}, {TARGET: "/home/dev"}))
    assert [(item.kind, item.path) for item in asked if item.kind == "digest"] == [
        ("digest", f"{SITE}/litellm/__init__.py"),
        ("digest", f"{SITE}/litellm_init.pth"),
    ]


def test_an_indicator_without_record_stands_alone() -> None:
    (found,) = sightings(TRIGGER)
    assert (str(found.status), str(found.depth), str(found.confidence)) == ("affected", "installed", "medium")
    elsewhere = seen("p/litellm_init.pth", TriggerFact(tool="python", when="interpreter-start"))
    assert sightings(elsewhere) == []


def test_a_pattern_others_match_too_is_a_matter_to_look_into() -> None:
    setup = seen(f"{SITE}/harbour-setup.pth", TriggerFact(tool="python", when="interpreter-start"))
    (found,) = sightings(setup, incident="hades-2026-06-07")
    assert str(found.status) == "under_investigation"
    assert "others use such names" in found.explanation


def test_another_source_takes_the_metadata_along() -> None:
    metadata = seen(f"{INFO}/METADATA", component(folder=INFO))
    direct = seen(f"{INFO}/direct_url.json", component(folder=INFO, origin="git"))
    assert [str(item.status) for item in sightings(metadata, direct)] == ["not_affected"]
    assert [str(item.status) for item in sightings(metadata)] == ["affected"]


def test_metadata_that_a_resolver_read_is_no_download() -> None:
    (found,) = sightings(seen("uv/wheels-v8/pypi/litellm/x.msgpack", component(depth="resolved", record="cache")))
    assert str(found.status) == "under_investigation"


def test_a_constraint_installs_nothing() -> None:
    asked = RangeFact(name="litellm", range="==1.82.8", field="constraint", exact="1.82.8", ecosystem="PyPI")
    (found,) = sightings(seen("p/constraints.txt", asked))
    assert (str(found.status), str(found.depth)) == ("under_investigation", "declared")


def test_a_build_runs_only_what_runs_at_a_build() -> None:
    built = ScriptFact(name="litellm", version="1.82.8", script="build", outcome="finished", ecosystem="PyPI")
    (found,) = sightings(seen("pip/wheels/x/origin.json", built))
    assert str(found.depth) == "fetched"


@pytest.mark.parametrize(
    ("value", "kind", "path", "expected"),
    [
        ("**/site-packages/a.pth", "glob", "/x/site-packages/a.pth", True),
        ("**/site-packages/a.pth", "glob", "/x/site-packages/b/a.pth", False),
        ("**/site-packages/*-setup.pth", "glob", "/x/site-packages/a-setup.pth", True),
        ("**/node_modules/**/tools/setup", "glob", "/x/node_modules/a/b/tools/setup", True),
        ("~/.config/sysmon.py", "exact", "/home/u/.config/sysmon.py", True),
        ("~/.config/sysmon.py", "exact", "/Users/u/.config/sysmon.py", True),
        ("~/.config/sysmon.py", "exact", "/srv/.config/sysmon.py", False),
        ("/tmp/ld.py", "exact", "/tmp/ld.py", True),
        ("/tmp/ld.py", "exact", "/tmp/build.py", False),
        ("%PROGRAMDATA%\\wt.exe", "exact", "/C:/ProgramData/wt.exe", True),
        ("~/.cache/.sys-update-check*", "glob", "/root/.cache/.sys-update-check-1", True),
    ],
)
def test_patterns_of_paths(value: str, kind: str, path: str, expected: bool) -> None:
    test = pattern(value, kind)
    assert test is not None
    assert bool(test.fullmatch(path)) is expected


def test_absolute_paths() -> None:
    assert absolute(Location("file:///a%20b", "c/d")) == "/a b/c/d"
    inside = Location("image:x", "x", inside=(Inside("layer", "sha256:0", "usr/lib/x.pth"),))
    assert absolute(inside) == "/usr/lib/x.pth"
