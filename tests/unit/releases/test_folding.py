"""What is folded holds no call; what is shown is all else."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pratique.releases.folding import folded, outer


def test_long_literals_blobs_and_rows_are_told_by_their_length() -> None:
    text, left_out = folded(f"run('{'A' * 500}')")
    assert text == f"run('{'A' * 60}⟨… 420 characters …⟩{'A' * 20}')"
    assert left_out == 420
    text, left_out = folded("go([" + ", ".join(f'"word{number}"' for number in range(100)) + ", last])")
    assert "⟨… 100 values …⟩ last])" in text
    assert left_out > 800
    assert folded("short('text')") == ("short('text')", 0)


def test_code_is_never_folded_whatever_quotes_stand_around_it() -> None:
    code = 'x = /"/; ' + "collect(environment); " * 40 + '"end"'
    text, left_out = folded(code)
    assert text.count("collect(environment)") == 40
    assert left_out == 0
    code = "'" + "word " * 40 + "new Sender " + "word " * 40 + "'"
    assert "new Sender" in folded(code)[0]


def test_a_wide_line_is_laid_out_by_its_statements() -> None:
    text, _ = folded(";".join(f"statement_{number}(argument, other)" for number in range(60)))
    assert max(len(line) for line in text.split("\n")) < 80
    assert text.replace("\n", "").count("statement_") == 60


@given(st.text("ab(){};'\"`, 01\n=/\\", max_size=600).map(lambda text: text * 20))
def test_brackets_and_assignments_are_all_shown(text: str) -> None:
    shown, left_out = folded(text[:16_000])
    assert re.sub(r"[^()\[\]{};=`]", "", shown) == re.sub(r"[^()\[\]{};=`]", "", text[:16_000])
    assert left_out >= 0


@pytest.mark.parametrize("part", ["a", "'", "1,", "'a',", "'a b", "`", "\\", '"\\"'])
def test_folding_ends_soon(part: str) -> None:
    begin = time.process_time()
    folded(part * 16_000)
    assert time.process_time() - begin < 1


def test_what_a_line_lies_in() -> None:
    lines = ["class A:", "    x = 1", "", "    def f(self):", "        if x:", "            go()", "y = 2"]
    assert outer(lines, 6) == "if x:"
    assert outer(lines, 5) == "def f(self):"
    assert outer(lines, 4) == "class A:"
    assert outer(lines, 7) == ""
    assert outer(lines, 99) == ""
