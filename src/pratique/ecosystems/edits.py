"""Edits of text by span: whatever lies outside of them stays as it is, byte for byte."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

MARK = "\ufeff"


class Span(msgspec.Struct, frozen=True, order=True):
    """The characters from `start` up to `end` become `text`."""

    start: int
    end: int
    text: str = ""


def edited(text: str, spans: Iterable[Span]) -> str:
    """The text with every span replaced. Spans must not overlap; two insertions at one place keep their order."""
    out: list[str] = []
    at = 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if span.start < at:
            raise ValueError("two edits overlap")
        out += (text[at : span.start], span.text)
        at = span.end
    return "".join([*out, text[at:]])


def decoded(content: bytes) -> str | None:
    """The text of UTF-8 bytes, a byte order mark kept as its first character; None where they are none."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None


def line_end(text: str) -> str:
    """The line end that the first line of the text has."""
    at = text.find("\n")
    return "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"


def line_start(text: str, at: int) -> int:
    """Where the line begins that holds a place."""
    return text.rfind("\n", 0, at) + 1


def line_stop(text: str, at: int) -> int:
    """Where the next line begins after a place; the end of the text where there is none."""
    found = text.find("\n", at)
    return len(text) if found < 0 else found + 1
