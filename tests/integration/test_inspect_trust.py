"""`pratique inspect` holds what a registry on loopback states to keys of our own: what was altered is a block."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pratique import api
from pratique.model.release import Fact, ReleaseReport
from pratique.workflow import trust_join
from tests.standins import authority as own
from tests.standins import packages
from tests.standins.packages import IN_WINDOW
from tests.standins.registry import Registry, packument

NOW = "1.14.0"
OTHER = b"other bytes than those that were published"


class Signing(Registry):
    """A registry that signs what it states, as `altered` has it afterwards."""

    def __init__(self) -> None:
        super().__init__(as_of=IN_WINDOW)
        self.altered: dict[str, dict[str, Any]] = {}
        """Name and version to fields of `dist` that take the place of the true ones."""
        self.signs = True

    def reply(self, method: str, path: str, base: str) -> tuple[int, str, bytes]:
        """The documents with a signature of every version; all else as a registry has it."""
        name = path.strip("/")
        document = packument(self.releases, name, self.as_of, base) if name not in self.files else None
        if document is None or not self.signs:
            return super().reply(method, path, base)
        for version, manifest in document["versions"].items():
            dist = manifest["dist"]
            dist["signatures"] = [own.registry_signature(name, version, dist["integrity"])]
            dist.update(self.altered.get(f"{name}@{version}", {}))
        return 200, "application/json", json.dumps(document).encode()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Signing]:
    """The registry, and a user whose trust roots are those of the tests' own authority."""
    for name in list(os.environ):
        if name.lower().startswith(("npm_config_", "pip_", "uv_", "xdg_", "yarn_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("PATH", "")
    roots = tmp_path / "roots"
    roots.mkdir()
    monkeypatch.setattr("pratique.workflow.trust_roots.default_folder", lambda: roots)
    document = {
        "schema": "pratique.trust-roots/1",
        "taken": "2026-01-01",
        "source": "the tests' own authority",
        "trusted_root": json.loads(own.trusted_root()),
        "registry_keys": json.loads(own.registry_keys()),
    }
    (roots / "roots.json").write_text(json.dumps(document))
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    with Signing() as found:
        monkeypatch.setenv("npm_config_registry", found.url)
        yield found


def inspected(reference: str = f"npm:axios@{NOW}", **more: Any) -> ReleaseReport:
    return api.inspect(api.InspectRequest(references=(reference,), depth=1, **more))


def facts(report: ReleaseReport) -> list[Fact]:
    (found,) = report.inspections
    return [one for one in found.transition.examination.facts if one.kind in ("trust.invalid", "registry.mismatch")]


def told(report: ReleaseReport) -> str:
    (found,) = report.inspections
    return " | ".join(one.reason for one in found.judgement.refusals if one.reader == trust_join.READER)


def shown(report: ReleaseReport) -> str:
    return "\n".join(api.release_lines(report))


def test_a_signature_that_holds_says_nothing(registry: Signing) -> None:
    report = inspected()
    assert facts(report) == []
    assert told(report) == ""
    assert api.release_exit_code(report) != 13
    assert all("attestations" not in request.path for request in registry.requests)


def test_a_signature_of_another_key_is_a_block(registry: Signing) -> None:
    integrity = packages.release("axios", NOW).integrity
    forged = own.registry_signature("axios", NOW, integrity, own.Key(4711)) | {"keyid": own.REGISTRY.keyid}
    registry.altered[f"axios@{NOW}"] = {"signatures": [forged]}
    report = inspected()
    (fact,) = facts(report)
    assert (fact.kind, fact.attributes["what"], fact.attributes["proof"]) == ("trust.invalid", "signature", True)
    assert api.release_exit_code(report) == 13
    assert f"the signature of axios {NOW} is not valid: the signature is not that of the key" in shown(report)


def test_a_document_and_an_archive_that_were_exchanged_together_are_a_block(registry: Signing) -> None:
    registry.files[f"axios/-/axios-{NOW}.tgz"] = packages.release("axios", "1.14.1").tarball
    registry.altered[f"axios@{NOW}"] = {"integrity": packages.release("axios", "1.14.1").integrity}
    report = inspected()
    assert [fact.kind for fact in facts(report)] == ["trust.invalid"]
    assert api.release_exit_code(report) == 13


def test_an_archive_that_was_exchanged_is_a_block(registry: Signing) -> None:
    registry.files[f"axios/-/axios-{NOW}.tgz"] = packages.release("axios", "0.30.3").tarball
    report = inspected()
    assert [fact.kind for fact in facts(report)] == ["registry.mismatch"]
    assert api.release_exit_code(report) == 13
    assert f"the archive of axios {NOW} from the registry is not the one that the registry states" in shown(report)


def test_a_new_dependency_whose_signature_was_altered_is_a_block(registry: Signing) -> None:
    registry.altered["plain-crypto-js@4.2.1"] = {"integrity": own.integrity(OTHER)}
    report = inspected("npm:axios@1.14.1")
    (found,) = report.inspections
    (dependency,) = found.transition.dependencies
    kinds = {fact.kind for fact in dependency.examination.facts}
    assert {"trust.invalid", "registry.mismatch"} <= kinds
    assert found.judgement.level == "block"
    assert any(one.rule == "trust-invalid" for one in found.judgement.findings)


def test_a_key_that_is_not_known_proves_nothing(registry: Signing) -> None:
    stranger = own.Key(4711)
    integrity = packages.release("axios", NOW).integrity
    registry.altered[f"axios@{NOW}"] = {"signatures": [own.registry_signature("axios", NOW, integrity, stranger)]}
    report = inspected()
    assert facts(report) == []
    assert "the key is not among those known" in told(report)
    assert api.release_exit_code(report) != 13


def test_a_signature_out_of_the_key_s_time_is_a_review(registry: Signing) -> None:
    integrity = packages.release("axios", NOW).integrity
    old = own.registry_signature("axios", NOW, integrity, own.OLD_REGISTRY)
    registry.altered[f"axios@{NOW}"] = {"signatures": [old]}
    report = inspected()
    (fact,) = facts(report)
    assert fact.attributes["proof"] is False
    assert [one.judgement.level for one in report.inspections] == ["review"]


def test_a_mirror_that_drops_signatures_is_told_and_claims_nothing(registry: Signing) -> None:
    registry.signs = False
    report = inspected()
    assert facts(report) == []
    assert "no signature was verified" in told(report)
    assert all(not one.relevant for one in report.inspections[0].judgement.refusals if one.reader == "trust")


def test_without_the_extra_nothing_is_claimed(registry: Signing, monkeypatch: pytest.MonkeyPatch) -> None:
    registry.altered[f"axios@{NOW}"] = {"integrity": packages.release("axios", NOW).integrity, "signatures": [{}]}
    monkeypatch.setattr("pratique.workflow.trust_join.extra_is_there", lambda: False)
    report = inspected()
    assert facts(report) == []
    assert "pip install 'pratique[trust]'" in told(report)


def attested(registry: Signing, archive: bytes) -> None:
    """State attestations of the release, about these bytes, and serve them."""
    place = f"-/npm/v1/attestations/axios@{NOW}"
    stated = {"url": f"{registry.url}{place}", "provenance": {"predicateType": own.PROVENANCE}}
    registry.altered[f"axios@{NOW}"] = {"attestations": stated}
    registry.files[place] = own.answer(
        (own.PUBLISH, own.by_registry(own.statement("axios", NOW, archive, own.PUBLISH))),
        (own.PROVENANCE, own.by_certificate(own.statement("axios", NOW, archive))),
    )


def test_attestations_are_fetched_where_they_are_asked_for_and_once(registry: Signing) -> None:
    attested(registry, packages.release("axios", NOW).tarball)
    inspected()
    assert all("attestations" not in request.path for request in registry.requests)
    report = inspected(trust=True)
    assert facts(report) == []
    assert told(report) == ""
    inspected(trust=True)
    assert sum("attestations" in request.path for request in registry.requests) == 1


def test_an_attestation_about_other_bytes_is_a_block(registry: Signing) -> None:
    attested(registry, OTHER)
    report = inspected(trust=True)
    assert {(fact.attributes["what"], fact.attributes["proof"]) for fact in facts(report)} == {
        ("publication", True),
        ("attestation", True),
    }
    assert api.release_exit_code(report) == 13


def test_an_attestation_that_cannot_be_had_is_not_examined(registry: Signing) -> None:
    attested(registry, packages.release("axios", NOW).tarball)
    del registry.files[f"-/npm/v1/attestations/axios@{NOW}"]
    report = inspected(trust=True)
    assert "its attestations cannot be had" in told(report)
    assert not report.complete


def test_a_file_is_held_to_the_record_by_its_digest(registry: Signing, tmp_path: Path) -> None:
    """A signature is about the archive that the record states, and about no other of that name."""
    registry.altered[f"axios@{NOW}"] = {"signatures": [own.registry_signature("axios", NOW, own.integrity(OTHER))]}
    for version, wanted in ((NOW, ["trust.invalid"]), ("1.14.1", [])):
        path = tmp_path / "axios.tgz"
        path.write_bytes(packages.release("axios", version).tarball)
        registry.altered["axios@1.14.1"] = {"integrity": own.integrity(OTHER)}
        report = inspected(str(path), online=True)
        assert [fact.kind for fact in facts(report)] == wanted


def test_the_moment_of_the_stand_ins_lies_in_the_time_of_the_key() -> None:
    assert datetime(2025, 1, 1, tzinfo=UTC) < IN_WINDOW
