"""Runs of continuous integration from their logs to the report: what ran, in which job, with which secrets."""

from __future__ import annotations

import io
import itertools
import zipfile
from pathlib import Path

import pytest

from pratique import api
from tests.integration.examine import FORMATS, examined, live_characters, rendered, visible
from tests.standins.ci_cases import BAD, TJ, TJ_WINDOW
from tests.standins.ci_logs import IN_WINDOW, archive, checkout, gitlab, job_lines, output, run, stamped, use

WORKFLOW = """
on: [push]
permissions: {contents: write, id-token: write}
jobs:
  build:
    environment: production
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/checkout@v4
      - run: npm ci
        env: {NPM_TOKEN: "${{ secrets.NPM_TOKEN }}"}
      - run: aws s3 sync . s3://x
        env: {KEY: "${{ secrets.AWS_SECRET_ACCESS_KEY }}"}
"""


def axios_job() -> str:
    """The lead story in a job: fetched by name, then its script in the foreground, then a deployment."""
    return stamped(
        job_lines(
            "build",
            [
                checkout(),
                run("npm ci --loglevel http", output("npm-10.http"), NPM_TOKEN="***"),
                run("npm rebuild --foreground-scripts", output("npm-10.fg")),
                run("aws s3 sync . s3://x", "done\n", AWS_ACCESS_KEY_ID="***"),
            ],
            permissions=("Contents: write", "IdToken: write", "Metadata: read"),
        )
    )


def tj_job(ref: str = "v45", sha: str = BAD) -> str:
    """A job that used the action whose tags were moved."""
    steps = [checkout(), use(f"{TJ}@{ref}", "ok\n"), run("npm test", "ok\n", DEPLOY_KEY="***")]
    return stamped(job_lines("lint", steps, downloads=[f"'{TJ}@{ref}' (SHA:{sha})"]), TJ_WINDOW)


def named(incident: str) -> api.Selection:
    import datetime

    return api.select(incidents=[incident], today=datetime.date(2026, 11, 20))


def test_the_payload_ran_in_a_job_of_a_run(tmp_path: Path) -> None:
    (tmp_path / "logs_77.zip").write_bytes(archive({"0_build.txt": axios_job(), "build/system.txt": "x\n"}))
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code == 11
    top = next(item for item in report.sightings if item.depth == "executed")
    assert top.purl == "pkg:npm/plain-crypto-js@4.2.1"
    assert "in job build" in top.explanation
    assert "NPM_TOKEN" in top.explanation
    assert "later steps there: Run aws" in top.explanation
    assert "inside the window" in top.explanation
    assert [subject.uri for subject in report.subjects] == [f"ci-log+{tmp_path.as_uri()}/logs_77.zip"]
    assert {subject.kind for subject in report.subjects} == {"log"}
    jobs = [item.facts for item in report.observations if item.kind == "job"]
    assert {fact["job"] for fact in jobs} == {"build"}
    assert all("id-token: write" in fact["permissions"] for fact in jobs)
    for name, text in rendered(report, FORMATS).items():
        assert "plain-crypto-js" in text, name
        if name not in ("cyclonedx", "sarif"):
            assert "AWS_ACCESS_KEY_ID" in text, name


def test_steps_beside_their_whole_job_are_told_once(tmp_path: Path) -> None:
    lines = axios_job().splitlines(keepends=True)
    starts = [n for n, line in enumerate(lines) if "##[group]Run " in line] + [len(lines) - 2]
    files = {"0_build.txt": axios_job(), "build/1_Set up job.txt": "".join(lines[: starts[0]])}
    for number, (start, end) in enumerate(itertools.pairwise(starts), start=2):
        files[f"build/{number}_Run step.txt"] = "".join(lines[start:end])
    (tmp_path / "logs_77.zip").write_bytes(archive(files))
    report = examined(f"ci-log:{tmp_path}")
    (tmp_path / "logs_77.zip").write_bytes(archive({"0_build.txt": axios_job()}))
    alone = examined(f"ci-log:{tmp_path}")
    assert [item.explanation for item in report.sightings] == [item.explanation for item in alone.sightings]
    assert len(report.coverage.refusals) == len(alone.coverage.refusals) == 1


def test_a_workflow_file_beside_the_log_tells_what_the_job_held(tmp_path: Path) -> None:
    (tmp_path / "logs_77.zip").write_bytes(archive({"0_build.txt": axios_job()}))
    place = tmp_path / ".github" / "workflows"
    place.mkdir(parents=True)
    (place / "ci.yml").write_text(WORKFLOW)
    report = examined(f"ci-log:{tmp_path}")
    jobs = [item.facts for item in report.observations if item.kind == "job"]
    assert {fact["source"] for fact in jobs} == {"both"}
    assert all({"NPM_TOKEN", "AWS_SECRET_ACCESS_KEY"} <= set(fact["secrets"]) for fact in jobs)
    assert {fact["environment"] for fact in jobs} == {"production"}


