"""Times relative to the window of a release."""

from __future__ import annotations

import pytest

from pratique.assess.exposure import AFTER, BEFORE, INSIDE, exposure
from pratique.incidents import library
from pratique.model.observation import Time

AXIOS = library.load_file(library.BUNDLED / "axios-2026-03-31.toml")


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("axios", "2026-03-31T00:32:55.000Z", INSIDE),
        ("axios", "2026-03-31T00:15:00.000Z", INSIDE),
        ("axios", "2026-03-30T20:00:00.000Z", BEFORE),
        ("axios", "2026-04-02T00:00:00.000Z", AFTER),
        ("plain-crypto-js", "2026-03-31T00:05:00.000Z", INSIDE),
        ("axios", "no time", None),
    ],
)
def test_times_are_placed(name: str, value: str, expected: str | None) -> None:
    assert exposure(AXIOS, name, [Time("the archive was downloaded", value, "test")]) == expected


def test_times_that_a_checkout_sets_say_nothing() -> None:
    assert exposure(AXIOS, "axios", [Time("the lockfile was last written", "2026-03-31T01:00:00Z", "test")]) is None


def test_one_time_inside_is_enough() -> None:
    times = [Time("a", "2026-05-01T00:00:00Z", "x"), Time("b", "2026-03-31T01:00:00Z", "x")]
    assert exposure(AXIOS, "axios", times) == INSIDE
