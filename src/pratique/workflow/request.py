"""What is asked of a check: targets, incidents, options."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec

from pratique.model.errors import TargetError
from pratique.model.incident import Incident
from pratique.model.ports import Door
from pratique.targets import discovery as kinds

TargetWord = Literal["directory", "file", "place", "git", "image", "ci-log", "mirror", "sbom", "root", "host"]
PREFIXES = ("git", "image", "ci-log", "mirror", "sbom", "root", "host")
"""Words that may stand before a path on the command line, with a colon."""


class TargetSpec(msgspec.Struct, frozen=True):
    """A place to examine: an absolute path, and what kind of target it is."""

    path: str
    kind: TargetWord = "directory"
    label: str = ""

    @property
    def root(self) -> str:
        """The folder that locations are relative to, or the file that is opened as a whole."""
        if self.in_units or not (self.kind == "file" or (self.door != "files" and not os.path.isdir(self.path))):
            return self.path
        return os.path.dirname(self.path)

    @property
    def file(self) -> str | None:
        """Name of the file, where one file is opened as a whole."""
        return os.path.basename(self.path) if self.root != self.path else None

    @property
    def uri(self) -> str:
        """The file URI of the root; of one trade, a disk, or opened in units, with the kind before it (`git+file:`)."""
        plain = Path(self.root).as_uri()
        return f"{self.kind}+{plain}" if self.in_units or self.mounted or self.door != "files" else plain

    @property
    def door(self) -> Door:
        """What kind of things lie there."""
        return _DOORS.get(self.kind, "files")

    @property
    def mounted(self) -> bool:
        """Whether it is the disk of another machine."""
        return self.kind == "root"

    @property
    def in_units(self) -> bool:
        """Whether a plug opens it, unit by unit, instead of a walk."""
        return self.kind in kinds.kinds()


_DOORS: dict[str, Door] = {"ci-log": "ci-log", "mirror": "mirror", "sbom": "sbom"}


class Acceptance(msgspec.Struct, frozen=True):
    """A refusal that a person looked at and accepts, by path, with a reason and perhaps an end date."""

    path: str
    reason: str
    until: datetime.date | None = None


class CheckRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to check, and how."""

    targets: tuple[TargetSpec, ...]
    incidents: tuple[Incident, ...]
    named: frozenset[str] = frozenset()
    digests: dict[str, str] = {}
    jobs: int = 1
    quick: bool = False
    deep: bool = False
    limit: int | None = None
    exclude: tuple[str, ...] = ()
    accepted: tuple[Acceptance, ...] = ()
    scope: str = ""
    not_asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shown_options: dict[str, Any] = {}
    unreachable: bool = False
    cache: bool = False
    """Whether results of earlier runs may be used and kept, in this user's cache folder."""
    resume: Path | None = None
    """A folder that keeps the results of this run as they come, and those of an earlier one that was ended."""


def specify(paths: Iterable[str]) -> list[TargetSpec]:
    """Targets out of command line words. Raises TargetError for one that does not exist or is of no known kind.

    `KIND:PATH` names the kind: `git`, `image`, `ci-log`, `mirror`, `sbom`, `root`, `host`. A path that exists with that
    very name is meant instead.
    """
    found: list[TargetSpec] = []
    for text in paths:
        head, colon, rest = text.partition(":")
        if colon and head in PREFIXES and not os.path.lexists(text):
            found += _special(head, rest, text)
            continue
        path = os.path.abspath(text)
        if not os.path.lexists(path):
            raise TargetError("does not exist", where=text, advice="Name a folder or file that exists")
        if os.path.isdir(path):
            found.append(TargetSpec(_real(path), "directory"))
        else:
            found.append(TargetSpec(path, "file"))
    return found


def _special(kind: str, path: str, text: str) -> list[TargetSpec]:
    """The targets behind a word with a kind. Raises TargetError."""
    if not path:
        raise TargetError("names no path", where=text, advice=f"Write {kind}:PATH")
    path = _real(os.path.abspath(path))
    if not os.path.lexists(path):
        raise TargetError("does not exist", where=text, advice="Name a folder or file that exists")
    word: TargetWord = kind  # type: ignore[assignment]  # one of PREFIXES
    if kind in kinds.kinds():
        return [TargetSpec(one, word) for one in kinds.load(kind).find(path)]
    if kind not in _DOORS and kind != "root":
        raise TargetError(f"targets of kind {kind!r} cannot be examined yet", where=text, advice="Name a path")
    if kind == "root" and not os.path.isdir(path):
        raise TargetError("is no folder", where=text, advice="Name the folder that the disk is mounted on")
    return [TargetSpec(path, word)]


def _real(path: str) -> str:
    """The path with its links followed, where that is the same folder.

    It is another one below `/proc/<process>/root` of a container: the text of that link is `/`, and following it as
    text would examine this machine instead.
    """
    real = os.path.realpath(path)
    try:
        return real if os.path.samefile(real, path) else path
    except OSError:
        return path
