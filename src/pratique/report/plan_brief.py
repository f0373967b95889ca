"""A plan on one screen: a line for a step, runs of like steps and the rotation at one issuer as one line.

## Leaves out
Reasons, commands, texts and differences: the other forms hold them, and `--step` shows those of single steps.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import msgspec

from pratique.model.plan import Plan, Step
from pratique.report.plan_text import WIDTH, step_lines
from pratique.report.words import clip, count, one_line, printable

WHO = {"safe": "apply", "unsafe": "apply*", "manual": "person"}
LIKE = 3
"""So many like steps in a row become one line."""
PROOFS = 8


class Run(msgspec.Struct, frozen=True):
    """Steps in a row that do the same to several things."""

    first: int
    steps: tuple[Step, ...]

    @property
    def last(self) -> int:
        """Number of the last one."""
        return self.first + len(self.steps) - 1


def brief_lines(plan: Plan) -> Iterator[str]:
    """The lines, without line ends."""
    places = {step.disposition: 0 for step in plan.steps}
    for step in plan.steps:
        places[step.disposition] += 1
    told = [
        f"{places.get('safe', 0)} that apply does",
        f"{places.get('unsafe', 0)} with --allow unsafe",
        f"{places.get('manual', 0)} by a person",
    ]
    told = [text for text in told if not text.startswith("0 ")]
    head = f"PLAN  {count(len(plan.steps), 'step')}" + (f": {', '.join(told)}" if told else "")
    yield f"{head}  ({printable(', '.join(plan.incidents)) or 'no incident'})"
    for item in plan.held_back:
        much = count(item.count, "step") if item.count else "whatever could set it off"
        text = printable(one_line(f"{much} for {item.incident}: {item.reason}"))
        wrapped = textwrap.wrap(text, WIDTH - 11)
        yield from (f"{'HELD BACK' if first else '':<11}{line}" for first, line in _marked(wrapped))
    phase = ""
    for run in runs(plan):
        if run.steps[0].phase != phase:
            phase = run.steps[0].phase
            yield phase.upper()
        yield from _line(run)
    if plan.notes:
        yield f"NOT PLANNED  {count(len(plan.notes), 'thing')}"
        for note in plan.notes[:PROOFS]:
            yield f"  {clip(printable(one_line(note)), WIDTH - 2)}"
        if len(plan.notes) > PROOFS:
            yield f"  and {len(plan.notes) - PROOFS} more in the other forms"
    if not plan.steps:
        yield "Nothing listed was seen: there is nothing to do."
    yield f"Digest of this plan: {plan.digest}"


def _marked(lines: list[str]) -> Iterator[tuple[bool, str]]:
    for number, line in enumerate(lines):
        yield number == 0, line


def runs(plan: Plan) -> Iterator[Run]:
    """Steps in their order, like ones in a row together."""
    current: list[Step] = []
    for number, step in enumerate(plan.steps):
        if current and (_kind(current[0]) != _kind(step)):
            yield from _split(number - len(current) + 1, current)
            current = []
        current.append(step)
    if current:
        yield from _split(len(plan.steps) - len(current) + 1, current)


def _split(first: int, steps: list[Step]) -> Iterator[Run]:
    if len(steps) >= LIKE or (steps[0].phase == "rotate" and len(steps) > 1):
        yield Run(first, tuple(steps))
    else:
        for number, step in enumerate(steps, first):
            yield Run(number, (step,))


def _kind(step: Step) -> tuple[str, str, str]:
    """What makes steps alike: the phase, who acts, and the id without what it is about; of a rotation, its provider."""
    if step.phase == "rotate":
        return step.phase, step.disposition, ".".join(step.id.split(".")[:2])
    return step.phase, step.disposition, ".".join(step.id.split(".")[:3]) if step.id.count(".") > 2 else step.id


def _line(run: Run) -> Iterator[str]:
    step = run.steps[0]
    numbers = str(run.first) if run.last == run.first else f"{run.first}-{run.last}"
    title = one_line(step.title)
    if step.phase == "rotate":
        values = [item for item in run.steps if item.credential or ".value." in item.id] or [step]
        title = one_line(values[0].title) + (f" (and {len(values) - 1} more)" if len(values) > 1 else "")
    elif len(run.steps) > 1:
        title = f"{title} (and {len(run.steps) - 1} like it)"
    yield f"  {numbers:>7}  {WHO[step.disposition]:<6}  {clip(printable(title), WIDTH - 19)}"
    for proof in dict.fromkeys(item.proof for item in run.steps if item.proof):
        yield f"{'':>19}{clip(printable(one_line(proof)), WIDTH - 19)}"


def chosen_lines(plan: Plan, names: tuple[str, ...]) -> Iterator[str]:
    """All that is known of single steps, by number, by id or by the start of an id."""
    for number, step in enumerate(plan.steps, 1):
        if any(name in (str(number), step.id) or step.id.startswith(f"{name}.") for name in names):
            yield from step_lines(number, step)
            yield ""
