"""The published schema of `pratique.difference/1`, made from the model.

`python -m pratique.report.difference_schema` writes it below docs/reference; with `--check` it says whether it is
current.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from pratique.model import difference as model
from pratique.report.schema import DIALECT, FOLDER, keep, lines

IDENTIFIER = "urn:pratique:difference:1"
PATH = FOLDER / "difference.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of the JSON form of a difference."""
    (top,), definitions = msgspec.json.schema_components([model.ReleaseDifference], ref_template="#/$defs/{name}")
    report = definitions["ReleaseDifference"]
    report["properties"] |= {
        "complete": {"type": "boolean", "description": "Whether everything relevant was examined."},
        "exit_code": {"enum": [0, 4]},
    }
    report["required"] = sorted({*report["required"], "complete", "exit_code"})
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": model.DIFFERENCE_SCHEMA,
        "description": "The JSON form of what `pratique diff` says of two releases.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return lines(schema())


if __name__ == "__main__":
    sys.exit(keep(PATH, text(), "pratique.report.difference_schema", sys.argv[1:]))
