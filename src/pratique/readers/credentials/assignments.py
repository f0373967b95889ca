"""Assignments of variables in shell files, of many shells, and in files of environments: parsed, never resolved."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

LONGEST = 131_072
_POSIX = re.compile(
    r"(?:export\s+|declare\s+-\w+\s+|typeset\s+-\w+\s+|readonly\s+)?([A-Za-z_][A-Za-z0-9_.-]{0,200})\s?\+?="
)
_FISH = re.compile(r"set\s+((?:-{1,2}[\w-]{1,20}\s+){0,6})([A-Za-z_][A-Za-z0-9_]{0,200})\s+")
_SETENV = re.compile(r"(?:launchctl\s+)?setenv\s+([A-Za-z_][A-Za-z0-9_]{0,200})\s+")
_POWERSHELL = re.compile(r"\$env:([A-Za-z_][A-Za-z0-9_]{0,200})\s{0,8}=\s{0,8}", re.I)
_BATCH = re.compile(r"setx?\s+(?:/\w\s+)?\"?([A-Za-z_][A-Za-z0-9_]{0,200})(?:=|\s+)", re.I)
_INNER = re.compile(r"(?:then|do|else|begin|\{)[ \t]+")
_COLON = re.compile(r"([A-Za-z_][A-Za-z0-9_.-]{0,200}):[ \t]{1,8}")
_NEXT = re.compile(r"[;&]")
_CUT = re.compile(r"\s[#;&|]|;(?=\s|$)|&&")
"""Where a value without quotes ends before its line does."""
_INSIDE = re.compile(r"\n[ \t]*(?:export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=")
"""A value that holds another assignment: a quote was forgotten, and what follows it counts."""


class Assignment(msgspec.Struct, frozen=True):
    """One variable and its value, quotes undone. `ends` is False where a quote is never closed."""

    name: str
    value: str
    ends: bool = True


def assignments(text: str, *, colon: bool = False) -> Iterator[Assignment]:
    """Every assignment that starts a line, or follows `;` and the like on one. `colon`: also `NAME: value`."""
    at = 0
    size = len(text)
    end = -1
    while at < size:
        if at > end:
            newline = text.find("\n", at)
            end = newline if newline >= 0 else size
        while at < end and text[at] in " \t\r;&":
            at += 1
        if at >= end:
            at = end + 1
            continue
        if text[at] == "#" or text.startswith("REM ", at):
            at = end + 1
            continue
        inner = _INNER.match(text, at)
        if inner:
            at = inner.end()
            continue
        found = _start(text, at, colon)
        if found is None:
            at = _next_command(text, at, end)
            continue
        name, at = found
        value, at, ends = _value(text, at, end, size)
        yield Assignment(name, value, ends)
        if at < end and text[at] not in " \t\r;&":
            at = _next_command(text, at, end)


def _start(text: str, at: int, colon: bool) -> tuple[str, int] | None:
    for pattern in (_POSIX, _POWERSHELL, _SETENV):
        match = pattern.match(text, at)
        if match:
            return match[1], match.end()
    match = _FISH.match(text, at)
    if match and match[1]:
        return match[2], match.end()
    match = _BATCH.match(text, at)
    if match:
        return match[1], match.end()
    if colon:
        match = _COLON.match(text, at)
        if match:
            return match[1], match.end()
    return None


def _next_command(text: str, at: int, end: int) -> int:
    """The place behind the next `;` or `&&` of the line, else behind the line."""
    place = _NEXT.search(text, at, end)
    return place.end() if place else end + 1


def _value(text: str, at: int, line: int, size: int) -> tuple[str, int, bool]:
    """A value from its first character on, the place behind it, and whether its quotes end. `line` is its line's end.

    No more of the line is touched than the value: a line may hold as many values as it has characters.
    """
    while at < size and text[at] in " \t":
        at += 1
    if at > line:
        line = text.find("\n", at)
        line = line if line >= 0 else size
    if at < size and text[at] in "\"'`":
        quote = text[at]
        end = at + 1
        limit = min(size, at + LONGEST)
        while end < limit:
            letter = text[end]
            if letter == "\\" and quote != "'":
                end += 2
                continue
            if letter == quote:
                value = text[at + 1 : end]
                if "\n" in value and "-----BEGIN" not in value and _INSIDE.search(value):
                    break
                return value, end + 1, True
            end += 1
        return text[at + 1 : min(line, at + LONGEST)], line + 1, False
    stop = min(line, at + LONGEST)
    cut = _CUT.search(text, at, stop)
    if cut:
        return text[at : cut.start()].strip().strip("\"'"), cut.start(), True
    return text[at:stop].strip().strip("\"'"), line + 1, True
