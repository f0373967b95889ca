"""`pratique reach`: what the account or job could read."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import click

FORMATS = ("text", "json", "markdown")
ON_SCREEN = 15
"""Credentials that the text on the screen shows whole."""


@click.command()
@click.option("--home", metavar="DIR", help="Another home folder than this account's, such as a copy of one.")
@click.option("--root", metavar="DIR", help="A mounted disk; with --user.")
@click.option("--user", metavar="NAME", help="Another account, of this machine or of the disk.")
@click.option("--project", "projects", multiple=True, metavar="DIR", help="Look in this project too; may be repeated.")
@click.option(
    "--workflow",
    "workflows",
    multiple=True,
    metavar="FILE",
    help="What the jobs of this workflow file held, by name; may be repeated.",
)
@click.option("--job", metavar="NAME", help="This job of the workflow files and reports alone.")
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="FILE",
    help="What the jobs in this report of `pratique check --format json` held; may be repeated.",
)
@click.option(
    "--incident",
    "incidents",
    multiple=True,
    metavar="ID|FILE",
    help="Say what this incident does with each class, and what was there in its window; may be repeated.",
)
@click.option("--incidents", "folder", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
@click.option("--window", metavar="START..END", help="The time that counts, in place of the incidents' own.")
@click.option("--case", "case", metavar="DIR", help="Write the inventory into this case, with fingerprints by its key.")
@click.option(
    "--fingerprint",
    is_flag=True,
    help="Without a case: make fingerprints with a key of this user, made where there is none.",
)
@click.option(
    "--format", "format_name", type=click.Choice(FORMATS), help="Default: text, or by the suffix of --output."
)
@click.option("--all", "every", is_flag=True, help="Show every credential on the screen, not the first alone.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to this file.")
def reach(
    home: str | None,
    root: str | None,
    user: str | None,
    projects: tuple[str, ...],
    workflows: tuple[str, ...],
    job: str | None,
    reports: tuple[str, ...],
    incidents: tuple[str, ...],
    folder: Path | None,
    window: str | None,
    case: str | None,
    fingerprint: bool,
    format_name: str | None,
    every: bool,
    output: Path | None,
) -> int:
    """Which credentials could a compromised install have read?

    Where they are, whose, how protected, since when: never their value, a part of one, or a plain digest. Places come
    from a fixed table; password stores and browsers are only told to be there. Nothing is started, asked or sent.

    Exit codes: 0 every place could be looked at; 1 internal error; 2 usage; 4 some place could not be looked at.
    """
    from pratique import api
    from pratique.doors.cli import values

    if root is not None and home is not None:
        raise api.UsageError("--root and --home exclude each other")
    if job is not None and not (workflows or reports):
        raise api.UsageError("--job needs --workflow or --report")
    selected: tuple[api.Incident, ...] = ()
    if incidents:
        selection = api.select(
            incidents=incidents,
            folder=folder,
            bad=(),
            window=None,
            today=datetime.datetime.now(datetime.UTC).date(),
            every=True,
        )
        selected = selection.incidents
    span: tuple[float, float | None] | None = None
    if window is not None:
        start, end = values.window(window)
        span = (start.timestamp(), end.timestamp() if end is not None else None)
    report = api.reach(
        api.ReachRequest(
            home=home,
            root=root,
            user=user,
            projects=projects,
            workflows=workflows,
            job=job,
            reports=reports,
            incidents=selected,
            window=span,
            case=case,
            fingerprint=fingerprint,
        )
    )
    suffix = output.suffix.lower() if output is not None else ""
    chosen = format_name or {".json": "json", ".md": "markdown", ".markdown": "markdown"}.get(suffix, "text")
    if chosen == "json":
        content = api.reach_json(report)
    else:
        most = None if every or output is not None else ON_SCREEN
        lines = api.reach_lines(report, most) if chosen == "text" else api.reach_markdown(report)
        content = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.flush()
    else:
        _write(output, content)
    return 0 if report.complete else 4


def _write(path: Path, content: bytes) -> None:
    """Write a file that this user alone may read: it is a map for the next attacker."""
    import os

    from pratique import api

    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
    except OSError as error:
        raise api.UsageError(f"cannot be written: {error.strerror}", where=str(path)) from None
