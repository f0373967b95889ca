"""The commands: parse, call the API, show."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from pratique.doors.cli.case import case
from pratique.doors.cli.components import components
from pratique.doors.cli.detonate import detonate
from pratique.doors.cli.diff import diff
from pratique.doors.cli.doctor import doctor
from pratique.doors.cli.dossier import export as case_export
from pratique.doors.cli.dossier import report as case_report
from pratique.doors.cli.dossier import timeline as case_timeline
from pratique.doors.cli.guard import guard
from pratique.doors.cli.host import host
from pratique.doors.cli.inspect import inspect
from pratique.doors.cli.plan import apply, plan, undo
from pratique.doors.cli.reach import reach
from pratique.doors.cli.resolve import resolve
from pratique.doors.cli.rules import rules
from pratique.doors.cli.selftest import selftest
from pratique.doors.cli.trust import trust
from pratique.doors.cli.verify import verify
from pratique.doors.cli.watch import watch
from pratique.version import VERSION

FORMAT_CHOICES = ("text", "json", "ndjson", "sarif", "html", "markdown", "cyclonedx", "openvex")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="pratique", message="%(prog)s %(version)s")
def pratique() -> None:
    """Find every place a malicious package release reached, and prove how far it got."""


pratique.add_command(components)
pratique.add_command(case)
case.add_command(case_timeline)
case.add_command(case_report)
case.add_command(case_export)
pratique.add_command(resolve)
pratique.add_command(reach)
pratique.add_command(selftest)
pratique.add_command(doctor)
pratique.add_command(host)
pratique.add_command(plan)
pratique.add_command(apply)
pratique.add_command(undo)
pratique.add_command(verify)
pratique.add_command(trust)
pratique.add_command(rules)
pratique.add_command(guard)
pratique.add_command(watch)
pratique.add_command(detonate)
pratique.add_command(inspect)
pratique.add_command(diff)


def _incident_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that choose incidents, shared by several commands."""
    for option in reversed(
        (
            click.option(
                "--incident",
                "incidents",
                multiple=True,
                metavar="ID|FILE",
                help="Check this incident only; may be repeated. Default: all that are bundled.",
            ),
            click.option(
                "--incidents",
                "folder",
                type=click.Path(path_type=Path),
                metavar="DIR",
                help="More definitions; one with a known id and no lower revision replaces it.",
            ),
            click.option(
                "--bad",
                multiple=True,
                metavar="NAME@VERSION[,VERSION...]|PURL",
                help="The first minute of a new incident: check exactly these releases; may be repeated.",
            ),
            click.option(
                "--bad-list",
                "bad_lists",
                multiple=True,
                type=click.Path(path_type=Path),
                metavar="FILE",
                help="A list of bad releases: name@version lines, CSV with hashes, a catalogue, OSV records.",
            ),
            click.option(
                "--window",
                metavar="START..END",
                help="When the releases of --bad could be fetched, in ISO 8601 (UTC where no zone is given).",
            ),
        )
    ):
        command = option(command)
    return command


