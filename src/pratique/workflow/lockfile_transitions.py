"""Every transition between two lockfiles: what was added, what another version took the place of, what is gone.

Any lockfile that a reader knows. A release that took the place of another is compared with that one, an added one with
the nearest lower release of its line. Every release is examined once; where one newly declares another that the new
lockfile adds, that one stands among its dependencies, as it does where a single release is inspected.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from pratique.adapters.results import Results
from pratique.ecosystems.pypi.versions import canonical
from pratique.ecosystems.references import World, release_purl
from pratique.model.errors import UsageError
from pratique.model.observation import ComponentFact, RangeFact, Refusal
from pratique.model.ports import Interest, Options
from pratique.model.release import Transition
from pratique.readers import discovery
from pratique.releases.lines import place
from pratique.workflow.acquire import Acquirer
from pratique.workflow.documents import READER, NotHad
from pratique.workflow.sweep import Swept, stream
from pratique.workflow.transition import DEPTH, Asking, Examiner

MOST = 20_000
Key = tuple[World, str]


class Locked(msgspec.Struct):
    """What a lockfile resolves: package to versions; `elsewhere` are releases that come from no registry."""

    versions: dict[Key, set[str]]
    elsewhere: dict[Key, set[str]]
    refusals: list[Refusal]


class Change(msgspec.Struct, frozen=True):
    """A release that is new in a lockfile; `before` is the version whose place it took, None where it was added."""

    ecosystem: World
    name: str
    version: str
    before: str | None = None


class Changes(msgspec.Struct, frozen=True):
    """The difference between two lockfiles; `removed` are package URLs."""

    changes: tuple[Change, ...]
    removed: tuple[str, ...]
    refusals: tuple[Refusal, ...]


class _Done(msgspec.Struct):
    """What a worker hands back for one change."""

    transitions: list[Transition] = []
    failed: str = ""


def read_lockfile(path: str, like: str = "") -> Locked:
    """What a lockfile resolves. `like`: the name of a file that says its format where its own name does not.

    Raises UsageError where no reader knows it, or it cannot be read at all.
    """
    if not os.path.isfile(path):
        raise UsageError("is no file", where=path, advice="Name the lockfile as it was and as it is")
    locked = Locked({}, {}, [])
    names = list(dict.fromkeys([os.path.basename(path), *([os.path.basename(like)] if like else [])]))
    for name in names:
        with tempfile.TemporaryDirectory(prefix="pratique-lock-") as folder:
            try:
                shutil.copyfile(path, os.path.join(folder, name))
            except OSError as error:
                reason = (error.strerror or "cannot be read").lower()
                raise UsageError(f"cannot be read: {reason}", where=path) from None
            if _read(locked, folder, name, path):
                return locked
    advice = "Keep its name, such as package-lock.json or uv.lock: the name says the format"
    raise UsageError("is no lockfile that is known here", where=path, advice=advice)


def _read(locked: Locked, folder: str, name: str, path: str) -> bool:
    """Whether a reader knew the file."""
    tally = Swept()
    readers = {claim.name for claim in discovery.claims() if claim.ecosystem in ("npm", "PyPI")}
    everything = Interest({}, everything=True)
    for item in stream("lockfile:", os.path.join(folder, name), everything, Options(), tally):
        if isinstance(item, Refusal):
            if item.reader in readers:
                locked.refusals.append(msgspec.structs.replace(item, path=path, target=""))
            continue
        fact = item.facts
        if isinstance(fact, ComponentFact) and fact.depth == "resolved" and fact.ecosystem in ("npm", "PyPI"):
            if fact.bundled or fact.origin in ("link", "workspace", "file"):
                continue
            table = locked.versions if fact.origin in ("registry", "unknown") else locked.elsewhere
            _add(table, fact.ecosystem, fact.name, fact.version)
        elif isinstance(fact, RangeFact) and fact.asked_by is None and fact.ecosystem == "PyPI" and fact.exact:
            _add(locked.versions, fact.ecosystem, fact.name, fact.exact)
    return not readers.isdisjoint(tally.by_reader)


def _add(table: dict[Key, set[str]], ecosystem: str, name: str, version: str) -> None:
    world: Literal["npm", "PyPI"] = "npm" if ecosystem == "npm" else "PyPI"
    table.setdefault((world, name), set()).add(version)


def difference(old: Locked, new: Locked) -> Changes:
    """What is new, with what it took the place of, and what is gone; in order of name and version."""
    changes: list[Change] = []
    removed: list[str] = []
    for key in sorted({*old.versions, *new.versions}):
        world, name = key
        before, after = old.versions.get(key, set()), new.versions.get(key, set())
        same = {canonical(text) for text in before} if world == "PyPI" else before
        added = [text for text in after if (canonical(text) if world == "PyPI" else text) not in same]
        kept = {canonical(text) for text in after} if world == "PyPI" else after
        gone = [text for text in before if (canonical(text) if world == "PyPI" else text) not in kept]
        for version in _in_order(world, added):
            changes.append(Change(world, name, version, _replaced(world, version, gone)))
        if not added:
            removed += [release_purl(world, name, version) for version in _in_order(world, gone)]
    refusals = [
        msgspec.structs.replace(one, relevant=one.relevant and table is new)
        for table in (old, new)
        for one in table.refusals
    ]
    for (world, name), versions in sorted(new.elsewhere.items()):
        for version in sorted(versions - old.elsewhere.get((world, name), set())):
            reason = f"{name} {version} comes from elsewhere than a registry; it was not examined"
            refusals.append(Refusal(name, READER, reason, True, names=(name,)))
    return Changes(tuple(changes), tuple(removed), tuple(refusals))


def _in_order(world: World, versions: Sequence[str]) -> list[str]:
    def rank(text: str) -> tuple[bool, tuple[object, ...], str]:
        found = place(world, text)
        return found is None, found.rank if found is not None else (), text

    return sorted(versions, key=rank)


def _replaced(world: World, version: str, gone: Sequence[str]) -> str | None:
    """The version whose place another took: the highest of those gone that is lower, else the highest of all."""
    here = place(world, version)
    ordered = _in_order(world, gone)
    places = [(text, place(world, text)) for text in ordered]
    lower = [text for text, there in places if here is not None and there is not None and there.rank < here.rank]
    return lower[-1] if lower else ordered[-1] if ordered else None


def transitions(
    changes: Changes, acquirer: Acquirer, asking: Asking, kept: Results | None, jobs: int
) -> tuple[list[Transition], list[Refusal]]:
    """The transition of every change, in order, each with those of its new dependencies; and what could not be had."""
    from pratique.adapters.executor import on_this_machine

    refusals = list(changes.refusals)
    wanted = changes.changes[:MOST]
    if len(changes.changes) > MOST:
        refusals.append(Refusal("", READER, f"more than {MOST} releases are new; the others were not examined", True))
    _prepare(acquirer, wanted)
    alone = msgspec.structs.replace(asking, depth=0)
    examiner = Examiner(acquirer, alone, kept)
    results: dict[int, _Done] = {}

    def work(number: int) -> bytes:
        change = wanted[number]
        try:
            try:
                listing = acquirer.listing(change.ecosystem, change.name)
            except NotHad:
                listing = None
            before = change.before if asking.against == "auto" else None
            found = examiner.release(change.ecosystem, change.name, change.version, listing, before=before)
            return msgspec.msgpack.encode(_Done(found))
        except NotHad as error:
            return msgspec.msgpack.encode(_Done(failed=str(error)))

    def done(number: int, data: bytes) -> None:
        results[number] = msgspec.msgpack.decode(data, type=_Done)

    lost = on_this_machine(len(wanted), work, done, jobs)
    for number in lost:
        results[number] = _Done(failed="the process that examined it ended before it was done")
    by_name: dict[Key, list[Transition]] = {}
    found: list[Transition] = []
    for number, change in enumerate(wanted):
        one = results.get(number, _Done(failed="was not examined"))
        if one.failed:
            refusals.append(
                Refusal(f"{change.name}@{change.version}", READER, one.failed[:500], True, names=(change.name,))
            )
        by_name.setdefault((change.ecosystem, change.name), []).extend(one.transitions)
        found += one.transitions
    depth = min(asking.depth, DEPTH)
    return [_with_dependencies(one, by_name, 0, depth, frozenset()) for one in found], refusals


def _prepare(acquirer: Acquirer, changes: Sequence[Change]) -> None:
    """Ask for all documents at once, where they have to be asked for."""
    from concurrent.futures import ThreadPoolExecutor

    def ask(key: Key) -> None:
        try:
            acquirer.listing(*key)
        except NotHad:
            return

    keys = sorted({(change.ecosystem, change.name) for change in changes})
    if acquirer.around.online and len(keys) > 1:
        acquirer.around.ready()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(ask, keys))
    else:
        for key in keys:
            ask(key)


def _with_dependencies(
    transition: Transition, by_name: Mapping[Key, Sequence[Transition]], depth: int, most: int, above: frozenset[str]
) -> Transition:
    """A transition with those of the releases that it newly declares and the lockfile adds."""
    examination = transition.examination
    dependencies: list[Transition] = []
    if depth < most:
        names = {
            str(fact.attributes.get("name", ""))
            for fact in examination.facts
            if fact.kind == "dependency.declared" and fact.delta in ("added", "changed", "unknown")
        }
        inside = above | {examination.purl}
        for name in sorted(names):
            for one in by_name.get((examination.ecosystem, name), ()):
                if one.examination.purl not in inside:
                    dependencies.append(_with_dependencies(one, by_name, depth + 1, most, inside))
    return msgspec.structs.replace(transition, depth=depth, dependencies=tuple(dependencies))
