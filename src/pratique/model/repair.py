"""What a lockfile repair is asked, and what it gives: the shape that every codec of a lockfile shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

import msgspec

PARTIAL = "_partial"
"""A field of a manifest that no registry has: the one kind of lockfile that the record is enough for, by codec."""
PYTHON = "PyPI"
"""Its value in a record that an index of Python packages gave: no lockfile of npm's world takes it."""


class LockedRelease(msgspec.Struct, frozen=True, kw_only=True):
    """A known good release, as much of its registry record as a lockfile needs."""

    name: str
    version: str
    manifest: Mapping[str, Any]
    """The release's manifest as the registry serves it: `dependencies`, `bin`, `engines`, `dist` and so on.

    For Yarn 2 and later `checksums` may hold the digest of Yarn's own archive by `cacheKey`, of PyPI `files`, as an
    index states them (`filename`, `url`, `hashes`, `size`, `upload-time`), `requires_dist` and `requires_python`.
    """
    integrity: str | None = None
    """Subresource Integrity string."""
    sha1: str | None = None
    tarball: str | None = None
    """Address of its archive as the registry states it, without user info."""
    source: Literal["registry", "git-history", "cache", "file"] = "registry"


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """One package that must not stay at listed versions."""

    name: str
    bad: frozenset[str]
    good: tuple[str, ...] = ()
    """Known good versions, best first; empty: the package must go altogether (a payload)."""
    ecosystem: str = "npm"


class Change(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One entry of a lockfile that was changed."""

    entry: str
    """The entry as the file spells it: `node_modules/axios`, `axios@^1.14.0`."""
    was: str
    """The version it had."""
    now: str | None = None
    """The version it has; None: the entry is gone."""
    why: str = ""


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """The new bytes of a lockfile. Nothing but the entries in `changes`, and what depends on their names, differs."""

    content: bytes
    changes: tuple[Change, ...]
    release_of: tuple[tuple[str, str, str], ...] = ()
    """Name, version and source of each release that was put in."""


class Unrepairable(msgspec.Struct, frozen=True):
    """Why a lockfile cannot be repaired without resolving anew, in words for a person."""

    reason: str


Releases = Callable[[str, str], LockedRelease | None]
"""Name and version to the release's record; None where nothing at hand knows it."""


class Repair(Protocol):
    """A codec: pure, total; `content` is never changed where `Unrepairable` is given. Bytes outside the changed
    entries stay as they are, line ends and indentation too. Nothing to correct gives `Repaired` without changes."""

    def __call__(
        self, content: bytes, corrections: tuple[Correction, ...], releases: Releases
    ) -> Repaired | Unrepairable: ...


class LockCodec(msgspec.Struct, frozen=True, kw_only=True):
    """What a codec declares: its module in `ecosystems/<world>/locks/` ends in `CODEC = LockCodec(...)`."""

    name: str
    basenames: tuple[str, ...]
    managers: tuple[str, ...]
    """Package managers that read it: `npm`, `pnpm`, `yarn`, `bun`, `pip`, `uv`, `poetry`, `pdm`."""
    ecosystem: str
    repair: Repair
    pattern: str = ""
    """A regular expression for further basenames, with as many folders before them as it holds `/`; empty: none."""
