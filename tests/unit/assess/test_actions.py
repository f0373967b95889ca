"""Actions by commit, by tag, and the jobs that use them: from files to verdicts."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from pratique import api

BAD = "0e58ed8671d6b60d0890c21b07f8835ace038e67"
GOOD = "2f7c5bfce28377bc069a65ba478de0a74aa0ca32"
TODAY = datetime.date(2026, 11, 20)


def report(folder: Path, ref: str, *, named: bool = True) -> api.Report:
    path = folder / ".github" / "workflows" / "ci.yml"
    path.parent.mkdir(parents=True)
    path.write_text(
        "on: push\njobs:\n  build:\n    permissions: write-all\n    steps:\n"
        f"      - uses: tj-actions/changed-files@{ref}\n      - run: make deploy\n"
        "        env: {KEY: '${{ secrets.DEPLOY_KEY }}'}\n"
    )
    chosen = api.select(incidents=["tj-actions-2025-03-14"] if named else [], today=TODAY)
    request = api.CheckRequest(
        targets=tuple(api.specify([str(folder)])), incidents=chosen.incidents, named=chosen.named
    )
    return api.check(request)


def test_a_listed_commit_is_declared_and_told_with_its_job(tmp_path: Path) -> None:
    found = report(tmp_path, BAD)
    assert found.exit_code == 10
    sighting = found.sightings[0]
    assert (sighting.depth, sighting.purl) == ("declared", f"pkg:github/tj-actions/changed-files@{BAD}")
    assert "held DEPLOY_KEY" in sighting.explanation
    assert "later steps there: Run make" in sighting.explanation
    assert {item.kind for item in found.observations} == {"range", "job"}
    assert found.subjects[0].uri == tmp_path.as_uri()


def test_another_commit_is_not_affected(tmp_path: Path) -> None:
    found = report(tmp_path, GOOD)
    assert (found.exit_code, found.sightings) == (0, ())


@pytest.mark.parametrize("ref", ["v45", "main", "0e58ed8"])
def test_a_reference_that_moves_is_under_investigation(tmp_path: Path, ref: str) -> None:
    found = report(tmp_path, ref)
    assert found.exit_code == 4
    reason = found.coverage.refusals[0].reason
    assert reason.startswith(f"asks for tj-actions/changed-files@{ref}, which could have led to 0e58ed8671d6")
    assert "2025-03-14" in reason


def test_a_closed_incident_that_nobody_named_is_one_counted_line(tmp_path: Path) -> None:
    found = report(tmp_path, "v45", named=False)
    assert found.exit_code == 0
    assert "declared-range-without-lock-for-inactive-incident" in {item.rule for item in found.coverage.skipped_by_rule}
