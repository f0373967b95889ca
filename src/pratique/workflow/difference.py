"""`diff`: what changed between two releases: get both, examine the step in both directions, put it in sections."""

from __future__ import annotations

import os
import time

import msgspec

from pratique.adapters import clock
from pratique.adapters.packages import kept as packages
from pratique.adapters.packages.kept import Kept
from pratique.ecosystems.references import Reference, parse, release_purl
from pratique.model.difference import ReleaseDifference
from pratique.model.errors import TargetError, UsageError
from pratique.model.release import Release
from pratique.releases.examine import examine
from pratique.releases.lines import transition_kind
from pratique.releases.review import reviewed
from pratique.targets.release import open_release
from pratique.workflow import remembered
from pratique.workflow.acquire import Acquirer, NotHad
from pratique.workflow.identity import identity
from pratique.workflow.inspect import need_extra
from pratique.workflow.listings import no_record
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.transition import Asking, Examiner

_ADVICE = "Name the path of its archive, or a folder that holds it with --from"


class DifferenceRequest(msgspec.Struct, frozen=True, kw_only=True):
    """The two releases as a person writes them: references or paths. `folders` hold archives; `offline`: fetch nothing.

    `at`: seconds since the epoch, for ranges and tags; `command` is told in the report.
    """

    old: str
    new: str
    folders: tuple[str, ...] = ()
    offline: bool = False
    at: float | None = None
    command: tuple[str, ...] = ()
    remember: bool = True


def difference(request: DifferenceRequest) -> ReleaseDifference:
    """What changed from `old` to `new`. Nothing of a release is executed; a path touches no network.

    Raises UsageError for references that are none or do not fit, TargetError where a release cannot be had at all.
    """
    need_extra()
    old, new = parse(request.old), parse(request.new)
    for folder in request.folders:
        if not os.path.isdir(folder):
            raise UsageError("is no folder", where=f"--from {folder}", advice="Name a folder that holds archives")
    kept = Kept(packages.default_folder() if request.remember else None)
    with Surroundings(folders=request.folders, online=not request.offline, kept=kept) as around:
        opening = _Opening(Acquirer(around), request.at)
        after = opening.release(new, None)
        try:
            before = opening.release(old, after)
            try:
                return _between(before, after, request)
            finally:
                before.files.close()
        finally:
            after.files.close()


class _Opening:
    """Opens releases by reference."""

    def __init__(self, acquirer: Acquirer, at: float | None) -> None:
        self.acquirer = acquirer
        self.examiner = Examiner(acquirer, Asking(at=at))

    def release(self, reference: Reference, like: Release | None) -> Release:
        """A release, opened; of a Python project the archive whose form is that of `like`. Raises TargetError."""
        if reference.ecosystem is None:
            return self._path(reference.path)
        try:
            name, version, listing = self.examiner.resolved(reference)
            found = self.acquirer.open(reference.ecosystem, name, version, listing)
        except NotHad as error:
            raise TargetError(str(error), where=reference.text, advice=_ADVICE) from None
        form = like.files.form if like is not None else None
        chosen = next((got for got in found if got.release.files.form == form), found[0])
        for got in found:
            if got is not chosen:
                got.close()
        return chosen.release

    def _path(self, path: str) -> Release:
        files = open_release(path)
        own = identity(files, path)
        shown = "folder" if files.form == "directory" else "file"
        purl = release_purl(own.ecosystem, own.name or os.path.basename(path.rstrip("/")), own.version)
        record = no_record("the release was given as a file")
        return Release(purl, own.ecosystem, own.name, own.version, files, record, f"{shown} {path}")


def _between(before: Release, after: Release, request: DifferenceRequest) -> ReleaseDifference:
    if before.ecosystem != after.ecosystem:
        raise UsageError(
            f"is a release of {after.ecosystem}, and {request.old} one of {before.ecosystem}",
            where=request.new,
            advice="Name two releases of one package world",
        )
    memory = remembered.Memory(remembered.store() if request.remember else None, before.files, after.files)
    forth = examine(after, before, memory, clock=time.monotonic)
    back = examine(before, after, memory, clock=time.monotonic)
    memory.save()
    kind = transition_kind(after.ecosystem, before.version or None, after.version)
    return reviewed(*(after, before, forth, back, kind), generated=clock.iso(clock.now()), command=request.command)
