"""`trust update` against a repository on loopback: what is signed and newer is taken, nothing else is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from pratique.model.errors import UsageError
from pratique.model.trust import TrustUpdate
from pratique.report.trust import update_lines
from pratique.workflow.trust_roots import roots_in_force
from pratique.workflow.trust_update import UpdateRequest, update_trust
from tests.standins import authority as own
from tests.standins.trust_repository import Repository, served

KEYS = "registry.example/keys.json"


class Harbour:
    """A repository that is served, and a user's folder."""

    def __init__(self, folder: Path, url: str) -> None:
        self.repository = Repository(folder / "repository")
        self.url = url
        self.kept = folder / "kept"
        self.root = folder / "first-root.json"
        self.root.write_bytes(self.repository.root)

    def update(self, **options: object) -> TrustUpdate:
        chosen = {"repository": self.url, "root": self.root, "keys_target": KEYS, "folder": self.kept} | options
        return update_trust(UpdateRequest(**chosen))  # type: ignore[arg-type]  # options of a test


@pytest.fixture
def harbour(tmp_path: Path) -> Iterator[Harbour]:
    (tmp_path / "repository").mkdir()
    with served(tmp_path / "repository") as url:
        yield Harbour(tmp_path, url)


def test_renewed_then_current_then_renewed(harbour: Harbour) -> None:
    harbour.repository.publish(own.trusted_root(), own.registry_keys())
    found = harbour.update()
    assert (found.reason, found.changed, found.version, found.exit_code) == ("", True, 1, 0)
    assert (found.logs, found.authorities, found.registry_keys) == (1, 1, 4)
    roots = roots_in_force(folder=harbour.kept)
    assert roots.source == "the last update"
    assert roots.registry_key(own.REGISTRY.keyid, "npm:signatures") is not None
    assert harbour.update().changed is False
    fewer = own.compact({"keys": json.loads(own.registry_keys())["keys"][:1]})
    harbour.repository.publish(own.trusted_root(), fewer)
    found = harbour.update(root=None)
    assert (found.changed, found.version, found.registry_keys) == (True, 2, 1)
    assert next(update_lines(found)).startswith("RENEWED  http://127.0.0.1")


def test_an_older_state_is_refused_and_nothing_changes(harbour: Harbour, tmp_path: Path) -> None:
    harbour.repository.publish(own.trusted_root(), own.registry_keys())
    older = tmp_path / "older"
    shutil.copytree(harbour.repository.folder, older)
    harbour.repository.publish(own.trusted_root(), own.compact({"keys": []}))
    assert harbour.update().version == 2
    before = (harbour.kept / "roots.json").read_bytes()
    shutil.copytree(older, harbour.repository.folder, dirs_exist_ok=True)
    found = harbour.update()
    assert "BadVersionNumberError" in found.reason
    assert found.exit_code == 4
    assert (harbour.kept / "roots.json").read_bytes() == before
    assert next(update_lines(found)).startswith("REFUSED")


def test_a_changed_target_is_refused(harbour: Harbour) -> None:
    harbour.repository.publish(own.trusted_root(), own.registry_keys())
    target = harbour.repository.folder / "targets" / "registry.example" / "keys.json"
    target.write_bytes(target.read_bytes().replace(b"2", b"3"))
    assert "must not be taken" in harbour.update().reason
    assert not (harbour.kept / "roots.json").exists()


def test_another_signer_is_refused(harbour: Harbour, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.publish(own.trusted_root(), own.registry_keys())
    for path in other.folder.glob("*.json"):
        shutil.copy(path, harbour.repository.folder / path.name)
    assert "must not be taken" in harbour.update().reason


def test_expired_is_refused(harbour: Harbour) -> None:
    harbour.repository.publish(own.trusted_root(), own.registry_keys(), days=-1)
    assert "ExpiredMetadataError" in harbour.update().reason


def test_a_trusted_root_that_is_none_is_refused(harbour: Harbour) -> None:
    harbour.repository.publish(b"{}", own.registry_keys())
    assert "no trust root" in harbour.update().reason


def test_without_the_registrys_keys_those_known_stay(harbour: Harbour) -> None:
    harbour.repository.publish(own.trusted_root(), None)
    found = harbour.update()
    assert found.reason == ""
    assert found.remarks == (f"the repository has no {KEYS}: the registry's keys stay as they are",)
    assert found.registry_keys == len(roots_in_force(folder=harbour.kept.parent / "none").registry_keys)


def test_nobody_there(harbour: Harbour) -> None:
    found = harbour.update(repository="http://127.0.0.1:9/")
    assert found.reason.startswith("the repository cannot be asked")
    assert harbour.update().reason.startswith("the repository cannot be asked")  # nothing was published yet


@pytest.mark.parametrize(
    "url", ["http://repository.example/", "ftp://127.0.0.1/", "https://a:b@host.example/", "nothing"]
)
def test_addresses_that_are_not_asked(harbour: Harbour, url: str) -> None:
    with pytest.raises(UsageError):
        harbour.update(repository=url)


def test_where_trust_begins_must_be_known(harbour: Harbour) -> None:
    with pytest.raises(UsageError):
        harbour.update(root=None)
