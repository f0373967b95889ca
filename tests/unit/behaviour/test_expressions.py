"""Regular expressions of rules: what Python's own says, in time that grows with the text alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.behaviour.expressions import Expression, UnsupportedError

ATOMS = [
    "a",
    "b",
    "[ab]",
    "[^a]",
    ".",
    r"\d",
    r"\w",
    r"\W",
    r"\s",
    "(?:a|b)",
    "(ab|b)",
    r"\.",
    "[a-c0-3]",
    r"\bb",
    "a$",
    "^a",
    "",
]
QUANTIFIERS = ["", "*", "+", "?", "{2}", "{1,3}", "{0,1}", "*?", "+?"]


@st.composite
def expressions(draw: st.DrawFn) -> str:
    """Expressions of the flavour that Sigma allows."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        atom = draw(st.sampled_from(ATOMS))
        bare = not atom or atom.startswith(("^", r"\b")) or atom.endswith("$")
        parts.append(atom if bare else atom + draw(st.sampled_from(QUANTIFIERS)))
    whole = "".join(parts)
    return f"{whole}|{draw(st.sampled_from(['b+', '^c', 'a.c']))}" if draw(st.booleans()) else whole


@given(expressions(), st.text(alphabet="abcAB 01.\n_-ä", max_size=30), st.sampled_from(["", "i", "m", "s", "ims"]))
def test_it_finds_what_pythons_own_finds(text: str, subject: str, flags: str) -> None:
    wanted = re.compile(text, sum((getattr(re, one.upper()) for one in flags), re.RegexFlag(0)))
    assert Expression(text, flags).search(subject) is (wanted.search(subject) is not None)


@pytest.mark.parametrize("text", ["(a+)+b", "(a|a)*b", "(a|aa)+$", "a*a*a*a*a*a*b"])
def test_what_makes_others_go_back_for_ever_ends(text: str) -> None:
    assert Expression(text).search("a" * 100_000 + "c") is False


@pytest.mark.parametrize(
    "text", ["(?=a)b", "(?!a)b", "(?<=a)b", r"(a)\1", "(?>a+)b", "a++", "(?P=x)", "(", "a{3,1}", "[b-a]", "*a", "a" * 5000,
             "((a{100}){100}){100}", r"\p{L}"],
)  # fmt: skip
def test_what_is_not_done_is_said(text: str) -> None:
    with pytest.raises(UnsupportedError):
        Expression(text)


@given(st.text(max_size=40))
def test_no_text_makes_it_fail_otherwise(text: str) -> None:
    try:
        found = Expression(text)
    except UnsupportedError as error:
        assert str(error)
        return
    assert found.search("") in (True, False)
    assert found.search(text) in (True, False)