@pratique.command()
@click.argument("targets", nargs=-1, metavar="[TARGET]...")
@_incident_options
@click.option("--format", "format_name", type=click.Choice(FORMAT_CHOICES), default="text", show_default=True)
@click.option(
    "--output",
    "outputs",
    multiple=True,
    metavar="FILE",
    help="Write a report to this file; its suffix chooses the format. May be repeated.",
)
@click.option("--quick", is_flag=True, help="Leave package folders out. May say affected, never not affected.")
@click.option("--deep", is_flag=True, help="Hash every file and compare it with every listed hash.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    help="Processes to use. Default: the processors, at most 4; 8 on a cold disk.",
)
@click.option("--max-file", metavar="SIZE", help="Largest file to read, such as 256M. Default: 64M.")
@click.option("--exclude", multiple=True, metavar="GLOB", help="Narrow the scope; printed in the report, no gap.")
@click.option(
    "--accept-refusal",
    "accepted",
    multiple=True,
    metavar="PATH=REASON[;until=DATE]",
    help="A place that could not be examined, looked at by a person and accepted.",
)
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="A reviewed pratique.toml.")
@click.option(
    "--fail-on",
    type=click.Choice(["affected", "incomplete"]),
    default="incomplete",
    show_default=True,
    help="With `affected`, exit 0 instead of 4. Nothing examined stays 3.",
)
@click.option("--offline", is_flag=True, help="Use no network. Nothing here needs it; accepted for scripts.")
@click.option("--no-progress", is_flag=True, help="Print no progress to standard error.")
@click.option("--no-cache", is_flag=True, help="Neither use nor keep results of earlier runs.")
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Keep the results of histories and images in DIR as they come; go on from there after an end.",
)
@click.option("--unreachable", is_flag=True, help="In git histories, look at objects too that no ref reaches.")
@click.option(
    "--case",
    "case_folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write the report into this case, and the evidence that its incidents ask for.",
)
@click.option("--key", "case_key", type=click.Path(path_type=Path), metavar="FILE", help="The key of that case.")
def check(  # the options of one command
    targets: tuple[str, ...],
    incidents: tuple[str, ...],
    folder: Path | None,
    bad: tuple[str, ...],
    bad_lists: tuple[Path, ...],
    window: str | None,
    format_name: str,
    outputs: tuple[str, ...],
    quick: bool,
    deep: bool,
    jobs: int | None,
    max_file: str | None,
    exclude: tuple[str, ...],
    accepted: tuple[str, ...],
    config: Path | None,
    fail_on: str,
    offline: bool,
    no_progress: bool,
    no_cache: bool,
    resume: Path | None,
    unreachable: bool,
    case_folder: Path | None,
    case_key: Path | None,
) -> int:
    """Is this hit, how far did it get, and what could not be looked at?

    TARGET is a folder or file, or KIND:PATH: git (histories), image, ci-log, mirror, sbom, root (a mounted disk),
    host (what a disk starts by itself). None means this user on this machine: caches, stores, logs, global roots, and
    what runs here and starts by itself.

    Exit codes: 0 no sighting and every relevant artifact read; 1 internal error; 2 usage; 3 nothing examined;
    4 under investigation; 10 affected, declared to installed; 11 affected, executed or active; 130 interrupted.
    """
    from pratique import api
    from pratique.doors.cli import values

    today = datetime.datetime.now(datetime.UTC).date()
    renderers = [(name, api.for_file(name)) for name in outputs]
    selection = api.select(
        incidents=incidents,
        folder=folder,
        bad=bad,
        bad_lists=bad_lists,
        window=values.window(window) if window else None,
        today=today,
    )
    settings = values.configuration(config) if config else values.Settings()
    acceptances = [*settings.accepted, *(values.acceptance(text) for text in accepted)]
    excludes = (*settings.exclude, *exclude)
    specs, statement, not_asked = values.scope(targets, excludes)
    request = api.CheckRequest(
        targets=tuple(specs),
        incidents=selection.incidents,
        named=selection.named,
        digests=selection.digests,
        jobs=jobs or 0,
        quick=quick,
        deep=deep,
        limit=values.size(max_file) if max_file else None,
        exclude=excludes,
        accepted=tuple(acceptances),
        scope=statement,
        not_asked=not_asked,
        notes=selection.notes,
        unreachable=unreachable,
        cache=not no_cache,
        resume=resume,
        shown_options=values.shown(quick=quick, deep=deep, exclude=excludes, max_file=max_file, window=window),
    )
    if case_folder is not None:
        api.open_case(case_folder, key=case_key).close()  # what is wrong with it is said before the work, not after
    report = api.check(request, progress=None if no_progress or not sys.stderr.isatty() else _progress)
    unwritten: api.PratiqueError | None = None
    lines: list[str] = []
    if case_folder is not None:
        try:
            with api.open_case(case_folder, key=case_key) as opened:
                collected = api.record_report(opened, report, selection.incidents)
                lines.append(f"evidence: {collected.words}, in {opened.folder}")
        except api.PratiqueError as error:  # the answer is shown all the same, then why it is not in the case
            unwritten = error
    if not no_progress and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    for name, chosen in renderers:
        write_whole(name, chosen.render(report))
    for part in api.renderer(format_name).render(report):
        sys.stdout.buffer.write(part)
    sys.stdout.flush()
    for name in outputs:
        lines.append(f"report: {name}")
    sys.stderr.write("".join(f"{line}\n" for line in lines))
    if unwritten is not None:
        raise unwritten
    code = report.exit_code
    if report.coverage.interrupted and code < 10:
        return 130
    if fail_on == "affected" and code == 4:
        return 0
    return code


