"""What was seen on a machine, compared with the indicators of incidents.

A live process or connection is `active`. What starts by itself, and a file of meaning executed, is `executed`. A look-
alike is none: paths are compared whole, from the root or from a home on; a name that others use too, and a chain of
programs alone, are matters to look into; a process that merely reads or looks for an indicator is not met at all, and
neither is this program. A deleted executable, and a start after the window of exposure, are told with a sighting.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence

from pratique.assess.catalogue import Catalogue
from pratique.assess.evidence import Evidence
from pratique.assess.hashes import listed_hashes
from pratique.assess.host_addresses import Addresses, defanged
from pratique.assess.host_asked import HOST
from pratique.assess.host_paths import Machine, full, others_use
from pratique.assess.indicators import MEANINGS, representative
from pratique.assess.words import purl_of
from pratique.model.depth import Confidence, Depth
from pratique.model.incident import Incident, Indicator
from pratique.model.observation import (
    DigestFact,
    HostFact,
    Observation,
    PersistenceFact,
    PresenceFact,
    ProcessFact,
    ResolverFact,
    RunnerFact,
    SocketFact,
)
from pratique.model.verdict import Sighting, Status

_BLOCKED = frozenset(["0.0.0.0", "127.0.0.1", "::", "::1", "0:0:0:0:0:0:0:1"])  # noqa: S104 (addresses of a block list)
_ENDED = frozenset(["TIME_WAIT", "CLOSE_WAIT", "LAST_ACK", "FIN_WAIT1", "FIN_WAIT2", "CLOSING", "CLOSE"])
_LONGEST_CHAIN = 64
_FACTS = (HostFact, ProcessFact, SocketFact, PersistenceFact, RunnerFact, ResolverFact)


def of_host(observation: Observation) -> bool:
    """Whether an observation is about a machine and is judged here alone."""
    if isinstance(observation.facts, _FACTS):
        return True
    return observation.location.target.startswith(HOST) and isinstance(observation.facts, PresenceFact | DigestFact)


def sighted(catalogue: Catalogue, evidence: Evidence) -> Iterator[Sighting]:
    """Sightings of all that was seen on machines."""
    by_target: dict[str, list[Observation]] = {}
    for observation in evidence.observations:
        if of_host(observation):
            by_target.setdefault(observation.location.target, []).append(observation)
    for _, found in sorted(by_target.items()):
        machine = Machine(catalogue, [item.facts for item in found if isinstance(item.facts, HostFact)])
        yield from _Judge(catalogue, evidence, machine, found).all()


class _Judge:
    """One machine's observations, judged."""

    def __init__(
        self, catalogue: Catalogue, evidence: Evidence, machine: Machine, found: Sequence[Observation]
    ) -> None:
        self.catalogue = catalogue
        self.evidence = evidence
        self.machine = machine
        self.found = found
        self.rest: dict[str, list[tuple[Incident, Indicator]]] = {}
        for incident in catalogue.incidents:
            for indicator in incident.indicators:
                if not indicator.platforms or set(machine.platforms).intersection(indicator.platforms):
                    self.rest.setdefault(indicator.type, []).append((incident, indicator))
        self.hashes = listed_hashes(catalogue)[1]
        self.processes = {item.facts.process: item for item in found if isinstance(item.facts, ProcessFact)}
        self.addresses = Addresses(self.rest)
        self.runs: dict[str, list[tuple[Observation, ProcessFact]]] = {}
        for item in found:
            if isinstance(item.facts, ProcessFact) and item.facts.container is None and not item.facts.own:
                for path in {item.facts.executable, item.facts.script} - {None}:
                    self.runs.setdefault(str(path), []).append((item, item.facts))

    def all(self) -> Iterator[Sighting]:
        """Every sighting."""
        for observation in self.found:
            fact = observation.facts
            if isinstance(fact, ProcessFact):
                yield from self._process(observation, fact)
            elif isinstance(fact, SocketFact):
                yield from self._socket(observation, fact)
            elif isinstance(fact, PersistenceFact):
                yield from self._persistence(observation, fact)
            elif isinstance(fact, RunnerFact):
                yield from self._runner(observation, fact)
            elif isinstance(fact, ResolverFact):
                yield from self._resolver(observation, fact)
            elif isinstance(fact, PresenceFact) and fact.exists:
                yield from self._presence(observation, fact)
            elif isinstance(fact, DigestFact):
                for incident, indicator in self.hashes.get(fact.digest, ()):
                    text = f"a file here is the one that indicator {indicator.id} names by its hash"
                    runs = self.runs.get(f"/{fact.path}", ())
                    if runs:
                        text += f"; {self._about(runs[0][1])} runs it"
                    proof = (observation, *(item for item, _ in runs[:8]))
                    depth = Depth.ACTIVE if runs else None
                    yield from self._sighting(incident, indicator, proof, text, depth=depth)

    # processes

    def _process(self, observation: Observation, fact: ProcessFact) -> Iterator[Sighting]:
        if fact.own:
            return
        told: set[tuple[str, str]] = set()
        sure: set[str] = set()

        def once(incident: Incident, indicator: Indicator, *, certain: bool) -> bool:
            key = (incident.id, indicator.id)
            if key in told:
                return False
            told.add(key)
            if certain:
                sure.add(incident.id)
            return True

        about = self._about(fact)
        for path, verb in ((fact.executable, "was started from"), (fact.script, "runs")):
            for named in self.machine.named(path) if path else ():
                vague = others_use(named)
                if once(named.incident, named.indicator, certain=not vague):
                    text = f"{about} {verb} {path}, which indicator {named.indicator.id} names"
                    yield from self._live(named.incident, named.indicator, observation, text, vague=vague)
        names = _names(fact)
        for incident, indicator in self.rest.get("process", ()):
            wanted = indicator.value.lower().removesuffix(".exe")
            if any(fnmatch.fnmatchcase(name, wanted) for name in names) and once(incident, indicator, certain=True):
                text = f"{about} has the name that indicator {indicator.id} gives"
                vague = bool(indicator.look_alikes)
                yield from self._live(incident, indicator, observation, text, vague=vague)
        for incident, indicator in self.rest.get("command-line", ()):
            if indicator.value in fact.matched and once(incident, indicator, certain=True):
                text = f"{about} was started with the command line that indicator {indicator.id} describes"
                yield from self._live(incident, indicator, observation, text)
        for incident, indicator, host in self.addresses.named(fact.hosts):
            if once(incident, indicator, certain=False):
                text = f"{about} was told the address {defanged(host)} of indicator {indicator.id}"
                yield from self._live(incident, indicator, observation, text, vague=incident.id not in sure)
        for incident, indicator in self.rest.get("parent-child", ()):
            chain = self._chain(observation, indicator.value)
            if chain and once(incident, indicator, certain=False):
                shown = " > ".join(item.facts.name for item in reversed(chain) if isinstance(item.facts, ProcessFact))
                text = f"processes stand below each other as indicator {indicator.id} describes ({shown})"
                if incident.id not in sure:
                    text += "; other programs start such chains too"
                yield from self._live(
                    incident, indicator, observation, text, vague=incident.id not in sure, more=tuple(chain[1:])
                )

    def _live(
        self,
        incident: Incident,
        indicator: Indicator,
        observation: Observation,
        text: str,
        *,
        vague: bool = False,
        more: tuple[Observation, ...] = (),
    ) -> Iterator[Sighting]:
        fact = observation.facts
        if isinstance(fact, ProcessFact):
            if fact.deleted:
                text += "; the file that it was started from is gone"
            text += _when(incident, fact.started)
            if fact.container:
                text += f"; it runs in the container {fact.container[:12]}"
        proof = (observation, *more)
        yield from self._sighting(incident, indicator, proof, text, depth=Depth.ACTIVE, vague=vague)

    def _about(self, fact: ProcessFact) -> str:
        """A process in words: number, name, parents, owner."""
        parents: list[str] = []
        current = fact
        for _ in range(3):
            above = self.processes.get(current.parent)
            if above is None or not isinstance(above.facts, ProcessFact) or current.parent == current.process:
                break
            current = above.facts
            parents.append(current.name)
        said = f" below {' < '.join(parents)}" if parents else ""
        user = f" of {fact.user}" if fact.user else ""
        return f"process {fact.process} ({fact.name or '?'}){user}{said}"

    def _chain(self, observation: Observation, value: str) -> list[Observation]:
        """The process and those above it, where they are called as a chain says.

        Parents that have ended leave their children to process 1: then three at least of the chain's end must stand.
        """
        wanted = [part.strip().lower().removesuffix(".exe") for part in value.split(">")][-_LONGEST_CHAIN:]
        found: list[Observation] = []
        current: Observation | None = observation
        for name in reversed(wanted):
            if current is None or not isinstance(current.facts, ProcessFact) or current.facts.own:
                break
            if name not in _names(current.facts):
                return []
            found.append(current)
            parent = current.facts.parent
            current = self.processes.get(parent) if parent not in (0, 1, current.facts.process) else None
        if len(found) == len(wanted) or (current is None and len(found) >= 3):
            return found
        return []

    # connections and names

    def _socket(self, observation: Observation, fact: SocketFact) -> Iterator[Sighting]:
        if fact.remote is None or fact.state == "LISTEN":
            return
        for incident, indicator, address, port in self.addresses.endpoints:
            if fact.remote != address or (port is not None and port != fact.remote_port):
                continue
            owner = self.processes.get(fact.process) if fact.process is not None else None
            if owner is not None and isinstance(owner.facts, ProcessFact) and owner.facts.own:
                continue
            who = f"process {fact.process} ({fact.program or '?'})" if fact.process is not None else "a process"
            ended = fact.state in _ENDED
            text = (
                f"{who} {'had' if ended else 'has'} a connection to {defanged(address)} port {fact.remote_port}"
                f" ({fact.state.lower()}), which indicator {indicator.id} names"
            )
            proof = (observation, owner) if owner is not None else (observation,)
            depth = Depth.EXECUTED if ended else Depth.ACTIVE
            vague = bool(indicator.look_alikes)
            yield from self._sighting(incident, indicator, proof, text + _others(indicator), depth=depth, vague=vague)

    def _resolver(self, observation: Observation, fact: ResolverFact) -> Iterator[Sighting]:
        blocked = fact.source == "hosts-file" and set(fact.addresses) <= _BLOCKED
        for incident, indicator, name, _ in self.addresses.names:
            if fact.name != name or indicator.type == "ip":
                continue
            if fact.source == "hosts-file":
                if blocked:
                    continue  # somebody keeps the name from being reached: no trace
                text = f"the table of hosts gives {defanged(name)} an address of its own, by indicator {indicator.id}"
                yield from self._sighting(incident, indicator, (observation,), text, depth=Depth.EXECUTED, vague=True)
                continue
            times = f" ({fact.count} lines)" if fact.count > 1 else ""
            text = f"{fact.daemon or 'a resolver'} was asked for {defanged(name)}{times}, by indicator {indicator.id}"
            vague = bool(indicator.look_alikes)
            text += _others(indicator)
            yield from self._sighting(incident, indicator, (observation,), text, depth=None, vague=vague)

    # what starts by itself, and what lies there

    def _persistence(self, observation: Observation, fact: PersistenceFact) -> Iterator[Sighting]:
        told: set[tuple[str, str]] = set()
        sure: set[str] = set()
        said = f"{_MECHANISMS.get(fact.mechanism, fact.mechanism)} {fact.name}"
        own = f"/{observation.location.path}"
        home = self.machine.home_of(own)
        off = "; it is switched off" if fact.enabled is False else ""
        for path in (own, *(full(item, home) for item in fact.files)):
            for named in self.machine.named(path):
                key = (named.incident.id, named.indicator.id)
                if key in told:
                    continue
                told.add(key)
                vague = others_use(named)
                if not vague:
                    sure.add(named.incident.id)
                text = f"{said} lies where indicator {named.indicator.id} names it"
                if path != own:
                    text = f"{said} starts {path}, which indicator {named.indicator.id} names"
                depth = Depth.EXECUTED
                yield from self._sighting(
                    named.incident, named.indicator, (observation,), text + off, depth=depth, vague=vague
                )
        for kind in ("service", "process"):
            for incident, indicator in self.rest.get(kind, ()):
                if kind == "process" or fact.mechanism not in ("systemd", "launchd", "service", "scheduled-task"):
                    continue
                wanted = indicator.value.lower()
                if fact.name.lower().rpartition("\\")[2] in (wanted, wanted.removesuffix(".service")):
                    text = f"{said} is the one that indicator {indicator.id} names"
                    yield from self._sighting(incident, indicator, (observation,), text + off, depth=Depth.EXECUTED)
        if fact.mechanism in ("run-key", "service"):
            for incident, indicator in self.rest.get("registry-key", ()):
                if _key(indicator.value) == _key(fact.name):
                    vague = bool(indicator.look_alikes) and incident.id not in sure
                    text = f"{said} is the one that indicator {indicator.id} names"
                    if vague:
                        text += f"; {indicator.look_alikes[0]}"
                    yield from self._sighting(
                        incident, indicator, (observation,), text, depth=Depth.EXECUTED, vague=vague
                    )
        for incident, indicator in self.rest.get("command-line", ()):
            if indicator.value in fact.matched:
                text = f"{said} starts the command line that indicator {indicator.id} describes"
                yield from self._sighting(incident, indicator, (observation,), text + off, depth=Depth.EXECUTED)
        for incident, indicator, host in self.addresses.named(fact.hosts):
            if (incident.id, indicator.id) not in told:
                told.add((incident.id, indicator.id))
                text = f"{said} names the address {defanged(host)} of indicator {indicator.id}"
                vague = fact.mechanism in ("shell-start", "git-hook") or bool(indicator.look_alikes)
                yield from self._sighting(
                    incident, indicator, (observation,), text + off, depth=Depth.EXECUTED, vague=vague
                )

    def _runner(self, observation: Observation, fact: RunnerFact) -> Iterator[Sighting]:
        for incident, indicator in self.rest.get("runner-name", ()):
            wanted = indicator.value
            if fact.name == wanted or (indicator.match == "glob" and fnmatch.fnmatchcase(fact.name, wanted)):
                text = f"a self-hosted runner {fact.name} is registered here, which indicator {indicator.id} names"
                yield from self._sighting(incident, indicator, (observation,), text, depth=Depth.EXECUTED)

    def _presence(self, observation: Observation, fact: PresenceFact) -> Iterator[Sighting]:
        if observation.reader != "probe":
            return  # met by a reader of configuration, and judged with it
        for named in self.machine.named(f"/{fact.path}"):
            vague = others_use(named)
            text = f"a file lies at /{fact.path}, which indicator {named.indicator.id} names"
            if vague and named.indicator.look_alikes:
                text += f"; others use such names: {named.indicator.look_alikes[0]}"
            yield from self._sighting(named.incident, named.indicator, (observation,), text, depth=None, vague=vague)

    def _sighting(
        self,
        incident: Incident,
        indicator: Indicator,
        proof: tuple[Observation, ...],
        text: str,
        *,
        depth: Depth | None,
        vague: bool = False,
    ) -> Iterator[Sighting]:
        meaning = MEANINGS.get(indicator.meaning)
        known = meaning is not None
        if depth is None:
            depth = meaning or Depth.EXECUTED
        if not known:
            text += "; it belongs to whoever did it, and this incident's code does not use it"
        component, version = representative(incident)
        yield Sighting(
            incident=incident.id,
            subject=self.evidence.subject(proof[0]),
            kind="indicator",
            status=Status.UNDER_INVESTIGATION if vague or not known else Status.AFFECTED,
            purl=purl_of(component.ecosystem, component.name, version.version),
            depth=depth,
            confidence=Confidence.LOW if not known else Confidence(indicator.confidence),
            role=version.role or component.role,
            location=proof[0].location,
            explanation=text,
            observations=proof,
            times=proof[0].times,
        )


