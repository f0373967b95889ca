"""Each format gives the same bytes for the same report, and the formats are those of the room."""

from __future__ import annotations

from pathlib import Path

import pytest

import pratique.report
from pratique.model.errors import UsageError
from pratique.report.renderer import FORMATS, for_file, renderer
from tests.unit.report import golden


@pytest.mark.parametrize("name", FORMATS)
def test_the_fixed_report_gives_the_golden_bytes(name: str) -> None:
    assert golden.actual(name) == golden.expected(name).read_bytes()


@pytest.mark.parametrize("name", FORMATS)
def test_twice_the_same_bytes(name: str) -> None:
    assert golden.actual(name) == golden.actual(name)


def test_formats_are_the_modules_that_hold_a_renderer() -> None:
    folder = Path(pratique.report.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "\nRENDERER = " in path.read_text("utf-8")}
    assert modules == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_names_itself_and_is_found_by_its_suffixes(name: str) -> None:
    found = renderer(name)
    assert found.name == name
    assert all(for_file(f"report{suffix}").name == name for suffix in found.suffixes)
    assert "## Holds" in (__import__(f"pratique.report.{name}", fromlist=["x"]).__doc__ or "")


def test_a_format_that_does_not_exist_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        renderer("pdf")
    with pytest.raises(UsageError):
        for_file("report.pdf")
