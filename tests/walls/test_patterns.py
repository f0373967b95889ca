"""Possessive groups lose matches in Python before 3.11.5: every module that writes one makes its patterns portable."""

from __future__ import annotations

import re
from pathlib import Path

SOURCE = Path(__file__).parent.parent.parent / "src" / "pratique"


def test_possessive_groups_stand_in_modules_that_make_them_portable() -> None:
    found = {
        path.name: "portable(" in path.read_text(encoding="utf-8")
        for path in SOURCE.rglob("*.py")
        if path.name != "text.py" and re.search(r"\)[*+]\+", path.read_text(encoding="utf-8"))
    }
    assert found
    assert [name for name, mended in found.items() if not mended] == []
