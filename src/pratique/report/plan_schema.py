"""The published schema of `pratique.plan/1`, made from the model.

`python -m pratique.report.plan_schema` writes it below docs/reference; with `--check` it says whether it is current.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from pratique.model import plan as model
from pratique.report.schema import DIALECT, FOLDER

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
    return json.dumps(schema(), indent=2) + "\n"


def main(arguments: list[str]) -> int:
    """Write the schema, or with `--check` compare it."""
    if "--check" in arguments:
        current = PATH.is_file() and PATH.read_text("utf-8") == text()
        if not current:
            sys.stderr.write(f"{PATH.name} is not current: run python -m pratique.report.plan_schema\n")
        return 0 if current else 1
    PATH.write_text(text(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
