"""`pratique guard`: run a command and tell what its packages did."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pratique.api import Guarded


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--reads/--no-reads", default=True, show_default=True, help="See what places of credentials are read.")
@click.option("--linger", type=click.FloatRange(0, 3600), default=1.0, show_default=True, metavar="SECONDS",
              help="Watch what survives the command for so long.")  # fmt: skip
@click.option(
    "--time", "seconds", type=click.FloatRange(min=0.01), metavar="SECONDS", help="End everything after so long."
)
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write every event to this file, one JSON object a line.")  # fmt: skip
@click.option("--block", is_flag=False, flag_value="usual", type=click.Choice(["usual", "strict"]), metavar="[strict]",
              help="Refuse to packages' scripts what the policy does; strict: only where all can be.")  # fmt: skip
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="What is refused, and what fails.")
@click.option("--means", type=click.Choice(["auto", "notify", "strace", "poll"]), default="auto", show_default=True,
              help="By what to watch: the best that can be had here, or this one alone.")  # fmt: skip
@click.option("--rules", type=click.Path(path_type=Path), multiple=True, metavar="PATH",
              help="A folder or file of further Sigma rules and exceptions. May be repeated.")  # fmt: skip
@click.option("--fail-on", type=click.Choice(["low", "medium", "high", "critical"]),
              help="Exit with 13 where a detection reaches this level, whatever the command's code.")  # fmt: skip
@click.option("--json", "json_file", metavar="FILE", help="Write detections, coverage and survivors as JSON.")
@click.option("--sarif", "sarif_file", metavar="FILE", help="Write detections as SARIF 2.1.0.")
@click.option("--case", "case_folder", type=click.Path(path_type=Path), metavar="DIR",
              help="Write detections, report and events into this case.")  # fmt: skip
@click.option("--key", "case_key", type=click.Path(path_type=Path), metavar="FILE", help="The key of that case.")
@click.option("--github/--no-github", default=None,
              help="Annotate, and add to the step's summary. Default: where GITHUB_ACTIONS is set.")  # fmt: skip
@click.argument("command", nargs=-1, type=click.UNPROCESSED, metavar="COMMAND...")
def guard(
    reads: bool,
    linger: float,
    seconds: float | None,
    events: Path | None,
    block: str | None,
    policy: Path | None,
    means: str,
    rules: tuple[Path, ...],
    fail_on: str | None,
    json_file: str | None,
    sarif_file: str | None,
    case_folder: Path | None,
    case_key: Path | None,
    github: bool | None,
    command: tuple[str, ...],
) -> int:
    """Run COMMAND and tell, by package and step, what was started, reached, read and left behind.

    Rules judge what was seen. Needs no root and works inside containers (Linux). Without --block it denies nothing. The
    exit code is that of COMMAND, or 13 with --fail-on. The summary goes to standard error. Write the command after two
    dashes: pratique guard -- npm ci
    """
    from pratique import api
    from pratique.doors.cli.commands import write_whole

    found = api.guard(
        command,
        reads=reads,
        linger=linger,
        seconds=seconds,
        events=events,
        rules=rules,
        block=block,  # type: ignore[arg-type]  # one of the choices
        policy=policy,
        means=None if means == "auto" else means,  # type: ignore[arg-type]  # one of the choices
        case=case_folder,
        case_key=case_key,
        fail_on=fail_on,  # type: ignore[arg-type]  # one of the choices
    )
    if found.ended.code in (126, 127) and not found.events:
        why = "was not found" if found.ended.code == 127 else "cannot be executed"
        click.echo(f"pratique: {api.printable(command[0])}: {why}", err=True)
        return found.ended.code
    if json_file is not None:
        write_whole(json_file, [api.guard_json(found)])
    if sarif_file is not None:
        write_whole(sarif_file, [api.guard_sarif(found)])
    if github or (github is None and os.environ.get("GITHUB_ACTIONS") == "true"):
        _tell_github(found, os.environ.get("GITHUB_STEP_SUMMARY"))
    # What was asked for as a file is written first: the terminal may be gone.
    with contextlib.suppress(OSError):
        for line in api.guard_lines(found):
            click.echo(line, file=sys.stderr)
    return found.exit_code


def _tell_github(found: Guarded, summary: str | None) -> None:
    """Annotations on standard error, which the runner reads too, and a section of the step's summary."""
    from pratique import api

    for line in api.guard_annotations(found):
        click.echo(line, err=True)
    if not summary:
        return
    try:
        with open(summary, "a", encoding="utf-8") as file:
            file.write(api.guard_summary(found))
    except OSError as error:
        click.echo(f"pratique: {summary}: the step's summary cannot be written: {error.strerror}", err=True)
