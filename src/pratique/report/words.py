"""Words and shapes that several report formats share: hostile names made inert, subjects and times for people."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

from pratique.model import inert
from pratique.model.report import IncidentEntry, Report, SightingEntry, SubjectEntry, VerdictEntry

DEPTHS = ("declared", "resolved", "fetched", "installed", "executed", "active")
KINDS = ("project", "repository", "install", "image", "machine", "log", "cache")
"""Subjects of equal depth stand in this order: what people own before what merely kept a trace."""

_STATE = re.compile(r"(state [A-Z]): ")
printable = inert.printable
one_line = inert.one_line

_NOT_ASCII = re.compile(r"[^\x20-\x7e\n]")


def inert_json(data: bytes) -> bytes:
    """A JSON document whose strings hold no raw control, format or bidirectional character; its meaning is the same."""

    def escaped(found: re.Match[str]) -> str:
        char = found[0]
        if inert.shows(char):
            return char
        code = ord(char)
        if code < 0x10000:
            return f"\\u{code:04x}"
        code -= 0x10000
        return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"

    return _NOT_ASCII.sub(escaped, data.decode()).encode()


def columns(text: str) -> int:
    """How many columns a terminal needs at most."""
    return len(text) if text.isascii() else sum(_columns(char) for char in text)


def _columns(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def clip(text: str, width: int) -> str:
    """At most `width` columns, with an ellipsis where something was cut."""
    if columns(text) <= width:
        return text
    kept, used = [], 0
    for char in text:
        used += _columns(char)
        if used > width - 1:
            break
        kept.append(char)
    return "".join(kept) + "…"


def clip_path(path: str, width: int) -> str:
    """At most `width` columns of a path, cut in its middle: its first and last parts tell most."""
    if columns(path) <= width:
        return path
    tail, used = "", 0
    for char in reversed(path):
        used += _columns(char)
        if used > (width * 3) // 5:
            break
        tail = char + tail
    return clip(path, width - columns(tail)) + tail


def pad(text: str, width: int) -> str:
    """Text filled up with spaces to `width` columns."""
    return text + " " * max(width - columns(text), 0)


def subject_name(report: Report, subject: SubjectEntry) -> str:
    """A subject's path relative to its target; the target's last name where it is the target itself.

    In a target of a kind that is named on the command line, it is named so here too: `image:shop`.
    """
    best = ""
    for target in report.targets:
        base = target.uri.rstrip("/")
        if len(base) > len(best) and (subject.uri == base or subject.uri.startswith(f"{base}/")):
            best = base
    if not best:
        return printable(subject.uri)
    rest = subject.uri[len(best) + 1 :]
    kind, opened, _ = best.partition("+file:")
    name = unquote(rest or best.rpartition("/")[2]) or "/"
    return printable(f"{kind}:{name}" if opened else name)


def name_and_version(purl: str) -> tuple[str, str]:
    """The name and the version of a release, out of its package URL; both still as hostile as they came."""
    rest = purl.partition("/")[2].partition("?")[0].partition("#")[0]
    name, _, version = rest.rpartition("@") if "@" in rest[1:] else (rest, "", "")
    return unquote(name), unquote(version)


def release(purl: str) -> str:
    """A purl for people: `plain-crypto-js 4.2.1`."""
    name, version = name_and_version(purl)
    return printable(f"{name} {version}".strip())


def claim(sighting: SightingEntry) -> str:
    """A release and what is known of it: `plain-crypto-js 4.2.1 -> 4.2.0 (state B): install record and folder ...`."""
    if sighting.kind == "indicator" and sighting.location.target.startswith("host+"):
        return printable(sighting.explanation)  # a machine shows a trace; which release left it, it does not
    name, version = name_and_version(sighting.purl)
    found = _STATE.match(sighting.explanation)
    state, said = (f" ({found[1]})", sighting.explanation[found.end() :]) if found else ("", sighting.explanation)
    if version and said.startswith(f"{version} -> "):
        shift, _, said = said.partition(": ")
        return printable(f"{name} {shift}{state}: {said}" if said else f"{name} {shift}{state}")
    return f"{release(sighting.purl)}{state}: {printable(said)}"


def label(incident: IncidentEntry) -> str:
    """A short name for an incident: its id with the date set apart."""
    if re.fullmatch(r"bad-[0-9a-f]{8}", incident.id):
        return clip(printable(incident.title), 40)
    head, _, date = incident.id.rpartition("-20")
    return printable(f"{head} 20{date}" if head and len(date) == 8 else incident.id)


def moment(text: str) -> datetime.datetime | None:
    """An ISO 8601 time as a moment; None where it is not one."""
    try:
        value = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
        return value.astimezone(datetime.UTC) if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    except (ValueError, OverflowError):
        return None


def after_publication(report: Report, sightings: list[SightingEntry]) -> str | None:
    """How long after a publication the first of these sightings happened, as words, where both times are known.

    Of several publications before a time, the last counts: nobody could have been reached before it.
    """
    best: datetime.timedelta | None = None
    starts: dict[str, list[datetime.datetime]] = {}
    for incident in report.incidents:
        for window in incident.windows:
            start = moment(window.start)
            if start is not None:
                starts.setdefault(incident.id, []).append(start)
    for sighting in sightings:
        for time in sighting.times:
            value = moment(time.value)
            for start in starts.get(sighting.incident, ()):
                if value is not None and value >= start:
                    best = value - start if best is None else min(best, value - start)
    return f"{duration(best)} after publication" if best is not None else None


def duration(span: datetime.timedelta) -> str:
    """A length of time, coarse: `11 min`, `5 h`, `234 days`."""
    minutes = int(abs(span).total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h"
    return f"{minutes // (24 * 60)} days"


def by_id(report: Report) -> tuple[dict[str, SubjectEntry], dict[str, SightingEntry]]:
    """Subjects and sightings by id."""
    return {item.id: item for item in report.subjects}, {item.id: item for item in report.sightings}


def depth_rank(depth: str | None) -> int:
    """Position on the scale, 0 for declared; -1 for none."""
    return DEPTHS.index(depth) if depth in DEPTHS else -1


def ordered(verdicts: Iterable[VerdictEntry], subjects: dict[str, SubjectEntry]) -> list[VerdictEntry]:
    """Deepest first; at equal depth projects before logs and caches; then by place."""
    ranks = {kind: rank for rank, kind in enumerate(KINDS)}

    def key(verdict: VerdictEntry) -> tuple[int, int, str, str]:
        subject = subjects[verdict.subject]
        return -depth_rank(verdict.depth), ranks.get(subject.kind, len(ranks)), subject.uri, subject.id

    return sorted(verdicts, key=key)


def top_sighting(verdict: VerdictEntry, sightings: dict[str, SightingEntry]) -> SightingEntry | None:
    """The sighting that carries a verdict: the first, as they are ordered deepest and most certain first."""
    return next((sightings[item] for item in verdict.sightings if item in sightings), None)


def count(number: int, noun: str) -> str:
    """A number and its noun: `1 project`, `2 projects`, `2 repositories`."""
    if number != 1:
        noun = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun}"
