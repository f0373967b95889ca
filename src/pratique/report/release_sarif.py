"""The judgement of releases as SARIF 2.1.0, for code scanning and pull requests.

One rule of SARIF for each rule that fired, one result for each finding, at the first file of its evidence; the level is
that of the finding's rule, lowered to what the release reached. What was relevant and not examined is a notification,
and the invocation then was not successful. References: SARIF 2.1.0 (OASIS).
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import msgspec

from pratique.model.observation import Refusal
from pratique.model.release import LEVELS, Fact, Finding, Inspection, Level, ReleaseReport
from pratique.report.release_json import exit_code
from pratique.report.release_text import MEANING, chain_of, release_of
from pratique.report.words import inert_json, printable

_LEVELS = {"none": "none", "note": "note", "review": "warning", "block": "error"}


def release_sarif(report: ReleaseReport) -> bytes:
    """The log file. Paths lie in the release (`axios@1.14.1/package.json`), as no lockfile's lines are known here."""
    fired: dict[str, Finding] = {}
    for inspection in report.inspections:
        for finding in inspection.judgement.findings:
            fired.setdefault(finding.rule, finding)
    rules = sorted(fired)
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "pratique",
                "version": report.version,
                "semanticVersion": report.version,
                "rules": [
                    {
                        "id": name,
                        "shortDescription": {"text": printable(fired[name].title)},
                        "defaultConfiguration": {"level": _LEVELS[fired[name].ceiling]},
                        "properties": {"tags": ["security", "supply-chain", fired[name].family]},
                    }
                    for name in rules
                ],
                "notifications": [{"id": "not-examined", "shortDescription": {"text": "Something was not examined."}}],
            }
        },
        "invocations": [
            {
                "executionSuccessful": report.complete,
                "exitCode": exit_code(report),
                "toolExecutionNotifications": [
                    _notification(refusal) for refusal in _refusals(report) if refusal.relevant
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [
            _result(inspection, finding, rules.index(finding.rule))
            for inspection in report.inspections
            for finding in inspection.judgement.findings
        ],
        "properties": {
            "pratique:schema": report.schema,
            "pratique:level": report.level,
            "pratique:complete": report.complete,
            "pratique:rules": report.rules,
        },
    }
    return inert_json(msgspec.json.format(msgspec.json.encode({"version": "2.1.0", "runs": [run]}), indent=2)) + b"\n"


def _refusals(report: ReleaseReport) -> list[Refusal]:
    return [*report.refusals, *(refusal for one in report.inspections for refusal in one.judgement.refusals)]


def _notification(refusal: Refusal) -> dict[str, Any]:
    where = " ".join(part for part in (release_of(refusal.target), refusal.path) if part)
    return {
        "level": "warning",
        "descriptor": {"id": "not-examined"},
        "message": {"text": printable(f"{where}: {refusal.reason}".strip(": "))},
    }


def _lower(first: Level, second: Level) -> Level:
    return first if LEVELS.index(first) < LEVELS.index(second) else second


def _result(inspection: Inspection, finding: Finding, index: int) -> dict[str, Any]:
    judgement = inspection.judgement
    told = finding in chain_of(judgement)
    level = judgement.level if told else _lower(_lower(finding.ceiling, judgement.level), "note")
    fingerprint = hashlib.sha256(f"{judgement.purl}\0{finding.rule}\0{finding.words}".encode()).hexdigest()
    return {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[level],
        "message": {"text": printable(f"{finding.words}. {MEANING[judgement.level].capitalize()}.")},
        "locations": [_location(purl, fact) for purl, fact in finding.facts[:10]] or [_nowhere(judgement.purl)],
        "partialFingerprints": {"pratiqueFinding/v1": fingerprint},
        "properties": {
            "pratique:purl": judgement.purl,
            "pratique:predecessor": judgement.predecessor,
            "pratique:judgement": judgement.level,
            "pratique:weight": finding.weight,
            "pratique:inChain": told,
        },
    }


def _nowhere(purl: str) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": quote(release_of(purl).replace(" ", "@"))}}}


def _location(purl: str, fact: Fact) -> dict[str, Any]:
    folder = release_of(purl).replace(" ", "@")
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(f"{folder}/{fact.path}".rstrip("/"))}}
    if fact.line:
        physical["region"] = {"startLine": fact.line}
    return {"physicalLocation": physical}
