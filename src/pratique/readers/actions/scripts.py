"""The scripts of steps: commands of package managers that name a package of interest."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.ecosystems.actions.names import without_expressions
from pratique.ecosystems.npm.commands import MENTION, Command, Shell, commands, specifier
from pratique.model.observation import CommandFact
from pratique.model.ports import Everything
from pratique.readers.marked import Text

LONGEST = 65_536
"""Characters of one line of a script that are parsed."""


def typed(
    script: Text, wanted: frozenset[str] | Everything, shell: Shell = "posix"
) -> Iterator[tuple[int, CommandFact]]:
    """Line and fact of each command of a script that names a package of interest."""
    if MENTION.search(script.value) is None:
        return
    mark = "`" if shell == "powershell" else "\\"
    pending, start = "", 0
    lines = without_expressions(script.value).split("\n")
    for offset, line in enumerate(lines):
        if not pending:
            start = offset
        pending = f"{pending}{line}"
        if line.endswith(mark) and offset + 1 < len(lines) and len(pending) < LONGEST:
            pending = pending[:-1] + " "
            continue
        if MENTION.search(pending):
            for command in commands(pending[:LONGEST], shell):
                fact = named(command, wanted)
                if fact is not None:
                    yield script.line + (start if script.block else 0), fact
        pending = ""


def named(command: Command, wanted: frozenset[str] | Everything) -> CommandFact | None:
    """The fact of a command, None where it names no package of interest."""
    packages = command.packages
    found = isinstance(wanted, Everything) or any(name in wanted for name in command.names)
    if not isinstance(wanted, Everything):
        for word in command.doubtful:
            again = specifier(word)
            if again and again[1] in wanted:
                packages, found = (*packages, word), True
    if not found:
        return None
    return CommandFact(manager=command.manager, verb=command.verb, packages=packages, flags=command.flags)
