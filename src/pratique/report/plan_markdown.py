"""A plan as a Markdown checklist: one box a step, to be kept in a ticket or a shared page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.inert import code, one_line, printable, prose
from pratique.model.plan import PHASES, Command, Edit, Manual, Plan, Quarantine, Step
from pratique.report.plan_text import DISPOSITIONS, HEADINGS, WHERE, command_line
from pratique.report.words import count


def plan_markdown(plan: Plan) -> Iterator[str]:
    """The lines, without line ends."""
    yield f"# Plan for {_prose(plan.host)}, {_prose(plan.made)}"
    yield ""
    if plan.incidents:
        yield f"Incidents: {', '.join(code(name) for name in plan.incidents)}"
        yield ""
    yield f"{count(len(plan.steps), 'step')}. Digest: {code(plan.digest)}"
    for item in plan.held_back:
        yield ""
        yield f"> **Held back: {count(item.count, 'step')}.** {code(item.incident)} {_prose(item.reason)}"
    for phase in PHASES:
        steps = [step for step in plan.steps if step.phase == phase]
        if steps:
            yield ""
            yield f"## {HEADINGS[phase].partition('  ')[0].capitalize()}"
        for step in steps:
            yield ""
            yield from _step(step)
    if plan.notes:
        yield ""
        yield "## Not planned"
        yield ""
        for note in plan.notes:
            yield f"- {_prose(note)}"
    if not plan.steps:
        yield ""
        yield "Nothing listed was seen: there is nothing to do."


def _step(step: Step) -> Iterator[str]:
    yield f"- [ ] **{_prose(step.title)}**"
    yield f"  - {code(step.id)}, {step.disposition}: {DISPOSITIONS[step.disposition]}; owner: {step.owner}"
    yield f"  - Why: {_prose(step.reason)}"
    for item in step.preconditions:
        yield f"  - Before: {_prose(item.words)}"
    if step.after:
        yield f"  - After: {', '.join(code(name) for name in step.after)}"
    if isinstance(step.action, Edit):
        yield f"  - File: {code(step.action.path)}"
        yield from _block(step.action.diff, "diff")
    elif isinstance(step.action, Quarantine):
        yield f"  - {'Folder' if step.action.folder else 'File'}: {code(step.action.path)}"
        yield f"  - Digest: {code(step.action.digest)}"
    else:
        yield from _manual(step.action)
    if step.proof:
        yield f"  - Proof: {_prose(step.proof)}"
    yield f"  - Undo: {_prose(step.undo) if step.undo else 'cannot be undone'}"
    if step.check:
        yield f"  - Check: {_prose(step.check)}"
    if step.check_command is not None:
        yield from _command(step.check_command)
    if step.until:
        yield f"  - Until: {_prose(step.until)}"


def _manual(action: Manual) -> Iterator[str]:
    for line in action.instructions:
        yield f"  - {_prose(line)}"
    for command in action.commands:
        yield from _command(command)
    if action.text:
        yield from _block(action.text, "")


def _command(command: Command) -> Iterator[str]:
    told = [WHERE[command.where]] if command.where != "affected-machine" else []
    if command.note:
        told.append(command.note)
    yield f"  - {code(command_line(command))}" + (f" ({_prose('; '.join(told))})" if told else "")


def _block(text: str, language: str) -> Iterator[str]:
    """A fenced block inside an item; its fence is longer than any run of backticks in it."""
    lines = [printable(line) for line in text.splitlines()]
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield ""
    yield f"    {fence}{language}"
    for line in lines:
        yield f"    {line}".rstrip()
    yield f"    {fence}"


def _prose(text: str) -> str:
    """Text word by word: what is no plain word is code, so that nothing is a mark, a link or a mention."""
    return " ".join(_word(word) for word in one_line(text).split(" "))


def _word(word: str) -> str:
    """A word; what closes a sentence or a bracket stays outside of code."""
    plain = word.rstrip(".,;:)")
    start = "(" if plain.startswith("(") else ""
    told = prose(plain.removeprefix("("))
    end = word[len(plain) :]
    return f"{start}{told}{end}" if told.startswith("`") else prose(word)
