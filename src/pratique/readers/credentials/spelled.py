"""Texts as they are meant: percent signs, escapes and entities undone, pieces of a folded value put together.

What may be shown is judged by what it means: a token that is spelled in another way is a token.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import unquote

_ESCAPE = re.compile(r"\\u\{?([0-9A-Fa-f]{4})\}?|\\x([0-9A-Fa-f]{2})|\\([0-7]{3})")
_ODD = re.compile(r"[a-z][A-Z]|[A-Za-z][0-9]+[A-Za-z]")
"""What hardly stands in a word: a capital behind a small letter, a digit between letters."""
_ROUNDS = 3
_PIECE = 6
_LEAST = 20


def _letter(match: re.Match[str]) -> str:
    return chr(int(match[1] or match[2], 16) if match[1] or match[2] else int(match[3], 8))


def meant(text: str) -> Iterator[str]:
    """Every other text that a text may stand for; nothing where it is spelled plainly."""
    for _ in range(_ROUNDS):
        plain = html.unescape(unquote(_ESCAPE.sub(_letter, text)))
        if plain == text:
            return
        yield plain
        text = plain


def in_pieces(text: str) -> bool:
    """Whether a text is made of pieces that look as if a machine made them, as a folded token is."""
    pieces = [piece for piece in re.split(r"[\s\\]+", text) if len(piece) >= _PIECE]
    odd = [piece for piece in pieces if _ODD.search(piece)]
    mixed = any(all(re.search(kind, piece) for kind in ("[a-z]", "[A-Z]", "[0-9]")) for piece in odd)
    return len(pieces) > 1 and mixed and sum(map(len, odd)) >= _LEAST
