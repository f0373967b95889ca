"""Registry records out of documents: three states, nothing invented, nothing secret kept."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.ecosystems.npm.release_record import Packument, digest_of
from pratique.ecosystems.pypi.release_record import choose, read_page, with_legacy

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


def version(text: str, **more: Any) -> dict[str, Any]:
    return {
        "name": "alpha",
        "version": text,
        "dist": {"tarball": f"https://registry.example/alpha/-/alpha-{text}.tgz", "integrity": "sha512-AAAA"},
        "_npmUser": {"name": "ann", "email": "ann@mail.example"},
        **more,
    }


def document(**more: Any) -> dict[str, Any]:
    first = version(
        "1.0.0", gitHead="a" * 40, dependencies={"beta": "^1"}, maintainers=[{"name": "ann", "email": "x@own.test"}]
    )
    first["dist"]["attestations"] = {
        "url": "https://registry.example/-/npm/v1/attestations/alpha@1.0.0",
        "provenance": {"predicateType": "https://slsa.example/provenance/v1"},
    }
    first["dist"]["signatures"] = [{"keyid": "SHA256:abc", "sig": "x"}]
    first["_npmUser"]["trustedPublisher"] = {"id": "github", "oidcConfigId": "x"}
    second = version("1.0.1", _npmUser={"name": "bob", "email": "bob@mail.example"})
    return {
        "name": "alpha",
        "dist-tags": {"latest": "1.0.1"},
        "time": {
            "created": "2026-01-01T00:00:00.000Z",
            "1.0.0": "2026-01-01T00:00:00.000Z",
            "0.9.0": "2026-01-01T00:00:00.000Z",
            "1.0.1": "2026-02-01T00:00:00.000Z",
        },
        "versions": {"1.0.0": first, "1.0.1": second},
        **more,
    }


def packument(value: Any) -> Packument:
    return Packument(json.dumps(value).encode())


def test_present_and_absent() -> None:
    found = packument(document())
    old, new = found.record("1.0.0"), found.record("1.0.1")
    assert old.provenance.state == "present"
    assert old.provenance.value == "https://registry.example/-/npm/v1/attestations/alpha@1.0.0"
    assert new.provenance.state == "absent"
    assert old.trusted_publisher.value == "github"
    assert new.trusted_publisher.state == "absent"
    assert old.signatures.value == ("SHA256:abc",)
    assert new.git_head.state == "absent"
    assert new.publisher.value is not None
    assert new.publisher.value.name == "bob"
    assert new.published.value == 1769904000.0
    assert new.first_published.value == 1767225600.0
    assert new.tags.value == {"latest": "1.0.1"}
    assert new.yanked.state == "absent"


def test_what_a_mirror_drops_is_unavailable_and_not_absent() -> None:
    bare = document()
    for one in bare["versions"].values():
        one.pop("_npmUser")
        one.pop("gitHead", None)
        one["dist"].pop("attestations", None)
        one["dist"].pop("signatures", None)
    bare.pop("time")
    record = packument(bare).record("1.0.1")
    for name in (
        "provenance",
        "trusted_publisher",
        "publisher",
        "git_head",
        "signatures",
        "published",
        "first_published",
        "approver",
    ):
        stated = getattr(record, name)
        assert stated.state == "unavailable", name
        assert stated.reason, name
    assert record.history.value is not None
    assert [item.version for item in record.history.value] == ["1.0.0"]
    assert record.history.value[0].provenance == "unavailable"


def test_addresses_of_people_are_digests_alone() -> None:
    record = packument(document()).record("1.0.0")
    text = msgspec.json.encode(record).decode()
    assert "mail.example" not in text
    assert "own.test" not in text
    assert record.publisher.value is not None
    assert record.publisher.value.address == digest_of("ANN@mail.example ")


def test_history_is_dated_and_names_dependencies_and_removed_versions() -> None:
    history = packument(document()).record("1.0.1").history.value
    assert history is not None
    assert [item.version for item in history] == ["0.9.0", "1.0.0"]
    assert history[0].dependencies is None
    assert history[1].dependencies == ("beta",)
    assert history[1].provenance == "present"


def test_approver_of_a_staged_release() -> None:
    value = document()
    value["versions"]["1.0.0"]["_npmUser"]["approver"] = {"name": "cy", "email": "c@d.example"}
    assert packument(value).record("1.0.0").approver.value == "cy"
    assert packument(value).record("1.0.1").approver.state == "absent"


def test_a_version_that_is_gone_keeps_what_the_document_knows() -> None:
    record = packument(document()).record("0.9.0")
    assert record.published.state == "present"
    assert record.integrity.state == "unavailable"
    assert "does not hold" in record.integrity.reason


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"<html></html>", "HTML"),
        (b"", "document"),
        (b"[]", "document"),
        (b'{"versions":{}}', "document"),
        (b'{"name":1}', "document"),
    ],
)
def test_what_is_no_packument_says_so(data: bytes, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        Packument(data)


def test_odd_versions_and_fields_do_no_harm() -> None:
    value = document(**{"dist-tags": [1], "time": "no"})
    value["versions"]["banana"] = version("banana")
    value["versions"]["2.0.0"] = 7
    value["versions"]["3.0.0"] = {"dist": "x", "_npmUser": [], "maintainers": 3, "dependencies": ["a"]}
    found = packument(value)
    assert set(found.versions) == {"1.0.0", "1.0.1", "banana", "3.0.0"}
    assert found.archive("3.0.0") == (None, None, None)
    assert found.manifest("2.0.0") is None
    assert found.record("banana").published.state == "unavailable"
    assert {release.version for release in found.package().releases} == set(found.versions)


@given(
    st.dictionaries(
        st.sampled_from(["dist", "_npmUser", "gitHead", "maintainers", "repository", "license", "dependencies"]), JSON
    ),
    JSON,
    JSON,
)
@settings(max_examples=60, deadline=None)
def test_any_fields_give_a_record(fields: Any, times: Any, tags: Any) -> None:
    found = packument({"name": "alpha", "versions": {"1.0.0": fields, "x": fields}, "time": times, "dist-tags": tags})
    for text in ("1.0.0", "x", "9.9.9"):
        msgspec.json.encode(found.record(text))


@given(st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_a_document_or_a_reason(data: bytes) -> None:
    for read in (Packument, lambda content: read_page(content, "https://index.example/simple/x/")):
        try:
            read(data)
        except ValueError as error:
            assert str(error)


PAGE = {
    "meta": {"api-version": "1.4"},
    "name": "Some.Name",
    "files": [
        {
            "filename": "some_name-1.0-py3-none-any.whl",
            "url": "../../files/some_name-1.0-py3-none-any.whl",
            "hashes": {"sha256": "AB" * 32},
            "upload-time": "2026-01-02T00:00:00Z",
            "provenance": "https://index.example/integrity/some-name/1.0/provenance?x=secret",
            "yanked": False,
            "size": 10,
        },
        {
            "filename": "some_name-1.0.tar.gz",
            "url": "https://files.example/some_name-1.0.tar.gz",
            "hashes": {},
            "upload-time": "2026-01-01T00:00:00Z",
        },
        {
            "filename": "some_name-1.1.tar.gz",
            "url": "https://files.example/some_name-1.1.tar.gz",
            "hashes": {},
            "yanked": "bad build",
        },
        {"filename": "some_name-1.1.exe", "url": "https://files.example/x.exe"},
        {"filename": "some_name-2.0.tar.gz", "url": "file:///etc/passwd"},
        {"filename": "../some_name-3.0.tar.gz", "url": "https://files.example/x"},
        7,
    ],
}


def test_a_simple_page() -> None:
    project = read_page(json.dumps(PAGE).encode(), "https://index.example/simple/some-name/")
    assert project.name == "some-name"
    assert [file.name for file in project.files_of("1.0.0")] == [
        "some_name-1.0-py3-none-any.whl",
        "some_name-1.0.tar.gz",
    ]
    assert project.files[0].url == "https://index.example/files/some_name-1.0-py3-none-any.whl"
    assert set(project.by_version) == {"1", "1.1"}
    record = project.record("1.0", "some_name-1.0-py3-none-any.whl")
    assert record.published.value == 1767225600.0
    assert record.integrity.value == f"sha256:{'ab' * 32}"
    assert record.provenance.value == "https://index.example/integrity/some-name/1.0/provenance"
    assert record.yanked.state == "absent"
    later = project.record("1.1")
    assert later.provenance.state == "absent"
    assert later.yanked.value == "bad build"
    assert later.published.state == "unavailable"
    assert later.publisher.state == "unavailable"


def test_a_page_in_html() -> None:
    html = b"""<html><body><a href="some_name-1.0.tar.gz#sha256=abcd" data-yanked="">x</a>
    <a href="some_name-1.1.tar.gz">y</a></body></html>"""
    project = read_page(html, "https://index.example/simple/some-name/")
    record = project.record("1.0")
    assert record.yanked.value == "yanked"
    assert record.provenance.state == "unavailable"
    assert record.published.state == "unavailable"
    with pytest.raises(ValueError, match="HTML"):
        read_page(b"<html>please sign in</html>", "https://index.example/simple/x/")


def test_the_older_document_adds_repository_and_owners() -> None:
    project = read_page(json.dumps(PAGE).encode(), "https://index.example/simple/some-name/")
    legacy = {
        "info": {"name": "some-name", "project_urls": {"Source": "https://code.example/x?token=1"}, "license": "MIT"},
        "ownership": {"roles": [{"role": "Owner", "user": "ann"}]},
    }
    record = with_legacy(project, json.dumps(legacy).encode()).record("1.0")
    assert record.repository.value == "https://code.example/x"
    assert record.maintainers.value is not None
    assert record.maintainers.value[0].name == "ann"
    other = with_legacy(project, json.dumps({"info": {"name": "other"}}).encode())
    assert other.record("1.0").repository.state == "unavailable"


def test_the_wheel_of_this_machine_and_the_source() -> None:
    names = [
        "a-1.0-cp311-cp311-win_amd64.whl",
        "a-1.0-cp311-cp311-linux_x86_64.whl",
        "a-1.0-py3-none-any.whl",
        "a-1.0.zip",
        "a-1.0.tar.gz",
    ]
    page = {"name": "a", "files": [{"filename": name, "url": f"https://f.example/{name}"} for name in names]}
    files = read_page(json.dumps(page).encode(), "https://f.example/simple/a/").files_of("1.0")
    wheel, source = choose(files, ["cp311-cp311-linux_x86_64", "py3-none-any"])
    assert wheel is not None
    assert source is not None
    assert wheel.name == "a-1.0-cp311-cp311-linux_x86_64.whl"
    assert source.name == "a-1.0.tar.gz"
    assert choose((), ["py3-none-any"]) == (None, None)
