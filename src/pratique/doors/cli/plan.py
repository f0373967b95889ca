"""`pratique plan`, `apply` and `undo`: from the verdict to the steps, and back."""

from __future__ import annotations

import sys
from pathlib import Path

import click

PLAN_FORMATS = ("text", "json")


@click.command()
@click.argument("report", required=False, metavar="[REPORT]")
@click.option("--case", type=click.Path(), metavar="DIR", help="Take reports from this case, and add the plan to it.")
@click.option("--incidents", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
@click.option("--format", "format_name", type=click.Choice(PLAN_FORMATS), default="text", show_default=True)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write the plan to this file; its suffix chooses the format (.json for apply). May be repeated.",
)
@click.option("--online", is_flag=True, help="Ask the registry that your client is configured for about good releases.")
@click.option("--no-proof", is_flag=True, help="Show repaired lockfiles to no package manager.")
def plan(
    report: str | None,
    case: str | None,
    incidents: Path | None,
    format_name: str,
    outputs: tuple[str, ...],
    online: bool,
    no_proof: bool,
) -> int:
    """What to do, in order, with reasons: from a report's JSON form or from a case. Nothing is changed.

    Exit codes: 0 planned, or nothing to do; 1 internal error; 2 usage; 4 a step is held back until a dead man's switch
    was looked for, or something could not be planned.
    """
    from pratique import api
    from pratique.doors.cli.commands import write_whole

    if report is None and case is None:
        raise api.UsageError("needs a report or a case", where="plan", advice="pratique check --output report.json")
    forms = [(name, api.plan_form_of(name)) for name in outputs]
    found = api.plan(api.PlanRequest(report=report, case=case, incidents=incidents, online=online, proof=not no_proof))
    for name, form in forms:
        write_whole(name, [api.render_plan(found, form)])
    sys.stdout.buffer.write(api.render_plan(found, format_name))
    sys.stdout.flush()
    for name in outputs:
        sys.stderr.write(f"plan: {name}\n")
    return 4 if found.held_back or found.notes else 0