def test_one_file_is_a_run(tmp_path: Path) -> None:
    place = tmp_path / "logs_77.zip"
    place.write_bytes(archive({"0_build.txt": axios_job()}))
    assert examined(f"ci-log:{place}").exit_code == 11
    place = tmp_path / "job.log"
    place.write_text(axios_job())
    assert examined(f"ci-log:{place}").exit_code == 11


def test_a_trace_of_gitlab(tmp_path: Path) -> None:
    (tmp_path / "trace").write_text(gitlab([("npm ci --loglevel info", output("npm-11.info"))]))
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code == 11
    assert any("step step_script" in item.explanation for item in report.sightings)


def test_a_tag_that_led_to_a_listed_commit(tmp_path: Path) -> None:
    (tmp_path / "run.zip").write_bytes(archive({"1_lint.txt": tj_job()}))
    report = examined(f"ci-log:{tmp_path}", named("tj-actions-2025-03-14"))
    assert report.exit_code == 11
    top = next(item for item in report.sightings if item.depth == "executed")
    assert "a step that uses it ran, in job lint" in top.explanation
    assert "DEPLOY_KEY" in top.explanation


def test_a_tag_that_led_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "run.zip").write_bytes(archive({"1_lint.txt": tj_job(sha="2f7c5bfce28377bc069a65ba478de0a74aa0ca32")}))
    report = examined(f"ci-log:{tmp_path}", named("tj-actions-2025-03-14"))
    assert (report.exit_code, report.sightings) == (0, ())


def test_npm_without_names_in_the_window_is_a_gap(tmp_path: Path) -> None:
    silent = stamped(job_lines("build", [checkout(), run("npm ci", "added 3 packages in 382ms\n")]), IN_WINDOW)
    (tmp_path / "0_build.txt").write_text(silent)
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code == 4
    assert "npm ci ran at 2026-03-31T01:10" in report.coverage.refusals[0].reason
    assert "names no release" in report.coverage.refusals[0].reason
    (tmp_path / "0_build.txt").write_text(silent.replace("2026-03-31", "2026-02-11"))
    assert examined(f"ci-log:{tmp_path}").exit_code == 0
    (tmp_path / "0_build.txt").write_text(silent.replace("npm ci", "npm test").replace("added 3", "fixed 3"))
    assert examined(f"ci-log:{tmp_path}").exit_code == 0


def test_a_script_without_a_version_counts_where_its_carrier_stands_beside_it(tmp_path: Path) -> None:
    text = stamped(job_lines("build", [checkout(), run("pnpm install", output("pnpm-10.allowed"))]))
    (tmp_path / "0_build.txt").write_text(text)
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code == 11
    assert any(item.inferred and item.depth == "executed" for item in report.sightings)
    (tmp_path / "0_build.txt").write_text(text.replace("+ axios 1.14.1", "+ axios 1.14.0"))
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code == 4
    assert [item.status for item in report.sightings] == ["under_investigation"]


def test_blocked_scripts_are_no_run(tmp_path: Path) -> None:
    (tmp_path / "0_build.txt").write_text(stamped(job_lines("build", [run("npm ci", output("npm-12.default"))])))
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code == 10
    assert {item.depth for item in report.sightings} == {"installed"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("zip cut off", archive({"0_build.txt": axios_job()})[:-40]),
        ("log cut off", axios_job()[: len(axios_job()) // 3].encode()),
        ("nothing", b""),
        ("noise", bytes(range(256)) * 99),
    ],
)
def test_damage_is_told(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / ("run.zip" if data.startswith(b"PK") else "0_build.txt")).write_bytes(data)
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code in (4, 10, 11), name
    assert visible(report)
    assert not report.coverage.complete


def test_hostile_archives_and_lines(tmp_path: Path) -> None:
    escape = "\x1b]0;title\x07\x1b[2J\u202e"
    names = {
        "../../../etc/0_build.txt": axios_job(),
        "/abs/1_x.txt": f"{escape}\n",
        f"{'n' * 300}/2_{escape}.txt": f"> plain-crypto-js@4.2.1 postinstall\n{escape}",
        "build\\3_Run x.txt": "x\n",
        "4_ümlaut☃.txt": "x\n",
    }
    (tmp_path / "run.zip").write_bytes(archive(names))
    report = examined(f"ci-log:{tmp_path}")
    assert report.exit_code == 11
    for text in rendered(report).values():
        assert not live_characters(text)
    assert not list(tmp_path.parent.glob("etc"))


def test_a_bomb_ends_in_a_gap(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target,
        target.open("0_build.txt", "w", force_zip64=True) as member,
    ):
        for _ in range(300):
            member.write(b"\n" * (1 << 20))
    (tmp_path / "run.zip").write_bytes(buffer.getvalue())
    report = examined(f"ci-log:{tmp_path}", seconds=60)
    assert report.exit_code == 4
    assert "decompression bomb" in report.coverage.refusals[0].reason


def test_the_same_whatever_the_number_of_processes(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"run_{number}.zip").write_bytes(archive({"0_build.txt": axios_job(), "1_lint.txt": tj_job()}))
    one, four = (examined(f"ci-log:{tmp_path}", jobs=jobs) for jobs in (1, 4))
    assert (one.verdicts, one.observations, one.sightings) == (four.verdicts, four.observations, four.sightings)
