"""The published schema of `pratique.detonation/1`, made from the model.

`python -m pratique.report.detonation_schema` writes it below docs/reference; with `--check` it says whether it is
current.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from pratique.model import detonation as model
from pratique.report.detonation_words import LEVELS
from pratique.report.schema import DIALECT, FOLDER, keep, lines

IDENTIFIER = "urn:pratique:detonation:1"
PATH = FOLDER / "detonation.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of the JSON form of a detonation."""
    (top,), definitions = msgspec.json.schema_components([model.Detonation], ref_template="#/$defs/{name}")
    report = definitions["Detonation"]
    report["properties"] |= {
        "level": {"enum": list(LEVELS), "description": "The highest level of all runs."},
        "complete": {"type": "boolean", "description": "Whether every run and step came to a good end."},
        "exit_code": {"enum": [0, 4, 12, 13]},
    }
    report["required"] = sorted({*report["required"], "level", "complete", "exit_code"})
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": model.DETONATION_SCHEMA,
        "description": "The JSON form of what `pratique detonate` saw of releases.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return lines(schema())


if __name__ == "__main__":
    sys.exit(keep(PATH, text(), "pratique.report.detonation_schema", sys.argv[1:]))
