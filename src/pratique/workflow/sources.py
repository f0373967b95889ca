"""What a sighting rests on, on this machine's disk, and what lies beside it and is worth a copy. Nothing is opened."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.layout import cached_content_path
from pratique.model.incident import EvidenceKind
from pratique.model.ports import Unreadable
from pratique.model.report import ObservationEntry, Report, SightingEntry
from pratique.model.tables import PROCESS_FILE, SOCKET_FILE
from pratique.targets import evidence
from pratique.workflow.stored import stored

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
_OF_A_MACHINE = ("directory", "file", "place", "host")
_RAN = ("installed", "executed", "active")
_DEEPEST = 4
"""So many folders deep the files of a package are copied, those of packages in it left out."""
_UNPACKED = ("package.json", ".yarn-metadata.json")
"""Files of a cache whose folder is the package itself, unpacked."""


class Source(msgspec.Struct, frozen=True, order=True):
    """A thing to copy: a file, with `blob` an object of the repository at `path`, with `process` what it runs."""

    kind: EvidenceKind
    path: str
    what: str
    blob: str = ""
    process: int = 0

    @property
    def name(self) -> str:
        """How the case names the place."""
        if self.process:
            return f"live:process/{self.process}:{self.path}"
        return f"{self.path}#{self.blob}" if self.blob else self.path


class Sources:
    """What the sightings of a report rest on. `lacking` grows by what was to be copied and cannot be."""

    def __init__(self, report: Report, own: str) -> None:
        self.observations = {item.id: item for item in report.observations}
        self.subjects = {item.id: item for item in report.subjects}
        self.kinds = {target.uri: target.kind for target in report.targets}
        self.own = own
        self.lacking: dict[tuple[str, str], str] = {}

    def is_of_this_machine(self, sighting: SightingEntry) -> bool:
        """Whether something was unpacked or ran on this machine, so that its tables and histories are evidence."""
        target = sighting.location.target
        kind = self.kinds.get(target)
        if kind not in _OF_A_MACHINE or sighting.location.inside or (kind == "host" and target != self.own):
            return False
        subject = self.subjects.get(sighting.subject)
        return sighting.depth in _RAN or (subject is not None and subject.kind in ("install", "cache", "machine"))

    def of_sighting(self, sighting: SightingEntry) -> Iterator[Source]:
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
        if observation.kind == "process" and location.target == self.own:
            yield from _programs(facts)
        if location.path in (PROCESS_FILE, SOCKET_FILE) or facts.get("exists") is False:
            return  # the tables are copied anew, and what is not there cannot be
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
        if target not in (*_OF_A_MACHINE, "root"):
            return
        if facts.get("record") == "store":
            yield from self.of_store(observation, path)
        if location.inside:
            return
        base = evidence.folder_of(location.target)
        for file in facts.get("files", ()) if observation.kind in ("persistence", "trigger") else ():
            if (
                os.path.isabs(str(file))
                and os.path.isfile(str(file))
                and target != "root"
                and location.target == self.own
            ):
                yield Source("dropped-file", str(file), f"what {_short(path)} starts: {_short(str(file))}")
        if facts.get("folder") and kind in ("manifest", "hidden-lockfile"):
            yield from self.folder(posixpath.join(base, str(facts["folder"])), "manifest")
        if facts.get("record") == "cache" and "/index-v5/" in f"/{location.path}":
            cache = path.partition("/index-v5/")[0]
            for integrity in facts.get("integrity", ()):
                content = cached_content_path(cache, str(integrity))
                if content is not None:
                    yield from self.held(
                        Source("cache-content", content, f"archive of {_release(facts)} in npm's cache")
                    )
        elif facts.get("record") in ("cache", "store") and posixpath.basename(path) in _UNPACKED:
            yield from self.folder(posixpath.dirname(path), "cache-content")
        elif observation.reader == "pip-cache":
            yield from self.held(
                Source("cache-content", f"{path}.body", f"archive of {_release(facts)} in pip's cache")
            )
        parent = posixpath.dirname(path)
        if parent.endswith((".dist-info", ".egg-info")):
            yield from self.folder(parent, "manifest")

    def of_store(self, observation: ObservationEntry, index: str) -> Iterator[Source]:
        """The newest rows of the index of pnpm's store, and the files that a row names by their digests."""
        facts = observation.facts
        yield from _there(Source("cache-index", f"{index}-wal", f"the log of {_short(index)}"))
        if not observation.reader.startswith("pnpm-store"):
            return
        key = observation.location.inside[0].id if observation.location.inside else ""
        try:
            for number, (name, path) in enumerate(stored(index, key)):
                if number == evidence.MOST_ENTRIES:
                    raise Unreadable(f"holds more than {number} files; the others were not copied")
                yield from self.held(Source("cache-content", path, f"{name} of {_release(facts)} in pnpm's store"))
        except Unreadable as error:
            self.lacking[(index, f"files of {_release(facts)} in pnpm's store")] = error.reason

    def held(self, source: Source) -> Iterator[Source]:
        """What an index says is there; a lack where it is not."""
        if os.path.lexists(source.path):
            yield source
        else:
            self.lacking[(source.path, source.what)] = "its index names it, and it is not there"

    def folder(self, path: str, kind: EvidenceKind) -> Iterator[Source]:
        """The files of a package's folder: its manifest, its code, and what the payload leaves or takes away."""
        if not os.path.isdir(path):
            return
        try:
            for file in evidence.files_below(path, _DEEPEST, without="node_modules"):
                yield Source(kind, file, f"{file[len(path) :].strip('/')} of {_short(path)}")
        except Unreadable as error:
            self.lacking[(path, f"files of {_short(path)}")] = error.reason

    def logs(self, folder: str) -> Iterator[Source]:
        """Debug logs of a package manager: npm keeps ten, and the next runs remove the oldest."""
        if not os.path.isdir(folder):
            return
        try:
            for file in evidence.files_below(folder, 2):
                yield Source("debug-log", file, f"debug log {os.path.basename(file)}")
        except Unreadable as error:
            self.lacking[(folder, f"debug logs in {_short(folder)}")] = error.reason


def _kind(observation: ObservationEntry) -> EvidenceKind:
    facts = observation.facts
    kinds: dict[str, EvidenceKind] = {
        "trigger": "persistence",
        "persistence": "persistence",
        "runner": "configuration",
        "resolver": "log",
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


def _programs(facts: dict[str, Any]) -> Iterator[Source]:
    """What a process runs: its program, also where its file was removed, and its script."""
    executable, number = facts.get("executable"), facts.get("process")
    if isinstance(executable, str) and os.path.isabs(executable) and isinstance(number, int):
        what = f"program of process {number}: {_short(executable)}"
        if facts.get("deleted"):
            yield Source("dropped-file", executable, f"{what}, whose file was removed", process=number)
        elif not facts.get("script"):  # an interpreter is no evidence, what it runs is
            yield Source("dropped-file", executable, what)
    script = facts.get("script")
    if isinstance(script, str) and os.path.isfile(
        place := posixpath.join(str(facts.get("working_directory", "")), script)
    ):
        yield Source("dropped-file", place, f"script of process {number}: {_short(place)}")


def _there(source: Source) -> Iterator[Source]:
    if os.path.lexists(source.path):
        yield source


def _short(path: str) -> str:
    return "/".join(path.rstrip("/").split("/")[-2:])


def _words(kind: EvidenceKind) -> str:
    return kind.replace("-", " ")


def _release(facts: dict[str, Any]) -> str:
    return f"{facts.get('name', '')} {facts.get('version', '')}".strip()
