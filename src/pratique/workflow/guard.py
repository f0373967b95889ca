"""Run a command and say what its packages did: programs, connections, places of credentials, what stays behind."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, Literal

import msgspec
from msgspec import structs

from pratique.adapters import clock, machine
from pratique.adapters.supervisor import execution
from pratique.adapters.supervisor.means import chosen, supervise_by
from pratique.behaviour.detect import Detector
from pratique.ecosystems.attribution import STEPS, cause
from pratique.ecosystems.secrets_told import without_secrets
from pratique.model.errors import UsageError
from pratique.model.event import EVENT_SCHEMA, Cause, Detection, Event, Process, Severity, Watched
from pratique.model.guarded import Guarded
from pratique.model.supervision import MEANS_IN_WORDS, Ended, Means, Seen, Supervision
from pratique.version import VERSION
from pratique.workflow.behaviour_rules import behaviour_rules
from pratique.workflow.guard_integrity import Scripts
from pratique.workflow.guard_places import Places, named
from pratique.workflow.guard_policy import (
    Folders,
    Policy,
    allowed_programs,
    denials_of,
    policy_of,
    unblockable,
    with_shell,
)

Block = Literal["usual", "strict"]
MOST_KEPT = 100_000
"""So many events are held for the summary; all are written where a file was asked for."""


def guard(
    command: Sequence[str],
    *,
    reads: bool = True,
    linger: float = 1.0,
    seconds: float | None = None,
    events: Path | None = None,
    environment: Mapping[str, str] | None = None,
    rules: Sequence[Path] = (),
    fail_on: Severity | None = None,
    block: Block | None = None,
    policy: Path | None = None,
    means: Means | None = None,
    case: Path | None = None,
    case_key: Path | None = None,
) -> Guarded:
    """Run a command in the current folder, watch it and judge what it does. `events` gets one JSON object a line.

    `rules` are folders or files of further rules and exceptions. `block` refuses what the policy refuses: `usual` as
    far as this machine can, `strict` only where all of it can be refused for good. `means`: it is watched by this
    means alone; None: by the best one that can be had here. `case` is a case that the run is written into, with its
    key. Raises CaseError where it cannot be written, UsageError where nothing can
    be supervised here, no command is given, `events` cannot be written, or `strict` cannot be kept; ConfigurationError
    where a rule or the policy cannot be used.
    """
    if not command:
        raise UsageError("no command was given", advice="Write it after two dashes: pratique guard -- npm ci")
    by, passed_over = chosen(means)
    if by is None:
        reasons = "; ".join(f"by {MEANS_IN_WORDS[one]}: {reason}" for one, reason in passed_over)
        raise UsageError(f"nothing can be watched here: {reasons}", advice="See what is seen where: pratique doctor")
    if case is not None:
        from pratique.workflow.guard_case import usable  # it brings much that a run without a case does not need

        usable(case, case_key)
    ruleset = behaviour_rules(rules)
    detector = Detector(ruleset)
    given = dict(os.environ if environment is None else environment)
    stated = policy_of(policy)
    home = machine.home()
    project = os.getcwd()
    places = Places(str(home) if home is not None else "/nonexistent", project, given)

    def attribute(seen: Seen) -> Cause | None:
        found = cause(seen.process.arguments, seen.process.folder, seen.environment, project, seen.above)
        if found is not None and found.ecosystem == "PyPI":
            return named(found, seen.process.folder)
        if found is not None:
            scripts.ran(found, seen.environment, seen.process.folder)
        return found

    scripts = Scripts(os.path.join(_cache(command, given, str(home) if home is not None else ""), "_cacache"))
    hidden = _Hidden()
    held: list[Event] = []
    detections: list[Detection] = []
    with contextlib.ExitStack() as stack:
        sink = stack.enter_context(_Sink(events))

        def told(event: Event) -> None:
            event = hidden(event)
            sink(event)
            scripts.happened(event)
            detections.extend(detector.feed(event))
            if len(held) < MOST_KEPT:
                held.append(event)

        request = Supervision(
            command=tuple(command),
            folder=project,
            environment=given,
            classify=places.classify,
            attribute=attribute,
            reads=reads or block is not None,
            linger=linger,
            seconds=seconds,
        )
        if block is not None:
            request = _blocking(request, stated, places, block, stack, by)
        try:
            ended = supervise_by(by, request, told)
        except OSError as error:
            raise UsageError(f"cannot be watched by {MEANS_IN_WORDS[by]}: {error.strerror or error}") from None
        differences, integrity = scripts.compared(project, ended.events + 1, time.time_ns())
        for event in differences:
            told(event)
        ended = _with(ended, integrity, len(differences))
    guarded = Guarded(
        command=without_secrets(command),
        ended=structs.replace(ended, survivors=tuple(hidden.process(one) for one in ended.survivors)),
        events=tuple(held),
        left_out=ended.events - len(held),
        detections=tuple(detections),
        forgotten=detector.forgotten,
        rules=ruleset.digest,
        fail_on=fail_on or stated.fail_on,
        unwritten=sink.unwritten,
        means=by,
        passed_over=passed_over,
        generated=clock.iso(clock.now()),
        version=VERSION,
    )
    if case is None:
        return guarded
    from pratique.workflow.guard_case import journaled  # see above

    written, lacking = journaled(guarded, case, case_key, events)
    return structs.replace(guarded, journaled=written, unjournaled=lacking)


def _blocking(
    request: Supervision, policy: Policy, places: Places, block: Block, stack: contextlib.ExitStack, means: Means
) -> Supervision:
    """The same command, with what the policy refuses."""
    denied = execution.denied_folders(places.home, places.temporary)
    programs = execution.program_folders(places.home, request.environment, request.command)
    caches = execution.caches(places.home)
    folders = Folders(tuple(programs), (*denied, *caches), tuple(denied))
    denials = denials_of(policy, places, folders)
    landlock = execution.usable() if denials.dropped else ""
    missing = unblockable(denials, request.command, landlock)
    if means != "notify" and denials.any:
        missing = [f"all that the policy refuses: {MEANS_IN_WORDS[means]} refuses nothing"]
    if missing and block == "strict":
        raise UsageError(
            f"cannot be refused for good here: {'; '.join(missing)}",
            advice="Use --block, which tells it as seen, not blockable; or a policy that does not ask for it",
        )
    if not denials.dropped or landlock or means != "notify":
        return structs.replace(request, denials=denials)
    allowed = [places.project, *programs, *allowed_programs(policy, places.home)]
    names = execution.SCRIPT_SHELLS
    shell = next((one for name in names if (one := request.environment.get(name))), "sh")
    try:
        granted = execution.granted([*denied, *caches], allowed)
        path, given = stack.enter_context(execution.held_shell(granted, denied, shell, places.project, STEPS))
    except (OSError, OverflowError) as error:
        raise UsageError(f"programs cannot be held to folders: {error}", advice="Run it without --block") from None
    environment = with_shell(request.environment, path, names)
    denials = structs.replace(denials, granted=frozenset(granted))
    return structs.replace(request, denials=denials, environment=environment, held_shell=path, given=given)


def _cache(command: Sequence[str], environment: Mapping[str, str], home: str) -> str:
    """npm's cache folder, as the command or its environment says; else the usual one."""
    for word, following in zip(command, [*command[1:], ""], strict=True):
        if word.startswith("--cache="):
            return word.partition("=")[2]
        if word == "--cache":
            return following
    return environment.get("npm_config_cache") or os.path.join(home, ".npm")


