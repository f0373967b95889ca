"""The JSON form of a plan: `pratique.plan/1`, which `apply` reads back."""

from __future__ import annotations

import msgspec

from pratique.model.plan import Plan
from pratique.report.words import inert_json


def plan_json(plan: Plan) -> bytes:
    """The document, with a line end. Control and format characters are escaped; its meaning is the same."""
    document = msgspec.json.format(msgspec.json.encode(plan, order="deterministic"), indent=2)
    return inert_json(document) + b"\n"
