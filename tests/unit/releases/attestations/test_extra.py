"""Without the extra `trust`, or a part of it, everything is said to be not examined, and why."""

from __future__ import annotations

import hashlib
import sys

import pytest

from pratique.releases.attestations.npm import verify_npm
from pratique.releases.attestations.python import verify_python
from pratique.releases.attestations.roots import Roots
from pratique.releases.attestations.signatures import verify_signatures
from tests.standins import authority as own

ARCHIVE = b"the bytes of an archive"
FILE = "crate-1.2.3.tar.gz"
EXPECTED = {"integrity": hashlib.sha512(ARCHIVE).hexdigest()}
ANSWER = own.answer(
    (own.PUBLISH, own.by_registry(own.statement("crate", "1.2.3", ARCHIVE, own.PUBLISH))),
    (own.PROVENANCE, own.by_certificate(own.statement("crate", "1.2.3", ARCHIVE))),
)
PYTHON = own.python_answer(own.python_attestation(own.python_statement(FILE, ARCHIVE)))
INTEGRITY = own.integrity(ARCHIVE)
SIGNATURE = own.registry_signature("crate", "1.2.3", INTEGRITY)
ROOT, KEYS = own.trusted_root(), own.registry_keys()


def missing(monkeypatch: pytest.MonkeyPatch, *packages: str) -> Roots:
    """Roots read where these packages cannot be imported."""
    for name in list(sys.modules):
        if name.partition(".")[0] in packages:
            monkeypatch.setitem(sys.modules, name, None)
    return Roots(ROOT, KEYS, source="the tests' own authority", taken="2026-01-01")


def test_without_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    roots = missing(monkeypatch, "cryptography", "sigstore", "pypi_attestations")
    found = [
        *verify_signatures("crate", "1.2.3", INTEGRITY, [SIGNATURE], own.SIGNED.timestamp(), roots),
        *verify_npm(ANSWER, "crate", "1.2.3", EXPECTED, roots),
        *verify_python(PYTHON, FILE, {"archive": hashlib.sha256(ARCHIVE).hexdigest()}, roots),
    ]
    assert [item.outcome for item in found] == ["not-examined"] * 4
    assert all("need the extra `trust`" in item.reason for item in found)


def test_without_sigstore_our_own_layer_verifies_npm(monkeypatch: pytest.MonkeyPatch) -> None:
    roots = missing(monkeypatch, "sigstore", "pypi_attestations")
    found = verify_npm(ANSWER, "crate", "1.2.3", EXPECTED, roots)
    assert [(item.outcome, item.verified_by) for item in found] == [("verified", "pratique")] * 2
    (python,) = verify_python(PYTHON, FILE, {"archive": hashlib.sha256(ARCHIVE).hexdigest()}, roots)
    assert python.outcome == "not-examined"