_MECHANISMS = {
    "systemd": "the unit",
    "linger": "lingering of",
    "cron": "the entry of cron",
    "at": "the job of at",
    "launchd": "the agent or daemon",
    "scheduled-task": "the scheduled task",
    "run-key": "the Run key",
    "service": "the service",
    "startup-folder": "the startup entry",
    "autostart": "the autostart entry",
    "shell-start": "the start-up file",
    "git-hook": "the hook",
    "interpreter-start": "the start-up file",
}


def _others(indicator: Indicator) -> str:
    return f"; {indicator.look_alikes[0]}" if indicator.look_alikes else ""


def _names(fact: ProcessFact) -> set[str]:
    """What a process is called: its executable, what started it, its own name."""
    found = {name.lower() for name in fact.programs}
    if fact.executable:
        found.add(re.split(r"[\\/]", fact.executable)[-1].lower().removesuffix(".exe"))
    if fact.name:
        found.add(fact.name.lower().removesuffix(".exe"))
    if found & {"bash", "dash", "zsh", "ksh", "ash", "busybox"}:
        found.add("sh")
    return found


def _when(incident: Incident, started: str | None) -> str:
    """How the start of a process lies to the window of exposure."""
    starts = [window.start for window in incident.windows]
    if not starts or started is None:
        return ""
    first = min(starts).strftime("%Y-%m-%dT%H:%M:%S")
    return f"; started {'after the window of exposure began' if started[:19] >= first else 'before the window'}"


def _key(value: str) -> str:
    """A key of the registry for comparison: its root written short, the rest from `Software` on in small letters."""
    text = value.replace("/", "\\").lower()
    for name, short in (("hkey_current_user", "hkcu"), ("hkey_local_machine", "hklm"), ("hkey_users", "hku")):
        text = text.replace(name, short)
    return re.sub(r"^hku\\s-[\d-]+\\", r"hkcu\\", text)


def notes(observations: Iterable[Observation]) -> list[str]:
    """Processes whose executable is gone, started from where everybody may write: worth a look, and no sighting."""
    found = {
        f"{fact.executable} (process {fact.process})"
        for item in observations
        if isinstance(fact := item.facts, ProcessFact) and fact.deleted and not fact.own and _loose(fact.executable)
    }
    if not found:
        return []
    listed = sorted(found)
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""
    return [f"NOTE  runs from a file that is gone, look at it: {', '.join(listed[:5])}{more}"]


def _loose(path: str | None) -> bool:
    return path is not None and path.startswith(
        ("/tmp/", "/private/tmp/", "/var/tmp/", "/dev/shm/")  # noqa: S108 (places of other programs)
    )
