"""The inventory: every component occurrence of the targets, one at a time.

The stream takes the entries of each folder in order of name and keeps nothing but counts and refusals, so its memory
does not grow with the number of components.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator

import msgspec

from pratique.adapters import git
from pratique.assess.words import purl_of
from pratique.model.errors import TargetError
from pratique.model.inventory import InventoryCoverage, Occurrence
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Interest, Options
from pratique.model.report import RefusalEntry, SkippedEntry, identify
from pratique.workflow import units
from pratique.workflow.request import TargetSpec
from pratique.workflow.sweep import Swept, stream

EVERYTHING = Interest({}, everything=True)


class ComponentsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to list, and how."""

    targets: tuple[TargetSpec, ...]
    limit: int | None = None
    exclude: tuple[str, ...] = ()


class Inventory:
    """A run over the targets: iterate over its occurrences once, then ask for the coverage."""

    def __init__(self, request: ComponentsRequest) -> None:
        for target in request.targets:
            if not os.path.lexists(target.path):
                raise TargetError("does not exist", where=target.path, advice="Name a folder or file that exists")
        self._request = request
        self._tally = Swept()
        self._refusals: dict[str, RefusalEntry] = {}
        self._others = 0
        self._components = 0

    def interrupt(self) -> None:
        """Say that the run was stopped: what follows is the coverage alone."""
        self._tally.interrupted = True

    def __iter__(self) -> Iterator[Occurrence]:
        if self._tally.interrupted:
            return
        options = Options(
            exclude=self._request.exclude,
            limit=self._request.limit,
            ordered=True,
            git=git.starter() if any(target.in_units for target in self._request.targets) else None,
        )
        empty: list[TargetSpec] = []
        try:
            for target in self._request.targets:
                before = self._tally.artifacts
                for item in self._items(target, options):
                    if isinstance(item, Refusal):
                        self._refuse(item)
                    elif isinstance(item.facts, ComponentFact):
                        found = self._occurrence(item, item.facts)
                        if found is not None:
                            self._components += 1
                            yield found
                if self._tally.artifacts == before and target.kind != "place":
                    empty.append(target)
        except KeyboardInterrupt:
            self._tally.interrupted = True
        if self._tally.artifacts:
            for target in empty:
                reason = "no reader was offered a file in this target"
                self._refuse(Refusal(".", "directory", reason, True, target.uri))

    def _items(self, target: TargetSpec, options: Options) -> Iterator[Observation | Refusal]:
        """What one target holds, one at a time."""
        if target.in_units:
            return units.stream(target.kind, target.path, target.uri, EVERYTHING, options, self._tally)
        options = msgspec.structs.replace(options, mounted=target.mounted)
        return stream(target.uri, target.path, EVERYTHING, options, self._tally, target.door)

    def coverage(self) -> InventoryCoverage:
        """What was looked at so far."""
        tally = self._tally
        return InventoryCoverage(
            complete=not self._refusals and not tally.interrupted,
            interrupted=tally.interrupted,
            components=self._components,
            entries=tally.entries,
            artifacts=tally.artifacts,
            by_reader=dict(sorted(tally.by_reader.items())),
            refusals=tuple(sorted(self._refusals.values(), key=lambda item: (item.target, item.path, item.reason))),
            refusals_not_relevant=self._others,
            skipped_by_rule=tuple(SkippedEntry(rule=rule, count=n) for rule, n in sorted(tally.skipped.items())),
        )

    def _refuse(self, refusal: Refusal) -> None:
        if not refusal.relevant:
            self._others += 1
            return
        identifier = identify(refusal)
        self._refusals[identifier] = RefusalEntry(
            id=identifier,
            path=refusal.path,
            reader=refusal.reader,
            reason=refusal.reason,
            relevant=True,
            target=refusal.target,
            path_bytes=refusal.path_bytes,
            names=tuple(_text(name) for name in refusal.names),
        )

    def _occurrence(self, observation: Observation, fact: ComponentFact) -> Occurrence | None:
        purl = _purl(fact.ecosystem, fact.name, fact.version)
        if purl is None:
            place = observation.location
            reason = "names a component that no package URL can stand for"
            self._refuse(Refusal(place.path, observation.reader, reason, True, place.target, place.path_bytes))
            return None
        return Occurrence(
            purl=purl,
            depth=fact.depth,
            reader=observation.reader,
            location=observation.location,
            integrity=tuple(_text(item) for item in fact.integrity),
            resolved=None if fact.resolved is None else _text(fact.resolved),
            install_script=fact.install_script,
            dev=fact.dev,
            bundled=fact.bundled,
            requested_by=tuple(_text(item) for item in fact.requested_by),
        )


@functools.lru_cache(maxsize=1 << 14)
def _purl(ecosystem: str, name: str, version: str) -> str | None:
    """The package URL; None where the name is empty or otherwise none that a package can have."""
    try:
        return purl_of(ecosystem, _text(name), _text(version))
    except ValueError:
        return None


def _text(value: str) -> str:
    """The text as it can be encoded: lone surrogates, which JSON escapes can smuggle in, become U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value


def components(request: ComponentsRequest) -> Inventory:
    """The inventory of the targets. Raises TargetError where one does not exist."""
    return Inventory(request)
