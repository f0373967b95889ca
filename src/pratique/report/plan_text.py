"""A plan as text for a terminal: steps in order, held back ones counted, the digest to confirm at the end."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator

from pratique.model.plan import PHASES, Command, Edit, Manual, Plan, Quarantine, Step
from pratique.report.words import count, one_line, printable

WIDTH = 100
HEADINGS = {
    "preserve": "PRESERVE  nothing is changed before the seal",
    "contain": "CONTAIN",
    "revert": "REVERT",
    "rotate": "ROTATE",
    "verify": "VERIFY",
    "monitor": "MONITOR",
    "prevent": "PREVENT",
    "communicate": "COMMUNICATE",
}
WHERE = {
    "affected-machine": "on the affected machine",
    "other-machine": "on another machine",
    "network": "in the network",
    "service": "at the service",
    "registry": "at the registry",
}
DISPOSITIONS = {
    "safe": "apply does it; undo restores it",
    "unsafe": "apply does it with --allow unsafe",
    "manual": "a person does it",
}


def plan_lines(plan: Plan) -> Iterator[str]:
    """The lines, without line ends."""
    yield f"PLAN  {printable(plan.host)}  {printable(plan.made)}  {count(len(plan.steps), 'step')}"
    if plan.incidents:
        yield f"      {printable(', '.join(plan.incidents))}"
    counts = [(phase, sum(step.phase == phase for step in plan.steps)) for phase in PHASES]
    if plan.steps:
        yield f"      {' · '.join(f'{phase} {number}' for phase, number in counts if number)}"
    for item in plan.held_back:
        yield ""
        yield from _filled(f"HELD BACK  {count(item.count, 'step')}: {item.incident}. {item.reason}", "", "  ")
    numbers = {step.id: number for number, step in enumerate(plan.steps, 1)}
    for phase in PHASES:
        steps = [step for step in plan.steps if step.phase == phase]
        if steps:
            yield ""
            yield HEADINGS[phase]
        for step in steps:
            yield ""
            yield from step_lines(numbers[step.id], step)
    if plan.notes:
        yield ""
        yield "NOT PLANNED"
        for note in plan.notes:
            yield from _filled(note, "  ", "    ")
    yield ""
    if not plan.steps:
        yield "Nothing listed was seen: there is nothing to do."
    yield f"Digest of this plan: {plan.digest}"


def step_lines(number: int, step: Step) -> Iterator[str]:
    """All that is known of one step."""
    yield from _filled(f"{number}. {step.title}", " ", "    ")
    yield f"    {printable(step.id)}  [{step.disposition}: {DISPOSITIONS[step.disposition]}]  {step.owner}"
    yield from _filled(f"Why: {step.reason}", "    ", "      ")
    for item in step.preconditions:
        yield from _filled(f"Before: {item.words}", "    ", "      ")
    if step.after:
        yield from _filled(f"After: {', '.join(step.after)}", "    ", "      ")
    if isinstance(step.action, Edit):
        yield f"    File: {printable(step.action.path)}"
        for line in step.action.diff.splitlines():
            yield f"    | {printable(line)}"
    elif isinstance(step.action, Quarantine):
        kind = "Folder" if step.action.folder else "File"
        yield f"    {kind}: {printable(step.action.path)}"
        yield f"    Digest: {printable(step.action.digest)}"
    else:
        yield from _manual(step.action)
    if step.proof:
        yield from _filled(f"Proof: {step.proof}", "    ", "      ")
    yield from _filled(f"Undo: {step.undo or 'cannot be undone'}", "    ", "      ")
    if step.check:
        yield from _filled(f"Check: {step.check}", "    ", "      ")
    if step.check_command is not None:
        yield from _command(step.check_command)
    if step.until:
        yield f"    Until: {printable(step.until)}"


def _manual(action: Manual) -> Iterator[str]:
    for line in action.instructions:
        yield from _filled(f"- {line}", "    ", "      ")
    for command in action.commands:
        yield from _command(command)
    for line in action.text.splitlines():
        yield f"    | {printable(line)}".rstrip()


def _command(command: Command) -> Iterator[str]:
    yield f"      $ {command_line(command)}"
    told = [WHERE[command.where]] if command.where != "affected-machine" else []
    if command.note:
        told.append(command.note)
    if told:
        yield from _filled(f"# {'; '.join(told)}", "        ", "        ")


def command_line(command: Command) -> str:
    """A command as it may be copied into a shell; places to fill in (`<ID>`) stay as they are."""
    words = [word if _placeholder(word) else shlex.quote(word) for word in command.words]
    return printable(" ".join(words))


def _placeholder(word: str) -> bool:
    """Whether a word is, or holds, a name in angle brackets and nothing that a shell would act on beside them."""
    rest = word.replace("<", "").replace(">", "")
    return "<" in word and all(char.isalnum() or char in " -_./:=@?" for char in rest)


def _filled(text: str, first: str, more: str) -> list[str]:
    """A paragraph within the width; control characters spelled."""
    return textwrap.wrap(
        printable(one_line(text)),
        WIDTH,
        initial_indent=first,
        subsequent_indent=more,
        break_long_words=False,
        break_on_hyphens=False,
    )
