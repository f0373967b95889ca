"""`trust` over files alone: records, answers and archives made by our own authority; nothing is asked."""

from __future__ import annotations

import datetime
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from pratique.model.errors import UsageError
from pratique.model.trust import TrustReport, TrustResult
from pratique.releases.attestations.facts import trust_facts
from pratique.releases.vocabulary import WORDS
from pratique.report.trust import trust_json, trust_lines
from pratique.report.trust_schema import schema
from pratique.workflow.trust import TrustRequest, trust
from tests.standins import authority as own

NAME = "@harbour/crate"
ARCHIVES = {f"1.2.{number}": b"the bytes of archive %d" % number for number in range(6)}


def document(**changes: Any) -> dict[str, Any]:
    """A packument: every version signed, the later ones with provenance by a trusted publisher."""
    versions, times = {}, {}
    for number, (version, archive) in enumerate(ARCHIVES.items()):
        integrity = own.integrity(archive)
        dist: dict[str, Any] = {
            "integrity": integrity,
            "tarball": f"https://registry.example/{NAME}/-/crate-{version}.tgz",
            "signatures": [own.registry_signature(NAME, version, integrity)],
        }
        user: dict[str, Any] = {"name": "keeper", "email": "keeper@harbour.example"}
        if number >= 2:
            dist["attestations"] = {
                "url": f"https://registry.example/-/npm/v1/attestations/{NAME}@{version}",
                "provenance": {"predicateType": own.PROVENANCE},
            }
            user = {"name": "Forge", "email": "forge@forge.example", "trustedPublisher": {"id": "forge"}}
        versions[version] = {"name": NAME, "version": version, "dist": dist, "_npmUser": user}
        times[version] = own.stamp(own.SIGNED + datetime.timedelta(days=number))
    return {"name": NAME, "dist-tags": {"latest": "1.2.5"}, "versions": versions, "time": times} | changes


def answer(version: str, **options: Any) -> bytes:
    built = own.statement(NAME, version, ARCHIVES[version])
    published = own.statement(NAME, version, ARCHIVES[version], own.PUBLISH)
    return own.answer((own.PUBLISH, own.by_registry(published)), (own.PROVENANCE, own.by_certificate(built, **options)))


