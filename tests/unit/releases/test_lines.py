"""What precedes a version, and what kind of step it is."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.model.release import Dated
from pratique.releases.lines import (
    Ecosystem,
    earlier,
    lower,
    order_of_times,
    place,
    predecessors,
    same_line,
    transition_kind,
)


@pytest.mark.parametrize(
    ("ecosystem", "old", "new", "kind"),
    [
        ("npm", None, "1.0.0", "first"),
        ("npm", "", "1.0.0", "first"),
        ("npm", "1.14.0", "1.14.1", "patch"),
        ("npm", "1.14.0", "1.15.0", "minor"),
        ("npm", "1.14.0", "2.0.0", "major"),
        ("npm", "0.9.0", "0.10.0", "minor"),
        ("npm", "1.0.0", "2.0.0-rc.1", "prerelease"),
        ("npm", "2.0.0-rc.1", "2.0.0-rc.2", "prerelease"),
        ("npm", "2.0.0-rc.1", "2.0.0", "major"),
        ("npm", "2.1.0-rc.1", "2.1.0", "minor"),
        ("npm", "2.1.1-rc.1", "2.1.1", "patch"),
        ("npm", "0.0.0-a", "0.0.0", "minor"),
        ("npm", "1.14.1", "0.30.4", "backwards"),
        ("npm", "1.0.0", "v1.0.0+build", "sideways"),
        ("npm", "1.0.0", "latest", "unknown"),
        ("npm", "next", "1.0.0", "unknown"),
        ("PyPI", "1.0", "1.0.0", "sideways"),
        ("PyPI", "1.0", "1.0.post1", "patch"),
        ("PyPI", "1.0.0.1", "1.0.0.2", "patch"),
        ("PyPI", "2024.1", "1!1.0", "major"),
        ("PyPI", "1.0", "1.1rc1", "prerelease"),
        ("PyPI", "1.0", "1.1.dev3", "prerelease"),
        ("PyPI", "1.0", "one", "unknown"),
    ],
)
def test_kind_of_step(ecosystem: Ecosystem, old: str | None, new: str, kind: str) -> None:
    assert transition_kind(ecosystem, old, new) == kind


def history(*rows: tuple[str, float | None]) -> tuple[Dated, ...]:
    return tuple(Dated(version, published) for version, published in rows)


TWO_LINES = history(("0.30.2", 10), ("1.13.0", 20), ("1.14.0", 30), ("0.30.3", 40), ("2.0.0-beta.1", 50), ("odd", 60))


@pytest.mark.parametrize(
    ("version", "published", "expected"),
    [
        ("1.14.1", 70.0, ("1.14.0", "odd")),
        ("0.30.4", 70.0, ("0.30.3", "odd")),
        ("2.0.0-beta.2", 55.0, ("2.0.0-beta.1", "2.0.0-beta.1")),
        ("2.0.0", 55.0, ("1.14.0", "2.0.0-beta.1")),
        ("3.0.0-alpha.0", 55.0, ("1.14.0", "2.0.0-beta.1")),
        ("0.1.0", 70.0, (None, "odd")),
        ("1.14.1", None, ("1.14.0", None)),
        ("1.14.0", None, ("1.13.0", "1.13.0")),
        ("1.13.5", 25.0, ("1.13.0", "1.13.0")),
        ("0.30.9", 35.0, ("0.30.2", "1.14.0")),
        ("nonsense", 70.0, (None, "odd")),
        ("nonsense", None, (None, None)),
    ],
)
def test_what_came_before(version: str, published: float | None, expected: tuple[str | None, str | None]) -> None:
    assert predecessors("npm", TWO_LINES, version, published=published) == expected


def test_only_prereleases_precede_each_other() -> None:
    rows = history(("0.0.0-canary.1", 1), ("0.0.0-canary.2", 2))
    assert predecessors("npm", rows, "0.0.1-canary.1", published=3) == ("0.0.0-canary.2", "0.0.0-canary.2")
    assert predecessors("npm", rows, "0.0.1", published=3) == ("0.0.0-canary.2", "0.0.0-canary.2")


def test_a_backport_is_compared_with_its_own_line() -> None:
    assert [one.version for one in same_line("npm", TWO_LINES, "0.30.4")] == ["0.30.3", "0.30.2"]
    assert [one.version for one in same_line("npm", TWO_LINES, "1.15.0")] == ["1.14.0", "1.13.0"]
    assert [one.version for one in same_line("npm", TWO_LINES, "2.0.0")] == ["1.14.0", "1.13.0", "0.30.3", "0.30.2"]
    assert [one.version for one in same_line("npm", TWO_LINES, "2.0.0-beta.2")] == ["2.0.0-beta.1"]
    assert same_line("npm", TWO_LINES, "no version") == ()


TEXTS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3}){0,3}(-?(rc|a|dev|alpha)\.?[0-9]?)?", fullmatch=True),
)
ROWS = st.lists(st.tuples(TEXTS, st.none() | st.floats(0, 1e9)), max_size=12)


@given(st.sampled_from(["npm", "PyPI"]), ROWS, TEXTS, st.none() | st.floats(0, 1e9))
def test_any_history(
    ecosystem: Ecosystem, rows: list[tuple[str, float | None]], version: str, published: float | None
) -> None:
    listed = history(*rows)
    nearest, last = predecessors(ecosystem, listed, version, published=published)
    names = {one.version for one in listed}
    assert nearest is None or (nearest in names and transition_kind(ecosystem, nearest, version) != "backwards")
    assert last is None or (last in names and last != version)
    ranks = [place(ecosystem, one.version) for one in lower(ecosystem, listed, version, published=published)]
    assert all(
        there is not None and next_one is not None and not there.rank < next_one.rank
        for there, next_one in pairwise(ranks)
    )


MIXED = history(*((f"1.0.{number}", (number * 7919) % 800 * 86_400.0) for number in range(12)))


def test_times_in_no_order_are_none_of_publication() -> None:
    wrong, pairs = order_of_times("npm", MIXED)
    assert (wrong > 2, pairs) == (True, 11)
    assert order_of_times("npm", TWO_LINES, "1.14.1", 70.0) == (0, 2)
    two_at_once = history(("1.0.0", 60.0), ("1.0.1", 0.0))
    assert order_of_times("npm", two_at_once) == (0, 1)


def test_what_came_before_goes_by_the_order_of_versions_where_times_do_not_hold() -> None:
    moment = 400 * 86_400.0
    assert predecessors("npm", MIXED, "1.0.12", published=moment) == ("1.0.11", None)
    assert [one.version for one in earlier("npm", MIXED, "1.0.2", published=moment)] == ["1.0.0", "1.0.1"]
    assert [one.version for one in earlier("npm", TWO_LINES, "0.30.4", published=35.0)] == [
        "0.30.2",
        "1.13.0",
        "1.14.0",
    ]
    assert [one.version for one in earlier("npm", TWO_LINES, "1.13.1", published=None)] == [
        "0.30.2",
        "0.30.3",
        "1.13.0",
    ]
