"""Install and import a suspect release in a sandbox, once for each persona, and say what it did.

Releases are fetched or read outside and served inside. A run of an empty package of the same kind shows what the
package manager itself does; that is taken away.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from pratique.adapters import clock
from pratique.adapters.sandbox import LAYERS, authority, contain, toolchains
from pratique.adapters.supervisor import unusable
from pratique.behaviour.detect import Detector
from pratique.behaviour.library import bundled
from pratique.ecosystems.attribution import cause
from pratique.ecosystems.references import release_purl
from pratique.model.detonation import (
    DETONATION_SCHEMA,
    PERSONAS,
    Authority,
    Chamber,
    Contained,
    Detonation,
    DetonationRun,
    Examined,
    Limits,
    Persona,
    Step,
)
from pratique.model.errors import UsageError
from pratique.model.event import EVENT_SCHEMA, Cause, Detection, Event, PathClass
from pratique.model.supervision import Seen
from pratique.version import VERSION
from pratique.workflow.detonate_events import Ordinary, Told, told
from pratique.workflow.detonate_facts import behaviours
from pratique.workflow.detonate_fetching import fetched
from pratique.workflow.detonate_home import REGISTRY, ROOTS, Life, life
from pratique.workflow.detonate_packages import EMPTY, Package, empty, served, standins
from pratique.workflow.guard_places import Places, templates

LINGER = 5.0
SECONDS = 120.0
MOST_RELEASES = 20
MOST_EVENTS = 5_000
"""So many events of a run stand in its report; all are written where a file was asked for."""
_ADVICE = (
    "Nothing was run. Use a Linux machine or virtual machine that lets an account make user namespaces (sysctl"
    " user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns), or run this as root in one"
)
_IMPORT_NODE = "import(process.argv[1]).catch(e=>{console.error(e);process.exitCode=1})"
_IMPORT_PYTHON = """\
import importlib, sys, traceback
failed = []
for name in sys.argv[2:]:
    try:
        importlib.import_module(name)
    except Exception:
        failed.append(name)
        traceback.print_exc(limit=-1)
sys.exit(bool(failed) and failed == sys.argv[2:])
"""
HEADERS = "/opt/headers"
_LEAST_HEADERS = {
    "node_version.h": b"#define NODE_MAJOR_VERSION 22\n",
    "common.gypi": b"{'variables': {}, 'target_defaults': {'type': 'none'}}\n",
    "config.gypi": b"{'variables': {}, 'target_defaults': {}}\n",
}
"""As much of Node's headers as configuring a build wants, where it has none: nothing can be fetched in the sandbox."""
_STEPS = {_IMPORT_NODE: "import", _IMPORT_PYTHON: "import", "pass": "start"}
"""The steps of ours that give a package its chance, by their code."""
_FLAG_SINCE = (11, 16)
"""The npm that knows --dangerously-allow-all-scripts; from 12 on it runs no script of a dependency without."""


class DetonateRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to detonate, and how.

    `references` are texts as a person writes them; `folders` hold archives to take first. `offline`: nothing is
    fetched; `online`: dependencies of paths are fetched too. `linger` and `seconds` bound each run; `events`: a file
    that gets every event, one JSON object a line.
    """

    references: tuple[str, ...]
    personas: tuple[Persona, ...] = ("laptop", "ci")
    linger: float = LINGER
    seconds: float = SECONDS
    folders: tuple[str, ...] = ()
    offline: bool = False
    online: bool = False
    events: Path | None = None
    command: tuple[str, ...] = ()


class _Plan(msgspec.Struct, frozen=True):
    """What is the same for every run: how packages of this kind are installed and imported.

    `builds_apart`: everything that builds the source archives is at hand, so that each is built in isolation.
    """

    tools: toolchains.Toolchain
    authority: Authority | None
    limits: Limits
    gaps: tuple[str, ...]
    builds_apart: bool = False


class _Run(msgspec.Struct, frozen=True):
    """One run: who, what, how."""

    life: Life
    suspects: tuple[Package, ...]
    packages: tuple[Package, ...]
    steps: tuple[Step, ...]
    site: str


def detonate(request: DetonateRequest) -> Detonation:
    """Run the releases in sandboxes and report. Raises UsageError where nothing can be contained or run here.

    Raises TargetError for a path where no release lies.
    """
    if not request.references:
        raise UsageError("names no release", where="detonate", advice="Name releases or paths of archives")
    if request.offline and request.online:
        raise UsageError("--offline and --online exclude each other")
    if len(request.references) > MOST_RELEASES:
        raise UsageError(f"names more than {MOST_RELEASES} releases", where="detonate")
    for persona in request.personas:
        if persona not in PERSONAS:
            raise UsageError("is no persona", where=f"--persona {persona}", advice=f"Write {', '.join(PERSONAS)}")
    reason = unusable()
    if reason:
        raise UsageError(f"no release can be contained here: {reason}", where="detonate", advice=_ADVICE)
    # The layers of the sandbox itself are made before anything of a release begins: where one fails, nothing is run.
    had = fetched(request.references, request.folders, offline=request.offline, online=request.online)
    packages = had.all
    world = packages[0].ecosystem
    if any(one.ecosystem != world for one in packages):
        raise UsageError("names releases of npm and of PyPI", where="detonate", advice="Detonate one kind at a time")
    plan = _plan(world, packages, request, had.gaps)
    wanted = {asked.name for one in packages for asked in one.wants.values()}
    suspects = tuple(one for one in had.named if one.name not in wanted) or (had.named[0],)
    templates()  # read once, before the processes that use them are made
    filled = standins(packages)
    nothing_to_import = [one.name for one in suspects if not one.importable]
    lives = [life(persona) for persona in dict.fromkeys(request.personas)]
    runs = [_run(one, suspects, (*packages, *filled), plan) for one in lives]
    nothing = empty(world, suspects[0].form)
    ordinary = _run(life(lives[0].persona), (nothing,), (nothing,), plan)
    try:
        found = contain([_chamber(one, plan) for one in (ordinary, *runs)])
    except OSError as error:
        what = f"no release can be contained here: {error.strerror or error}"
        raise UsageError(what, where="detonate", advice=_ADVICE) from None
    known = Ordinary(_told(found[0], ordinary), ordinary.life, [EMPTY])
    lacking = [f"{one.name} {one.version} was not at hand: an empty package stood in for it" for one in filled[:20]]
    lacking += [f"{name} names nothing that can be imported: it was installed alone" for name in nothing_to_import]
    if len(filled) > 20:
        lacking.append(f"{len(filled) - 20} further dependencies were not at hand: empty packages stood in for them")
    with _Lines(request.events) as lines:
        done = tuple(_reported(run, contained, known, lines) for run, contained in zip(runs, found[1:], strict=True))
    if found[0].broken:
        why = f"the run of an empty package ended early ({found[0].broken})"
        lacking.append(f"{why}: nothing, or too little, is taken away")
    return Detonation(
        schema=DETONATION_SCHEMA,
        version=VERSION,
        generated=clock.iso(clock.now()),
        command=request.command,
        releases=tuple(_examined(one, one in suspects) for one in packages),
        runs=done,
        planted=tuple(dict.fromkeys(place for one in lives for place in one.places)),
        layers=LAYERS,
        gaps=(*plan.gaps, *lacking),
    )


def _plan(world: str, packages: Sequence[Package], request: DetonateRequest, gaps: Iterable[str]) -> _Plan:
    try:
        tools = toolchains.node() if world == "npm" else toolchains.python()
    except toolchains.NoToolchainError as error:
        advice = "Install Node.js with npm" if world == "npm" else "Install Python 3 with pip"
        raise UsageError(f"cannot be run here: {error}", where="detonate", advice=advice) from None
    more = list(gaps)
    made = authority.make()
    if made is None:
        more.append("neither the package cryptography nor the program openssl is here: TLS is not taken off")
    if world == "PyPI" and not tools.builds and any(one.form == "sdist" for one in packages):
        more.append("this Python has no setuptools: a source archive that needs it cannot be built")
    limits = Limits(seconds=request.seconds, linger=request.linger)
    have = {one.name for one in packages}
    builds = {asked.name for one in packages for asked in one.wants.values() if asked.group == "build"}
    return _Plan(tools, made, limits, tuple(more), bool(builds) and builds <= have)


def _run(one: Life, suspects: tuple[Package, ...], packages: tuple[Package, ...], plan: _Plan) -> _Run:
    if suspects[0].ecosystem == "npm":
        allow = "--dangerously-allow-all-scripts " if plan.tools.version >= _FLAG_SINCE else ""
        named = " ".join(shlex.quote(f"{own.name}@{own.version}") for own in suspects)
        quiet = "--no-audit --no-fund --no-update-notifier --foreground-scripts"
        steps = [Step("install", f"npm install {allow}{quiet} {named}")]
        steps += [Step(f"import {own.name}", f"node -e {shlex.quote(_IMPORT_NODE)} {shlex.quote(own.name)}")
                  for own in suspects if own.importable]  # fmt: skip
        return _Run(one, suspects, packages, tuple(steps), f"{one.project}/node_modules")
    short = ".".join(str(part) for part in plan.tools.version[:2])
    site = f"{one.account.home}/.local/lib/python{short}/site-packages"
    named = " ".join(shlex.quote(f"{own.name}=={own.version}") for own in suspects)
    apart = "" if plan.builds_apart else " --no-build-isolation"
    wheels = f"--no-index --no-compile --ignore-installed --find-links {one.account.home}/.cache/archives{apart}"
    quiet = "--no-warn-script-location --disable-pip-version-check --no-input"
    steps = [
        Step("install", f"python3 -m pip install --user {wheels} {quiet} {named}"),
        Step("start", f"python3 -c pass {shlex.quote(suspects[0].name)}"),
    ]
    for own in suspects:
        words = " ".join(shlex.quote(word) for word in (own.name, *own.modules))
        steps.append(Step(f"import {own.name}", f"python3 -c {shlex.quote(_IMPORT_PYTHON)} {words}"))
    return _Run(one, suspects, packages, tuple(steps), site)


def _chamber(run: _Run, plan: _Plan) -> Chamber:
    one = run.life
    environment = dict(one.environment)
    files = dict(one.files)
    if plan.authority is not None:
        files[ROOTS] = plan.authority.certificate
    if run.suspects[0].ecosystem == "npm":
        headers = next((place for place in plan.tools.programs if place.endswith("/include/node")), "")
        if any("binding.gyp" in own.members for own in run.packages):
            environment["npm_config_nodedir"] = headers.removesuffix("/include/node") or HEADERS
        files |= {} if headers else {f"{HEADERS}/include/node/{name}": text for name, text in _LEAST_HEADERS.items()}
        files[f"{one.project}/package.json"] = b'{"name":"app","version":"1.0.0","private":true}\n'
    else:
        environment |= {"PIP_BREAK_SYSTEM_PACKAGES": "1", "PIP_NO_CACHE_DIR": "1", "PIP_ROOT_USER_ACTION": "ignore"}
        for own in run.packages:
            files[f"{one.account.home}/.cache/archives/{own.file}"] = own.content
    lines = [f"{step.command} </dev/null; echo $? > /run/steps/{at}" for at, step in enumerate(run.steps)]
    return Chamber(
        account=one.account,
        folder=one.project,
        script="\n".join(lines),
        environment=environment,
        files=files,
        classify=_Classes(one.account.home, one.project, environment),
        attribute=_attribution(run),
        programs=plan.tools.programs,
        links=plan.tools.links,
        registry=REGISTRY,
        served=served(run.packages),
        authority=plan.authority,
        limits=plan.limits,
    )


class _Classes:
    """Classes of paths, made ready when the first is asked for: that is in the sandbox's own process, beside others."""

    def __init__(self, home: str, project: str, environment: Mapping[str, str]) -> None:
        self._about = (home, project, environment)
        self._places: Places | None = None

    def __call__(self, path: str) -> PathClass:
        if self._places is None:
            self._places = Places(*self._about)
        return self._places.classify(path)


