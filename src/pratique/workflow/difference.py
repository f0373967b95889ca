"""What changed between two releases: get both, examine the step in both directions, put it in sections."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

import msgspec

from pratique.model.difference import ReleaseDifference
from pratique.model.errors import UsageError
from pratique.model.release import RegistryRecord, Release
from pratique.releases.examine import Remembered, examine
from pratique.releases.lines import transition_kind
from pratique.releases.review import reviewed


class DifferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The two releases, as references or paths; `command` is told in the report."""

    old: str
    new: str
    command: tuple[str, ...] = ()


Opening = Callable[[str], Release]


def difference(request: DifferenceRequest, opening: Opening | None = None) -> ReleaseDifference:
    """What changed from `old` to `new`. Raises UsageError and TargetError where one of them cannot be had at all."""
    open_one = opening or _opened
    before = open_one(request.old)
    try:
        after = open_one(request.new)
        try:
            return _between(before, after, request)
        finally:
            after.files.close()
    finally:
        before.files.close()


def _between(before: Release, after: Release, request: DifferenceRequest) -> ReleaseDifference:
    if before.ecosystem != after.ecosystem:
        raise UsageError(
            f"is a release of {after.ecosystem}, and {request.old} one of {before.ecosystem}",
            where=request.new,
            advice="Name two releases of one package world",
        )
    memory = Remembered()
    forth = examine(after, before, memory, clock=time.monotonic)
    back = examine(before, after, memory, clock=time.monotonic)
    kind = transition_kind(after.ecosystem, before.version or None, after.version)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    generated = now.isoformat().replace("+00:00", "Z")
    return reviewed(after, before, forth, back, kind, generated=generated, command=request.command)


def _opened(reference: str) -> Release:
    """A release that lies here."""
    from pratique.ecosystems.references import parse, release_purl
    from pratique.targets.release import open_release

    asked = parse(reference)
    if asked.ecosystem is not None:
        raise UsageError("is not had from a registry yet", where=reference, advice="Name the path of its archive")
    files = open_release(asked.path)
    world, name, version = "npm", "", ""
    shown = "folder" if files.form == "directory" else "file"
    return Release(
        release_purl(world, name, version), "npm", name, version, files, RegistryRecord(), f"{shown} {asked.path}"
    )
