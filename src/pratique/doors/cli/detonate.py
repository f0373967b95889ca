"""`pratique detonate`: run a suspect release in a sandbox and tell what it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal, cast

import click

Persona = Literal["laptop", "ci", "root"]


@click.command()
@click.argument("references", nargs=-1, required=True, metavar="REF|FILE...")
@click.option("--persona", "personas", multiple=True, type=click.Choice(["laptop", "ci", "root"]),
              help="Who meets it; may be repeated. Default: laptop and ci.")  # fmt: skip
@click.option("--linger", type=click.FloatRange(0, 3600), default=5.0, show_default=True, metavar="SECONDS",
              help="Watch what survives the install and import for so long.")  # fmt: skip
@click.option("--time", "seconds", type=click.FloatRange(1, 3600), default=120.0, show_default=True, metavar="SECONDS",
              help="End a run after so long, lingering apart.")  # fmt: skip
@click.option("--from", "folders", multiple=True, metavar="DIR", help="Take archives from this folder first.")
@click.option("--offline", is_flag=True, help="Fetch nothing: folders, caches and stores alone.")
@click.option("--online", is_flag=True, help="Fetch the dependencies of paths too, from the configured registry.")
@click.option("--json", "as_json", is_flag=True, help="The report as JSON, on standard output.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write a page with the process trees drawn.")  # fmt: skip
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write every event to this file, one JSON object a line.")  # fmt: skip
@click.option("--all", "every", is_flag=True, help="Show every fact, the tree of processes and the sandbox's layers.")
def detonate(
    references: tuple[str, ...],
    personas: tuple[str, ...],
    linger: float,
    seconds: float,
    folders: tuple[str, ...],
    offline: bool,
    online: bool,
    as_json: bool,
    html: Path | None,
    events: Path | None,
    every: bool,
) -> int:
    """Install and import a suspect release in a sandbox, and tell what it does. THIS RUNS IT.

    REF is npm:NAME@VERSION, pypi:NAME==VERSION, a package URL, or the path of a tarball, wheel, source archive or
    folder. Several are at hand together; those that others depend on are installed as dependencies. Refuses to run
    where the sandbox cannot be made whole (Linux; an account that may make user namespaces, or root).

    Exit codes: 0 nothing above a note; 12 review; 13 block; 4 neither, and a step or run did not come to a good end;
    2 usage, or nothing can be contained here and nothing was run; 1 internal error.
    """
    from pratique import api
    from pratique.doors.cli.commands import write_whole

    report = api.detonate(
        api.DetonateRequest(
            references=references,
            personas=tuple(cast(Persona, one) for one in personas) or ("laptop", "ci"),
            linger=linger,
            seconds=seconds,
            folders=folders,
            offline=offline,
            online=online,
            events=events,
            command=("pratique", *sys.argv[1:]),
        )
    )
    if html is not None:
        write_whole(str(html), [api.detonation_html(report)])
        sys.stderr.write(f"report: {html}\n")
    if as_json:
        sys.stdout.buffer.write(api.detonation_json(report))
        sys.stdout.flush()
    else:
        for line in api.detonation_lines(report, every=every):
            click.echo(line)
    return api.detonation_exit_code(report)
