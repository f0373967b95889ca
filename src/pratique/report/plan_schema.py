"""The published schema of `pratique.plan/1`, made from the model.

`python -m pratique.report.plan_schema` writes it below docs/reference; with `--check` it says whether it is current.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from pratique.model import plan as model
from pratique.report.schema import DIALECT, FOLDER, keep, lines

IDENTIFIER = "urn:pratique:plan:1"
PATH = FOLDER / "plan.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of the JSON form of a plan; `$defs/Receipt` is that of a receipt."""
    (top, _), definitions = msgspec.json.schema_components([model.Plan, model.Receipt], ref_template="#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": model.SCHEMA,
        "description": "The JSON form of a plan of pratique.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return lines(schema())


if __name__ == "__main__":
    sys.exit(keep(PATH, text(), "pratique.report.plan_schema", sys.argv[1:]))
