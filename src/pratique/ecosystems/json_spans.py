"""JSON as a tree whose values know where they stand: for edits that leave every other byte as it is.

Comments and trailing commas are allowed, as bun.lock and configuration files have them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.edits import MARK, Span, line_end, line_start

DEEPEST = 100
_BLANK = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD = re.compile(r"true|false|null|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


class Member(msgspec.Struct):
    """One member of an object: `key` decoded, where its text starts, and its value."""

    key: str
    start: int
    value: Value


class Value(msgspec.Struct):
    """A value: its decoded form, where its text starts and ends, its members or items."""

    start: int
    end: int
    plain: Any
    """The decoded value; None for objects and arrays."""
    members: list[Member] | None = None
    items: list[Value] | None = None

    def get(self, *keys: str) -> Value | None:
        """The value behind keys of nested objects; None where there is none. Of keys that stand twice the last."""
        value: Value | None = self
        for key in keys:
            if value is None or value.members is None:
                return None
            value = next((member.value for member in reversed(value.members) if member.key == key), None)
        return value

    def text(self, *keys: str) -> str | None:
        """The string behind keys; None where there is none."""
        value = self.get(*keys)
        return value.plain if value is not None and isinstance(value.plain, str) else None

    def strings(self) -> dict[str, str]:
        """The members whose values are strings."""
        return {m.key: m.value.plain for m in self.members or () if isinstance(m.value.plain, str)}


def parse(text: str) -> Value | None:
    """The document; None where the text is none."""
    try:
        at = _blank(text, 1 if text.startswith(MARK) else 0)
        value = _value(text, at, 0)
        return value if _blank(text, value.end) == len(text) else None
    except (ValueError, IndexError):
        return None


def _blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, depth: int) -> Value:
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    sign = text[at]
    if sign == '"':
        match = _STRING.match(text, at)
        if match is None:
            raise ValueError("no string")
        return Value(at, match.end(), json.loads(match.group()))
    if sign == "{":
        members, end = _members(text, at, depth)
        return Value(at, end, None, members=members)
    if sign == "[":
        items: list[Value] = []
        place = _blank(text, at + 1)
        while text[place] != "]":
            item = _value(text, place, depth + 1)
            items.append(item)
            place = _next(text, item.end, "]")
        return Value(at, place + 1, None, items=items)
    match = _WORD.match(text, at)
    if match is None:
        raise ValueError("no value")
    return Value(at, match.end(), json.loads(match.group()))


def _members(text: str, at: int, depth: int) -> tuple[list[Member], int]:
    members: list[Member] = []
    place = _blank(text, at + 1)
    while text[place] != "}":
        match = _STRING.match(text, place)
        if match is None:
            raise ValueError("no key")
        colon = _blank(text, match.end())
        if text[colon] != ":":
            raise ValueError("no colon")
        value = _value(text, _blank(text, colon + 1), depth + 1)
        members.append(Member(json.loads(match.group()), place, value))
        place = _next(text, value.end, "}")
    return members, place + 1


def _next(text: str, at: int, closing: str) -> int:
    """Where the next member starts, or the closing sign stands."""
    place = _blank(text, at)
    if text[place] == ",":
        return _blank(text, place + 1)
    if text[place] != closing:
        raise ValueError("no comma")
    return place


def indentation(text: str, root: Value) -> str:
    """The blanks of one step of depth, as the root object's first member shows it."""
    if not root.members:
        return "  "
    first = root.members[0].start
    start = line_start(text, first)
    blanks = text[start:first]
    return blanks if start > root.start and not blanks.strip() else ""


def removal(text: str, value: Value, index: int) -> Span:
    """The span that takes one member or item out, with its comma and, where it has lines of its own, those lines."""
    parts: list[tuple[int, int]] = [(m.start, m.value.end) for m in value.members or ()]
    parts = parts or [(item.start, item.end) for item in value.items or ()]
    start, end = parts[index]
    comma = _blank(text, end)
    if text[comma] == ",":
        after = comma + 1
        own = line_start(text, start)
        rest = re.compile(r"[ \t]*\r?\n").match(text, after)
        if not text[own:start].strip() and rest:
            return Span(own, rest.end())
        return Span(start, _blank(text, after) if index + 1 < len(parts) else after)
    if index:
        return Span(parts[index - 1][1], end)
    return Span(value.start + 1, value.end - 1)


def insertions(text: str, root: Value, keys: tuple[str, ...], pairs: dict[str, str]) -> Iterator[Span] | None:
    """Spans that set string members below `keys`, at the end of that object; objects that are not there are made.

    None where something else than an object stands at one of the keys. A member that is there gets the new value.
    """
    found: Value = root
    depth = 0
    for key in keys:
        inner = found.get(key)
        if inner is None:
            break
        found = inner
        depth += 1
    if found.members is None:
        return None
    step, end = indentation(text, root), line_end(text)
    if depth < len(keys):
        return iter([_added(text, found, [(keys[depth], _nested(keys[depth + 1 :], pairs, step, end, depth + 2))],
                            step, end, depth + 1)])  # fmt: skip
    spans = []
    new = []
    for key, value in pairs.items():
        old = found.get(key)
        if old is None:
            new.append((key, json.dumps(value, ensure_ascii=False)))
        else:
            spans.append(Span(old.start, old.end, json.dumps(value, ensure_ascii=False)))
    if new:
        spans.append(_added(text, found, new, step, end, depth + 1))
    return iter(spans)


def _nested(keys: tuple[str, ...], pairs: dict[str, str], step: str, end: str, depth: int) -> str:
    rows = [(keys[0], _nested(keys[1:], pairs, step, end, depth + 1))] if keys else [
        (key, json.dumps(value, ensure_ascii=False)) for key, value in pairs.items()
    ]  # fmt: skip
    return "{" + _rows(rows, step, end, depth) + (end + step * (depth - 1) if step else "") + "}"


def _rows(rows: list[tuple[str, str]], step: str, end: str, depth: int) -> str:
    before = end + step * depth if step else ""
    colon = ": " if step else ":"
    return ",".join(f"{before}{json.dumps(key, ensure_ascii=False)}{colon}{value}" for key, value in rows)


def _added(text: str, value: Value, rows: list[tuple[str, str]], step: str, end: str, depth: int) -> Span:
    body = _rows(rows, step, end, depth)
    if not value.members:
        return Span(value.start, value.end, "{" + body + (end + step * (depth - 1) if step else "") + "}")
    last = value.members[-1].value.end
    comma = _blank(text, last)
    if text[comma] == ",":
        return Span(comma + 1, comma + 1, body + ",")
    return Span(last, last, "," + body)
