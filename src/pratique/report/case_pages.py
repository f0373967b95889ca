"""The pages of a case: executive summary, a page for each subject, evidence, rotation, coverage, timeline.

## Holds
`index.html` says in one screen what happened, how far it got, what could have been reached, what is done and what is
open. The other pages hold the proof of it. Nothing is fetched and nothing runs.

## Leaves out
The bytes of evidence, commands that revoke anything (the plan holds them, once they may be shown), and rows beyond a
limit, which are counted.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from pratique.model.credential import Credential
from pratique.model.dossier import Dossier
from pratique.model.plan import PHASES, shown_by_case
from pratique.model.report import Report, SubjectEntry, VerdictEntry
from pratique.report.case_lists import coverage, evidence, timeline
from pratique.report.case_parts import ROWS, Block, Cell, Page
from pratique.report.evidence import short_path
from pratique.report.summary import STATUS_WORDS
from pratique.report.words import claim, count, depth_rank, one_line, printable, subject_name

SUBJECTS = 200
_RANK = {"affected": 3, "under_investigation": 2, "fixed": 1, "not_affected": 0}
_DONE = ("verified", "revoked", "not-needed")
_TAKEN = {
    "taken": "taken",
    "targeted": "looked for",
    "in-reach": "in reach, not known to be taken",
    None: "in reach",
}
_TIERS = (
    "to mint, publish or control an identity",
    "to reach production or cloud",
    "to reach a single service",
    "of low reach or with a second factor",
)


def pages(dossier: Dossier) -> dict[str, bytes]:
    """File name to page, in order of reading."""
    made = [
        Page("index.html", "Summary", tuple(_summary(dossier))),
        Page("evidence.html", "Evidence", tuple(evidence(dossier))),
        Page("rotation.html", "Rotation checklist", tuple(_rotation(dossier))),
        Page("coverage.html", "Coverage", tuple(coverage(dossier))),
        Page("timeline.html", "Timeline", (timeline(dossier),)),
        *(_subject(report, subject) for report, subject in _subjects(dossier)[:SUBJECTS]),
    ]
    return _rendered(dossier, made)


def timeline_page(dossier: Dossier) -> bytes:
    """The timeline alone, as one page."""
    return _rendered(dossier, [Page("timeline.html", "Timeline", (timeline(dossier),))])["timeline.html"]


def _rendered(dossier: Dossier, made: Sequence[Page]) -> dict[str, bytes]:
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
    template = environment.from_string((folder / "case.html").read_text("utf-8"))
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    listed = [(page.name, page.title) for page in made if not page.name.startswith("subject-")]
    found: dict[str, bytes] = {}
    for page in made:
        found[page.name] = template.render(
            style=Markup(style),  # noqa: S704 (our own file)
            style_digest=digest,
            case=dossier,
            here=page.name,
            pages=listed if len(listed) > 1 else [],
            title=page.title,
            cautions=_cautions(dossier),
            blocks=page.blocks,
        ).encode("utf-8", "replace")
    return found


def armed(dossier: Dossier) -> dict[str, str]:
    """Incidents whose dead man's switch was not swept yet, and what it is."""
    found: dict[str, str] = {}
    for report in dossier.reports:
        for incident in report.incidents:
            switch = incident.guidance.dead_man_switch if incident.guidance else None
            if switch and incident.id not in dossier.swept:
                found[incident.id] = one_line(switch)
    return found


def _cautions(dossier: Dossier) -> list[str]:
    return [f"{name}: {words}" for name, words in sorted(armed(dossier).items())]


def status(dossier: Dossier) -> str:
    """The status of the whole: of the last verification where there is one, else the worst of the reports."""
    if dossier.verification is not None:
        said = str(dossier.verification.get("status", ""))
        if said in _RANK:
            return said
    worst = "not_affected"
    for report in dossier.reports:
        for verdict in report.verdicts:
            if _RANK.get(verdict.status, 2) > _RANK[worst] or verdict.status not in _RANK:
                worst = verdict.status if verdict.status in _RANK else "under_investigation"
        if (not report.coverage.complete or not report.coverage.artifacts) and worst != "affected":
            worst = "under_investigation"
    return worst if dossier.reports else "under_investigation"


