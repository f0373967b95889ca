"""What a guarded command's packages did, for a person: by package and step, then what survived, then the coverage."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

from pratique.model.event import Cause, Event, Process
from pratique.model.inert import one_line, printable
from pratique.model.supervision import Ended
from pratique.report.words import count

MOST = 12
"""So many lines of one step are shown."""
LONGEST = 150


def lines(command: Sequence[str], ended: Ended, events: Sequence[Event], left_out: int) -> Iterator[str]:
    """The summary, line by line."""
    code = f"ended with {ended.code}" + (", at its time limit" if ended.timed_out else "")
    yield f"guard: {_cut(shlex.join(command))} {code}; {count(ended.events, 'event')}"
    groups: dict[Cause | None, list[str]] = {}
    for event in events:
        told = _told(event)
        if told:
            groups.setdefault(_group(event.cause), []).append(told)
    for cause, found in groups.items():
        yield ""
        yield _title(cause)
        distinct = list(dict.fromkeys(found))
        yield from (f"  {one}" for one in distinct[:MOST])
        if len(distinct) > MOST:
            yield f"  and {len(distinct) - MOST} more (--events FILE has all)"
    if ended.survivors:
        yield ""
        yield f"STILL RUNNING  {len(ended.survivors)}"
        yield from (f"  {_process(one)}" for one in ended.survivors[:MOST])
    if left_out:
        yield f"  {count(left_out, 'event')} beyond those held for this summary"
    yield ""
    yield "SEEN  " + ", ".join(row.category for row in ended.watch.categories if row.seen == "all")
    yield "IN PART"
    yield from (f"  {row.category}: {row.reason or row.means}" for row in ended.watch.categories if row.seen == "part")
    yield "NOT SEEN"
    yield from (f"  {row.category}: {row.reason}" for row in ended.watch.categories if row.seen == "none")
    for gap in ended.watch.gaps:
        yield f"  met on the way: {gap}"
    yield "No rule judges these events: they are told as they were seen."


def _group(cause: Cause | None) -> Cause | None:
    """Causes that differ in how they are known alone are one."""
    if cause is None or not cause.name:
        return None
    return Cause(cause.ecosystem, cause.name, cause.version, cause.step)


def _title(cause: Cause | None) -> str:
    if cause is None:
        return "THE COMMAND ITSELF"
    version = f"@{cause.version}" if cause.version else ""
    step = f", {cause.step}" if cause.step else ""
    return _cut(f"{cause.ecosystem} {cause.name}{version}{step}")


def _told(event: Event) -> str:
    """One event in words; empty where it says nothing by itself: a program that the user's own command starts."""
    own = event.cause is None or not event.cause.name
    denied = " (denied)" if event.outcome == "denied" else ""
    if event.kind == "process.start":
        brought = event.path_class in ("package", "manifest", "project", "system")
        dropped = ", which was written in this run" if event.dropped and not brought else ""
        if own and not dropped:
            return ""
        return _cut(f"ran {_process(event.process)}{dropped}{denied}")
    if event.kind == "memory.program":
        return _cut(f"ran a program out of memory: {_process(event.process)}{denied}")
    if event.kind == "network.connect":
        port = f" port {event.port}" if event.port is not None else ""
        return "" if own else _cut(f"connected to {event.address}{port}{denied}")
    if event.kind == "network.name":
        return "" if own else _cut(f"asked for the address of {event.host}")
    if event.kind == "network.listen":
        return _cut(f"listened on {event.address} port {event.port}")
    if event.kind == "file.read" and event.path_class == "credential":
        return "" if own else _cut(f"read credentials at {event.path}{denied}")
    if event.kind in ("file.write", "file.delete", "file.rename"):
        return _changed(event, own)
    if event.kind in ("guard.gap", "guard.tampering"):
        return _cut(f"{event.detail.get('what', '')}: {event.detail.get('why', event.outcome)}")
    return ""


def _changed(event: Event, own: bool) -> str:
    """A change of a file, where it lies in a telling place, or a package changes itself."""
    place = event.target or event.path
    verb = {"file.write": "wrote", "file.delete": "deleted", "file.rename": "put in place"}[event.kind]
    telling = event.path_class in ("credential", "persistence", "manifest", "temporary")
    itself = event.kind == "file.delete" and event.path_class == "package"
    if own and event.path_class not in ("persistence",):
        return ""
    return _cut(f"{verb} {place} ({event.path_class})") if telling or itself else ""


def _process(process: Process | None) -> str:
    if process is None:
        return "?"
    return shlex.join(process.arguments) if process.arguments else process.executable


def _cut(text: str) -> str:
    text = one_line(printable(text))
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
