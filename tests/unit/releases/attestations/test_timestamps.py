"""The second generation of the log: no time of its own, so that an authority's timestamp proves it."""

from __future__ import annotations

import datetime
import hashlib

import pytest

from pratique.model.trust import AttestationResult
from pratique.releases.attestations.npm import verify_npm
from tests.standins import authority as own
from tests.standins import timestamps

ARCHIVE = b"the bytes of an archive"
BUILT = own.statement("crate", "1.2.3", ARCHIVE)
SIGNATURE = own.RUN.sign(own.pae(BUILT))
ROOTS = timestamps.roots()


def of(bundle: object) -> AttestationResult:
    expected = {"integrity": hashlib.sha512(ARCHIVE).hexdigest()}
    (found,) = verify_npm(
        own.compact({"attestations": [{"predicateType": own.PROVENANCE, "bundle": bundle}]}),
        "crate",
        "1.2.3",
        expected,
        ROOTS,
    )
    return found


def test_a_timestamp_proves_the_time() -> None:
    found = of(timestamps.by_certificate(BUILT))
    assert (found.outcome, found.reason, found.verified_by) == ("verified", "", "sigstore")
    assert (found.entry, found.signed_at) == ("hashedrekord 0.0.2", own.SIGNED.timestamp())
    assert found.claims is not None
    assert found.claims.repository == own.REPOSITORY


def test_several_prove_a_time_that_is_not_told() -> None:
    later = timestamps.stamp(SIGNATURE, own.SIGNED + datetime.timedelta(seconds=5))
    found = of(timestamps.by_certificate(BUILT, timestamps.stamp(SIGNATURE), later))
    assert (found.outcome, found.signed_at) == ("verified", None)


@pytest.mark.parametrize(
    "stamp",
    [
        timestamps.stamp(b"another signature"),
        timestamps.stamp(SIGNATURE, key=own.STRANGER),
        timestamps.stamp(SIGNATURE, own.SIGNED + datetime.timedelta(hours=1)),
        timestamps.stamp(SIGNATURE, own.SIGNED - datetime.timedelta(hours=1)),
        timestamps.stamp(SIGNATURE)[:-1],
        b"no timestamp",
        b"",
    ],
)
def test_timestamps_that_prove_nothing(stamp: bytes) -> None:
    found = of(timestamps.by_certificate(BUILT, stamp))
    assert (found.outcome, found.claims) == ("rejected", None)


def test_none_at_all_and_too_many() -> None:
    bundle = timestamps.by_certificate(BUILT)
    bundle["verificationMaterial"]["timestampVerificationData"] = None
    assert of(bundle).outcome == "rejected"
    bundle = timestamps.by_certificate(BUILT, *[timestamps.stamp(SIGNATURE)] * 2)
    assert of(bundle).outcome == "rejected"
    bundle = timestamps.by_certificate(BUILT, *[b"x"] * 65)
    assert of(bundle).outcome == "rejected"


def test_a_registrys_key_with_a_timestamp_is_not_known() -> None:
    keyed = own.by_registry(own.statement("crate", "1.2.3", ARCHIVE, own.PUBLISH))
    del keyed["verificationMaterial"]["tlogEntries"][0]["integratedTime"]
    stamp = {"signedTimestamp": own.b64(timestamps.stamp(b""))}
    keyed["verificationMaterial"]["timestampVerificationData"] = {"rfc3161Timestamps": [stamp]}
    answer = own.answer((own.PUBLISH, keyed))
    (found,) = verify_npm(answer, "crate", "1.2.3", {"integrity": hashlib.sha512(ARCHIVE).hexdigest()}, ROOTS)
    assert found.outcome == "not-examined"
