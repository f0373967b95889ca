"""`pratique case`: keep one incident's records and evidence together, unchanged and provable."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

STATES = ("open", "new-issued", "deployed", "revoked", "verified", "not-needed")
GRADES = ("asked", "issuer-lists-it", "audit-event", "last-used-stopped", "negative-probe")
NAMED = 8
"""So many open steps, and credentials, are named without --all."""
OUTCOMES = ("nothing-found", "removed", "found")

_FORMAT = click.option(
    "--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True
)


def _key(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--key",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The key of the case. Default: pratique/keys/ID.key in this user's configuration folder.",
    )(command)


_FOLDER = click.argument("folder", metavar="CASE", type=click.Path(path_type=Path))


@click.group()
def case() -> None:
    """Keep the records and the evidence of an incident together, unchanged and provable."""


@case.command("new")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--incident", "incidents", multiple=True, metavar="ID|FILE", help="What it is about; may be repeated.")
@click.option("--incidents", "definitions", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
@_key
def new(folder: Path, incidents: tuple[str, ...], definitions: Path | None, key: Path | None) -> int:
    """Make a case in a new folder, and its key beside it, never in it.

    Exit codes: 0 made; 1 internal error; 2 usage, or it cannot be made.
    """
    from pratique import api

    with api.new_case(folder, incidents=incidents, definitions=definitions, key=key) as made:
        click.echo(f"case {made.id} in {made.folder}")
        click.echo(f"key  {made.key_file}")
        click.echo("Without the key its evidence opens nowhere: keep a copy of it elsewhere.")
    return 0


@case.command("add")
@_FOLDER
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--what", default="", metavar="WORDS", help="What it is. Default: the file's name.")
@click.option("--sensitive", is_flag=True, help="It may hold secrets: never show any of it.")
@_key
def add(folder: Path, files: tuple[str, ...], what: str, sensitive: bool, key: Path | None) -> int:
    """Copy files into the case, encrypted; of folders, every file below them.

    Exit codes: 0 all copied; 1 internal error; 2 usage, or the case cannot be written; 4 something could not be read:
    the case says what.
    """
    from pratique import api

    with api.open_case(folder, key=key) as opened:
        added = api.add_evidence(opened, files, what=what, sensitive=sensitive)
    for item in added.items[:20]:
        click.echo(f"{item.digest}  {item.size:>10,}  {api.printable(item.source)}")
    if len(added.items) > 20:
        click.echo(f"... {len(added.items) - 20} more; {len(added.items)} in all")
    for missing in added.missing:
        click.echo(f"not copied: {api.printable(missing.source)}: {api.printable(missing.reason)}", err=True)
    return 4 if added.missing else 0


@case.command("note")
@_FOLDER
@click.argument("text", metavar="TEXT")
@_key
def note(folder: Path, text: str, key: Path | None) -> int:
    """Write a note. It cannot be changed or taken out afterwards; it is not encrypted.

    Exit codes: 0 written; 1 internal error; 2 usage, or the case cannot be written.
    """
    from pratique import api

    with api.open_case(folder, key=key) as opened:
        entry = api.add_note(opened, text)
    click.echo(f"entry {entry.number}")
    return 0


@case.command("done")
@_FOLDER
@click.argument("subject", metavar="STEP|CREDENTIAL|sweep:INCIDENT")
@click.option("--state", type=click.Choice(STATES), help="Of a credential: what became of it.")
@click.option("--grade", type=click.Choice(GRADES), help="Of a credential: how it is known that the old one is dead.")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Of a sweep for a dead man's switch.")
@click.option("--words", default="", metavar="WORDS", help="Who did what, and where it is to be seen.")
@_key
def done(
    folder: Path,
    subject: str,
    state: str | None,
    grade: str | None,
    outcome: str | None,
    words: str,
    key: Path | None,
) -> int:
    """Record what a person did: a step of the plan, a rotation, or the sweep for a dead man's switch.

    Exit codes: 0 written; 1 internal error; 2 usage, or the case cannot be written.
    """
    from pratique import api

    with api.open_case(folder, key=key) as opened:
        entry = api.record_done(opened, subject, state=state, grade=grade, outcome=outcome, words=words)
    click.echo(f"entry {entry.number}: {api.printable(done_words(entry.kind, entry.body))}")
    return 0


def done_words(kind: str, body: dict[str, Any]) -> str:
    """What an entry about a person's doing says."""
    said = f"; {body['words']}" if body.get("words") else ""
    if kind == "sweep":
        return f"sweep for the dead man's switch of {body['incident']}, by hand: {body['outcome']}{said}"
    if kind == "rotation":
        grade = f" ({body['grade']})" if body.get("grade") else ""
        return f"credential {body['credential']} is {body['state']}{grade}{said}"
    said = f"; {body['message']}" if body.get("message") else ""
    return f"step {body['step']} was done by hand{said}"


