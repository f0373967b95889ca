"""The attestations of a file of a Python release (PEP 740), read by pypi-attestations and verified by sigstore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from pratique.model.trust import AttestationResult
from pratique.releases.attestations import certificates, log
from pratique.releases.attestations.bundle import MOST, PAYLOAD_TYPE, Bundle, decoded, entry_of, unbase64
from pratique.releases.attestations.npm import NEEDS
from pratique.releases.attestations.reasons import NotExamined, Rejected, shown
from pratique.releases.attestations.roots import Roots
from pratique.releases.attestations.statement import check_python_subject, statement_of
from pratique.releases.attestations.verify import Signed, stock_verified

_BY = "pypi-attestations and sigstore"


def verify_python(
    document: bytes, file: str, expected: Mapping[str, str], roots: Roots
) -> tuple[AttestationResult, ...]:
    """Verify every attestation in an index's provenance of one file. Total: any bytes give results.

    `document` is `{"version": 1, "attestation_bundles": [...]}`, one attestation, or a bundle of Sigstore. `expected`
    maps `integrity` and `archive` to the SHA-256 in hexadecimal that the index states and the file has. A publisher
    that the index states beside a bundle must be the one that the certificate claims.
    """
    try:
        found = _attestations(decoded(document))
    except Rejected as reason:
        return (AttestationResult("", "rejected", str(reason), file),)
    except NotExamined as reason:
        return (AttestationResult("", "not-examined", str(reason), file),)
    return tuple(_one(item, publisher, file, expected, roots) for item, publisher in found)


def file_of(document: bytes) -> str:
    """The file that an index's answer says it is about, unverified; empty where it says none."""
    try:
        return statement_of(_read(_attestations(decoded(document))[0][0])[0].payload).subject
    except (Rejected, NotExamined, IndexError):
        return ""


def _attestations(document: Any) -> list[tuple[Any, Any]]:
    """The attestations of an index's answer, each with the publisher that the index states. Raises Rejected."""
    if not isinstance(document, dict):
        raise Rejected("the answer is no object")
    if "envelope" in document or "mediaType" in document:
        return [(document, None)]
    if document.get("version") != 1:
        raise NotExamined("the answer is of a version that is not known")
    bundles = document.get("attestation_bundles")
    if not isinstance(bundles, list):
        raise Rejected("the answer holds no attestations")
    found: list[tuple[Any, Any]] = []
    for item in bundles:
        inner = item.get("attestations") if isinstance(item, dict) else None
        if not isinstance(inner, list):
            raise Rejected("the answer holds no attestations where it should")
        found += [(attestation, item.get("publisher")) for attestation in inner]
    if len(found) > MOST:
        raise Rejected("the answer holds more than 64 attestations")
    return found


def _one(document: Any, publisher: Any, file: str, expected: Mapping[str, str], roots: Roots) -> AttestationResult:
    label = generation = entry = ""
    try:
        bundle, made = _read(document)
        generation, entry = bundle.generation, bundle.entry.name
        statement = statement_of(bundle.payload)
        label = shown(statement.predicate_type)
        _check_kind(statement.predicate_type)
        compared = check_python_subject(statement, file, expected)
        if bundle.keyid:
            raise Rejected("the signature names a key although a certificate signed")
        certificate = certificates.load(bundle.certificate)
        log.check_checkpoint(bundle.entry)
        log.check_binding(bundle, bundle.certificate)
        signed = stock_verified(bundle, certificate, roots, made, _BY if generation == "PEP 740" else "sigstore")
        _check_publisher(publisher, signed)
        if not compared:
            raise NotExamined("it verifies, but neither a digest of the index nor the file is at hand to compare with")
    except Rejected as reason:
        return AttestationResult(label, "rejected", str(reason), file, "", generation, shown(entry))
    except NotExamined as reason:
        return AttestationResult(label, "not-examined", str(reason), file, "", generation, shown(entry))
    except ModuleNotFoundError:
        return AttestationResult(label, "not-examined", NEEDS, file, "", generation, shown(entry))
    return AttestationResult(
        label, "verified", "", file, signed.verified_by, generation, entry, "", signed.at, compared, signed.claims
    )


def _read(document: Any) -> tuple[Bundle, Any]:
    """The parts of an attestation, and what makes it a bundle of sigstore's. Raises Rejected, NotExamined."""
    if isinstance(document, dict) and "mediaType" in document:
        from pratique.releases.attestations.bundle import bundle_of, for_sigstore

        bundle = bundle_of(document)
        if bundle.hint:
            raise Rejected("an attestation of a Python file must be signed with a certificate")

        def stock() -> Any:
            from sigstore.models import Bundle as Stock

            return Stock.from_json(msgspec.json.encode(for_sigstore(bundle)))

        return bundle, stock
    if not isinstance(document, dict):
        raise Rejected("the attestation is no object")
    if document.get("version") != 1 or isinstance(document.get("version"), bool):
        raise NotExamined("the attestation is of a version that is not known")
    material, envelope = document.get("verification_material"), document.get("envelope")
    if not isinstance(material, dict) or not isinstance(envelope, dict):
        raise Rejected("the attestation lacks its envelope or what verifies it")
    entries = material.get("transparency_entries")
    if not isinstance(entries, list) or len(entries) != 1 or not isinstance(entries[0], dict):
        raise Rejected("there must be exactly one log entry")
    texts = [material.get("certificate"), envelope.get("statement"), envelope.get("signature")]
    if not all(isinstance(text, str) and text for text in texts):
        raise Rejected("the attestation lacks its certificate, statement or signature")
    certificate, payload, signature = (unbase64(str(text), "a part of the attestation") for text in texts)
    bundle = Bundle("PEP 740", PAYLOAD_TYPE, certificate, "", payload, signature, "", entry_of(entries[0]), ())

    def attested() -> Any:
        from pypi_attestations import Attestation

        return Attestation.model_validate(
            {
                "version": 1,
                "verification_material": {"certificate": texts[0], "transparency_entries": entries},
                "envelope": {"statement": texts[1], "signature": texts[2]},
            }
        ).to_bundle()

    return bundle, attested


def _check_kind(kind: str) -> None:
    """Whether it is one of the kinds that pypi-attestations knows. Raises NotExamined, ModuleNotFoundError."""
    from pypi_attestations import AttestationType

    if kind not in {known.value for known in AttestationType}:
        raise NotExamined("it is of a kind that is not known")


def _check_publisher(publisher: Any, signed: Signed) -> None:
    """Hold the publisher that an index states to the certificate's claims, for the kinds that are known.

    Raises Rejected. A kind that is not known is not compared: the claims are told, and they alone count.
    """
    claims = signed.claims
    if not isinstance(publisher, dict) or claims is None:
        return
    kind, repository = publisher.get("kind"), publisher.get("repository")
    place = (
        {"GitHub": "https://github.com/", "GitLab": "https://gitlab.com/"}.get(kind) if isinstance(kind, str) else None
    )
    if place is None or not isinstance(repository, str):
        return
    if claims.repository.lower() != f"{place}{repository}".lower():
        raise Rejected(
            f"the certificate was issued to {shown(claims.repository)}, the index states {shown(repository)}"
        )
    stated = publisher.get("workflow") if kind == "GitHub" else publisher.get("workflow_filepath")
    if isinstance(stated, str) and claims.workflow.rpartition("/")[2] != stated.rpartition("/")[2]:
        raise Rejected(f"the certificate was issued to {shown(claims.workflow)}, the index states {shown(stated)}")
