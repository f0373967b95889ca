"""A detonation for a person: what was seen as each persona, strongest first, what was taken away, what is not known."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.detonation import Behaviour, Detonation, DetonationRun
from pratique.model.event import SEVERITIES
from pratique.model.inert import one_line, printable
from pratique.report.detonation_words import MEANING, level_of, level_of_run, tree
from pratique.report.words import count

MOST = 8
"""So many facts of one kind are shown."""
LONGEST = 160


def detonation_lines(report: Detonation, *, every: bool = False) -> Iterator[str]:
    """The report, line by line. `every`: all facts, the tree of processes, and the layers of the sandbox."""
    suspects = [one for one in report.releases if one.suspect] or list(report.releases)
    named = ", ".join(f"{one.name} {one.version}" for one in suspects)
    level = level_of(report)
    yield _cut(f"{level.upper()}  {named}: {MEANING[level]}")
    for one in report.releases if every else suspects:
        yield _cut(f"  {one.purl}  sha256 {one.sha256[:16]}" + ("" if one.suspect else "  (as a dependency)"))
    others = [one for one in report.releases if not one.suspect]
    if others and not every:
        names = ", ".join(f"{one.name} {one.version}" for one in others[:6])
        yield _cut(f"  with {count(len(others), 'other release')} as dependencies: {names}")
    shown: dict[tuple[str, ...], str] = {}
    for run in report.runs:
        yield ""
        yield f"AS {run.persona.upper()}  {level_of_run(run)}, {run.seconds:.1f} s"
        yield from _ended(run)
        facts = tuple(sorted(f"{one.kind} {_anywhere(one.statement, run)}" for one in run.behaviours))
        before = shown.setdefault(facts, run.persona)
        if facts and before != run.persona and not every and not run.broken:
            yield f"  the same as {before}, but for names of folders"
        else:
            yield from _run(run, every)
    yield ""
    yield from (_cut(f"GAP  {one}") for one in dict.fromkeys(report.gaps))
    yield f"PLANTED  {count(len(report.planted), 'credential')} that stand nowhere else"
    if every:
        yield from (f"CONTAINED BY  {one}" for one in report.layers)
    yield "Nothing else is said: what waits for a day, a host or a person was not met here."


def _anywhere(text: str, run: DetonationRun) -> str:
    """A statement without the folders of a persona."""
    for folder, name in ((run.folder, "."), (run.home, "~")):
        text = text.replace(folder, name) if folder else text
    return text


def _ended(run: DetonationRun) -> Iterator[str]:
    for step in run.steps:
        if step.code != 0:
            how = "did not come to its end" if step.code is None else f"ended with {step.code}"
            yield _cut(f"  step {step.name} {how}")
    if any(step.code for step in run.steps):
        yield from (_cut(f"    | {line}") for line in run.output.strip().splitlines()[-6:])
    if run.timed_out:
        yield "  ended at its time limit"
    if run.broken:
        yield _cut(f"  ENDED EARLY: {run.broken}")
    yield from (_cut(f"  gap: {one}") for one in run.gaps)


def _run(run: DetonationRun, every: bool) -> Iterator[str]:
    told = [one for one in run.detections if every or one.level != "informational"]
    for detection in sorted(told, key=lambda one: -SEVERITIES.index(one.level)):
        silenced = f" (excepted: {detection.silenced_by})" if detection.silenced_by else ""
        yield _cut(f"  {detection.level:<8} {detection.statement} [{detection.rule}]{silenced}")
    if not run.behaviours:
        yield "  nothing beyond what an empty package does"
    kinds: dict[str, list[Behaviour]] = {}
    for one in run.behaviours:
        kinds.setdefault(one.kind, []).append(one)
    for kind, rows in kinds.items():
        yield f"  {kind}"
        yield from (_cut(f"    {_by(one)}{one.statement}") for one in (rows if every else rows[:MOST]))
        if len(rows) > MOST and not every:
            yield f"    and {len(rows) - MOST} more (--all)"
    if every:
        yield "  processes"
        yield from _tree(run)
    taken = ", ".join(f"{count} {kind}" for kind, count in run.subtracted.items())
    yield _cut(f"  taken away, as an empty package does it too: {taken or 'nothing'}")


def _by(one: Behaviour) -> str:
    return f"{one.cause.name}{f' ({one.cause.step})' if one.cause.step else ''} " if one.cause is not None else ""


def _tree(run: DetonationRun) -> Iterator[str]:
    for node in tree(run):
        marks = [word for word, so in (("dropped", node.dropped), ("still running", node.survived)) if so]
        yield _cut(f"    {'  ' * node.depth}{node.text}" + (f"  [{', '.join(marks)}]" if marks else ""))


def _cut(text: str) -> str:
    text = (
        printable(one_line(text))
        if text.strip() == text
        else text[: len(text) - len(text.lstrip())] + printable(one_line(text.strip()))
    )
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
