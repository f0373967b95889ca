"""What can be examined here and what cannot, and why; and whether this program's own environment can be trusted.

The program starts inside an interpreter that a poisoned package may have reached first. So the folders that this
interpreter loads code from are read as data: what runs when Python starts, files that no RECORD names, and files of
this program and of what it needs that differ from their RECORD. A compiled file in a `__pycache__` folder is not
compared, and an interpreter or kernel that lies cannot be caught from inside: use the build that brings its own.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import msgspec

from pratique.adapters import interpreter, machine, processes
from pratique.report.words import count
from pratique.targets import boundaries, files
from pratique.targets.places import Platform, survey
from pratique.version import VERSION

Level = Literal["ok", "note", "gap", "warning"]
SCHEMA = "pratique.doctor/1"
SHOWN = 5
"""How many names of a long list are written out."""
_DEVELOPMENT = frozenset({"pip", "setuptools", "wheel"})
"""Distributions that makers of environments put into every new one."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was looked at. `gap`: could not be examined; `warning`: suspicious; `note`: good to know."""

    area: Literal["places", "machine", "environment"]
    level: Level
    what: str
    advice: str = ""
    paths: tuple[str, ...] = ()


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found, in a fixed order."""

    schema: str = SCHEMA
    version: str = VERSION
    findings: tuple[Finding, ...]

    @property
    def exit_code(self) -> int:
        """0 nothing wrong · 4 something could not be examined or is suspicious."""
        return 4 if any(finding.level in ("gap", "warning") for finding in self.findings) else 0


def doctor() -> Diagnosis:
    """Look at this machine, this user's places and this program's own environment. Writes and imports nothing."""
    folder = machine.home()
    places = _homeless() if folder is None else _places(os.environ, folder)
    return Diagnosis(findings=(*places, *_machine(folder), *environment(interpreter.folders(), _source_folder())))


def _platform() -> Platform:
    """The name of this platform as the rules of package managers know it."""
    return "windows" if sys.platform in ("win32", "cygwin") else "macos" if sys.platform == "darwin" else "linux"


def _homeless() -> Iterator[Finding]:
    what = "this user has no home folder here: only named targets can be examined"
    yield Finding(area="places", level="note", what=what)


def _places(environment: Mapping[str, str], folder: str) -> Iterator[Finding]:
    """Where this user's package managers leave traces, and which of these places cannot be opened."""
    found = survey(environment, folder, _platform())
    closed = [(place.path, reason) for place in found.places if (reason := machine.readable(place.path)) is not None]
    good = len(found.places) - len(closed)
    kinds = sorted({f"{place.manager} {place.kind}" for place in found.places})
    places = tuple(place.path for place in found.places)
    what = f"{count(good, 'place')} of this user can be opened"
    yield Finding(area="places", level="ok", what=what + (f": {', '.join(kinds)}" if kinds else ""), paths=places)
    for path, reason in closed:
        advice = "Run as a user who may read it, or accept the refusal by name"
        yield Finding(area="places", level="gap", what=f"{path}: {reason}", advice=advice, paths=(path,))
    for item in found.dropped:
        if item.reason == "is not an absolute path":
            what = f"{item.place.path}: configured by {item.place.found_by}, {item.reason}"
            yield Finding(area="places", level="gap", what=what, advice="Name the folder as a target")
    others = machine.other_homes(folder)
    if others:
        yield Finding(
            area="places",
            level="note",
            what=f"{count(len(others), 'home')} of other users not asked: {_some(others)}",
            advice="Run for each user, or name the folder as a target",
            paths=tuple(others),
        )
    mounts = sorted(boundaries.mount_points(folder))
    if mounts:
        yield Finding(
            area="places",
            level="note",
            what=f"other file systems below the home folder are not entered: {_some(mounts)}",
            advice="Name each as a target of its own",
            paths=tuple(os.path.join(folder, mount) for mount in mounts),
        )