def _subjects(dossier: Dossier) -> list[tuple[Report, SubjectEntry]]:
    """Subjects with a sighting, worst first, each with the report that tells of it last."""
    found: dict[str, tuple[Report, SubjectEntry, int]] = {}
    for report in dossier.reports:
        known = {item.id: item for item in report.subjects}
        for verdict in report.verdicts:
            if verdict.sightings and verdict.subject in known:
                rank = _RANK.get(verdict.status, 2) * 10 + depth_rank(verdict.depth)
                before = found.get(verdict.subject)
                if before is None or before[0] is not report or before[2] < rank:
                    found[verdict.subject] = (report, known[verdict.subject], rank)
    ordered = sorted(found.values(), key=lambda item: (-item[2], item[1].uri))
    return [(report, subject) for report, subject, _ in ordered]


def _worst(report: Report, subject: SubjectEntry) -> VerdictEntry:
    mine = [item for item in report.verdicts if item.subject == subject.id and item.sightings]
    return max(mine, key=lambda item: (_RANK.get(item.status, 2), depth_rank(item.depth)))


def _summary(dossier: Dossier) -> Iterable[Block]:
    subjects = _subjects(dossier)
    worst = [(report, subject, _worst(report, subject)) for report, subject in subjects]
    affected = [item for item in worst if item[2].status == "affected"]
    ran = [item for item in affected if item[2].depth in ("executed", "active")]
    answer = status(dossier)
    names = sorted({item[2].incident for item in affected}) or list(dossier.incidents)
    credentials = dossier.reach.credentials if dossier.reach else ()
    settled = [item for item in credentials if _state(dossier, item) in _DONE]
    steps = dossier.plan.steps if dossier.plan else ()
    done = _steps_done(dossier)
    if affected and dossier.verification is not None and answer != "affected":
        headline = "Recovered: " if answer == "fixed" else "Not proven to be over: "
        headline += f"{count(len(affected), 'place')} {'was' if len(affected) == 1 else 'were'} affected"
        headline += f" by {', '.join(names[:3])}"
        headline += f"; the code ran in {len(ran)} of them" if ran else ""
    elif affected:
        headline = f"{count(len(affected), 'place')} affected by {', '.join(names[:3])}"
        headline += f"; the code ran in {len(ran)} of them" if ran else "; no place shows that the code ran"
    elif answer == "fixed":
        headline = f"Recovered from {', '.join(names[:3]) or 'the incident'}"
    elif answer == "not_affected":
        headline = "No listed release was seen, and everything relevant was examined"
    else:
        headline = "Not decided: something relevant could not be examined"
    lines = []
    if dossier.verification is not None:
        lines.append(f"Recovery was examined: {STATUS_WORDS.get(answer, answer)}.")
    if not dossier.reach:
        lines.append("What could have been reached was not listed yet.")
    yield Block(
        kind="answer",
        status=answer,
        word=STATUS_WORDS.get(answer, answer),
        headline=headline,
        lines=tuple(lines),
        figures=(
            ("Affected places", f"{len(affected):,}"),
            ("Where the code ran", f"{len(ran):,}"),
            ("Evidence copied", f"{len({item.digest for item in dossier.evidence}):,}"),
            ("Evidence sealed", "yes" if dossier.sealed else "no"),
            ("Credentials settled", f"{len(settled)} of {len(credentials)}" if dossier.reach else "not listed"),
            ("Steps done", f"{len(done)} of {len(steps)}" if dossier.plan else "no plan yet"),
        ),
    )
    for report in dossier.reports:
        for incident in report.incidents:
            if incident.id in names and incident.summary:
                window = "; ".join(
                    f"{item.component or 'listed releases'} from {_clock(item.start)} to {_clock(item.end)}"
                    for item in incident.windows[:4]
                )
                lines = [one_line(incident.summary)]
                if window:
                    lines.append(f"Could be fetched: {window}.")
                yield Block(kind="words", heading=incident.title or incident.id, lines=tuple(lines))
                names = [name for name in names if name != incident.id]
    if worst:
        yield _places(worst)
    if credentials:
        tiers = [sum(item.tier == tier for item in credentials) for tier in range(4)]
        reached = [
            f"{count(number, 'credential')} {words}" for number, words in zip(tiers, _TIERS, strict=True) if number
        ]
        yield Block(
            kind="list",
            heading="What could have been reached",
            lines=(
                *(f"{line}" for line in reached),
                "In reach is not taken: the rotation checklist says what is known.",
            ),
        )
    yield Block(kind="list", heading="What is open", lines=tuple(_open(dossier, done)) or ("Nothing.",))


