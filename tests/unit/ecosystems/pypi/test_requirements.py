"""Requirements, specifiers and Poetry's ranges."""

from __future__ import annotations

import pytest

from pratique.ecosystems.pypi.requirements import Requirement, exact, excluded, of_poetry, parse
from pratique.ecosystems.pypi.versions import is_version


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("litellm[proxy]>=1,<2 ; python_version<'3'", Requirement("litellm", ">=1,<2", None, "python_version<'3'")),
        ("Zope.Interface == 5.1", Requirement("zope-interface", "==5.1")),
        ("a (>=1)", Requirement("a", ">=1")),
        ("a", Requirement("a", "")),
        ("a @ https://h.test/a-1.0-py3-none-any.whl", Requirement("a", "", "https://h.test/a-1.0-py3-none-any.whl")),
        ("a ~= 1.4.2, !=1.5", Requirement("a", "~=1.4.2,!=1.5")),
        ("--hash=sha256:00", None),
        ("-e .", None),
        ("a b", None),
        ("a == 1 2", None),
        ("", None),
    ],
)
def test_parse(text: str, expected: Requirement | None) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("specifier", "expected"),
    [
        ("==1.0", "1.0"),
        ("===1.0", "1.0"),
        (">=1,==1.5", "1.5"),
        ("==1.*", None),
        (">=1", None),
        ("~=1.4", None),
        ("", None),
    ],
)
def test_exact(specifier: str, expected: str | None) -> None:
    assert exact(specifier) == expected


def test_excluded() -> None:
    assert excluded(">=1,!=1.2,!=1.3.*") == ["1.2"]


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2", ">=0.2,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("^0", ">=0,<1"),
        ("~1.2", ">=1.2,<1.3"),
        ("~1", ">=1,<2"),
        ("1.2", "==1.2"),
        ("*", ""),
        (">=1,<2", ">=1,<2"),
        (">=1 <2", ">=1,<2"),
        ("~=1.4", "~=1.4"),
        ("^1 || ^2", None),
        ("latest", None),
    ],
)
def test_ranges_of_poetry(constraint: str, expected: str | None) -> None:
    assert of_poetry(constraint) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("1.0", True), ("1.0.post1", True), ("v1!2.0+a.1", True), ("1.0.p", False)]
)
def test_is_version(text: str, expected: bool) -> None:
    assert is_version(text) is expected
