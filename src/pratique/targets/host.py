"""A machine: this one while it runs, or the disk of another one; what runs, what starts by itself, what lies where.

## Reads
Of a running machine the tables of processes and sockets (`live`). Of both: units, timers, tables of cron and at, agents
and daemons, scheduled tasks, exports of the registry, autostart, start-up files of shells, hooks of git and of agents,
what Python starts with, registered runners, the table of hosts, and logs of resolvers. The second look asks whether
files lie where indicators name them, and what their digests are.

## Leaves out
Everything else on the disk: `check root:` walks that. Caches of resolvers that no file holds. What belongs to other
accounts and is closed to this one becomes a refusal of the machine.

## References
The readers of `readers/host`; systemd.unit(5); crontab(5); launchd.plist(5).
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import msgspec

from pratique.model.errors import TargetError
from pratique.model.location import locate, shown
from pratique.model.observation import DigestFact, HostFact, Observation, PresenceFact, Question, Refusal, Time
from pratique.model.ports import Artifact, Claims, Handed, Kept, Options, TargetKind, Unit, Unreadable, iso_time
from pratique.model.tables import PROCESS_FILE, SOCKET_FILE
from pratique.targets import live, mounted
from pratique.targets.boundaries import resolve
from pratique.targets.files import CHUNK, File, kind_of_file, open_regular, reason_of
from pratique.targets.host_places import PER_HOME, PER_SYSTEM

READER = "host"
MOST_ENTRIES = 20_000
"""So many entries of one folder are looked at."""
MOST_FILES = 100_000
DEEPEST = 6
MOST_HASHED = 1 << 30
Platform = Literal["linux", "macos", "windows"]


class _Home(msgspec.Struct, frozen=True):
    """A home: its path from the root, and the system it belongs to."""

    path: str
    platform: Platform


class _Machine(msgspec.Struct, frozen=True):
    """Systems with the folder that each lies in, and homes."""

    systems: tuple[tuple[Platform, str], ...]
    homes: tuple[_Home, ...]
    temporary: tuple[str, ...] = ()


def is_live(path: str) -> bool:
    """Whether a path is the root of this machine."""
    return os.path.abspath(path) == root_of_this_machine()


def root_of_this_machine() -> str:
    """`/`, or the drive that Windows was started from."""
    if sys.platform == "win32":
        return os.environ.get("SYSTEMDRIVE", "C:") + "\\"
    return "/"


def find(path: str) -> list[str]:
    """The machine behind a path. Raises TargetError where it is no folder."""
    if not os.path.isdir(path):
        raise TargetError("is no folder", where=path, advice="Name the folder that the disk is mounted on")
    return [path]


def units(path: str, uri: str, options: Options) -> Iterator[Unit | Refusal]:
    """One unit, which is never kept: a machine changes."""
    if not is_live(path) and not mounted.recognise(path).systems:
        yield Refusal(".", READER, "no layout of Linux, macOS or Windows was recognised", True, uri)
        return
    yield Unit(uri, path, "host", part="the machine")


GIT_CONFIGURATION = (".gitconfig", ".config/git/config")
MOST_OF_CONFIGURATION = 1 << 20
_HOOKS = re.compile(
    r"^[^#;\n]*?\b(hookspath|templatedir)[ \t]*=[ \t]*\"?([^\"#;\r\n]{1,4096})", re.IGNORECASE | re.MULTILINE
)


class _Counter:
    """How much was read."""

    def __init__(self) -> None:
        self.bytes = 0


def open_unit(unit: Unit, claims: Claims, options: Options) -> Iterator[Handed | Observation | Refusal | Kept]:
    """The tables of a running machine, then every file that starts something."""
    here = is_live(unit.path)
    machine = this_machine() if here else _other(unit.path)
    fact = HostFact(
        platforms=tuple(dict.fromkeys(platform for platform, _ in machine.systems)),
        live=here,
        homes=tuple(f"/{shown(home.path)}" for home in machine.homes),
        temporary=tuple(f"/{shown(path)}" for path in machine.temporary),
        bases=tuple(base for _, base in machine.systems if base),
    )
    yield Observation(READER, locate(unit.target, "."), fact)
    if here:
        yield from _tables(unit, claims, options)
    look = _Look(unit, claims, options, machine)
    yield from look.all()


def _tables(unit: Unit, claims: Claims, options: Options) -> Iterator[Handed | Refusal]:
    takers: tuple[tuple[str, Callable[[], bytes]], ...] = (
        (PROCESS_FILE, lambda: live.processes(options.command_lines)),
        (SOCKET_FILE, live.sockets),
    )
    for name, take in takers:
        for claimant in claims.at(name):
            try:
                data = take()
            except ImportError:
                said = "could not be taken: the Python package psutil is not installed here"
                yield Refusal(name, READER, said, True, unit.target)
                continue
            except Exception as error:  # noqa: BLE001 (a system that cannot be asked is a gap, never a crash)
                said = type(error).__name__
                if live.platform() == "linux" and not os.path.lexists("/proc/self"):
                    said = "/proc is not mounted here"
                elif isinstance(error, OSError) and error.filename is not None:
                    said = f"{reason_of(error)}: {error.filename}"
                yield Refusal(name, READER, f"could not be taken: {said}", True, unit.target)
                continue
            yield claimant.key, _artifact(unit.target, name, data)


def _artifact(target: str, path: str, data: bytes) -> Artifact:
    return Artifact(target, path, lambda: data, lambda: None, lambda _: None)


def this_machine() -> _Machine:
    """This machine: its system, its accounts' homes that exist, and where variables put temporary files."""
    platform = live.platform()
    root = root_of_this_machine()
    homes: dict[str, None] = {}
    own = os.path.expanduser("~")
    if os.path.isabs(own):
        homes[own] = None
    try:
        import pwd

        lowest = 500 if platform == "macos" else 1000
        for entry in pwd.getpwall():
            if (entry.pw_uid == 0 or lowest <= entry.pw_uid < 60_000) and os.path.isabs(entry.pw_dir):
                homes.setdefault(os.path.realpath(entry.pw_dir), None)
    except ImportError:
        base = os.path.join(root, "Users")
        with _silent(), os.scandir(base) as entries:
            homes.update((entry.path, None) for entry in entries if entry.is_dir())
    relative = [os.path.realpath(home)[len(root) :].replace("\\", "/").strip("/") for home in homes]
    kept = tuple(_Home(home, platform) for home in dict.fromkeys(relative) if home and os.path.isdir(root + home))
    temporary = {os.path.realpath(os.environ[name]) for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)}
    inside = tuple(sorted(path[len(root) :].replace("\\", "/") for path in temporary if path.startswith(root)))
    return _Machine(((platform, ""),), kept[:10_000], inside)


