"""JSON whose parts know where they stand, so that one part can be replaced and every other byte stays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

DEEPEST = 200
"""So many levels no lockfile or manifest has."""

_SPACE = re.compile(r"[ \t\r\n]*")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")


class NotJson(Exception):  # noqa: N818  # a reason, told to a person
    """A text that is no JSON, or that no manager would write; says where."""


class Value:
    """A value and where it stands: `text[start:end]`. `plain` is what it means, for strings and scalars."""

    __slots__ = ("end", "items", "kind", "members", "plain", "start")

    def __init__(self, kind: str, start: int) -> None:
        self.kind = kind
        self.start = start
        self.end = start
        self.plain: Any = None
        self.members: list[Member] = []
        self.items: list[Value] = []

    def __iter__(self) -> Iterator[Member]:
        return iter(self.members)

    def get(self, key: str) -> Value | None:
        """The value of a key of an object; None where it has none. Of a repeated key the last, as clients take it."""
        return next((member.value for member in reversed(self.members) if member.key == key), None)

    def text(self, key: str) -> str | None:
        """The string at a key, None where there is none."""
        value = self.get(key)
        return value.plain if value is not None and value.kind == "string" else None

    def true(self, key: str) -> bool:
        """Whether the value at a key is `true`."""
        value = self.get(key)
        return value is not None and value.kind == "scalar" and value.plain is True

    def texts(self, key: str) -> dict[str, str]:
        """The strings of the object at a key, by their names."""
        value = self.get(key)
        if value is None or value.kind != "object":
            return {}
        return {member.key: member.value.plain for member in value if member.value.kind == "string"}

    def tree(self) -> Any:
        """The value as Python has it."""
        if self.kind == "object":
            return {member.key: member.value.tree() for member in self.members}
        if self.kind == "array":
            return [item.tree() for item in self.items]
        return self.plain


class Member:
    """A key of an object with its value; `start` is where the key begins."""

    __slots__ = ("key", "start", "value")

    def __init__(self, key: str, start: int, value: Value) -> None:
        self.key = key
        self.start = start
        self.value = value


def parse(text: str) -> Value:
    """The whole text as one value. Raises NotJson."""
    at = _skip(text, 1 if text.startswith("\ufeff") else 0)
    root, at = _start(text, at)
    stack = [root] if root.kind in ("object", "array") else []
    while stack:
        if len(stack) > DEEPEST:
            raise NotJson(f"is nested deeper than {DEEPEST} levels")
        holder = stack[-1]
        closing = "}" if holder.kind == "object" else "]"
        filled = holder.members if holder.kind == "object" else holder.items
        if text[at : at + 1] == closing:
            at += 1
            holder.end = at
            stack.pop()
            at = _skip(text, at)
            continue
        if filled:
            if text[at : at + 1] != ",":
                raise NotJson(f"character {at}: a comma or {closing} is missing")
            at = _skip(text, at + 1)
        if holder.kind == "object":
            match = _STRING.match(text, at)
            if match is None:
                raise NotJson(f"character {at}: a key is missing")
            begin, at = at, _skip(text, match.end())
            if text[at : at + 1] != ":":
                raise NotJson(f"character {at}: a colon is missing")
            value, at = _start(text, _skip(text, at + 1))
            holder.members.append(Member(_string(match.group()), begin, value))
        else:
            value, at = _start(text, at)
            holder.items.append(value)
        if value.kind in ("object", "array"):
            stack.append(value)
    if at != len(text):
        raise NotJson(f"character {at}: text after the end")
    return root


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _string(quoted: str) -> str:
    return str(json.loads(quoted)) if "\\" in quoted else quoted[1:-1]


def _start(text: str, at: int) -> tuple[Value, int]:
    """The value that begins here, and where to go on: inside an object or array, behind anything else."""
    mark = text[at : at + 1]
    if mark in ("{", "["):
        return Value("object" if mark == "{" else "array", at), _skip(text, at + 1)
    if mark == '"':
        match = _STRING.match(text, at)
        if match is None:
            raise NotJson(f"character {at}: a string does not end")
        value = Value("string", at)
        value.plain = _string(match.group())
    else:
        match = _SCALAR.match(text, at)
        if match is None:
            raise NotJson(f"character {at}: a value is missing")
        value = Value("scalar", at)
        value.plain = json.loads(match.group())
    value.end = match.end()
    return value, _skip(text, value.end)


Cut = tuple[int, int, str]
"""Start, end, and what stands there instead."""


def apply(text: str, cuts: Iterable[Cut]) -> str:
    """The text with every cut made; cuts do not overlap."""
    parts = []
    at = 0
    for start, end, instead in sorted(cuts):
        parts += [text[at:start], instead]
        at = end
    return "".join([*parts, text[at:]])


def without(holder: Value, gone: frozenset[str]) -> list[Cut]:
    """The cuts that take members out of an object, with the commas that are too many then."""
    cuts: list[Cut] = []
    members = holder.members
    if all(member.key in gone for member in members):
        return [(holder.start, holder.end, "{}")] if members else []
    last = max(index for index, member in enumerate(members) if member.key not in gone)
    for index, member in enumerate(members[:last]):
        if member.key in gone:
            cuts.append((member.start, members[index + 1].start, ""))
    if last < len(members) - 1:
        cuts.append((members[last].value.end, members[-1].value.end, ""))
    return cuts


class Style:
    """How a file is written: the unit of indentation and the line end; compact where an object stands on one line."""

    def __init__(self, text: str) -> None:
        opened = re.match(r"\ufeff?[ \t\r\n]*\{(\r?\n|\r)?([ \t]*)", text)
        self.line = opened.group(1) if opened and opened.group(1) else ""
        self.unit = opened.group(2) if opened and self.line else ""
        self.colon = ": " if self.line or re.search(r'": ', text[:200]) else ":"
        self.comma = "," if self.line or not re.search(r'[\]}"0-9a-z], ', text[:400]) else ", "
        self.escaped = "\\u" in text and text.isascii()

    def render(self, tree: Any, depth: int) -> str:
        """The value as it stands `depth` levels deep."""
        if not self.line:
            return json.dumps(tree, ensure_ascii=self.escaped, separators=(self.comma, self.colon))
        written = json.dumps(tree, ensure_ascii=self.escaped, indent=self.unit, separators=(",", self.colon))
        return written.replace("\n", self.line + self.unit * depth)


_ORDER = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$0123456789"
_WEIGHT = {mark: index for index, mark in enumerate(_ORDER)}


def collated(name: str) -> tuple[Any, ...]:
    """Sorts names as clients do by the rules of English: marks, digits, letters; small before capital where equal."""
    folded = name.lower()
    return tuple((_WEIGHT.get(mark, 100), mark) for mark in folded), name.swapcase()


def nice(tree: Mapping[str, Any], first: tuple[str, ...]) -> dict[str, Any]:
    """The keys in npm's order at every level: what is no object, then objects; the preferred, then by name."""

    def rank(pair: tuple[str, Any]) -> tuple[Any, ...]:
        key, value = pair
        known = key in first
        return isinstance(value, dict), not known, first.index(key) if known else 0, collated(key)

    return {
        key: nice(value, first) if isinstance(value, dict) else value for key, value in sorted(tree.items(), key=rank)
    }
