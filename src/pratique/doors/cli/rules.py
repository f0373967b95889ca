"""`pratique rules`: the rules that judge releases, and whether they do what their cases say."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_FOLDER = click.option(
    "--rules",
    "folders",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="More rules; may be repeated.",
)


@click.group()
def rules() -> None:
    """The rules that judge releases: list them, explain one, test them on cases.

    A rule is a TOML file over facts; its weight is how rarely it fires on ordinary releases, as measured.
    """


@rules.command("list")
@_FOLDER
def list_rules(folders: tuple[Path, ...]) -> int:
    """Every rule in force: what it may raise, how often it fires, what it sees."""
    from pratique import api

    for rule in api.rules_at_hand([str(folder) for folder in folders]):
        rate = rule.base_rate
        often = f"{rate.alarms}/{rate.transitions}" if rate is not None else "unmeasured"
        click.echo(f"{rule.ceiling:<6}  {rule.weight:3.1f}  {often:>10}  {rule.id}  {api.printable(rule.title)}")
    return 0


@rules.command()
@click.argument("name", metavar="ID")
@_FOLDER
def explain(name: str, folders: tuple[Path, ...]) -> int:
    """One rule in words: what it wants, why, and how it was measured."""
    from pratique import api

    for rule in api.rules_at_hand([str(folder) for folder in folders]):
        if rule.id == name:
            for line in api.rule_lines(rule):
                click.echo(api.printable(line))
            return 0
    raise api.UsageError(f"there is no rule {name!r}", advice="See: pratique rules list")


@rules.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--cases", type=click.Path(path_type=Path), metavar="DIR", help="Where the cases lie; by default beside the rules."
)
def test(folder: Path, cases: Path | None) -> int:
    """Whether every rule in a folder does what its cases want.

    Beside RULE.toml lie RULE/fires/CASE and RULE/quiet/CASE, each with a folder `after` that holds the files of a
    release, and, where it has a predecessor, `before`.

    Exit codes: 0 all do; 1 internal error; 2 usage, or a rule that is none; 12 one does not.
    """
    from pratique import api

    found = api.rules_at_hand([str(folder)], without_bundled=True)
    wrong = total = 0
    for tried in api.try_rules(found.rules, str(cases or folder)):
        total += 1
        wrong += not tried.right
        told = "as wanted" if tried.right else "fired" if tried.fired else "did not fire"
        click.echo(api.printable(f"{'ok' if tried.right else 'NO'}  {tried.rule}  {tried.wanted}/{tried.case}  {told}"))
    click.echo(f"{total} cases, {wrong} not as wanted", file=sys.stderr)
    return 12 if wrong else 0
