"""Mirrors as a whole: storage and log of a real Verdaccio, damaged ones, and what a report shows of them."""

from __future__ import annotations

import gzip
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from tests.golden.harness import ROOT
from tests.integration.examine import QUICK_FORMATS, TODAY, axios, everything, rendered
from tests.standins.mirrors import SECRET
from tests.standins.packages import pack

STORAGE = ROOT / "mirror/verdaccio-storage/verdaccio-6.8/input/storage"
LOG = ROOT / "mirror/mirror-log/verdaccio-6.8-json/input/verdaccio.log"


def check(place: Path, selection: api.Selection | None = None) -> api.Report:
    chosen = selection or axios()
    targets = tuple(api.specify([f"mirror:{place}"]))
    return api.check(api.CheckRequest(targets=targets, incidents=chosen.incidents, named=chosen.named))


def sightings(report: api.Report) -> dict[str, Any]:
    found = {item.purl.removeprefix("pkg:npm/"): item for item in report.sightings}
    assert len(found) == len(report.sightings), "a release is told twice"
    return found


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    shutil.copytree(STORAGE, tmp_path / "mirror/storage")
    shutil.copy(LOG, tmp_path / "mirror/verdaccio.log")
    return tmp_path / "mirror"


def test_a_log_in_an_archive_is_read_too(tmp_path: Path) -> None:
    """As products pack it for their support: the storage is not in it, who pulled is."""
    with zipfile.ZipFile(tmp_path / "support.zip", "w") as archive:
        archive.write(LOG, "bundle/log/request.log")
    report = check(tmp_path)
    assert report.exit_code == 10
    assert "5 clients pulled it" in sightings(report)["axios@1.14.1"].explanation


def test_the_story_of_a_mirror(mirror: Path) -> None:
    report = check(mirror)
    assert report.exit_code == 10
    found = sightings(report)
    bad = found["axios@1.14.1"]
    assert (bad.status, bad.depth, bad.current) == ("affected", "fetched", True)
    assert bad.location.path == "storage/axios/axios-1.14.1.tgz"
    for words in (
        "the mirror holds its archive",
        "offered as latest",
        "5 clients pulled it",
        "(4 inside the window, 1 after its removal)",
        "1 shared account ci",
        "1 user alice",
        "2 without a name",
    ):
        assert words in bad.explanation
    refused = found["axios@0.30.4"]
    assert (refused.status, refused.depth) == ("under_investigation", "resolved")
    assert "(404)" in refused.explanation
    assert found["plain-crypto-js@4.2.1"].status == "affected"
    assert found["plain-crypto-js@4.2.0"].status == "not_affected"
    assert {subject.kind for subject in report.subjects} == {"cache"}
    assert [item for item in report.coverage.refusals if item.relevant] == []


def test_every_form_names_who_pulled_it_and_no_secret(mirror: Path) -> None:
    texts = rendered(check(mirror), (*QUICK_FORMATS, "html"))
    for name in ("json", "html", "markdown"):
        text = texts[name].decode() if isinstance(texts[name], bytes) else texts[name]
        assert "5 clients pulled it" in text, name
        assert SECRET not in text
    report = json.loads(texts["json"])
    pulls = [item["facts"] for item in report["observations"] if item["kind"] == "request"]
    assert {pull.get("client") for pull in pulls if pull["version"] == "1.14.1"} == {
        f"127.0.0.{number}" for number in (11, 21, 22, 31, 51)
    }
    assert {pull.get("identity") for pull in pulls} >= {"ci", "alice"}


def test_the_archive_deleted_by_hand_is_fetched_and_no_longer_there(mirror: Path) -> None:
    (mirror / "storage/axios/axios-1.14.1.tgz").unlink()
    (mirror / "verdaccio.log").unlink()
    bad = sightings(check(mirror))["axios@1.14.1"]
    assert (bad.status, bad.depth, bad.current) == ("affected", "fetched", False)
    assert "the file is gone" in bad.explanation


def test_the_archive_alone_is_enough(tmp_path: Path) -> None:
    shutil.copy(STORAGE / "axios/axios-1.14.1.tgz", tmp_path / "renamed.tgz")
    bad = sightings(check(tmp_path))["axios@1.14.1"]
    assert (bad.status, bad.depth, bad.current) == ("affected", "fetched", True)


def test_a_log_alone_as_a_file_and_compressed(tmp_path: Path) -> None:
    assert "5 clients" in sightings(check(LOG))["axios@1.14.1"].explanation
    rotated = tmp_path / "verdaccio.log.3.gz"
    rotated.write_bytes(gzip.compress(LOG.read_bytes()))
    assert "5 clients" in sightings(check(rotated))["axios@1.14.1"].explanation


