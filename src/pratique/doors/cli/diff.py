"""`pratique diff`: what changed between two releases."""

from __future__ import annotations

import sys

import click


@click.command()
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option(
    "--from",
    "folders",
    multiple=True,
    metavar="DIR",
    help="Take archives from this folder first: flat, or the storage of a mirror. May be repeated.",
)
@click.option("--offline", is_flag=True, help="Fetch nothing: folders, caches, stores and installed copies alone.")
@click.option("--at", metavar="TIME", help="Resolve as if it were then, in ISO 8601 (UTC where no zone is given).")
@click.option("--no-memory", is_flag=True, help="Neither use nor keep facts and archives of earlier runs.")
@click.option("--all", "every", is_flag=True, help="Show each section whole, removed code too; not one screen.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "html", "json", "sarif"]),
    default="text",
    show_default=True,
)
@click.option("--output", metavar="FILE", help="Write the report to this file.")
def diff(
    old: str,
    new: str,
    folders: tuple[str, ...],
    offline: bool,
    at: str | None,
    no_memory: bool,
    every: bool,
    format_name: str,
    output: str | None,
) -> int:
    """Show what changed between two releases, for a person who reads it. Nothing of a release is executed.

    OLD and NEW are npm:NAME@VERSION, pypi:NAME==VERSION, package URLs, or paths of a tarball, wheel, source archive or
    folder. What is new and runs by itself comes first. It judges nothing: pratique inspect does.

    Exit codes: 0 shown; 4 something relevant was not examined; 1 internal error; 2 usage.
    """
    from pratique import api
    from pratique.doors.cli import values
    from pratique.doors.cli.commands import write_whole

    found = api.difference(
        api.DifferenceRequest(
            old=old,
            new=new,
            folders=folders,
            offline=offline,
            at=values.moment(at, "--at").timestamp() if at is not None else None,
            command=("pratique", *sys.argv[1:]),
            remember=not no_memory,
        )
    )
    if format_name == "text":
        whole = "".join(f"{line}\n" for line in api.difference_lines(found, every=every)).encode()
    else:
        forms = {"json": api.difference_json, "html": api.difference_html, "sarif": api.difference_sarif}
        whole = forms[format_name](found)
    if output is not None:
        write_whole(output, [whole])
        sys.stderr.write(f"report: {output}\n")
    else:
        sys.stdout.buffer.write(whole)
        sys.stdout.flush()
    return api.difference_exit_code(found)
