"""What changed between two releases as SARIF 2.1.0: one result for each fact that came, none is a judgement.

One rule of SARIF for each kind of fact; levels are `note`, and `warning` for what runs by itself and for chains. What
was relevant and not examined is a notification, and the invocation then was not successful.
"""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import quote

import msgspec

from pratique.model.difference import ReleaseDifference
from pratique.model.release import Fact
from pratique.report.difference_words import SECTIONS, details, exit_code, subject, title
from pratique.report.words import inert_json, printable

_WARNED = ("trigger.", "chain.", "trust.lost")


def difference_sarif(difference: ReleaseDifference) -> bytes:
    """The log file. Paths lie in the later release (`axios@1.14.1/package.json`)."""
    facts = [fact for name, _ in SECTIONS for fact in getattr(difference, name) if fact.delta in ("added", "changed")]
    rules = sorted({fact.kind for fact in facts})
    subjects = {fact.kind: subject(fact) for fact in facts}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "pratique",
                "version": difference.version,
                "semanticVersion": difference.version,
                "rules": [
                    {
                        "id": f"difference.{kind}",
                        "shortDescription": {"text": subjects[kind]},
                        "defaultConfiguration": {"level": _level(kind)},
                        "properties": {"tags": ["security", "supply-chain", kind.partition(".")[0]]},
                    }
                    for kind in rules
                ],
                "notifications": [{"id": "not-examined", "shortDescription": {"text": "Something was not examined."}}],
            }
        },
        "invocations": [
            {
                "executionSuccessful": difference.complete,
                "exitCode": exit_code(difference),
                "toolExecutionNotifications": [
                    {
                        "level": "warning",
                        "descriptor": {"id": "not-examined"},
                        "message": {"text": printable(f"{refusal.path}: {refusal.reason}".strip(": "))},
                    }
                    for refusal in difference.refusals
                    if refusal.relevant
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(difference, fact, rules.index(fact.kind)) for fact in facts],
        "properties": {"pratique:schema": difference.schema, "pratique:title": printable(title(difference))},
    }
    return inert_json(msgspec.json.format(msgspec.json.encode({"version": "2.1.0", "runs": [run]}), indent=2)) + b"\n"


def _level(kind: str) -> str:
    return "warning" if kind.startswith(_WARNED) else "note"


def _result(difference: ReleaseDifference, fact: Fact, index: int) -> dict[str, Any]:
    after = difference.after
    folder = f"{after.name}@{after.version}" if after.name else "release"
    physical: dict[str, Any] = {"artifactLocation": {"uri": quote(f"{folder}/{fact.path}".rstrip("/"))}}
    if fact.line:
        physical["region"] = {"startLine": fact.line}
    text = f"{fact.delta}: {subject(fact)}: {details(fact)}".rstrip(": ")
    fingerprint = hashlib.sha256(f"{after.purl}\0{fact.kind}\0{fact.path}\0{details(fact)}".encode()).hexdigest()
    return {
        "ruleId": f"difference.{fact.kind}",
        "ruleIndex": index,
        "level": _level(fact.kind),
        "message": {"text": printable(text)},
        "locations": [{"physicalLocation": physical}],
        "partialFingerprints": {"pratiqueFact/v1": fingerprint},
        "properties": {
            "pratique:purl": after.purl,
            "pratique:predecessor": difference.before.purl,
            "pratique:delta": fact.delta,
        },
    }
