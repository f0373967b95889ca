"""The attestations of a release of npm: the registry's answer, one result for each, whatever is in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pratique.model.trust import AttestationResult
from pratique.releases.attestations.bundle import MOST, Bundle, bundle_of, decoded
from pratique.releases.attestations.reasons import NotExamined, Rejected, shown
from pratique.releases.attestations.roots import Roots
from pratique.releases.attestations.statement import (
    PROVENANCE,
    PUBLISH,
    Statement,
    check_kind,
    check_npm_subject,
    statement_of,
)
from pratique.releases.attestations.verify import Signed, verify

NEEDS = "attestations need the extra `trust`"


def verify_npm(
    document: bytes, name: str, version: str, expected: Mapping[str, str], roots: Roots
) -> tuple[AttestationResult, ...]:
    """Verify every attestation in a registry's answer for one release. Total: any bytes give results.

    `document` is the answer, `{"attestations": [{"predicateType", "bundle"}]}`, or one bundle. `expected` maps
    `integrity` and `archive` to the SHA-512 in hexadecimal that the record states and the archive has; what is not
    at hand is left out, and a result says what was compared.
    """
    try:
        found = _attestations(decoded(document))
    except Rejected as reason:
        return (AttestationResult("", "rejected", str(reason)),)
    except NotExamined as reason:
        return (AttestationResult("", "not-examined", str(reason)),)
    results = [_one(kind, bundle, name, version, expected, roots) for kind, bundle in found]
    kinds = [result.predicate for result in results if result.outcome == "verified"]
    return tuple(
        AttestationResult(result.predicate, "rejected", "there are several of one kind", bundle=result.bundle)
        if result.outcome == "verified" and kinds.count(result.predicate) > 1
        else result
        for result in results
    )


def _attestations(document: Any) -> list[tuple[str | None, Any]]:
    """What an answer holds: the kind that is stated outside, and the bundle. Raises Rejected."""
    if isinstance(document, dict) and "mediaType" in document and "attestations" not in document:
        return [(None, document)]
    items = document.get("attestations") if isinstance(document, dict) else None
    if not isinstance(items, list) or len(items) > MOST:
        raise Rejected("the answer holds no list of at most 64 attestations")
    found: list[tuple[str | None, Any]] = []
    for item in items:
        kind = item.get("predicateType") if isinstance(item, dict) else None
        found.append((kind if isinstance(kind, str) else "", item.get("bundle") if isinstance(item, dict) else None))
    return found


def _one(
    outer: str | None, document: Any, name: str, version: str, expected: Mapping[str, str], roots: Roots
) -> AttestationResult:
    label = shown(outer or "")
    generation = entry = keyid = ""
    try:
        bundle = bundle_of(document)
        generation, entry, keyid = bundle.generation, bundle.entry.name, bundle.hint
        statement = statement_of(bundle.payload)
        check_kind(statement, outer)
        label = shown(statement.predicate_type)
        compared = check_npm_subject(statement, name, version, expected)
        _check_signer(statement, bundle)
        signed: Signed = verify(bundle, roots)
        if not compared:
            raise NotExamined("it verifies, but neither an integrity nor the archive is at hand to compare with")
    except Rejected as reason:
        return AttestationResult(label, "rejected", str(reason), "", "", generation, shown(entry), shown(keyid))
    except NotExamined as reason:
        return AttestationResult(label, "not-examined", str(reason), "", "", generation, shown(entry), shown(keyid))
    except ModuleNotFoundError:
        return AttestationResult(label, "not-examined", NEEDS, "", "", generation, shown(entry), shown(keyid))
    return AttestationResult(
        label, "verified", "", "", signed.verified_by, generation, entry, keyid, signed.at, compared, signed.claims
    )


def _check_signer(statement: Statement, bundle: Bundle) -> None:
    """Who may state what: the registry that it published, a workflow how it built. Raises Rejected, NotExamined."""
    if statement.predicate_type == PUBLISH:
        if not bundle.hint:
            raise Rejected("a statement of publication must be signed by a key of the registry")
    elif statement.predicate_type in PROVENANCE:
        if bundle.hint:
            raise Rejected("provenance must be signed with the certificate of a workflow")
    else:
        raise NotExamined("it is of a kind that is not known")
