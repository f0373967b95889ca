"""Intervals against values that others computed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.statistics import at_rank, rate, wilson


@pytest.mark.parametrize(
    ("found", "of", "low", "high"),
    [
        (0, 3000, 0.0, 0.00127888),
        (8, 19, 0.2314, 0.6372),
        (1, 19, 0.0094, 0.2464),
        (3, 3000, 0.000340, 0.002936),
        (10, 10, 0.7225, 1.0),
    ],
)
def test_wilson_gives_known_values(found: int, of: int, low: float, high: float) -> None:
    assert wilson(found, of) == pytest.approx((low, high), abs=6e-5)


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_the_interval_holds_the_share_and_lies_within_one(found: int, more: int) -> None:
    low, high = wilson(found, found + more)
    share = found / (found + more) if found + more else 0.5
    assert 0.0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1.0


def test_more_than_all_is_no_proportion() -> None:
    with pytest.raises(ValueError, match="no proportion"):
        wilson(3, 2)


def test_rates_and_ranks() -> None:
    assert rate(3, 3000).per_thousand == 1.0
    assert rate(0, 0).per_thousand == 0.0
    assert at_rank([3.0, 1.0, 2.0], 0.5) == 2.0
    assert at_rank([3.0, 1.0, 2.0], 0.95) == 3.0
    assert at_rank([], 0.5) == 0.0
