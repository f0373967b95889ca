"""The published schema of `pratique.reach/1`, made from the model.

`python -m pratique.report.reach_schema` writes it below docs/reference; with `--check` it says whether it is current.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from pratique.model import credential as model
from pratique.report.schema import DIALECT, FOLDER, keep, lines

IDENTIFIER = "urn:pratique:reach:1"
PATH = FOLDER / "reach.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of the JSON form of an inventory."""
    (top,), definitions = msgspec.json.schema_components([model.ReachReport], ref_template="#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": model.SCHEMA,
        "description": "The JSON form of an inventory of credentials in reach. No field of it holds a value.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return lines(schema())


if __name__ == "__main__":
    sys.exit(keep(PATH, text(), "pratique.report.reach_schema", sys.argv[1:]))
