"""Tokens that their issuer's format tells: the kind, and nothing else of them.

The formats are data (`tokens.toml`), each with its source. A prefix decides; a length never rejects, since issuers
change it. The search is one pass over the text with one compiled expression.
"""

from __future__ import annotations

import functools
import importlib.resources
import re
import tomllib
from collections import Counter
from collections.abc import Iterator

import msgspec

LONGEST = 1 << 20
"""Characters of one value that are looked at."""

_BODY = "A-Za-z0-9_.=+/~-"
_LEAST = 12


class Format(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The format of one kind of token."""

    kind: str
    provider: str
    prefix: str = ""
    pattern: str = ""
    """For those without a prefix; matches what is whole or a beginning."""
    body: str = _BODY
    """Class of the characters that follow the prefix."""
    least: int = _LEAST
    """How many of them make it more than a word."""
    public: bool = False
    """Whether it only names somebody: the id of a key, a public key."""
    source: str

    marker: str = ""
    """Text that stands in everything that `pattern` matches."""

    def expression(self) -> str:
        """As a regular expression without groups."""
        return self.pattern or f"{re.escape(self.prefix)}[{self.body}]{{{self.least},}}"


@functools.cache
def formats() -> tuple[Format, ...]:
    """The table: those without a prefix, then longer prefixes before shorter ones."""
    text = importlib.resources.files(__package__).joinpath("tokens.toml").read_text(encoding="utf-8")
    rows = msgspec.convert(tomllib.loads(text)["token"], tuple[Format, ...])
    return tuple(sorted(rows, key=lambda row: (not row.pattern, -len(row.prefix))))


_START = r"(?<![A-Za-z0-9_])"


@functools.cache
def _prefixed() -> re.Pattern[str]:
    """Every format with a prefix. The first character is tested before all else: it is what most text fails."""
    rows = [row for row in formats() if row.prefix]
    first = "".join(re.escape(letter) for letter in sorted({row.prefix[0] for row in rows}))
    return re.compile(rf"(?=[{first}]){_START}(?:{'|'.join(row.expression() for row in rows)})")


@functools.cache
def _patterns() -> tuple[tuple[Format, re.Pattern[str]], ...]:
    return tuple((row, re.compile(_START + row.pattern)) for row in formats() if row.pattern)


@functools.cache
def _by_start() -> dict[str, list[tuple[str, Format, re.Pattern[str]]]]:
    table: dict[str, list[tuple[str, Format, re.Pattern[str]]]] = {}
    for row in formats():
        if row.prefix:
            table.setdefault(row.prefix[:3], []).append((row.prefix, row, re.compile(row.expression())))
    return table


def _row(text: str) -> Format:
    """The row that a match of all prefixes belongs to."""
    return next(row for prefix, row, whole in _by_start()[text[:3]] if text.startswith(prefix) and whole.match(text))


def recognise(value: str) -> Format | None:
    """The format that a whole value has, None where it has none that is known."""
    value = value.strip()[:LONGEST]
    for row, pattern in _patterns():
        if row.marker in value and pattern.match(value):
            return row
    match = _prefixed().match(value)
    return _row(match[0]) if match else None


def kind_of(value: str) -> str:
    """The kind of a whole value; empty where no format tells one or it is public."""
    found = recognise(value)
    return found.kind if found and not found.public else ""


def _found(text: str) -> Iterator[Format]:
    for row, pattern in _patterns():
        if row.marker in text:
            yield from (row for _ in pattern.finditer(text))
    for match in _prefixed().finditer(text):
        yield _row(match[0])


def count(text: str) -> Counter[str]:
    """How many tokens of each kind stand in a text."""
    return Counter(row.kind for row in _found(text) if not row.public)


def holds(text: str) -> bool:
    """Whether a token stands anywhere in a text."""
    return any(not row.public for row in _found(text))
