"""What the reports of a situation say, in the shapes that planners ask for. Nothing here judges anew."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from pratique.ecosystems import purl as purls
from pratique.model.incident import Incident
from pratique.model.location import Location
from pratique.model.report import ObservationEntry, Report, SightingEntry
from pratique.respond.situation import Situation

DEPTHS = ("declared", "resolved", "fetched", "installed", "executed", "active")
RAN = ("executed", "active")
LOCAL = frozenset({"directory", "file", "place", "host"})
"""Kinds of targets whose places are places of this machine, as they stand; a disk of another one is of no such kind."""
LIVE = "host+file:///"
"""The URI of this machine as it runs; that of a mounted disk names a folder."""


DANGEROUS = re.compile(
    r"\brevoke\b(?!\s+nothing)|\bp?kill(?:all)?\b|\btaskkill\b|\bstop-process\b|\bsystemctl\b[^\n]*\bstop\b|\bbootout\b"
    r"|\bnft(?:ables)?\b|\biptables\b|\bufw\b|\bpfctl\b|\betc/hosts\b|\bhosts file\b|^\s*(?:0\.0\.0\.0|::)\s+\S"
    r"|\bnmcli\b|\bdisconnect|\bip link set\b|\bnew-netfirewallrule\b|\bdisable-netadapter\b",
    re.IGNORECASE | re.MULTILINE,
)
"""What no text of a plan says while a dead man's switch may be armed, whichever planner wrote it."""


class Sight(msgspec.Struct, frozen=True):
    """A sighting with what it rests on and where it was seen."""

    entry: SightingEntry
    observations: tuple[ObservationEntry, ...]
    subject: str
    """URI of its subject."""
    subject_kind: str
    target_kind: str

    @property
    def path(self) -> str | None:
        """Absolute path of the file or folder on this machine; None where it lies inside something else."""
        return None if self.target_kind not in LOCAL else path_of(self.entry.location)


def path_of(location: Location) -> str | None:
    """Absolute path of a location on a plain target; None for others, and for names that are no valid text."""
    parts = urlsplit("file:///" if location.target == LIVE else location.target)
    if parts.scheme != "file" or location.inside or location.path_bytes is not None or parts.netloc:
        return None
    base = unquote(parts.path).rstrip("/")
    return f"{base}/{location.path}" if location.path else base or "/"


def folder_of(uri: str) -> str | None:
    """Absolute path that a plain `file:` URI names; None for any other."""
    parts = urlsplit(uri)
    return unquote(parts.path) or None if parts.scheme == "file" and not parts.netloc else None


def sights(situation: Situation) -> list[Sight]:
    """Every sighting of a verdict that is affected or under investigation, each once, in the order of the reports."""
    if not _LAST or _LAST[0][0] is not situation.reports:
        _LAST[:] = [(situation.reports, tuple(_collected(situation.reports)))]
    return [*_LAST[0][1]]


_LAST: list[tuple[tuple[Report, ...], tuple[Sight, ...]]] = []
"""The reports that were asked about last, and their sightings: every planner asks about the same ones."""


def _collected(reports: tuple[Report, ...]) -> Iterable[Sight]:
    found: dict[str, Sight] = {}
    for report in reports:
        told = {
            name
            for verdict in report.verdicts
            if verdict.status in ("affected", "under_investigation")
            for name in verdict.sightings
        }
        observations = {item.id: item for item in report.observations}
        subjects = {item.id: item for item in report.subjects}
        kinds = {item.uri: item.kind for item in report.targets}
        for entry in report.sightings:
            if entry.id in told and entry.id not in found:
                subject = subjects.get(entry.subject)
                found[entry.id] = Sight(
                    entry,
                    tuple(observations[name] for name in entry.observations if name in observations),
                    subject.uri if subject else "",
                    subject.kind if subject else "",
                    kinds.get(entry.location.target, ""),
                )
    return found.values()


def incidents(situation: Situation) -> tuple[str, ...]:
    """The incidents with a sighting, in order of name."""
    return tuple(sorted({sight.entry.incident for sight in sights(situation)}))


def definitions(situation: Situation) -> Iterator[Incident]:
    """The definitions of those incidents, in order of name."""
    for name in incidents(situation):
        if name in situation.incidents:
            yield situation.incidents[name]


def ran(situation: Situation) -> tuple[Sight, ...]:
    """The sightings on this machine that show a run."""
    return tuple(
        sight
        for sight in sights(situation)
        if sight.entry.depth in RAN
        and sight.target_kind in LOCAL
        and (sight.target_kind != "host" or sight.entry.location.target == LIVE)
    )


def release(sight: Sight) -> str:
    """The release for people: `axios 1.14.1`. A trace on a machine names none."""
    if sight.entry.kind == "indicator" and sight.target_kind == "host":
        return f"a trace of {sight.entry.incident}"
    parsed = purls.parse(sight.entry.purl)
    return f"{parsed.name} {parsed.version}".strip() if parsed else sight.entry.purl or "an indicator"


def because(found: Iterable[Sight], most: int = 3) -> str:
    """The facts behind a step, in one line: what was seen where, and how far it got."""
    ordered = sorted(found, key=lambda sight: -DEPTHS.index(sight.entry.depth) if sight.entry.depth in DEPTHS else 1)
    told: dict[str, None] = {}
    for sight in ordered:
        location = sight.entry.location
        place = sight.path or "/".join([location.path, *(step.path for step in location.inside)])
        words = f"{release(sight)}: {sight.entry.depth} ({sight.entry.confidence}), at {place}"
        told[words] = None
    more = len(told) - most
    return "; ".join([*told][:most]) + (f"; and {more} more" if more > 0 else "")


def ids(found: Iterable[Sight]) -> tuple[str, ...]:
    """Their ids, in order and each once."""
    return tuple(dict.fromkeys(sight.entry.id for sight in found))


def named(found: Iterable[Sight]) -> tuple[str, ...]:
    """The incidents that they belong to, in order of name."""
    return tuple(sorted({sight.entry.incident for sight in found}))


def facts(situation: Situation, kind: str) -> list[tuple[Sight, dict[str, Any]]]:
    """Facts of one kind that sightings rest on, with their sighting."""
    return [(sight, item.facts) for sight in sights(situation) for item in sight.observations if item.kind == kind]


def slug(text: str) -> str:
    """A short name for an id, the same in every run: digits of the digest of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def listed(texts: Iterable[object], most: int = 200) -> list[str]:
    """Texts of a report's list, as far as they are texts."""
    return [text for text in texts if isinstance(text, str)][:most]
