"""Every format of Python damaged in every way: a sighting or a refusal that shows, never silence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pratique import api
from tests.golden.harness import readers
from tests.integration.examine import Sample, all_samples, examined, litellm, visible
from tests.integration.test_hostile_bytes import CHANGES, CUTS, JUNK, both, is_json

SAMPLES = {name: found for name, found in all_samples().items() if readers()[name].ecosystem == "PyPI"}
LINES = frozenset({"conda-history", "requirements", "requirements-folder", "requirements-suffixed"})
"""Lists of lines are whole at the end of each: what is cut off them cannot be missed."""
NOTHING = {("pip-cache", "empty"), ("pip-cache", "one-byte")}
"""A body without content is that of a redirection; one letter is text."""
BAD = [
    sample
    for found in SAMPLES.values()
    for sample in found
    if "truncated" not in sample.case.name and '"1.82.8"' in (sample.case / "expected.json").read_text("utf-8")
]
IDS = [f"{sample.id}-{index}" for index, sample in enumerate(BAD)]


def code(folder: Path) -> api.Report:
    return examined(folder, litellm())


@pytest.mark.parametrize("sample", BAD, ids=IDS)
def test_damage_is_a_sighting_or_a_relevant_refusal(sample: Sample, tmp_path: Path) -> None:
    sample.lay(tmp_path / "whole")
    if code(tmp_path / "whole").exit_code < 10:
        pytest.skip("nothing is seen in this file when it is whole")
    silent = []
    for label, damage in {**({} if sample.reader.name in LINES else CUTS), **CHANGES}.items():
        if (sample.reader.name, label) in NOTHING:
            continue
        damaged = damage(sample.data)
        sample.lay(tmp_path / label, damaged)
        report = code(tmp_path / label)
        if report.exit_code not in (4, 10, 11) and damaged != sample.data:
            silent.append((label, report.exit_code, visible(report)))
    assert silent == []


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_junk_is_told_and_ends_in_time(name: str, tmp_path: Path) -> None:
    sample = SAMPLES[name][0]
    silent = []
    for label, junk in JUNK.items():
        sample.lay(tmp_path / label, junk)
        report = code(tmp_path / label)
        if report.exit_code not in (4, 10, 11) and sample.reader.relevance == "always" and name not in LINES:
            silent.append((label, report.exit_code, visible(report)))
    assert silent == []


@pytest.mark.parametrize(
    "sample", [sample for sample in BAD if is_json(sample.data)], ids=[s.id for s in BAD if is_json(s.data)]
)
def test_json_with_escapes_and_doubled_keys_hides_nothing(sample: Sample, tmp_path: Path) -> None:
    sample.lay(tmp_path / "whole")
    before = code(tmp_path / "whole").exit_code
    if before < 10:
        pytest.skip("nothing is seen in this file when it is whole")
    escaped = sample.data.replace(b'"litellm', b'"l\\u0069tellm')
    assert json.loads(escaped) == json.loads(sample.data)
    sample.lay(tmp_path / "escaped", escaped)
    assert code(tmp_path / "escaped").exit_code == before
    good = sample.data.replace(b"1.82.8", b"1.82.6")
    for label, data in (("good-last", both(sample.data, good)), ("bad-last", both(good, sample.data))):
        sample.lay(tmp_path / label, data)
        assert code(tmp_path / label).exit_code in (4, 10, 11), label


def test_a_broken_file_of_one_world_keeps_no_incident_of_the_other_open(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("not = [whole", encoding="utf-8")
    (tmp_path / "package.json").write_text("{}", encoding="utf-8")
    assert code(tmp_path).exit_code == 4
    assert examined(tmp_path).exit_code == 0
