"""Examinations kept as files: the slow part of the benchmark is done once, and rules are judged on what it gave.

Each release is examined in a process of its own, out of one that has everything loaded: so its CPU time and its peak of
memory are its own, and what does not end is ended. A release that ended badly is kept as a failure, never left out.
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

import msgspec

from evals.describe import Replica
from evals.registry_documents import earlier
from pratique.adapters.packages.kept import Kept
from pratique.ecosystems.references import World
from pratique.model.release import Transition
from pratique.workflow.acquire import Acquirer
from pratique.workflow.documents import NotHad
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.transition import Asking, Examiner

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
    running: dict[int, tuple[Wanted, float]] = {}
    done = 0
    for one in missing:
        while len(running) >= jobs:
            done += _ended(running, out)
        pid = _started(one, out, by_folder[one.folder])
        running[pid] = (one, time.monotonic())
        told(done, len(missing))
    while running:
        done += _ended(running, out)
        told(done, len(missing))


def _load() -> None:
    """Import what examining imports late, so that no child has to."""
    import pratique.releases.content
    import pratique.releases.examine
    import pratique.releases.javascript
    import pratique.releases.manifest
    import pratique.releases.python
    import pratique.releases.shell  # noqa: F401  # loaded before the processes part


def _started(one: Wanted, out: Path, around: Surroundings) -> int:
    """A process that examines one release and leaves what came of it beside the place where it is kept."""
    path = place_of(out, one.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(int(LIMIT))
        try:
            found = _examined(one, around)
        except BaseException as error:  # noqa: BLE001  # whatever it was: it is a failure that is counted
            found = Outcome(one.key, (), f"{type(error).__name__}: {str(error)[:300]}")
        _keep(part, found)
        code = 0
    finally:
        os._exit(code)


def _ended(running: dict[int, tuple[Wanted, float]], out: Path) -> int:
    """Keep what processes that ended left; how many there were, after at least a moment."""
    count = 0
    for pid in list(running):
        ended, status, usage = os.wait4(pid, os.WNOHANG)
        if not ended:
            continue
        one, began = running.pop(pid)
        path = place_of(out, one.key)
        part = path.with_suffix(".part")
        if status == 0 and part.exists():
            found = read(part)
        else:
            found = Outcome(one.key, (), f"ended with status {status}: over {LIMIT:.0f} seconds, or killed")
        wall = time.monotonic() - began
        cpu = usage.ru_utime + usage.ru_stime
        _keep(part, msgspec.structs.replace(found, cpu=cpu, wall=wall, peak=usage.ru_maxrss << 10, code=code_digest()))
        os.replace(part, path)
        count += 1
    if not count:
        time.sleep(0.005)
    return count


def _examined(one: Wanted, around: Surroundings) -> Outcome:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    acquirer = Acquirer(around)
    try:
        listing = acquirer.listing(one.ecosystem, one.name)
        at = one.at
        if at is None:
            published = listing.published(one.version)
            at = None if published is None else published + LATER
        examiner = Examiner(acquirer, Asking(at=at, follow="all" if one.kept is None else "added"))
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
