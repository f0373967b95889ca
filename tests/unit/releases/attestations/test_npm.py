"""Attestations of npm in every generation: genuine shapes by our own authority, and what must not pass."""

from __future__ import annotations

import copy
import datetime
import hashlib
import json
from typing import Any

import pytest

from pratique.model.trust import AttestationResult
from pratique.releases.attestations.npm import verify_npm
from pratique.releases.attestations.roots import Roots
from tests.standins import authority as own

NAME, VERSION, ARCHIVE = "@harbour/crate", "1.2.3", b"the bytes of an archive"
DIGEST = hashlib.sha512(ARCHIVE).hexdigest()
EXPECTED = {"integrity": DIGEST, "archive": DIGEST}
BUILT = own.statement(NAME, VERSION, ARCHIVE)
PUBLISHED = own.statement(NAME, VERSION, ARCHIVE, own.PUBLISH)


@pytest.fixture(scope="module")
def roots() -> Roots:
    return own.roots()


def results(answer: bytes, roots: Roots, expected: dict[str, str] | None = None) -> tuple[AttestationResult, ...]:
    return verify_npm(answer, NAME, VERSION, EXPECTED if expected is None else expected, roots)


def of(
    bundle: Any, roots: Roots, kind: str = own.PROVENANCE, expected: dict[str, str] | None = None
) -> AttestationResult:
    (found,) = results(own.answer((kind, bundle)), roots, expected)
    return found


@pytest.mark.parametrize(
    ("generation", "kind", "proof", "path"),
    [
        ("0.3", "dsse 0.0.1", True, "sigstore"),
        ("0.2", "dsse 0.0.1", True, "sigstore"),
        ("0.1", "dsse 0.0.1", True, "sigstore"),
        ("0.2", "intoto 0.0.2", True, "pratique"),
        ("0.1", "intoto 0.0.2", True, "pratique"),
        ("0.1", "intoto 0.0.2", False, "pratique"),
        ("0.1", "dsse 0.0.1", False, "pratique"),
        ("0.3", "hashedrekord 0.0.1", True, "pratique"),
    ],
)
def test_provenance_of_every_generation_verifies(
    roots: Roots, generation: str, kind: str, proof: bool, path: str
) -> None:
    found = of(own.by_certificate(BUILT, generation, kind, proof=proof), roots)
    assert (found.outcome, found.reason, found.verified_by) == ("verified", "", path)
    assert (found.predicate, found.bundle, found.entry) == (own.PROVENANCE, generation, kind)
    assert found.signed_at == own.SIGNED.timestamp()
    assert found.compared == ("integrity", "archive")
    assert found.claims is not None
    assert (found.claims.issuer, found.claims.repository) == (own.ISSUER, own.REPOSITORY)
    assert (found.claims.workflow, found.claims.ref) == (own.WORKFLOW, "refs/tags/v1.2.3")
    assert (found.claims.runner, found.claims.commit) == ("hosted", own.CLAIMS[13])


@pytest.mark.parametrize("kind", ["dsse 0.0.1", "intoto 0.0.2", "hashedrekord 0.0.1"])
@pytest.mark.parametrize(("generation", "proof"), [("0.1", False), ("0.1", True), ("0.2", True), ("0.3", True)])
def test_publication_verifies_by_the_registrys_key(roots: Roots, generation: str, proof: bool, kind: str) -> None:
    found = of(own.by_registry(PUBLISHED, generation, kind, proof=proof), roots, own.PUBLISH)
    assert (found.outcome, found.reason, found.verified_by) == ("verified", "", "pratique")
    assert (found.keyid, found.claims) == (own.REGISTRY.keyid, None)


def test_our_own_layer_agrees_where_sigstore_verifies(roots: Roots) -> None:
    from pratique.releases.attestations.bundle import bundle_of
    from pratique.releases.attestations.verify import by_certificate

    bundle = bundle_of(own.by_certificate(BUILT))
    stock, ours = by_certificate(bundle, roots), by_certificate(bundle, roots, own=True)
    assert (stock.verified_by, ours.verified_by) == ("sigstore", "pratique")
    assert (stock.at, stock.claims) == (ours.at, ours.claims)


