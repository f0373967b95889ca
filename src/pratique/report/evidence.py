"""What a report's sightings rest on, as places to copy before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote

import msgspec

from pratique.model.location import Inside, Location
from pratique.model.report import ObservationEntry, Report
from pratique.report.summary import Answer
from pratique.report.words import printable

CLASSES = (
    ("logs", "Package manager logs", "managers keep only the last few; the next command may remove them"),
    ("records", "Install records", "hidden lockfiles and state files; the next install rewrites them"),
    ("folders", "Package folders", "their state shows whether the code ran; a reinstall replaces them"),
    ("caches", "Caches and stores", "they may hold the archive itself; clean-up commands empty them"),
    ("locks", "Lockfiles and manifests", "with their history, they show what was resolved and when"),
    ("others", "Other places", "named by an observation"),
)
"""Kinds of evidence, most volatile first: key, heading, and why it comes here."""
_BY_RECORD = {
    "log": "logs",
    "installed-record": "records",
    "manifest": "folders",
    "folder-name": "folders",
    "cache": "caches",
    "store": "caches",
    "lock": "locks",
}
_BY_KIND = {
    "script": "logs",
    "command": "logs",
    "side-effect": "caches",
    "folder": "folders",
    "presence": "caches",
    "digest": "others",
    "range": "locks",
    "protection": "locks",
}


class Places(msgspec.Struct, frozen=True):
    """One kind of evidence and its places."""

    heading: str
    why: str
    paths: list[str]
    left_out: int = 0


def evidence(report: Report, found: Answer, most: int) -> list[Places]:
    """Places that the sightings of affected and undecided subjects rest on, most volatile first."""
    named: dict[str, None] = {}
    for chapter in (*found.affected, *found.unclear):
        for verdict in chapter.verdicts:
            for key in verdict.sightings:
                if key in found.sightings:
                    named.update(dict.fromkeys(found.sightings[key].observations))
    observations = {item.id: item for item in report.observations}
    classes: dict[str, dict[str, None]] = {}
    for item in (observations[key] for key in named if key in observations):
        classes.setdefault(_kind(item), {})[full_path(item.location)] = None
    places = []
    for key, heading, why in CLASSES:
        paths = sorted(_outermost(classes.get(key, ())) if key == "folders" else classes.get(key, ()))
        if paths:
            places.append(Places(heading, why, paths[:most], max(len(paths) - most, 0)))
    return places


def _kind(item: ObservationEntry) -> str:
    record = item.facts.get("record")
    if isinstance(record, str) and record in _BY_RECORD:
        return _BY_RECORD[record]
    return _BY_KIND.get(item.kind, "others")


def _outermost(paths: Iterable[str]) -> list[str]:
    """A package folder stands for the files in it."""
    return list(dict.fromkeys(path.removesuffix("/package.json") for path in paths))


def full_path(location: Location) -> str:
    """The absolute path of a location, with the way into a container where it lies in one; inert."""
    target = location.target
    kind, found, rest = target.partition("file://")
    if found and (not kind or kind.endswith("+")):
        target = unquote(rest)
    path = target.rstrip("/") if location.path in ("", ".") else f"{target.rstrip('/')}/{location.path}"
    return printable(path or "/") + inside(location)


def short_path(location: Location) -> str:
    """The path of a location relative to its target, with line and way into a container; inert."""
    line = f":{location.line}" if location.line is not None else ""
    return printable(location.path) + inside(location) + line


def inside(location: Location) -> str:
    """The way into a container, as words; a layer and what a commit holds by the first digits of their digests."""
    return "".join(f" » {printable(_named(step))}" for step in location.inside)


def _named(step: Inside) -> str:
    if step.kind == "layer":
        return f"layer {step.id.removeprefix('sha256:')[:12]}"
    if step.kind == "commit":
        return f"blob {step.id[:12]}"
    return f"{step.kind} {step.path or step.id}"
