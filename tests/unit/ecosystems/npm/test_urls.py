"""URLs as registries, mirrors and managers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.npm.urls import origin_of, strip_url, tarball_release

HOST = "https://registry.example"
DIGEST = "0123456789abcdef0123456789abcdef01234567"
AXIOS, SCOPED = ("axios", "1.14.1"), ("@s/n", "1.2.3-rc.1")


@pytest.mark.parametrize(
    ("path", "release"),
    [
        ("/axios/-/axios-1.14.1.tgz", AXIOS),
        ("/axios/-/axios-1.14.1.tgz?cache=0#x", AXIOS),
        ("/axios/-/axios-1.14.1.tar.gz", AXIOS),
        ("/@s/n/-/n-1.2.3-rc.1.tgz", SCOPED),
        ("/@s%2fn/-/n-1.2.3-rc.1.tgz", SCOPED),
        ("/%40s%2Fn/-/n-1.2.3-rc.1.tgz", SCOPED),
        ("/@s/n/-/@s/n-1.2.3-rc.1.tgz", SCOPED),
        ("/@s/n/-/s-n-1.2.3-rc.1.tgz", SCOPED),
        ("/a/-/a-1.0.0+build.5.tgz", ("a", "1.0.0+build.5")),
        ("/a-1/-/a-1-1.0.0.tgz", ("a-1", "1.0.0")),
        # Artifactory, Nexus, Azure, GitLab, CodeArtifact, Gitea, cnpm, GitHub
        ("/artifactory/api/npm/npm-remote/axios/-/axios-1.14.1.tgz", AXIOS),
        ("/artifactory/api/npm/npm-remote/@s/n/-/@s/n-1.2.3-rc.1.tgz", SCOPED),
        ("/repository/npm-proxy/axios/-/axios-1.14.1.tgz", AXIOS),
        ("/repository/npm/@s/n/-/n-1.2.3-rc.1.tgz", SCOPED),
        ("/org/_packaging/feed/npm/registry/axios/-/axios-1.14.1.tgz", AXIOS),
        ("/api/v4/projects/7/packages/npm/@s/n/-/@s/n-1.2.3-rc.1.tgz", SCOPED),
        ("/npm/repo/axios/-/axios-1.14.1.tgz", AXIOS),
        ("/api/packages/o/npm/%40s%2Fn/-/1.2.3-rc.1/n-1.2.3-rc.1.tgz", SCOPED),
        ("/axios/download/axios-1.14.1.tgz", AXIOS),
        ("/@s/n/download/@s/n-1.2.3-rc.1.tgz", SCOPED),
        (f"/download/@s/n/1.2.3-rc.1/{DIGEST}", SCOPED),
        # no archive of a release
        ("/axios", None),
        ("/@s%2fn", None),
        ("/axios/-/axios.tgz", None),
        ("/axios/-/axios-latest.tgz", None),
        ("/axios/-/axios-mock-adapter-1.0.0.tgz", None),
        ("/axios/-/other-1.14.1.tgz", None),
        ("/o/r/archive/v1.14.1.tar.gz", None),
        ("/-/npm/v1/security/advisories/bulk", None),
        ("/download/axios/latest/" + DIGEST, None),
    ],
)
def test_releases_of_archives(path: str, release: tuple[str, str] | None) -> None:
    assert tarball_release(HOST + path) == release


@pytest.mark.parametrize(
    ("url", "stripped"),
    [
        ("https://u:secret@h.example:8443/a?t=secret#secret", "https://h.example:8443/a"),
        ("git+ssh://git:secret@h.example/o/r.git#main", "git+ssh://h.example/o/r.git"),
        ("http://[::1]:4873/a", "http://[::1]:4873/a"),
        ("https://u:secret@h.example:port/a?secret", "https://h.example:port/a"),
        ("file:../a.tgz?secret", "file:../a.tgz"),
        ("npm:axios@^1", "npm:axios@^1"),
        ("", ""),
    ],
)
def test_urls_lose_their_secrets(url: str, stripped: str) -> None:
    assert strip_url(url) == stripped


@pytest.mark.parametrize(
    ("resolved", "origin"),
    [
        (None, "unknown"),
        ("", "unknown"),
        ("https://h.example/a/-/a-1.0.0.tgz", "registry"),
        ("git+https://h.example/r.git#0a", "git"),
        ("github:o/r#0a", "git"),
        ("https://h.example/r.git#0a", "git"),
        ("file:../a", "file"),
        ("../a", "file"),
        ("link:../a", "link"),
    ],
)
def test_origins(resolved: str | None, origin: str) -> None:
    assert origin_of(resolved) == origin


@given(st.text(alphabet="htps:/@%2f-.019an?#[]", max_size=60))
def test_any_text_is_answered(text: str) -> None:
    tarball_release(text)
    origin_of(text)
    assert "?" not in strip_url(text)
