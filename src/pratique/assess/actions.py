"""What references to actions mean: a commit is what it is, a tag led wherever it pointed at the time."""

from __future__ import annotations

from collections.abc import Sequence

from pratique.model.incident import Incident
from pratique.model.observation import RangeFact

_SHOWN = 3


def asked_words(fact: RangeFact) -> str:
    """That a file asks for exactly a listed release."""
    if fact.ecosystem == "GitHub Actions":
        return f"asked for by exactly this commit in {fact.field}; only the log of a run says that it ran"
    return f"the project's own manifest asks for exactly this version in {fact.field}"


def moved_words(fact: RangeFact, incident: Incident, admitted: Sequence[str]) -> str:
    """That a file asks for a reference that may have led to a listed commit, and when."""
    shown = ", ".join(version[:12] for version in admitted[:_SHOWN])
    more = f" and {len(admitted) - _SHOWN} more" if len(admitted) > _SHOWN else ""
    name = fact.name
    windows = [item for item in incident.windows if (item.component or name).lower() == name]
    spans = ", ".join(
        f"{item.start:%Y-%m-%d} to {item.end:%Y-%m-%d}" if item.end else f"from {item.start:%Y-%m-%d} on"
        for item in windows
    )
    when = f" inside its window ({spans})" if spans else ""
    asked = f"{name}@{fact.range}" if fact.range else name
    return f"asks for {asked}, which could have led to {shown}{more}{when}; only the run's log says"
