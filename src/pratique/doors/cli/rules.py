"""`pratique rules`: the rules that judge releases and events, and whether they do what their cases say."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
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
    """The rules that judge releases, and those that judge events: list, explain, lint them, test them on cases.

    A release rule is a TOML file over facts; its weight is how rarely it fires on ordinary releases, as measured. A
    behaviour rule is a Sigma document (YAML) over the events of `pratique guard`.
    """


_KIND = click.option(
    "--kind",
    type=click.Choice(["release", "behaviour", "all"]),
    default="all",
    show_default=True,
    help="Of which kind.",
)


@rules.command("list")
@_KIND
@_FOLDER
def list_rules(kind: str, folders: tuple[Path, ...]) -> int:
    """Every rule in force: what it may raise, how often it fires, what it sees."""
    from pratique import api

    releases, behaviour = _by_kind(folders)
    if kind != "release":
        for one in api.behaviour_rules(behaviour):
            click.echo(f"{one.level:<13}  {'events':>10}  {one.name}  {api.printable(one.head.title)}")
    for rule in api.rules_at_hand([str(folder) for folder in releases]) if kind != "behaviour" else ():
        rate = rule.base_rate
        often = f"{rate.alarms}/{rate.transitions}" if rate is not None else "unmeasured"
        click.echo(f"{rule.ceiling:<8}  {rule.weight:3.1f}  {often:>10}  {rule.id}  {api.printable(rule.title)}")
    return 0


@rules.command()
@click.argument("name", metavar="ID")
@_FOLDER
def explain(name: str, folders: tuple[Path, ...]) -> int:
    """One rule in words: what it wants, why, and how it was measured."""
    from pratique import api

    releases, behaviour = _by_kind(folders)
    for rule in api.rules_at_hand([str(folder) for folder in releases]):
        if rule.id == name:
            for line in api.rule_lines(rule):
                click.echo(api.printable(line))
            return 0
    found = api.behaviour_rules(behaviour)
    if name not in found.named:
        raise api.UsageError(f"there is no rule {name!r}", advice="See: pratique rules list")
    for line in api.behaviour_rule_lines(found, name):
        click.echo(api.printable(line))
    return 0


@rules.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
def lint(paths: tuple[Path, ...]) -> int:
    """Whether every rule in these files and folders can be evaluated, whole. The first fault ends it.

    Release rules are *.toml, behaviour rules, correlations and exceptions *.yml. References to rules of the program
    are known.

    Exit codes: 0 all can; 1 internal error; 2 usage, or one cannot, with its file and line.
    """
    from pratique import api

    releases, behaviour = _by_kind(paths, whole=True)
    told = []
    if releases:
        told.append(
            f"{len(api.rules_at_hand([str(one) for one in releases], without_bundled=True).rules)} release rules"
        )
    if behaviour:
        documents = api.lint_behaviour_rules(behaviour)
        for one in documents:
            if one.head.unknown:
                keys = ", ".join(one.head.unknown)
                click.echo(api.printable(f"{one.head.file}:{one.head.line}: {keys}: not heeded"), err=True)
        exceptions = sum(hasattr(one, "owner") for one in documents)
        told.append(f"{len(documents) - exceptions} behaviour rules, {exceptions} exceptions")
    click.echo(f"ok  {'; '.join(told)}")
    return 0


def _by_kind(paths: tuple[Path, ...], whole: bool = False) -> tuple[list[Path], list[Path]]:
    """Paths that hold release rules, and those that hold behaviour rules; where `whole`, each must hold some."""
    from pratique import api

    releases, behaviour = [], []
    for path in paths:
        folder = path.is_dir()
        toml = any(path.glob("*.toml")) if folder else path.suffix == ".toml"
        yaml = any(path.rglob("*.y*ml")) if folder else path.suffix in (".yml", ".yaml")
        if not folder and toml:
            raise api.UsageError(
                "is a file", where=str(path), advice="Release rules are read by folder: name the folder that holds it"
            )
        if not toml and not yaml and (whole or not path.exists()):
            what = "holds no rule (*.toml, *.yml)" if path.exists() else "does not exist"
            raise api.UsageError(what, where=str(path), advice="Name a file or folder with rules")
        releases += [path] if toml or not yaml else []
        behaviour += [path] if yaml else []
    return releases, behaviour


@rules.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option(
    "--cases", type=click.Path(path_type=Path), metavar="DIR", help="Where the cases lie; by default beside the rules."
)
def test(folder: Path, cases: Path | None) -> int:
    """Whether every rule in a folder does what its cases want.

    Beside RULE.toml lie RULE/fires/CASE and RULE/quiet/CASE, each with a folder `after` that holds the files of a
    release, and, where it has a predecessor, `before`. Beside the file of a behaviour rule lie NAME/fires/CASE.ndjson
    and NAME/quiet/CASE.ndjson, lists of events as `pratique guard --events` writes them.

    Exit codes: 0 all do; 1 internal error; 2 usage, or a rule that is none; 12 one does not.
    """
    from pratique import api

    releases, behaviour = _by_kind((folder,), whole=True)
    wrong = total = 0
    found = api.rules_at_hand([str(folder)], without_bundled=True).rules if releases else ()
    of_events = api.try_behaviour_rules([folder], cases or folder) if behaviour else iter(())
    both: Iterator[api.Tried | api.TriedEvents] = itertools.chain(api.try_rules(found, str(cases or folder)), of_events)
    for tried in both:
        total += 1
        wrong += not tried.right
        told = "as wanted" if tried.right else "fired" if tried.fired else "did not fire"
        click.echo(api.printable(f"{'ok' if tried.right else 'NO'}  {tried.rule}  {tried.wanted}/{tried.case}  {told}"))
    click.echo(f"{total} cases, {wrong} not as wanted", file=sys.stderr)
    return 12 if wrong else 0
