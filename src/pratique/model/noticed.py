"""What a watch noticed: a detection with the events that it rests on, and the sums that it ends with."""

from __future__ import annotations

import msgspec

from pratique.model.event import Detection, Event, Watch

NOTICED_SCHEMA = "pratique.watch/1"


class Noticed(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A detection as it is written, sent on and kept in a case.

    `time` is ISO 8601 in UTC, of the event that completed it. `events` are those that it rests on, as far as they are
    still held. `repeated` counts how often the same was noticed, and not told, since it was told last.
    """

    schema: str = NOTICED_SCHEMA
    time: str
    host: str
    detection: Detection
    events: tuple[Event, ...] = ()
    incident: str = ""
    indicator: str = ""
    repeated: int = 0


class Sums(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a watch saw and did in all. Counts but for `ended`, which says why it ended, and `watch`, what it covered.

    `lines` and `refused` are those of another sensor's records; `failed` are notices that could not be given.
    """

    ended: str
    events: int = 0
    noticed: int = 0
    repeated: int = 0
    silenced: int = 0
    below: int = 0
    unread: int = 0
    hidden: int = 0
    lost: int = 0
    forgotten: int = 0
    journaled: int = 0
    given: int = 0
    failed: int = 0
    held_back: int = 0
    lines: int = 0
    refused: int = 0
    watch: Watch = Watch(())
    gaps: tuple[str, ...] = ()
