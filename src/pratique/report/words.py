"""Words and shapes that several report formats share: hostile names made inert, subjects and times for people."""

from __future__ import annotations

import datetime
from urllib.parse import unquote

from pratique.model.report import Report, SightingEntry, SubjectEntry, VerdictEntry

DEPTHS = ("declared", "resolved", "fetched", "installed", "executed", "active")


def printable(text: str) -> str:
    """Text that cannot steer a terminal or a reader's eye: control, format and bidirectional characters are spelled."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
        for char in text
    )


def clip(text: str, width: int) -> str:
    """At most `width` columns, with an ellipsis where something was cut."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def subject_name(report: Report, subject: SubjectEntry) -> str:
    """A subject's path relative to its target; the target's last name where it is the target itself."""
    for target in sorted(report.targets, key=lambda item: -len(item.uri)):
        base = target.uri.rstrip("/")
        if subject.uri == base:
            return printable(unquote(base.rpartition("/")[2]) or "/")
        if subject.uri.startswith(f"{base}/"):
            return printable(subject.uri[len(base) + 1 :])
    return printable(subject.uri)


def release(purl: str) -> str:
    """A purl for people: `plain-crypto-js 4.2.1`."""
    name, _, version = purl.partition("/")[2].rpartition("@")
    return printable(f"{unquote(name)} {unquote(version)}")


def moment(text: str) -> datetime.datetime | None:
    """An ISO 8601 time as a moment; None where it is not one."""
    try:
        value = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)


def after_publication(report: Report, sightings: list[SightingEntry]) -> str | None:
    """How long after publication the first of these sightings happened, as words, where both times are known."""
    best: datetime.timedelta | None = None
    starts: dict[tuple[str, str | None], datetime.datetime] = {}
    for incident in report.incidents:
        for window in incident.windows:
            start = moment(window.start)
            if start is not None:
                key = (incident.id, window.component)
                starts[key] = min(start, starts.get(key, start))
    for sighting in sightings:
        name = release(sighting.purl).rpartition(" ")[0]
        start = starts.get((sighting.incident, name)) or starts.get((sighting.incident, None))
        for time in sighting.times:
            value = moment(time.value)
            if start is not None and value is not None and value >= start:
                best = value - start if best is None else min(best, value - start)
    if best is None:
        return None
    minutes = int(best.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min after publication"
    if minutes < 48 * 60:
        return f"{minutes // 60} h after publication"
    return f"{minutes // (24 * 60)} days after publication"


def by_id(report: Report) -> tuple[dict[str, SubjectEntry], dict[str, SightingEntry]]:
    """Subjects and sightings by id."""
    return {item.id: item for item in report.subjects}, {item.id: item for item in report.sightings}


def top_sighting(verdict: VerdictEntry, sightings: dict[str, SightingEntry]) -> SightingEntry | None:
    """The sighting that carries a verdict: the first, as they are ordered deepest and most certain first."""
    return next((sightings[item] for item in verdict.sightings if item in sightings), None)


def count(number: int, noun: str) -> str:
    """A number and its noun: `1 project`, `2 projects`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
