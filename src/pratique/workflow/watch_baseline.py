"""The file of a baseline: read, checked, written whole."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from pratique.behaviour.baseline import Baseline, Normal, doubts, parse, written
from pratique.model.errors import ConfigurationError, UsageError


def read_baseline(path: Path) -> Baseline:
    """A baseline out of its file. Raises ConfigurationError that names file and entry."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {(error.strerror or '').lower()}", where=str(path)) from None
    except UnicodeDecodeError:
        raise ConfigurationError("is no text in UTF-8", where=str(path)) from None
    return parse(text, str(path))


def lint_baseline(path: Path) -> tuple[int, tuple[tuple[Normal, str], ...]]:
    """How many entries a baseline has, and those that a person should look at twice. Raises ConfigurationError."""
    baseline = read_baseline(path)
    return len(baseline.entries), tuple(doubts(baseline))


def write_baseline(baseline: Baseline, path: Path) -> None:
    """Write it whole or not at all. Raises UsageError where it cannot be."""
    try:
        descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(written(baseline))
            os.chmod(draft, 0o644)  # it is to be read and reviewed by a team
            os.replace(draft, path)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(draft)
            raise
    except OSError as error:
        raise UsageError(f"cannot be written: {(error.strerror or '').lower()}", where=str(path)) from None
