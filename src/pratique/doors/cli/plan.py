"""`pratique plan`, `apply` and `undo`: from the verdict to the steps, and back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

PLAN_FORMATS = ("brief", "text", "markdown", "html", "json")


@click.command()
@click.argument("report", required=False, metavar="[REPORT]")
@click.option("--case", type=click.Path(), metavar="DIR", help="Take reports from this case, and add the plan to it.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The key of the case.")
@click.option("--incidents", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
@click.option("--format", "format_name", type=click.Choice(PLAN_FORMATS), default="brief", show_default=True)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write the plan to this file; its suffix chooses the format (.json for apply). May be repeated.",
)
@click.option("--step", "steps", multiple=True, metavar="N|ID", help="Show all of this step; may be repeated.")
@click.option("--online", is_flag=True, help="Ask the registry that your client is configured for about good releases.")
@click.option("--no-proof", is_flag=True, help="Show repaired lockfiles to no package manager.")
def plan(
    report: str | None,
    case: str | None,
    key: Path | None,
    incidents: Path | None,
    format_name: str,
    outputs: tuple[str, ...],
    steps: tuple[str, ...],
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
    found = api.plan(
        api.PlanRequest(report=report, case=case, key=key, incidents=incidents, online=online, proof=not no_proof)
    )
    for name, form in forms:
        write_whole(name, [api.render_plan(found, form)])
    sys.stdout.buffer.write(api.plan_steps(found, steps) if steps else api.render_plan(found, format_name))
    sys.stdout.flush()
    for name in outputs:
        sys.stderr.write(f"plan: {name}\n")
    return 4 if found.held_back or found.notes else 0


def _apply_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that apply and undo share."""
    for option in reversed(
        (
            click.argument("plan", metavar="PLAN", type=click.Path()),
            click.option("--confirm", required=True, metavar="DIGEST", help="The digest that the plan was shown with."),
            click.option("--case", type=click.Path(), metavar="DIR", help="The case that the plan belongs to."),
            click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The key of the case."),
            click.option("--step", "steps", multiple=True, metavar="ID", help="Only this step; may be repeated."),
        )
    ):
        command = option(command)
    return command


@click.command()
@_apply_options
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["unsafe", "unsealed", "uncommitted"]),
    help="Unsafe steps; to work without a sealed case; to edit a file with a change that is not committed.",
)
def apply(
    plan: str, confirm: str, case: str | None, key: Path | None, steps: tuple[str, ...], allow: tuple[str, ...]
) -> int:
    """Do the safe steps of a plan that was shown: edits of project files, moves into quarantine.

    Every condition is tested right before its step; each step has a receipt. It stops at the first that is refused or
    fails; run it again to go on. No program is started, no service is touched.

    Exit codes: 0 done; 1 internal error; 2 usage, or the plan cannot be used: nothing was changed; 4 done, and steps
    were left or are held back; 5 a step was refused or failed.
    """
    from pratique import api

    found = api.apply(_request(plan, confirm, case, key, steps, allow))
    for line in api.applied_lines(found):
        click.echo(line)
    return int(found.exit_code)


@click.command()
@_apply_options
@click.option(
    "--allow",
    multiple=True,
    type=click.Choice(["payload"]),
    help="Put what was quarantined back where it lay: a payload is on a live path again.",
)
def undo(
    plan: str, confirm: str, case: str | None, key: Path | None, steps: tuple[str, ...], allow: tuple[str, ...]
) -> int:
    """Undo the steps of a plan, last first: the bytes from before stand there again, with mode and times.

    A file that changed since is left alone, and the step refuses. What was quarantined stays there without --allow.

    Exit codes: 0 undone; 1 internal error; 2 usage, or the plan cannot be used; 4 undone, and something stays in
    quarantine; 5 a step was refused or failed.
    """
    from pratique import api

    found = api.undo(_request(plan, confirm, case, key, steps, allow))
    for line in api.applied_lines(found):
        click.echo(line)
    return int(found.exit_code)


def _request(
    plan: str, confirm: str, case: str | None, key: Path | None, steps: tuple[str, ...], allow: tuple[str, ...]
) -> Any:
    from pratique import api

    return api.ApplyRequest(plan=plan, confirm=confirm, case=case, key=key, allow=frozenset(allow), steps=steps)
