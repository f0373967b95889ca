"""Twice as much hostile repetition is at most twice the work: counted in calls and characters, never in time."""

from __future__ import annotations

import pkgutil
import sys
from types import FrameType
from typing import Any, SupportsIndex

import pytest

from pratique.readers.credentials import assignments, formats
from pratique.readers.credentials.contract import Row
from pratique.readers.credentials.table import reader_of

FORMATS = sorted(module.name for module in pkgutil.iter_modules(formats.__path__))
ROW = Row(id="x", provider="x", tier=1, secret="x", rotation="other", fields=("token", "*key*"), show=("user",))
PATTERNS = [
    b"a;",
    b"a=1; ",
    b"set -gx A b; ",
    b"A_TOKEN='",
    b'a="\n',
    b"token = x\n",
    b"a:\n",
    b"a.b = 1\n",
    b"[a]\n",
    b"machine a login b password c ",
    b"{a: ",
    b"http://a:b@",
    b"A=1\\\n",
]


class _Counted(str):
    """A text that counts the characters that are searched and copied."""

    work = 0

    def find(self, part: str, start: SupportsIndex | None = 0, end: SupportsIndex | None = None) -> int:
        found = super().find(part, start, end)
        self.work += (found if found >= 0 else len(self)) - int(start or 0)
        return found

    def __getitem__(self, key: Any) -> str:
        part = super().__getitem__(key)
        self.work += len(part)
        return part


class _Searched:
    """A pattern that counts the characters that it goes over."""

    def __init__(self, pattern: Any, text: _Counted) -> None:
        self.pattern, self.text = pattern, text

    def search(self, text: str, at: int, end: int) -> Any:
        found = self.pattern.search(text, at, end)
        self.text.work += (found.end() if found else end) - at
        return found


@pytest.mark.parametrize("part", ["a=1; ", "a=1 && ", "a;", "a='b' ; ", 'a="\n', "set -gx A b; ", "A_TOKEN=x #\n"])
def test_a_line_of_many_assignments_is_gone_over_once(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = _Counted(part * (40_000 // len(part)))
    for name in ("_CUT", "_NEXT"):
        monkeypatch.setattr(assignments, name, _Searched(getattr(assignments, name), text))
    found = list(assignments.assignments(text))
    assert len(found) > 1000 or part == "a;"
    assert text.work < 8 * len(text)


def _calls(name: str, content: bytes) -> int:
    """How many functions a format calls."""
    count = 0

    def seen(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    read = reader_of(name)
    sys.setprofile(seen)
    try:
        for _ in read(content, ROW, lambda _class, _secret: None):
            pass
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("name", FORMATS)
def test_twice_as_much_is_at_most_twice_the_calls(name: str) -> None:
    for part in PATTERNS:
        small, large = (_calls(name, part * (size // len(part))) for size in (6_000, 12_000))
        assert large <= 2.3 * small + 500, part
