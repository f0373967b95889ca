"""`trust` asks the registry that npm and pip are configured for, here one on loopback, and keeps what never changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.model.trust import TrustReport
from pratique.workflow.trust import TrustRequest, trust
from tests.standins import authority as own
from tests.standins.trust_repository import served
from tests.unit.workflow.test_trust import ARCHIVES, NAME, Desk, answer, document

FILE, CONTENT = "harbour_crate-1.2.3-py3-none-any.whl", b"the bytes of a wheel"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A registry and an index as folders that are served, and a user whose npm and pip are configured for them."""
    folder = tmp_path / "served"
    (folder / "@harbour").mkdir(parents=True)
    (folder / "@harbour" / "crate").write_text(json.dumps(document()))
    answers = folder / "-" / "npm" / "v1" / "attestations" / "@harbour"
    answers.mkdir(parents=True)
    for version in list(ARCHIVES)[2:]:
        (answers / f"crate@{version}").write_bytes(answer(version))
    (folder / "simple" / "harbour-crate").mkdir(parents=True)
    with served(folder) as url:
        file = {
            "filename": FILE,
            "url": f"{url}files/{FILE}",
            "hashes": {"sha256": hashlib.sha256(CONTENT).hexdigest()},
            "provenance": f"{url}provenance/{FILE}",
        }
        page = {"meta": {"api-version": "1.1"}, "name": "harbour-crate", "files": [file]}
        (folder / "simple" / "harbour-crate" / "index.html").write_text(json.dumps(page))
        (folder / "provenance").mkdir()
        provenance = own.python_answer(own.python_attestation(own.python_statement(FILE, CONTENT)))
        (folder / "provenance" / FILE).write_bytes(provenance)
        home = tmp_path / "home"
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        monkeypatch.setenv("npm_config_registry", url)
        monkeypatch.setenv("PIP_INDEX_URL", f"{url}simple/")
        monkeypatch.chdir(home)
        yield Desk(tmp_path)


def asked(desk: Desk, reference: str, *, offline: bool = False) -> TrustReport:
    return trust(TrustRequest(references=(reference,), trusted_root=desk.root, keys=desk.keys, offline=offline))


def test_npm_then_out_of_what_is_kept(desk: Desk) -> None:
    for offline in (False, True):
        report = asked(desk, f"npm:{NAME}@1.2.5", offline=offline)
        (found,) = report.results
        assert (found.outcome, report.exit_code, found.refusals) == ("verified", 0, ())
        assert [item.outcome for item in found.attestations] == ["verified", "verified"]
        assert (found.compared_with, found.differences) == ("1.2.4", ())


def test_a_tag_and_a_version_without_attestations(desk: Desk) -> None:
    assert asked(desk, f"npm:{NAME}").results[0].version == "1.2.5"
    found = asked(desk, f"npm:{NAME}@1.2.0").results[0]
    assert (found.outcome, found.attestations, found.lost) == ("verified", (), ())


def test_an_answer_that_cannot_be_had(desk: Desk) -> None:
    (desk.folder / "served/-/npm/v1/attestations/@harbour/crate@1.2.5").unlink()
    report = asked(desk, f"npm:{NAME}@1.2.5")
    assert report.exit_code == 4
    assert "its attestations cannot be had: the registry does not have it (404)" in report.results[0].refusals[0].reason


def test_a_package_that_is_not_there(desk: Desk) -> None:
    report = asked(desk, "npm:nothing-of-that-name@1.0.0")
    assert (report.results, report.exit_code) == ((), 4)


def test_python(desk: Desk) -> None:
    for offline in (False, True):
        report = asked(desk, "pypi:harbour-crate==1.2.3", offline=offline)
        (found,) = report.results
        assert (found.outcome, report.exit_code) == ("verified", 0), found
        assert [(item.subject, item.compared) for item in found.attestations] == [(FILE, ("integrity",))]