class _silent:  # noqa: N801 (reads as a statement)
    """Errors of the system mean that nothing is there."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, OSError)


def _other(root: str) -> _Machine:
    """The machine of a disk."""
    disk = mounted.recognise(root)
    homes = dict.fromkeys(_Home(user.home.replace(os.sep, "/"), user.platform) for user in disk.users)
    return _Machine(disk.systems, tuple(homes))


class _Look:
    """One look at the places of a machine."""

    def __init__(self, unit: Unit, claims: Claims, options: Options, machine: _Machine) -> None:
        self.unit = unit
        self.root = unit.path.rstrip("/") + "/" if unit.path != "/" else "/"
        self.claims = claims
        self.options = options
        self.machine = machine
        self.counter = _Counter()
        self.files = 0
        self.met: set[str] = set()
        self.refused: set[str] = set()

    def all(self) -> Iterator[Handed | Refusal]:
        """Every file of every place."""
        for platform, base in self.machine.systems:
            for place, claim in PER_SYSTEM[platform]:
                yield from self._place(_joined(base, place), claim)
            yield from self._hooks(_joined(base, "etc/gitconfig"), None)
        for home in self.machine.homes:
            real = resolve(self.root, home.path)
            if real is None:
                continue
            reason = _closed(real)
            if reason is not None:
                yield self._refuse(home.path, f"{reason}: what starts in this home by itself was not seen")
                continue
            for place, claim in PER_HOME[home.platform]:
                yield from self._place(_joined(home.path, place), claim)
            for name in GIT_CONFIGURATION:
                yield from self._hooks(_joined(home.path, name), home.path)
        if self.files > MOST_FILES:
            yield self._refuse(".", f"more than {MOST_FILES} files start something; the rest was not looked at")

    def _refuse(self, path: str, reason: str, *, relevant: bool = True) -> Refusal:
        location = locate(self.unit.target, path)
        return Refusal(location.path, READER, reason, relevant, self.unit.target, location.path_bytes)

    def _place(self, place: str, claim: str) -> Iterator[Handed | Refusal]:
        """The files of one place: `*` stands for any name, a last part of `**` for files at any depth.

        `claim` is a path that readers are asked about instead of the file's own, with `*` for its name.
        """
        for item in _expanded(self.root, place):
            if isinstance(item, Refusal):
                if item.path not in self.refused:
                    self.refused.add(item.path)
                    yield self._refuse(item.path, item.reason)
                continue
            yield from self._file(item, claim)

    def _hooks(self, configuration: str, home: str | None) -> Iterator[Handed | Refusal]:
        """The hooks in the folders that a configuration of git names for every repository.

        That the configuration itself cannot be read is said where it is looked at as a file.
        """
        real = resolve(self.root, configuration)
        if real is None:
            return
        try:
            text = File(real, MOST_OF_CONFIGURATION, self.counter).content().decode("utf-8", "replace")
        except (OSError, Unreadable):
            return
        for key, value in _HOOKS.findall(text):
            named = value.strip().replace("\\", "/")
            if named.startswith("~/"):
                named = None if home is None else _joined(home, named[2:])
            else:
                named = named.lstrip("/") if named.startswith("/") else None
            if named and not set(named) & set("*?["):
                folder = named.rstrip("/") + ("/hooks" if key.lower() == "templatedir" else "")
                yield from self._place(f"{folder}/*", "git/hooks/*")

    def _file(self, path: str, claim: str) -> Iterator[Handed | Refusal]:
        if self.files > MOST_FILES:
            return
        asked = claim.replace("*", path.rpartition("/")[2]) if claim else path
        claimants = self.claims.at(asked)
        if not claimants:
            return
        folder, _, name = path.rpartition("/")
        around = resolve(self.root, folder)
        if around is None:
            return
        real = f"{around.rstrip('/')}/{name}"
        try:
            mode = os.lstat(real).st_mode
        except OSError:
            return
        if stat.S_ISLNK(mode):
            followed = resolve(self.root, path)
            if followed is None or followed == "/dev/null" or followed.endswith("/dev/null"):
                return  # it starts nothing: it leads nowhere, or is masked
            real = followed
        if real in self.met or os.path.isdir(real):
            return
        self.met.add(real)
        self.files += 1
        for claimant in claimants:
            if claimant.key < 0:
                continue
            file = File(real, min(claimant.limit, self.options.limit or claimant.limit), self.counter)
            yield claimant.key, Artifact(self.unit.target, path, file.content, file.modified, file.companion)


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _closed(folder: str) -> str | None:
    """Why a home cannot be looked into; None where it can."""
    try:
        with os.scandir(folder):
            return None
    except OSError as error:
        return reason_of(error)


def _expanded(root: str, place: str) -> Iterator[str | Refusal]:
    """The paths that a place with `*` and `**` stands for; folders that cannot be listed as refusals."""
    parts = place.split("/")
    waiting: list[tuple[str, int]] = [("", 0)]
    while waiting:
        done, index = waiting.pop()
        if index == len(parts):
            if done:
                yield done
            continue
        part = parts[index]
        if part == "**":
            yield from _below(root, done, 0)
            continue
        if not any(sign in part for sign in "*?["):
            rest = index + 1
            path = _joined(done, part)
            while rest < len(parts) and not any(sign in parts[rest] for sign in "*?["):
                path, rest = _joined(path, parts[rest]), rest + 1
            if resolve(root, path) is not None:
                waiting.append((path, rest))
            elif not done and (closed := _barred(root, path)) is not None:
                yield Refusal(closed[0], READER, closed[1], True)
            elif rest == len(parts):
                waiting.append((path, rest))
            continue
        for item in _names(root, done):
            if isinstance(item, Refusal):
                yield item
            elif fnmatch.fnmatchcase(item, part) and (part.startswith(".") or not part.startswith("*") or _shown(item)):
                waiting.append((_joined(done, item), index + 1))


def _shown(name: str) -> bool:
    """Editors' and package managers' leftovers that no program of the system starts."""
    return not name.endswith(("~", ".dpkg-dist", ".dpkg-old", ".rpmsave", ".placeholder", ".swp"))


def _names(root: str, folder: str) -> list[str | Refusal]:
    real = resolve(root, folder)
    if real is None:
        return []
    try:
        mode = os.lstat(real).st_mode
        if not stat.S_ISDIR(mode):
            return []
        found: list[str | Refusal] = []
        with os.scandir(real) as entries:
            for count, entry in enumerate(entries):
                if count >= MOST_ENTRIES:
                    reason = f"holds more than {MOST_ENTRIES} entries; the rest was not looked at"
                    return [*found, Refusal(folder or ".", READER, reason, True)]
                found.append(entry.name)
    except FileNotFoundError:
        return []
    except OSError as error:
        return [Refusal(folder or ".", READER, reason_of(error), True)]
    return sorted(found, key=str)


def _below(root: str, folder: str, depth: int) -> Iterator[str | Refusal]:
    """Every file below a folder, to a depth; links are not followed."""
    for item in _names(root, folder):
        if isinstance(item, Refusal):
            yield item
            continue
        path = _joined(folder, item)
        real = resolve(root, path)
        if real is None:
            continue
        if os.path.isdir(real) and not os.path.islink(real):
            if depth >= DEEPEST:
                yield Refusal(path, READER, f"lies deeper than {DEEPEST} folders; was not looked at", True)
            else:
                yield from _below(root, path, depth + 1)
        else:
            yield path


def probe(path: str, uri: str, questions: Sequence[Question], options: Options) -> Iterator[Observation | Refusal]:
    """Which of the files that indicators name are there, and their digests."""
    root = path.rstrip("/") + "/" if path != "/" else "/"
    for question in questions:
        for item in _expanded(root, question.path):
            if isinstance(item, Refusal):
                location = locate(uri, item.path)
                yield Refusal(location.path, "probe", item.reason, True, uri, location.path_bytes, names=question.names)
                continue
            yield from _answer(root, uri, item, question)


def _answer(root: str, uri: str, path: str, question: Question) -> Iterator[Observation | Refusal]:
    folder, _, name = path.rpartition("/")
    real = resolve(root, folder)
    location = locate(uri, path)
    if real is None:
        closed = _barred(root, folder)
        if closed is not None:
            yield Refusal(location.path, "probe", closed[1], True, uri, location.path_bytes, names=question.names)
        return
    names = [name] if os.path.lexists(f"{real.rstrip('/')}/{name}") else []
    found = f"{real.rstrip('/')}/{name}" if names else resolve(root, path)
    try:
        if found is None:
            os.lstat(f"{real.rstrip('/')}/{name}")
            return
        status = os.lstat(found)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        said = reason_of(error)
        yield Refusal(location.path, "probe", said, True, uri, location.path_bytes, names=question.names)
        return
    if stat.S_ISDIR(status.st_mode):
        said = f"an indicator names a file here; it is {kind_of_file(status.st_mode)}"
        yield Refusal(location.path, "probe", said, False, uri, location.path_bytes, names=question.names)
        return
    times = (Time("the file was last written", iso_time(status.st_mtime), "file modification time"),)
    yield Observation("probe", location, PresenceFact(path=shown(path), exists=True, size=status.st_size), times)
    if not stat.S_ISREG(status.st_mode) or status.st_size > MOST_HASHED:
        return
    try:
        value = _digest(found)
    except (OSError, Unreadable):
        return  # that it is there was said; what it holds is not asked about by its path
    yield Observation("probe", location, DigestFact(path=shown(path), algorithm="sha256", digest=value))


def _barred(root: str, folder: str) -> tuple[str, str] | None:
    """The folder that closes the way to a path, and why; None where one of them simply is not there."""
    passed = ""
    for part in folder.split("/"):
        try:
            os.lstat(f"{root.rstrip('/')}/{_joined(passed, part)}")
        except PermissionError as error:
            return passed or ".", reason_of(error)
        except OSError:
            return None
        passed = _joined(passed, part)
    return None


def _digest(path: str) -> str:
    state = hashlib.sha256(usedforsecurity=False)
    descriptor, _ = open_regular(path)
    with os.fdopen(descriptor, "rb") as file:
        while chunk := file.read(CHUNK):
            state.update(chunk)
    return state.hexdigest()


TARGET = TargetKind(kind="host", subject="machine", find=find, units=units, open=open_unit, probe=probe)
