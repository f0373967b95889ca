"""`pratique doctor`: what can be examined here, and whether this environment can be trusted."""

from __future__ import annotations

import click

_MARKS = {"ok": "ok", "note": "note", "gap": "GAP", "warning": "WARNING"}


@click.command()
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(format_name: str) -> int:
    """Say what can be examined here and what cannot, and whether this program's own environment can be trusted.

    Exit codes: 0 nothing wrong; 4 something could not be examined or is suspicious.
    """
    from pratique import api

    diagnosis = api.doctor()
    if format_name == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(diagnosis), indent=2).decode())
        return diagnosis.exit_code
    area = ""
    for finding in diagnosis.findings:
        if finding.area != area:
            area = finding.area
            click.echo(area)
        click.echo(f"  {_MARKS[finding.level]:<8}{api.printable(finding.what)}")
        if finding.advice:
            click.echo(f"  {'':<8}{api.printable(finding.advice)}")
    return diagnosis.exit_code
