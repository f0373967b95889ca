"""What a manifest asks for, moved only where it must."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.ecosystems.npm.locks.manifest import CODEC
from pratique.ecosystems.npm.locks.requests import moved, same_line, split

from .stage import CORRECTIONS, good, nothing, reason

MANIFEST = b"""{\r
\t"name": "shop",\r
\t"dependencies": { "axios" : "1.14.1", "left": "*" },\r
\t"devDependencies": {"old": "npm:axios@0.30.4", "axios": "^1.14.1"},\r
\t"overrides": {"axios": "1.14.1", "b": {"axios@^1": "1.14.1"}, "c": {"axios": "^1.14.1"}},\r
\t"resolutions": {"**/axios": "1.14.1"},\r
\t"pnpm": {"overrides": {"b>axios": "1.14.1", "left": "1.14.1"}}\r
}"""


def test_only_the_ranges_change() -> None:
    made = good(CODEC.repair(MANIFEST, CORRECTIONS, nothing))
    wanted = (
        MANIFEST.replace(b'"axios" : "1.14.1"', b'"axios" : "1.14.0"')
        .replace(b"npm:axios@0.30.4", b"npm:axios@0.30.3")
        .replace(b'"axios": "^1.14.1"},\r\n\t"overrides"', b'"axios": "^1.14.0"},\r\n\t"overrides"')
        .replace(b'"overrides": {"axios": "1.14.1"', b'"overrides": {"axios": "1.14.0"')
        .replace(b'"axios@^1": "1.14.1"', b'"axios@^1": "1.14.0"')
        .replace(b'"**/axios": "1.14.1"', b'"**/axios": "1.14.0"')
        .replace(b'"b>axios": "1.14.1"', b'"b>axios": "1.14.0"')
    )
    assert made.content == wanted
    assert len(made.changes) == 7
    assert good(CODEC.repair(made.content, CORRECTIONS, nothing)).changes == ()


@pytest.mark.parametrize(
    "spec", ["^1.14.0", "*", "", "latest", ">=0.30", "1", "~1.14", "workspace:*", "catalog:", "^2"]
)
def test_a_range_that_takes_the_good_release_stays(spec: str) -> None:
    content = json.dumps({"dependencies": {"axios": spec}}).encode()
    assert good(CODEC.repair(content, CORRECTIONS, nothing)).content == content


@pytest.mark.parametrize(
    ("spec", "instead"),
    [
        ("1.14.1", "1.14.0"),
        ("=1.14.1", "1.14.0"),
        ("v1.14.1", "1.14.0"),
        ("^1.14.1", "^1.14.0"),
        ("~1.14.1", "~1.14.0"),
        (">=1.14.1", ">=1.14.0"),
        (">=1.14.1 <2", "1.14.0"),
        ("1.14.1 || 1.14.2", "1.14.0"),
        ("npm:axios@1.14.1", "npm:axios@1.14.0"),
    ],
)
def test_the_sign_of_a_range_stays(spec: str, instead: str) -> None:
    assert moved(spec, ("1.14.1",), "1.14.0") == instead


def test_a_direct_payload_is_a_reason() -> None:
    content = json.dumps({"dependencies": {"plain-crypto-js": "^4.2.1"}}).encode()
    assert "take it out by hand" in reason(CODEC.repair(content, CORRECTIONS, nothing))


def test_what_is_no_release_of_a_registry() -> None:
    assert split("a", "npm:@s/b@^1") == ("@s/b", "^1")
    for spec in ("file:../x", "github:o/r", "o/r#main", "http://h.test/a.tgz", "git+ssh://x", "link:../a", "./a"):
        assert split("a", spec) == ("a", None)
    assert split("a", "") == ("a", "")


def test_lines() -> None:
    assert same_line("1.14.1", "1.0.0")
    assert not same_line("1.14.1", "2.0.0")
    assert same_line("0.30.4", "0.30.3")
    assert not same_line("0.30.4", "0.29.0")


@given(st.binary(max_size=100) | st.text(alphabet='{}[]",:axios1.4 ', max_size=60).map(str.encode))
def test_any_bytes_are_survived(content: bytes) -> None:
    CODEC.repair(content, CORRECTIONS, nothing)
