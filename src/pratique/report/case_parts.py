"""Parts that pages of a case are made of, before they become HTML."""

from __future__ import annotations

from typing import Literal

import msgspec

ROWS = 500
"""So many rows of a table are shown; the others are counted."""


class Cell(msgspec.Struct, frozen=True):
    """A cell of a table."""

    text: str
    code: bool = False
    href: str = ""
    short: bool = False
    """Whether it is a word or number that must not be broken."""


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a page."""

    kind: Literal["answer", "words", "list", "table"]
    heading: str = ""
    lines: tuple[str, ...] = ()
    status: str = ""
    word: str = ""
    headline: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    more: int = 0
    ordered: bool = False


class Page(msgspec.Struct, frozen=True):
    """One page, before it becomes HTML."""

    name: str
    title: str
    blocks: tuple[Block, ...]
