"""Text as Sigma compares it: without regard to case, with `*` and `?`, and `\\` before them for the plain character.

The specification ("Escaping"): a backslash that is not followed by a wildcard or a backslash is itself; `\\\\*` is a
backslash and a wildcard.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Sequence


class Wildcard(enum.Enum):
    """`*` stands for any text, also none; `?` for one character."""

    MANY = "*"
    ONE = "?"


Part = str | Wildcard
Parts = tuple[Part, ...]
_OF = {"*": Wildcard.MANY, "?": Wildcard.ONE}


def parts_of(text: str) -> Parts:
    """The parts of a value: plain texts and wildcards."""
    found: list[Part] = []
    plain: list[str] = []
    escaped = False
    for char in text:
        if escaped:
            plain.append(char if char in _OF or char == "\\" else "\\" + char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char in _OF:
            if plain:
                found.append("".join(plain))
                plain = []
            found.append(_OF[char])
        else:
            plain.append(char)
    if escaped:
        plain.append("\\")
    if plain:
        found.append("".join(plain))
    return tuple(found)


def joined(parts: Sequence[Part]) -> Parts:
    """The same parts, with plain texts that stand beside each other made one."""
    found: list[Part] = []
    for part in parts:
        if isinstance(part, str) and found and isinstance(found[-1], str):
            found[-1] += part
        else:
            found.append(part)
    return tuple(found)


def fold(text: str) -> str:
    """Text in lower case, character by character, so that it keeps its length and no character hangs on its place."""
    if text.isascii():
        return text.lower()
    return "".join(low if len(low := char.lower()) == 1 else char for char in text)


def fold_parts(parts: Parts) -> Parts:
    """Parts in lower case."""
    return tuple(fold(part) if isinstance(part, str) else part for part in parts)


Shape = tuple[str, str]
"""How a simple pattern compares: `equals`, `starts`, `ends` or `contains`, and the text."""


def shape_of(parts: Parts) -> Shape | None:
    """The simple form of a pattern; None where wildcards stand elsewhere than at its ends."""
    if not parts:
        return "equals", ""
    inner = [part for part in parts if part is not Wildcard.MANY]
    if len(inner) > 1 or any(part is Wildcard.ONE for part in inner):
        return None
    text = inner[0] if inner and isinstance(inner[0], str) else ""
    if not inner:
        return "contains", ""
    before, after = parts[0] is Wildcard.MANY, parts[-1] is Wildcard.MANY
    if before and after:
        return "contains", text
    if before:
        return "ends", text
    return ("starts", text) if after else ("equals", text)


def glob(parts: Parts) -> Callable[[str], bool]:
    """Whether a text is what a pattern says, in time that grows with the text alone: no part is tried twice."""
    segments: list[list[Part]] = [[]]
    for part in parts:
        if part is Wildcard.MANY:
            segments.append([])
        else:
            segments[-1].append(part)
    made = [_segment(one) for one in segments]
    if len(made) == 1:
        whole = made[0]
        return lambda text: whole.fullmatch(text) is not None
    first, *middle, last = made
    middle = [one for one in middle if one.pattern]
    least = sum(_length(one) for one in segments[-1:])

    def matches(text: str) -> bool:
        begun = first.match(text)
        if begun is None:
            return False
        at = begun.end()
        end = len(text) - least
        for one in middle:
            found = one.search(text, at, end) if end >= at else None
            if found is None:
                return False
            at = found.end()
        return end >= at and last.fullmatch(text, end) is not None

    return matches


def _length(segment: Sequence[Part]) -> int:
    return sum(len(part) if isinstance(part, str) else 1 for part in segment)


def _segment(parts: Sequence[Part]) -> re.Pattern[str]:
    """A run of plain text and single wildcards: an expression of fixed length, which cannot go back."""
    return re.compile("".join(re.escape(part) if isinstance(part, str) else "." for part in parts), re.DOTALL)
