"""Paths of requests to registries and mirrors."""

from __future__ import annotations

import pytest

from pratique.ecosystems.requests import Asked, asked, python_file

NPM = frozenset({"axios", "@types/ms", "foo", "foo-bar"})
PYPI = frozenset({"zope-interface", "toolz", "foo-bar", "litellm"})


@pytest.mark.parametrize(
    ("path", "name", "version"),
    [
        ("/axios/-/axios-1.14.1.tgz", "axios", "1.14.1"),
        ("/repository/npm-proxy/axios/-/axios-1.14.1.tgz?sig=1", "axios", "1.14.1"),
        ("/artifactory/api/npm/npm-remote/axios/-/axios-1.14.1.tgz", "axios", "1.14.1"),
        ("https://mirror.example:8443/npm/axios/-/axios-1.14.1.tgz#x", "axios", "1.14.1"),
        ("axios/-/axios-1.14.1.tgz", "axios", "1.14.1"),
        ("/Axios/-/Axios-1.14.1.tgz", "axios", "1.14.1"),
        ("/@types/ms/-/ms-2.1.0.tgz", "@types/ms", "2.1.0"),
        ("/@types%2fms/-/ms-2.1.0.tgz", "@types/ms", "2.1.0"),
        ("/@types%2Fms/-/ms-2.1.0.tgz", "@types/ms", "2.1.0"),
        ("/%40types%2fms/-/ms-2.1.0.tgz", "@types/ms", "2.1.0"),
        ("/foo/-/foo-1.0.0-beta-1.tgz", "foo", "1.0.0-beta-1"),
        ("/foo-bar/-/foo-bar-1.0.0.tgz", "foo-bar", "1.0.0"),
    ],
)
def test_npm_archives(path: str, name: str, version: str) -> None:
    assert asked(path, NPM, PYPI) == Asked("npm", name, version, archive=True)


@pytest.mark.parametrize(
    ("path", "name", "version"),
    [
        ("/axios", "axios", ""),
        ("/repository/npm-proxy/axios", "axios", ""),
        ("/axios/1.14.1", "axios", "1.14.1"),
        ("/@types%2fms", "@types/ms", ""),
        ("/@types/ms", "@types/ms", ""),
        ("/-/package/axios/dist-tags", "axios", ""),
    ],
)
def test_npm_metadata(path: str, name: str, version: str) -> None:
    assert asked(path, NPM, PYPI) == Asked("npm", name, version, archive=False)


@pytest.mark.parametrize(
    ("path", "name", "version", "archive"),
    [
        ("/simple/zope-interface/", "zope-interface", "", False),
        ("/simple/Zope.Interface", "zope-interface", "", False),
        ("/pypi/toolz/json", "toolz", "", False),
        ("/pypi/toolz/1.0.0/json", "toolz", "1.0.0", False),
        ("/packages/aa/bb/cc/toolz-1.0.0-py3-none-any.whl", "toolz", "1.0.0", True),
        ("/packages/aa/bb/cc/toolz-1.0.0-py3-none-any.whl.metadata", "toolz", "1.0.0", False),
        ("/index/toolz/toolz-1.0.0.tar.gz", "toolz", "1.0.0", True),
        ("/root/pypi/+f/292/c8f1c19e7/zope_interface-8.0-cp311-cp311-linux_x86_64.whl", "zope-interface", "8.0", True),
        ("/packages/foo-bar-1.0-2.zip", "foo-bar", "1.0-2", True),
    ],
)
def test_python(path: str, name: str, version: str, archive: bool) -> None:
    assert asked(path, NPM, PYPI) == Asked("PyPI", name, version, archive=archive)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "/-/ping",
        "/-/npm/v1/security/advisories/bulk",
        "/lodash/-/lodash-4.17.21.tgz",
        "/axios/-/other-1.14.1.tgz",
        "/archive/v1.0.0.tar.gz",
        "/simple/",
        "/pypi/json",
        "%",
        "/%ff%fe",
    ],
)
def test_nothing_of_interest(path: str) -> None:
    assert asked(path, NPM, PYPI) is None


def test_a_wheel_is_told_by_its_own_name() -> None:
    assert python_file("litellm-1.82.7-py3-none-any.whl", PYPI) == ("litellm", "1.82.7")
    assert python_file("litellm-1.82.7-1-py3-none-any.whl", PYPI) == ("litellm", "1.82.7")
    assert python_file("litellm-1.82.7.whl", PYPI) is None
    assert python_file("litellm_proxy-1.82.7.tar.gz", PYPI) is None
