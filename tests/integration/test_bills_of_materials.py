"""Bills of materials as a target: one subject for each file, and every form is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pratique import api
from tests.golden.harness import ROOT
from tests.integration.examine import axios

CASES = sorted((ROOT / "sbom/bill-of-materials").iterdir())
NPM = [case for case in CASES if "npm" in case.name or case.name.startswith(("spdx", "syft"))]


def check(place: Path) -> api.Report:
    chosen = axios()
    targets = tuple(api.specify([f"sbom:{place}"]))
    return api.check(api.CheckRequest(targets=targets, incidents=chosen.incidents, named=chosen.named))


@pytest.mark.parametrize("case", NPM, ids=[case.name for case in NPM])
def test_every_producer_is_understood(case: Path) -> None:
    report = check(case / "input")
    assert report.exit_code == 10
    assert {"pkg:npm/axios@1.14.1", "pkg:npm/plain-crypto-js@4.2.1"} <= {item.purl for item in report.sightings}
    assert all("window" not in item.explanation for item in report.sightings), "the bill's time is no download"


def test_each_bill_is_a_subject_of_its_own(tmp_path: Path) -> None:
    for case in NPM[:3]:
        for path in (case / "input").iterdir():
            shutil.copy(path, tmp_path / f"{case.name}{path.suffix}")
    (tmp_path / "clean.json").write_text('{"bomFormat":"CycloneDX","specVersion":"1.6","components":[]}')
    (tmp_path / "other.json").write_text("{}")
    report = check(tmp_path)
    names = {subject.uri.rpartition("/")[2] for subject in report.subjects}
    assert names == {*(path.name for path in tmp_path.iterdir()), "clean.json"} - {"clean.json"}
    assert {item.path for item in report.coverage.refusals if item.relevant} == {"other.json"}


def test_a_truncated_bill_is_a_gap() -> None:
    assert check(ROOT / "sbom/bill-of-materials/truncated/input").exit_code in (4, 11)


def test_one_file_and_a_packed_folder(tmp_path: Path) -> None:
    file = ROOT / "sbom/bill-of-materials/npm-11-cyclonedx/input/bom.json"
    assert check(file).exit_code == 10
    shutil.make_archive(str(tmp_path / "bills"), "zip", file.parent)
    assert check(tmp_path).exit_code == 10
