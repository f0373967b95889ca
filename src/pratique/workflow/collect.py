"""Evidence: what each sighting rests on is copied into the case, most volatile first, before anything is changed.

The order is the incident's own (`evidence` of its definition). What the definition asks for and this machine does not
hold (audit logs of a service, logs of a runner) is written down as missing, with who has it. Nothing is executed.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from pratique.adapters import git, machine
from pratique.assess.catalogue import Catalogue
from pratique.ecosystems.npm.layout import cached_content_path
from pratique.model.case import CaseFile, EvidenceItem, MissingEvidence
from pratique.model.incident import EvidenceKind, Incident
from pratique.model.ports import Unreadable
from pratique.model.report import ObservationEntry, Report, SightingEntry
from pratique.targets import evidence, git_places
from pratique.targets.git_objects import Database

LARGEST = 512 << 20
"""Bytes of the largest file that is copied; a larger one is written down as missing, with its size."""
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
_RECORDS: dict[str, EvidenceKind] = {
    "lock": "lockfile",
    "installed-record": "hidden-lockfile",
    "manifest": "manifest",
    "folder-name": "manifest",
    "cache": "cache-index",
    "store": "cache-index",
    "log": "debug-log",
    "archive": "archive",
    "bundle": "other",
    "mirror": "archive",
    "sbom": "other",
}
_LOCKS = (
    "package.json",
    "package-lock.json",
    "npm-shrinkwrap.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "pnpm-workspace.yaml",
    "bun.lock",
    "bun.lockb",
    "deno.lock",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
    "requirements.txt",
    "pyproject.toml",
)
_INSTALLED = (
    "node_modules/.package-lock.json",
    "node_modules/.yarn-state.yml",
    "node_modules/.yarn-integrity",
    "node_modules/.modules.yaml",
    "node_modules/.pnpm/lock.yaml",
    ".pnp.cjs",
)
_LIVE: tuple[EvidenceKind, ...] = ("process-table", "socket-table", "shell-history")
_OF_A_MACHINE = ("directory", "file", "place", "host")
_RAN = ("installed", "executed", "active")


class Source(msgspec.Struct, frozen=True, order=True):
    """A thing to copy: a file, or with `blob` an object of the repository at `path`."""

    kind: EvidenceKind
    path: str
    what: str
    blob: str = ""


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


def collect(case: CaseFile, report: Report, incidents: Sequence[Incident]) -> Collected:
    """Copy what the sightings of a report rest on. Raises CaseError where the case cannot be written."""
    return _Collection(case, report, incidents).run({incident.id: incident for incident in incidents})


class _Collection:
    """One run of collecting."""

    def __init__(self, case: CaseFile, report: Report, incidents: Sequence[Incident]) -> None:
        self.asked = Catalogue(tuple(incidents), frozenset()).interest.command_lines
        self.case = case
        self.report = report
        self.observations = {item.id: item for item in report.observations}
        self.subjects = {item.id: item for item in report.subjects}
        self.kinds = {target.uri: target.kind for target in report.targets}
        self.kept: list[EvidenceItem] = []
        self.missing: list[MissingEvidence] = []
        self.taken: set[tuple[str, str]] = set()
        self.lacking: dict[tuple[str, str], str] = {}
        self.known = 0
        self.before = {
            (str(entry.body.get("source")), entry.body.get("modified"), entry.body.get("size"))
            for entry in case.entries("evidence")
        }

    def run(self, incidents: dict[str, Incident]) -> Collected:
        """Go through the incidents with open verdicts, those with a dead man's switch first."""
        open_ones = {
            verdict.incident
            for verdict in self.report.verdicts
            if verdict.sightings and verdict.status in ("affected", "under_investigation")
        }
        chosen = [incidents[name] for name in sorted(open_ones) if name in incidents]
        chosen.sort(key=lambda incident: (incident.dead_man_switch is None, incident.id))
        for incident in chosen:
            with self.case.together():
                self.of_incident(incident)
        return Collected(tuple(self.kept), tuple(self.missing), self.known)

    def of_incident(self, incident: Incident) -> None:
        """Copy in the order of one definition."""
        sightings = [item for item in self.report.sightings if item.incident == incident.id]
        sources: dict[EvidenceKind, dict[Source, None]] = {}
        for sighting in sightings:
            for source in self.sources(sighting):
                sources.setdefault(source.kind, {})[source] = None
        live = self.on_this_machine(sightings)
        order = 0
        for record in sorted(incident.evidence, key=lambda item: item.order):
            order = record.order
            found = False
            for kind in record.kinds:
                found = self.take(kind, sources.pop(kind, {}), order, incident.id, live=live) or found
            if not record.kinds:
                self.lack(record.what, "", "lies with a service, not on this machine: export it there", order, incident)
            elif not found:
                reason = "nothing of the kind was seen in what was examined" if live else "was not examined here"
                self.lack(record.what, "", reason, order, incident)
        for kind in DEFAULT_ORDER:
            self.take(kind, sources.pop(kind, {}), order + 1, incident.id, live=live)
        for (path, what), reason in sorted(self.lacking.items()):
            self.lack(what, path, reason, order + 1, incident)
        self.lacking.clear()

    def on_this_machine(self, sightings: Sequence[SightingEntry]) -> bool:
        """Whether something was unpacked or ran on this machine, so that its tables and histories are evidence."""
        for sighting in sightings:
            subject = self.subjects.get(sighting.subject)
            if self.kinds.get(sighting.location.target) not in _OF_A_MACHINE or sighting.location.inside:
                continue
            if sighting.depth in _RAN or (subject is not None and subject.kind in ("install", "cache", "machine")):
                return True
        return False

    def take(self, kind: EvidenceKind, sources: dict[Source, None], order: int, incident: str, *, live: bool) -> bool:
        """Copy all of one kind; whether there was anything."""
        found = False
        if live and kind in _LIVE and ("live", kind) not in self.taken:
            self.taken.add(("live", kind))
            found = self.machine(kind, order, incident)
        elif live and kind in _LIVE:
            found = True
        for source in sorted(sources):
            found = True
            if (source.path, source.blob) not in self.taken:
                self.taken.add((source.path, source.blob))
                self.copy(source, order, incident)
        return found

    def machine(self, kind: EvidenceKind, order: int, incident: str) -> bool:
        """Tables of this machine, and histories of this user."""
        if kind == "shell-history":
            histories = list(_histories())
            for path in histories:
                self.copy(Source("shell-history", path, "shell history of this user"), order, incident)
            return bool(histories)
        from pratique.targets import live

        name = "processes" if kind == "process-table" else "sockets"
        try:
            table = live.processes(self.asked) if kind == "process-table" else live.sockets()
        except OSError as error:
            self.lack(f"live {name}", f"live:{name}", (error.strerror or "cannot be read").lower(), order, incident)
            return True
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
        return True

    def copy(self, source: Source, order: int, incident: str) -> None:
        """One file or object into the case, or the reason why not."""
        try:
            if source.blob:
                content = _object(source.path, source.blob)
                item = self._item(source, order, incident, None)
                self.kept.append(self.case.keep(item, content))
                return
            times = evidence.described(source.path)
            item = self._item(source, order, incident, times)
            if (item.source, item.modified, times.size) in self.before:
                self.known += 1
            elif times.link is not None:
                self.kept.append(self.case.keep(item, os.fsencode(times.link)))
            elif times.size > LARGEST:
                self.lack(source.what, source.path, f"holds {times.size} bytes: copy it by hand", order, incident)
            else:
                with evidence.opened(source.path) as file:
                    self.kept.append(self.case.keep(item, file))
        except Unreadable as error:
            self.lack(source.what, source.path, error.reason, order, incident)
        except OSError as error:
            reason = (error.strerror or type(error).__name__).lower()
            self.lack(source.what, source.path, reason, order, incident)

    def _item(self, source: Source, order: int, incident: str, times: evidence.Times | None) -> EvidenceItem:
        return EvidenceItem(
            what=source.what,
            source=f"{source.path}#{source.blob}" if source.blob else source.path,
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
        """Write down what is missing."""
        name = incident if isinstance(incident, str) else incident.id
        missing = MissingEvidence(what=what, source=source, reason=reason, order=order, incident=name)
        if missing not in self.missing:
            self.missing.append(missing)
            self.case.lacks(missing)

    def sources(self, sighting: SightingEntry) -> Iterator[Source]:
        """What one sighting rests on, and what lies beside it."""
        target = self.kinds.get(sighting.location.target, "")
        for identifier in sighting.observations:
            observation = self.observations.get(identifier)
            if observation is not None:
                yield from self.of_observation(observation, target)
        subject = self.subjects.get(sighting.subject)
        if subject is None or target not in (*_OF_A_MACHINE, "root"):
            return
        folder = evidence.folder_of(subject.uri)
        if subject.kind == "project":
            for name in _LOCKS:
                yield from _there(Source("lockfile", posixpath.join(folder, name), f"{name} of {_short(folder)}"))
            for name in _INSTALLED:
                yield from _there(
                    Source("hidden-lockfile", posixpath.join(folder, name), f"{name} of {_short(folder)}")
                )
        elif subject.kind in ("cache", "log"):
            yield from self.logs(posixpath.join(posixpath.dirname(folder), "_logs"))

    def of_observation(self, observation: ObservationEntry, target: str) -> Iterator[Source]:
        """The file that an observation was read from, the folder that it is about, the archive that it names."""
        location, facts = observation.location, observation.facts
        kind = _kind(observation)
        steps = [step.kind for step in location.inside]
        if target in ("git",) or steps[:1] == ["commit"]:
            step = location.inside[0] if location.inside else None
            if step is not None and step.kind == "commit" and step.id:
                repository = evidence.folder_of(location.target)
                yield Source(kind, repository, f"{step.path} in the history of {_short(repository)}", step.id)
            return
        if "layer" in steps:
            layer = next(step for step in location.inside if step.kind == "layer")
            path = evidence.path_of(location)
            self.lacking[(path, f"layer {layer.id[:19]} of {_short(path)}")] = "lies in an image: keep the image itself"
            return
        path = evidence.path_of(location)
        if os.path.isdir(path) and not os.path.islink(path):
            yield from self.folder(path, kind)
        else:
            yield Source(kind, path, f"{_words(kind)} {_short(path)}")
        if location.inside or target not in (*_OF_A_MACHINE, "root"):
            return
        base = evidence.folder_of(location.target)
        if facts.get("folder") and kind in ("manifest", "hidden-lockfile"):
            yield from self.folder(posixpath.join(base, str(facts["folder"])), "manifest")
        if facts.get("record") == "cache" and "/index-v5/" in f"/{location.path}":
            cache = path.partition("/index-v5/")[0]
            for integrity in facts.get("integrity", ()):
                content = cached_content_path(cache, str(integrity))
                if content is not None:
                    yield from _there(Source("cache-content", content, f"archive of {_release(facts)} in npm's cache"))

    def folder(self, path: str, kind: EvidenceKind) -> Iterator[Source]:
        """The files at the top of a package's folder: its manifest, and what the payload leaves or takes away."""
        if not os.path.isdir(path):
            return
        try:
            for file in evidence.files_below(path):
                yield Source(kind, file, f"{os.path.basename(file)} of {_short(path)}")
        except Unreadable as error:
            self.lacking[(path, f"files of {_short(path)}")] = error.reason

    def logs(self, folder: str) -> Iterator[Source]:
        """The debug logs that npm keeps: ten by default, the next runs remove the oldest."""
        if not os.path.isdir(folder):
            return
        try:
            for file in evidence.files_below(folder):
                yield Source("debug-log", file, f"debug log {os.path.basename(file)}")
        except Unreadable as error:
            self.lacking[(folder, "debug logs of npm")] = error.reason


def _kind(observation: ObservationEntry) -> EvidenceKind:
    facts = observation.facts
    kinds: dict[str, EvidenceKind] = {
        "trigger": "persistence",
        "content": "configuration",
        "policy": "configuration",
        "side-effect": "cache-index",
        "request": "log",
        "job": "log",
        "script": "debug-log",
        "folder": "manifest",
        "command": "debug-log",
        "range": "lockfile",
        "protection": "lockfile",
        "digest": "dropped-file",
        "presence": "dropped-file",
    }
    if observation.kind in ("component", "bundled"):
        return _RECORDS.get(str(facts.get("record", "bundle")), "other")
    if observation.kind == "command" and observation.reader == "shell-history":
        return "shell-history"
    return kinds.get(observation.kind, "other")


def _histories() -> Iterator[str]:
    from pratique.workflow.machine import places

    if machine.home() is not None:
        for place in places():
            if place.kind == "history" and os.path.isfile(place.path):
                yield place.path


def _there(source: Source) -> Iterator[Source]:
    if os.path.lexists(source.path):
        yield source


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


def _short(path: str) -> str:
    return "/".join(path.rstrip("/").split("/")[-2:])


def _words(kind: EvidenceKind) -> str:
    return kind.replace("-", " ")


def _release(facts: dict[str, Any]) -> str:
    return f"{facts.get('name', '')} {facts.get('version', '')}".strip()