@case.command("status")
@_FOLDER
@_FORMAT
@click.option("--all", "every", is_flag=True, help="Name every open step and credential.")
@_key
def status(folder: Path, format_name: str, every: bool, key: Path | None) -> int:
    """Say where the case stands: evidence, seal, what is open. Nothing is recomputed.

    Exit codes: 0 told; 1 internal error; 2 usage, or it is no case.
    """
    from pratique import api

    with api.open_case(folder, key=key, writing=False) as opened:
        found = api.case_status(opened)
    if format_name == "json":
        _json(found)
        return 0
    for line in status_lines(found, every=every):
        click.echo(line)
    return 0


@case.command("seal")
@_FOLDER
@click.option(
    "--ssh-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Sign with this key of SSH: a private key, or a public one whose private half your agent holds.",
)
@click.option(
    "--signing-key",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="An Ed25519 key, made on first use. Default: signing.key beside the key of the case.",
)
@click.option(
    "--statement",
    "statement",
    metavar="FILE",
    help="Write the statement to this file and seal nothing: sign it elsewhere, then `pratique case attach`.",
)
@_key
def seal(folder: Path, ssh_key: Path | None, signing_key: Path | None, statement: str | None, key: Path | None) -> int:
    """Sign the head of the journal, each report and each piece of evidence, as an in-toto statement.

    Exit codes: 0 sealed; 1 internal error; 2 usage, or it cannot be signed or written.
    """
    from pratique import api

    if sum(item is not None for item in (ssh_key, signing_key, statement)) > 1:
        raise api.UsageError("--ssh-key, --signing-key and --statement exclude each other")
    if statement is not None:
        from pratique.doors.cli.commands import write_whole

        with api.open_case(folder, key=key, writing=False) as opened:
            write_whole(statement, [api.case_statement(opened)])
        click.echo(f"{statement}: sign it, then run: pratique case attach {folder} BUNDLE --statement {statement}")
        return 0
    with api.open_case(folder, key=key) as opened:
        _sealed(api.seal_case(opened, ssh_key=ssh_key, signing_key=signing_key))
    return 0


@case.command("attach")
@_FOLDER
@click.argument("bundle", metavar="BUNDLE", type=click.Path(path_type=Path))
@click.option(
    "--statement",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The statement that was signed, where the bundle does not hold it.",
)
@_key
def attach(folder: Path, bundle: Path, statement: Path | None, key: Path | None) -> int:
    """Take in a Sigstore bundle over a statement of this case, as a seal.

    The signature and the statement are checked; the certificate and the log entry are not: ask cosign.

    Exit codes: 0 taken in; 1 internal error; 2 usage, or the bundle is not about this case as it is.
    """
    from pratique import api

    with api.open_case(folder, key=key) as opened:
        _sealed(api.attach_bundle(opened, bundle, statement))
    return 0


def _sealed(found: Any) -> None:
    from pratique.api import printable

    click.echo(f"entry {found.entry}: a seal over entries 1 to {found.covers}, {found.subjects} subjects")
    click.echo(f"head    {found.head}")
    click.echo(f"signer  {printable(found.signer)} ({found.kind})")
    if found.public:
        click.echo(f"public  {found.public}")
    click.echo("Note the head and the signer elsewhere: a copy of them proves this seal later.")


