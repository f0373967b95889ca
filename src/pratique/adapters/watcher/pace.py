"""Looks that are taken again and again, each with a bound on what it may cost.

A look that costs more than its share of one processor's time is taken less often, and its interval is told: a machine
with many processes or connections is watched more coarsely, never at the expense of its work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

BURST = 0.25
"""Seconds of one processor that a look may save up, for when many things happen at once."""


TICK = 0.25
"""Looks are due at the same moments, in seconds: waking up costs more than a look at rest does."""


class Look:
    """One look: what it is called, how often it is taken at best (seconds), which share of one processor it may use."""

    def __init__(self, name: str, work: Callable[[], None], every: float, share: float) -> None:
        self.name, self.work, self.every, self.share = name, work, every, share
        self.due = 0.0
        self.interval = every
        """Seconds between this look and the next, as its cost demanded last."""
        self.slowest = 0.0
        """The longest such interval so far."""
        self.taken = 0
        self._credit, self._at = BURST, 0.0

    def take(self, now: float) -> None:
        """Take it, and say when it is due again."""
        before = time.thread_time()
        self.work()
        cost = time.thread_time() - before if self.taken else 0.0  # the first look loads what later ones use
        self.taken += 1
        self._credit, self._at = self._saved(now) - cost, now
        self.interval = max(self.every, -self._credit / self.share)
        self.slowest = max(self.slowest, self.interval)
        self.due = (now + self.interval) // TICK * TICK if self.interval >= TICK else now + self.interval

    def nudge(self, now: float, within: float) -> None:
        """Something happened that this look is for: take it soon, but no sooner than its share allows."""
        self.due = min(self.due, now + max(within, -self._saved(now) / self.share))

    def _saved(self, now: float) -> float:
        """Time of a processor that was not used up to now, a burst at most; below zero: more was used."""
        return min(BURST, self._credit + (now - self._at) * self.share) if self._at else BURST


def soonest(looks: Iterable[Look]) -> float:
    """When the next of them is due; far in the future where there is none."""
    return min((look.due for look in looks), default=float("inf"))
