"""Records of another sensor through the same rules: mapped, completed with what is known of processes, judged."""

from __future__ import annotations

import collections
import os
import re
from collections.abc import Callable
from typing import Literal

import msgspec

from pratique.adapters import machine
from pratique.adapters.supervisor.programs import script_of
from pratique.adapters.watcher.following import Lines
from pratique.adapters.watcher.lookout import signals
from pratique.ecosystems.watched import is_watched, plain, program_name, title_of
from pratique.model.errors import UsageError
from pratique.model.event import Ancestor, Event, PathClass, Process
from pratique.model.noticed import Sums
from pratique.readers.sensors import falco, osquery
from pratique.readers.sensors.lines import Read
from pratique.workflow.guard_places import Places
from pratique.workflow.watch import Session, Told, WatchRequest

Sensor = Literal["falco", "osquery"]
SENSORS: dict[Sensor, Read] = {"falco": falco.read, "osquery": osquery.read}
MOST_PROCESSES = 16_384
MOST_REFUSALS = 5
"""So many refusals are told in words; the rest are counted."""
_MOST_ABOVE = 16
_HOME = re.compile(r"^(?:/home/[^/]+|/root|/Users/[^/]+)(?=/)")


def ingest(
    request: WatchRequest,
    sensor: Sensor,
    source: str,
    told: Told,
    events: Callable[[Event], None] | None = None,
) -> Sums:
    """Judge a sensor's records, one a line, out of a file or standard input (`-`), until it ends or a signal comes.

    A file is followed, but with `once`. Lines that are no such record are counted, and the first of them said. Raises
    UsageError where the source cannot be read, CaseError, IncidentError.
    """
    stops: list[str] = []

    def stop(why: str) -> None:
        stops.append(why)

    session = Session(request, told, events, stop)
    completing = Completing()
    refusals: list[str] = []
    more: list[str] = [f"what {sensor} does not tell was not seen"]
    try:
        with signals(stop) as wake:
            try:
                lines = Lines(source, follow=not request.once, wake=wake)
            except OSError as error:
                said = (error.strerror or type(error).__name__).lower()
                raise UsageError(
                    f"cannot be read: {said}", where=source, advice="Name a file, or - for the input"
                ) from None
            try:
                read = SENSORS[sensor]
                for number, line in enumerate(lines.each(lambda: bool(stops)), 1):
                    if not line.strip():
                        continue
                    session.sums["lines"] += 1
                    found, refusal = read(line, source, number)
                    if refusal is not None:
                        session.sums["refused"] += 1
                        if len(refusals) < MOST_REFUSALS:
                            refusals.append(f"{sensor}: {refusal.reason}")
                    for event in found:
                        session.take(completing(event))
            except OSError as error:
                more.append(f"reading ended: {(error.strerror or type(error).__name__).lower()}")
            finally:
                lines.close()
            if lines.begun_anew:
                more.append(f"the file was replaced or cut {lines.begun_anew} times; it was read from its begin then")
    finally:
        session.close()
    left = session.sums["refused"] - len(refusals)
    if left > 0:
        refusals.append(f"{sensor}: {left} more lines are no records that can be taken")
    return session.total(stops[0] if stops else "end of input", None, [*refusals, *more])


class Completing:
    """What one record does not say and earlier ones did: who started a process, what it runs; and classes of paths.

    Other machines have other homes: a path in any home is classed as one in that of this account.
    """

    def __init__(self) -> None:
        self._home = (machine.home() or "/home/nobody").rstrip("/")
        self._classify = Places(self._home, "/nonexistent", dict(os.environ)).classify
        self._known: collections.OrderedDict[int, Process] = collections.OrderedDict()
        self._sequence = 0

    def __call__(self, event: Event) -> Event:
        """The event with its number, its classes, and its process as it is known."""
        self._sequence += 1
        process = self._process(event) if event.process is not None else None
        path, kind = event.path, event.path_class
        if event.kind == "process.start" and process is not None:
            if process.script and self._class(process.script) == "temporary":
                path = process.script
            kind = "temporary" if path.startswith("/memfd:") else self._class(path.removesuffix(" (deleted)"))
        elif event.kind.startswith("file."):
            kind = self._class(event.target or path)
        if event.kind == "process.end" and process is not None:
            self._known.pop(process.pid, None)
        return msgspec.structs.replace(event, sequence=self._sequence, process=process, path=path, path_class=kind)

    def _class(self, path: str) -> PathClass:
        return self._classify(_HOME.sub(self._home, path, count=1)) if path else "other"

    def _process(self, event: Event) -> Process:
        given = event.process
        assert given is not None
        before = self._known.get(given.pid) if given.pid else None
        given = msgspec.structs.replace(given, ancestors=tuple(map(_called, given.ancestors)))
        process = given
        if event.kind == "process.start":
            script = script_of(given.executable, given.arguments) if given.arguments else ""
            if script and not script.startswith("/"):
                script = os.path.normpath(f"{given.folder}/{script}") if given.folder else ""
            process = msgspec.structs.replace(given, script=script)
        elif before is not None:
            process = msgspec.structs.replace(
                before,
                executable=given.executable or before.executable,
                user=given.user if given.user is not None else before.user,
                arguments=given.arguments or before.arguments,
                ancestors=given.ancestors or before.ancestors,
            )
        above = self._known.get(process.parent) if process.parent else None
        if above is not None:
            nearest = Ancestor(
                above.pid, above.executable, program_name(above.executable, above.arguments, above.script)
            )
            line = (nearest, *above.ancestors)
            if len(line) >= len(process.ancestors):
                process = msgspec.structs.replace(process, ancestors=line[:_MOST_ABOVE])
        if event.kind == "process.start" and process.pid and event.outcome != "failed":
            self._known[process.pid] = process
            self._known.move_to_end(process.pid)
            if len(self._known) > MOST_PROCESSES:
                self._known.popitem(last=False)
        return process


def _called(ancestor: Ancestor) -> Ancestor:
    """An ancestor by the name that rules know it by: sensors tell titles and versions too (`npm install`)."""
    name = plain(title_of((ancestor.name,)))
    return msgspec.structs.replace(ancestor, name=name) if is_watched(name) else ancestor
