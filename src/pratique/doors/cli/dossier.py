"""What a case shows to people: its timeline and its pages."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click


@click.command("timeline")
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_name", type=click.Choice(["text", "html", "csv", "json"]), default="text", show_default=True
)
@click.option("--output", metavar="FILE", help="Write it to this file instead of standard output.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The key of the case.")
def timeline(folder: Path, format_name: str, output: str | None, key: Path | None) -> int:
    """What happened when: the incident's window, what was seen, the times of copied files, the response.

    CSV has the columns that timesketch imports. Exit codes: 0 shown; 1 internal error; 2 usage, or the case cannot be
    read.
    """
    from pratique import api
    from pratique.doors.cli.commands import write_whole

    with api.open_case(folder, key=key, writing=False) as opened:
        found = api.dossier(opened)
    parts = api.case_timeline(found, format_name)
    if output is not None:
        write_whole(output, parts)
        sys.stderr.write(f"timeline: {output}\n")
        return 0
    for part in parts:
        sys.stdout.buffer.write(part)
    sys.stdout.flush()
    return 0


@click.command("report")
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@click.option("--output", "target", metavar="DIR", required=True, help="The folder that the pages are written into.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The key of the case.")
def report(folder: Path, target: str, key: Path | None) -> int:
    """Write the pages of a case: summary, evidence, rotation checklist, coverage, timeline, one for each subject.

    Exit codes: 0 written; 1 internal error; 2 usage, or the case cannot be read.
    """
    from pratique import api
    from pratique.doors.cli.commands import write_whole

    with api.open_case(folder, key=key, writing=False) as opened:
        found = api.dossier(opened)
    try:
        Path(target).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise api.UsageError(f"cannot be made: {error.strerror}", where=target, advice="Name another folder") from None
    for name, page in api.case_pages(found).items():
        write_whole(str(Path(target) / name), [page])
    click.echo(f"{Path(target) / 'index.html'}")
    return 0


@click.command("export")
@click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", required=True, help="The archive, .tar.gz.")
@click.option("--include-raw", is_flag=True, help="Put the bytes of the evidence in, encrypted to the recipients.")
@click.option(
    "--recipient",
    "recipients",
    multiple=True,
    metavar="KEY|FILE",
    help="Who may open the raw evidence: an age or SSH public key. May be repeated.",
)
@click.option("--ssh-key", type=click.Path(path_type=Path), metavar="FILE", help="Sign with this key of SSH.")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The key of the case.")
def export(
    folder: Path,
    output: Path,
    include_raw: bool,
    recipients: tuple[str, ...],
    ssh_key: Path | None,
    key: Path | None,
) -> int:
    """Write one signed archive for an auditor: pages, reports, timeline, evidence list, plan, receipts, coverage.

    Raw bytes go in with --include-raw alone. `pratique case verify FILE` checks the archive anywhere, offline. Exit
    codes: 0 written; 1 internal error; 2 usage, or it cannot be written.
    """
    from pratique import api

    with api.open_case(folder, key=key) as opened:
        done = api.export_case(opened, output, include_raw=include_raw, recipients=recipients, ssh_key=ssh_key)
    click.echo(f"{done.path}")
    click.echo(
        f"sha256 {done.sha256}  {done.files} files, {done.size:,} bytes, {done.raw} raw, signed by {done.signer}"
    )
    return 0


def export_lines(proof: Any) -> list[str]:
    """The lines of `case verify` on an export."""
    from pratique.api import printable

    head = "DISAGREES" if proof.disagreements else "AGREES"
    lines = [f"{head:<12}  export of case {printable(proof.case)}: {proof.files} files, {proof.entries} entries"]
    lines.append(f"  {'head':<10}  {printable(proof.head)}")
    lines.append(f"  {'signed by':<10}  {proof.signer}{' (trusted)' if proof.trusted else ''}")
    if proof.left_out:
        lines.append(f"  {'left out':<10}  {proof.left_out} entries stand with their digest alone")
    lines += [f"  {'WRONG':<10}  {printable(item)}" for item in proof.disagreements]
    lines += [f"  {'open':<10}  {printable(item)}" for item in proof.not_verified]
    return lines
