"""The report as Markdown, for pull requests and tickets.

## Holds
The answer, what to do next, each affected or undecided incident with its places and the proof that carries them, what
was not examined, and the scope. Whatever came from outside stands in a code span unless it is plain words, so that no
name becomes a link, a mention, an image or markup.

## Leaves out
Places, sightings and refusals beyond a limit, with a line that says how many: the JSON form holds everything.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model import inert
from pratique.model.report import Report, VerdictEntry
from pratique.report.evidence import evidence, short_path
from pratique.report.renderer import Renderer
from pratique.report.summary import (
    STATUS_WORDS,
    Answer,
    Chapter,
    answer,
    lists,
    negative,
    nothing,
    refusals,
    sentence,
    tally,
)
from pratique.report.words import claim, clip, count, label, subject_name

SUBJECTS = 30
PROOFS = 3
CHAPTERS = 10
REFUSALS = 20
PLACES = 15
words = inert.prose
code = inert.code


def render(report: Report) -> Iterator[bytes]:
    """Yield the document."""
    yield ("\n".join(_lines(report)).rstrip("\n") + "\n").encode("utf-8", "replace")


def _lines(report: Report) -> Iterator[str]:
    found = answer(report)
    yield from _head(report, found)
    if report.next_steps:
        yield from ("", "## What to do next", "")
        yield from (f"{number}. {words(step)}" for number, step in enumerate(report.next_steps, start=1))
    chapters = [*found.affected, *found.unclear]
    for chapter in chapters[:CHAPTERS]:
        yield from _chapter(report, found, chapter)
    if len(chapters) > CHAPTERS:
        yield from ("", f"{count(len(chapters) - CHAPTERS, 'further incident')} left out here.")
    places = evidence(report, found, PLACES)
    if places:
        yield from ("", "## Evidence to copy first", "")
        for item in places:
            yield f"- {item.heading}: {item.why}"
            yield from (f"  - {code(path)}" for path in item.paths)
            if item.left_out:
                yield f"  - and {item.left_out:,} more"
    yield from _not_examined(report, found)
    yield from _others(report, found)
    yield from _scope(report)


def _head(report: Report, found: Answer) -> Iterator[str]:
    if found.affected:
        first = found.affected[0]
        yield f"# {STATUS_WORDS['affected']}: {words(label(first.incident))}"
        yield from ("", f"**{_upper(words(sentence(report, found, first)))}.**")
        for chapter in found.affected[1:CHAPTERS]:
            yield from ("", f"Also {words(label(chapter.incident))}: {words(sentence(report, found, chapter))}.")
    elif found.unclear:
        chapter = found.unclear[0]
        places = count(len(chapter.verdicts), "place")
        yield f"# {STATUS_WORDS['under_investigation']}: {words(label(chapter.incident))}"
        yield from ("", f"**{places} undecided, none shown affected.**")
    else:
        word = STATUS_WORDS[found.status] if found.examined else "NOTHING EXAMINED"
        yield f"# {word}"
        yield from ("", f"**{_upper(nothing(report, found))}.**")
        grow = lists(report)
        if grow and found.examined:
            yield from ("", f"{_upper(grow)}.")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _chapter(report: Report, found: Answer, chapter: Chapter) -> Iterator[str]:
    incident = chapter.incident
    yield from ("", f"## {words(incident.title or label(incident))}", "")
    if incident.summary:
        yield from (words(incident.summary), "")
    if incident.guidance and incident.guidance.dead_man_switch:
        warning = words(incident.guidance.dead_man_switch)
        yield from (f"**Before anything is revoked, disconnected or stopped:** {warning}", "")
    yield "| Place | Kind | Depth | Confidence | Proof |"
    yield "| --- | --- | --- | --- | --- |"
    for verdict in chapter.verdicts[:SUBJECTS]:
        yield _row(report, found, verdict)
    rest = chapter.verdicts[SUBJECTS:]
    if rest:
        yield from ("", f"And {tally(rest, found.subjects)}; the JSON form of the report holds all of them.")


def _row(report: Report, found: Answer, verdict: VerdictEntry) -> str:
    subject = found.subjects[verdict.subject]
    seen = [found.sightings[key] for key in verdict.sightings if key in found.sightings]
    proofs = [f"{words(clip(claim(item), 300))} {code(clip(short_path(item.location), 200))}" for item in seen[:PROOFS]]
    if len(seen) > PROOFS:
        proofs.append(f"and {count(len(seen) - PROOFS, 'more sighting')}")
    proof = "<br>".join(proofs) or words(clip(verdict.summary, 300))
    name = code(clip(subject_name(report, subject), 120))
    return f"| {name} | {subject.kind} | {verdict.depth or 'undecided'} | {verdict.confidence} | {proof} |"


def _not_examined(report: Report, found: Answer) -> Iterator[str]:
    relevant, accepted, others = refusals(report)
    yield from ("", "## Not examined", "")
    if not found.examined:
        yield "Nothing was examined: no file here is of a kind that a reader knows."
    elif not relevant:
        yield "Nothing relevant."
    for item in relevant[:REFUSALS]:
        yield f"- {code(clip(item.path, 200))}: {words(clip(item.reason, 200))}"
    if len(relevant) > REFUSALS:
        yield f"- and {len(relevant) - REFUSALS:,} more relevant places"
    for item in accepted[:REFUSALS]:
        reason, why = words(clip(item.reason, 200)), words(clip(item.accepted or "", 200))
        yield f"- {code(clip(item.path, 200))}: {reason}; accepted by name: {why}"
    if len(accepted) > REFUSALS:
        yield f"- and {len(accepted) - REFUSALS:,} more accepted by name"
    skipped = sum(item.count for item in report.coverage.skipped_by_rule)
    if others or skipped:
        yield from (
            "",
            f"{count(len(others), 'place')} that could not have carried a sighting, {skipped:,} left out by rule.",
        )


def _others(report: Report, found: Answer) -> Iterator[str]:
    if not found.quiet:
        return
    yield from (
        "",
        "<details>",
        f"<summary>{count(len(found.quiet), 'other incident')}: no listed version seen</summary>",
        "",
    )
    for incident in found.quiet[:200]:
        unexamined = incident.totals.get("under_investigation", 0)
        tail = f"; {count(unexamined, 'place')} could not be examined" if unexamined else ""
        yield f"- {code(incident.id)}: {words(negative(incident))}{tail}"
    if len(found.quiet) > 200:
        yield f"- and {len(found.quiet) - 200:,} more"
    yield from ("", "</details>")


def _scope(report: Report) -> Iterator[str]:
    header, coverage = report.header, report.coverage
    yield from ("", "## Scope", "")
    yield f"- {words(header.scope.statement) or 'not stated'}"
    for text in header.scope.not_asked[:10]:
        yield f"- {words(text)}"
    yield f"- {coverage.artifacts:,} files read of {coverage.entries:,} entries"
    for note in report.notes[:10]:
        yield f"- {words(note)}"
    yield f"- {code(header.tool.name)} {code(header.tool.version)}, {code(header.started)}"


RENDERER = Renderer(name="markdown", suffixes=(".md",), media_type="text/markdown; charset=utf-8", render=render)
