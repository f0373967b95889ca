"""The JSON form of a detonation: `pratique.detonation/1`."""

from __future__ import annotations

import msgspec

from pratique.model.detonation import Detonation
from pratique.report.detonation_words import complete, exit_code, level_of
from pratique.report.words import inert_json


def detonation_json(report: Detonation) -> bytes:
    """The document, with a line end. Control and format characters are escaped; its meaning is the same."""
    whole = {
        **msgspec.to_builtins(report),
        "level": level_of(report),
        "complete": complete(report),
        "exit_code": exit_code(report),
    }
    return inert_json(msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2)) + b"\n"
