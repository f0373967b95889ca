"""TOML as tables whose entries know where they stand: for edits that leave every other byte as it is.

`tomllib` says what a document means; this says where it says so. A text that `tomllib` refuses is refused here.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import msgspec

from pratique.ecosystems.edits import MARK

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_LONG = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}(?!")|' + r"'''.*?'{3,5}(?!')", re.DOTALL)
_BLANK = re.compile(r"[ \t]*")
_REST = re.compile(r"[^\s,\]}#]+(?: \d[^\s,\]}#]*)?")
_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_LINE_REST = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")


class Entry(msgspec.Struct):
    """One `key = value`: where the line starts, where the value starts and ends, where the next line starts."""

    key: tuple[str, ...]
    line: int
    start: int
    end: int
    stop: int

    def plain(self, text: str) -> Any:
        """The decoded value."""
        return tomllib.loads(f"x = {text[self.start : self.end]}".replace("\r\n", "\n"))["x"]


class Table(msgspec.Struct):
    """A table: its header's path, whether it is one of an array, and its entries.

    `start` is where its header's line starts, `end` where the next header's line starts (or the text ends).
    """

    path: tuple[str, ...]
    array: bool
    start: int
    body: int
    end: int
    entries: list[Entry]

    def get(self, *key: str) -> Entry | None:
        """The entry of a key; None where there is none."""
        return next((entry for entry in self.entries if entry.key == key), None)


def parse(text: str) -> list[Table] | None:
    """The tables in order; the first holds what stands before any header. None where the text is no TOML."""
    try:
        tomllib.loads(text.removeprefix(MARK).replace("\r\n", "\n"))
        return _tables(text)
    except (ValueError, IndexError, RecursionError):
        return None


def items(text: str, start: int) -> list[tuple[int, int]]:
    """Where the items of the array stand that starts at a place."""
    out = []
    at = _skip(text, start + 1)
    while text[at] != "]":
        end = _value(text, at)
        out.append((at, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return out


def members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """Where the values of the inline table stand that starts at a place, by key."""
    out = {}
    at = _skip(text, start + 1)
    while text[at] != "}":
        key, at = _key(text, at)
        begin = _skip(text, at + 1)
        at = _value(text, begin)
        out[".".join(key)] = (begin, at)
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return out


def _tables(text: str) -> list[Table]:
    at = 1 if text.startswith(MARK) else 0
    table = Table((), False, at, at, len(text), [])
    out = [table]
    while at < len(text):
        line = at
        at = _blank(text, at)
        rest = _LINE_REST.match(text, at)
        if rest:
            at = rest.end()
            continue
        if text[at] == "[":
            array = text.startswith("[[", at)
            path, at = _key(text, _blank(text, at + (2 if array else 1)))
            at = _line(text, at + (2 if array else 1))
            table.end = line
            table = Table(path, array, line, at, len(text), [])
            out.append(table)
            continue
        key, at = _key(text, at)
        start = _blank(text, at + 1)
        end = _value(text, start)
        at = _line(text, end)
        table.entries.append(Entry(key, line, start, end, at))
    return out


def _line(text: str, at: int) -> int:
    rest = _LINE_REST.match(text, at)
    if rest is None:
        raise ValueError("something follows a value")
    return rest.end()


def _blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _key(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """A dotted key and the place of the sign behind it."""
    parts = []
    while True:
        match = _BARE.match(text, at) or _BASIC.match(text, at) or _LITERAL.match(text, at)
        if match is None:
            raise ValueError("no key")
        word = match.group()
        parts.append(tomllib.loads(f"x = {word}")["x"] if word[0] in "\"'" else word)
        at = _blank(text, match.end())
        if text[at] != ".":
            return tuple(parts), at
        at = _blank(text, at + 1)


def _value(text: str, at: int) -> int:
    """Where a value ends."""
    sign = text[at]
    if sign in "\"'":
        match = _LONG.match(text, at) or _BASIC.match(text, at) or _LITERAL.match(text, at)
        if match is None:
            raise ValueError("no string")
        return match.end()
    if sign == "[":
        found = items(text, at)
        at = _skip(text, found[-1][1] if found else at + 1)
        return (_skip(text, at + 1) if text[at] == "," else at) + 1
    if sign == "{":
        inner = members(text, at)
        at = _skip(text, max(end for _, end in inner.values()) if inner else at + 1)
        return (_skip(text, at + 1) if text[at] == "," else at) + 1
    match = _REST.match(text, at)
    if match is None:
        raise ValueError("no value")
    return match.end()
