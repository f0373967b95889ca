"""Examinations kept as files: the slow part of the benchmark is done once, and rules are judged on what it gave.

Each replica is examined in a process of its own, the ordinary releases of a package in one, out of one that has
everything loaded; facts of files are remembered between the releases of a package, as they are for a user. What does
not end is ended. A release that ended badly is kept as a failure, never left out. Peaks of memory are those of the
process.
"""

from __future__ import annotations

import functools
import hashlib
import os
import resource
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec

from evals.describe import Replica
from evals.registry_documents import earlier
from pratique.adapters.packages.kept import Kept
from pratique.adapters.results import Results
from pratique.ecosystems.references import World
from pratique.model.release import Transition
from pratique.workflow import remembered
from pratique.workflow.acquire import Acquirer
from pratique.workflow.documents import NotHad
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.transition import DEPTH, Asking, Examiner

LIMIT = 300.0
"""So many seconds may one release take."""
LATER = 3600.0
"""A release is looked at so many seconds after it was published, as a gate would."""


class Wanted(msgspec.Struct, frozen=True):
    """One release to examine. `key` names its file; `at` in seconds since the epoch, None: an hour after publishing.

    Of an ordinary release the added dependencies are examined, of a replica all that are newly resolved.
    """

    key: str
    ecosystem: World
    name: str
    version: str
    before: str | None
    folder: Path
    at: float | None = None
    alone: bool = False
    """Examined as a first release: compared with nothing."""
    kept: Path | None = None
    """Where archives of new dependencies are kept that are fetched once; None: nothing is asked of a registry."""


class Outcome(msgspec.Struct, frozen=True):
    """What one examination gave, and took. `failure` is empty where it ended well; seconds and bytes.

    `code` is the digest of the code that examined.
    """

    key: str
    transitions: tuple[Transition, ...]
    failure: str = ""
    cpu: float = 0.0
    wall: float = 0.0
    peak: int = 0
    code: str = ""


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Outcome)


@functools.cache
def code_digest() -> str:
    """The digest of the code that examines: all of the program but its rules, which are applied afterwards."""
    import pratique

    root = Path(str(pratique.__file__)).parent
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        inner = path.relative_to(root).as_posix()
        if not inner.startswith(("doors/", "report/", "releases/rules/", "releases/judge")):
            whole.update(f"{inner}\0".encode() + path.read_bytes())
    return whole.hexdigest()[:16]


def of_replica(replica: Replica, built: Path) -> Wanted:
    """The release that a replica is about, in the folder that was built."""
    first = replica.package[0]
    moment = first.release.at.timestamp() + LATER
    known = {version for version, _ in earlier(first.history)} if first.history else set()
    before = first.old if first.old in known else None
    return Wanted(f"replica/{replica.id}", replica.ecosystem, first.name, first.new, before, built / replica.id, moment)


def place_of(out: Path, key: str) -> Path:
    """Where the examination of a key is kept."""
    return out / "examined" / hashlib.sha256(key.encode()).hexdigest()[:2] / (key.replace("/", "+") + ".msgpack.zst")