def _attribution(run: _Run) -> Callable[[Seen], Cause | None]:
    """What caused a process: the package that a lifecycle script or build is of, or the one that is imported."""
    own = {one.name: one for one in run.suspects}

    def attribute(seen: Seen) -> Cause | None:
        words = seen.process.arguments
        if seen.above is None and len(words) > 3 and words[1] in ("-e", "-c") and words[3] in own:
            found, step = own[words[3]], _STEPS.get(words[2])
            if step is not None:
                return Cause(found.ecosystem, found.name, found.version, step, "command")
        return cause(words, seen.process.folder, seen.environment, run.life.project, seen.above)

    return attribute


def _told(found: Contained, run: _Run) -> Told:
    return told(found, run.life, run.packages, run.site)


def _reported(run: _Run, found: Contained, known: Ordinary, lines: _Lines) -> DetonationRun:
    """What is reported of one run."""
    whole = _told(found, run)
    names = [one.name for one in run.suspects]
    kept, files, taken = known.without(whole, run.life, names)
    numbers = {one.sequence: at for at, one in enumerate(kept, 1)}
    events = [msgspec.structs.replace(one, sequence=numbers[one.sequence]) for one in kept]
    for event in events:
        lines(run.life.persona, event)
    survived = {one.process.pid for one in events if one.kind == "process.survived" and one.process is not None}
    gaps = [*found.gaps, *whole.gaps]
    if len(events) > MOST_EVENTS:
        gaps.append(f"{len(events) - MOST_EVENTS} events beyond {MOST_EVENTS} stand in the file of events alone")
    sent = [one for one in events if one.kind == "network.payload"]
    seen_payloads = {(one.address, one.port, one.detail.get("sha256")) for one in sent}
    return DetonationRun(
        persona=run.life.persona,
        steps=tuple(msgspec.structs.replace(step, code=found.steps.get(str(at))) for at, step in enumerate(run.steps)),
        behaviours=behaviours(events, files),
        detections=tuple(_detections(whole.events, numbers)),
        payloads=tuple(one for one in whole.payloads if (one.address, one.port, one.sha256) in seen_payloads),
        names=whole.names,
        dropped=tuple(files),
        survivors=tuple(one for one in found.survivors if one.pid in survived),
        events=tuple(events[:MOST_EVENTS]),
        subtracted=taken,
        watch=found.watch,
        timed_out=found.timed_out,
        broken=found.broken,
        gaps=tuple(gaps),
        seconds=round(found.seconds, 3),
        output=_output(found.output, run.life),
        home=run.life.account.home,
        folder=run.life.project,
    )


