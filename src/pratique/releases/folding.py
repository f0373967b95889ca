"""Fold what is long and says little in code that a person is to read: literals, and rows of values.

What is folded can hold no call: it has no brackets, no assignment and no `new`. So no code hides in a fold, however the
text around it was made to look.
"""

from __future__ import annotations

import re

LONG = 160
"""A literal of more characters is folded."""
_HEAD, _TAIL = 60, 20
_VALUES = 16
"""So many values in a row are folded."""
WIDE = 400
"""Lines of more characters are laid out: one statement a line."""
MOST = 16_384
"""So many characters of one passage are shown at most."""

_PLAIN = r"[^\"'`\n()\[\]{};<>=]"
_LITERAL = re.compile(rf"(?<=[\"'`])(?>{_PLAIN}{{{LONG},}}={{0,2}})(?=[\"'`])")
_LETTERS = r"[A-Za-z0-9+/_\\%.-]"
_BLOB = re.compile(rf"(?<!{_LETTERS})(?>{_LETTERS}{{{LONG},}}={{0,2}})")
_VALUE = rf"(?:0[xX][0-9A-Fa-f]+|-?\d[\d.]*|\"{_PLAIN}{{0,80}}\"|'{_PLAIN}{{0,80}}')"
_ROW = re.compile(rf"(?:\s*{_VALUE}\s*,){{{_VALUES},}}")
_NEW = re.compile(r"\bnew\s")
_BREAK = re.compile(r"[;{}]")
_HEADER = re.compile(r"[{:(]\s*$|=>\s*$")


def folded(text: str) -> tuple[str, int]:
    """A text with its long literals and rows of values folded, and how many characters were left out."""
    left_out = 0
    if len(text) > MOST:
        left_out = len(text) - MOST
        text = text[:MOST]

    def fold(found: re.Match[str]) -> str:
        nonlocal left_out
        whole = found[0]
        if _NEW.search(whole):
            return whole
        left_out += len(whole) - _HEAD - _TAIL
        return f"{whole[:_HEAD]}⟨… {len(whole) - _HEAD - _TAIL:,} characters …⟩{whole[-_TAIL:]}"

    def fold_row(found: re.Match[str]) -> str:
        nonlocal left_out
        whole = found[0]
        if len(whole) <= LONG:
            return whole
        left_out += len(whole) - _HEAD
        return f"{whole[:_HEAD]}⟨… {whole.count(','):,} values …⟩"

    text = _ROW.sub(fold_row, text)
    text = _LITERAL.sub(fold, text)
    text = _BLOB.sub(fold, text)
    if any(len(line) > WIDE for line in text.split("\n")):
        text = "\n".join(_laid_out(line) if len(line) > WIDE else line for line in text.split("\n"))
    return text, left_out


def _laid_out(line: str) -> str:
    """A long line, broken behind its statements and blocks where parts would be too wide."""
    parts: list[str] = []
    begin = 0
    for found in _BREAK.finditer(line):
        if found.end() - begin >= 40:
            parts.append(line[begin : found.end()].strip())
            begin = found.end()
    parts.append(line[begin:].strip())
    return "\n".join(part for part in parts if part)


def outer(lines: list[str], line: int) -> str:
    """The head of the block around a line (counted from 1): the nearest line above it that stands further left."""
    if not 0 < line <= len(lines):
        return ""
    indent = _indent(lines[line - 1])
    for number in range(line - 2, max(line - 402, -1), -1):
        text = lines[number]
        if text.strip() and _indent(text) < indent:
            if _HEADER.search(text[-200:]):
                return text.strip()[:120]
            indent = _indent(text)
        if not indent:
            return ""
    return ""


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip()) if text.strip() else 1 << 20
