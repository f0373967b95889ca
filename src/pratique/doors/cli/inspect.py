"""`pratique inspect`: judge a release by what it changes."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.argument("references", nargs=-1, metavar="[REF]...")
@click.option(
    "--against",
    metavar="REF|auto|none",
    default="auto",
    show_default=True,
    help="What it is compared with. auto: the nearest lower release of the same line.",
)
@click.option(
    "--lockfile",
    "lockfiles",
    nargs=2,
    metavar="OLD NEW",
    help="Inspect every release that is new in a lockfile, against the one whose place it took.",
)
@click.option(
    "--from",
    "folders",
    multiple=True,
    metavar="DIR",
    help="Take archives from this folder first: flat, or the storage of a mirror. May be repeated.",
)
@click.option("--offline", is_flag=True, help="Fetch nothing: folders, caches, stores and installed copies alone.")
@click.option("--online", is_flag=True, help="Ask the registry for what a path needs too, such as its predecessor.")
@click.option("--at", metavar="TIME", help="Resolve as if it were then, in ISO 8601 (UTC where no zone is given).")
@click.option(
    "--depth",
    type=click.IntRange(0, 4),
    default=2,
    show_default=True,
    help="How deep newly resolved dependencies are followed.",
)
@click.option(
    "--source",
    default="",
    metavar="DIR",
    help="Compare it with its tagged source, checked out in this folder.",
)
@click.option("--rebuild", default="", metavar="DIR", help="Compare it with what a rebuild of it gave.")
@click.option("--trust", is_flag=True, help="Fetch attestations too, and verify them. Signatures are verified anyway.")
@click.option("--rules", type=click.Path(path_type=Path), metavar="DIR", help="A folder of further rules.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes to use. Default: the processors.")
@click.option("--no-memory", is_flag=True, help="Neither use nor keep facts and archives of earlier runs.")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(["text", "html", "json", "sarif"]),
    default="text",
    show_default=True,
)
@click.option("--all", "every", is_flag=True, help="Show every finding, release and gap, not one screen.")
@click.option("--output", metavar="FILE", help="Write the report to this file.")
def inspect(
    references: tuple[str, ...],
    against: str,
    lockfiles: tuple[str, str] | None,
    folders: tuple[str, ...],
    offline: bool,
    online: bool,
    at: str | None,
    depth: int,
    source: str,
    rebuild: str,
    trust: bool,
    rules: Path | None,
    jobs: int | None,
    no_memory: bool,
    format_name: str,
    every: bool,
    output: str | None,
) -> int:
    """Judge releases by what they change, before any advisory. Nothing of a release is executed.

    REF is npm:NAME@VERSION, pypi:NAME==VERSION, a package URL, or the path of a tarball, wheel, source archive or
    folder. Of npm a range or tag will do, and a name alone means the latest. A release of a registry is asked for at
    the one that the user's npm, pip or uv is configured for; a path touches no network.

    Exit codes: 0 nothing found in what was examined, or a note; 12 review; 13 block; 4 neither was reached and
    something relevant was not examined; 1 internal error; 2 usage.
    """
    from pratique import api
    from pratique.doors.cli import values
    from pratique.doors.cli.commands import write_whole

    report = api.inspect(
        api.InspectRequest(
            references=references,
            lockfiles=lockfiles,
            against=against,
            folders=folders,
            offline=offline,
            online=online,
            at=values.moment(at, "--at").timestamp() if at is not None else None,
            depth=depth,
            source=source,
            rebuild=rebuild,
            trust=trust,
            rules=rules,
            jobs=jobs or 0,
            command=("pratique", *sys.argv[1:]),
            remember=not no_memory,
        )
    )
    if format_name == "text":
        whole = "".join(f"{line}\n" for line in api.release_lines(report, every=every or output is not None)).encode()
    else:
        whole = {"json": api.release_json, "html": api.release_html, "sarif": api.release_sarif}[format_name](report)
    if output is not None:
        write_whole(output, [whole])
        sys.stderr.write(f"report: {output}\n")
    else:
        sys.stdout.buffer.write(whole)
        sys.stdout.flush()
    return api.release_exit_code(report)
