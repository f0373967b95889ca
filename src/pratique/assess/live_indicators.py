"""Indicators on what happens now: addresses of every incident, and all that a machine can show of the open ones.

The comparisons are those of the sweep (`assess/host.py`): paths whole, addresses by number, command lines by commands
that run something. What others use too is told as such and never as sure.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pratique.assess.catalogue import Catalogue
from pratique.assess.hashes import listed_hashes
from pratique.assess.host_addresses import Addresses
from pratique.assess.host_paths import Machine, Named, named_paths, others_use, places
from pratique.ecosystems.arguments import reduced
from pratique.model.event import Event
from pratique.model.incident import Incident, Indicator
from pratique.model.observation import HostFact

_MOST_TEXT = 1 << 16


class Met(msgspec.Struct, frozen=True):
    """An indicator that was met; `sure`: nothing else is known to show it. `how` says what was compared."""

    incident: str
    indicator: str
    how: str
    sure: bool


class LiveIndicators:
    """Indicators at work. `open_incidents` are those of the case: of the others, addresses alone are looked for."""

    def __init__(self, every: Iterable[Incident], open_incidents: Sequence[Incident], machine: HostFact) -> None:
        self._rest = _by_type(every)
        self._open = _by_type(open_incidents)
        self.machine = machine
        addresses = Addresses(self._rest)
        self._endpoints: dict[str, list[tuple[Incident, Indicator, int | None]]] = {}
        for incident, indicator, host, port in addresses.endpoints:
            self._endpoints.setdefault(host, []).append((incident, indicator, port))
        self._addresses = addresses
        names = sorted({name for _, _, name, _ in addresses.names})
        self._names = re.compile("|".join(map(re.escape, names)) or r"(?!)", re.IGNORECASE)
        self._globs = tuple(sorted({item.value for _, item in self._open.get("command-line", ())}))
        catalogue = Catalogue(open_incidents)
        self._machine = Machine(catalogue, [machine])
        self.paths = named_paths(open_incidents, machine.platforms)
        self._hashes = listed_hashes(catalogue)[1]

    @property
    def hashes(self) -> bool:
        """Whether an open incident names files by their digests."""
        return bool(self._hashes)

    def bad_address(self, address: str, port: int) -> bool:
        """Whether an indicator of any incident names this address, with this port or none."""
        return any(wanted in (None, port) for _, _, wanted in self._endpoints.get(address, ()))

    def places(self) -> dict[str, list[Named]]:
        """The places of this machine, from the root on, that indicators of open incidents name."""
        found: dict[str, list[Named]] = {}
        for named in self.paths:
            for place in places(named.path, self.machine):
                if not place.startswith("**"):
                    found.setdefault(place, []).append(named)
        return found

    def met(self, event: Event) -> Met | None:
        """The indicator that an event shows, the surest first; None where it shows none."""
        found = list(self._met(event))
        return min(found, key=lambda one: (not one.sure, one.incident, one.indicator)) if found else None

    def by_digest(self, digest: str) -> Met | None:
        """The indicator that names a file by its SHA-256."""
        for incident, indicator in self._hashes.get(digest, ()):
            return Met(incident.id, indicator.id, "the digest of the file", True)
        return None

    def _met(self, event: Event) -> Iterator[Met]:
        if event.kind == "network.connect":
            yield from self._address(event)
        if event.host:
            for incident, indicator, _ in self._addresses.named((event.host,)):
                yield Met(incident.id, indicator.id, "the name that was asked for", not indicator.look_alikes)
        if event.kind in ("process.start", "memory.program") and event.process is not None:
            yield from self._program(event)
        elif event.kind.startswith("file."):
            yield from self._path(event.target or event.path)
            if event.sha256_after and (by := self.by_digest(event.sha256_after)):
                yield by

    def _address(self, event: Event) -> Iterator[Met]:
        for incident, indicator, port in self._endpoints.get(event.address, ()):
            if port in (None, event.port):
                yield Met(incident.id, indicator.id, "the address that was reached", not indicator.look_alikes)

    def _program(self, event: Event) -> Iterator[Met]:
        process = event.process
        if process is None:
            return
        executable = process.executable.removesuffix(" (deleted)")
        for path in (executable, process.script):
            if path:
                yield from self._path(path)
        name = executable.rpartition("/")[2].lower()
        for incident, indicator in self._open.get("process", ()):
            if fnmatch.fnmatchcase(name, indicator.value.lower().removesuffix(".exe")):
                yield Met(incident.id, indicator.id, "the name of the program", not indicator.look_alikes)
        text = " ".join(process.arguments)[:_MOST_TEXT]
        tells = self._names.search(text) is not None
        if not (tells or self._globs):
            return
        found = reduced(process.arguments, process.folder, self._globs, known=name or None)
        for incident, indicator in self._open.get("command-line", ()):
            if indicator.value in found.matched:
                yield Met(incident.id, indicator.id, "the command line", not indicator.look_alikes)
        if tells:
            for incident, indicator, _ in self._addresses.named(found.hosts):
                yield Met(incident.id, indicator.id, "the address that the command line names", False)

    def _path(self, path: str) -> Iterator[Met]:
        for named in self._machine.named(path):
            yield Met(named.incident.id, named.indicator.id, "the place of the file", not others_use(named))


def _by_type(incidents: Iterable[Incident]) -> dict[str, list[tuple[Incident, Indicator]]]:
    """Indicators that apply on Linux, by what they are."""
    found: dict[str, list[tuple[Incident, Indicator]]] = {}
    for incident in incidents:
        for indicator in incident.indicators:
            if not indicator.platforms or "linux" in indicator.platforms:
                found.setdefault(indicator.type, []).append((incident, indicator))
    return found
