"""Targets of one trade that hold nothing of it: a file that is no log, no bill, no mirror is never a plain "no"."""

from __future__ import annotations

from pathlib import Path

import pytest

from pratique import api
from tests.integration.examine import axios

CONTENT = {
    "words": b"hello\nworld\n",
    "binary": bytes(range(256)) * 500,
    "zeros": b"\0" * 5000,
    "object": b'{"a": 1}',
    "long line": b"x" * 200_000,
    "page": b"<html><body>hello</body></html>\n",
}


def checked(kind: str, place: Path) -> api.Report:
    chosen = axios()
    targets = tuple(api.specify([f"{kind}:{place}"]))
    return api.check(api.CheckRequest(targets=targets, incidents=chosen.incidents, named=chosen.named))


@pytest.mark.parametrize("content", CONTENT)
@pytest.mark.parametrize("kind", ["ci-log", "mirror", "sbom"])
def test_a_file_that_is_nothing_of_the_kind_is_no_answer(kind: str, content: str, tmp_path: Path) -> None:
    place = tmp_path / "t.txt"
    place.write_bytes(CONTENT[content])
    assert checked(kind, place).exit_code == 4
    assert checked(kind, tmp_path).exit_code == 4, "nor is a folder that holds it alone"


@pytest.mark.parametrize("kind", ["ci-log", "mirror", "sbom", "root"])
def test_an_empty_folder_is_nothing_examined(kind: str, tmp_path: Path) -> None:
    assert checked(kind, tmp_path).exit_code == 3


def test_another_file_beside_one_that_is_read_is_no_gap(tmp_path: Path) -> None:
    (tmp_path / "bom.json").write_text('{"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []}')
    (tmp_path / "notes.txt").write_bytes(CONTENT["words"])
    report = checked("sbom", tmp_path)
    assert report.exit_code == 0
    assert [item.path for item in report.coverage.refusals] == ["notes.txt"]
