"""Attestations of Python files: read by pypi-attestations, verified by sigstore, held to the file."""

from __future__ import annotations

import copy
import hashlib
import json
from typing import Any

import pytest

from pratique.model.trust import AttestationResult
from pratique.releases.attestations.python import verify_python
from tests.standins import authority as own

FILE, CONTENT = "harbour_crate-1.2.3-py3-none-any.whl", b"the bytes of a wheel"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
ROOTS = own.roots()
GENUINE = own.python_attestation(own.python_statement(FILE, CONTENT))
GITHUB = "https://token.actions.githubusercontent.com"


def of(answer: bytes, file: str = FILE, expected: dict[str, str] | None = None) -> AttestationResult:
    (found,) = verify_python(answer, file, {"archive": DIGEST} if expected is None else expected, ROOTS)
    return found


def test_genuine() -> None:
    found = of(own.python_answer(GENUINE))
    assert (found.outcome, found.reason) == ("verified", "")
    assert (found.verified_by, found.bundle) == ("pypi-attestations and sigstore", "PEP 740")
    assert (found.signed_at, found.compared) == (own.SIGNED.timestamp(), ("archive",))
    assert found.claims is not None
    assert found.claims.repository == own.REPOSITORY
    assert of(own.compact(GENUINE)).outcome == "verified"
    bundle = own.by_certificate(own.python_statement(FILE, CONTENT))
    assert (of(own.compact(bundle)).outcome, of(own.compact(bundle)).verified_by) == ("verified", "sigstore")


def test_the_name_of_a_file_is_compared_as_packaging_reads_it() -> None:
    statement = own.python_statement("Harbour.Crate-1.2.3.tar.gz", CONTENT)
    assert of(own.python_answer(own.python_attestation(statement)), "harbour_crate-1.2.3.tar.gz").outcome == "verified"


def test_other_file_other_bytes_other_kind() -> None:
    assert of(own.python_answer(GENUINE), "harbour_crate-1.2.4-py3-none-any.whl").outcome == "rejected"
    assert of(own.python_answer(GENUINE), "harbour_crate.exe").outcome == "rejected"
    assert of(own.python_answer(GENUINE), expected={"archive": "0" * 64}).outcome == "rejected"
    assert of(own.python_answer(GENUINE), expected={}).outcome == "not-examined"
    other = own.python_attestation(own.python_statement(FILE, CONTENT, "https://kinds.example/v1"))
    assert of(own.python_answer(other)).outcome == "not-examined"
    keyed = own.compact(own.by_registry(own.python_statement(FILE, CONTENT)))
    assert of(keyed).reason == "an attestation of a Python file must be signed with a certificate"


def test_the_publisher_that_the_index_states() -> None:
    claims = own.CLAIMS | {
        8: GITHUB,
        12: "https://github.com/harbour/crate",
        18: "https://github.com/harbour/crate/.github/workflows/release.yml@refs/tags/v1.2.3",
    }
    made = own.by_certificate(own.python_statement(FILE, CONTENT), der=own.certificate(claims))
    attestation = {
        "version": 1,
        "verification_material": {
            "certificate": made["verificationMaterial"]["certificate"]["rawBytes"],
            "transparency_entries": made["verificationMaterial"]["tlogEntries"],
        },
        "envelope": {
            "statement": made["dsseEnvelope"]["payload"],
            "signature": made["dsseEnvelope"]["signatures"][0]["sig"],
        },
    }
    right = {"kind": "GitHub", "repository": "harbour/crate", "workflow": "release.yml"}
    assert of(own.python_answer(attestation, publisher=right)).outcome == "verified"
    for key, value in (("repository", "harbour/other"), ("workflow", "other.yml")):
        assert of(own.python_answer(attestation, publisher=right | {key: value})).outcome == "rejected"


@pytest.mark.parametrize(
    ("path", "value", "outcome"),
    [
        ("version", 2, "not-examined"),
        ("version", True, "not-examined"),
        ("envelope", None, "rejected"),
        ("envelope/statement", own.b64(own.python_statement(FILE, CONTENT) + b" "), "rejected"),
        ("envelope/signature", own.b64(own.STRANGER.sign(b"")), "rejected"),
        ("verification_material/certificate", own.b64(own.certificate(key=own.STRANGER)), "rejected"),
        ("verification_material/certificate", "AAAA", "rejected"),
        ("verification_material/transparency_entries", [], "rejected"),
        (
            "verification_material/transparency_entries",
            GENUINE["verification_material"]["transparency_entries"] * 2,
            "rejected",
        ),
        ("verification_material/transparency_entries/0/integratedTime", "1", "rejected"),
        ("verification_material/transparency_entries/0/inclusionProof", None, "rejected"),
        ("verification_material/transparency_entries/0/inclusionProof/treeSize", "6", "rejected"),
        ("verification_material/transparency_entries/0/canonicalizedBody", "e30=", "rejected"),
    ],
)
def test_one_change_is_enough(path: str, value: Any, outcome: str) -> None:
    made = copy.deepcopy(GENUINE)
    at: Any = made
    *steps, last = path.split("/")
    for step in steps:
        at = at[int(step) if step.isdecimal() else step]
    at[last] = value
    found = of(own.python_answer(made))
    assert (found.outcome, found.claims) == (outcome, None)
    assert found.reason


@pytest.mark.parametrize(
    "document", [b"", b"3", b"{}", b"\xff", b'{"version":1}', b'{"version":1,"attestation_bundles":[3]}']
)
def test_no_answer(document: bytes) -> None:
    assert of(document).outcome in ("rejected", "not-examined")


def test_several() -> None:
    answer = json.loads(own.python_answer(GENUINE))
    answer["attestation_bundles"] *= 2
    assert [item.outcome for item in verify_python(own.compact(answer), FILE, {"archive": DIGEST}, ROOTS)] == [
        "verified"
    ] * 2
    answer["attestation_bundles"] *= 40
    assert [item.outcome for item in verify_python(own.compact(answer), FILE, {}, ROOTS)] == ["rejected"]