def test_both_in_one_answer(roots: Roots) -> None:
    both = own.answer((own.PUBLISH, own.by_registry(PUBLISHED)), (own.PROVENANCE, own.by_certificate(BUILT)))
    assert [item.outcome for item in results(both, roots)] == ["verified", "verified"]
    twice = own.answer(*[(own.PROVENANCE, own.by_certificate(BUILT))] * 2)
    assert [item.outcome for item in results(twice, roots)] == ["rejected", "rejected"]


def test_a_key_that_expired_is_good_for_what_it_signed_before(roots: Roots) -> None:
    before = own.OLD_END - datetime.timedelta(days=1)
    after = own.OLD_END + datetime.timedelta(days=1)
    old = own.by_registry(PUBLISHED, at=before, key=own.OLD_REGISTRY)
    late = own.by_registry(PUBLISHED, at=after, key=own.OLD_REGISTRY)
    assert of(old, roots, own.PUBLISH).outcome == "verified"
    found = of(late, roots, own.PUBLISH)
    assert (found.outcome, found.reason) == (
        "rejected",
        "the registry's key did not count at the time of the signature",
    )


def test_a_certificate_counts_for_ten_minutes(roots: Roots) -> None:
    for kind in ("dsse 0.0.1", "intoto 0.0.2"):
        for minutes in (-1, 11):
            at = own.SIGNED + datetime.timedelta(minutes=minutes)
            found = of(own.by_certificate(BUILT, "0.2", kind, at=at), roots)
            assert found.outcome == "rejected", (kind, minutes)


@pytest.mark.parametrize("kind", ["dsse 0.0.1", "intoto 0.0.2"])
@pytest.mark.parametrize(
    ("der", "reason"),
    [
        (lambda: own.certificate(by=own.STRANGER), "issued"),
        (lambda: own.certificate(log=own.STRANGER), "log"),
        (lambda: own.certificate(stamps=0), "timestamp"),
        (lambda: own.certificate(stamps=2), "timestamp"),
        (lambda: own.certificate(code_signing=False), "code signing"),
    ],
)
def test_certificates_that_prove_nothing(roots: Roots, kind: str, der: Any, reason: str) -> None:
    found = of(own.by_certificate(BUILT, "0.2", kind, der=der()), roots)
    assert found.outcome in ("rejected", "not-examined"), reason
    assert found.claims is None
    assert found.reason


def test_a_signature_of_another_key_is_none(roots: Roots) -> None:
    for kind in ("dsse 0.0.1", "intoto 0.0.2"):
        stranger = own.by_certificate(BUILT, "0.2", kind, der=own.certificate(), key=own.STRANGER)
        assert of(stranger, roots).outcome == "rejected"
    unknown = of(own.by_registry(PUBLISHED, key=own.STRANGER), roots, own.PUBLISH)
    assert unknown.outcome == "not-examined"
    forged = own.by_registry(PUBLISHED, key=own.STRANGER)
    forged["verificationMaterial"]["publicKey"]["hint"] = own.REGISTRY.keyid
    forged["dsseEnvelope"]["signatures"][0]["keyid"] = own.REGISTRY.keyid
    assert of(forged, roots, own.PUBLISH).outcome == "rejected"


def test_about_another_release_or_other_bytes(roots: Roots) -> None:
    other = own.by_certificate(own.statement("@harbour/other", VERSION, ARCHIVE))
    assert of(other, roots).reason == "the statement is about pkg:npm/%40harbour/other@1.2.3"
    bytes_ = own.by_certificate(own.statement(NAME, VERSION, b"other bytes"))
    assert of(bytes_, roots).reason == "the signed digest is not that of the integrity that the record states"
    mixed = {"integrity": DIGEST, "archive": hashlib.sha512(b"other").hexdigest()}
    assert of(own.by_certificate(BUILT), roots, expected=mixed).reason.endswith("of the archive at hand")
    found = of(own.by_certificate(BUILT), roots, expected={})
    assert (found.outcome, found.compared) == ("not-examined", ())


def test_a_publication_about_two_releases(roots: Roots) -> None:
    document = json.loads(PUBLISHED)
    document["predicate"]["version"] = "1.2.4"
    found = of(own.by_registry(own.compact(document)), roots, own.PUBLISH)
    assert found.reason == "the predicate is about another release than the statement"


