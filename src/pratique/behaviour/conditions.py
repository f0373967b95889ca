"""The condition of a rule: `and`, `or`, `not`, `1 of`, `all of`, `them`, brackets.

From least to most binding: or, and, not, x of, brackets (the Sigma specification, "Condition"). Words are in lower
case, as the specification writes them. The old form with `|` is refused: it became correlations.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

MOST_WORDS = 500
MOST_DEPTH = 30


class WrongError(Exception):
    """What is wrong with a condition, in words."""


class Named(msgspec.Struct, frozen=True, tag=True):
    """The selection by that name holds."""

    name: str


class Not(msgspec.Struct, frozen=True, tag=True):
    """The inner does not hold."""

    inner: Condition


class All(msgspec.Struct, frozen=True, tag=True):
    """All hold."""

    items: tuple[Condition, ...]


class Any(msgspec.Struct, frozen=True, tag=True):
    """At least one holds."""

    items: tuple[Condition, ...]


Condition = Named | Not | All | Any

_WORD = re.compile(r"\s*(?:(\()|(\))|([A-Za-z0-9_*-]+))")
_KEYWORDS = ("and", "or", "not", "of", "them")


def parse(text: str, names: Collection[str]) -> Condition:
    """The condition over selections by these names. Raises WrongError."""
    if "|" in text:
        raise WrongError("the form with | was given up: write a correlation instead")
    words = list(_words(text))
    if not words:
        raise WrongError("is empty")
    if len(words) > MOST_WORDS:
        raise WrongError(f"has more than {MOST_WORDS} words")
    reader = _Reader(words, list(names))
    found = reader.alternatives()
    if reader.at < len(words):
        raise WrongError(f"nothing is expected at {words[reader.at]!r}")
    return found


def _words(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise WrongError(f"{text[at:].strip()[:1]!r} is no part of a condition")
        at = found.end()
        yield found[1] or found[2] or found[3]


class _Reader:
    def __init__(self, words: list[str], names: list[str]) -> None:
        self.words, self.names, self.at, self.depth = words, names, 0, 0

    def peek(self, ahead: int = 0) -> str:
        return self.words[self.at + ahead] if self.at + ahead < len(self.words) else ""

    def alternatives(self) -> Condition:
        found = [self.conjunction()]
        while self.peek() == "or":
            self.at += 1
            found.append(self.conjunction())
        return found[0] if len(found) == 1 else Any(tuple(found))

    def conjunction(self) -> Condition:
        found = [self.negation()]
        while self.peek() == "and":
            self.at += 1
            found.append(self.negation())
        return found[0] if len(found) == 1 else All(tuple(found))

    def negation(self) -> Condition:
        self.depth += 1
        if self.depth > MOST_DEPTH:
            raise WrongError(f"is nested deeper than {MOST_DEPTH}")
        try:
            if self.peek() == "not":
                self.at += 1
                return Not(self.negation())
            return self.operand()
        finally:
            self.depth -= 1

    def operand(self) -> Condition:
        word = self.peek()
        self.at += 1
        if not word:
            raise WrongError("ends where a selection is expected")
        if word == "(":
            inner = self.alternatives()
            if self.peek() != ")":
                raise WrongError("has a bracket that is not closed")
            self.at += 1
            return inner
        if word in ("1", "any", "all") and self.peek() == "of":
            self.at += 1
            return self.selector(word)
        if word == ")" or word in _KEYWORDS:
            raise WrongError(f"a selection is expected where {word!r} stands")
        if word not in self.names:
            raise WrongError(self.unknown(word))
        return Named(word)

    def unknown(self, word: str) -> str:
        if word.lower() in (*_KEYWORDS, "all", "any"):
            return f"{word!r} is to be written as {word.lower()!r}"
        if word.isdecimal() and self.peek() == "of":
            return f"only `1 of` and `all of` exist, not `{word} of`"
        return f"there is no selection {word!r}; there are {', '.join(sorted(self.names)) or 'none'}"

    def selector(self, quantifier: str) -> Condition:
        pattern = self.peek()
        self.at += 1
        if not pattern or pattern in "()":
            raise WrongError(f"`{quantifier} of` needs a name with * or `them`")
        expression = ".*" if pattern == "them" else ".*".join(re.escape(one) for one in pattern.split("*"))
        found = [
            name
            for name in self.names
            if re.fullmatch(expression, name) and (pattern.startswith("_") or not name.startswith("_"))
        ]
        if not found:
            raise WrongError(f"`{quantifier} of {pattern}` means no selection")
        items = tuple(Named(name) for name in found)
        if len(items) == 1:
            return items[0]
        return All(items) if quantifier == "all" else Any(items)


def named(condition: Condition) -> Iterator[str]:
    """The names of all selections that a condition asks for."""
    if isinstance(condition, Named):
        yield condition.name
    elif isinstance(condition, Not):
        yield from named(condition.inner)
    else:
        for one in condition.items:
            yield from named(one)
