"""Names of files and folders, and what direct references are."""

from __future__ import annotations

import pytest

from pratique.ecosystems.pypi.files import file_of, origin_of, release_of, release_of_info, stripped


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("litellm-1.82.8-py3-none-any.whl", ("litellm", "1.82.8")),
        ("Zope.Interface-5.1-1build-cp311-cp311-win_amd64.whl", ("zope-interface", "5.1")),
        ("torch-2.0.0+cu118-cp311-cp311-linux_x86_64.whl", ("torch", "2.0.0+cu118")),
        ("standin_tools-1.0.tar.gz", ("standin-tools", "1.0")),
        ("python-dateutil-2.9.0.post0.tar.gz", ("python-dateutil", "2.9.0.post0")),
        ("old-1.0.zip", ("old", "1.0")),
        ("litellm-1.82.8-py3.8.egg", ("litellm", "1.82.8")),
        ("Standin.Tools-1.0.egg-info", ("standin-tools", "1.0")),
        ("README.txt", None),
        ("nothing.whl", None),
    ],
)
def test_release_of(file: str, expected: tuple[str, str] | None) -> None:
    assert release_of(file) == expected


def test_release_of_info() -> None:
    assert release_of_info("Standin_Tools-1.0+local.dist-info") == ("standin-tools", "1.0+local")
    assert release_of_info("nothing.dist-info") is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git+https://git.test/a@v1", "git"),
        ("git@git.test:a.git", "git"),
        ("https://h.test/a-1.0.tar.gz", "remote-tarball"),
        ("file:///home/dev/a-1.0-py3-none-any.whl", "unknown"),
        ("./a", "file"),
        ("file:///home/dev/a", "file"),
    ],
)
def test_origin_of(url: str, expected: str) -> None:
    assert origin_of(url) == expected


def test_urls_lose_secrets_and_paths() -> None:
    assert stripped("https://user:hunter2@h.test/a-1.0.tar.gz?token=x#sha256=1") == "https://h.test/a-1.0.tar.gz"
    assert stripped("file:///home/dev/a-1.0.tar.gz") == "a-1.0.tar.gz"
    assert file_of("https://h.test/x/a%2Bb-1.0.zip#egg=a") == "a+b-1.0.zip"
