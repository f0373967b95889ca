"""SARIF and CycloneDX: valid by their schemas, and true to the report."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from jsonschema import Draft7Validator, Draft202012Validator
from referencing import Registry, Resource

from pratique.model.report import Report
from pratique.report.renderer import renderer
from tests.unit.report.sample import REPORT
from tests.unit.report.strategies import reports

SUBSET = Path(__file__).parents[2] / "golden" / "report" / "sarif-subset.schema.json"


def made(name: str, report: Report) -> Any:
    return json.loads(b"".join(renderer(name).render(report)))


def sarif_schema() -> Draft7Validator:
    return Draft7Validator(json.loads(SUBSET.read_text("utf-8")), format_checker=Draft7Validator.FORMAT_CHECKER)


def bom_schema() -> Draft7Validator:
    pytest.importorskip("cyclonedx.schema", reason="cyclonedx-python-lib is not installed")
    folder = resources.files("cyclonedx.schema") / "_res"

    def load(name: str) -> Any:
        return json.loads((folder / name).read_text("utf-8"))

    base = "http://cyclonedx.org/schema"
    registry: Registry[Any] = Registry().with_resources(
        [
            (f"{base}/spdx.schema.json", Resource.from_contents(load("spdx.SNAPSHOT.schema.json"))),
            (f"{base}/jsf-0.82.schema.json", Resource.from_contents(load("jsf-0.82.SNAPSHOT.schema.json"))),
        ]
    )
    return Draft7Validator(load("bom-1.6.SNAPSHOT.schema.json"), registry=registry)


@given(report=reports())
@settings(max_examples=25)
def test_any_report_is_valid_sarif(report: Report) -> None:
    sarif_schema().validate(made("sarif", report))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_any_report_is_a_valid_bom() -> None:
    schema = bom_schema()
    schema.validate(made("cyclonedx", REPORT))

    @given(report=reports())
    @settings(max_examples=10)
    def check(report: Report) -> None:
        schema.validate(made("cyclonedx", report))

    check()


def test_sarif_says_what_was_not_examined() -> None:
    run = made("sarif", REPORT)["runs"][0]
    invocation = run["invocations"][0]
    assert invocation["executionSuccessful"] is False
    said = [(item["descriptor"]["id"], item["level"]) for item in invocation["toolExecutionNotifications"]]
    assert said == [("not-examined", "error"), ("not-examined-accepted", "note")]
    assert "truncated at line 801" in invocation["toolExecutionNotifications"][0]["message"]["text"]


def test_sarif_is_successful_only_where_all_was_examined() -> None:
    complete = msgspec.structs.replace(REPORT.coverage, complete=True, refusals=())
    whole = msgspec.structs.replace(REPORT, coverage=complete)
    assert made("sarif", whole)["runs"][0]["invocations"][0]["executionSuccessful"] is True
    nothing = msgspec.structs.replace(whole, coverage=msgspec.structs.replace(complete, artifacts=0))
    assert made("sarif", nothing)["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_sarif_results_have_level_kind_place_and_fingerprint() -> None:
    run = made("sarif", REPORT)["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [item.id for item in REPORT.incidents]
    kinds = [(item["kind"], item["level"]) for item in run["results"]]
    assert kinds == [("fail", "error"), ("fail", "error"), ("fail", "error"), ("open", "none")]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        artifact = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert artifact["uriBaseId"] in run["originalUriBaseIds"]
        assert not artifact["uri"].startswith("/")
    prints = [item["partialFingerprints"]["pratiqueSighting/v1"] for item in run["results"]]
    assert sorted(prints) == sorted(item.id for item in REPORT.sightings)


def test_sarif_keeps_the_exact_bytes_of_a_path() -> None:
    place = msgspec.structs.replace(REPORT.sightings[0].location, path="a:b/\ufffd", path_bytes="YTpiL/8=")
    sighting = msgspec.structs.replace(REPORT.sightings[0], location=place)
    run = made("sarif", msgspec.structs.replace(REPORT, sightings=(sighting,)))["runs"][0]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%3Ab/%FF"


def test_the_bom_states_what_each_incident_is() -> None:
    bom = made("cyclonedx", REPORT)
    states = {item["id"]: item["analysis"]["state"] for item in bom["vulnerabilities"]}
    assert states == {
        "axios-2026-03-31": "exploitable",
        "example-2026-06": "in_triage",
        "quiet-2025-01": "not_affected",
    }
    assert bom["vulnerabilities"][2]["analysis"]["detail"] == "none of the 8 versions listed on 2026-11-20"
    payload = next(item for item in bom["components"] if item["name"] == "plain-crypto-js")
    assert len(payload["evidence"]["occurrences"]) == 2
    assert {"name": "pratique:depth", "value": "executed"} in payload["properties"]
    assert any(item["name"] == "pratique:not-examined" for item in bom["metadata"]["properties"])


def test_nothing_examined_is_never_not_affected() -> None:
    nothing = msgspec.structs.replace(
        REPORT, verdicts=(), sightings=(), coverage=msgspec.structs.replace(REPORT.coverage, artifacts=0)
    )
    states = {item["analysis"]["state"] for item in made("cyclonedx", nothing)["vulnerabilities"]}
    assert "not_affected" not in states
    for name in ("text", "markdown", "html"):
        page = b"".join(renderer(name).render(nothing)).decode()
        assert "NOTHING EXAMINED" in page
        assert "NOT AFFECTED" not in page


def openvex_schema() -> Draft202012Validator:
    document = json.loads(SUBSET.with_name("openvex-subset.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


@given(report=reports())
@settings(max_examples=25)
def test_any_report_is_valid_openvex(report: Report) -> None:
    timed = msgspec.structs.replace(report.header, finished="2026-06-03T09:00:01.500Z")
    openvex_schema().validate(made("openvex", msgspec.structs.replace(report, header=timed)))


def test_openvex_states_each_incident_with_its_status_and_products() -> None:
    document = made("openvex", REPORT)
    openvex_schema().validate(document)
    states = {(item["vulnerability"]["name"], item["status"]) for item in document["statements"]}
    assert {("axios-2026-03-31", "affected"), ("quiet-2025-01", "not_affected")} <= states
    affected = next(item for item in document["statements"] if item["status"] == "affected")
    assert affected["action_statement"]
    purls = {part["identifiers"]["purl"] for product in affected["products"] for part in product["subcomponents"]}
    assert "pkg:npm/plain-crypto-js@4.2.1" in purls
    assert len(document["statements"]) >= len(REPORT.incidents)


def test_openvex_gives_no_negative_where_nothing_was_examined() -> None:
    nothing = msgspec.structs.replace(REPORT.coverage, artifacts=0)
    bare = msgspec.structs.replace(REPORT, coverage=nothing, verdicts=(), sightings=(), subjects=())
    assert {item["status"] for item in made("openvex", bare)["statements"]} == {"under_investigation"}


def test_openvex_says_what_comes_before_anything_is_revoked() -> None:
    incident = next(item for item in REPORT.incidents if item.id == "axios-2026-03-31")
    assert incident.guidance is not None
    armed = msgspec.structs.replace(incident.guidance, dead_man_switch="A service watches the token.", next_steps=())
    changed = msgspec.structs.replace(incident, guidance=armed)
    rest = tuple(item for item in REPORT.incidents if item.id != incident.id)
    document = made("openvex", msgspec.structs.replace(REPORT, incidents=(changed, *rest)))
    action = next(item["action_statement"] for item in document["statements"] if item["status"] == "affected")
    assert action.startswith("Before anything is revoked, disconnected or stopped: A service watches the token.")
