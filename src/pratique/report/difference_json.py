"""The JSON form of what changed between two releases: `pratique.difference/1`."""

from __future__ import annotations

import msgspec

from pratique.model.difference import ReleaseDifference
from pratique.report.difference_words import exit_code
from pratique.report.words import inert_json


def difference_json(difference: ReleaseDifference) -> bytes:
    """The document, with a line end. Control and format characters are escaped; its meaning is the same."""
    whole = {"complete": difference.complete, "exit_code": exit_code(difference)} | msgspec.to_builtins(difference)
    return inert_json(msgspec.json.format(msgspec.json.encode(whole, order="deterministic"), indent=2)) + b"\n"
