"""Package URLs and version ranges."""

from __future__ import annotations

import pytest

from pratique.ecosystems.purl import parse, ranges


@pytest.mark.parametrize(
    ("text", "ecosystem", "name", "version"),
    [
        ("pkg:npm/axios@1.14.1", "npm", "axios", "1.14.1"),
        ("pkg:npm/%40scope/name@1.0.0%2Bbuild", "npm", "@scope/name", "1.0.0+build"),
        ("pkg:npm/@scope/name@1.0.0", "npm", "@scope/name", "1.0.0"),
        ("pkg:npm/@scope/name", "npm", "@scope/name", ""),
        ("PKG:NPM/axios@1.14.1?download_url=http%3A%2F%2Fregistry.example%2Fa@b#x", "npm", "axios", "1.14.1"),
        ("pkg://npm/axios@1.14.1", "npm", "axios", "1.14.1"),
        ("pkg:pypi/Zope.Interface@8.0", "PyPI", "zope-interface", "8.0"),
        ("pkg:github/TJ-Actions/changed-files@v45", "GitHub Actions", "tj-actions/changed-files", "v45"),
        ("pkg:githubactions/actions/checkout@v4#sub", "GitHub Actions", "actions/checkout", "v4"),
        ("pkg:maven/org.example/axios@1.14.1", "", "org.example/axios", "1.14.1"),
    ],
)
def test_parts(text: str, ecosystem: str, name: str, version: str) -> None:
    found = parse(text)
    assert found is not None
    assert (found.ecosystem, found.name, found.version) == (ecosystem, name, version)


@pytest.mark.parametrize("text", ["", "axios", "pkg:", "pkg:npm", "pkg:npm/", "http://npm/axios@1"])
def test_no_package_url(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vers:npm/1.14.1", ("npm", ["1.14.1"])),
        ("vers:npm/=1.14.1|>=2.0.0|<3.0.0", ("npm", ["1.14.1", ">=2.0.0 <3.0.0"])),
        ("vers:npm/<1.0.0|>=2.0.0", ("npm", ["<1.0.0", ">=2.0.0"])),
        ("vers:npm/>=1.0.0|!=1.1.0|<2.0.0", ("npm", [">=1.0.0 <2.0.0"])),
        ("vers:npm/*", ("npm", ["*"])),
        ("vers:pypi/1.0|>=2.0|<3.0", ("PyPI", ["==1.0", ">=2.0,<3.0"])),
        ("vers:pypi/*", ("PyPI", [">=0"])),
        ("1.14.1", ("", [])),
        ("vers:npm/", ("npm", [])),
    ],
)
def test_ranges(text: str, expected: tuple[str, list[str]]) -> None:
    assert ranges(text) == expected
