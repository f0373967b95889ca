"""The first look: walk a target, let readers read what they claim, keep what the incidents ask about."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from pratique.adapters import processes
from pratique.assess.subjects import folder_of, settled_name
from pratique.ecosystems.npm.layout import CONFIGURATION_READERS, CONTENT_FOLDERS
from pratique.ecosystems.npm.paths import place_of
from pratique.model.location import shown
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Claimant, Claims, Door, Handed, Interest, Kept, Options, Reader, Unreadable
from pratique.readers import discovery
from pratique.targets.archive import Tally, opened
from pratique.targets.directory import Pending, Walk
from pratique.targets.dispatch import Dispatch

SPLIT = 256
"""How many folders wait before the walk is shared out; measured, 64 and 1024 are no better."""
MOST_AUTOMATIC = 4
COLD = 10
JOBS_COLD = 8
"""Where the first folders made the system read a block from the disk for every tenth entry or more, its caches are
cold: more processes than processors then hide the waiting (measured on two processors: 19 s with 2, 7.6 s with 8)."""
_LOGS = (".log", ".log.gz", ".log.1", ".log.1.gz", "access_log", "access.log.gz")
Keep = Callable[[Observation], bool]


class Swept(msgspec.Struct):
    """What a sweep gives.

    `settled` holds folder and name of every package of interest that a lock or tree there resolves, at any version;
    `resolved` holds folders (relative, valid Unicode, no trailing slash) with a lock or tree record read, `caches` the
    paths of npm cache folders as the system's bytes.
    """

    observations: list[Observation] = []
    refusals: list[Refusal] = []
    resolved: list[str] = []
    settled: list[tuple[str, str]] = []
    caches: list[bytes] = []
    entries: int = 0
    artifacts: int = 0
    octets: int = 0
    by_reader: dict[str, int] = {}
    skipped: dict[str, int] = {}
    interrupted: bool = False
    from_cache: int = 0
    locks: dict[str, str] = {}
    """Out of git histories: id of each version of a lock to the names of interest in it, each between line ends."""
    lock_names: list[str] = []

    kept: dict[str, bytes] = {}
    """What plugs of targets want to have again at the second look."""

    def add(self, other: Swept) -> None:
        """Take in another part."""
        self.observations += other.observations
        self.refusals += other.refusals
        self.resolved += other.resolved
        self.settled += other.settled
        self.caches += other.caches
        self.entries += other.entries
        self.artifacts += other.artifacts
        self.octets += other.octets
        self.interrupted = self.interrupted or other.interrupted
        self.from_cache += other.from_cache
        self.locks.update(other.locks)
        self.lock_names += other.lock_names
        for counts, more in ((self.by_reader, other.by_reader), (self.skipped, other.skipped)):
            for key, count in more.items():
                counts[key] = counts.get(key, 0) + count


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Swept)


def dispatch(door: Door = "files") -> tuple[Dispatch, list[str]]:
    """The table of claims in one kind of target, and the module of each key."""
    claims = discovery.claims()
    claimants = [
        Claimant(key, claim.basenames, claim.prefixes, claim.suffixes, claim.folders, claim.limit, claim.outside)
        for key, claim in enumerate(claims)
        if door in claim.doors
    ]
    return Dispatch(claimants, CONTENT_FOLDERS if door == "files" else {}), [claim.module for claim in claims]


def within(door: Door) -> Dispatch:
    """The table of claims inside archives of a kind of target.

    A mirror holds packages, which are any files, and archives of logs: what is named like a log there is read as one.
    """
    if door != "mirror":
        return dispatch(door)[0]
    rows = list(dispatch("files")[0].claimants.values())
    for claimant in dispatch("mirror")[0].claimants.values():
        if claimant.suffixes == ("",):
            rows.append(msgspec.structs.replace(claimant, suffixes=_LOGS))
    return Dispatch(rows, CONTENT_FOLDERS)


def sweep(
    uri: str,
    root: str,
    interest: Interest,
    keep: Keep,
    options: Options,
    *,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
    door: Door = "files",
) -> Swept:
    """Sweep one directory. The result does not depend on `jobs`, nor on the order in which folders were met.

    With `jobs` 0 the number of processes is chosen: that of the processors, at most 4; 8 where the first folders
    had to be read from the disk.
    """
    table, modules = dispatch(door)
    inner = within(door)
    total = Swept()
    if not os.path.isdir(root):
        return ordered(_single(uri, root, interest, keep, options, door))
    walk = Walk(uri, root, table, options)
    try:
        automatic = jobs == 0
        jobs = min(os.cpu_count() or 1, MOST_AUTOMATIC) if automatic else jobs
        jobs = jobs if processes.can_fork() else 1
        pending = [Pending("")]
        if jobs > 1:
            blocks = processes.blocks_read()
            part = Sweep(modules, interest, keep, options, inner, walk)
            part.take(walk.run(pending, until=SPLIT))
            pending = walk.pending
            total.add(part.done())
            if automatic and processes.blocks_read() - blocks > total.entries // COLD:
                jobs = JOBS_COLD
            walk = Walk(uri, root, table, options)

        def work(folders: Sequence[Pending]) -> bytes:
            own = Walk(uri, root, table, options)
            sweeping = Sweep(modules, interest, keep, options, inner, own)
            for folder in folders:
                sweeping.take(own.run([folder]))
                if sweeping.interrupted:
                    break
                if progress is not None:
                    progress(own.entries)
            return _ENCODER.encode(sweeping.done())

        if pending and not total.interrupted:
            collecting = gc.isenabled()
            gc.disable()  # records hold no circles; measured 5 to 8 % of all reading
            gc.freeze()
            for index in range(0, len(pending), processes.MAXIMUM_ITEMS):
                batch = pending[index : index + processes.MAXIMUM_ITEMS]
                for result in processes.spread(batch, work, jobs):
                    total.add(_DECODER.decode(result))
            gc.unfreeze()
            if collecting:
                gc.enable()
    except KeyboardInterrupt:
        total.interrupted = True
    return ordered(total)


def _single(uri: str, path: str, interest: Interest, keep: Keep, options: Options, door: Door) -> Swept:
    """A target that is one file: what readers claim by its name and folders."""
    table, modules = dispatch(door)
    folder, _, name = path.replace(os.sep, "/").rpartition("/")
    walk = Walk(uri, folder or "/", table, options)
    part = Sweep(modules, interest, keep, options, within(door), walk)
    part.take(walk.file(name, folder))
    return part.done()


def stream(
    uri: str, root: str, interest: Interest, options: Options, tally: Swept | None = None, door: Door = "files"
) -> Iterator[Observation | Refusal]:
    """Every observation and refusal of one directory or file, one at a time: for inventories of any size.

    `tally` takes the counts, whole when the stream ends; observations and refusals are the caller's.
    """
    table, modules = dispatch(door)
    inside = Tally()
    counts = tally if tally is not None else Swept()
    before, skipped = counts.entries, dict(counts.skipped)
    if os.path.isdir(root):
        walk = Walk(uri, root, table, options)
        items = walk.run([Pending("")])
    else:
        folder, _, name = root.replace(os.sep, "/").rpartition("/")
        walk = Walk(uri, folder or "/", table, options)
        items = walk.file(name, folder)
    try:
        for item in opened(items, within(door), options, inside):
            if isinstance(item, Kept):
                continue
            if not isinstance(item, tuple):
                yield item
                continue
            key, artifact = item
            reader = discovery.load(modules[key])
            counts.artifacts += 1
            counts.by_reader[reader.name] = counts.by_reader.get(reader.name, 0) + 1
            yield from read(reader, artifact, interest)
    finally:
        counts.entries = before + walk.entries + inside.members
        for rule, count in walk.skipped.items():
            counts.skipped[rule] = skipped.get(rule, 0) + count


_SETTLING = ("lock", "installed-record", "manifest", "folder-name")
"""Records that show what a range of their project resolved to."""


class Sweep:
    """One process's part of a sweep. `inner` has the claims inside archives; `walk` counts where a folder is walked."""

    def __init__(
        self,
        modules: list[str],
        interest: Interest,
        keep: Keep,
        options: Options,
        inner: Claims,
        walk: Walk | None = None,
    ) -> None:
        self.walk = walk
        self.options = options
        self.inner = inner
        self.tally = Tally()
        self.modules = modules
        self.readers: dict[int, Reader] = {}
        self.interest = interest
        self.wanted = keep
        self.settled: set[tuple[str, str]] = set()
        self.named: set[str] | None = None
        self.spelled: dict[str, str] = {}
        self.lock_names: set[str] = set()
        self.out = Swept()
        self.counts: dict[int, int] = {}
        self.kept: list[Kept] = []
        self.interrupted = False

    def take(self, items: Iterable[Handed | Observation | Refusal | Kept]) -> None:
        """Read what a target hands out. An interrupt keeps what was found."""
        try:
            for item in opened(items, self.inner, self.options, self.tally):
                if processes.stopping():
                    self.interrupted = True
                    break
                if isinstance(item, tuple):
                    self._read(*item)
                elif isinstance(item, Refusal):
                    self.out.refusals.append(item)
                elif isinstance(item, Kept):
                    self.kept.append(item)
                elif self.keep(item):
                    self.out.observations.append(item)
        except KeyboardInterrupt:
            self.interrupted = True

    def _read(self, key: int, artifact: Artifact) -> None:
        reader = self.readers.get(key)
        if reader is None:
            reader = self.readers[key] = discovery.load(self.modules[key])
        self.counts[key] = self.counts.get(key, 0) + 1
        whole = True
        self.named = set() if artifact.inside and artifact.inside[0].kind == "commit" else None
        for record in read(reader, artifact, self.interest):
            if isinstance(record, Refusal):
                whole = False
                self.out.refusals.append(of_world(reader, record))
            elif self.keep(record):
                self._take(reader, artifact, record)
        if self.named:
            joined = "\n".join(["", *sorted(self.named), ""])
            self.out.locks[artifact.inside[0].id] = self.spelled.setdefault(joined, joined)
            self.lock_names.add(artifact.inside[0].path.rpartition("/")[2])
        if whole and reader.subject == "project" and reader.relevance == "always" and reader.resolves:
            self.out.resolved.append(shown(folder_of(artifact.location())))

    def keep(self, record: Observation) -> bool:
        """Whether a record can matter; what a lock or tree resolves, at any version, is noted on the way."""
        fact = record.facts
        if isinstance(fact, ComponentFact) and fact.record in _SETTLING and fact.shipped_in is None:
            name = settled_name(fact.ecosystem, fact.name)
            self.settled.add((folder_of(record.location), name))
            if self.named is not None and fact.record == "lock":
                self.named.add(name)
        return self.wanted(record)

    def _take(self, reader: Reader, artifact: Artifact, record: Observation) -> None:
        """Keep an observation; text that is no Unicode is spelled with U+FFFD, and said."""
        try:
            _ENCODER.encode(record)
        except UnicodeEncodeError:
            plain = _unicode(msgspec.to_builtins(record))
            self.out.observations.append(msgspec.convert(plain, Observation))
            reason = "holds text that is no Unicode: what it names could be asked about in part only"
            self.out.refusals.append(_refusal(reader, artifact, self.interest, reason))
            return
        self.out.observations.append(record)

    def done(self) -> Swept:
        """The result of this part."""
        out = self.out
        if out.observations:
            out.kept = {item.key: item.data() for item in self.kept}
        out.settled = sorted(self.settled)
        out.lock_names = sorted(self.lock_names)
        out.entries = self.tally.members
        out.octets = self.tally.bytes
        if self.walk is not None:
            out.entries += self.walk.entries
            out.octets += self.walk.bytes
            out.skipped = dict(self.walk.skipped)
            out.caches = [
                os.fsencode(path.rpartition("/")[0])
                for rule, path in self.walk.skipped_paths
                if rule == "npm-cache-content"
            ]
        out.by_reader = {self.readers[key].name: count for key, count in self.counts.items()}
        out.artifacts = sum(self.counts.values())
        if self.walk is None:
            out.entries += out.artifacts  # a unit hands out what is claimed, and says nothing of the rest
        out.artifacts = sum(
            count for key, count in self.counts.items() if self.readers[key].name not in CONFIGURATION_READERS
        )
        out.interrupted = self.interrupted
        return out


