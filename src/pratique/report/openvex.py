"""The report as an OpenVEX 0.2.0 document.

## Holds
For each incident one statement for each status: the subjects with that status are its products, the listed releases
that were sighted there their subcomponents. A negative is a statement about the targets that were examined, with what
it rests on. What was not examined stands in the notes of its statement; an incident with a dead man's switch has an
action statement that says what comes first.

## Leaves out
A hundred subcomponents of one product and more are counted, not listed; evidence and places are in the other forms.
References: OpenVEX specification 0.2.0.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.model.report import IncidentEntry, RefusalEntry, Report, SightingEntry, VerdictEntry
from pratique.report.renderer import Renderer
from pratique.report.summary import negative
from pratique.report.words import count, inert_json, one_line, printable

CONTEXT = "https://openvex.dev/ns/v0.2.0"
SUBCOMPONENTS = 100
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.")
_ORDER = ("affected", "under_investigation", "fixed", "not_affected")


def render(report: Report) -> Iterator[bytes]:
    """Yield the document."""
    subjects = {item.id: item.uri for item in report.subjects}
    sightings = {item.id: item for item in report.sightings}
    refusals = {item.id: item for item in report.coverage.refusals}
    statements = [
        statement
        for incident in report.incidents
        for statement in _statements(report, incident, subjects, sightings, refusals)
    ]
    if not statements:
        statements = [_nothing(report)]
    document = {
        "@context": CONTEXT,
        "@id": f"urn:uuid:{_uuid(msgspec.json.encode(report))}",
        "author": printable(f"{report.header.tool.name} on {report.header.host}"),
        "role": "examiner",
        "timestamp": report.header.finished,
        "version": 1,
        "tooling": printable(f"{report.header.tool.name} {report.header.tool.version}"),
        "statements": statements,
    }
    yield inert_json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


def _statements(
    report: Report,
    incident: IncidentEntry,
    subjects: dict[str, str],
    sightings: dict[str, SightingEntry],
    refusals: dict[str, RefusalEntry],
) -> Iterator[dict[str, Any]]:
    """The statements about one incident, worst first."""
    mine = [item for item in report.verdicts if item.incident == incident.id]
    for status in _ORDER:
        chosen = [item for item in mine if item.status == status]
        if chosen:
            products = [_product(item, subjects, sightings) for item in chosen]
            notes = [one_line(item.summary) for item in chosen[:20]]
            gaps = [refusals[gap] for item in chosen for gap in item.gaps if gap in refusals]
            notes += [f"not examined: {item.path}: {one_line(item.reason)}" for item in gaps[:20]]
            if len(chosen) > 20 or len(gaps) > 20:
                notes.append("more stands in the report")
            yield _statement(report, incident, status, products, notes)
    if not mine:
        status = incident.worst if report.coverage.artifacts else "under_investigation"
        if status in ("not_affected", "fixed") and not report.coverage.complete:
            notes = ["other places of this run could not be examined; none of them could carry this incident"]
        else:
            notes = []
        products = [{"@id": _uri(target.uri)} for target in report.targets] or [{"@id": "urn:pratique:nothing"}]
        yield _statement(report, incident, status, _once(products), notes)


def _statement(
    report: Report, incident: IncidentEntry, status: str, products: list[dict[str, Any]], notes: list[str]
) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "vulnerability": {
            "name": printable(incident.id) or "unnamed",
            "description": printable(one_line(incident.title)),
        },
        "timestamp": report.header.finished,
        "products": _once(products),
        "status": status,
    }
    if status == "not_affected":
        statement["impact_statement"] = printable(negative(incident))
    if status == "affected":
        statement["action_statement"] = _action(incident)
        statement["action_statement_timestamp"] = report.header.finished
    said = printable("; ".join(dict.fromkeys(note for note in notes if note)))
    if said:
        statement["status_notes"] = said
    return statement


def _action(incident: IncidentEntry) -> str:
    guidance = incident.guidance
    if guidance is None:
        return "Preserve the evidence, then plan the response"
    first = ""
    if guidance.dead_man_switch is not None:
        first = f"Before anything is revoked, disconnected or stopped: {one_line(guidance.dead_man_switch)} "
    steps = ". ".join(guidance.next_steps) or "Preserve the evidence, then plan the response"
    return printable(f"{first}{steps}")


def _product(verdict: VerdictEntry, subjects: dict[str, str], sightings: dict[str, SightingEntry]) -> dict[str, Any]:
    product: dict[str, Any] = {"@id": _uri(subjects.get(verdict.subject, f"urn:pratique:subject:{verdict.subject}"))}
    purls = sorted({sightings[item].purl for item in verdict.sightings if item in sightings})
    if purls:
        product["subcomponents"] = [
            {"@id": _uri(purl), "identifiers": {"purl": printable(purl)}} for purl in purls[:SUBCOMPONENTS]
        ]
    return product


def _nothing(report: Report) -> dict[str, Any]:
    """A document needs a statement: where no incident was asked about, that is what it says."""
    return {
        "vulnerability": {"name": "none", "description": "No incident was asked about"},
        "timestamp": report.header.finished,
        "products": _once([{"@id": _uri(item.uri)} for item in report.targets]) or [{"@id": "urn:pratique:nothing"}],
        "status": "under_investigation",
        "status_notes": f"{count(report.coverage.artifacts, 'file')} read",
    }


def _once(products: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen: dict[bytes, dict[str, Any]] = {}
    for product in products:
        seen.setdefault(msgspec.json.encode(product), product)
    return list(seen.values())


def _uri(text: str) -> str:
    """An identifier as a URI: whatever may not stand in one is percent-encoded."""
    kept = "-+*._~:/?#[]@!$&'(),;=%"
    shown = "".join(
        char if char.isascii() and (char.isalnum() or char in kept) else "".join(f"%{b:02X}" for b in _octets(char))
        for char in text
    )
    return shown if _SCHEME.match(shown) else f"urn:pratique:{shown or 'unnamed'}"


def _octets(char: str) -> bytes:
    return char.encode("utf-8", "replace")


def _uuid(content: bytes) -> str:
    text = hashlib.sha256(b"openvex\0" + content).hexdigest()
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-8{text[17:20]}-{text[20:32]}"


RENDERER = Renderer(
    name="openvex", suffixes=(".vex.json", ".openvex.json"), media_type="application/vnd.openvex+json", render=render
)
