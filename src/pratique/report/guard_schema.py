"""The published schema of `pratique.guard/1`, made from the model.

`python -m pratique.report.guard_schema` writes it below docs/reference; with `--check` it says whether it is current.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from pratique.model.guarded import GUARD_SCHEMA
from pratique.report.guard_json import GuardDocument
from pratique.report.schema import DIALECT, FOLDER, keep, lines

IDENTIFIER = "urn:pratique:guard:1"
PATH = FOLDER / "guard.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of what `pratique guard --json` writes."""
    (top,), definitions = msgspec.json.schema_components([GuardDocument], ref_template="#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": GUARD_SCHEMA,
        "description": "What `pratique guard` detected in what one command did, and what could not be seen.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return lines(schema())


if __name__ == "__main__":
    sys.exit(keep(PATH, text(), "pratique.report.guard_schema", sys.argv[1:]))
