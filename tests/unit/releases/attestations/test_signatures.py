"""Signatures of a registry: over name, version and integrity, by a key that counted when it was published."""

from __future__ import annotations

from typing import Any

import pytest

from pratique.releases.attestations.signatures import verify_signatures
from tests.standins import authority as own

NAME, VERSION = "@harbour/crate", "1.2.3"
INTEGRITY = own.integrity(b"the bytes of an archive")
PUBLISHED = own.SIGNED.timestamp()
GOOD = own.registry_signature(NAME, VERSION, INTEGRITY)
OLD = own.registry_signature(NAME, VERSION, INTEGRITY, own.OLD_REGISTRY)
END = own.OLD_END.timestamp()


def outcome(signatures: Any, published: float | None = PUBLISHED, integrity: Any = INTEGRITY) -> list[str]:
    found = verify_signatures(NAME, VERSION, integrity, signatures, published, own.roots())
    assert all(item.reason for item in found if item.outcome != "verified")
    return [item.outcome for item in found]


def test_good() -> None:
    assert outcome([GOOD]) == ["verified"]
    assert outcome([GOOD, GOOD]) == ["verified", "verified"]
    assert outcome(None) == []
    assert outcome([]) == []


def test_over_something_else() -> None:
    assert outcome([GOOD], integrity=own.integrity(b"other")) == ["rejected"]
    other = verify_signatures(NAME, "1.2.4", INTEGRITY, [GOOD], PUBLISHED, own.roots())
    assert [item.outcome for item in other] == ["rejected"]


@pytest.mark.parametrize(
    ("published", "expected"),
    [(END - 1, "verified"), (END + 1, "rejected"), (None, "not-examined"), (PUBLISHED, "rejected")],
)
def test_an_expired_key_is_good_for_older_versions(published: float | None, expected: str) -> None:
    assert outcome([OLD], published) == [expected]


def test_a_key_from_before_its_time_and_a_record_without_times() -> None:
    assert outcome([GOOD], 0.0) == ["rejected"]
    assert outcome([GOOD], None) == ["verified"]


def test_keys_that_are_not_known() -> None:
    assert outcome([own.registry_signature(NAME, VERSION, INTEGRITY, own.STRANGER)]) == ["not-examined"]
    forged = own.registry_signature(NAME, VERSION, INTEGRITY, own.STRANGER) | {"keyid": own.REGISTRY.keyid}
    assert outcome([forged]) == ["rejected"]


@pytest.mark.parametrize("integrity", [None, "", 7, []])
def test_without_integrity(integrity: Any) -> None:
    assert outcome([GOOD], integrity=integrity) == ["not-examined"]


@pytest.mark.parametrize(
    "signatures",
    [7, "x", {}, [None], [{}], [{"keyid": 1, "sig": 2}], [GOOD | {"sig": "?"}], [GOOD | {"sig": ""}], [GOOD] * 9],
)
def test_malformed(signatures: Any) -> None:
    found = outcome(signatures)
    assert found
    assert set(found) == {"rejected"}


def test_a_name_that_is_no_text_of_unicode() -> None:
    found = verify_signatures("\ud800", VERSION, INTEGRITY, [GOOD], PUBLISHED, own.roots())
    assert [item.outcome for item in found] == ["rejected"]
