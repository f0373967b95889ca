"""What an observation or refusal is about: the project, cache, store, log or machine that a verdict is given for."""

from __future__ import annotations

import re

from pratique.ecosystems.grammar import canonical_name
from pratique.ecosystems.npm.layout import owned_by
from pratique.ecosystems.places import cache_root, in_cache, owner_of, project_of
from pratique.model.location import Inside, Location
from pratique.model.observation import ComponentFact, Observation, Refusal, ScriptFact
from pratique.model.verdict import Subject, SubjectKind

_BILLS = "sbom+"
"""Targets of which each file is about a project of its own."""
_RUNS = "ci-log+"
"""Targets of logs: each archive or file is one run."""

_DISKS = "root+"
"""Targets that are the disk of another machine, with several users."""

_HOME = re.compile(
    r"(?P<home>(?:.*?/)??(?:home/[^/]+|root|Users/[^/]+|Documents and Settings/[^/]+|(?:private/)?var/root))/",
    re.IGNORECASE,
)


def uri_of(target: str, path: str) -> str:
    """The URI of a path in a target, without a trailing slash."""
    return f"{target.rstrip('/')}/{path}".rstrip("/")


def settled_name(ecosystem: str, name: str) -> str:
    """The name under which a package counts as resolved: packages of two worlds may be named alike."""
    return name if ecosystem == "npm" else f"{ecosystem}:{canonical_name(ecosystem, name)}"


def scope_of(location: Location) -> tuple[str, tuple[Inside, ...]] | None:
    """Which file tree a location lies in: that of the target, of an archive, of a layer; None for a git history.

    Facts about one package folder belong together only within one scope.
    """
    if not location.inside or location.inside[-1].kind == "store":
        return "", ()
    if location.inside[0].kind == "commit":
        return None
    last = location.inside[-1]
    outer = location.path if any(step.kind == "member" for step in location.inside) else ""
    return outer, (*(_bare(step) for step in location.inside[:-1]), Inside(last.kind, last.id, ""))


def _bare(step: Inside) -> Inside:
    return Inside(step.kind, step.id, "") if step.kind == "layer" else step


def folder_of(location: Location) -> str:
    """The folder that owns what lies at a location, relative to its target and without a trailing slash.

    What lies in an archive is owned by a folder in there: `<archive>!/<folder>`, so that it settles nothing outside. A
    layer or commit only says when; its folders are those of the target.
    """
    members = [step.path for step in location.inside if step.kind == "member"]
    if not members:
        return project_of(location.path).rstrip("/")
    return "!/".join([location.path, *members[:-1], project_of(members[-1])]).rstrip("/")


def subject_at(target: str, path: str, kind: SubjectKind) -> Subject:
    """The subject that a path belongs to."""
    if kind == "cache":
        return Subject("cache", uri_of(target, cache_root(path)))
    if kind == "log":
        return Subject("log", uri_of(target, path.rpartition("/")[0]))
    if kind == "machine":
        home = _HOME.match(path) if target.startswith(_DISKS) else None
        return Subject("machine", uri_of(target, home["home"]) if home else target)
    folder, install = owner_of(path)
    return Subject("install" if install and kind == "project" else kind, uri_of(target, folder))


def subject_of(observation: Observation, kinds: dict[str, SubjectKind], targets: dict[str, str]) -> Subject:
    """The subject of an observation.

    `kinds` maps a reader to the kind of subject that it is about, `targets` a target's URI to its absolute path: a
    log line about a run in a folder inside a target belongs to that project.
    """
    location = observation.location
    fact = observation.facts
    if location.target.startswith(_BILLS):
        return Subject("project", uri_of(location.target, location.path))
    if location.target.startswith(_RUNS):
        return Subject("log", uri_of(location.target, location.path))
    if isinstance(fact, ScriptFact) and fact.working_directory:
        if location.target.startswith(_DISKS):
            return _on_disk(fact.working_directory, location)
        project = _project_at(fact.working_directory, targets)
        if project is not None:
            return project
    if isinstance(fact, ComponentFact) and fact.record in ("cache", "store"):
        return subject_at(location.target, location.path, "cache")
    if isinstance(fact, ComponentFact) and fact.record == "archive" and in_cache(location.path):
        return subject_at(location.target, location.path, "cache")
    owned = owned_by(observation.reader, location.path)
    if owned is not None:
        return Subject("project", uri_of(location.target, owned))
    kind = kinds.get(observation.reader, "project")
    return subject_at(location.target, location.path, kind)


def subject_of_refusal(refusal: Refusal, kinds: dict[str, SubjectKind]) -> Subject:
    """The subject of a refusal."""
    owned = owned_by(refusal.reader, refusal.path)
    if owned is not None:
        return Subject("project", uri_of(refusal.target, owned))
    if refusal.target.startswith(_BILLS) and refusal.path != ".":
        return Subject("project", uri_of(refusal.target, refusal.path))
    if refusal.target.startswith(_RUNS):
        return Subject("log", uri_of(refusal.target, "" if refusal.path == "." else refusal.path))
    kind = kinds.get(refusal.reader, "project")
    return subject_at(refusal.target, refusal.path, kind)


def _on_disk(directory: str, location: Location) -> Subject:
    """The project in a folder that a log on the disk of another machine names as that machine does."""
    plain = re.sub(r"^[A-Za-z]:", "", directory).replace("\\", "/").strip("/")
    top = plain.partition("/")[0].casefold()
    base = f"/{location.path}".casefold().find(f"/{top}/") if top else 0
    return Subject("project", uri_of(location.target, location.path[: max(base, 0)] + plain))


def _project_at(directory: str, targets: dict[str, str]) -> Subject | None:
    """The project in a folder named by a log, if that folder lies in a target."""
    plain = directory.replace("\\", "/").rstrip("/")
    for uri, root in sorted(targets.items()):
        base = root.replace("\\", "/").rstrip("/")
        if plain == base or plain.startswith(f"{base}/"):
            return Subject("project", uri_of(uri, plain[len(base) + 1 :]))
    return None


def line_of(location: Location) -> str:
    """A location for people: path and line."""
    return f"{location.path}:{location.line}" if location.line else location.path
