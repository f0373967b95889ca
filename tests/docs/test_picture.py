"""The pictures in the README show what is printed now."""

from __future__ import annotations

import functools
import re
from html import unescape

import pytest

from pratique.report.text import LINES, WIDTH
from scripts import make_picture
from scripts.make_picture import COMMANDS, PICTURES, draw
from tests.docs.pages import ROOT

screen = functools.cache(make_picture.screen)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_is_current(name: str) -> None:
    drawn = draw(name, screen(name))
    assert (PICTURES / f"{name}.svg").read_text(encoding="utf-8") == drawn, "run: python scripts/make_picture.py"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_holds_the_screen_as_text(name: str) -> None:
    picture = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    rows = [unescape(re.sub(r"<[^>]+>", "", row)) for row in re.findall(r"<text .*?</text>", picture)]
    assert rows[0] == f"$ {COMMANDS[name]}"
    assert rows[1:] == [line for line in screen(name) if line]
    assert len(rows) - 1 <= {"recovery": 48, "microscope": 30}.get(name, LINES)
    assert max(map(len, rows)) <= WIDTH


@pytest.mark.parametrize("name", COMMANDS)
def test_a_picture_loads_nothing_and_names_itself(name: str) -> None:
    picture = (PICTURES / f"{name}.svg").read_text(encoding="utf-8")
    assert "href" not in picture
    assert "<script" not in picture
    assert "url(" not in picture
    assert picture.count("http") == 1, "the name space alone"
    assert "<title" in picture
    assert f"docs/pictures/{name}.svg" in (ROOT / "README.md").read_text(encoding="utf-8")