def _detections(events: Sequence[Event], numbers: dict[int, int]) -> Iterable[Detection]:
    """Detections on everything, but those that rest on what an empty package does too."""
    detector = Detector(bundled())
    for event in events:
        for one in detector.feed(event):
            if event.sequence in numbers:
                held = tuple(numbers[at] for at in one.events if at in numbers)
                yield msgspec.structs.replace(one, events=held)


def _output(output: bytes, one: Life) -> str:
    from pratique.behaviour.honeytokens import redacted

    return redacted(output, one.planted, 16_000)


def _examined(one: Package, suspect: bool) -> Examined:
    purl = release_purl(one.ecosystem, one.name, one.version)
    return Examined(purl, one.ecosystem, one.name, one.version, one.file, one.sha256, suspect)


class _Lines:
    """Where events are written, one line each, the schema's name first; each with its persona."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> _Lines:
        if self._path is not None:
            try:
                self._open = open(self._path, "wb")
            except OSError as error:
                raise UsageError(f"cannot be written: {error.strerror}", where=str(self._path)) from None
            self._open.write(self._encoder.encode({"schema": EVENT_SCHEMA}) + b"\n")
        return self

    def __call__(self, persona: str, event: Event) -> None:
        if self._path is not None:
            self._open.write(self._encoder.encode({"persona": persona, **msgspec.to_builtins(event)}) + b"\n")

    def __exit__(self, *failure: object) -> None:
        if self._path is not None:
            self._open.close()
