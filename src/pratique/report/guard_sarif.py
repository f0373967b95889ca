"""What a guarded command did as SARIF 2.1.0, for code scanning.

One rule of SARIF for each that fired, one result for each detection. What was done has no line in a file: a result's
place is the manifest of the package that caused it, and its name, or the command. What an exception was made of is a
suppressed result. What could not be seen is a notification. References: SARIF 2.1.0 (OASIS).
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import msgspec

from pratique.model.event import Detection, Severity
from pratique.model.guarded import Guarded, by_level, caused
from pratique.model.inert import one_line, printable
from pratique.report.words import inert_json

LEVELS: dict[Severity, str] = {
    "informational": "note",
    "low": "note",
    "medium": "warning",
    "high": "error",
    "critical": "error",
}
_SCORES: dict[Severity, str] = {"informational": "0.0", "low": "3.0", "medium": "5.5", "high": "8.0", "critical": "9.5"}


def guard_sarif(guarded: Guarded) -> bytes:
    """The log file."""
    found = by_level(guarded.detections)
    fired = {one.rule: one for one in reversed(found)}
    names = sorted(fired)
    unseen = [row for row in guarded.ended.watch.categories if row.seen != "all"]
    notes = [f"{row.category} was seen {'in part' if row.seen == 'part' else 'not'}: {row.reason}" for row in unseen]
    notes += guarded.ended.watch.gaps
    if guarded.ended.watch.lost:
        notes.append(f"{guarded.ended.watch.lost} events were lost")
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "pratique",
                "version": guarded.version,
                "semanticVersion": guarded.version,
                "rules": [_rule(fired[name]) for name in names],
                "notifications": [{"id": "not-seen", "shortDescription": {"text": "Something could not be seen."}}],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not guarded.ended.watch.lost,
                "exitCode": guarded.exit_code,
                "commandLine": one_line(printable(" ".join(guarded.command)))[:4096],
                "toolExecutionNotifications": [
                    {"level": "note", "descriptor": {"id": "not-seen"}, "message": {"text": printable(note)}}
                    for note in notes
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, names.index(one.rule)) for one in found],
    }
    return inert_json(msgspec.json.format(msgspec.json.encode({"version": "2.1.0", "runs": [run]}), indent=2)) + b"\n"


def _rule(detection: Detection) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": detection.rule,
        "shortDescription": {"text": printable(detection.title)},
        "defaultConfiguration": {"level": LEVELS[detection.level]},
        "properties": {
            "tags": ["security", "supply-chain", *detection.tags],
            "security-severity": _SCORES[detection.level],
        },
    }
    if detection.references:
        made["helpUri"] = detection.references[0]
    return made


def _result(detection: Detection, index: int) -> dict[str, Any]:
    cause = caused(detection.cause)
    name = detection.cause.name if detection.cause is not None else ""
    mark = hashlib.sha256(f"{detection.rule}\0{name}\0{detection.statement}".encode("utf-8", "replace")).hexdigest()
    made: dict[str, Any] = {
        "ruleId": detection.rule,
        "ruleIndex": index,
        "level": LEVELS[detection.level],
        "message": {"text": one_line(printable(detection.statement))},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": _place(detection)}},
                "logicalLocations": [{"fullyQualifiedName": printable(cause or "the command")}],
            }
        ],
        "partialFingerprints": {"pratiqueDetection/v1": mark},
        "properties": {"pratique:severity": detection.level, "pratique:events": list(detection.events)},
    }
    if detection.silenced_by:
        made["suppressions"] = [{"kind": "external", "justification": printable(detection.silenced_by)}]
    return made


def _place(detection: Detection) -> str:
    """Where the package lies, relative to the folder of the command: viewers drop results without a file."""
    cause = detection.cause
    if cause is None or not cause.name:
        return "command"
    return f"node_modules/{quote(cause.name)}/package.json" if cause.ecosystem == "npm" else quote(cause.name)