def test_swapped_kinds(roots: Roots) -> None:
    outer = of(own.by_certificate(BUILT), roots, own.PUBLISH)
    assert outer.reason == f"the signed statement is of another kind than is stated: {own.PROVENANCE}"
    outer = of(own.by_registry(PUBLISHED), roots, own.PROVENANCE)
    assert outer.outcome == "rejected"
    assert of(own.by_registry(BUILT), roots).reason == "provenance must be signed with the certificate of a workflow"
    assert of(own.by_certificate(PUBLISHED), roots, own.PUBLISH).outcome == "rejected"
    unknown = own.by_certificate(own.statement(NAME, VERSION, ARCHIVE, "https://kinds.example/v1"))
    assert of(unknown, roots, "https://kinds.example/v1").outcome == "not-examined"


def changed(bundle: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with one place set; DELETE removes it."""
    made = copy.deepcopy(bundle)
    at: Any = made
    *steps, last = [int(step) if step.isdecimal() else step for step in path.split("/")]
    for step in steps:
        at = at[step]
    if value is DELETE:
        del at[last]
    else:
        at[last] = value
    return made


DELETE = object()
ENTRY = "verificationMaterial/tlogEntries/0"
CERTIFIED = own.by_certificate(BUILT)
KEYED = own.by_registry(PUBLISHED)


CHANGES: list[tuple[str, Any, str]] = [
    ("mediaType", "application/vnd.dev.sigstore.bundle.v0.4+json", "not-examined"),
    ("mediaType", 3, "rejected"),
    ("messageSignature", {"signature": "AA=="}, "rejected"),
    ("dsseEnvelope/payloadType", "text/plain", "rejected"),
    ("dsseEnvelope/payload", own.b64(BUILT + b" "), "rejected"),
    ("dsseEnvelope/signatures", [], "rejected"),
    ("dsseEnvelope/signatures/0/keyid", own.REGISTRY.keyid, "rejected"),
    ("dsseEnvelope/signatures/0/keyid", 7, "rejected"),
    ("dsseEnvelope/signatures/0/sig", own.b64(own.STRANGER.sign(own.pae(BUILT))), "rejected"),
    ("verificationMaterial/publicKey", {"hint": own.REGISTRY.keyid}, "rejected"),
    ("verificationMaterial/certificate", None, "rejected"),
    ("verificationMaterial/certificate/rawBytes", own.b64(b"no certificate"), "rejected"),
    ("verificationMaterial/tlogEntries", [], "rejected"),
    (
        "verificationMaterial/timestampVerificationData",
        {"rfc3161Timestamps": [{"signedTimestamp": "AA=="}]},
        "rejected",
    ),
    (f"{ENTRY}/integratedTime", "1", "rejected"),
    (f"{ENTRY}/integratedTime", str(int(own.SIGNED.timestamp()) + 1), "rejected"),
    (f"{ENTRY}/integratedTime", DELETE, "rejected"),
    (f"{ENTRY}/integratedTime", True, "rejected"),
    (f"{ENTRY}/inclusionPromise", None, "rejected"),
    (f"{ENTRY}/inclusionPromise/signedEntryTimestamp", own.b64(own.LOG.sign(b"")), "rejected"),
    (f"{ENTRY}/logIndex", "1006", "rejected"),
    (f"{ENTRY}/logIndex", "-1", "rejected"),
    (f"{ENTRY}/logIndex", "9" * 5000, "rejected"),
    (f"{ENTRY}/kindVersion/version", "0.0.2", "not-examined"),
    (f"{ENTRY}/kindVersion", {"kind": "intoto", "version": "0.0.2"}, "rejected"),
    (f"{ENTRY}/inclusionProof", None, "rejected"),
    (f"{ENTRY}/inclusionProof/checkpoint", None, "rejected"),
    (f"{ENTRY}/inclusionProof/logIndex", "4", "rejected"),
    (f"{ENTRY}/inclusionProof/treeSize", "8", "rejected"),
    (f"{ENTRY}/inclusionProof/treeSize", "0", "rejected"),
    (f"{ENTRY}/inclusionProof/hashes", [], "rejected"),
    (f"{ENTRY}/inclusionProof/hashes/0", own.b64(b"\0" * 32), "rejected"),
    (f"{ENTRY}/inclusionProof/hashes", ["AA=="] * 5000, "rejected"),
    (f"{ENTRY}/inclusionProof/rootHash", own.b64(b"\0" * 32), "rejected"),
    (f"{ENTRY}/inclusionProof/checkpoint/envelope", "a\n\n\n", "rejected"),
    (f"{ENTRY}/canonicalizedBody", own.b64(b"{}"), "rejected"),
]
"""Place, new value, what must come of it."""

NO_CHANGE = {
    ("old certificate", f"{ENTRY}/kindVersion"),
    ("old certificate", f"{ENTRY}/kindVersion/version"),
}
"""What an entry of that generation says already."""

NOT_LOOKED_AT = {
    ("old certificate", "verificationMaterial/timestampVerificationData"),
    ("key", "verificationMaterial/timestampVerificationData"),
}
"""The log's promise proves the time there, so no timestamp is read."""


@pytest.mark.parametrize(
    ("signer", "path", "value", "outcome"),
    [
        (signer, *change)
        for signer in ("certificate", "old certificate", "key")
        for change in CHANGES
        if (signer, change[0]) not in NO_CHANGE | NOT_LOOKED_AT
    ],
)
def test_one_change_is_enough(roots: Roots, signer: str, path: str, value: Any, outcome: str) -> None:
    genuine, kind = (KEYED, own.PUBLISH) if signer == "key" else (CERTIFIED, own.PROVENANCE)
    if signer == "old certificate":
        genuine = own.by_certificate(BUILT, "0.2", "intoto 0.0.2")
        path = path.replace(
            "verificationMaterial/certificate/rawBytes",
            "verificationMaterial/x509CertificateChain/certificates/0/rawBytes",
        )
        path = path.replace("verificationMaterial/certificate", "verificationMaterial/x509CertificateChain")
    if signer == "key" and "verificationMaterial/certificate" in path:
        path, value = "verificationMaterial/publicKey/hint", ""
    if signer == "key" and path == "verificationMaterial/publicKey":
        value = None
    if signer == "key" and path.endswith("signatures/0/keyid") and value == own.REGISTRY.keyid:
        value = own.OLD_REGISTRY.keyid
    assert of(genuine, roots, kind).outcome == "verified"
    found = of(changed(genuine, path, value), roots, kind)
    assert found.outcome in (("rejected", "not-examined") if outcome == "not-examined" else ("rejected",))
    assert found.reason
    assert found.claims is None


def test_two_signatures_are_refused_although_both_are_good(roots: Roots) -> None:
    for genuine, kind in ((CERTIFIED, own.PROVENANCE), (KEYED, own.PUBLISH)):
        two = copy.deepcopy(genuine)
        two["dsseEnvelope"]["signatures"] *= 2
        found = of(two, roots, kind)
        assert (found.outcome, found.reason) == ("rejected", "there must be exactly one signature, not 2")


def test_without_proof_only_the_oldest_generation_verifies(roots: Roots) -> None:
    for generation in ("0.2", "0.3"):
        found = of(own.by_certificate(BUILT, generation, proof=False), roots)
        assert found.reason == "the proof of inclusion in the log, or its checkpoint, is missing"
    found = of(own.by_certificate(BUILT, "0.1", "intoto 0.0.2", proof=False, promise=False), roots)
    assert found.reason == "the log's signed promise is missing"


def test_a_proof_without_checkpoint_proves_nothing_and_is_left(roots: Roots) -> None:
    old = own.by_certificate(BUILT, "0.1", "intoto 0.0.2")
    assert of(changed(old, f"{ENTRY}/inclusionProof/checkpoint", None), roots).outcome == "verified"


@pytest.mark.parametrize(
    "document",
    [b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"attestations":3}', b'{"attestations":[{}]}', b"[" * 100_000],
)
def test_no_answer(roots: Roots, document: bytes) -> None:
    found = results(document, roots)
    assert [item.outcome for item in found] == ["rejected"]


def test_an_answer_without_attestations_is_nothing_to_verify(roots: Roots) -> None:
    assert results(b'{"attestations":[]}', roots) == ()


def test_huge(roots: Roots) -> None:
    assert results(b" " * (17 << 20), roots)[0].outcome == "not-examined"
    many = own.compact({"attestations": [{"predicateType": own.PROVENANCE, "bundle": {}}] * 1000})
    assert [item.reason for item in results(many, roots)] == ["the answer holds no list of at most 64 attestations"]
