"""What a check says more about a declared range that nothing resolved."""

from __future__ import annotations

import datetime
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.model.report import Report

AXIOS = "axios-2026-03-31"


def checked(root: Path, files: dict[str, Any], **more: Any) -> Report:
    root.mkdir(exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    selection = api.select(incidents=[AXIOS], today=datetime.date(2026, 11, 20))
    return api.check(
        api.CheckRequest(
            targets=(api.TargetSpec(str(root)),), incidents=selection.incidents, named=selection.named, **more
        )
    )


def manifest(asked: str = "^1.14.0", **more: Any) -> dict[str, Any]:
    return {"name": "project", "dependencies": {"axios": asked}, **more}


def test_a_range_says_what_it_would_have_resolved_to_and_stays_a_gap(tmp_path: Path) -> None:
    report = checked(tmp_path, {"package.json": manifest()})
    (sighting,) = report.sightings
    assert (sighting.status, sighting.depth, sighting.confidence) == ("under_investigation", "declared", "low")
    assert sighting.inferred
    assert sighting.purl == "pkg:npm/axios@1.14.1"
    assert sighting.explanation == (
        "would have resolved to axios 1.14.1 between 2026-03-31 00:21:58 and 03:15:30 UTC (npm; latest; inferred);"
        " that npm is used here is assumed"
    )
    assert report.exit_code == 4
    assert [item.relevant for item in report.coverage.refusals] == [True]
    (verdict,) = report.verdicts
    assert verdict.status == "under_investigation"
    assert verdict.gaps


def test_two_listed_releases_are_two_sightings(tmp_path: Path) -> None:
    report = checked(tmp_path, {"package.json": manifest(">=0.30.0 <1 || 1.14.0 - 1.14.1")})
    assert {item.purl for item in report.sightings} == {"pkg:npm/axios@1.14.1"}
    report = checked(tmp_path, {"package.json": manifest("<1")})
    assert {item.purl for item in report.sightings} == {"pkg:npm/axios@0.30.4"}
    assert "highest" in report.sightings[0].explanation


@pytest.mark.parametrize(
    ("file", "text", "named"),
    [
        (".npmrc", "min-release-age=7\n", "min-release-age of 7 days (.npmrc)"),
        (".npmrc", "before=2026-03-15\n", "before of 2026-03-15 (.npmrc)"),
        (
            "pnpm-workspace.yaml",
            "packages: []\nminimumReleaseAge: 10080\n",
            "minimumReleaseAge of 10080 minutes (7 days) (pnpm-workspace.yaml)",
        ),
        (".yarnrc.yml", "npmMinimalAgeGate: 7d\n", "npmMinimalAgeGate of 7d (7 days) (.yarnrc.yml)"),
        (
            "bunfig.toml",
            "[install]\nminimumReleaseAge = 604800\n",
            "minimumReleaseAge of 604800 seconds (7 days) (bunfig.toml)",
        ),
    ],
)
def test_a_cooldown_is_named_and_never_lifts_the_gap(tmp_path: Path, file: str, text: str, named: str) -> None:
    manager = {"pnpm-workspace.yaml": {"packageManager": "pnpm@10.34.9"}}.get(file, {})
    report = checked(tmp_path, {"package.json": manifest(**manager), file: text})
    (sighting,) = report.sightings
    assert sighting.status == "under_investigation"
    assert sighting.explanation.startswith(f"{named} would have refused axios 1.14.1 between")
    assert "as it is set now" in sighting.explanation
    assert len(sighting.observations) == 2, "the setting is among the evidence"
    assert report.exit_code == 4
    assert all(verdict.lowered_by == () for verdict in report.verdicts)


def test_a_cooldown_of_an_hour_refuses_the_first_hour_alone(tmp_path: Path) -> None:
    files = {"package.json": manifest(packageManager="pnpm@10.34.9"), "pnpm-workspace.yaml": "minimumReleaseAge: 60\n"}
    (sighting,) = checked(tmp_path, files).sightings
    assert "would have resolved to axios 1.14.1 between 2026-03-31 01:21:58 and 03:15:30" in sighting.explanation


def test_a_cooldown_of_another_manager_does_not_count(tmp_path: Path) -> None:
    files = {"package.json": manifest(packageManager="yarn@1.22.22"), ".npmrc": "min-release-age=7\n"}
    (sighting,) = checked(tmp_path, files).sightings
    assert sighting.explanation.startswith("would have resolved to axios 1.14.1")
    assert "(yarn; latest; inferred)" in sighting.explanation


def test_an_exempted_package_is_not_protected(tmp_path: Path) -> None:
    files = {"package.json": manifest(), ".npmrc": "min-release-age=7\nmin-release-age-exclude[]=axios\n"}
    (sighting,) = checked(tmp_path, files).sightings
    assert sighting.explanation.startswith("would have resolved to axios 1.14.1")


def test_settings_of_a_workspace_root_count_and_of_a_neighbour_do_not(tmp_path: Path) -> None:
    inner = {"packages/a/package.json": manifest()}
    (sighting,) = checked(tmp_path / "root", {**inner, ".npmrc": "min-release-age=7\n"}).sightings
    assert "would have refused" in sighting.explanation
    (sighting,) = checked(tmp_path / "beside", {**inner, "packages/b/.npmrc": "min-release-age=7\n"}).sightings
    assert "would have resolved" in sighting.explanation


def test_a_lockfile_settles_it(tmp_path: Path) -> None:
    lock = {
        "name": "project",
        "lockfileVersion": 3,
        "packages": {"": manifest(), "node_modules/axios": {"version": "1.14.0"}},
    }
    report = checked(tmp_path, {"package.json": manifest(), "package-lock.json": json.dumps(lock, indent=2)})
    assert report.sightings == ()
    assert report.exit_code == 0


def test_a_file_of_that_time_raises_what_is_said(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text(json.dumps(manifest()))
    moment = datetime.datetime(2026, 3, 31, 1, 2, 3, tzinfo=datetime.UTC).timestamp()
    os.utime(tmp_path / "package.json", (moment, moment))
    (sighting,) = checked(tmp_path, {}).sightings
    assert sighting.status == "under_investigation"
    assert "a file here is of that time: package.json" in sighting.explanation
    assert "2026-03-31T01:02:03" in sighting.explanation


def test_an_accepted_gap_brings_no_inference(tmp_path: Path) -> None:
    accepted = (api.Acceptance("package.json", "looked at"),)
    report = checked(tmp_path, {"package.json": manifest()}, accepted=accepted)
    assert report.sightings == ()
    assert report.exit_code == 0


def test_an_override_is_taken_for_the_range(tmp_path: Path) -> None:
    pinned = manifest("^1.13.0", resolutions={"axios": "1.14.0"}, packageManager="yarn@4.12.0")
    assert [item.inferred for item in checked(tmp_path, {"package.json": pinned}).sightings] == []
    ignored = manifest("^1.13.0", resolutions={"axios": "1.14.0"})
    (sighting,) = checked(tmp_path, {"package.json": ignored}).sightings
    assert sighting.explanation.startswith("would have resolved to axios 1.14.1"), "npm reads no resolutions"