def _machine(folder: str | None) -> Iterator[Finding]:
    """What the system allows."""

    def say(level: Level, what: str, advice: str = "") -> Finding:
        return Finding(area="machine", level=level, what=what, advice=advice)

    tested = sys.platform.startswith("linux")
    yield say("ok" if tested else "note", machine.system() + ("" if tested else ": the tests run on Linux alone"))
    kept = files.supported()
    yield say("ok" if kept == "access times are kept" else "note", kept)
    if hasattr(os, "geteuid"):
        who = (
            "root: files of every user can be read" if os.geteuid() == 0 else "an ordinary user: only what it may read"
        )
        yield say("ok", f"runs as {who}")
    memory = machine.memory()
    has = f"{machine.processors()} processors" + (f", {memory / (1 << 30):.1f} GiB of memory" if memory else "")
    yield say("ok", has)
    if processes.can_fork():
        yield say("ok", "work can be shared among processes")
    else:
        yield say("note", "this system cannot fork: one process does all the work")
    sensitive = machine.case_sensitive(folder) if folder else None
    if sensitive is not None:
        yield say("ok", f"names in the home folder {'differ' if sensitive else 'do not differ'} by case")
    yield _yaml(say)
    missing = [name for name in ("_sqlite3", "zlib", "_bz2", "_lzma") if find_spec(name) is None]
    if missing:
        advice = "Use a Python that has them; formats that need them become refusals"
        yield say("gap", f"this Python lacks {', '.join(missing)}", advice)
    git = machine.git()
    yield (
        say("ok", f"git is {git}") if git else say("note", "there is no git program: git histories cannot be examined")
    )
    if find_spec("_ctypes") is None:
        what = "guard, detonate and watch: this Python lacks ctypes, by which they ask the kernel"
        yield say("note", what, "Install this program with pip in a Python that has it")
    elif not sys.platform.startswith("linux"):
        yield say("note", "guard, detonate and watch need Linux")
    else:
        yield from _supervising(say)
    for item in machine.preloaded():
        advice = "A library in every program can change what any of them sees: examine this disk from another system"
        yield say("warning", f"the loader puts a library into every program: {item}", advice)


def _supervising(say: Callable[..., Finding]) -> Iterator[Finding]:
    """What a guard and a watch see and can refuse here, and whether a suspect can be contained: each is tried."""
    from pratique.adapters import supervisor
    from pratique.adapters.sandbox import chambers
    from pratique.adapters.supervisor import execution
    from pratique.adapters.supervisor.means import unusable_by
    from pratique.adapters.watcher.means import means
    from pratique.model.supervision import MEANS, MEANS_IN_WORDS

    blind = supervisor.unusable()
    advice = "See docs/how-to/guard-an-install.md"
    others = [(MEANS_IN_WORDS[one], unusable_by(one)) for one in MEANS if one != "notify"]
    if blind:
        by = next((words for words, reason in others if not reason), "")
        what = f"watches by {by}, which refuses nothing" if by else "nothing can be watched"
        yield say("note", f"guard: {what}: {blind}", advice)
    else:
        yield say(
            "ok", "guard: programs, connections and telling files are seen before they come to be, io_uring is refused"
        )
        landlock = execution.usable()
        if landlock:
            where = "See docs/how-to/block-what-packages-do.md"
            yield say("note", f"guard --block: dropped programs are seen, not blockable: {landlock}", where)
        else:
            yield say(
                "ok",
                "guard --block: files, connections and, by the shell of npm and pnpm, dropped programs are refused",
            )
    for words, reason in others:
        what = f"guard by {words}: " + (f"cannot stand in: {reason}" if reason else "can stand in, and refuses nothing")
        yield say("note" if reason else "ok", what, advice if reason else "")
    loose = chambers.unusable()
    if loose:
        yield say("note", f"detonate: no suspect can be contained: {loose}", "See docs/how-to/detonate-a-release.md")
    else:
        yield say("ok", "detonate: a suspect can be contained")
    for better, what in means():
        yield say("ok" if better else "note", what, "" if better else "See docs/how-to/watch-a-machine.md")


def _yaml(say: Callable[..., Finding]) -> Finding:
    import yaml

    if yaml.__with_libyaml__:
        return say("ok", "YAML is read by libyaml")
    return say("note", "libyaml is missing: YAML lockfiles are read several times slower")


def _source_folder() -> str:
    """The folder that this program's own package lies in."""
    return str(Path(__file__).resolve().parents[2])