def examine_all(
    wanted: Sequence[Wanted],
    out: Path,
    *,
    jobs: int = 2,
    fresh: bool = False,
    told: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Examine what is not kept yet, so many at a time; `fresh`: also what other code than this examined."""
    missing = [
        one
        for one in wanted
        if not (path := place_of(out, one.key)).exists() or (fresh and read(path).code != code_digest())
    ]
    by_folder: dict[Path, Surroundings] = {}
    for folder, fetched in {(one.folder, one.kept) for one in missing}:
        if fetched is not None:
            around = Surroundings(folders=(str(folder),), kept=Kept(fetched), home=str(folder))
        else:
            around = Surroundings(
                folders=(str(folder),), online=False, environment={}, home=os.devnull, folder="/", kept=Kept(None)
            )
        by_folder[folder] = around
        by_folder[folder].ready()
        for place in by_folder[folder].named:
            place.npm_versions("nothing")
    _load()
    running: dict[int, list[Wanted]] = {}
    done = 0
    for group in _groups(missing):
        while len(running) >= jobs:
            done += _ended(running, out)
        running[_started(group, out, by_folder[group[0].folder])] = group
        told(done, len(missing))
    while running:
        done += _ended(running, out)
        told(done, len(missing))


def _groups(wanted: Sequence[Wanted]) -> list[list[Wanted]]:
    """Releases of one package together, so that a document and a kept file are read once; else one each."""
    groups: dict[tuple[str, ...], list[Wanted]] = {}
    for one in wanted:
        key = (one.key,) if one.kept is None else (one.ecosystem, one.name)
        groups.setdefault(key, []).append(one)
    return list(groups.values())


def _load() -> None:
    """Import what examining imports late, so that no child has to."""
    import pratique.releases.content
    import pratique.releases.examine
    import pratique.releases.javascript
    import pratique.releases.manifest
    import pratique.releases.python
    import pratique.releases.shell  # noqa: F401  # loaded before the processes part


def _started(group: list[Wanted], out: Path, around: Surroundings) -> int:
    """A process that examines some releases, one after the other, and keeps what came of each."""
    for one in group:
        place_of(out, one.key).parent.mkdir(parents=True, exist_ok=True)
        place_of(out, one.key).unlink(missing_ok=True)
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        acquirer = Acquirer(around)
        facts = remembered.store(out / "remembered") if group[0].kept is not None else None
        for one in group:
            signal.alarm(int(LIMIT))
            began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
            try:
                found = _examined(one, acquirer, facts)
            except BaseException as error:  # noqa: BLE001  # whatever it was: it is a failure that is counted
                found = Outcome(one.key, (), f"{type(error).__name__}: {str(error)[:300]}")
            after = resource.getrusage(resource.RUSAGE_SELF)
            cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            wall, peak = time.monotonic() - began, after.ru_maxrss << 10
            part = place_of(out, one.key).with_suffix(".part")
            _keep(part, msgspec.structs.replace(found, cpu=cpu, wall=wall, peak=peak, code=code_digest()))
            os.replace(part, place_of(out, one.key))
        code = 0
    finally:
        os._exit(code)


def _ended(running: dict[int, list[Wanted]], out: Path) -> int:
    """How many releases the processes had that ended, after at least a moment. What one left undone is a failure."""
    count = 0
    for pid in list(running):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended:
            continue
        for one in running.pop(pid):
            count += 1
            if not place_of(out, one.key).exists():
                reason = f"ended with status {status}: over {LIMIT:.0f} seconds, or killed"
                _keep(place_of(out, one.key), Outcome(one.key, (), reason, code=code_digest()))
    if not count:
        time.sleep(0.005)
    return count


def _examined(one: Wanted, acquirer: Acquirer, facts: Results | None) -> Outcome:
    try:
        listing = acquirer.listing(one.ecosystem, one.name)
        at = one.at
        if at is None:
            published = listing.published(one.version)
            at = None if published is None else published + LATER
        follow: Literal["all", "added"] = "all" if one.kept is None else "added"
        against, depth = ("none", 0) if one.alone else ("auto", DEPTH)
        examiner = Examiner(acquirer, Asking(against=against, at=at, follow=follow, depth=depth), facts)
        return Outcome(
            one.key, tuple(examiner.release(one.ecosystem, one.name, one.version, listing, before=one.before))
        )
    except NotHad as error:
        return Outcome(one.key, (), f"could not be had: {error}")


def _keep(path: Path, found: Outcome) -> None:
    import zstandard

    path.write_bytes(zstandard.ZstdCompressor(3).compress(_ENCODER.encode(found)))


def read(path: Path) -> Outcome:
    """What is kept in a file."""
    import zstandard

    return _DECODER.decode(zstandard.ZstdDecompressor().decompress(path.read_bytes()))


def kept(out: Path, wanted: Sequence[Wanted]) -> Iterator[Outcome]:
    """What is kept of each, in order; what was never examined is a failure."""
    for one in wanted:
        path = place_of(out, one.key)
        yield read(path) if path.exists() else Outcome(one.key, (), "was not examined")
