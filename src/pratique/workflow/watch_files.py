"""What a watch writes: its events to a file, its detections and sums as lines of JSON."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from pratique.model.errors import UsageError
from pratique.model.event import EVENT_SCHEMA, Event
from pratique.model.noticed import NOTICED_SCHEMA, Noticed, Sums

_ENCODER = msgspec.json.Encoder()


def watch_json(one: Noticed | Sums) -> bytes:
    """A detection, or the sums under the key `sums`, as one line."""
    if isinstance(one, Sums):
        return _ENCODER.encode({"schema": NOTICED_SCHEMA, "sums": one}) + b"\n"
    return _ENCODER.encode(one) + b"\n"


@contextlib.contextmanager
def event_file(path: Path | None) -> Iterator[Callable[[Event], None] | None]:
    """Where events are written, the schema first, each line at once. Raises UsageError where it cannot be."""
    if path is None:
        yield None
        return
    try:
        file = open(path, "wb", buffering=0)  # noqa: SIM115 (closed below)
        file.write(_ENCODER.encode({"schema": EVENT_SCHEMA}) + b"\n")
    except OSError as error:
        raise UsageError(f"cannot be written: {error.strerror}", where=str(path)) from None
    with file:
        lost: list[OSError] = []

        def write(event: Event) -> None:
            try:
                file.write(_ENCODER.encode(event) + b"\n")
            except OSError as error:  # a full disk ends the record of events, not the watch: it is told at the end
                lost.append(error)

        yield write
        if lost:
            said = f"{len(lost)} events could not be written: {lost[0].strerror}"
            raise UsageError(said, where=str(path))
