"""The report as SARIF 2.1.0, for code scanning.

## Holds
One rule for each incident; one result for each sighting: affected ones fail, ambiguous ones are open, notes are
informational. What was relevant and could not be examined is a notification, and the invocation was not successful
while coverage is incomplete, so that a short list is not taken for a short problem.

## Leaves out
More than 20,000 results, the least deep first: a notification says how many. References: SARIF 2.1.0 (OASIS).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec

from pratique.model.location import Location
from pratique.model.report import IncidentEntry, RefusalEntry, Report, SightingEntry, identify
from pratique.report.evidence import inside
from pratique.report.renderer import Renderer
from pratique.report.summary import negative, refusals
from pratique.report.words import claim, depth_rank, inert_json, one_line, printable, release

VERSION = "2.1.0"
RESULTS = 20_000
_KINDS = {"affected": "fail", "under_investigation": "open"}
_COMPLETENESS = {"fixed": "final", "growing": "still growing", "partial": "known to lack some"}


def render(report: Report) -> Iterator[bytes]:
    """Yield the log file."""
    bases = {target.uri: f"TARGET{number}" for number, target in enumerate(report.targets)}
    rules = {incident.id: number for number, incident in enumerate(report.incidents)}
    shown = sorted(report.sightings, key=lambda item: (item.status != "affected", -depth_rank(item.depth)))
    left_out = len(shown) - len(shown[:RESULTS])
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": report.header.tool.name,
                "version": report.header.tool.version,
                "semanticVersion": report.header.tool.version,
                "rules": [_rule(incident) for incident in report.incidents],
                "notifications": [
                    {"id": key, "shortDescription": {"text": text}}
                    for key, text in (
                        ("not-examined", "A relevant place could not be examined."),
                        ("not-examined-accepted", "A relevant place could not be examined; a person accepted that."),
                        ("nothing-examined", "No reader was offered a file."),
                        ("interrupted", "The run ended before everything was examined."),
                        ("left-out", "The log file does not hold every result."),
                    )
                ],
            }
        },
        "invocations": [_invocation(report, bases, left_out)],
        "originalUriBaseIds": {
            base: {"uri": uri if uri.endswith("/") else f"{uri}/", "description": {"text": "A target of this run."}}
            for uri, base in bases.items()
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, rules, bases) for item in shown[:RESULTS]],
        "properties": {
            "pratique:schema": report.header.schema,
            "pratique:scope": report.header.scope.statement,
            "pratique:exitCode": report.exit_code,
            "pratique:complete": report.coverage.complete,
            "pratique:entries": report.coverage.entries,
            "pratique:filesRead": report.coverage.artifacts,
            "pratique:skippedByRule": {item.rule: item.count for item in report.coverage.skipped_by_rule},
            "pratique:answers": {item.id: f"{item.worst}: {_answer(item)}" for item in report.incidents},
        },
    }
    log = {"version": VERSION, "runs": [run]}
    yield inert_json(msgspec.json.format(msgspec.json.encode(log), indent=2)) + b"\n"


def _answer(incident: IncidentEntry) -> str:
    affected = incident.totals.get("affected", 0)
    return f"{affected} affected" if affected else f"{negative(incident)} was seen"


def _rule(incident: IncidentEntry) -> dict[str, Any]:
    text = one_line(incident.summary) or incident.title or incident.id
    steps = " ".join(f"{number}. {step}." for number, step in enumerate(_steps(incident), start=1))
    rule: dict[str, Any] = {
        "id": incident.id,
        "shortDescription": {"text": printable(incident.title or incident.id)},
        "fullDescription": {"text": printable(text)},
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security", "supply-chain"],
            "pratique:revision": incident.revision,
            "pratique:list": f"{incident.listed} releases, {_COMPLETENESS.get(incident.completeness, 'unknown')}",
            "pratique:digest": incident.digest,
        },
    }
    if steps:
        rule["help"] = {"text": printable(steps)}
    return rule


def _steps(incident: IncidentEntry) -> tuple[str, ...]:
    return incident.guidance.next_steps if incident.guidance else ()


def _result(item: SightingEntry, rules: dict[str, int], bases: dict[str, str]) -> dict[str, Any]:
    kind = _KINDS.get(item.status, "informational")
    result: dict[str, Any] = {
        "ruleId": item.incident,
        "kind": kind,
        "level": _level(item) if kind == "fail" else "none",
        "message": {"text": f"{item.depth}: {claim(item)} (confidence {item.confidence})"},
        "locations": [_location(item.location, bases)],
        "partialFingerprints": {
            "pratiqueSighting/v1": item.id,
            "pratiquePlace/v1": identify([item.incident, item.purl, item.depth, item.kind, item.location.path]),
        },
        "properties": {
            "pratique:purl": printable(item.purl),
            "pratique:release": release(item.purl),
            "pratique:depth": item.depth,
            "pratique:confidence": item.confidence,
            "pratique:role": item.role,
            "pratique:current": item.current,
            "pratique:inferred": item.inferred,
            "pratique:subject": item.subject,
            "pratique:observations": list(item.observations),
            "pratique:times": [
                {"meaning": printable(t.meaning), "value": printable(t.value), "source": printable(t.source)}
                for t in item.times
            ],
        },
    }
    if item.incident in rules:
        result["ruleIndex"] = rules[item.incident]
    return result


def _level(item: SightingEntry) -> str:
    """Bytes that merely lie in a cache, and claims of low confidence, warn; everything else is an error."""
    return "warning" if item.depth == "fetched" or item.confidence == "low" else "error"


def _location(location: Location, bases: dict[str, str]) -> dict[str, Any]:
    physical: dict[str, Any] = {
        "artifactLocation": _artifact(location.target, location.path, location.path_bytes, bases)
    }
    if location.line is not None and location.line > 0:
        physical["region"] = {"startLine": location.line}
    place: dict[str, Any] = {"physicalLocation": physical}
    if location.inside:
        place["logicalLocations"] = [{"fullyQualifiedName": inside(location).strip()}]
    return place


def _artifact(target: str, path: str, path_bytes: str | None, bases: dict[str, str]) -> dict[str, str]:
    raw = path.encode("utf-8", "replace")
    if path_bytes:
        with contextlib.suppress(binascii.Error, ValueError):
            raw = base64.b64decode(path_bytes, validate=True)
    uri = quote(raw, safe="/") or "."
    if uri.startswith("/"):
        uri = f".{uri}"
    if target in bases:
        return {"uri": uri, "uriBaseId": bases[target]}
    return {"uri": uri}


def _invocation(report: Report, bases: dict[str, str], left_out: int) -> dict[str, Any]:
    relevant, accepted, _ = refusals(report)
    coverage = report.coverage
    notes = [_notification("not-examined", "error", item, bases) for item in relevant]
    notes += [_notification("not-examined-accepted", "note", item, bases) for item in accepted]
    if coverage.artifacts == 0:
        notes.append(
            _said("nothing-examined", "error", "No reader was offered a file: this says nothing about the target.")
        )
    if coverage.interrupted:
        notes.append(_said("interrupted", "error", "The run ended before everything was examined."))
    if left_out:
        notes.append(_said("left-out", "warning", f"{left_out} sightings are left out here; the JSON form holds them."))
    return {
        "executionSuccessful": coverage.complete and not coverage.interrupted and coverage.artifacts > 0,
        "exitCode": report.exit_code,
        "startTimeUtc": report.header.started,
        "endTimeUtc": report.header.finished,
        "machine": printable(report.header.host),
        "toolExecutionNotifications": notes,
    }


def _notification(identifier: str, level: str, item: RefusalEntry, bases: dict[str, str]) -> dict[str, Any]:
    why = f"; accepted: {printable(one_line(item.accepted))}" if item.accepted is not None else ""
    note = _said(
        identifier,
        level,
        f"Not examined: {printable(item.path)} ({printable(one_line(item.reason))}; {item.reader}){why}",
    )
    artifact = _artifact(item.target, item.path, item.path_bytes, bases)
    note["locations"] = [{"physicalLocation": {"artifactLocation": artifact}}]
    note["properties"] = {"pratique:refusal": item.id}
    return note


def _said(identifier: str, level: str, text: str) -> dict[str, Any]:
    return {"descriptor": {"id": identifier}, "level": level, "message": {"text": text}}


RENDERER = Renderer(name="sarif", suffixes=(".sarif",), media_type="application/sarif+json", render=render)
