"""The picture in the README shows what is printed now."""

from __future__ import annotations

import re
from html import unescape

from pratique.report.text import LINES, WIDTH
from scripts.make_picture import COMMAND, PICTURE, draw, screen
from tests.docs.pages import ROOT


def test_the_picture_is_current() -> None:
    assert PICTURE.read_text(encoding="utf-8") == draw(screen()), "run: python scripts/make_picture.py"


def test_the_picture_holds_the_screen_as_text() -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    rows = [unescape(re.sub(r"<[^>]+>", "", row)) for row in re.findall(r"<text .*?</text>", picture)]
    assert rows[0] == f"$ {COMMAND}"
    assert rows[1:] == [line for line in screen() if line]
    assert len(rows) - 1 <= LINES
    assert max(map(len, rows)) <= WIDTH


def test_the_picture_loads_nothing_and_names_itself() -> None:
    picture = PICTURE.read_text(encoding="utf-8")
    assert "href" not in picture
    assert "<script" not in picture
    assert "url(" not in picture
    assert picture.count("http") == 1, "the name space alone"
    assert "<title" in picture
    assert "docs/pictures/first-screen.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
