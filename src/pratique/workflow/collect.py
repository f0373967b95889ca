"""Evidence: what each sighting rests on is copied into the case, most volatile first, before anything is changed.

The order is the incident's own (`evidence` of its definition). What the definition asks for and this machine does not
hold (audit logs of a service, logs of a runner) is written down as missing, with who has it. Nothing is executed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pratique.adapters import git, machine
from pratique.assess.catalogue import Catalogue
from pratique.model.case import CaseFile, EvidenceItem, MissingEvidence
from pratique.model.incident import EvidenceKind, Incident
from pratique.model.ports import Unreadable
from pratique.model.report import Report
from pratique.targets import evidence, git_places
from pratique.targets.git_objects import Database
from pratique.workflow.sources import Source, Sources

LARGEST = 512 << 20
"""Bytes of the largest file that is copied; a larger one is written down as missing, with its size."""
BATCH = 64 << 20
"""So many bytes of evidence are written as one durable step."""
DEFAULT_ORDER: tuple[EvidenceKind, ...] = (
    "process-table",
    "socket-table",
    "dropped-file",
    "debug-log",
    "shell-history",
    "hidden-lockfile",
    "manifest",
    "lockfile",
    "cache-index",
    "cache-content",
    "persistence",
    "configuration",
    "archive",
    "log",
    "other",
)
"""What is copied where a definition says nothing, most volatile first."""
_TABLES: tuple[EvidenceKind, ...] = ("process-table", "socket-table")
_LIVE: tuple[EvidenceKind, ...] = (*_TABLES, "shell-history")


class Collected(msgspec.Struct, frozen=True):
    """What was copied in this run, and what could not be."""

    kept: tuple[EvidenceItem, ...]
    missing: tuple[MissingEvidence, ...]
    known: int
    """How many things were in the case already, unchanged."""

    @property
    def words(self) -> str:
        """How much, for people."""
        text = f"{len(self.kept)} copied"
        if self.known:
            text += f", {self.known} unchanged since the last time"
        return f"{text}, {len(self.missing)} not here to be copied" if self.missing else text


def collect(case: CaseFile, report: Report, incidents: Sequence[Incident], *, again: bool = False) -> Collected:
    """Copy what the sightings of a report rest on. Raises CaseError where the case cannot be written.

    `again`: the report looks at what was copied before, so new traces alone are copied, and no table or history of this
    machine, which are never the same twice.
    """
    from pratique.workflow.host import host_target

    collection = _Collection(case, report, incidents, host_target().uri, again=again)
    return collection.run({incident.id: incident for incident in incidents})


class _Collection:
    """One run of collecting."""

    def __init__(self, case: CaseFile, report: Report, incidents: Sequence[Incident], own: str, *, again: bool) -> None:
        self.again = again
        self.asked = Catalogue(tuple(incidents), frozenset()).interest.command_lines
        self.case = case
        self.report = report
        self.sources = Sources(report, own)
        self.kept: list[EvidenceItem] = []
        self.missing: dict[MissingEvidence, None] = {}
        self.taken: set[str] = set()
        self.known = 0
        self.before = {_state(entry.body) for entry in case.entries("evidence")}
        self.lacked = {
            tuple(entry.body.get(name, "") for name in ("what", "source", "reason", "incident"))
            for entry in case.entries("missing")
        }

    def run(self, incidents: dict[str, Incident]) -> Collected:
        """Go through the incidents with open verdicts, those with a dead man's switch first, step by durable step."""
        open_ones = {
            verdict.incident
            for verdict in self.report.verdicts
            if verdict.sightings and verdict.status in ("affected", "under_investigation")
        }
        chosen = [incidents[name] for name in sorted(open_ones) if name in incidents]
        chosen.sort(key=lambda incident: (incident.dead_man_switch is None, incident.id))
        work = (size for incident in chosen for size in self.of_incident(incident))
        going = bool(chosen)
        while going:
            with self.case.together():
                octets = 0
                going = False
                for size in work:
                    octets += size
                    if octets >= BATCH:
                        going = True
                        break
        return Collected(tuple(self.kept), tuple(self.missing), self.known)

    def of_incident(self, incident: Incident) -> Iterator[int]:
        """Copy in the order of one definition; gives the bytes of each thing, `BATCH` where it must be durable now."""
        sightings = [item for item in self.report.sightings if item.incident == incident.id]
        live = not self.again and any(self.sources.is_of_this_machine(sighting) for sighting in sightings)
        records = sorted(incident.evidence, key=lambda item: item.order)
        named = {kind for record in records for kind in record.kinds}
        for kind in _TABLES if live else ():
            if kind not in named:
                yield from self.take(kind, {}, 1, incident.id, live=live)
        sources: dict[EvidenceKind, dict[Source, None]] = {}
        for sighting in sightings:
            for source in self.sources.of_sighting(sighting):
                sources.setdefault(source.kind, {})[source] = None
        for folder in _logs() if live else ():
            for source in self.sources.logs(folder):
                sources.setdefault(source.kind, {})[source] = None
        order = 1
        for record in records:
            order = record.order
            found = False
            for kind in record.kinds:
                found = found or (live and kind in _LIVE) or bool(sources.get(kind))
                yield from self.take(kind, sources.pop(kind, {}), order, incident.id, live=live)
            if self.again:
                continue
            if not record.kinds:
                self.lack(record.what, "", "lies with a service, not on this machine: export it there", order, incident)
            elif not found:
                reason = "nothing of the kind was seen in what was examined" if live else "was not examined here"
                self.lack(record.what, "", reason, order, incident)
        for kind in DEFAULT_ORDER:
            yield from self.take(kind, sources.pop(kind, {}), order + 1, incident.id, live=live)
        for (path, what), reason in sorted(self.sources.lacking.items()):
            self.lack(what, path, reason, order + 1, incident)
        self.sources.lacking.clear()

    def take(
        self, kind: EvidenceKind, sources: dict[Source, None], order: int, incident: str, *, live: bool
    ) -> Iterator[int]:
        """Copy all of one kind."""
        if live and kind in _LIVE and f"live:{kind}" not in self.taken:
            self.taken.add(f"live:{kind}")
            yield from self.machine(kind, order, incident)
        for source in sorted(sources):
            if source.name not in self.taken:
                self.taken.add(source.name)
                yield self.copy(source, order, incident)

    def machine(self, kind: EvidenceKind, order: int, incident: str) -> Iterator[int]:
        """Tables of this machine, and histories of this user."""
        if kind == "shell-history":
            histories = list(_histories())
            for path in histories:
                self.taken.add(path)
                yield self.copy(Source("shell-history", path, "shell history of this user"), order, incident)
            if not histories:
                self.lack("shell history of this user", "", "no shell of a known kind left one", order, incident)
            return
        from pratique.targets import live

        name = "processes" if kind == "process-table" else "sockets"
        try:
            table = live.processes(self.asked) if kind == "process-table" else live.sockets()
        except OSError as error:
            self.lack(f"live {name}", f"live:{name}", (error.strerror or "cannot be read").lower(), order, incident)
            return
        item = EvidenceItem(
            what=f"live {name} of this machine",
            source=f"live:{name}",
            digest="",
            size=0,
            kind=kind,
            order=order,
            incident=incident,
            sensitive=True,
        )
        self.kept.append(self.case.keep(item, table))
        yield BATCH  # it is durable before anything else is looked at

    def copy(self, source: Source, order: int, incident: str) -> int:
        """One file or object into the case, or the reason why not; gives how many bytes were copied."""
        try:
            if source.process:
                with evidence.RunningProgram(source.process, source.path) as program:
                    return self.keep(source, order, incident, None, program)
            if source.blob:
                if (source.name, None, None, None) in self.before:
                    self.known += 1
                    return 0
                return self.keep(source, order, incident, None, _object(source.path, source.blob))
            times = evidence.described(source.path)
            if (source.name, times.modified, times.changed, times.size) in self.before:
                self.known += 1
                return 0
            if times.link is not None:
                return self.keep(source, order, incident, times, os.fsencode(times.link))
            with evidence.Content(source.path) as content:
                return self.keep(source, order, incident, times, content)
        except Unreadable as error:
            self.lack(source.what, source.name, error.reason, order, incident)
        except OSError as error:
            self.lack(source.what, source.name, (error.strerror or type(error).__name__).lower(), order, incident)
        return 0

    def keep(
        self,
        source: Source,
        order: int,
        incident: str,
        times: evidence.Times | None,
        content: evidence.Content | bytes,
    ) -> int:
        """Write what was opened."""
        if isinstance(content, evidence.Content) and content.size > LARGEST:
            raise Unreadable(f"holds {content.size} bytes: copy it by hand, with `pratique case add`")
        item = self._item(source, order, incident, times)
        item = self.case.keep(item, content if isinstance(content, bytes) else content.read())
        self.kept.append(item)
        return item.size

    def _item(self, source: Source, order: int, incident: str, times: evidence.Times | None) -> EvidenceItem:
        return EvidenceItem(
            what=source.what,
            source=source.name,
            digest="",
            size=0,
            kind=source.kind,
            order=order,
            incident=incident,
            modified=times.modified if times else None,
            changed=times.changed if times else None,
            accessed=times.accessed if times else None,
            born=times.born if times else None,
            mode=times.mode if times else None,
            owner=times.owner if times else None,
            links_to=times.link if times else None,
            sensitive=source.kind in ("shell-history", "debug-log", "configuration", "log", "persistence"),
        )

    def lack(self, what: str, source: str, reason: str, order: int, incident: Incident | str) -> None:
        """Write down what is missing, unless the case says so already."""
        name = incident if isinstance(incident, str) else incident.id
        missing = MissingEvidence(what=what, source=source, reason=reason, order=order, incident=name)
        if missing in self.missing:
            return
        self.missing[missing] = None
        if (what, source, reason, name) not in self.lacked:
            self.case.lacks(missing)


