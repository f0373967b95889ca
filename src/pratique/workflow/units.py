"""Targets that are examined in units: histories, images. Results are kept by content and used again."""

from __future__ import annotations

import functools
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from pratique.adapters import executor, processes
from pratique.adapters.results import Results
from pratique.model.observation import Observation, Question, Refusal
from pratique.model.ports import Door, Interest, Kept, Options, Unit
from pratique.targets import discovery
from pratique.workflow.sweep import Keep, Sweep, Swept, dispatch, ordered, read

_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Swept)
_ANSWERS = msgspec.msgpack.Decoder(list[Observation])
Told = Callable[[int, int, float | None], None]
"""Progress: units done, units in all, seconds that the rest may take."""


class Planned(msgspec.Struct):
    """What is to be examined of one target, and what could not even be listed."""

    units: list[Unit]
    refusals: list[Refusal]


def plan(kind: str, path: str, uri: str, options: Options) -> Planned:
    """The units of one target."""
    planned = Planned([], [])
    for item in discovery.load(kind).units(path, uri, options):
        if isinstance(item, Unit):
            planned.units.append(item)
        else:
            planned.refusals.append(item)
    return planned


def examine(
    units: Sequence[Unit],
    interest: Interest,
    keep: Keep,
    options: Options,
    *,
    question: str,
    jobs: int = 0,
    results: Results | None = None,
    told: Told | None = None,
    run: executor.Executor = executor.on_this_machine,
) -> dict[str, Swept]:
    """What was read of every unit, by the URI of its target. Of units with the same key one alone is read.

    `question` is a digest of what is asked (incidents and options): with the unit's own key and that of this program
    it names a kept result. Results with a refusal are not kept: what could not be read may be readable next time.
    """
    found: dict[str, Swept] = {}
    keys = [_key(unit, question) for unit in units]
    started, finished = time.monotonic(), 0

    def take(number: int, swept: Swept, *, kept: bool) -> None:
        unit = units[number]
        if kept:
            swept.from_cache = max(swept.artifacts, 1)
        remember = discovery.load(unit.kind).remember if swept.kept else None
        if remember is not None:
            for key, data in swept.kept.items():
                remember(key, data)
        swept.kept = {}
        found.setdefault(unit.target, Swept()).add(rebound(swept, unit.target))

    def done(number: int, result: bytes) -> None:
        nonlocal finished
        swept = _DECODER.decode(result)
        if results is not None and not swept.refusals and not swept.interrupted:
            results.put(keys[number], result)
        take(number, swept, kept=False)
        for twin in twins.get(number, ()):
            take(twin, _DECODER.decode(result), kept=False)
        finished += 1
        if told is not None:
            left = len(fresh) - finished
            told(len(units) - left, len(units), (time.monotonic() - started) / finished * left)

    fresh: list[int] = []
    first: dict[str, int] = {}
    twins: dict[int, list[int]] = {}
    for number, key in enumerate(keys):
        result = results.get(key) if results is not None else None
        if result is None and key and first.setdefault(key, number) != number:
            twins.setdefault(first[key], []).append(number)
        elif result is None:
            fresh.append(number)
        else:
            take(number, _DECODER.decode(result), kept=True)
    if told is not None:
        told(len(units) - len(fresh), len(units), None)
    jobs = jobs or min(os.cpu_count() or 1, 4)
    try:
        lost = run(
            len(fresh),
            lambda index: _ENCODER.encode(_one(units[fresh[index]], interest, keep, options)),
            lambda index, result: done(fresh[index], result),
            jobs if processes.can_fork() else 1,
        )
    except KeyboardInterrupt:
        lost = []
        found.setdefault(units[0].target, Swept()).interrupted = True
    for number in [item for index in lost for item in (fresh[index], *twins.get(fresh[index], ()))]:
        unit = units[number]
        reason = f"every process that examined {unit.part or 'it'} was killed"
        found.setdefault(unit.target, Swept()).refusals.append(Refusal(".", unit.kind, reason, True, unit.target))
    if results is not None and fresh:
        results.forget_oldest()
    return {target: ordered(swept) for target, swept in found.items()}


