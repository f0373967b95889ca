"""The published schema of `pratique.trust/1`, made from the model.

`python -m pratique.report.trust_schema` writes it below docs/reference; with `--check` it says whether it is current.
"""

from __future__ import annotations

import sys
from typing import Any

import msgspec

from pratique.model import trust as model
from pratique.report.schema import DIALECT, FOLDER, keep, lines

IDENTIFIER = "urn:pratique:trust:1"
PATH = FOLDER / "trust.schema.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of the JSON form of what `pratique trust` says."""
    (top,), definitions = msgspec.json.schema_components([model.TrustReport], ref_template="#/$defs/{name}")
    report, result = definitions["TrustReport"], definitions["TrustResult"]
    report["properties"] |= {"exit_code": {"enum": [0, 4, 12, 13]}}
    report["required"] = sorted({*report["required"], "exit_code"})
    result["properties"] |= {
        "outcome": {
            "enum": ["verified", "rejected", "not-examined", None],
            "description": "The worst of all parts; null where there was nothing to verify.",
        }
    }
    result["required"] = sorted({*result["required"], "outcome"})
    return {
        "$schema": DIALECT,
        "$id": IDENTIFIER,
        "title": model.TRUST_SCHEMA,
        "description": "The JSON form of what `pratique trust` verified of releases.",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def text() -> str:
    """The file's text."""
    return lines(schema())


if __name__ == "__main__":
    sys.exit(keep(PATH, text(), "pratique.report.trust_schema", sys.argv[1:]))
