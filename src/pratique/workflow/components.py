"""The inventory: every component occurrence of the targets, one at a time.

The stream takes the entries of each folder in order of name and keeps nothing but counts and refusals, so its memory
does not grow with the number of components. The bill of materials groups occurrences by release and holds them all.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from pratique.assess.match import purl_of
from pratique.model.errors import TargetError
from pratique.model.location import Location
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Interest
from pratique.model.report import RefusalEntry, SkippedEntry, identify
from pratique.targets.directory import Options
from pratique.version import VERSION
from pratique.workflow.check import TargetSpec
from pratique.workflow.sweep import Swept, stream

EVERYTHING = Interest({}, everything=True)


class ComponentsRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to list, and how."""

    targets: tuple[TargetSpec, ...]
    limit: int | None = None
    exclude: tuple[str, ...] = ()


class Occurrence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place where a release is named: one line of the inventory. Names are a contract."""

    purl: str
    depth: str
    reader: str
    location: Location
    integrity: tuple[str, ...] = ()
    resolved: str | None = None
    install_script: bool | None = None
    dev: bool | None = None
    bundled: bool | None = None
    requested_by: tuple[str, ...] = ()


class ComponentsCoverage(msgspec.Struct, frozen=True, kw_only=True):
    """The last record of an inventory: what was looked at, and every refusal that could have hidden a component."""

    record: str = "coverage"
    complete: bool
    interrupted: bool
    components: int
    entries: int
    artifacts: int
    by_reader: dict[str, int]
    refusals: tuple[RefusalEntry, ...]
    refusals_not_relevant: int
    skipped_by_rule: tuple[SkippedEntry, ...]

    @property
    def exit_code(self) -> int:
        """0 all read · 3 nothing examined · 4 a relevant refusal · 130 interrupted."""
        if self.interrupted:
            return 130
        if self.artifacts == 0:
            return 3
        return 0 if self.complete else 4


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
        options = Options(exclude=self._request.exclude, limit=self._request.limit, ordered=True)
        empty: list[TargetSpec] = []
        try:
            for target in self._request.targets:
                before = self._tally.artifacts
                for item in stream(target.uri, target.path, EVERYTHING, options, self._tally):
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

    def coverage(self) -> ComponentsCoverage:
        """What was looked at so far."""
        tally = self._tally
        return ComponentsCoverage(
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


def inventory_lines(inventory: Inventory) -> Iterator[bytes]:
    """One line of JSON for each occurrence, and one with the coverage at the end."""
    encode = msgspec.json.Encoder().encode
    for occurrence in inventory:
        yield encode(occurrence) + b"\n"
    yield encode(inventory.coverage()) + b"\n"


def inventory_bom(inventory: Inventory) -> Iterator[bytes]:
    """A CycloneDX 1.6 document: one component for each release, with every place it occurs at as evidence.

    It carries no time and no serial number: the same tree gives the same bytes.
    """
    releases: dict[str, list[Occurrence]] = {}
    for occurrence in inventory:
        releases.setdefault(occurrence.purl, []).append(occurrence)
    coverage = inventory.coverage()
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "pratique", "version": VERSION}]},
            "properties": _properties(
                {
                    "pratique:complete": coverage.complete,
                    "pratique:artifacts": coverage.artifacts,
                    "pratique:entries": coverage.entries,
                    "pratique:interrupted": coverage.interrupted or None,
                }
            )
            + [
                {"name": "pratique:refusal", "value": f"{item.target}/{item.path}: {item.reader}: {item.reason}"}
                for item in coverage.refusals
            ],
        },
        "components": [_bom_component(purl, places) for purl, places in sorted(releases.items())],
        "compositions": [{"aggregate": "unknown" if coverage.complete else "incomplete"}],
    }
    yield msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"


def _bom_component(purl: str, places: list[Occurrence]) -> dict[str, Any]:
    from packageurl import PackageURL

    release = PackageURL.from_string(purl)
    found: dict[str, Any] = {"type": "library", "bom-ref": purl}
    if release.namespace:
        found["group"] = release.namespace
    found |= {"name": release.name, "version": release.version or "", "purl": purl}
    if hashes := _hashes(item for place in places for item in place.integrity):
        found["hashes"] = hashes
    found["evidence"] = {"occurrences": _bom_occurrences(places)}
    properties = _properties(
        {
            "pratique:depth": sorted({place.depth for place in places}),
            "pratique:reader": sorted({place.reader for place in places}),
            "pratique:install-script": any(place.install_script for place in places) or None,
            "pratique:dev": all(place.dev for place in places) or None,
            "pratique:bundled": any(place.bundled for place in places) or None,
            "pratique:resolved": sorted({place.resolved for place in places if place.resolved}),
        }
    )
    return found | {"properties": properties}


def _bom_occurrences(places: list[Occurrence]) -> list[dict[str, Any]]:
    """Each place once, in order."""
    seen: dict[tuple[str, int], dict[str, Any]] = {}
    for place in places:
        location = place.location
        address = f"{location.target.rstrip('/')}/{location.path}"
        for step in location.inside:
            address += f"!{step.path or step.id}"
        entry: dict[str, Any] = {"location": address}
        if location.line is not None:
            entry["line"] = location.line
        entry["additionalContext"] = f"{place.depth}, {place.reader}"
        seen.setdefault((address, location.line or 0), entry)
    return [seen[key] for key in sorted(seen)]


_ALGORITHMS = {"md5": ("MD5", 16), "sha1": ("SHA-1", 20), "sha256": ("SHA-256", 32), "sha384": ("SHA-384", 48)}
_ALGORITHMS["sha512"] = ("SHA-512", 64)


def _hashes(integrity: Iterable[str]) -> list[dict[str, str]]:
    """Digests as CycloneDX writes them; those that are not whole are left out, they stay in the lines."""
    import base64
    import binascii

    found = set()
    for item in integrity:
        algorithm, _, text = item.partition("-" if "-" in item else ":")
        if algorithm not in _ALGORITHMS:
            continue
        name, length = _ALGORITHMS[algorithm]
        try:
            raw = (
                bytes.fromhex(text) if len(text) == 2 * length else base64.b64decode(text.split("?")[0], validate=True)
            )
        except (ValueError, binascii.Error):
            continue
        if len(raw) == length:
            found.add((name, raw.hex()))
    return [{"alg": name, "content": content} for name, content in sorted(found)]


def _properties(values: dict[str, Any]) -> list[dict[str, str]]:
    """Name and value pairs; lists give one pair for each item, None gives none."""
    pairs = []
    for name, value in values.items():
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                pairs.append({"name": name, "value": str(item).lower() if isinstance(item, bool) else str(item)})
    return pairs
