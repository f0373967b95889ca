"""`pratique trust`: what proves where a release came from."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_FILE = click.Path(path_type=Path)


class _Trust(click.Group):
    """A group whose first word may be a release: `pratique trust REF` is `pratique trust check REF`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the command in where it was left out."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = ["check", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_Trust)
def trust() -> None:
    """What proves where a release came from: signatures, attestations, and how it was published before."""


@trust.command()
@click.argument("references", nargs=-1, metavar="[REF]...")
@click.option(
    "--record", type=_FILE, metavar="FILE", help="The registry's document of the package, in place of asking."
)
@click.option(
    "--attestations", type=_FILE, metavar="FILE", help="The registry's answer about its attestations, or one bundle."
)
@click.option("--artifact", type=_FILE, metavar="FILE", help="The archive, to compare the signed digest with.")
@click.option(
    "--earlier",
    type=_FILE,
    multiple=True,
    metavar="FILE",
    help="Attestations of an earlier release: the same repository and workflow are expected. May be repeated.",
)
@click.option(
    "--expect",
    "expected",
    multiple=True,
    metavar="CLAIM=VALUE[,...]",
    help="What the certificate must claim: repository, workflow, issuer, ref, ... May be repeated.",
)
@click.option(
    "--lockfile",
    "lockfiles",
    multiple=True,
    metavar="FILE",
    help="Verify the registry's signatures of all that a lockfile resolves. May be repeated.",
)
@click.option(
    "--from", "folders", multiple=True, metavar="DIR", help="Take documents from this folder first. May be repeated."
)
@click.option("--offline", is_flag=True, help="Ask nothing: files, folders and what is kept alone.")
@click.option("--trusted-root", type=_FILE, metavar="FILE", help="A trusted root in place of the ones known.")
@click.option("--keys", type=_FILE, metavar="FILE", help="A registry's list of keys in place of the ones known.")
@click.option("--no-memory", is_flag=True, help="Neither use nor keep documents of earlier runs.")
@click.option("--all", "every", is_flag=True, help="Show everything on the screen, not the first of each alone.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--output", metavar="FILE", help="Write the report to this file.")
def check(
    references: tuple[str, ...],
    record: Path | None,
    attestations: Path | None,
    artifact: Path | None,
    earlier: tuple[Path, ...],
    expected: tuple[str, ...],
    lockfiles: tuple[str, ...],
    folders: tuple[str, ...],
    offline: bool,
    trusted_root: Path | None,
    keys: Path | None,
    no_memory: bool,
    every: bool,
    format_name: str,
    output: str | None,
) -> int:
    """Verify the signatures and attestations of releases. Also: pratique trust REF...

    REF is npm:NAME@VERSION, pypi:NAME==VERSION or a package URL. The registry is the one that the user's npm, pip or
    uv is configured for; verification itself asks nobody. What verifies says who vouched for the bytes, never that
    they do no harm.

    Exit codes: 0 all that is stated verified, or nothing is stated; 12 something that the version before had is lost,
    or its certificate claims something else; 13 something was rejected, or is not as expected; 4 something could not
    be verified; 1 internal error; 2 usage.
    """
    from pratique import api
    from pratique.doors.cli.commands import write_whole

    report = api.trust(
        api.TrustRequest(
            references=references,
            record=record,
            attestations=attestations,
            artifact=artifact,
            earlier=earlier,
            lockfiles=lockfiles,
            folders=folders,
            expected=expected,
            trusted_root=trusted_root,
            keys=keys,
            offline=offline,
            remember=not no_memory,
            command=("pratique", *sys.argv[1:]),
        )
    )
    if format_name == "json":
        whole = api.trust_json(report)
    else:
        lines = api.trust_lines(report, every=every or output is not None)
        whole = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
    if output is not None:
        write_whole(output, [whole])
        sys.stderr.write(f"report: {output}\n")
    else:
        sys.stdout.buffer.write(whole)
        sys.stdout.flush()
    return report.exit_code


@trust.command()
@click.option("--repository", metavar="URL", help="A repository of The Update Framework. Default: sigstore's own.")
@click.option("--root", type=_FILE, metavar="FILE", help="The first root metadata of a repository that is not known.")
@click.option(
    "--keys-target",
    metavar="NAME",
    help="What the repository calls the registry's keys. Default: HOST/keys.json, of npm's registry.",
)
def update(repository: str | None, root: Path | None, keys_target: str | None) -> int:
    """Renew trust roots and registry keys out of a signed repository.

    This alone asks a network for them. What the repository shows must be signed, in date, and never older than what
    was seen of it before.

    Exit codes: 0 renewed, or current; 4 refused, and nothing was changed; 1 internal error; 2 usage.
    """
    from pratique import api

    found = api.update_trust(api.UpdateRequest(repository=repository, root=root, keys_target=keys_target))
    for line in api.update_lines(found):
        click.echo(line)
    return found.exit_code
