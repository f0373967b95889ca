"""The report as one JSON document, `pratique.report/1`.

## Holds
Everything; docs/reference/report.schema.json is its schema.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.report import Report
from pratique.report.renderer import Renderer
from pratique.report.words import inert_json


def render(report: Report) -> Iterator[bytes]:
    """Yield the document, indented by two, keys in the order of the model."""
    document = msgspec.to_builtins(report)
    yield inert_json(msgspec.json.format(msgspec.json.encode(document), indent=2)) + b"\n"


RENDERER = Renderer(name="json", suffixes=(".json",), media_type="application/json", render=render)
