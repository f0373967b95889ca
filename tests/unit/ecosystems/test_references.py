"""References to releases: what each form means, and what is said where it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems import references
from pratique.ecosystems.references import Reference, parse, release_purl
from pratique.model.errors import UsageError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npm:axios@1.14.1", ("npm", "axios", "1.14.1")),
        ("npm:axios", ("npm", "axios", "")),
        ("npm:axios@^1", ("npm", "axios", "^1")),
        ("npm:axios@next", ("npm", "axios", "next")),
        ("npm:@scope/name@1.0.0", ("npm", "@scope/name", "1.0.0")),
        ("npm:@scope/name", ("npm", "@scope/name", "")),
        ("npm:axios@>=1 <2", ("npm", "axios", ">=1 <2")),
        ("pypi:Some_Name==1.0", ("PyPI", "some-name", "==1.0")),
        ("pypi:name", ("PyPI", "name", "")),
        ("pypi:name[extra]>=1,<2", ("PyPI", "name", ">=1,<2")),
        ("pypi:name@1.0", ("PyPI", "name", "==1.0")),
        ("pkg:npm/axios@1.14.1", ("npm", "axios", "1.14.1")),
        ("pkg:npm/%40scope/name@1.0.0", ("npm", "@scope/name", "1.0.0")),
        ("pkg:pypi/Name@1.0", ("PyPI", "name", "==1.0")),
    ],
)
def test_forms(text: str, expected: tuple[str, str, str]) -> None:
    found = parse(text)
    assert (found.ecosystem, found.name, found.wanted) == expected
    assert found.text == text


@pytest.mark.parametrize(
    "text", ["./axios-1.14.1.tgz", "build/pkg", "file:dist/a.whl", "C:\\x\\y.tgz", "axios-1.14.1.tgz"]
)
def test_anything_else_is_a_path(text: str) -> None:
    assert parse(text).ecosystem is None
    assert parse(text).path == text.removeprefix("file:")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "npm:",
        "npm:../../etc@1.0.0",
        "npm:@scope@1.0.0",
        "npm:a/b/c@1.0.0",
        "npm:@scope/..@1.0.0",
        "npm:axios@file:../x",
        "npm:axios@npm:other@1",
        "npm:na me@1.0.0",
        "npm:a\\b@1.0.0",
        "npm:na%2fme@1.0.0",
        "pypi:",
        "pypi:-name==1",
        "pypi:name==not a version",
        "pkg:cargo/serde@1.0.0",
        "pkg:npm/",
        "https://registry.example/axios.tgz",
        "npm:axios@1.0.0\nx",
    ],
)
def test_what_is_no_reference_says_what_to_write(text: str) -> None:
    with pytest.raises(UsageError) as error:
        parse(text)
    assert error.value.what
    assert error.value.where
    assert error.value.advice


@given(st.text(max_size=60))
def test_any_text_is_a_reference_or_an_error_of_usage(text: str) -> None:
    for prefix in ("", "npm:", "pypi:", "pkg:npm/", "pkg:pypi/"):
        try:
            found = parse(prefix + text)
        except UsageError:
            continue
        assert isinstance(found, Reference)
        if found.ecosystem == "npm":
            assert references.npm_name(found.name)
            assert ".." not in found.name.split("/")


def test_purls_are_encoded() -> None:
    assert release_purl("npm", "@scope/name", "1.0.0") == "pkg:npm/%40scope/name@1.0.0"
    assert release_purl("PyPI", "Some_Name", "1.0") == "pkg:pypi/some-name@1.0"
    assert parse(release_purl("npm", "@scope/name", "1.0.0-rc.1+b")).wanted == "1.0.0-rc.1+b"
