"""`pratique resolve`: what would have been installed."""

from __future__ import annotations

import datetime
import os
import sys
from pathlib import Path

import click


@click.command()
@click.argument("targets", nargs=-1, metavar="[DIR|PACKAGE@RANGE]...")
@click.option("--at", metavar="TIME", help="The moment, in ISO 8601 (UTC where no zone is given).")
@click.option("--window", metavar="START..END", help="A span of time instead of one moment.")
@click.option(
    "--packument",
    "documents",
    multiple=True,
    metavar="FILE",
    help="A registry's document of a package, as JSON; may be repeated. Removed releases come back from the incident.",
)
@click.option("--registry", metavar="URL", help="Fetch such documents from this registry. Without it: no network.")
@click.option(
    "--manager", metavar="NAME[@VERSION]", help="npm, pnpm, yarn, bun, pip or uv. Default: the project's own."
)
@click.option("--node", metavar="VERSION", help="The Node in use, for npm's preference by engines.")
@click.option(
    "--incident",
    "incidents",
    multiple=True,
    metavar="ID|FILE",
    help="Releases of this incident only; may be repeated. Default: all that are bundled.",
)
@click.option("--incidents", "folder", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
@click.option("--bad", multiple=True, metavar="NAME@VERSION[,VERSION...]|PURL", help="These releases; may be repeated.")
@click.option(
    "--ignore-locks", is_flag=True, help="Answer too for what a lockfile resolves, as a build that ignores it."
)
@click.option("--exclude", multiple=True, metavar="GLOB", help="Narrow the scope.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
def resolve(
    targets: tuple[str, ...],
    at: str | None,
    window: str | None,
    documents: tuple[str, ...],
    registry: str | None,
    manager: str | None,
    node: str | None,
    incidents: tuple[str, ...],
    folder: Path | None,
    bad: tuple[str, ...],
    ignore_locks: bool,
    exclude: tuple[str, ...],
    format_name: str,
) -> int:
    """Which version would a package manager have picked then?

    For projects without a lockfile, and builds that ignore theirs. DIR holds manifests and settings; PACKAGE@RANGE asks
    about one request (pypi:NAME@SPECIFIER for Python). None means this folder. Without --at or --window the answer is
    about the time at which the listed releases could be had. Every answer is an inference.

    Exit codes: 0 no listed release would have been picked; 1 internal error; 2 usage; 3 nothing examined;
    4 a listed release would have been picked, or it cannot be told.
    """
    from pratique import api
    from pratique.doors.cli import values

    if at is not None and window is not None:
        raise api.UsageError("--at and --window exclude each other")
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    if at is not None:
        start = values.moment(at, "--at")
    elif window is not None:
        start, end = values.window(window)
        if end is None or end == start:
            raise api.UsageError("needs an end after its start", where=f"--window {window}")
    asked: list[api.Asked] = []
    folders: list[str] = []
    for word in targets or (".",):
        request = None if os.path.lexists(word) else api.asked_for(word, manager)
        if request is not None:
            asked.append(request)
        else:
            folders.append(word)
    selection = api.select(
        incidents=incidents,
        folder=folder,
        bad=bad,
        window=(start, end) if bad and start is not None else None,
        today=datetime.datetime.now(datetime.UTC).date(),
        every=True,
    )
    for note in selection.notes:
        click.echo(note, err=True)
    found = api.resolve(
        api.ResolveRequest(
            targets=tuple(api.specify(folders)) if folders else (),
            asked=tuple(asked),
            incidents=selection.incidents,
            named=selection.named,
            start=start.timestamp() if start is not None else None,
            end=end.timestamp() if end is not None else None,
            documents=documents,
            registry=registry,
            manager=manager,
            node=node,
            exclude=exclude,
            ignore_locks=ignore_locks,
        )
    )
    if format_name == "json":
        sys.stdout.buffer.write(api.resolution_json(found))
    else:
        for line in api.resolution_lines(found):
            click.echo(line)
    sys.stdout.flush()
    return found.exit_code
