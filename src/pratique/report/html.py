"""The report as one self-contained HTML page, to be read, printed and passed on.

## Holds
The answer, what to do next, for each affected or undecided incident its summary, a timeline around the time in which
its releases could be fetched, how far it got in each place with the proof, what to copy first, what was not examined,
every other incident with the wording of its negative, the scope, and the observations that the proof rests on.

## Leaves out
Nothing is fetched and nothing runs: no script, no network, a strict content security policy. Long tables are cut, and
say how much they leave out: the JSON form holds everything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.model.observation import Time
from pratique.model.report import IncidentEntry, RefusalEntry, Report, SightingEntry, VerdictEntry
from pratique.report.evidence import Places, evidence, full_path, short_path
from pratique.report.renderer import Renderer
from pratique.report.summary import (
    STATUS_WORDS,
    Answer,
    Chapter,
    answer,
    lists,
    negative,
    nothing,
    ran,
    refusals,
    sentence,
    tally,
)
from pratique.report.timeline import WIDTH, Event, Timeline, timeline
from pratique.report.words import (
    DEPTHS,
    claim,
    clip,
    count,
    depth_rank,
    label,
    moment,
    one_line,
    printable,
    subject_name,
)

SUBJECTS = 40
"""Places of one incident whose proof is shown; more stand in a short table up to `SHORT`."""
SHORT = 200
CHAPTERS = 12
PROOFS = 8
OBSERVATIONS = 120
REFUSALS = 150
PLACES = 60
MARKS = 14
TIMES = 30
STATES = (
    ("state A", "State A", "the payload's files are still in the package folder: installed, execution is not shown."),
    (
        "state B",
        "State B",
        "the files that the code removes after it ran are gone and the manifest was swapped, while a record says that"
        " the bad release was installed here: the code ran.",
    ),
)


class Step(msgspec.Struct, frozen=True):
    """A rung of the ladder."""

    name: str
    state: str


class Proof(msgspec.Struct, frozen=True):
    """A sighting, in words."""

    id: str
    depth: str
    claim: str
    place: str
    role: str
    confidence: str
    note: str
    times: list[str]
    observations: list[str]


class Place(msgspec.Struct, frozen=True):
    """A subject of an incident: how far it got there, and the proof."""

    name: str
    kind: str
    depth: str
    confidence: str
    summary: str
    ladder: list[Step]
    proofs: list[Proof]
    more: int
    gaps: int


class Section(msgspec.Struct, frozen=True):
    """An affected or undecided incident."""

    anchor: str
    entry: IncidentEntry
    label: str
    status: str
    sentence: str
    paragraphs: list[str]
    places: list[Place]
    short: list[Place]
    left_out: int
    states: list[tuple[str, str]]
    timeline: Timeline | None


class Fact(msgspec.Struct, frozen=True):
    """An observation, for the appendix."""

    id: str
    kind: str
    reader: str
    place: str
    facts: list[tuple[str, str]]
    times: list[str]


def render(report: Report) -> Iterator[bytes]:
    """Yield the page."""
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    def inert(value: object) -> object:
        return value if isinstance(value, Markup) or not isinstance(value, str) else printable(value)

    folder = files("pratique.report") / "templates"
    style = (folder / "report.css").read_text("utf-8").strip()
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=inert
    )
    environment.filters |= {"count": count, "place": short_path, "words": printable}
    template = environment.from_string((folder / "report.html").read_text("utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page = template.render(style=Markup(style), style_digest=digest, **_view(report))  # noqa: S704 (our own file)
    yield page.encode("utf-8", "replace")


def _view(report: Report) -> dict[str, Any]:
    found = answer(report)
    shown = {key: None for chapter in (*found.affected, *found.unclear)[:CHAPTERS] for key in _shown(found, chapter)}
    observed = list(dict.fromkeys(o for key in shown for o in found.sightings[key].observations))
    known = {item.id: item for item in report.observations}
    facts = [_fact(known[key]) for key in observed if key in known]
    anchors = {item.id for item in facts[:OBSERVATIONS]}
    relevant, accepted, others = refusals(report)
    until = moment(report.header.started)
    chapters = [*found.affected, *found.unclear]
    return {
        "report": report,
        "status": found.status if found.examined or found.affected else "nothing_examined",
        "status_word": STATUS_WORDS[found.status] if found.examined or found.affected else "NOTHING EXAMINED",
        "headline": _headline(report, found),
        "lines": _lines(report, found),
        "figures": _figures(report, found, relevant),
        "steps": report.next_steps,
        "cautions": [
            (label(item.incident), item.incident.guidance.dead_man_switch)
            for item in chapters
            if item.incident.guidance and item.incident.guidance.dead_man_switch
        ],
        "sections": [_section(report, found, item, anchors, until) for item in chapters[:CHAPTERS]],
        "more_sections": [(label(item.incident), tally(item.verdicts, found.subjects)) for item in chapters[CHAPTERS:]],
        "evidence": _evidence(report, found),
        "relevant": [_refused(item) for item in relevant[:REFUSALS]],
        "relevant_more": max(len(relevant) - REFUSALS, 0),
        "accepted": [_refused(item) for item in accepted[:REFUSALS]],
        "accepted_more": max(len(accepted) - REFUSALS, 0),
        "others": _by_reason(others),
        "quiet": [(item, _quiet(report, item)) for item in found.quiet],
        "incidents": report.incidents,
        "facts": facts[:OBSERVATIONS],
        "facts_more": max(len(report.observations) - min(len(facts), OBSERVATIONS), 0),
        "options": [(key, _plain(value)) for key, value in sorted(report.header.scope.options.items())],
        "duration": _took(report),
        "readers": sorted(report.coverage.by_reader.items()),
        "width": WIDTH,
    }


def _headline(report: Report, found: Answer) -> str:
    if found.affected:
        chapter = found.affected[0]
        return f"{label(chapter.incident)}: {sentence(report, found, chapter)}"
    if found.unclear:
        places = count(len(found.unclear[0].verdicts), "place")
        return f"{label(found.unclear[0].incident)}: {places} undecided, none shown affected"
    text = nothing(report, found)
    return text[:1].upper() + text[1:]


def _lines(report: Report, found: Answer) -> list[str]:
    """What stands below the headline."""
    lines = []
    if found.affected:
        first = found.affected[0]
        executed = {id(verdict) for verdict in ran(first)}
        rest = [verdict for verdict in first.verdicts if id(verdict) not in executed]
        if executed and rest:
            lines.append(f"Also {tally(rest, found.subjects)}; there it is not shown to have run.")
        lines += [f"{label(item.incident)}: {sentence(report, found, item)}." for item in found.affected[1:CHAPTERS]]
    more = found.unclear if found.affected else found.unclear[1:]
    if more:
        lines.append(f"Undecided in {count(len(more), 'other incident')}.")
    if (found.affected or found.unclear) and found.quiet:
        lines.append(f"{count(len(found.quiet), 'other incident')}: no listed version seen.")
    grow = lists(report)
    if grow and found.examined and not (found.affected or found.unclear):
        lines.append(grow[:1].upper() + grow[1:] + ".")
    return lines


def _figures(report: Report, found: Answer, relevant: list[RefusalEntry]) -> list[tuple[str, str]]:
    affected = {verdict.subject for chapter in found.affected for verdict in chapter.verdicts}
    projects = sum(1 for key in affected if found.subjects[key].kind == "project")
    depths = [chapter.depth for chapter in found.affected if chapter.depth]
    total = max(report.coverage.projects, projects)
    figures = [
        ("Deepest step", max(depths, key=depth_rank) if depths else "none"),
        ("Projects affected", f"{projects:,} of {total:,}"),
        ("Other places affected", f"{len(affected) - projects:,}"),
        ("Relevant, not examined", f"{len(relevant):,}"),
        ("Files read", f"{report.coverage.artifacts:,} of {report.coverage.entries:,} entries"),
    ]
    return figures if found.affected else figures[3:]


def _shown(found: Answer, chapter: Chapter) -> Iterator[str]:
    for verdict in chapter.verdicts[:SUBJECTS]:
        yield from [key for key in verdict.sightings if key in found.sightings][:PROOFS]


def _section(report: Report, found: Answer, chapter: Chapter, anchors: set[str], until: Any) -> Section:
    incident = chapter.incident
    affected = chapter in found.affected
    if affected:
        text = sentence(report, found, chapter)
    else:
        text = f"{count(len(chapter.verdicts), 'place')} undecided, none shown affected"
    places = [_place(report, found, item, anchors, proofs=PROOFS) for item in chapter.verdicts[:SUBJECTS]]
    short = [_place(report, found, item, anchors, proofs=0) for item in chapter.verdicts[SUBJECTS : SUBJECTS + SHORT]]
    said = " ".join(proof.claim for place in places for proof in place.proofs)
    return Section(
        anchor=f"i-{hashlib.sha256(incident.id.encode('utf-8', 'replace')).hexdigest()[:12]}",
        entry=incident,
        label=label(incident),
        status="affected" if affected else "under_investigation",
        sentence=text[:1].upper() + text[1:],
        paragraphs=[one_line(part) for part in incident.summary.split("\n\n") if part.strip()],
        places=places,
        short=short,
        left_out=max(len(chapter.verdicts) - SUBJECTS - SHORT, 0),
        states=[(name, text) for word, name, text in STATES if word in said],
        timeline=timeline(incident, _events(report, found, chapter), until=until, most_marks=MARKS, most_rows=TIMES),
    )


def _events(report: Report, found: Answer, chapter: Chapter) -> list[Event]:
    events = []
    for verdict in chapter.verdicts:
        name = subject_name(report, found.subjects[verdict.subject])
        for sighting in (found.sightings[key] for key in verdict.sightings if key in found.sightings):
            for time in sighting.times:
                when = moment(time.value)
                if when is not None:
                    words = printable(one_line(time.meaning))
                    events.append(
                        Event(when, words, printable(one_line(time.source)), name, depth_rank(sighting.depth))
                    )
    best: dict[tuple[Any, ...], Event] = {}
    for event in events:
        key = (event.when, event.meaning, event.source, event.subject)
        if key not in best or best[key].rank < event.rank:
            best[key] = event
    return list(best.values())


def _place(report: Report, found: Answer, verdict: VerdictEntry, anchors: set[str], *, proofs: int) -> Place:
    subject = found.subjects[verdict.subject]
    seen = [found.sightings[key] for key in verdict.sightings if key in found.sightings]
    shown = seen[:proofs]
    return Place(
        name=subject_name(report, subject),
        kind=subject.kind,
        depth=verdict.depth or "undecided",
        confidence=verdict.confidence,
        summary=clip(printable(one_line(verdict.summary)), 300),
        ladder=_ladder(verdict, seen),
        proofs=[_proof(item, anchors) for item in shown],
        more=len(seen) - len(shown),
        gaps=len(verdict.gaps),
    )


def _ladder(verdict: VerdictEntry, seen: list[SightingEntry]) -> list[Step]:
    """Each rung: proven by a sighting of its own, implied by a deeper one, or not shown."""
    counted = [item for item in seen if item.status == verdict.status]
    own = {item.depth for item in counted}
    top = depth_rank(verdict.depth)
    undecided = verdict.status != "affected"
    return [
        Step(
            name,
            "undecided"
            if undecided and rank <= top
            else "proven"
            if name in own and rank <= top
            else "implied"
            if rank < top
            else "proven"
            if rank == top
            else "not shown",
        )
        for rank, name in enumerate(DEPTHS)
    ]


def _proof(item: SightingEntry, anchors: set[str]) -> Proof:
    notes = []
    if item.inferred:
        notes.append("inferred")
    if not item.current:
        notes.append("no longer there")
    if item.status == "not_affected":
        notes.append("a note, not an infection")
    return Proof(
        id=item.id,
        depth=item.depth,
        claim=clip(one_line(claim(item)), 600),
        place=short_path(item.location),
        role=item.role,
        confidence=item.confidence,
        note=", ".join(notes),
        times=[_time(time) for time in item.times[:6]],
        observations=[key for key in item.observations if key in anchors],
    )


def _evidence(report: Report, found: Answer) -> list[Places]:
    return evidence(report, found, PLACES)


def _refused(item: RefusalEntry) -> RefusalEntry:
    return msgspec.structs.replace(
        item, path=clip(printable(item.path), 300), reason=clip(printable(one_line(item.reason)), 300)
    )


def _by_reason(items: list[RefusalEntry]) -> list[tuple[str, str, int]]:
    """Refusals that could not have carried a sighting, counted by reader and reason."""
    counts: dict[tuple[str, str], int] = {}
    for item in items:
        key = (item.reader, clip(printable(one_line(item.reason)), 120))
        counts[key] = counts.get(key, 0) + 1
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    rows = [(reader, reason, number) for (reader, reason), number in ranked[:20]]
    rest = sum(number for _, number in ranked[20:])
    return [*rows, ("", "other reasons", rest)] if rest else rows


def _quiet(report: Report, incident: IncidentEntry) -> str:
    """What the report says of an incident of which nothing was seen."""
    if report.coverage.artifacts == 0:
        return "nothing was examined"
    text = negative(incident)
    unexamined = incident.totals.get("under_investigation", 0)
    if unexamined:
        return f"{text} was seen, but {count(unexamined, 'place')} could not be examined"
    if report.coverage.interrupted:
        return f"{text} was seen before the run was interrupted"
    return text


def _fact(item: Any) -> Fact:
    facts = [(printable(key), clip(printable(_plain(value)), 400)) for key, value in item.facts.items()]
    return Fact(
        id=item.id,
        kind=item.kind,
        reader=item.reader,
        place=clip(full_path(item.location), 400) + (f":{item.location.line}" if item.location.line else ""),
        facts=facts[:24],
        times=[_time(time) for time in item.times[:6]],
    )


def _time(time: Time) -> str:
    """`the install that wrote this record ended 2026-03-31 00:32:49 (file modification time)`."""
    when = moment(time.value)
    value = f"{when:%Y-%m-%d %H:%M:%S} UTC" if when else printable(time.value)
    return f"{printable(one_line(time.meaning))} {value} ({printable(one_line(time.source))})"


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _took(report: Report) -> str:
    start, end = moment(report.header.started), moment(report.header.finished)
    if start is None or end is None or end < start:
        return ""
    return f"{(end - start).total_seconds():.1f} s"


RENDERER = Renderer(name="html", suffixes=(".html", ".htm"), media_type="text/html; charset=utf-8", render=render)
