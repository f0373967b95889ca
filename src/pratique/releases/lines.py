"""How versions of a package follow each other: what kind of step one is to another, and which came before it.

npm's versions are read as npm reads them (`pratique.ecosystems.npm.versions`), Python's by `packaging` (PEP 440).
A text that is no version has no place in the order: it is `unknown`, and never a predecessor by precedence.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from itertools import pairwise
from typing import Literal

import msgspec

from pratique.ecosystems.npm.versions import parse_version
from pratique.model.release import Dated, TransitionKind

Ecosystem = Literal["npm", "PyPI"]
WRONG_SHARE = 0.15
"""From so large a share of pairs in the wrong order a record's times are no times of publication."""
_DAY = 86_400.0


class Place(msgspec.Struct, frozen=True):
    """Where a version stands: its three numbers (more of Python's in `rank`), whether it is a pre-release, its rank.

    `epoch` is Python's; 0 for npm. `rank` sorts versions of one ecosystem.
    """

    numbers: tuple[int, int, int]
    prerelease: bool
    rank: tuple[object, ...]
    epoch: int = 0


@functools.lru_cache(maxsize=1 << 14)
def place(ecosystem: Ecosystem, version: str) -> Place | None:
    """Where a version stands in the order of its ecosystem; None where the text is no version of it."""
    if ecosystem == "npm":
        found = parse_version(version)
        if found is None:
            return None
        return Place(found.release, bool(found.prerelease), found.rank)
    from packaging.version import InvalidVersion, Version

    if len(version) > 256:
        return None
    try:
        parsed = Version(version)
    except (InvalidVersion, ValueError):  # ValueError: a number of more digits than Python converts
        return None
    numbers = (*parsed.release, 0, 0)[:3]
    return Place((numbers[0], numbers[1], numbers[2]), parsed.is_prerelease, (parsed,), parsed.epoch)


def transition_kind(ecosystem: Ecosystem, old: str | None, new: str) -> TransitionKind:
    """What kind of step leads from `old` to `new`; `first` where there is no old one.

    `prerelease`: the new one is a pre-release. From a pre-release to its release counts as what that release is:
    2.0.0-rc.1 to 2.0.0 is major. `sideways`: the same precedence under another name (build metadata, `v` before it).
    `backwards`: a lower version. `unknown`: one of both is no version.
    """
    if not old:
        return "first"
    before, after = place(ecosystem, old), place(ecosystem, new)
    if before is None or after is None:
        return "unknown"
    if before.rank == after.rank:
        return "sideways"
    if after.rank < before.rank:
        return "backwards"
    if after.prerelease:
        return "prerelease"
    if before.epoch != after.epoch or before.numbers[0] != after.numbers[0]:
        return "major"
    if before.numbers == after.numbers and before.prerelease:
        major, minor, patch = after.numbers
        return "patch" if patch else "minor" if minor or not major else "major"
    return "minor" if before.numbers[1] != after.numbers[1] else "patch"


def order_of_times(
    ecosystem: Ecosystem, history: Iterable[Dated], version: str = "", published: float | None = None
) -> tuple[int, int]:
    """How many neighbouring versions of one minor line were published in the wrong order, and of how many pairs; no
    pair in the wrong order where there are too few to doubt the times. `published` is the time of `version`.

    Mirrors state when they fetched a version: then patches follow each other in any order. Of a package that lives for
    days only, its owner could have published in any order, so that two such pairs are asked for.
    """
    dated = {one.version: one.published for one in history}
    if version:
        dated[version] = published
    lines: dict[tuple[int, ...], list[tuple[tuple[object, ...], float]]] = {}
    for text, moment in dated.items():
        here = place(ecosystem, text)
        if here is not None and not here.prerelease and moment is not None:
            lines.setdefault((here.epoch, *here.numbers[:2]), []).append((here.rank, moment))
    times = [moment for moment in dated.values() if moment is not None]
    pairs = wrong = 0
    for line in lines.values():
        line.sort(key=lambda one: one[0])
        pairs += len(line) - 1
        wrong += sum(later[1] < one[1] for one, later in pairwise(line))
    lived = (max(times) - min(times)) / _DAY if times else 0.0
    doubtful = wrong >= max(1, pairs * WRONG_SHARE) and (wrong >= 2 or lived >= 90)
    return (wrong if doubtful else 0), pairs


