"""Run a command and say what its packages did: programs, connections, places of credentials, what stays behind."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from pratique.adapters import machine
from pratique.adapters.supervisor import supervise, unusable
from pratique.ecosystems.attribution import cause
from pratique.model.errors import UsageError
from pratique.model.event import EVENT_SCHEMA, Cause, Event
from pratique.model.supervision import Ended, Seen, Supervision
from pratique.report import guard_text
from pratique.workflow.guard_places import Places

MOST_KEPT = 100_000
"""So many events are held for the summary; all are written where a file was asked for."""


class Guarded(msgspec.Struct, frozen=True):
    """What was seen of one command. `left_out` counts events beyond those that are held."""

    command: tuple[str, ...]
    ended: Ended
    events: tuple[Event, ...]
    left_out: int = 0


def guard(
    command: Sequence[str],
    *,
    reads: bool = True,
    linger: float = 1.0,
    seconds: float | None = None,
    events: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Guarded:
    """Run a command in the current folder and watch it. `events` gets one JSON object a line, the schema first.

    Raises UsageError where nothing can be supervised here, no command is given, or `events` cannot be written.
    """
    if not command:
        raise UsageError("no command was given", advice="Write it after two dashes: pratique guard -- npm ci")
    reason = unusable()
    if reason:
        raise UsageError(f"nothing can be watched here: {reason}", advice="See what is seen where: pratique doctor")
    given = dict(os.environ if environment is None else environment)
    home = machine.home()
    project = os.getcwd()
    places = Places(str(home) if home is not None else "/nonexistent", project, given)

    def attribute(seen: Seen) -> Cause | None:
        return cause(seen.process.arguments, seen.process.folder, seen.environment, project, seen.above)

    held: list[Event] = []
    with _Sink(events) as sink:

        def told(event: Event) -> None:
            sink(event)
            if len(held) < MOST_KEPT:
                held.append(event)

        request = Supervision(
            command=tuple(command),
            folder=project,
            environment=given,
            classify=places.classify,
            attribute=attribute,
            reads=reads,
            linger=linger,
            seconds=seconds,
        )
        ended = supervise(request, told)
    return Guarded(tuple(command), ended, tuple(held), ended.events - len(held))


def guard_lines(guarded: Guarded) -> Iterator[str]:
    """What was seen, for a person, line by line."""
    return guard_text.lines(guarded.command, guarded.ended, guarded.events, guarded.left_out)


class _Sink:
    """Where events are written, one line each, at once: what was seen stands there if this process is killed."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._write: Callable[[bytes], object] = lambda line: None
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> _Sink:
        if self._path is not None:
            try:
                self._file = open(self._path, "wb", buffering=0)
            except OSError as error:
                raise UsageError(f"cannot be written: {error.strerror}", where=str(self._path)) from None
            self._write = self._file.write
            self._write(self._encoder.encode({"schema": EVENT_SCHEMA}) + b"\n")
        return self

    def __call__(self, event: Event) -> None:
        if self._path is not None:
            self._write(self._encoder.encode(event) + b"\n")

    def __exit__(self, *failure: object) -> None:
        if self._path is not None:
            self._file.close()
