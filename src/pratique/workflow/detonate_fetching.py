"""Have everything at hand before a suspect runs: the releases that were named and what they depend on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

from pratique.adapters.packages import kept as archives
from pratique.ecosystems.references import parse
from pratique.ecosystems.requirements_of import Wanted
from pratique.model.errors import TargetError, UsageError
from pratique.workflow.acquire import Acquirer, Got
from pratique.workflow.detonate_packages import Package, World, package
from pratique.workflow.documents import NotHad
from pratique.workflow.surroundings import Surroundings
from pratique.workflow.transition import Asking, Examiner, platform_of

MOST_DEPENDENCIES = 300
MOST_BYTES = 400 << 20
SECONDS = 300.0
"""So many dependencies are had, with so many bytes, in so many seconds; others get empty packages in their place."""


class Fetched:
    """What is at hand: `named` are the releases that were asked for, `others` what they depend on."""

    def __init__(self) -> None:
        self.named: list[Package] = []
        self.others: list[Package] = []
        self.gaps: list[str] = []

    @property
    def all(self) -> list[Package]:
        """Every archive, those that were named first."""
        return [*self.named, *self.others]


def fetched(references: Sequence[str], folders: tuple[str, ...], *, offline: bool, online: bool) -> Fetched:
    """The archives of what was named. Dependencies are had for releases of a registry; `online`: for paths too.

    Raises UsageError where one cannot be had, TargetError for a path where no release lies.
    """
    found = Fetched()
    kept = archives.Kept(archives.default_folder())
    with Surroundings(folders=folders, online=not offline, kept=kept) as around:
        examiner = Examiner(Acquirer(around), Asking(against="none"))
        follow: list[Package] = []
        for text in references:
            reference = parse(text)
            if reference.ecosystem is None:
                found.named.append(package(reference.path))
                follow += found.named[-1:] if online or folders else []
                continue
            try:
                name, version, listing = examiner.resolved(reference)
                found.named.append(_opened(examiner.acquirer.open(reference.ecosystem, name, version, listing), found))
            except NotHad as error:
                raise UsageError(f"cannot be had: {error}", where=text, advice="Name the path of its archive") from None
            follow.append(found.named[-1])
        _dependencies(examiner, follow, found)
    return found


def _opened(got: Sequence[Got], found: Fetched) -> Package:
    """The first archive of what was had, with what is to be said about it."""
    for one in got:
        one.close()
    found.gaps += [f"{one.path} {one.reason}" for one in got[0].refusals if one.relevant]
    held = got[0].held
    assert held is not None  # whatever was opened lies somewhere
    return package(held.path, copy=held.copy)


def _dependencies(examiner: Examiner, follow: Sequence[Package], found: Fetched) -> None:
    """What packages ask for, and what that asks for, as a client would pick it now."""
    end = time.monotonic() + SECONDS
    names = {(one.name, one.version) for one in found.named}
    own = {one.name for one in found.named}
    size = 0
    waiting = deque((one.ecosystem, wanted) for one in follow for wanted in one.wants.values())
    asked: set[tuple[str, str]] = set()
    while waiting:
        world, wanted = waiting.popleft()
        if (wanted.name, wanted.range) in asked or wanted.name in own:
            continue
        asked.add((wanted.name, wanted.range))
        if len(found.others) >= MOST_DEPENDENCIES or size > MOST_BYTES or time.monotonic() > end:
            found.gaps.append(f"{len(waiting) + 1} further dependencies were not fetched: there were too many")
            return
        one = _dependency(examiner, world, wanted, names, found)
        if one is not None:
            names.add((one.name, one.version))
            size += len(one.content)
            found.others.append(one)
            waiting += ((world, inner) for inner in one.wants.values())


def _dependency(
    examiner: Examiner, world: World, wanted: Wanted, names: set[tuple[str, str]], found: Fetched
) -> Package | None:
    """One dependency; None where it is at hand, is for another machine, or cannot be had: that is told elsewhere."""
    try:
        listing = examiner.acquirer.listing(world, wanted.name)
        version, _ = listing.picked(wanted.range, None, time.time())
        if version is None or (wanted.name, version) in names or platform_of(listing, version):
            return None
        return _opened(examiner.acquirer.open(world, wanted.name, version, listing), found)
    except (NotHad, TargetError):
        return None
