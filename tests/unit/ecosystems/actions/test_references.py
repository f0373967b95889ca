"""What a `uses:` asks for."""

from __future__ import annotations

import pytest

from pratique.ecosystems.actions.references import admits, reference

SHA = "0e58ed8671d6b60d0890c21b07f8835ace038e67"


@pytest.mark.parametrize(
    ("text", "kind", "name", "ref", "path"),
    [
        ("actions/checkout@v4", "repository", "actions/checkout", "v4", ""),
        ("TJ-Actions/Changed-Files@V45", "repository", "tj-actions/changed-files", "V45", ""),
        (f"tj-actions/changed-files@{SHA.upper()}", "repository", "tj-actions/changed-files", SHA, ""),
        ("o/r/sub/dir@main", "repository", "o/r", "main", "sub/dir"),
        ("o/r/.github/workflows/w.yml@refs/tags/v1", "repository", "o/r", "refs/tags/v1", ".github/workflows/w.yml"),
        ("https://code.example/o/r@v1", "repository", "o/r", "v1", ""),
        ("o/r@feature/x@y", "repository", "o/r", "feature/x@y", ""),
        ("./.github/actions/x", "local", "./.github/actions/x", "", ""),
        ("docker://alpine:3.20", "image", "alpine", "3.20", ""),
        (f"docker://ghcr.io/o/i@sha256:{'a' * 64}", "image", "ghcr.io/o/i", f"sha256:{'a' * 64}", ""),
    ],
)
def test_references_are_told_apart(text: str, kind: str, name: str, ref: str, path: str) -> None:
    found = reference(text)
    assert found is not None
    assert (found.kind, found.name, found.ref, found.path) == (kind, name, ref, path)


@pytest.mark.parametrize("text", ["", "actions/checkout", "checkout@v4", "@v4", "a b/c@v1", "x" * 5000])
def test_what_no_runner_takes_is_nothing(text: str) -> None:
    assert reference(text) is None


def test_a_commit_leads_to_itself_and_a_tag_anywhere() -> None:
    assert admits(SHA, SHA)
    assert not admits(SHA, "1" * 40)
    assert admits(SHA, "v45")
    assert admits("v45", "v45")
    assert not admits("v45", "v46")
