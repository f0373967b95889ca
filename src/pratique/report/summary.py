"""The answer of a report in sentences: shared by the formats that people read."""

from __future__ import annotations

import msgspec

from pratique.model.report import IncidentEntry, RefusalEntry, Report, SightingEntry, SubjectEntry, VerdictEntry
from pratique.report.words import (
    after_publication,
    by_id,
    claim,
    count,
    depth_rank,
    ordered,
    printable,
    subject_name,
    top_sighting,
)

STATUS_WORDS = {
    "affected": "AFFECTED",
    "under_investigation": "UNDER INVESTIGATION",
    "not_affected": "NOT AFFECTED",
    "fixed": "FIXED",
}


class Chapter(msgspec.Struct, frozen=True):
    """One incident and the verdicts that say something was seen, in the order they are shown."""

    incident: IncidentEntry
    verdicts: list[VerdictEntry]

    @property
    def depth(self) -> str | None:
        """The deepest step that any subject reached."""
        return self.verdicts[0].depth


class Answer(msgspec.Struct, frozen=True):
    """A report sorted for people: what is affected, what is undecided, and the incidents of which nothing was seen."""

    status: str
    affected: list[Chapter]
    unclear: list[Chapter]
    """Incidents with an ambiguous sighting and none that makes a subject affected."""
    quiet: list[IncidentEntry]
    subjects: dict[str, SubjectEntry]
    sightings: dict[str, SightingEntry]
    examined: bool


def answer(report: Report) -> Answer:
    """Sort a report for people."""
    subjects, sightings = by_id(report)
    affected = _chapters(report, subjects, [v for v in report.verdicts if v.status == "affected"])
    taken = {chapter.incident.id for chapter in affected}
    unclear = _chapters(
        report,
        subjects,
        [v for v in report.verdicts if v.status == "under_investigation" and v.sightings and v.incident not in taken],
    )
    taken |= {chapter.incident.id for chapter in unclear}
    examined = report.coverage.artifacts > 0
    if affected:
        status = "affected"
    else:
        whole = examined and report.coverage.complete and not report.coverage.interrupted
        undecided = any(verdict.status == "under_investigation" for verdict in report.verdicts)
        status = "not_affected" if whole and not undecided else "under_investigation"
    quiet = [incident for incident in report.incidents if incident.id not in taken]
    return Answer(status, affected, unclear, quiet, subjects, sightings, examined)


def _chapters(report: Report, subjects: dict[str, SubjectEntry], verdicts: list[VerdictEntry]) -> list[Chapter]:
    incidents = {item.id: item for item in report.incidents}
    grouped: dict[str, list[VerdictEntry]] = {}
    for verdict in verdicts:
        grouped.setdefault(verdict.incident, []).append(verdict)
    found = [Chapter(incidents[key], ordered(items, subjects)) for key, items in grouped.items() if key in incidents]
    return sorted(found, key=lambda chapter: (-depth_rank(chapter.depth), chapter.incident.id))


def tally(verdicts: list[VerdictEntry], subjects: dict[str, SubjectEntry]) -> str:
    """`3 projects installed, 2 caches fetched`."""
    counts: dict[tuple[str, str], int] = {}
    for verdict in verdicts:
        key = (verdict.depth or "undecided", subjects[verdict.subject].kind)
        counts[key] = counts.get(key, 0) + 1
    return ", ".join(f"{count(number, kind)} {depth}" for (depth, kind), number in counts.items())


def ran(chapter: Chapter) -> list[VerdictEntry]:
    """The verdicts that say the code ran."""
    return [verdict for verdict in chapter.verdicts if depth_rank(verdict.depth) >= depth_rank("executed")]


def sentence(report: Report, found: Answer, chapter: Chapter) -> str:
    """What happened, for one affected incident: `the payload RAN in 1 of 212 projects here (11 min after ...)`."""
    executed = ran(chapter)
    if not executed:
        past = ", in history only" if not any(verdict.current for verdict in chapter.verdicts) else ""
        return f"{tally(chapter.verdicts, found.subjects)}{past}; not shown to have run"
    projects = sum(1 for verdict in executed if found.subjects[verdict.subject].kind == "project")
    tops = [
        found.sightings[key]
        for verdict in executed
        for key in verdict.sightings
        if key in found.sightings and depth_rank(found.sightings[key].depth) >= depth_rank("executed")
    ]
    delay = after_publication(report, tops)
    where = f"in {projects:,} of {count(max(report.coverage.projects, projects), 'project')} here"
    if not projects:
        elsewhere = [verdict for verdict in executed if _elsewhere(found.subjects[verdict.subject])]
        where = "on this machine"
        if len(elsewhere) == len(executed):
            kinds = [found.subjects[verdict.subject].kind for verdict in elsewhere]
            where = "in " + ", ".join(count(kinds.count(kind), kind) for kind in dict.fromkeys(kinds))
    return f"the payload RAN {where}{f' ({delay})' if delay else ''}"


def _elsewhere(subject: SubjectEntry) -> bool:
    """Whether a subject is about another machine: an image, a repository, a log that was brought here."""
    return subject.kind in ("image", "repository") or not subject.uri.startswith("file:")


def negative(incident: IncidentEntry) -> str:
    """The wording of a negative: it says as much as the list does."""
    if incident.completeness == "fixed":
        return f"none of the {incident.listed:,} listed versions"
    return f"none of the {incident.listed:,} versions listed on {incident.listed_on}"


def nothing(report: Report, found: Answer) -> str:
    """The answer where nothing was seen, without the status word."""
    coverage = report.coverage
    if not found.examined:
        return "no reader was offered a file: this says nothing about the target"
    listed = sum(item.listed for item in report.incidents)
    lists = f"{listed:,} versions of {count(len(report.incidents), 'incident')}"
    looked = f"{count(coverage.artifacts, 'file')} read of {count(coverage.entries, 'entry')}"
    if found.status != "not_affected":
        return f"none of {lists} seen ({looked}), but not all was examined"
    return f"none of {lists} ({looked})"


def notes(report: Report, found: Answer) -> str | None:
    """What was seen and is no hit, such as a protection: the first of it, and how many more; None where nothing was."""
    quiet = [item for item in report.verdicts if item.status == "not_affected" and item.sightings]
    if not quiet:
        return None
    more = f", and {count(len(quiet) - 1, 'more note')}" if len(quiet) > 1 else ""
    top = top_sighting(quiet[0], found.sightings)
    said = claim(top) if top else printable(quiet[0].summary)
    return f"{subject_name(report, found.subjects[quiet[0].subject])}: {said}{more}"


def lists(report: Report) -> str | None:
    """What the lists of the incidents can say; None where all are final."""
    growing = [item.listed_on for item in report.incidents if item.completeness != "fixed"]
    if not growing:
        return None
    final = len(report.incidents) - len(growing)
    return f"lists: {final} final; {len(growing)}, of {min(growing)} or later, may still grow"


def refusals(report: Report) -> tuple[list[RefusalEntry], list[RefusalEntry], list[RefusalEntry]]:
    """What could not be examined: relevant and open, relevant and accepted by name, and not relevant."""
    everything = report.coverage.refusals
    return (
        [item for item in everything if item.relevant and item.accepted is None],
        [item for item in everything if item.relevant and item.accepted is not None],
        [item for item in everything if not item.relevant],
    )
