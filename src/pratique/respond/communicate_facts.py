"""The facts that announcements are filled from, and how a text says a number, a time, and what is not known."""

from __future__ import annotations

import datetime

from pratique.model.inert import code, prose
from pratique.model.report import SightingEntry, SubjectEntry, VerdictEntry
from pratique.respond.situation import Situation

_DEPTHS = ("declared", "resolved", "fetched", "installed", "executed", "active")
_TELLING = (
    "it was fetched through the mirror",
    "the archive was downloaded",
    "the command was typed",
    "the npm command started",
    "the registry answered",
)
"""Meanings of times at which a release came."""


class Facts:
    """What the texts are filled from."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation
        self.subjects: dict[str, SubjectEntry] = {
            item.id: item for report in situation.reports for item in report.subjects
        }
        sightings = {item.id: item for report in situation.reports for item in report.sightings}
        self.verdicts: dict[str, list[VerdictEntry]] = {}
        for report in situation.reports:
            for verdict in report.verdicts:
                if verdict.status in ("affected", "fixed") or (
                    verdict.status == "under_investigation" and verdict.sightings
                ):
                    self.verdicts.setdefault(verdict.incident, []).append(verdict)
        self.verdicts = dict(sorted(self.verdicts.items()))
        self.sightings: dict[str, list[SightingEntry]] = {
            name: [sightings[key] for verdict in found for key in verdict.sightings if key in sightings]
            for name, found in self.verdicts.items()
        }
        self.armed = situation.armed()

    def title(self, name: str) -> str:
        """What happened, in one line."""
        incident = self.situation.incidents.get(name)
        return prose(incident.title) if incident else code(name)

    def summary(self, name: str) -> str:
        """What happened, in a few sentences."""
        incident = self.situation.incidents.get(name)
        return prose(incident.summary) if incident else unknown("what happened upstream")

    def releases(self, name: str) -> str:
        """The listed releases that were seen."""
        found = sorted({item.purl for item in self.sightings[name] if item.kind == "component" and item.purl})
        return ", ".join(code(purl) for purl in found) or unknown("which listed releases were seen")

    def windows(self, name: str) -> str:
        """When the listed releases could be fetched."""
        incident = self.situation.incidents.get(name)
        if incident is None or not incident.windows:
            return unknown("when the listed releases could be fetched")
        start = min(window.start for window in incident.windows)
        ends = [window.end for window in incident.windows]
        known = [end for end in ends if end is not None]
        last = moment(max(known)) if len(known) == len(ends) else unknown("when they were removed")
        return f"from {moment(start)} to {last}"

    def since(self, name: str) -> str:
        """The first time that a record shows a release coming here."""
        found = sorted(
            (time.value, time.meaning)
            for sighting in self.sightings[name]
            for time in sighting.times
            if time.meaning in _TELLING
        )
        if not found:
            return unknown("since when it was here; no record holds the time")
        return f"{code(found[0][0])} ({found[0][1]})"

    def depth(self, name: str) -> str | None:
        """How far it got at the deepest place."""
        found = [verdict.depth for verdict in self.verdicts[name] if verdict.depth in _DEPTHS]
        return max(found, key=_DEPTHS.index) if found else None

    def ran(self) -> bool:
        """Whether the code of any incident ran."""
        return any(self.depth(name) in ("executed", "active") for name in self.verdicts)

    def count(self, name: str) -> str:
        """How many places of each kind and status."""
        totals: dict[tuple[str, str], int] = {}
        for verdict in self.verdicts[name]:
            subject = self.subjects.get(verdict.subject)
            key = (verdict.status, subject.kind if subject else "place")
            totals[key] = totals.get(key, 0) + 1
        words = {"affected": "affected", "under_investigation": "not decided yet", "fixed": "recovered"}
        return ", ".join(
            f"{counted(number, kind)} {words[status]}" for (status, kind), number in sorted(totals.items())
        )

    def gaps(self) -> int:
        """How many relevant places could not be examined."""
        return sum(
            item.relevant and item.accepted is None
            for report in self.situation.reports
            for item in report.coverage.refusals
        )


def unknown(what: str) -> str:
    """What is not known, as it stands in a text until a person fills it in."""
    return f"[UNKNOWN: {what}]"


def counted(number: int, noun: str) -> str:
    """A number with its noun, in the plural where it must be."""
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def moment(value: datetime.datetime) -> str:
    """A time as texts give it."""
    return value.astimezone(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