def environment(folders: list[str], home: str) -> Iterator[Finding]:
    """What lies in the folders that this interpreter loads code from. `home` is the one that holds this program."""

    def say(level: Level, what: str, advice: str = "", paths: tuple[str, ...] = ()) -> Finding:
        return Finding(area="environment", level=level, what=what, advice=advice, paths=paths)

    looked = [interpreter.read_folder(folder) for folder in folders]
    installed = {name: item for folder in reversed(looked) for name, item in folder.distributions.items()}
    own = installed.get("pratique")
    developed = own is None or own.editable
    needed = interpreter.needed(installed, "pratique")
    if own is None:
        needed |= interpreter.needed(installed, "click") | _DEPENDENCIES
    for extra, (brought, lost) in _EXTRAS.items():
        for name in brought:
            needed |= interpreter.needed(installed, name)
        lacking = [name for name in brought if name not in installed]
        if lacking:
            what = f"{_some(lacking)} {'is' if len(lacking) == 1 else 'are'} not here: {lost}"
            yield say("note", what, f"pip install 'pratique[{extra}]'")
    for folder in looked:
        for path, reason in folder.unreadable:
            yield say("gap", f"{path}: {reason}", paths=(path,))
    startup = [item for folder in looked for item in folder.startup]
    library = interpreter.library_folder()
    startup += interpreter.startup_modules(library) if library not in folders else []
    for item in startup:
        yield _startup(item, say)
    yield from _unrecorded(looked, home, say)
    for folder in looked:
        if folder.path_files:
            paths = tuple(f"{folder.path}/{name}" for name in folder.path_files)
            yield say("note", f"{_some(list(paths))}: adds folders to the search path", "", paths)
    foreign = sorted(item.name for name, item in installed.items() if name not in needed | _DEVELOPMENT)
    if foreign:
        names = f"{count(len(foreign), 'distribution')} that this program does not need: {_some(foreign)}"
        if developed:
            yield say("note", f"{names} (this is a development environment)")
        else:
            yield say("warning", names, "Install this program into an environment of its own", tuple(foreign))
    yield from _verified(looked, needed, say)
    if not sys.flags.isolated:
        yield say("note", "this Python is not isolated: the current folder and PYTHON* variables can steer it")
    if developed:
        yield say("note", f"runs from a source tree, which no RECORD covers: {home}")


_DEPENDENCIES = frozenset(
    {"click", "jinja2", "markupsafe", "msgspec", "packageurl-python", "packaging", "psutil", "pyyaml", "zstandard"}
)
"""What this program needs, where no metadata of its own says so; a test holds it equal to the metadata."""
_EXTRAS = {
    "case": (("cryptography", "pyrage"), "no case can be kept"),
    "inspect": (
        ("tree-sitter", "tree-sitter-javascript", "tree-sitter-python", "tree-sitter-typescript"),
        "no release can be inspected",
    ),
    "trust": (("cryptography", "pypi-attestations", "sigstore"), "no signature or attestation can be verified"),
}
"""What each extra brings, and what cannot be done without it; a test holds it equal to the project's own list."""


def _startup(item: interpreter.StartupFile, say: Callable[..., Finding]) -> Finding:
    lines = f" line {', '.join(str(line) for line in item.lines)}" if item.lines else ""
    origin = f"recorded by {item.owner}" if item.owner else "recorded by no installed distribution"
    if item.known:
        what = f"{item.path}{lines}: runs whenever this Python starts; known from {item.known}"
        return say("note", what, "", (item.path,))
    return say(
        "warning",
        f"{item.path}{lines}: runs whenever this Python starts; {origin}",
        "Do not start this Python again before someone has read the file; examine this machine from outside",
        (item.path,),
    )


def _unrecorded(looked: list[interpreter.SiteFolder], home: str, say: Callable[..., Finding]) -> Iterator[Finding]:
    for folder in looked:
        names = [name for name in folder.unrecorded if not (folder.path == home and name == "pratique")]
        if names and not (folder.path == home and not folder.distributions):
            paths = tuple(f"{folder.path}/{name}" for name in names)
            what = f"{folder.path}: {count(len(names), 'module')} in no RECORD: {_some(names)}"
            yield say("warning", what, "Find out who put them there", paths)


def _verified(
    looked: list[interpreter.SiteFolder], needed: frozenset[str], say: Callable[..., Finding]
) -> Iterator[Finding]:
    """Whether the files of this program and of what it needs are those that were installed."""
    files = 0
    whole = []
    for folder in looked:
        for name, item in sorted(folder.distributions.items()):
            if name not in needed or item.editable:
                continue
            if not item.recorded:
                yield say("gap", f"{item.name} {item.version}: has no RECORD, so its files cannot be verified")
                continue
            wrong = list(interpreter.verify(folder.path, item))
            for path, reason in wrong:
                where = f"{folder.path}/{path}"
                yield say("warning", f"{where}: {reason} ({item.name} {item.version})", "Install it anew", (where,))
            if not wrong:
                whole.append(item.name)
                files += sum(1 for digest in item.files.values() if digest)
    if whole:
        yield say("ok", f"{files:,} files of {_some(whole)} are as recorded")


def _some(names: list[str]) -> str:
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