def _door(kind: str) -> Door:
    """What kind of things lie in a target of a kind."""
    return "host" if kind == "host" else "files"


def _one(unit: Unit, interest: Interest, keep: Keep, options: Options) -> Swept:
    """One unit, read."""
    table, modules = dispatch(_door(unit.kind))
    sweeping = Sweep(modules, interest, keep, options, table)
    try:
        sweeping.take(discovery.load(unit.kind).open(unit, table, options))
    except Exception as error:  # noqa: BLE001 (a crash in a plug becomes a refusal, law 3)
        sweeping.out.refusals.append(
            Refusal(".", unit.kind, f"could not be opened: {type(error).__name__}: {error}", True, unit.target)
        )
    return ordered(sweeping.done())


def stream(
    kind: str, path: str, uri: str, interest: Interest, options: Options, tally: Swept
) -> Iterator[Observation | Refusal]:
    """Every observation and refusal of one target, one at a time; `tally` takes the counts."""
    from pratique.targets.archive import Tally, opened

    table, modules = dispatch(_door(kind))
    from pratique.readers import discovery as readers

    planned = plan(kind, path, uri, options)
    yield from planned.refusals
    for unit in planned.units:
        inside = Tally()
        for item in opened(discovery.load(kind).open(unit, table, options), table, options, inside):
            if isinstance(item, Kept):
                continue
            if not isinstance(item, tuple):
                yield item
                continue
            reader = readers.load(modules[item[0]])
            tally.artifacts += 1
            tally.entries += 1
            tally.by_reader[reader.name] = tally.by_reader.get(reader.name, 0) + 1
            yield from read(reader, item[1], interest)
        tally.entries += inside.members


def second_look(
    kind: str,
    path: str,
    uri: str,
    units: Sequence[Unit],
    questions: Sequence[Question],
    options: Options,
    results: Results | None,
) -> Iterator[Observation | Refusal]:
    """The answers about one target. They are kept like results: by the content of its units and by what was asked."""
    if not questions:
        return
    keys = sorted(unit.key for unit in units)
    key = ""
    if results is not None and keys and all(keys):
        asked = ["answers/1", kind, uri, keys, questions, options.unreachable, program()]
        key = hashlib.sha256(_ENCODER.encode(asked)).hexdigest()
        kept = results.get(key)
        if kept is not None:
            yield from _ANSWERS.decode(kept)
            return
    answers = list(discovery.load(kind).probe(path, uri, questions, options))
    if results is not None and all(isinstance(item, Observation) and _whole(item) for item in answers):
        results.put(key, _ENCODER.encode(answers))
    yield from answers


def _whole(answer: Observation) -> bool:
    """Whether nothing was missing for an answer."""
    return bool(getattr(answer.facts, "whole", True))


def rebound(swept: Swept, target: str) -> Swept:
    """A kept result as one of this target: the same content was read elsewhere."""
    swept.observations = [
        msgspec.structs.replace(item, location=msgspec.structs.replace(item.location, target=target))
        if item.location.target != target
        else item
        for item in swept.observations
    ]
    swept.refusals = [
        msgspec.structs.replace(item, target=target) if item.target != target else item for item in swept.refusals
    ]
    return swept


def _key(unit: Unit, question: str) -> str:
    """The name of a kept result; empty where none may be kept."""
    if not unit.key:
        return ""
    return hashlib.sha256(_ENCODER.encode(["unit/1", unit.kind, unit.key, question, program()])).hexdigest()


@functools.cache
def program() -> str:
    """A digest of the code that reads: another version of a reader makes another result."""
    import pratique

    base = Path(pratique.__file__).parent
    state = hashlib.sha256()
    for room in ("model", "ecosystems", "targets", "readers", "assess", "workflow"):
        for path in sorted((base / room).rglob("*.py")):
            state.update(path.relative_to(base).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()