@case.command("verify")
@_FOLDER
@_FORMAT
@click.option(
    "--trusted",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Public keys of SSH, or allowed signers: a good seal of one of them must be there. May be repeated.",
)
@click.option("--head", metavar="DIGEST", help="A head that was noted elsewhere: an entry must have it.")
@click.option("--no-evidence", is_flag=True, help="Leave the bytes of the evidence out; then the code is 4 at best.")
@_key
def verify(
    folder: Path,
    format_name: str,
    trusted: tuple[Path, ...],
    head: str | None,
    no_evidence: bool,
    key: Path | None,
) -> int:
    """Recompute every entry, mark, piece of evidence and seal, offline, and name the first that disagrees.

    CASE is the folder of a case, or the archive that `pratique case export` wrote.

    Exit codes: 0 everything agrees; 1 internal error; 2 usage, or it is no case; 4 what could be verified agrees, and
    something could not be; 5 something disagrees.
    """
    from pratique import api

    if folder.is_file():
        from pratique.doors.cli.dossier import export_lines

        exported = api.verify_export(folder, trusted=trusted, head=head)
        if format_name == "json":
            _json(exported)
        else:
            click.echo("\n".join(export_lines(exported)))
        return exported.exit_code
    with api.open_case(folder, key=key, writing=False) as opened:
        proof = api.verify_case(opened, trusted=trusted, head=head, blobs=not no_evidence)
    if format_name == "json":
        _json(proof)
        return proof.exit_code
    for line in proof_lines(proof):
        click.echo(line)
    return proof.exit_code


def _json(record: Any) -> None:
    import msgspec

    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n")
    sys.stdout.flush()


def status_lines(found: Any, *, every: bool = False) -> list[str]:
    """The lines of `case status`."""
    from pratique.api import printable

    sealed = "not sealed"
    if found.seals:
        sealed = f"sealed to entry {found.sealed_to}" + ("" if found.sealed else "; reports or evidence came later")
    lines = [
        f"CASE      {found.id}  opened {found.opened} by {printable(found.by)}",
        f"ABOUT     {', '.join(found.incidents) or 'no incident was named'}",
        f"JOURNAL   {found.entries} entries, the last {found.last}; head {found.head}",
        f"EVIDENCE  {found.evidence} pieces, {found.octets:,} bytes; {found.missing} could not be copied",
        f"REPORTS   {found.reports}",
        f"SEAL      {sealed}",
    ]
    lines += [f"SWEEP     {printable(name)}: {outcome}" for name, outcome in found.sweeps.items()]
    for heading, what, number, still in (
        ("STEPS", "in the plan", found.steps, found.open_steps),
        ("SECRETS", "were in reach", found.credentials, found.open_credentials),
    ):
        if number:
            lines.append(f"{heading:<9} {number} {what}, {len(still)} open")
            shown = still if every else still[:NAMED]
            lines += [f"  open    {printable(name)}  {printable(found.names.get(name, ''))}" for name in shown]
            if len(still) > len(shown):
                lines.append(f"  and {len(still) - len(shown)} more: --all")
    if not found.key_here:
        lines.append("KEY       not here: evidence cannot be opened, and nothing can be written")
    return lines


def proof_lines(proof: Any) -> list[str]:
    """The lines of `case verify`."""
    from pratique.api import printable

    lines = []
    if proof.disagreements:
        first, *others = proof.disagreements
        at = f"entry {first.entry}" if first.entry else "no entry"
        about = f" ({first.digest})" if first.digest else ""
        lines.append(f"DISAGREES     {at}, {first.field}: {printable(first.words)}{about}")
        lines += [f"  and         entry {item.entry}, {item.field}: {printable(item.words)}" for item in others[:10]]
        if len(others) > 10:
            lines.append(f"  and         {len(others) - 10} more")
    else:
        lines.append(f"AGREES        {proof.entries} entries; head {proof.head}")
        lines.append(f"  evidence    {proof.evidence} pieces, {proof.octets:,} bytes decrypted and compared")
    lines += [
        f"  seal        entry {item.entry} over entries 1 to {item.covers}: signature {item.signature},"
        f" {'trusted' if item.trusted else 'not known'} signer {printable(item.signer)} ({printable(item.kind)})"
        for item in proof.seals
    ]
    lines += [f"NOT VERIFIED  {printable(text)}" for text in proof.not_verified]
    lines += [f"NOTE          {printable(text)}" for text in proof.notes]
    return lines
