"""`pratique verify`: is it over?"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import click


@click.command()
@click.argument("case", metavar="[CASE]", type=click.Path(path_type=Path), default=Path())
@click.option("--incidents", "folder", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
@click.option("--bad", multiple=True, metavar="NAME@VERSION[,VERSION...]|PURL", help="As given to the check.")
@click.option(
    "--bad-list", "bad_lists", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="As for the check."
)
@click.option("--window", metavar="START..END", help="As given to the check.")
@click.option(
    "--accept-refusal",
    "accepted",
    multiple=True,
    metavar="PATH=REASON[;until=DATE]",
    help="A place that could not be examined, looked at by a person and accepted.",
)
@click.option("--max-file", metavar="SIZE", help="Largest file to read, such as 256M. Default: 64M.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Processes to use. Default: the processors, at most 4.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--output", metavar="FILE", help="Write the answer to this file as JSON too.")
@click.option(
    "--key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The key of the case. Default: pratique/keys/ID.key in this user's configuration folder.",
)
def verify(
    case: Path,
    folder: Path | None,
    bad: tuple[str, ...],
    bad_lists: tuple[Path, ...],
    window: str | None,
    accepted: tuple[str, ...],
    max_file: str | None,
    jobs: int | None,
    format_name: str,
    output: str | None,
    key: Path | None,
) -> int:
    """Is it over? Look at every place of a case again, and compare every credential that was in reach.

    CASE is the folder of a case; without it the current folder. The answer is `fixed` only where everything that was
    affected was looked at again and is gone or remediated, nothing relevant was refused, every credential in reach is
    recorded as dead or not needed, and a machine on which the code ran is recorded as rebuilt. It is written into the
    case, and what is still open is listed in order.

    Exit codes: 0 fixed; 1 internal error; 2 usage, or the case cannot be used; 4 under investigation; 10 affected;
    11 affected, and the code ran.
    """
    from pratique import api
    from pratique.doors.cli import values
    from pratique.doors.cli.commands import write_whole

    today = datetime.datetime.now(datetime.UTC).date()
    definitions: tuple[api.Incident, ...] = ()
    if bad or bad_lists:
        chosen = api.select(bad=bad, bad_lists=bad_lists, window=values.window(window) if window else None, today=today)
        definitions = chosen.incidents
    found = api.verify(
        api.VerifyRequest(
            case=case,
            key=key,
            definitions=folder,
            incidents=definitions,
            accepted=tuple(values.acceptance(text) for text in accepted),
            limit=values.size(max_file) if max_file else None,
            jobs=jobs or 0,
        )
    )
    whole = api.verification_json(found)
    if output is not None:
        write_whole(output, [whole])
        sys.stderr.write(f"verification: {output}\n")
    if format_name == "json":
        sys.stdout.buffer.write(whole)
        sys.stdout.flush()
    else:
        for line in api.verification_lines(found):
            click.echo(line)
    return found.exit_code
