"""The published schema is made from the model and accepts what the loader accepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest

from pratique.incidents import reference, schema
from pratique.incidents.index import load_bundled

DOCS = Path(__file__).parents[3] / "docs" / "reference"


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    document = json.loads((DOCS / "incident.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(document)
    return jsonschema.Draft202012Validator(document)


def test_the_schema_in_the_reference_is_current() -> None:
    stored = (DOCS / "incident.schema.json").read_text(encoding="utf-8")
    assert stored == schema.text(), "run: python -m pratique.incidents.schema > docs/reference/incident.schema.json"


def test_the_reference_page_is_current() -> None:
    stored = (DOCS / "incidents.md").read_text(encoding="utf-8")
    assert stored == reference.page(load_bundled()), (
        "run: python -m pratique.incidents.reference > docs/reference/incidents.md"
    )


def test_every_bundled_incident_is_valid(validator: jsonschema.Draft202012Validator) -> None:
    for incident in load_bundled():
        validator.validate(json.loads(msgspec.json.encode(incident)))


@pytest.mark.parametrize(
    "change",
    [{"titel": "x"}, {"status": "gone"}, {"revision": "1"}, {"components": [{"name": "x"}]}, {"next_steps": "one"}],
)
def test_an_invalid_document_is_refused(validator: jsonschema.Draft202012Validator, change: dict[str, Any]) -> None:
    document = json.loads(msgspec.json.encode(load_bundled()[0])) | change
    assert list(validator.iter_errors(document))