class Desk:
    """Files in a folder, and a request over them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = self.file("root.json", own.trusted_root())
        self.keys = self.file("keys.json", own.registry_keys())

    def file(self, name: str, content: bytes | dict[str, Any]) -> Path:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path

    def run(self, *references: str, **options: Any) -> TrustReport:
        return trust(
            TrustRequest(
                references=references,
                trusted_root=self.root,
                keys=self.keys,
                offline=True,
                remember=False,
                **options,
            )
        )

    def one(self, version: str, record: dict[str, Any] | None = None, **options: Any) -> TrustResult:
        path = self.file("record.json", record or document())
        (result,) = self.run(f"npm:{NAME}@{version}", record=path, **options).results
        return result


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_all_verifies(desk: Desk) -> None:
    found = desk.one(
        "1.2.5",
        attestations=desk.file("answer.json", answer("1.2.5")),
        artifact=desk.file("crate-1.2.5.tgz", ARCHIVES["1.2.5"]),
        earlier=(desk.file("earlier.json", answer("1.2.4")),),
        expected=(f"repository={own.REPOSITORY}, workflow=release.yml", f"issuer={own.ISSUER}", "ref=refs/tags/*"),
    )
    assert (found.outcome, found.alarming, found.refusals) == ("verified", False, ())
    assert [item.outcome for item in found.signatures] == ["verified"]
    assert [item.compared for item in found.attestations] == [("integrity", "archive")] * 2
    assert (found.compared_with, found.predecessor, found.lost) == ("1.2.4", "1.2.4", ())
    assert [item.version for item in found.history] == ["1.2.0", "1.2.2"]
    assert trust_facts(found) == ()


def test_nothing_at_hand_is_not_examined(desk: Desk) -> None:
    found = desk.one("1.2.5")
    assert found.outcome == "not-examined"
    assert [refusal.relevant for refusal in found.refusals] == [True]
    assert found.signatures[0].outcome == "verified"


def test_a_record_that_states_nothing_is_not_examined(desk: Desk) -> None:
    record = document()
    for version in record["versions"].values():
        version["dist"] = {"tarball": "https://registry.example/x.tgz", "integrity": version["dist"]["integrity"]}
    path = desk.file("record.json", record)
    report = desk.run(f"npm:{NAME}@1.2.5", record=path)
    assert (report.results[0].outcome, report.exit_code) == ("not-examined", 4)
    assert [item.reason for item in report.results[0].refusals] == [
        "the record states no signature for any version, as mirrors drop them"
    ]
    assert report.results[0].lost == ()


def test_nothing_stated_is_nothing_to_verify(desk: Desk) -> None:
    file = {"filename": "quay-1.0.tar.gz", "url": "http://localhost/quay-1.0.tar.gz", "hashes": {"sha256": "0" * 64}}
    page = {"meta": {"api-version": "1.1"}, "name": "quay", "files": [file]}
    report = desk.run("pypi:quay==1.0", record=desk.file("page.json", page))
    assert (report.results[0].outcome, report.exit_code) == (None, 0)
    assert next(trust_lines(report)).startswith("NOTHING TO VERIFY")


def test_a_record_that_states_provenance_and_an_answer_without_it(desk: Desk) -> None:
    published = own.by_registry(own.statement(NAME, "1.2.5", ARCHIVES["1.2.5"], own.PUBLISH))
    found = desk.one("1.2.5", attestations=desk.file("answer.json", own.answer((own.PUBLISH, published))))
    assert found.outcome == "not-examined"
    none = desk.one("1.2.5", attestations=desk.file("answer.json", own.answer()))
    assert none.outcome == "not-examined"


def test_loss_alarms(desk: Desk) -> None:
    record = document()
    record["versions"]["1.2.5"]["dist"].pop("attestations")
    record["versions"]["1.2.5"]["_npmUser"] = {"name": "keeper", "email": "other@harbour.example"}
    path = desk.file("record.json", record)
    report = desk.run(f"npm:{NAME}@1.2.5", record=path)
    (found,) = report.results
    assert (found.lost, found.predecessor) == (("provenance", "trusted_publisher"), "1.2.4")
    assert (found.outcome, found.alarming, report.exit_code) == ("verified", True, 12)
    assert next(trust_lines(report)).startswith("LOST  @harbour/crate 1.2.5")
    assert trust_facts(found) == ()  # the record's own facts tell a loss


def test_a_signature_for_other_bytes(desk: Desk) -> None:
    record = document()
    record["versions"]["1.2.5"]["dist"]["integrity"] = own.integrity(b"other bytes")
    path = desk.file("record.json", record)
    report = desk.run(f"npm:{NAME}@1.2.5", record=path, attestations=desk.file("answer.json", answer("1.2.5")))
    (found,) = report.results
    assert [item.outcome for item in found.signatures] == ["rejected"]
    assert [item.outcome for item in found.attestations] == ["rejected", "rejected"]
    assert report.exit_code == 13
    facts = trust_facts(found)
    assert [(fact.kind, fact.attributes["what"]) for fact in facts] == [
        ("trust.invalid", "signature"),
        ("trust.invalid", "publication"),
        ("trust.invalid", "attestation"),
    ]
    for fact in facts:
        assert set(fact.attributes) <= set(WORDS[fact.kind][1])


def test_other_claims_than_before(desk: Desk) -> None:
    other = own.CLAIMS | {
        11: "self-hosted",
        18: f"{own.REPOSITORY}/.forge/workflows/other.yml@refs/heads/patch",
        14: "refs/heads/patch",
    }
    changed = answer("1.2.5", der=own.certificate(other))
    found = desk.one(
        "1.2.5",
        attestations=desk.file("answer.json", changed),
        earlier=(desk.file("earlier.json", answer("1.2.4")),),
    )
    assert [(item.claim, item.expected, item.found, item.by) for item in found.differences] == [
        ("workflow", own.WORKFLOW, ".forge/workflows/other.yml", "1.2.4"),
        ("runner", "hosted", "self-hosted", "1.2.4"),
    ]
    assert (found.outcome, found.alarming) == ("verified", True)
    assert [fact.kind for fact in trust_facts(found)] == ["trust.changed", "trust.changed"]


def test_a_renamed_repository_is_the_same_by_its_number(desk: Desk) -> None:
    place = "https://forge.example/pier/crate"
    renamed = own.CLAIMS | {12: place, 18: f"{place}/{own.WORKFLOW}@refs/tags/v1.2.5"}
    found = desk.one(
        "1.2.5",
        attestations=desk.file("answer.json", answer("1.2.5", der=own.certificate(renamed))),
        earlier=(desk.file("earlier.json", answer("1.2.4")),),
    )
    assert (found.differences, found.compared_with) == ((), "1.2.4")
    moved = renamed | {15: "1", 17: "2"}
    found = desk.one(
        "1.2.5",
        attestations=desk.file("answer.json", answer("1.2.5", der=own.certificate(moved))),
        earlier=(desk.file("earlier.json", answer("1.2.4")),),
    )
    assert [item.claim for item in found.differences] == ["repository", "repository_id", "owner_id"]


@pytest.mark.parametrize(
    ("expected", "outcome"),
    [
        (f"repository={own.REPOSITORY}", "verified"),
        ("repository=https://forge.example/harbour/other", "rejected"),
        ("repository=harbour/crate", "rejected"),  # the short form is an address on another forge
        ("workflow=release.yml", "verified"),
        ("workflow=.forge/workflows/release.yml", "verified"),
        ("workflow=elease.yml", "rejected"),
        ("ref=refs/tags/v*", "verified"),
        ("ref=refs/heads/*", "rejected"),
        ("issuer=https://token.issuer.example", "verified"),
    ],
)
def test_expectations(desk: Desk, expected: str, outcome: str) -> None:
    found = desk.one("1.2.5", attestations=desk.file("answer.json", answer("1.2.5")), expected=(expected,))
    assert found.outcome == outcome


def test_an_expectation_without_attestation_fails(desk: Desk) -> None:
    found = desk.one("1.2.1", expected=("workflow=release.yml",))
    assert found.outcome == "rejected"
    assert [(item.claim, item.found) for item in found.differences] == [("workflow", "")]
    assert desk.one("1.2.5", expected=("workflow=release.yml",)).outcome == "rejected"


@pytest.mark.parametrize("text", ["repository", "repository=", "colour=red", "ref=a,ref=b"])
def test_expectations_that_are_none(desk: Desk, text: str) -> None:
    with pytest.raises(UsageError):
        desk.one("1.2.5", expected=(text,))


def test_python(desk: Desk) -> None:
    file, content = "harbour_crate-1.2.3-py3-none-any.whl", b"the bytes of a wheel"
    digest = hashlib.sha256(content).hexdigest()
    page = {
        "meta": {"api-version": "1.1"},
        "name": "harbour-crate",
        "versions": ["1.2.3"],
        "files": [
            {
                "filename": file,
                "url": f"http://localhost/{file}",
                "hashes": {"sha256": digest},
                "upload-time": "2026-05-04T00:00:00Z",
                "provenance": "http://localhost/provenance",
            }
        ],
    }
    provenance = own.python_answer(own.python_attestation(own.python_statement(file, content)))
    report = desk.run(
        "pypi:harbour-crate==1.2.3",
        record=desk.file("page.json", page),
        attestations=desk.file("provenance.json", provenance),
        artifact=desk.file(file, content),
    )
    (found,) = report.results
    assert (found.outcome, found.ecosystem, report.exit_code) == ("verified", "PyPI", 0)
    (one,) = found.attestations
    assert (one.subject, one.compared) == (file, ("integrity", "archive"))
    report = desk.run("pypi:harbour-crate==1.2.3", record=desk.file("page.json", page))
    assert report.exit_code == 4


def lockfile(desk: Desk, versions: dict[str, str]) -> Path:
    packages: dict[str, Any] = {"": {"name": "quay", "version": "1.0.0"}}
    for version, integrity in versions.items():
        packages[f"node_modules/a{version}/node_modules/{NAME}"] = {
            "version": version,
            "resolved": f"https://registry.example/{NAME}/-/crate-{version}.tgz",
            "integrity": integrity,
        }
    content = {"name": "quay", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    return desk.file("package-lock.json", content)


def test_lockfile(desk: Desk) -> None:
    folder = desk.folder / "documents"
    folder.mkdir()
    (folder / "crate.json").write_text(json.dumps(document()))
    good = {version: own.integrity(archive) for version, archive in ARCHIVES.items()}
    report = desk.run(lockfiles=(str(lockfile(desk, good)),), folders=(str(folder),))
    (found,) = report.lockfiles
    assert (found.packages, found.verified, found.results, report.exit_code) == (6, 6, (), 0)
    other = good | {"1.2.3": own.integrity(b"other bytes")}
    report = desk.run(lockfiles=(str(lockfile(desk, other)),), folders=(str(folder),))
    (found,) = report.lockfiles
    assert (found.verified, report.exit_code) == (5, 13)
    assert (
        found.results[0].signatures[0].reason == "the lockfile demands another integrity than the record that is signed"
    )
    gone = good | {"1.3.0": own.integrity(b"another")}
    report = desk.run(lockfiles=(str(lockfile(desk, gone)),), folders=(str(folder),))
    assert (report.lockfiles[0].verified, report.exit_code) == (6, 4)
    assert "does not hold the version" in report.lockfiles[0].refusals[-1].reason


def test_a_lockfile_whose_records_lost_their_signatures(desk: Desk) -> None:
    folder = desk.folder / "documents"
    folder.mkdir()
    record = document()
    for version in record["versions"].values():
        del version["dist"]["signatures"]
    (folder / "crate.json").write_text(json.dumps(record))
    good = {version: own.integrity(archive) for version, archive in ARCHIVES.items()}
    report = desk.run(lockfiles=(str(lockfile(desk, good)),), folders=(str(folder),))
    (found,) = report.lockfiles
    assert (found.verified, found.unsigned, report.exit_code) == (0, 6, 4)


def test_no_lockfile(desk: Desk) -> None:
    with pytest.raises(UsageError):
        desk.run(lockfiles=(str(desk.file("notes.txt", b"nothing")),))


@pytest.mark.parametrize("references", [(), ("./crate.tgz",), ("npm:a@1", "npm:b@1")])
def test_usage(desk: Desk, references: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        desk.run(*references, record=desk.root if references else None)


def test_a_record_about_something_else(desk: Desk) -> None:
    with pytest.raises(UsageError):
        desk.one("1.2.5", document(name="other"))
    with pytest.raises(UsageError):
        desk.run("npm:a@1.0.0", record=desk.file("record.json", b"nothing"))


def test_bundled_roots_and_their_age(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from pratique.adapters import clock
    from pratique.workflow.trust_roots import roots_in_force, state_of

    roots = roots_in_force(folder=desk.folder / "none")
    state = state_of(roots)
    assert (roots.source, len(roots.logs) > 0, len(roots.registry_keys) > 0) == ("bundled", True, True)
    taken = datetime.datetime.fromisoformat(state.taken).replace(tzinfo=datetime.UTC)
    monkeypatch.setattr(clock, "now", lambda: taken + datetime.timedelta(days=300))
    assert "300 days old" in state_of(roots).remark
    (desk.folder / "roots.json").write_bytes(b"{}")
    from pratique.model.errors import ConfigurationError

    with pytest.raises(ConfigurationError):
        roots_in_force(folder=desk.folder)


def test_json_and_text(desk: Desk) -> None:
    import jsonschema

    hostile = document()
    hostile["versions"]["1.2.5"]["_npmUser"]["name"] = "\x1b[31mred\u202e"
    path = desk.file("record.json", hostile)
    report = desk.run(f"npm:{NAME}@1.2.5", record=path, attestations=desk.file("answer.json", answer("1.2.5")))
    whole = json.loads(trust_json(report))
    jsonschema.validate(whole, schema())
    assert (whole["schema"], whole["exit_code"]) == ("pratique.trust/1", 0)
    assert whole["results"][0]["outcome"] == "verified"
    lines = list(trust_lines(report))
    assert len(lines) < 25
    assert max(len(line) for line in lines) <= 100
    assert "\x1b" not in "".join(lines)
    assert any("not what they do" in line for line in lines)


def test_the_published_schema_is_current() -> None:
    from pratique.report import trust_schema

    assert trust_schema.PATH.read_text(encoding="utf-8") == trust_schema.text()
