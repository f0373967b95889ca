"""`pratique host`: the sweep of a machine."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from pratique import api

FORMATS = ("text", "json", "ndjson", "sarif", "html", "markdown")


@click.command()
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The disk of another machine, mounted or unpacked here. Default: this machine, while it runs.",
)
@click.option(
    "--incident",
    "incidents",
    multiple=True,
    metavar="ID|FILE",
    help="Sweep for this incident only; may be repeated. Default: all that are bundled.",
)
@click.option(
    "--incidents",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="More definitions; one with a known id and no lower revision replaces it.",
)
@click.option("--format", "format_name", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write a report to this file; its suffix chooses the format. May be repeated.",
)
@click.option(
    "--accept-refusal",
    "accepted",
    multiple=True,
    metavar="PATH=REASON[;until=DATE]",
    help="A place that could not be examined, looked at by a person and accepted.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["affected", "incomplete"]),
    default="incomplete",
    show_default=True,
    help="With `affected`, exit 0 instead of 4.",
)
@click.option(
    "--case",
    "case_folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the report into this case, with what it says of a dead man's switch.",
)
@click.option("--key", "case_key", type=click.Path(path_type=Path), metavar="FILE", help="The key of that case.")
def host(  # the options of one command
    root: Path | None,
    incidents: tuple[str, ...],
    folder: Path | None,
    format_name: str,
    outputs: tuple[str, ...],
    accepted: tuple[str, ...],
    fail_on: str,
    case_folder: Path | None,
    case_key: Path | None,
) -> int:
    """Does anything of an incident run here, start by itself, or lie where it leaves things?

    Processes, connections, start-up entries, dropped files, runners, names that were resolved. Nothing is stopped or
    changed. What another account keeps closed is a gap of the machine: run it as root to close it.

    Exit codes: as those of check.
    """
    from pratique import api
    from pratique.doors.cli import values
    from pratique.doors.cli.commands import write_whole

    today = datetime.datetime.now(datetime.UTC).date()
    renderers = [(name, api.for_file(name)) for name in outputs]
    selection = api.select(incidents=incidents, folder=folder, today=today)
    target = api.host_target(root)
    what = "this machine while it runs" if root is None else f"the disk at {root}"
    request = api.CheckRequest(
        targets=(target,),
        incidents=selection.incidents,
        named=selection.named,
        digests=selection.digests,
        accepted=tuple(values.acceptance(text) for text in accepted),
        scope=f"{what}; projects, caches, stores and logs were not asked: pratique check",
        not_asked=("projects, caches, stores and logs were not asked",),
        notes=selection.notes,
    )
    if case_folder is not None:
        api.open_case(case_folder, key=case_key).close()  # what is wrong with it is said before the work, not after
    report = api.check(request)
    unwritten: api.PratiqueError | None = None
    lines: list[str] = []
    if case_folder is not None:
        try:
            lines += _into(case_folder, case_key, report, selection)
        except api.PratiqueError as error:  # the answer is shown all the same, then why it is not in the case
            unwritten = error
    for name, chosen in renderers:
        write_whole(name, chosen.render(report))
        lines.append(f"report: {name}")
    lines += [api.printable(line) for line in api.gap_advice(report)]
    for part in api.renderer(format_name).render(report):
        sys.stdout.buffer.write(part)
    sys.stdout.flush()
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    if unwritten is not None:
        raise unwritten
    code = report.exit_code
    if report.coverage.interrupted and code < 10:
        return 130
    return 0 if fail_on == "affected" and code == 4 else code


def _into(folder: Path, key: Path | None, report: api.Report, selection: api.Selection) -> list[str]:
    """Write the report, its evidence and what it says of dead man's switches; lines that tell of it."""
    from pratique import api

    with api.open_case(folder, key=key) as opened:
        collected = api.record_report(opened, report, selection.incidents)
        lines = [f"evidence: {collected.words}, in {opened.folder}"]
        for record in api.record_sweeps(opened, report, selection.incidents):
            said = record.words if not record.outcome else f"{record.outcome}; {record.words}"
            lines.append(api.printable(f"dead man's switch of {record.incident}: {said}"))
    return lines