def test_metadata_alone_is_a_note(tmp_path: Path) -> None:
    lines = [line for line in LOG.read_text(encoding="utf-8").splitlines() if ".tgz" not in line]
    (tmp_path / "verdaccio.log").write_text("\n".join(lines) + "\n", encoding="utf-8")
    report = check(tmp_path)
    assert {item.status for item in report.sightings} == {"not_affected"}
    assert any("asked for its metadata inside the window" in item.explanation for item in report.sightings)
    assert report.exit_code == 0


def test_a_mirror_without_anything_bad_is_not_affected(tmp_path: Path) -> None:
    shutil.copytree(STORAGE / "@acme", tmp_path / "storage/@acme")
    (tmp_path / "access.log").write_text(
        '10.0.0.5 - - [31/Mar/2026:01:10:00 +0000] "GET /lodash/-/lodash-4.17.21.tgz HTTP/1.1" 200 1 "-" "npm/10"\n',
        encoding="utf-8",
    )
    report = check(tmp_path, everything())
    assert [item for item in report.sightings if item.status != "not_affected"] == []
    assert [item.reason for item in report.coverage.refusals if item.relevant and item.reader != "ecosystem"] == []


@pytest.mark.parametrize("share", [0.05, 0.3, 0.5, 0.8, 0.97])
def test_a_cut_storage_or_log_is_a_sighting_or_a_gap(share: float, mirror: Path) -> None:
    for path in [path for path in mirror.rglob("*") if path.is_file() and path.name in ("package.json", LOG.name)]:
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
    for path in mirror.rglob("*.tgz"):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    assert check(mirror).exit_code in (4, 10, 11)


def test_the_same_whatever_the_number_of_processes(mirror: Path) -> None:
    chosen = axios()
    targets = tuple(api.specify([f"mirror:{mirror}"]))
    reports = [
        api.check(api.CheckRequest(targets=targets, incidents=chosen.incidents, named=chosen.named, jobs=jobs))
        for jobs in (1, 3)
    ]
    assert sightings(reports[0]) == sightings(reports[1])


def test_a_blob_store_with_a_deleted_blob(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "mirror/nexus-blob/volumes/input", tmp_path / "nexus")
    found = sightings(check(tmp_path / "nexus"))
    bad = found["axios@1.14.1"]
    assert (bad.status, bad.current) == ("affected", True)
    assert "1 client pulled it at 2026-03-31T01:10Z (1 inside the window, 0 after its removal)" in bad.explanation
    deleted = found["plain-crypto-js@4.2.1"]
    assert (deleted.status, deleted.current) == ("affected", False)
    assert "marked as deleted" in deleted.explanation


def test_a_file_store_of_digests() -> None:
    bad = sightings(check(ROOT / "mirror/artifactory-filestore/by-sha1/input"))["axios@1.14.1"]
    assert (bad.status, bad.depth, bad.confidence, bad.current) == ("affected", "fetched", "high", True)


def test_a_python_mirror() -> None:
    selection = api.select(incidents=["litellm-2026-03-24"], today=TODAY)
    for place in (ROOT / "mirror/devpi-files/devpi-6.20/input", ROOT / "mirror/mirror-log/others/input"):
        report = check(place, selection)
        assert [(item.purl, item.status) for item in report.sightings] == [("pkg:pypi/litellm@1.82.7", "affected")]
    (asked,) = check(ROOT / "mirror/mirror-log/devpi-6.20/input", selection).sightings
    assert (asked.status, asked.depth) == ("under_investigation", "resolved")


def test_logs_of_several_products_are_one_mirror() -> None:
    bad = sightings(check(ROOT / "mirror/mirror-log/others/input"))["axios@1.14.1"]
    assert "the mirror fetched its archive" in bad.explanation
    assert "1 client pulled it in 4 logged requests" in bad.explanation
    assert "1 client also asked for its archive without being sent it" in bad.explanation


def test_a_lockfile_that_a_package_ships_was_resolved_by_its_author(tmp_path: Path) -> None:
    lock = {"lockfileVersion": 3, "packages": {"node_modules/axios": {"version": "1.14.1"}}}
    manifest = {"name": "some", "version": "1.0.0", "dependencies": {"axios": "^1.14.0"}}
    files = {"package.json": json.dumps(manifest), "package-lock.json": json.dumps(lock)}
    (tmp_path / "some-1.0.0.tgz").write_bytes(pack(files))
    (item,) = check(tmp_path).sightings
    assert (item.status, item.depth) == ("under_investigation", "resolved")
    assert "resolved by its author" in item.explanation