def _with(ended: Ended, integrity: Watched, more: int) -> Ended:
    """How it ended, with what the comparison covered and the events that it made."""
    rows = tuple(integrity if row.category == "integrity" else row for row in ended.watch.categories)
    watch = structs.replace(ended.watch, categories=rows)
    return structs.replace(ended, watch=watch, events=ended.events + more)


class _Hidden:
    """Events with the secrets hidden that are recognised in arguments. A process is looked at once."""

    def __init__(self) -> None:
        self._former: Process | None = None
        self._shown: Process | None = None

    def process(self, given: Process) -> Process:
        """The process with its arguments as they may be written down."""
        if given is not self._former or self._shown is None:
            arguments = without_secrets(given.arguments)
            self._former = given
            self._shown = given if arguments == given.arguments else structs.replace(given, arguments=arguments)
        return self._shown

    def __call__(self, event: Event) -> Event:
        if event.process is None:
            return event
        shown = self.process(event.process)
        return event if shown is event.process else structs.replace(event, process=shown)


class _Sink:
    """Where events are written, one line each, at once: what was seen stands there if this process is killed.

    Where the file takes no more, the command goes on: what could not be written is counted and told.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()
        self._file: BinaryIO | None = None
        self._reason = ""
        self._lost = 0

    def __enter__(self) -> _Sink:
        if self._path is not None:
            try:
                self._file = open(self._path, "wb", buffering=0)
                self._put(self._encoder.encode({"schema": EVENT_SCHEMA}) + b"\n")
            except OSError as error:
                raise UsageError(f"cannot be written: {error.strerror}", where=str(self._path)) from None
        return self

    def __call__(self, event: Event) -> None:
        if self._file is None or self._reason:
            self._lost += bool(self._reason)
            return
        try:
            self._put(self._encoder.encode(event) + b"\n")
        except OSError as error:
            self._reason, self._lost = error.strerror or "an error", 1

    def _put(self, line: bytes) -> None:
        """Write all of a line: a file without room may take a part of it."""
        while line and self._file is not None:
            line = line[self._file.write(line) :]

    @property
    def unwritten(self) -> str:
        """What could not be written, in words; empty where all was."""
        return f"{self._lost} events: {self._reason}" if self._lost else ""

    def __exit__(self, *failure: object) -> None:
        if self._file is not None:
            self._file.close()
