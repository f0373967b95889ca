"""The means by which a command can be watched here, the best first, each found by trying it."""

from __future__ import annotations

from pratique.adapters.supervisor import notify
from pratique.model.supervision import MEANS, Ended, Means, Supervision, Told


def unusable_by(means: Means) -> str:
    """Why a command cannot be watched by this means here; empty where it can."""
    if means == "notify":
        return notify.unusable()
    from pratique.adapters.supervisor import polling, tracing  # what is needed seldom is loaded then

    return tracing.untraceable() if means == "strace" else polling.unpollable()


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
    if means == "notify":
        return notify.supervise(request, told)
    from pratique.adapters.supervisor import polling, tracing  # as above

    return tracing.supervise(request, told) if means == "strace" else polling.supervise(request, told)
