"""The kinds of targets that are opened by a plug of this room, found by looking at the folder."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

from pratique.model.ports import TargetKind


@functools.cache
def kinds() -> tuple[str, ...]:
    """The names of all kinds, in order: those of the modules that end in a TARGET."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if "\nTARGET = TargetKind(" in path.read_text(encoding="utf-8"):
            found.append(path.stem.replace("_", "-"))
    return tuple(found)


@functools.cache
def load(kind: str) -> TargetKind:
    """The plug of a kind."""
    target = importlib.import_module(f"pratique.targets.{kind.replace('-', '_')}").TARGET
    if not isinstance(target, TargetKind):
        raise TypeError(f"the TARGET of kind {kind} is no TargetKind")
    return target
