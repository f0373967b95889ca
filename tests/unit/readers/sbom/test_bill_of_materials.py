"""Bills of materials: every form, the ways to name a component, and what is refused by name."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from pratique.model.observation import ComponentFact, Observation, RangeFact, Refusal
from pratique.model.ports import Interest
from pratique.readers.sbom.bill_of_materials import READER
from tests.golden.harness import in_memory

NAMES = {
    "npm": frozenset({"axios", "@scope/name", "plain-crypto-js"}),
    "PyPI": frozenset({"litellm", "zope-interface"}),
    "GitHub Actions": frozenset({"tj-actions/changed-files"}),
}
DIGEST = "ab" * 64


def told(document: Any, name: str = "bom.json") -> list[Observation | Refusal]:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return list(READER.read(in_memory(data, name), Interest(NAMES)))


def listed(document: Any, name: str = "bom.json") -> list[tuple[str, str, str]]:
    return [
        (item.facts.ecosystem, item.facts.name, item.facts.version)
        for item in told(document, name)
        if isinstance(item, Observation) and isinstance(item.facts, ComponentFact)
    ]


def reasons(document: Any, name: str = "bom.json") -> list[str]:
    found = [item for item in told(document, name) if isinstance(item, Refusal)]
    assert all(item.relevant for item in found)
    return [item.reason for item in found]


def cyclonedx(*components: Any, **more: Any) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components), **more}


@pytest.mark.parametrize(
    ("component", "expected"),
    [
        ({"name": "x", "version": "9", "purl": "pkg:npm/axios@1.14.1"}, ("npm", "axios", "1.14.1")),
        ({"name": "axios", "version": "1.14.1"}, ("npm", "axios", "1.14.1")),
        ({"group": "@scope", "name": "name", "version": "1.0.0"}, ("npm", "@scope/name", "1.0.0")),
        ({"group": "scope", "name": "name", "version": "1.0.0"}, ("npm", "@scope/name", "1.0.0")),
        ({"name": "Zope.Interface", "version": "8.0"}, ("PyPI", "zope-interface", "8.0")),
        ({"name": "tj-actions/changed-files", "version": "v45"}, ("GitHub Actions", "tj-actions/changed-files", "v45")),
        ({"name": "x", "version": "1.14.1", "purl": "pkg:npm/axios"}, ("npm", "axios", "1.14.1")),
        (
            {"name": "app", "version": "1", "components": [{"name": "axios", "version": "1.14.1"}]},
            ("npm", "axios", "1.14.1"),
        ),
    ],
)
def test_a_component_by_any_of_its_names(component: Any, expected: tuple[str, str, str]) -> None:
    assert listed(cyclonedx(component)) == [expected]


@pytest.mark.parametrize(
    "component",
    [
        {"name": "axios", "version": "1.14.1", "purl": "pkg:maven/org.example/axios@1.14.1"},
        {"group": "org.example", "name": "axios", "version": "1.14.1"},
        {"type": "application", "name": "axios"},
        {"name": "lodash", "version": "4.17.21"},
    ],
)
def test_a_namesake_of_another_world_is_nothing(component: Any) -> None:
    assert told(cyclonedx(component)) == []


def test_hashes_times_and_sources() -> None:
    component = {
        "name": "axios",
        "version": "1.14.1",
        "hashes": [{"alg": "SHA-512", "content": DIGEST.upper()}, {"alg": "MD5", "content": "00"}],
        "externalReferences": [
            {
                "type": "distribution",
                "url": "http://user:word@registry.example/axios-1.14.1.tgz?token=x",
                "hashes": [{"alg": "SHA-1", "content": "cd" * 20}],
            }
        ],
    }
    (item,) = told(cyclonedx(component, metadata={"timestamp": "2026-04-01T10:00:00+02:00"}))
    assert isinstance(item, Observation)
    assert isinstance(item.facts, ComponentFact)
    assert item.facts.integrity == (f"sha512:{DIGEST}", f"sha1:{'cd' * 20}")
    assert item.facts.resolved == "http://registry.example/axios-1.14.1.tgz"
    assert [(time.meaning, time.value) for time in item.times] == [
        ("the bill of materials was made", "2026-04-01T08:00:00.000Z")
    ]


def test_a_git_source_is_no_registry() -> None:
    component = {
        "name": "axios",
        "version": "1.14.1",
        "externalReferences": [{"type": "distribution", "url": "git+ssh://git@code.example/axios.git#abc"}],
    }
    (item,) = told(cyclonedx(component))
    assert isinstance(item, Observation)
    assert isinstance(item.facts, ComponentFact)
    assert item.facts.origin == "git"


def test_a_range_without_a_version() -> None:
    (item,) = told(cyclonedx({"name": "axios", "versionRange": "vers:npm/>=1.14.0|<1.15.0", "isExternal": True}))
    assert isinstance(item, Observation)
    assert item.facts == RangeFact(name="axios", range=">=1.14.0 <1.15.0", field="versionRange")
    assert reasons(cyclonedx({"name": "axios", "versionRange": "?"})) == [
        "lists axios with a range that is not understood"
    ]


def test_no_version_at_all_is_a_refusal_about_that_name() -> None:
    (item,) = told(cyclonedx({"type": "library", "name": "axios"}))
    assert isinstance(item, Refusal)
    assert (item.reason, item.names) == ("lists axios without a version", ("axios",))


def test_the_component_that_the_bill_is_about_is_left_out() -> None:
    assert told(cyclonedx(metadata={"component": {"name": "axios", "version": "1.14.1"}})) == []


SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {
            "name": "axios",
            "versionInfo": "1.14.1",
            "downloadLocation": "NOASSERTION",
            "checksums": [{"algorithm": "SHA512", "checksumValue": DIGEST}],
            "externalRefs": [
                {
                    "referenceCategory": "PACKAGE_MANAGER",
                    "referenceType": "purl",
                    "referenceLocator": "pkg:npm/axios@1.14.1",
                }
            ],
        }
    ],
}


def test_spdx_bare_and_wrapped() -> None:
    expected = [("npm", "axios", "1.14.1")]
    payload = base64.b64encode(json.dumps({"predicateType": "x", "predicate": SPDX}).encode()).decode()
    for document in (
        SPDX,
        {"sbom": SPDX},
        {"predicate": SPDX},
        {"predicate": {"Data": SPDX}},
        {"payloadType": "x", "payload": payload},
    ):
        assert listed(document) == expected
    (item,) = told(SPDX)
    assert isinstance(item, Observation)
    assert isinstance(item.facts, ComponentFact)
    assert item.facts.integrity == (f"sha512:{DIGEST}",)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"lockfileVersion": 3, "packages": {}}, "lockfile of npm"),
        ({"runs": []}, "SARIF"),
        ({"artifacts": [], "source": {}}, "syft's own form"),
        ({"Results": []}, "trivy's own form"),
        ({"schema": "pratique.report/1"}, "report"),
        ({"name": "x", "dependencies": {}}, "manifest"),
        ({}, "nothing that is known"),
        ([], "list"),
        (1, "is not JSON"),
        (b"", "is empty"),
        (b"{", "not whole JSON"),
        (b"[" * 100_000, "list"),
        (b'{"predicate":' * 100_000, "not whole JSON"),
    ],
)
def test_json_that_is_no_bill_says_what_it_looks_like(document: Any, words: str) -> None:
    (reason,) = reasons(document)
    assert words in reason


@pytest.mark.parametrize(
    ("data", "name", "words"),
    [
        (b"SPDXVersion: SPDX-2.3\nPackageName: axios\n", "bom.spdx", "tag and value"),
        (b"spdxVersion: SPDX-2.3\npackages:\n", "bom.yaml", "YAML"),
        (b"\x0a\x03abc", "bom.cdx", "convert it to JSON"),
        (b'<?xml version="1.0"?><rdf xmlns="http://spdx.org/rdf/terms#"/>', "bom.rdf", "RDF"),
        (b"<other/>", "bom.xml", "no bill of materials"),
    ],
)
def test_forms_that_are_not_read_are_named(data: bytes, name: str, words: str) -> None:
    (reason,) = reasons(data, name)
    assert words in reason


def test_other_files_say_nothing() -> None:
    for data, name in ((b"# a page", "README.md"), (b"\0\1", "x.bin"), (b"<html/>", "index.html")):
        assert [item.relevant for item in told(data, name) if isinstance(item, Refusal)] == [False], name


XML = (
    '<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.6"><metadata><timestamp>2026-04-01T08:00:00Z'
    "</timestamp><component type='library'><name>axios</name><version>1.14.1</version></component></metadata>"
    "<components>{}</components></bom>"
)
INNER = (
    "<component type='application'><name>app</name><version>1</version><components><component type='library'>"
    f"<name>axios</name><version>1.14.1</version><hashes><hash alg='SHA-512'>{DIGEST}</hash></hashes></component></components>"
    "</component>"
)


def test_xml_nested_and_cut() -> None:
    document = XML.format(INNER).encode()
    assert listed(document, "bom.xml") == [("npm", "axios", "1.14.1")]
    assert listed(document.decode().encode("utf-16"), "bom.xml") == [("npm", "axios", "1.14.1")]
    for share in (0.3, 0.6, 0.9, 0.99):
        assert reasons(document[: int(len(document) * share)], "bom.xml")


def test_xml_with_declared_entities_is_refused_unread() -> None:
    bomb = '<!DOCTYPE bom [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    document = XML.format(INNER).replace("<bom", f"{bomb}<bom", 1)
    assert reasons(document.encode(), "bom.xml") == ["declares types or entities, which no bill of materials needs"]
    assert reasons(document.encode("utf-16"), "bom.xml")


def test_parts_of_wrong_types_lose_only_themselves() -> None:
    component = {"name": "axios", "version": "1.14.1"}
    document = cyclonedx(7, component, {"name": 7, "purl": []}, {"name": "axios", "version": "1", "purl": "nonsense"})
    assert listed(document) == [("npm", "axios", "1.14.1"), ("npm", "axios", "1")]
    assert reasons(document) == ["holds 3 components that are not understood"]
    assert reasons(cyclonedx(components={"a": 1}))
    assert listed({**SPDX, "packages": [*SPDX["packages"], None]}) == [("npm", "axios", "1.14.1")]


def test_byte_order_marks_and_utf_16() -> None:
    text = json.dumps(cyclonedx({"name": "axios", "version": "1.14.1"}))
    for data in (b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16")):
        assert listed(data) == [("npm", "axios", "1.14.1")]


def test_parts_that_are_not_understood_are_counted() -> None:
    wrong = ["holds 1 components that are not understood"]
    assert reasons(cyclonedx({"version": "1.14.1"})) == wrong
    assert reasons(cyclonedx({"name": "x", "version": "1", "components": {"name": "axios"}})) == wrong
    assert reasons({"@graph": ["axios"]}) == wrong
    assert reasons({"@graph": [{"type": ["software_Package"], "name": "axios"}]}) == wrong
    assert reasons({**SPDX, "packages": [{"versionInfo": "1.14.1"}]}) == wrong


def test_a_bill_without_its_list_or_of_a_later_version_is_a_refusal() -> None:
    assert reasons({"bomFormat": "CycloneDX", "specVersion": "1.6"}) == ["has no list of components"]
    assert reasons({"spdxVersion": "SPDX-2.3"}) == ["has no list of packages"]
    assert reasons({"spdxVersion": "SPDX-2.3", "packages": {"a": {}}}) == ["has no list of packages"]
    assert reasons(cyclonedx(specVersion="2.0")) == ["is CycloneDX 2.0: only what 1.7 prescribes is read"]
    assert reasons({**SPDX, "spdxVersion": "SPDX-4.0"}) == ["is SPDX-4.0: only what SPDX 2.3 prescribes is read"]
    assert reasons(cyclonedx()) == []


def test_xml_of_another_namespace_is_a_refusal() -> None:
    document = XML.format(INNER).replace("http://cyclonedx.org", "https://cyclonedx.org").encode()
    assert [reason.partition(":")[0] for reason in reasons(document, "bom.xml")] == [
        "is XML whose outermost element is no bill"
    ]
