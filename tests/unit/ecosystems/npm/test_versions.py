"""Versions and ranges against node-semver: a committed table of its answers, and the library itself where it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pratique.ecosystems.npm.versions import Version, admits, parse_range, parse_version, satisfies
from tests.unit.ecosystems.npm import node_semver

TABLE = json.loads(node_semver.TABLE.read_text(encoding="utf-8"))
needs_node = pytest.mark.skipif(node_semver.library() is None, reason="node or npm's semver is not on this machine")


def compare(a: str, b: str, *, loose: bool) -> int | None:
    left, right = parse_version(a, loose=loose), parse_version(b, loose=loose)
    if left is None or right is None:
        return None
    return (left > right) - (left < right)


def shown(version: Version) -> str:
    return ".".join(map(str, version.release)) + (
        "-" + ".".join(map(str, version.prerelease)) if version.prerelease else ""
    )


def answer(case: list[Any]) -> Any:
    kind, a, b, loose = case
    if kind == "satisfies":
        return satisfies(a, b, loose=loose)
    if kind == "compare":
        return compare(a, b, loose=loose)
    version = parse_version(a, loose=loose)
    return None if version is None else [shown(version), list(version.build)]


@pytest.mark.parametrize("mode", ["loose", "strict"])
def test_ranges_answer_as_the_table(mode: str) -> None:
    versions = TABLE["versions"]
    wrong = {}
    for text, row in TABLE[mode]["satisfies"].items():
        mine = node_semver.pack([satisfies(version, text, loose=mode == "loose") for version in versions])
        if mine != row:
            wrong[text] = [v for v, a, b in zip(versions, mine, row, strict=True) if a != b]
    assert wrong == {}


@pytest.mark.parametrize("mode", ["loose", "strict"])
def test_order_is_that_of_the_table(mode: str) -> None:
    versions = TABLE["versions"]
    for text, row in TABLE[mode]["compare"].items():
        assert node_semver.pack([compare(text, other, loose=mode == "loose") for other in versions]) == row, text


@pytest.mark.parametrize("mode", ["loose", "strict"])
def test_versions_parse_as_in_the_table(mode: str) -> None:
    for text, expected in zip(TABLE["versions"], TABLE[mode]["parse"], strict=True):
        version = parse_version(text, loose=mode == "loose")
        assert (version is None) == (expected is None), text
        if version is not None and not any(isinstance(part, float) for part in version.prerelease):
            assert [shown(version), list(version.build)] == expected


@needs_node
def test_the_table_is_what_the_installed_library_says() -> None:
    if json.loads((node_semver.library() / "package.json").read_text())["version"] != TABLE["semver"]:
        pytest.skip("another version of node-semver than the table's")
    assert node_semver.build() == TABLE


NUMBER = st.sampled_from(["0", "0", "1", "2", "3", "10", "x", "*", "X", "01", "9007199254740991"])
WORD = st.sampled_from(["0", "1", "2", "10", "alpha", "beta", "rc", "a-b", "-", "0a", "01"])
PRERELEASE = st.lists(WORD, min_size=1, max_size=3).map(lambda words: "-" + ".".join(words))
BUILD = st.sampled_from(["", "", "", "+b", "+1.2"])
PARTIAL = st.one_of(
    st.lists(NUMBER, min_size=1, max_size=4).map(".".join),
    st.builds(lambda n, p, b: ".".join(n) + p + b, st.lists(NUMBER, min_size=3, max_size=3), PRERELEASE, BUILD),
)
OPERATOR = st.sampled_from(
    ["", "", "^", "~", "~>", ">", ">=", "<", "<=", "=", "v", "^ ", "~ ", "> ", ">= v", "==", "= ="]
)
SIMPLE = st.builds(lambda o, p: o + p, OPERATOR, PARTIAL)
ALTERNATIVE = st.one_of(
    st.lists(SIMPLE, min_size=1, max_size=3).map(" ".join),
    st.builds(lambda a, b: f"{a} - {b}", SIMPLE, SIMPLE),
    st.text(alphabet="01x*.-+^~<>=v |ab", max_size=12),
)
RANGE = st.lists(ALTERNATIVE, min_size=1, max_size=3).map("||".join)
DIGIT = st.sampled_from(["0", "1", "2", "3", "10"])
VERSION = st.builds(
    lambda n, p: ".".join(n) + p, st.lists(DIGIT, min_size=3, max_size=3), st.one_of(st.just(""), PRERELEASE)
)


@needs_node
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.lists(VERSION, min_size=1, max_size=12), RANGE, st.booleans()), min_size=1, max_size=60))
def test_generated_ranges_answer_as_the_library(drawn: list[tuple[list[str], str, bool]]) -> None:
    cases = [["satisfies", version, text, loose] for versions, text, loose in drawn for version in versions]
    cases += [["compare", versions[0], versions[-1], loose] for versions, _, loose in drawn]
    expected = node_semver.ask(cases)
    wrong = [(case, want) for case, want in zip(cases, expected, strict=True) if answer(case) != want]
    assert wrong == []


@given(st.text(), st.text())
def test_any_text_gives_an_answer(version: str, text: str) -> None:
    assert satisfies(version, text) in (True, False, None)
    assert satisfies(version, text, loose=False) in (True, False, None)


@pytest.mark.parametrize("text", ["v=" * 40_000, "1" * 60_000, "1.2.3 " * 10_000, "||" * 30_000, "-" * 60_000])
def test_long_text_is_answered_without_delay(text: str) -> None:
    parse_range(text)
    parse_version(text)


def test_words_that_are_no_range_say_nothing() -> None:
    for text in ("latest", "next-11", "workspace:*", "file:../x", "git+ssh://git@host/x.git", "github:o/r"):
        assert satisfies("1.2.3", text) is None
        assert admits(text, ["1.2.3"]) is None


def test_admits_keeps_the_order_given() -> None:
    assert admits("^1.14.0", ["1.14.1", "1.13.0", "1.14.0", "2.0.0", "1.15.0-beta.1", "no"]) == ("1.14.1", "1.14.0")
    assert admits("<1", ["1.0.0"]) == ()


def test_a_prerelease_needs_a_comparator_of_its_own_numbers() -> None:
    assert satisfies("1.15.0-beta.1", ">=1.14.0") is False
    assert satisfies("1.15.0-beta.1", ">=1.15.0-alpha") is True
    assert satisfies("1.16.0-beta.1", ">=1.15.0-alpha") is False
