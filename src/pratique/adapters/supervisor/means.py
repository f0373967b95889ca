"""The means by which a command can be watched here, the best first, each found by trying it."""

from __future__ import annotations

from collections.abc import Callable

from pratique.adapters.supervisor import notify, polling, tracing
from pratique.model.supervision import MEANS, Ended, Means, Supervision, Told

_TRIED: dict[Means, Callable[[], str]] = {
    "notify": notify.unusable,
    "strace": tracing.untraceable,
    "poll": polling.unpollable,
}
_RUN: dict[Means, Callable[[Supervision, Told], Ended]] = {
    "notify": notify.supervise,
    "strace": tracing.supervise,
    "poll": polling.supervise,
}


def unusable_by(means: Means) -> str:
    """Why a command cannot be watched by this means here; empty where it can."""
    return _TRIED[means]()


def chosen(asked: Means | None) -> tuple[Means | None, tuple[tuple[Means, str], ...]]:
    """The means to use, and why those before it cannot be; None where none can. `asked`: this one alone."""
    passed: list[tuple[Means, str]] = []
    for means in MEANS if asked is None else (asked,):
        reason = unusable_by(means)
        if not reason:
            return means, tuple(passed)
        passed.append((means, reason))
    return None, tuple(passed)


def supervise_by(means: Means, request: Supervision, told: Told) -> Ended:
    """Run a command to its end, watched by this means, and tell each event. Raises OSError where that cannot be."""
    return _RUN[means](request, told)