def _clock(time: str | None) -> str:
    return time.replace(".000Z", "Z").replace("T", " ") if time else "an unknown end"


def _places(worst: Sequence[tuple[Report, SubjectEntry, VerdictEntry]]) -> Block:
    rows = tuple(
        (
            Cell(subject_name(report, subject), href=f"subject-{subject.id}.html" if number < SUBJECTS else ""),
            Cell(STATUS_WORDS.get(verdict.status, verdict.status), short=True),
            Cell(verdict.depth or "", short=True),
            Cell(verdict.incident),
            Cell(one_line(verdict.summary)),
        )
        for number, (report, subject, verdict) in enumerate(worst[:ROWS])
    )
    return Block(
        kind="table",
        heading="Places",
        columns=("Place", "Status", "How far", "Incident", "Why"),
        rows=rows,
        more=max(0, len(worst) - ROWS),
    )


def _steps_done(dossier: Dossier) -> set[str]:
    if dossier.plan is None:
        return set()
    digest = dossier.plan.digest
    done = set(shown_by_case(sealed=dossier.sealed, evidence=len(dossier.evidence)))
    for receipt in dossier.receipts:
        if receipt.plan == digest and receipt.outcome in ("done", "by-hand"):
            done.add(receipt.step)
        elif receipt.plan == digest and receipt.outcome == "undone":
            done.discard(receipt.step)
    return done & {step.id for step in dossier.plan.steps}


def _open(dossier: Dossier, done: set[str]) -> Iterable[str]:
    waits = armed(dossier)
    for name in sorted(waits):
        yield f"Look for the dead man's switch of {name}, remove it, and record that: everything else waits for it"
    if not dossier.sealed:
        yield "Seal the evidence"
    if dossier.plan is None:
        yield "Make a plan"
    else:
        for phase in PHASES:
            waiting = [step for step in dossier.plan.steps if step.phase == phase and step.id not in done]
            if waiting and waits and (phase == "rotate" or any(step.triggers_dead_man_switch for step in waiting)):
                yield f"{phase}: {count(len(waiting), 'step')} open; make the plan anew after that"
            elif waiting:
                yield f"{phase}: {count(len(waiting), 'step')} open, first: {waiting[0].title}"
        for held in dossier.plan.held_back:
            yield f"{count(held.count, 'step')} held back for {held.incident}: {held.reason}"
    if dossier.verification is None:
        yield "Examine the recovery"
    else:
        still = dossier.verification.get("open", ())
        for line in still if isinstance(still, list | tuple) else ():
            if isinstance(line, dict) and line.get("what"):
                advice = f". {line['advice']}" if line.get("advice") else ""
                yield one_line(f"{line['what']}{advice}")


def _state(dossier: Dossier, credential: Credential) -> str:
    rotation = dossier.rotations.get(credential.id)
    return rotation.state if rotation else "open"


