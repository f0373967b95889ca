"""The published schema and reference are those of the model, and reports keep to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from pratique.model.report import Report
from pratique.report import schema
from pratique.report.renderer import renderer
from tests.standins import installs
from tests.unit.report.sample import REPORT
from tests.unit.report.strategies import reports

WHOLE = Draft202012Validator(schema.schema())
LINE = Draft202012Validator({"$ref": "#/$defs/Line", "$defs": schema.schema()["$defs"]})


def check(report: Report) -> None:
    WHOLE.validate(json.loads(b"".join(renderer("json").render(report))))
    records = [json.loads(line) for line in b"".join(renderer("ndjson").render(report)).splitlines()]
    for record in records:
        LINE.validate(record)
    assert records[0]["record"] == "header"
    assert records[-1]["exit_code"] == report.exit_code


def test_the_published_files_are_current() -> None:
    Draft202012Validator.check_schema(schema.schema())
    for path, text in schema.files().items():
        assert path.read_text("utf-8") == text, f"run python -m pratique.report.schema ({path.name})"


def test_every_field_has_a_meaning() -> None:
    rows = [line for line in schema.reference().splitlines() if line.startswith("| `")]
    assert len(rows) > 80
    assert [row for row in rows if row.split(" | ")[2].strip(" |") == ""] == []


def test_the_fixed_report_keeps_to_the_schema() -> None:
    check(REPORT)


@given(reports())
@settings(max_examples=25)
def test_any_report_keeps_to_the_schema(report: Report) -> None:
    check(report)


@pytest.mark.parametrize("name", ["npm-10-ran", "npm-10-clean", "pnpm-10-blocked"])
def test_a_real_report_keeps_to_the_schema(name: str, tmp_path: Path) -> None:
    from pratique import api

    installs.unpack(name, tmp_path)
    selection = api.select(today=__import__("datetime").date(2026, 11, 20))
    check(
        api.check(
            api.CheckRequest(
                targets=tuple(api.specify([str(tmp_path)])), incidents=selection.incidents, digests=selection.digests
            )
        )
    )
