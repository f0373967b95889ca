"""Assignments of many shells, and of files of environments."""

from __future__ import annotations

import pytest

from pratique.readers.credentials.assignments import assignments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=b", [("A", "b", True)]),
        ("export A='b c' B=d\n", [("A", "b c", True), ("B", "d", True)]),
        ('A="b \\" c"', [("A", 'b \\" c', True)]),
        ("A=b # note\n", [("A", "b", True)]),
        ("A=b; export C=d && E=f\n", [("A", "b", True), ("C", "d", True), ("E", "f", True)]),
        ("set -gx A b\nset -x C 'd'\n", [("A", "b", True), ("C", "d", True)]),
        ("set A b\n", [("A", "b", True)]),
        ("setenv A b\nlaunchctl setenv C d\n", [("A", "b", True), ("C", "d", True)]),
        ('$env:A = "b"\n', [("A", "b", True)]),
        ('setx A "b"\n', [("A", "b", True)]),
        ('A="one\ntwo"\nB=c\n', [("A", "one\ntwo", True), ("B", "c", True)]),
        ('A="never ends\nB=c\nC="d"\n', [("A", "never ends", False), ("B", "c", True), ("C", "d", True)]),
        ("# A=b\nif true; then C=d; fi\n", [("C", "d", True)]),
        ("alias k=kubectl\n", []),
        ("A=\n", [("A", "", True)]),
        ("A=b\r\nC=d\r\n", [("A", "b", True), ("C", "d", True)]),
    ],
    ids=range(16),
)
def test_assignments(text: str, expected: list[tuple[str, str, bool]]) -> None:
    assert [(item.name, item.value, item.ends) for item in assignments(text)] == expected


def test_colons_where_they_are_asked_for() -> None:
    assert [item.name for item in assignments("A: b\n", colon=True)] == ["A"]
    assert list(assignments("A: b\n")) == []
