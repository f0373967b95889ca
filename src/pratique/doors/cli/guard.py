"""`pratique guard`: run a command and tell what its packages did."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--reads/--no-reads", default=True, show_default=True, help="See what places of credentials are read.")
@click.option("--linger", type=click.FloatRange(0, 3600), default=1.0, show_default=True, metavar="SECONDS",
              help="Watch what survives the command for so long.")  # fmt: skip
@click.option(
    "--time", "seconds", type=click.FloatRange(min=0.01), metavar="SECONDS", help="End everything after so long."
)
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write every event to this file, one JSON object a line.")  # fmt: skip
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND...")
def guard(reads: bool, linger: float, seconds: float | None, events: Path | None, command: tuple[str, ...]) -> int:
    """Run COMMAND and tell, by package and step, what was started, reached, read and left behind.

    Needs no root and works inside containers (Linux). It records and denies nothing; the exit code is that of COMMAND.
    The summary goes to standard error. Write the command after two dashes: pratique guard -- npm ci
    """
    from pratique import api

    found = api.guard(command, reads=reads, linger=linger, seconds=seconds, events=events)
    if found.ended.code in (126, 127) and not found.events:
        why = "was not found" if found.ended.code == 127 else "cannot be executed"
        click.echo(f"pratique: {api.printable(command[0])}: {why}", err=True)
        return found.ended.code
    for line in api.guard_lines(found):
        click.echo(line, file=sys.stderr)
    return found.ended.code
