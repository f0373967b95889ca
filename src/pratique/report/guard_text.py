"""What a guarded command's packages did, for a person: by package and step, then what survived, then the coverage."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from pratique.model.event import SEVERITIES, Cause, Detection, Event, Process
from pratique.model.guarded import Guarded, by_level, caused
from pratique.model.inert import one_line, printable
from pratique.model.supervision import MEANS_IN_WORDS
from pratique.report.words import count

MOST = 12
"""So many lines of one step are shown."""
MOST_DETECTIONS = 20
MOST_MILD = 5
LONGEST = 150
MILD = ("low", "informational")


def lines(guarded: Guarded) -> Iterator[str]:
    """The summary, line by line."""
    ended = guarded.ended
    code = f"ended with {ended.code}" + (", at its time limit" if ended.timed_out else "")
    yield f"guard: {_cut(shlex.join(guarded.command))} {code}; {count(ended.events, 'event')}"
    yield from _detected(guarded)
    groups: dict[Cause | None, list[str]] = {}
    for event in guarded.events:
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
    if guarded.left_out:
        yield f"  {count(guarded.left_out, 'event')} beyond those held for this summary; rules judged them too"
    yield ""
    if guarded.means != "notify":
        yield f"WATCHED  by {MEANS_IN_WORDS[guarded.means]}"
    for means, reason in guarded.passed_over:
        yield f"  not by {MEANS_IN_WORDS[means]}: {reason}"
    yield "SEEN  " + ", ".join(row.category for row in ended.watch.categories if row.seen == "all")
    yield "IN PART"
    yield from (f"  {row.category}: {row.reason or row.means}" for row in ended.watch.categories if row.seen == "part")
    yield "NOT SEEN"
    yield from (f"  {row.category}: {row.reason}" for row in ended.watch.categories if row.seen == "none")
    yield from _refusals(guarded)
    for gap in ended.watch.gaps:
        yield f"  met on the way: {gap}"
    if ended.watch.lost:
        yield f"LOST  {count(ended.watch.lost, 'event')}: what they were is not known"
    if guarded.unwritten:
        yield f"NOT WRITTEN  {guarded.unwritten}"
    if guarded.journaled:
        yield f"IN THE CASE  {guarded.journaled}"
    if guarded.unjournaled:
        yield f"NOT IN THE CASE  {guarded.unjournaled}"
    if guarded.forgotten:
        yield f"FORGOTTEN  {count(guarded.forgotten, 'chain')} of events, for lack of room"
    if guarded.failed:
        yield f"FAILED  a detection reached {guarded.fail_on}: the code is {guarded.exit_code}, not that of the command"


def _refusals(guarded: Guarded) -> Iterator[str]:
    """What was refused, and what a policy refuses and cannot be refused for good here."""
    rows = guarded.ended.watch.categories
    sound = [
        row.category for row in rows if row.denied == "sound" and row.category not in ("io_uring", "foreign-calls")
    ]
    raced = [row for row in rows if row.denied == "seen, not blockable"]
    if not sound and not raced:
        return
    number = sum(event.outcome == "denied" for event in guarded.events)
    yield f"REFUSED  {count(number, 'call')}" + (f"; for good: {', '.join(sound)}" if sound else "")
    if raced:
        yield "SEEN, NOT BLOCKABLE"
        yield from (f"  {row.category}: {row.reason}" for row in raced)


def _detected(guarded: Guarded) -> Iterator[str]:
    """What rules found: what alarms in full, the rest in a few lines, exceptions by name."""
    found = by_level(guarded.detections)
    counted = [one for one in found if not one.silenced_by]
    alarms = [one for one in counted if one.level not in MILD]
    mild = [one for one in counted if one.level in MILD]
    yield ""
    if not alarms:
        yield "DETECTED  nothing that alarms in what was seen" + (f"; {count(len(mild), 'note')}" if mild else "")
    else:
        tally = [(level, sum(one.level == level for one in counted)) for level in reversed(SEVERITIES)]
        yield "DETECTED  " + ", ".join(f"{number} {level}" for level, number in tally if number)
    yield from (_detection(one) for one in alarms[:MOST_DETECTIONS])
    if len(alarms) > MOST_DETECTIONS:
        yield f"  and {len(alarms) - MOST_DETECTIONS} more (--json FILE has all)"
    yield from (_detection(one) for one in mild[:MOST_MILD])
    if len(mild) > MOST_MILD:
        yield f"  and {count(len(mild) - MOST_MILD, 'further note')} (--json FILE has all)"
    for one in [one for one in found if one.silenced_by][:MOST]:
        yield "  excepted       " + _cut(f"{one.rule}: {one.silenced_by}: {one.statement}")


def _detection(one: Detection) -> str:
    cause = caused(one.cause)
    named = not cause or one.statement.startswith(one.cause.name if one.cause else "")
    statement = _cut(one.statement if named else f"{cause}: {one.statement}")
    return f"  {one.level:<13}  {statement}  [{one.rule}]"


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
    if event.kind == "process.end" and event.outcome == "denied":
        return _cut(f"left running, and ended by the guard: {_process(event.process)}")
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
