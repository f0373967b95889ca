"""The seams: what a reader gets, what it declares, what a target hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Literal

import msgspec

from pratique.model.location import Location, locate
from pratique.model.observation import Observation, Refusal, Time

MEBIBYTE = 1 << 20
DEFAULT_LIMIT = 64 * MEBIBYTE


class Unreadable(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """Raised by an artifact's `content` when its bytes cannot be had; the sweep turns it into a refusal."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Interest(msgspec.Struct, frozen=True):
    """What the incidents at hand ask about, without any incident in it.

    `names` maps an ecosystem to the package names of interest; with `everything` a reader drops nothing.
    """

    names: Mapping[str, frozenset[str]]
    everything: bool = False

    def wanted(self, ecosystem: str) -> frozenset[str] | Everything:
        """A container for `name in ...` tests: the names of interest, or one that holds every name."""
        return EVERYTHING if self.everything else self.names.get(ecosystem, frozenset())


class Everything:
    """A container that holds every name."""

    def __contains__(self, name: object) -> bool:
        return True


EVERYTHING = Everything()


class Artifact(msgspec.Struct):
    """Bytes with a location: what a target hands to a reader.

    `path` is relative to the target, as the operating system gave it; `modified` is nanoseconds since the epoch, None
    where unknown. `content()` gives the bytes up to the reader's limit; `companion(suffix)` those of the file whose
    name is this one's and the suffix, None where there is none. Both raise Unreadable.
    """

    target: str
    path: str
    content: Callable[[], bytes]
    modified: Callable[[], int | None]
    companion: Callable[[str], bytes | None]

    def location(self, line: int | None = None) -> Location:
        """The location of this artifact, or of one of its lines."""
        return locate(self.target, self.path, line=line)

    def modified_time(self, meaning: str) -> tuple[Time, ...]:
        """The file's modification time as evidence of `meaning`; empty where unknown or a constant of packers."""
        modified = self.modified()
        if modified is None or modified <= _PACKED_BEFORE:
            return ()
        return (Time(meaning, iso_time(modified / 1e9), "file modification time"),)


_PACKED_BEFORE = 1_000_000_000 * 1_000_000_000
"""Archives are packed with constant times of 1970, 1984 and 1985; anything before 2001 says nothing."""


def iso_time(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with milliseconds. Raises ValueError or OverflowError if absurd."""
    import datetime

    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Read = Callable[[Artifact, Interest], Iterator[Observation | Refusal]]


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What a plug declares.

    A file is claimed by exact basename, by suffix of its basename (`suffixes`, tested only inside folders marked by
    `folders` where those are given), or by lying below a folder marker: a tuple of trailing folder names such as
    `("_cacache", "index-v5")`. A reader with `folders` claims files below such a folder only.

    `lock` marks formats whose refusal always is relevant (lockfile, cache index, log, state); the refusal of others
    is relevant only where `relevant(path, interest)` says so.
    """

    name: str
    ecosystem: str
    read: Read
    basenames: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    """With `suffixes`: the basename must also start with one of these."""
    suffixes: tuple[str, ...] = ()
    folders: tuple[tuple[str, ...], ...] = ()
    limit: int = DEFAULT_LIMIT
    subject: Literal["project", "install", "cache", "log", "machine"] = "project"
    relevance: Literal["always", "named-folder", "never"] = "always"
    resolves: bool = True
    """Whether a whole file shows what the ranges of its project resolved to; files of settings do not."""
    content: Literal["bytes", "name"] = "bytes"
    """`name`: the reader looks at the path first and asks for the bytes only where it must."""
