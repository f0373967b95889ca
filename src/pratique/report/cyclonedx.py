"""The report as a CycloneDX 1.6 document with vulnerability statements (VEX).

## Holds
One component for each listed release that was sighted, with every place it was seen in as evidence; one vulnerability
for each incident with its analysis: exploitable where something is affected, in triage where it is undecided, not
affected where coverage earned that. What was not examined stands in properties named `pratique:not-examined`.

## Leaves out
It is no inventory of what is installed: `pratique components` writes that. More than 2,000 places of one release are
counted, not listed. References: CycloneDX 1.6 (ECMA-424), JSON.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.model.report import IncidentEntry, Report, SightingEntry, VerdictEntry
from pratique.report.evidence import full_path
from pratique.report.renderer import Renderer
from pratique.report.summary import Answer, answer, negative, refusals, sentence
from pratique.report.words import claim, count, depth_rank, inert_json, name_and_version, one_line, printable

VERSION = "1.6"
PLACES = 2_000
_CONFIDENCE = {"low": 0.3, "medium": 0.6, "high": 0.9}
_STATES = {
    "affected": "exploitable",
    "under_investigation": "in_triage",
    "not_affected": "not_affected",
    "fixed": "resolved",
}
_TECHNIQUES = {"tampering": "filename", "indicator": "other"}


def render(report: Report) -> Iterator[bytes]:
    """Yield the document."""
    found = answer(report)
    releases: dict[str, list[SightingEntry]] = {}
    for item in report.sightings:
        if item.status in ("affected", "under_investigation"):
            releases.setdefault(item.purl, []).append(item)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "serialNumber": _serial(report),
        "version": 1,
        "metadata": _metadata(report),
        "components": [_component(purl, seen) for purl, seen in sorted(releases.items())],
        "compositions": [{"aggregate": "incomplete", "assemblies": [_reference(purl) for purl in sorted(releases)]}],
        "vulnerabilities": [_vulnerability(report, found, item, releases) for item in report.incidents],
    }
    yield inert_json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


def _serial(report: Report) -> str:
    """A serial number that the same report always gets: the digest of its content, in the form of a UUID."""
    text = hashlib.sha256(msgspec.json.encode(report)).hexdigest()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-8{text[13:16]}-8{text[17:20]}-{text[20:32]}"


def _property(name: str, value: object) -> dict[str, str]:
    return {"name": f"pratique:{name}", "value": printable(str(value))}


def _metadata(report: Report) -> dict[str, Any]:
    relevant, accepted, _ = refusals(report)
    coverage = report.coverage
    properties = [
        _property("schema", report.header.schema),
        _property("scope", report.header.scope.statement),
        _property("complete", str(coverage.complete).lower()),
        _property("interrupted", str(coverage.interrupted).lower()),
        _property("exit-code", report.exit_code),
        _property("entries", coverage.entries),
        _property("files-read", coverage.artifacts),
        *(_property("target", item.uri) for item in report.targets),
        *(_property("not-asked", text) for text in report.header.scope.not_asked),
        *(_property("not-examined", f"{item.path}: {one_line(item.reason)}") for item in relevant),
        *(
            _property("not-examined-accepted", f"{item.path}: {one_line(item.reason)}; {one_line(item.accepted or '')}")
            for item in accepted
        ),
        *(_property("skipped-by-rule", f"{item.rule}: {item.count}") for item in coverage.skipped_by_rule),
    ]
    tool = report.header.tool
    return {
        "timestamp": report.header.finished,
        "tools": {"components": [{"type": "application", "name": tool.name, "version": tool.version}]},
        "component": {
            "type": "application",
            "bom-ref": "examined",
            "name": printable(report.header.host) or "examined",
            "description": printable(report.header.scope.statement),
        },
        "properties": properties,
    }


def _reference(purl: str) -> str:
    return f"release-{hashlib.sha256(purl.encode('utf-8', 'replace')).hexdigest()[:16]}"


def _component(purl: str, seen: list[SightingEntry]) -> dict[str, Any]:
    name, version = name_and_version(purl)
    best = max(seen, key=lambda item: _CONFIDENCE.get(item.confidence, 0.1))
    deepest = max(seen, key=lambda item: depth_rank(item.depth))
    confidence = _CONFIDENCE.get(best.confidence, 0.1)
    occurrences: list[dict[str, Any]] = []
    for item in seen[:PLACES]:
        place: dict[str, Any] = {"bom-ref": f"sighting-{item.id}", "location": full_path(item.location)}
        if item.location.line is not None:
            place["line"] = item.location.line
        place["additionalContext"] = f"{item.depth}: {claim(item)} (confidence {item.confidence})"
        occurrences.append(place)
    unique = {place["bom-ref"]: place for place in occurrences}
    group, _, base = name.rpartition("/")
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": _reference(purl),
        "name": printable(base) or "unknown",
        "version": printable(version),
        "purl": printable(purl),
        "evidence": {
            "identity": [
                {
                    "field": "purl",
                    "confidence": confidence,
                    "concludedValue": printable(purl),
                    "methods": [
                        {
                            "technique": _TECHNIQUES.get(best.kind, "manifest-analysis"),
                            "confidence": confidence,
                            "value": printable(one_line(best.explanation)),
                        }
                    ],
                }
            ],
            "occurrences": list(unique.values()),
        },
        "properties": [
            _property("depth", deepest.depth),
            *(_property("role", role) for role in sorted({item.role for item in seen})),
            *(_property("incident", item) for item in sorted({item.incident for item in seen})),
            _property("places", len(seen)),
        ],
    }
    if group:
        component["group"] = printable(group)
    return component


def _vulnerability(
    report: Report, found: Answer, incident: IncidentEntry, releases: dict[str, list[SightingEntry]]
) -> dict[str, Any]:
    chapter = next((item for item in (*found.affected, *found.unclear) if item.incident.id == incident.id), None)
    status = "affected" if chapter in found.affected else incident.worst
    if status in ("not_affected", "fixed") and found.status == "under_investigation" and not found.examined:
        status = "under_investigation"
    analysis: dict[str, Any] = {"state": _STATES.get(status, "in_triage")}
    if chapter is not None and status == "affected":
        analysis["detail"] = sentence(report, found, chapter)
    elif chapter is not None:
        analysis["detail"] = f"{count(len(chapter.verdicts), 'place')} undecided, none shown affected"
    elif status == "not_affected":
        analysis["justification"] = "code_not_present"
        analysis["detail"] = negative(incident)
    else:
        unexamined = incident.totals.get("under_investigation", 0)
        analysis["detail"] = f"{negative(incident)} was seen; {count(unexamined, 'place')} could not be examined"
    affects = []
    for purl, seen in sorted(releases.items()):
        states = {item.status for item in seen if item.incident == incident.id}
        if states:
            version = printable(name_and_version(purl)[1]) or "unknown"
            state = "affected" if "affected" in states else "unknown"
            affects.append({"ref": _reference(purl), "versions": [{"version": version, "status": state}]})
    entry: dict[str, Any] = {
        "bom-ref": f"incident-{hashlib.sha256(incident.id.encode('utf-8', 'replace')).hexdigest()[:16]}",
        "id": printable(incident.id),
        "source": {"name": "pratique incident library"},
        "description": printable(incident.title or incident.id),
        "analysis": analysis,
        "affects": affects,
        "properties": [
            _property("revision", incident.revision),
            _property("completeness", incident.completeness),
            _property("listed", incident.listed),
            _property("listed-on", incident.listed_on),
            _property("digest", incident.digest),
            *_deepest(chapter.verdicts if chapter else []),
        ],
    }
    if incident.summary:
        entry["detail"] = printable(one_line(incident.summary))
    if incident.guidance and incident.guidance.next_steps:
        entry["recommendation"] = printable(". ".join(incident.guidance.next_steps))
    return entry


def _deepest(verdicts: list[VerdictEntry]) -> list[dict[str, str]]:
    return [_property("deepest", verdicts[0].depth)] if verdicts and verdicts[0].depth else []


RENDERER = Renderer(
    name="cyclonedx", suffixes=(".cdx.json",), media_type="application/vnd.cyclonedx+json; version=1.6", render=render
)