def _state(body: dict[str, Any]) -> tuple[Any, ...]:
    """What tells whether a thing that was copied is as it was: place, times and size; of an object its name alone."""
    times = body.get("modified"), body.get("changed")
    return (body.get("source"), *times, body.get("size") if any(times) else None)


def _logs() -> Iterator[str]:
    """Folders of debug logs of this user: places of their own, and what npm keeps beside its cache or in its folder."""
    from pratique.workflow.machine import places

    if machine.home() is None:
        return
    for place in places():
        if place.kind == "log" and os.path.isdir(place.path):
            yield place.path
        elif place.kind == "cache":
            yield os.path.join(place.path, "_logs")
            yield os.path.join(os.path.dirname(place.path), "_logs")


def _histories() -> Iterator[str]:
    from pratique.workflow.machine import places

    if machine.home() is not None:
        for place in places():
            if place.kind == "history" and os.path.isfile(place.path):
                yield place.path


def _object(repository: str, blob: str) -> bytes:
    place = git_places.resolve(repository)
    start = git.starter()
    if place is None or place.reason or start is None:
        raise Unreadable(place.reason if place is not None and place.reason else "git cannot read the repository here")
    try:
        identifier = bytes.fromhex(blob)
    except ValueError:
        raise Unreadable("is no object of a commit") from None
    for read in Database(start, place.folder).read([identifier], lambda position: LARGEST):
        if read.body is not None:
            return read.body
        raise Unreadable(read.reason or "is not in the repository")
    raise Unreadable("is not in the repository")
