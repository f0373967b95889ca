"""What a step answers: what it did, that it does not fit, or that the system would not do it."""

from __future__ import annotations

import msgspec


class Refused(Exception):  # noqa: N818 (it is an answer, not a failure of the program)
    """A step does not fit what is there; nothing was changed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Failed(Exception):  # noqa: N818 (the same)
    """The system would not do a step. What was there is still there."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Changed(msgspec.Struct, frozen=True):
    """What a step did."""

    before: str | None
    after: str | None
    kept: str | None
    message: str = ""


def words(error: OSError) -> str:
    """What the system says about a failure."""
    return (error.strerror or type(error).__name__).lower()