def _progress(target: str, entries: int) -> None:
    sys.stderr.write(f"\r\x1b[K{entries:>10,} entries  {target[-80:]}")
    sys.stderr.flush()


def write_whole(name: str, parts: Any) -> None:
    """Write a report file whole, or not at all. A link stays one; a device or pipe takes it as it comes."""
    from pratique.api import UsageError

    path = Path(os.path.realpath(name))
    stream = Path(name).exists() and not Path(name).is_file()
    draft = Path(name) if stream else path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        with open(draft, "wb") as file:
            for part in parts:
                file.write(part)
        if not stream:
            os.replace(draft, path)
    except BaseException as error:  # no draft is left behind; it is passed on
        if not stream:
            draft.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise UsageError(
            f"cannot be written: {error.strerror}", where=name, advice="Name a file in a folder you may write to"
        ) from None


@pratique.group()
def incident() -> None:
    """The incident library: what is bundled, and whether a definition is sound."""


@incident.command("list")
@click.option("--incidents", "folder", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
@click.option("--format", "format_name", type=click.Choice(["text", "json"]), default="text", show_default=True)
def incident_list(folder: Path | None, format_name: str) -> int:
    """List every incident with its status and how many versions it lists."""
    from pratique import api

    known, notes = api.available(folder)
    rows = [
        {
            "id": item.id,
            "status": item.status,
            "completeness": item.completeness,
            "revision": item.revision,
            "updated": str(item.updated),
            "packages": len(item.components),
            "versions": sum(len(component.versions) for component in item.components),
            "title": item.title,
        }
        for _, item in sorted(known.items())
    ]
    if format_name == "json":
        import json

        click.echo(json.dumps(rows, indent=2))
        return 0
    width = max((len(str(row["id"])) for row in rows), default=2)
    for row in rows:
        click.echo(
            f"{row['id']:<{width}}  {row['status']:<9}  {row['completeness']:<7}"
            f"  {row['versions']:>5} versions  {row['title']}"
        )
    for note in notes:
        click.echo(note, err=True)
    return 0


@incident.command("show")
@click.argument("identifier", metavar="ID|FILE")
@click.option("--incidents", "folder", type=click.Path(path_type=Path), metavar="DIR", help="More definitions.")
def incident_show(identifier: str, folder: Path | None) -> int:
    """Print one definition as JSON, as it was understood."""
    import msgspec

    from pratique import api

    selection = api.select(incidents=[identifier], folder=folder, today=datetime.datetime.now(datetime.UTC).date())
    click.echo(msgspec.json.format(msgspec.json.encode(selection.incidents[0]), indent=2).decode())
    return 0


@incident.command("lint")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
def incident_lint(files: Sequence[Path]) -> int:
    """Check definitions; exit 2 and name file, key and reason where one is unsound."""
    from pratique import api

    broken = 0
    for path in files:
        try:
            found = api.load_incident(path)
        except api.IncidentError as error:
            broken += 1
            click.echo(str(error), err=True)
            continue
        listed = sum(len(item.versions) for item in found.components)
        click.echo(f"{path}: sound, {listed} version{'' if listed == 1 else 's'}")
    return 2 if broken else 0


@incident.command("new")
@click.argument("identifier", metavar="ID")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Default: ID.toml in this folder.")
def incident_new(identifier: str, output: Path | None) -> int:
    """Write the skeleton of a definition, with every required key and the reasons to fill the others."""
    from pratique import api

    path = output or Path(f"{identifier}.toml")
    if path.exists():
        raise api.UsageError("exists already", where=str(path), advice="Name another file with --output")
    path.write_text(api.incident_skeleton(identifier), encoding="utf-8")
    click.echo(f"{path}: fill it in, then run: pratique incident lint {path}")
    return 0
