"""Facts of files by the digest of their bytes, so that the same bytes are never read twice."""

from __future__ import annotations

from typing import Protocol

from pratique.model.observation import Refusal
from pratique.model.release import Fact

Found = tuple[Fact | Refusal, ...]


class Memory(Protocol):
    """Facts of files by their digest, so that the same bytes are never read twice.

    `kind` holds the kind of the file, what was asked of it and its name: a fact may depend on these and on the bytes
    alone. The paths in what is kept are those of the file that was read first.
    """

    def get(self, sha256: str, kind: str) -> Found | None:
        """What is known, None where nothing is."""
        ...

    def put(self, sha256: str, kind: str, found: Found) -> None:
        """Keep what was found."""
        ...


class Remembered:
    """A memory that lasts as long as the process."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Found] = {}

    def get(self, sha256: str, kind: str) -> Found | None:
        """What is known, None where nothing is."""
        return self._kept.get((sha256, kind))

    def put(self, sha256: str, kind: str, found: Found) -> None:
        """Keep what was found."""
        self._kept[sha256, kind] = found
