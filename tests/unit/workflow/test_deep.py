"""`--deep`: a listed archive or file is found by its hash, wherever it lies and whatever it is called."""

from __future__ import annotations

import hashlib
from pathlib import Path

from pratique import api
from pratique.incidents import library

INCIDENT = """
id = "deep-test"
revision = 1
updated = 2026-01-01
title = "A test"
summary = "A test"
status = "closed"
completeness = "fixed"
[[references]]
id = "a"
title = "a"
kind = "list"
[[references]]
id = "b"
title = "b"
kind = "list"
[[components]]
ecosystem = "npm"
name = "example"
role = "payload"
[[components.versions]]
version = "1.0.0"
sha1 = "{archive}"
[[indicators]]
id = "tool"
type = "file-hash"
value = "sha256:{file}"
confidence = "high"
meaning = "executed"
sources = ["a", "b"]
"""
ARCHIVE, TOOL = b"an archive", b"a tool"


def check(root: Path, *, deep: bool) -> api.Report:
    incident = library.parse(
        INCIDENT.format(archive=hashlib.sha1(ARCHIVE).hexdigest(), file=hashlib.sha256(TOOL).hexdigest()), where="test"
    )
    return api.check(api.CheckRequest(targets=(api.TargetSpec(str(root)),), incidents=(incident,), deep=deep))


def test_deep_finds_archive_and_file_by_hash(tmp_path: Path) -> None:
    (tmp_path / "mirror/x").mkdir(parents=True)
    (tmp_path / "mirror/x/blob").write_bytes(ARCHIVE)
    (tmp_path / "renamed.bin").write_bytes(TOOL)
    (tmp_path / "package.json").write_text("{}")
    report = check(tmp_path, deep=True)
    assert {(item.kind, item.depth, item.location.path) for item in report.sightings} == {
        ("component", "fetched", "mirror/x/blob"),
        ("indicator", "executed", "renamed.bin"),
    }
    assert report.exit_code == 11
    assert report.coverage.by_reader["deep"] == 3


def test_without_deep_the_report_says_what_was_not_asked(tmp_path: Path) -> None:
    (tmp_path / "renamed.bin").write_bytes(TOOL)
    (tmp_path / "package.json").write_text("{}")
    report = check(tmp_path, deep=False)
    assert report.sightings == ()
    assert {(item.rule, item.count) for item in report.coverage.skipped_by_rule} == {
        ("hash-indicator-asked-with-deep-alone", 1)
    }
    assert report.exit_code == 0
