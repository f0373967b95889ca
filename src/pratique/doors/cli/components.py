"""`pratique components`: the inventory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click


@click.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@click.option(
    "--format", "format_name", type=click.Choice(["ndjson", "cyclonedx"]), default="ndjson", show_default=True
)
@click.option("--output", metavar="FILE", help="Write to this file instead of standard output.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Accepted for scripts; one process streams in a fixed order.")
@click.option("--max-file", metavar="SIZE", help="Largest file to read, such as 256M. Default: 64M.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Narrow the scope; counted in the coverage, no gap.")
def components(
    targets: tuple[str, ...],
    format_name: str,
    output: str | None,
    jobs: int | None,
    max_file: str | None,
    exclude: tuple[str, ...],
) -> int:
    """List every package occurrence: one line of JSON each, the coverage last.

    TARGET is a folder or file; none means this user on this machine: caches, stores, logs and global roots.

    Exit codes: 0 every relevant artifact read; 1 internal error; 2 usage; 3 nothing examined;
    4 something relevant could not be read; 130 interrupted.
    """
    from pratique import api
    from pratique.doors.cli import values
    from pratique.doors.cli.commands import write_whole

    specs, _, _ = values.scope(targets, exclude)
    request = api.ComponentsRequest(
        targets=tuple(specs), limit=values.size(max_file) if max_file else None, exclude=exclude
    )
    inventory = api.components(request)
    render = api.inventory_bill if format_name == "cyclonedx" else api.inventory_lines
    if output:
        write_whole(output, render(inventory, inventory.coverage))
    else:
        try:
            _print(render(inventory, inventory.coverage))
        except KeyboardInterrupt:
            inventory.interrupt()
            _print(render(inventory, inventory.coverage))
    coverage = inventory.coverage()
    _summarise(coverage)
    return coverage.exit_code


def _print(parts: Iterator[bytes]) -> None:
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()


def _summarise(coverage: Any) -> None:
    """What could not be read, in one line for people; the coverage record holds it whole."""
    from pratique.api import printable

    if coverage.refusals:
        first = coverage.refusals[0]
        more = f" and {len(coverage.refusals) - 1} more" if len(coverage.refusals) > 1 else ""
        sys.stderr.write(f"not examined: {printable(first.path)} ({printable(first.reason)}){more}\n")
    if coverage.artifacts == 0:
        sys.stderr.write("nothing examined: no reader was offered a file\n")
