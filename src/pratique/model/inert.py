"""Texts from outside made harmless: for a terminal, and for Markdown."""

from __future__ import annotations

import re

_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U0001bca0-\U0001bca3\U000e0100-\U000e01ef]"
)
"""Characters that count as printable and show nothing: a name that holds one only looks like another."""
_ASCII = re.compile(r"[\x20-\x7e]*")
_PLAIN = r"[A-Za-z0-9 ,;()'%+=?>-]*"
_WORDS = re.compile(rf"{_PLAIN}(?:(?:[.:](?=[ ;)]|$)|(?<=[0-9])\.(?=[0-9])){_PLAIN})*")
"""Plain words: nothing in them is markup, a link, a mention or an emoji."""
_REFERENCE = re.compile(r"\bGH-\d|\bwww\b|\b[0-9a-f]{7,40}\b|^[-+=>0-9]", re.IGNORECASE)
"""Plain words that a forge would still turn into something else, or that would start a list, quote or heading."""
_RUNS = re.compile("`+")


def printable(text: str) -> str:
    """Text that cannot steer a terminal or a reader's eye: control, format and bidirectional characters are spelled."""
    if _ASCII.fullmatch(text):
        return text
    return "".join(char if shows(char) else _spelled(char) for char in text)


def shows(char: str) -> bool:
    """Whether a character shows as itself, and changes nothing around it."""
    return char.isprintable() and not _IGNORABLE.match(char)


def _spelled(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def one_line(text: str) -> str:
    """Text of several lines as one: runs of white space become a space."""
    return " ".join(text.split())


def prose(text: str) -> str:
    """Text from outside as prose where it is plain words, as code where it is not."""
    line = one_line(printable(one_line(text)))
    if not line:
        return ""
    return line if _WORDS.fullmatch(line) and not _REFERENCE.search(line) else code(line)


def code(text: str) -> str:
    """Text from outside as a code span that it cannot leave, in a table cell neither."""
    line = one_line(printable(text)).replace("|", "\\x7c")
    if not line:
        return ""
    fence = "`" * (max((len(run) for run in _RUNS.findall(line)), default=0) + 1)
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"
