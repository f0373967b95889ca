"""A package as its registry has it over time, and what a package manager picks of it at one moment.

Times are seconds since the epoch. A registry document tells when a version was published and where tags point now; an
incident tells when a listed version was there and which tags it held. Both are laid out in the same form.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

FOREVER = math.inf


class Release(msgspec.Struct, frozen=True):
    """One version. `published` None: no time is stated; not a number: what is stated is no time.

    It can be had from `appeared` (its publication where None) until `removed`. `files` of a Python release hold the
    upload times of each file. `shelf` is where a document keeps it beside the versions proper.
    """

    version: str
    published: float | None = None
    removed: float | None = None
    appeared: float | None = None
    deprecated: bool = False
    yanked: bool = False
    node: str | None = None
    npm: str | None = None
    python: str | None = None
    shelf: Literal["", "staged", "restricted"] = ""

    def live(self, at: float) -> bool:
        """Whether the registry serves it at a moment. Without a time it always was there."""
        since = self.appeared if self.appeared is not None else self.published
        return (since is None or not since > at) and (self.removed is None or at < self.removed)


class Tag(msgspec.Struct, frozen=True):
    """Where a tag points from a moment until another."""

    name: str
    version: str
    since: float = -FOREVER
    until: float = FOREVER


class Package(msgspec.Struct, frozen=True):
    """A package over time. Where several spans of a tag hold at a moment the last one counts.

    `timed`: whether the document states times at all.
    """

    name: str
    releases: tuple[Release, ...]
    tags: tuple[Tag, ...] = ()
    timed: bool = True

    def tagged(self, at: float) -> dict[str, str]:
        """Where each tag points at a moment."""
        return {tag.name: tag.version for tag in self.tags if tag.since <= at < tag.until}

    def changes(self, start: float, end: float) -> list[float]:
        """The moments in `start <= moment < end` at which something appears, disappears or is tagged; with `start`."""
        moments = {start}
        for release in self.releases:
            for moment in (release.published, release.appeared, release.removed):
                if moment is not None and start <= moment < end:
                    moments.add(moment)
        for tag in self.tags:
            moments.update(moment for moment in (tag.since, tag.until) if start <= moment < end)
        return sorted(moments)


class Document(msgspec.Struct, frozen=True):
    """A document: the package, when it was last changed, and releases it remembers without holding them."""

    package: Package
    modified: float | None = None
    gone: tuple[Release, ...] = ()


class Gate(msgspec.Struct, frozen=True):
    """A cooldown at one moment: releases published after `cut` are kept out.

    `free` are versions that the setting exempts; `strict`: where nothing is old enough the manager stops (pnpm).
    `ignore_missing`: a document without times is taken as it is (pnpm).
    """

    cut: float
    free: frozenset[str] = frozenset()
    strict: bool = True
    ignore_missing: bool = False


Rule = Literal[
    "exact",  # the request names one version
    "tag",  # the request is a tag
    "latest",  # the tag `latest` points to a version that the range admits
    "highest",  # the highest version that the range admits
    "lowest",  # the lowest version that the range admits
    "nothing",  # no version that the request admits can be had
    "refused",  # a cooldown keeps out every version that the request admits
    "policy",  # the registry refuses the version that would be picked
]


class Pick(msgspec.Struct, frozen=True):
    """What a manager takes, by which rule; `version` None where it stops.

    `held_back` is what it would have taken without the cooldown, where that is another version.
    """

    version: str | None
    rule: Rule
    held_back: str | None = None
