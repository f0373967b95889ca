"""`pratique selftest`: proves on this machine that detection works."""

from __future__ import annotations

import click


@click.command()
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
def selftest(format_name: str) -> int:
    """Prove on this machine that detection works, with inert workspaces in a temporary folder.

    Exit codes: 0 everything came out as it must; 1 something did not; 2 no temporary folder can be made.
    """
    from pratique import api

    proofs = list(api.selftest())
    failed = [proof for proof in proofs if not proof.ok]
    if format_name == "json":
        import msgspec

        rows = [{**msgspec.to_builtins(proof), "ok": proof.ok} for proof in proofs]
        click.echo(msgspec.json.format(msgspec.json.encode(rows), indent=2).decode())
        return 1 if failed else 0
    width = max(len(proof.name) for proof in proofs)
    answers = max(len(proof.expected) for proof in proofs)
    for proof in proofs:
        line = f"{'ok' if proof.ok else 'FAILED':<6}  {proof.name:<{width}}  {proof.expected:<{answers}}  {proof.what}"
        click.echo(line)
        if not proof.ok:
            click.echo(f"{'':<6}  {'':<{width}}  found: {api.printable(proof.found)}")
    if failed:
        click.echo(f"FAILED  {len(failed)} of {len(proofs)}: {', '.join(proof.name for proof in failed)}")
        click.echo("An answer of this copy on this machine cannot be relied on. Take a fresh copy and try again.")
        return 1
    click.echo(f"ok      all {len(proofs)}: detection works on this machine")
    return 0