def _rotation(dossier: Dossier) -> Iterable[Block]:
    if dossier.reach is None:
        yield Block(
            kind="words",
            heading="What could have been reached",
            lines=("It was not listed yet: run `pratique reach --case`.",),
        )
        return
    for tier in range(4):
        mine = [item for item in dossier.reach.credentials if item.tier == tier]
        if not mine:
            continue
        yield Block(
            kind="table",
            heading=f"Tier {tier}: {count(len(mine), 'credential')} {_TIERS[tier]}",
            columns=("Credential", "Where", "Whose", "In the window", "Known of the incident", "State"),
            rows=tuple(
                (
                    Cell(f"{item.provider} {item.fact.kind or item.location}"),
                    Cell(f"{item.place} {item.fact.field}", code=True),
                    Cell(", ".join(f"{key} {value}" for key, value in item.fact.identity)),
                    Cell({True: "yes", False: "no", None: "not known"}[item.in_window]),
                    Cell(_TAKEN[item.taken]),
                    Cell(_state_words(dossier, item)),
                )
                for item in mine[:ROWS]
            ),
            more=max(0, len(mine) - ROWS),
        )
    if dossier.reach.refusals:
        yield Block(
            kind="table",
            heading="Could not be looked at",
            columns=("Where", "Why not"),
            rows=tuple((Cell(item.place, code=True), Cell(item.reason)) for item in dossier.reach.refusals[:ROWS]),
            more=max(0, len(dossier.reach.refusals) - ROWS),
        )


def _state_words(dossier: Dossier, credential: Credential) -> str:
    rotation = dossier.rotations.get(credential.id)
    if rotation is None:
        return "☐ open"
    box = "☑" if rotation.state in _DONE else "☐"
    grade = f" ({rotation.grade})" if rotation.grade else ""
    return f"{box} {rotation.state}{grade} {rotation.words}".strip()


def _subject(report: Report, subject: SubjectEntry) -> Page:
    blocks: list[Block] = []
    sightings = {item.id: item for item in report.sightings}
    refusals = {item.id: item for item in report.coverage.refusals}
    verdicts = [item for item in report.verdicts if item.subject == subject.id]
    for verdict in verdicts:
        mine = [sightings[key] for key in verdict.sightings if key in sightings]
        blocks.append(
            Block(
                kind="answer",
                status=verdict.status,
                word=STATUS_WORDS.get(verdict.status, verdict.status),
                headline=f"{verdict.incident}: {verdict.depth or 'not seen'}",
                lines=(one_line(verdict.summary),),
                figures=(
                    ("Confidence", verdict.confidence),
                    ("Still there", "yes" if verdict.current else "no"),
                    ("Sightings", str(len(mine))),
                    ("Not examined", str(len(verdict.gaps))),
                ),
            )
        )
        if mine:
            blocks.append(
                Block(
                    kind="table",
                    heading="Proof",
                    columns=("Release", "How far", "What was seen", "Where", "Times"),
                    rows=tuple(
                        (
                            Cell(item.purl),
                            Cell(item.depth, short=True),
                            Cell(claim(item)),
                            Cell(short_path(item.location), code=True),
                            Cell("; ".join(f"{time.meaning} {time.value}" for time in item.times)),
                        )
                        for item in mine[:ROWS]
                    ),
                    more=max(0, len(mine) - ROWS),
                )
            )
        gaps = [refusals[key] for key in verdict.gaps if key in refusals]
        if gaps:
            blocks.append(
                Block(
                    kind="table",
                    heading="Not examined",
                    columns=("Where", "Why not"),
                    rows=tuple((Cell(item.path, code=True), Cell(one_line(item.reason))) for item in gaps[:ROWS]),
                    more=max(0, len(gaps) - ROWS),
                )
            )
    return Page(f"subject-{subject.id}.html", f"{subject.kind} {subject_name(report, subject)}", tuple(blocks))


def as_json(dossier: Dossier) -> dict[str, Any]:
    """The dossier for a program; keyed fingerprints are left out."""
    made: dict[str, Any] = msgspec.to_builtins(dossier)
    verification = made.get("verification")
    for holder in (made, verification) if isinstance(verification, dict) else (made,):
        reach = holder.get("reach")
        for credential in (reach.get("credentials") or ()) if isinstance(reach, dict) else ():
            if isinstance(credential, dict) and isinstance(credential.get("fact"), dict):
                credential["fact"].pop("fingerprint", None)
    return made