_WORLDS = ("npm", "PyPI")
"""Worlds whose readers read files of theirs alone: what is unread of those keeps no other world's incident open."""


def of_world(reader: Reader, refusal: Refusal) -> Refusal:
    """The refusal with the world whose packages the file could have carried, where its reader did not say it."""
    if refusal.ecosystems or reader.ecosystem not in _WORLDS:
        return refusal
    return msgspec.structs.replace(refusal, ecosystems=(reader.ecosystem,))


def read(reader: Reader, artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Read one artifact; what cannot be read, and a reader that fails, become refusals (law 3)."""
    try:
        yield from reader.read(artifact, interest)
    except Unreadable as error:
        yield _refusal(reader, artifact, interest, error.reason)
    except (MemoryError, RecursionError):
        yield _refusal(reader, artifact, interest, "needs more memory or depth than a reader may use")
    except Exception as error:  # noqa: BLE001 (a crash in a plug becomes a refusal)
        yield _refusal(reader, artifact, interest, f"the reader failed: {type(error).__name__}")


def _refusal(reader: Reader, artifact: Artifact, interest: Interest, reason: str) -> Refusal:
    names: tuple[str, ...] = ()
    relevant = reader.relevance == "always"
    if reader.relevance == "named-folder":
        place = place_of(artifact.path)
        relevant = place.package is not None and place.at_root and place.package in interest.wanted(reader.ecosystem)
        names = (place.package,) if place.package else ()
    return artifact.refusal(reader.name, reason, relevant=relevant, names=names)


def _unicode(value: Any) -> Any:
    """Plain data in which every text is valid Unicode."""
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {key: _unicode(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_unicode(item) for item in value]
    return value


def ordered(swept: Swept) -> Swept:
    """Order by content, so that the result is the same whatever the order of the walk was."""
    encode: Callable[[Any], bytes] = msgspec.json.Encoder(order="deterministic").encode
    swept.observations.sort(key=lambda item: (item.location.target, item.location.path, encode(item)))
    swept.refusals.sort(key=lambda item: (item.target, item.path, item.reader, item.reason))
    swept.resolved = sorted(set(swept.resolved))
    swept.settled = sorted(set(swept.settled))
    swept.lock_names = sorted(set(swept.lock_names))
    swept.locks = dict(sorted(swept.locks.items()))
    swept.caches = sorted(set(swept.caches))
    swept.by_reader = dict(sorted(swept.by_reader.items()))
    swept.skipped = dict(sorted(swept.skipped.items()))
    return swept
