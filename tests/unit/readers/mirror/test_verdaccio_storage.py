"""Verdaccio's storage: what is held, what is only known, and what is never opened."""

from __future__ import annotations

import json
from typing import Any

from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Unreadable
from pratique.readers.mirror.verdaccio_storage import READER
from tests.golden.harness import ALL, in_memory


def told(document: Any, path: str = "storage/axios/package.json") -> list[Observation | Refusal]:
    return list(READER.read(in_memory(json.dumps(document).encode(), path), ALL))


def facts(document: Any, path: str = "storage/axios/package.json") -> list[ComponentFact]:
    return [item.facts for item in told(document, path) if isinstance(item, Observation)]


DOCUMENT = {
    "name": "axios",
    "versions": {"1.14.0": {"dist": {"shasum": "aa", "tarball": "http://u:p@registry.example/axios-1.14.0.tgz?x"}}},
    "dist-tags": {"latest": "1.14.1"},
    "_attachments": {"axios-1.14.1.tgz": {"shasum": "bb"}},
    "_distfiles": {"axios-0.30.4.tgz": {"url": "http://registry.example/x", "sha": "cc"}},
    "_uplinks": {"up": {"fetched": 1774919400000}},
}


def test_held_and_only_known() -> None:
    found = {fact.version: fact for fact in facts(DOCUMENT)}
    assert {version: fact.depth for version, fact in found.items()} == {
        "1.14.0": "resolved",
        "0.30.4": "resolved",
        "1.14.1": "fetched",
    }
    assert found["1.14.1"].files == ("storage/axios/axios-1.14.1.tgz",)
    assert found["1.14.1"].tags == ("latest",)
    assert found["1.14.1"].integrity == ("sha1:bb",)
    assert found["1.14.0"].resolved == "http://registry.example/axios-1.14.0.tgz"


def test_scoped_and_at_the_root_of_the_target() -> None:
    document = {"name": "@types/ms", "_attachments": {"ms-2.1.0.tgz": {}}}
    assert facts(document, "@types/ms/package.json")[0].files == ("@types/ms/ms-2.1.0.tgz",)
    assert facts(document, "package.json")[0].files == ("ms-2.1.0.tgz",)


def test_an_archive_of_a_strange_name_is_a_refusal() -> None:
    found = told({"name": "axios", "_attachments": {"other.bin": {}, "axios-1.14.1.tgz": {}}})
    assert [item.names for item in found if isinstance(item, Refusal)] == [("axios",)]
    assert len(found) == 2


def test_a_manifest_of_a_package_is_nothing() -> None:
    assert told({"name": "axios", "version": "1.14.1"}) == []


def test_wrong_types_are_refusals() -> None:
    for document in ([], 1, {"name": 1}, {"name": "axios", "_attachments": []}, {"versions": "x"}):
        (item,) = told(document)
        assert isinstance(item, Refusal)
        assert item.relevant
    assert facts({"name": "axios", "versions": {"1.0.0": 7}, "_attachments": {"axios-1.0.0.tgz": 3}})


def test_users_and_the_secret_are_never_opened() -> None:
    def content() -> bytes:
        raise Unreadable("it was opened")

    for name in (".verdaccio-db.json", "htpasswd"):
        assert list(READER.read(Artifact("case:", name, content, lambda: None, lambda _: None), Interest({}))) == []


def test_a_document_without_its_name_or_its_list_of_archives_is_a_refusal() -> None:
    for key, reason in (("name", "names no package"), ("_attachments", "does not say which archives it holds")):
        found = told({field: value for field, value in DOCUMENT.items() if field != key})
        assert [(item.reason, item.names) for item in found if isinstance(item, Refusal)] == [(reason, ("axios",))]
    assert {fact.depth for fact in facts({**DOCUMENT, "_attachments": {}})} == {"resolved"}
