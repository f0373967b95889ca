"""Where the times of a sighting lie relative to the window in which its release could be fetched."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import msgspec

from pratique.model.incident import Incident, Window
from pratique.model.observation import Time
from pratique.model.verdict import Sighting, Status

_WEAK = (
    "the lockfile was last written",
    "the manifest was last written",
    "the file was last written",
    "the bundle was last written",
    "the bill of materials was made",
    "the mirror last asked its source",
    "the mirror marked it deleted",
    "the log line was written, by a clock without a zone",
)
"""Times that a checkout, an archive, a copy or a later look sets, or that may be hours off: they say nothing here."""

INSIDE = "inside the window"
AFTER = "after its removal: a cache, mirror or copy served it"
BEFORE = "before its publication: a clock is wrong, or the window is"


def exposure(incident: Incident, name: str, times: Iterable[Time]) -> str | None:
    """In words, where the telling times lie; None where there is no window or no telling time."""
    windows = [item for item in incident.windows if item.component == name]
    windows = windows or [item for item in incident.windows if item.component is None]
    moments = [value for time in times if time.meaning not in _WEAK and (value := _moment(time.value)) is not None]
    if not windows or not moments:
        return None
    if any(_holds(window, moment) for window in windows for moment in moments):
        return INSIDE
    first = min(window.start - datetime.timedelta(minutes=window.margin_minutes) for window in windows)
    if all(moment < first for moment in moments):
        return BEFORE
    return AFTER


def exposed(incident: Incident, sighting: Sighting) -> Sighting:
    """The sighting, saying where its times lie."""
    if sighting.status is not Status.AFFECTED:
        return sighting
    name = next((getattr(o.facts, "name", "") for o in sighting.observations if getattr(o.facts, "name", "")), "")
    said = exposure(incident, name, sighting.times)
    if said is None or "inside the window" in sighting.explanation:
        return sighting
    return msgspec.structs.replace(sighting, explanation=f"{sighting.explanation}; {said}")


def _holds(window: Window, moment: datetime.datetime) -> bool:
    margin = datetime.timedelta(minutes=window.margin_minutes)
    return window.start - margin <= moment and (window.end is None or moment <= window.end + margin)


def _moment(text: str) -> datetime.datetime | None:
    try:
        value = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
