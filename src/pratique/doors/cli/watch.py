"""`pratique watch`: notice what comes back."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

if TYPE_CHECKING:
    from pratique import api

LEVELS = ("informational", "low", "medium", "high", "critical")
_OUTPUT_CLOSED = 1


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of a watch that its unit takes too."""
    path = click.Path(path_type=Path)
    for option in reversed(
        (
            click.option("--level", type=click.Choice(LEVELS), default="low", show_default=True,
                         help="Tell what is at least so severe."),
            click.option("--case", "case_folder", type=path, metavar="DIR",
                         help="Write detections into this case, and look for what its incidents left."),
            click.option("--key", "case_key", type=path, metavar="FILE", help="The key of that case."),
            click.option("--incident", "incidents", multiple=True, metavar="ID|FILE",
                         help="Look for what this incident leaves; may be repeated."),
            click.option("--incidents", "definitions", type=path, metavar="DIR", help="More definitions."),
            click.option("--rules", multiple=True, type=path, metavar="PATH",
                         help="More rules and exceptions: a file or folder; may be repeated."),
            click.option("--baseline", type=path, metavar="FILE",
                         help="What is normal here, from watch learn: tell what deviates from it."),
            click.option("--run", "run", metavar="COMMAND",
                         help="Start this for each detection, with the detection as JSON on its standard input. "
                              "It is split into words like a shell does, and no shell is used."),
            click.option("--webhook", default="", metavar="URL", help="Post each detection there, as JSON."),
            click.option("--state", type=path, metavar="FILE",
                         help="Remember here what starts by itself, so that the next run knows what is new."),
            click.option("--project", "projects", multiple=True, type=path, metavar="DIR",
                         help="Watch the hooks and editor settings of this project too; may be repeated."),
            click.option("--again", type=click.FloatRange(0, 86_400), default=600.0, show_default=True,
                         metavar="SECONDS", help="Tell the same again after so long at the soonest."),
            click.option("--means", type=click.Choice(["connector", "poll"]),
                         help="How processes are seen. Default: the kernel's events, else polling."),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@click.group(invoke_without_command=True)
@click.option("--once", is_flag=True, help="One look, for cron. Name a --state, else no new place can be told.")
@click.option("--for", "seconds", type=click.FloatRange(min=0.01), metavar="SECONDS", help="End after so long.")
@click.option(
    "--ingest",
    "sensor",
    type=click.Choice(["falco", "osquery"]),
    help="Judge the records of this sensor instead of watching: Falco's JSON, osquery's results log.",
)
@click.option(
    "--from",
    "source",
    default="-",
    show_default=True,
    metavar="FILE|-",
    help="Where the sensor's records are; a file is followed, but with --once.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line: detections, and the sums at the end.")
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write every event to this file, one JSON object a line.")  # fmt: skip
@_options
@click.pass_context
def watch(context: click.Context, /, **given: Any) -> int:
    """Watch this machine, and tell what should not be there: anomalous children of runtimes, package managers,
    editors and agents; programs out of temporary folders or deleted files; what newly starts by itself; known-bad
    addresses; what the incidents of a case left.

    Linux. A plain account sees its own processes whole, root those of all. Nothing is stopped or changed.

    Exit codes: 0 nothing was noticed, or ended by SIGTERM or SIGHUP; 1 internal error, or nobody reads the output;
    2 usage, or nothing can be watched here; 4 something was noticed (with --once or --for, or an
    input that ended); 130 interrupted.
    """
    if context.invoked_subcommand is not None:
        return 0
    return _watched(**given)


def _watched(
    once: bool,
    seconds: float | None,
    as_json: bool,
    events: Path | None,
    sensor: Literal["falco", "osquery"] | None,
    source: str,
    **given: Any,
) -> int:
    from pratique import api

    if sensor is not None and (seconds is not None or given["means"] is not None):
        raise click.UsageError("--for and --means belong to a watch of this machine, not to --ingest")
    request = _request(once=once, seconds=seconds, **given)
    shown = _Shown(as_json)
    with api.event_file(events) as written:
        if sensor is not None:
            sums = api.ingest(request, sensor, source, shown.noticed, written)
        else:
            sums = api.watch(request, shown.noticed, written, shown.began)
    shown.sums(sums)
    if sums.ended == "SIGINT":
        return 130
    if sums.ended.startswith("nobody"):
        return _OUTPUT_CLOSED
    return 4 if sums.noticed and sums.ended in ("once", "time", "end of input") else 0


def _request(
    *,
    once: bool = False,
    seconds: float | None = None,
    case_folder: Path | None,
    case_key: Path | None,
    run: str | None,
    projects: tuple[Path, ...],
    **given: Any,
) -> api.WatchRequest:
    from pratique import api

    return api.WatchRequest(
        once=once,
        seconds=seconds,
        case=case_folder,
        key=case_key,
        run=_split(run),
        projects=tuple(str(one) for one in projects),
        **given,
    )


def _split(run: str | None) -> tuple[str, ...]:
    if run is None:
        return ()
    try:
        words = tuple(shlex.split(run))
    except ValueError as error:
        raise click.UsageError(f"--run {run}: {error}") from None
    if not words:
        raise click.UsageError("--run: no command was given")
    return words


class _Shown:
    """Detections on standard output, the sums on standard error; with JSON both on standard output."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.closed = False

    def noticed(self, noticed: api.Noticed) -> None:
        """Show a detection at once. Raises OSError where nobody reads any more."""
        from pratique import api

        if self.closed:
            return
        if self.as_json:
            text = api.watch_json(noticed)
        else:
            text = "".join(f"{line}\n" for line in api.watch_lines(noticed)).encode("utf-8", "replace")
        self._write(text)

    def began(self, watch: api.Watch) -> None:
        """Say on standard error that it watches from now on."""
        from pratique import api

        with contextlib.suppress(OSError):
            sys.stderr.write(f"{api.watch_begin_line(watch)}\n")
            sys.stderr.flush()

    def _write(self, text: bytes) -> None:
        try:
            sys.stdout.buffer.write(text)
            sys.stdout.buffer.flush()
        except OSError:
            self.closed = True
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, sys.stdout.fileno())  # what is still held must not fail a second time, at the end
            os.close(nothing)
            raise

    def sums(self, sums: api.Sums) -> None:
        """Show how it ended."""
        from pratique import api

        try:
            if self.as_json and not self.closed:
                self._write(api.watch_json(sums))
                return
            sys.stderr.write("".join(f"{line}\n" for line in api.watch_sum_lines(sums)))
            sys.stderr.flush()
        except OSError:
            self.closed = True


@watch.command("unit")
@click.option("--user", is_flag=True, help="For one user's services instead of the system's.")
@_options
def unit(user: bool, **given: Any) -> int:
    """Print a unit of systemd that runs this watch. Nothing is installed.

    Exit codes: 0 printed; 1 internal error; 2 usage.
    """
    from pratique import api

    _request(**given)
    words = ["--json"]
    writable: list[str] = []
    names = {"case_folder": "case", "case_key": "key", "definitions": "incidents"}
    for name, value in given.items():
        option = f"--{names.get(name, name)}"
        if name in ("incidents", "projects", "rules"):
            for one in value:
                place = os.path.abspath(one) if name in ("projects", "rules") or os.path.exists(one) else one
                words += [option if name == "rules" else option.removesuffix("s"), str(place)]
        elif (name == "level" and value == "low") or (name == "again" and value == 600.0) or value in (None, ""):
            continue
        elif isinstance(value, Path):
            words += [option, os.path.abspath(value)]
            if name == "case_folder":
                writable.append(str(value))
            elif name == "state":
                writable.append(str(value.absolute().parent))
        else:
            words += [option, f"{value:g}" if isinstance(value, float) else str(value)]
    click.echo(
        api.watch_unit(
            words, user=user, writable=writable, case=given["case_folder"] is not None, key=given["case_key"]
        ),
        nl=False,
    )
    return 0


@watch.command("learn")
@click.option(
    "--out",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="BASELINE",
    help="The file; what it holds already stays.",
)
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0.01),
    metavar="SECONDS",
    help="Watch this machine for so long. Default: until a signal.",
)
@click.option(
    "--events",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Learn from events that guard or watch wrote instead; may be repeated.",
)
@click.option("--as", "label", default="", metavar="NAME",
              help="Where it was seen. Default: this machine, or the file.")  # fmt: skip
def learn(out: Path, seconds: float | None, events: tuple[Path, ...], label: str) -> int:
    """Write down what is normal: which programs start what, and whom they reach. A person reads it before it is used.

    Exit codes: 0 written; 1 internal error; 2 usage, or the file cannot be used; 4 written, and something could not be
    read or seen.
    """
    from pratique import api

    found = api.learn(out, seconds=seconds, events=events, label=label)
    click.echo(f"{out}: {found.entries} entries, {found.new} new, from {found.events} events")
    if found.left_out:
        click.echo(f"{found.left_out} more did not fit: join entries with *", err=True)
    for gap in found.gaps:
        click.echo(f"gap: {api.printable(gap)}", err=True)
    return 4 if found.gaps or found.left_out else 0


@watch.command("lint")
@click.argument("baseline", type=click.Path(path_type=Path, dir_okay=False), metavar="BASELINE")
def lint(baseline: Path) -> int:
    """Check a baseline, and name the entries that deserve a second look.

    Exit codes: 0 it can be used; 1 internal error; 2 it cannot, and why.
    """
    from pratique import api

    entries, found = api.lint_baseline(baseline)
    for entry, why in found:
        reached = f" to {entry.host}" + (f":{entry.port}" if entry.port is not None else "") if entry.host else ""
        click.echo(api.printable(f"look: {entry.parent} > {entry.child}{reached}: {why}"))
    click.echo(f"{entries} entries, {len(found)} to look at")
    return 0
