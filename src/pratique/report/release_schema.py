"""The published schema of `pratique.release/1`, made from the model.

`python -m pratique.report.release_schema` writes it below docs/reference; with `--check` it says whether it is current.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from pratique.model import release as model
from pratique.report.schema import DIALECT, FOLDER, keep, lines

IDENTIFIER = "urn:pratique:release:1"
PATH = FOLDER / "release.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of the JSON form of a judgement of releases."""
    (top,), definitions = msgspec.json.schema_components([model.ReleaseReport], ref_template="#/$defs/{name}")
    report = definitions["ReleaseReport"]
    report["properties"] |= {
        "level": {"enum": list(model.LEVELS), "description": "The highest level of all inspections."},
        "complete": {"type": "boolean", "description": "Whether everything relevant was examined."},
        "exit_code": {"enum": [0, 4, 12, 13]},
    }
    report["required"] = sorted({*report["required"], "level", "complete", "exit_code"})
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": model.RELEASE_SCHEMA,
        "description": "The JSON form of what `pratique inspect` says of releases.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return lines(schema())


if __name__ == "__main__":
    sys.exit(keep(PATH, text(), "pratique.report.release_schema", sys.argv[1:]))
