"""How far a bad release got: an ordered scale, each step with its own kind of proof."""

from __future__ import annotations

import enum


class Depth(enum.StrEnum):
    """declared < resolved < fetched < installed < executed < active."""

    DECLARED = "declared"
    """A project's own manifest asks for exactly the bad version."""
    RESOLVED = "resolved"
    """A lockfile names the bad version; nothing shows that its bytes arrived."""
    FETCHED = "fetched"
    """Its bytes are, or were, in a cache or store, or a log shows the download."""
    INSTALLED = "installed"
    """It is, or is recorded as, unpacked where code can load it."""
    EXECUTED = "executed"
    """A record shows that its code ran."""
    ACTIVE = "active"
    """What it left behind is running or set to run."""

    @property
    def rank(self) -> int:
        """Position on the scale, 0 for declared."""
        return _RANK[self]


_RANK = {depth: rank for rank, depth in enumerate(Depth)}


class Confidence(enum.StrEnum):
    """How well a statement is supported."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        """Position on the scale, 0 for low."""
        return _CONFIDENCE_RANK[self]


_CONFIDENCE_RANK = {confidence: rank for rank, confidence in enumerate(Confidence)}