def earlier(
    ecosystem: Ecosystem, history: Iterable[Dated], version: str, *, published: float | None
) -> tuple[Dated, ...]:
    """The versions that were there before `version`, oldest first: by time, and where the times are none of
    publication, or none is known of `version`, those that are lower."""
    history = tuple(one for one in history if one.version != version)
    if published is None or order_of_times(ecosystem, history, version, published)[0]:
        return lower(ecosystem, history, version, timed=False)[::-1]
    found = [one for one in history if one.published is not None and one.published < published]
    return tuple(sorted(found, key=lambda one: one.published or 0.0))


def lower(
    ecosystem: Ecosystem,
    history: Iterable[Dated],
    version: str,
    *,
    published: float | None = None,
    timed: bool = True,
) -> tuple[Dated, ...]:
    """The versions below `version` that were there before it, nearest first; pre-releases among them.

    `published`, seconds since the epoch, is when `version` was; without it the history is asked. A version without a
    time is taken as one that was there. Times have no part where they are none of publication, or with `timed` false.
    """
    here = place(ecosystem, version)
    if here is None:
        return ()
    history = tuple(history)
    if published is None:
        published = next((one.published for one in history if one.version == version), None)
    if timed and published is not None and order_of_times(ecosystem, history, version, published)[0]:
        timed = False
    found = []
    for one in history:
        other = place(ecosystem, one.version)
        if other is None or one.version == version or not other.rank < here.rank:
            continue
        if timed and published is not None and one.published is not None and one.published > published:
            continue
        found.append((other.rank, one))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return tuple(one for _, one in found)


def same_line(
    ecosystem: Ecosystem,
    history: Iterable[Dated],
    version: str,
    *,
    published: float | None = None,
    timed: bool = True,
) -> tuple[Dated, ...]:
    """The versions below `version` in its own line, nearest first: the same major and minor number where there are
    any, else the same major number, else all that are lower (the release begins a line).

    A backport is so compared with what it continues, never with another major version that was published meanwhile.
    A release that is no pre-release is compared with releases alone.
    """
    here = place(ecosystem, version)
    if here is None:
        return ()
    found = lower(ecosystem, history, version, published=published, timed=timed)
    below = [(place(ecosystem, one.version), one) for one in found]
    if not here.prerelease and any(there is not None and not there.prerelease for there, _ in below):
        below = [(there, one) for there, one in below if there is not None and not there.prerelease]
    for length in (2, 1, 0):
        line = tuple(
            one
            for there, one in below
            if there is not None and (there.epoch == here.epoch or not length)
            if there.numbers[:length] == here.numbers[:length]
        )
        if line:
            return line
    return ()


def predecessors(
    ecosystem: Ecosystem, history: Iterable[Dated], version: str, *, published: float | None = None
) -> tuple[str | None, str | None]:
    """The nearest lower version of the same line, and the version that was published last before this one.

    `history` as in RegistryRecord, with or without the version itself; `published` is its time in seconds since the
    epoch. The first is a release; for a pre-release the nearest one of the same three numbers where there is one, and
    where a package has nothing but pre-releases the nearest of those. Either is None where there is none, or where no
    time that holds says what was last.
    """
    history = tuple(history)
    if published is None:
        published = next((one.published for one in history if one.version == version), None)
    dated = [
        (one.published, one.version)
        for one in history
        if one.published is not None and one.version != version and (published is None or one.published < published)
    ]
    told = published is not None and not order_of_times(ecosystem, history, version, published)[0]
    last = max(dated, default=(0.0, None), key=lambda pair: pair[0])[1] if told else None
    here = place(ecosystem, version)
    below = lower(ecosystem, history, version, published=published)
    if here is None or not below:
        return None, last
    places = [(place(ecosystem, one.version), one.version) for one in below]
    if here.prerelease:
        for there, name in places:
            if there is not None and (there.epoch, there.numbers) == (here.epoch, here.numbers):
                return name, last
    for there, name in places:
        if there is not None and not there.prerelease:
            return name, last
    return below[0].version, last
