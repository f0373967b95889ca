"""Rates with their intervals."""

from __future__ import annotations

import math

import msgspec


class Rate(msgspec.Struct, frozen=True):
    """So many of so many, with the Wilson interval of 95 percent, as parts of one."""

    found: int
    of: int
    low: float
    high: float

    @property
    def per_thousand(self) -> float:
        """The rate in a thousand; 0 of nothing is 0."""
        return 1000 * self.found / self.of if self.of else 0.0


def wilson(found: int, of: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """The Wilson score interval of a proportion, as parts of one; of nothing it is everything.

    Raises ValueError where more was found than there was.
    """
    if not 0 <= found <= of:
        raise ValueError(f"{found} of {of} is no proportion")
    if of == 0:
        return 0.0, 1.0
    share = found / of
    bound = z * z / of
    middle = share + bound / 2
    reach = z * math.sqrt(share * (1 - share) / of + bound / (4 * of))
    low, high = (middle - reach) / (1 + bound), (middle + reach) / (1 + bound)
    return (0.0 if found == 0 else max(0.0, low)), (1.0 if found == of else min(1.0, high))


def rate(found: int, of: int) -> Rate:
    """A rate with its interval."""
    return Rate(found, of, *wilson(found, of))


def at_rank(values: list[float], part: float) -> float:
    """The value that so large a part of the values does not exceed; 0 where there are none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(part * len(ordered)) - 1))]
