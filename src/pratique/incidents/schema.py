"""The JSON Schema of an incident definition, made from the model.

    python -m pratique.incidents.schema       prints it

TOML and JSON definitions have the same keys. The schema says shape and types; rules across fields (references that
exist, lengths of digests, order of times, two sources for an indicator) are checked by the loader.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import msgspec

from pratique.model.incident import Incident

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The schema as a document."""
    made = msgspec.json.schema(Incident)
    definitions = {name: _close(made["$defs"][name]) for name in sorted(made["$defs"])}
    return {
        "$schema": DIALECT,
        "title": "pratique incident definition",
        "$ref": made["$ref"],
        "$defs": definitions,
    }


def _close(definition: dict[str, Any]) -> dict[str, Any]:
    """Drop what carries no rule: titles and defaults repeat the names."""
    return {key: value for key, value in definition.items() if key != "title"}


def text() -> str:
    """The schema as it stands in the reference."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
