"""From sightings and gaps to one verdict for each incident and subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pratique.model.depth import Confidence
from pratique.model.incident import Incident
from pratique.model.observation import Observation
from pratique.model.verdict import Sighting, Status, Subject, Verdict


class OpenGap(msgspec.Struct, frozen=True):
    """A relevant refusal as one subject sees it. `names` empty: it could have carried any package."""

    id: str
    subject: Subject
    names: tuple[str, ...]
    accepted: bool


def judge(
    incident: Incident, subject: Subject, sightings: Iterable[Sighting], gaps: Iterable[OpenGap], listed: int
) -> Verdict:
    """The verdict for one subject.

    Affected where any sighting is; else under investigation where a sighting is ambiguous or an unaccepted gap is
    open; else not affected. Gaps never lower anything. `listed` is how many releases the incident lists.
    """
    found = sorted(sightings, key=_order)
    open_gaps = sorted({gap.id for gap in gaps if not gap.accepted})
    accepted = sorted({gap.id for gap in gaps if gap.accepted})
    affected = [sighting for sighting in found if sighting.status is Status.AFFECTED]
    unclear = [sighting for sighting in found if sighting.status is Status.UNDER_INVESTIGATION]
    lowered: dict[Observation, None] = {}
    confidence, depth = Confidence.MEDIUM, None
    if affected:
        top = affected[0]
        status, depth, confidence = Status.AFFECTED, top.depth, top.confidence
        summary = f"{depth}: {top.explanation}"
    elif unclear:
        status, depth = Status.UNDER_INVESTIGATION, unclear[0].depth
        summary = unclear[0].explanation
    elif open_gaps:
        status = Status.UNDER_INVESTIGATION
        plural = "" if len(open_gaps) == 1 else "s"
        summary = f"{len(open_gaps)} relevant place{plural} could not be examined"
    else:
        status = Status.NOT_AFFECTED
        for sighting in found:
            lowered.update(dict.fromkeys(sighting.lowered_by))
        summary = found[0].explanation if found else negative(incident, listed)
    return Verdict(
        incident=incident.id,
        subject=subject,
        status=status,
        depth=depth,
        current=any(sighting.current for sighting in affected or unclear) if (affected or unclear) else True,
        confidence=confidence,
        summary=summary,
        sightings=tuple(found),
        gaps=tuple(open_gaps),
        accepted_gaps=tuple(accepted),
        lowered_by=tuple(lowered),
    )


def negative(incident: Incident, listed: int) -> str:
    """The wording of a negative: it says as much as the list does."""
    if incident.completeness == "fixed":
        return f"none of the {listed} listed versions"
    return f"none of the {listed} versions listed on {incident.listed_on or incident.updated}"


def _order(sighting: Sighting) -> tuple[int, int, int, str, str, int, str, str, bytes]:
    """Deepest first, then the most certain, then the folder's own state, then by place."""
    return (
        -sighting.depth.rank,
        -sighting.confidence.rank,
        0 if sighting.kind == "tampering" else 1,
        sighting.location.target,
        sighting.location.path,
        sighting.location.line or 0,
        sighting.explanation,
        sighting.purl,
        msgspec.json.encode(sighting, order="deterministic"),
    )


def worst(statuses: Mapping[Status, int]) -> Status:
    """The worst status that occurs."""
    for status in (Status.AFFECTED, Status.UNDER_INVESTIGATION, Status.NOT_AFFECTED, Status.FIXED):
        if statuses.get(status):
            return status
    return Status.NOT_AFFECTED
