"""Errors that a user can mend. Each says what, where, and what to do.

PratiqueError
|- UsageError            a wrong option or argument
|- IncidentError         an incident definition that cannot be used
|- TargetError           a target that does not exist or cannot be opened at all
|- ConfigurationError    a configuration file that cannot be used
|- CaseError             a case that is damaged, in use, or cannot be written
+- PlanError             a plan that cannot be used, or no longer fits what is there
"""

from __future__ import annotations


class PratiqueError(Exception):
    """Base of every error that is shown to a person without a traceback."""

    def __init__(self, what: str, *, where: str | None = None, advice: str | None = None) -> None:
        self.what = what
        self.where = where
        self.advice = advice
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return _inert(f"{text}. {self.advice}" if self.advice else text)


def _inert(text: str) -> str:
    """Text in which control and format characters are spelled: an error may quote a list or a path from elsewhere."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape", "replace").decode()
        for char in text
    )


class UsageError(PratiqueError):
    """A wrong option or argument."""


class IncidentError(PratiqueError):
    """An incident definition that cannot be used: names file, key and reason."""


class TargetError(PratiqueError):
    """A target that does not exist or cannot be opened at all."""


class ConfigurationError(PratiqueError):
    """A configuration file that cannot be used."""


class CaseError(PratiqueError):
    """A case that is damaged, in use by another process, or cannot be written."""


class PlanError(PratiqueError):
    """A plan that cannot be used, or that no longer fits what is there."""
