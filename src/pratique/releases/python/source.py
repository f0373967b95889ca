"""The text of a Python file as the parser takes it: decoded as PEP 263 says, with lines counted once."""

from __future__ import annotations

import codecs
import re
from bisect import bisect_right

from pratique.model.inert import printable

LONGEST = 12 << 20
"""The most bytes of one file that are parsed."""
_DECLARED = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#.*)?\r?$")
_TEXT = bytes(code for code in range(256) if code >= 0x20 or code in (9, 10, 12, 13))
_STATELESS = frozenset(
    {
        "utf_8",
        "utf_8_sig",
        "ascii",
        "latin_1",
        "iso8859_1",
        "iso8859_15",
        "cp1252",
        "cp1251",
        "koi8_r",
        "gbk",
        "gb18030",
    }
    | {"big5", "euc_jp", "euc_kr", "shift_jis", "cp949", "utf_16", "utf_32", "iso8859_2", "cp1250", "utf_7", "cp932"}
)
EXCERPT = 200


class NotTextError(Exception):
    """The bytes are no text that Python would read; the message says why."""


class Source:
    """Python source as UTF-8 bytes. Offsets count bytes of `text`; lines count from 1."""

    __slots__ = ("_starts", "coding", "text")

    def __init__(self, content: bytes) -> None:
        """Raises NotTextError for bytes that cannot be Python source, or that declare an encoding that is not read."""
        self.text, self.coding = _decoded(content)
        self._starts: list[int] | None = None

    def line(self, offset: int) -> int:
        """The line in which an offset lies."""
        if self._starts is None:
            starts, at = [0], self.text.find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.text.find(b"\n", at + 1)
            self._starts = starts
        return bisect_right(self._starts, offset)

    def excerpt(self, start: int, end: int) -> str:
        """Printable text of at most 200 characters that begins at an offset; white space runs become one space."""
        return shortened(self.text[start : min(end, start + 4 * EXCERPT)].decode("utf-8", "replace"))


def shortened(text: str) -> str:
    """Text as an excerpt: printable, one line, at most 200 characters."""
    line = printable(" ".join(text[: 4 * EXCERPT].split()))
    return line if len(line) <= EXCERPT else f"{line[: EXCERPT - 3]}..."


def _decoded(content: bytes) -> tuple[bytes, str]:
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and not content.startswith(codecs.BOM_UTF8):
        return _told(content, "utf_16"), "utf_16"
    text = content.removeprefix(codecs.BOM_UTF8)
    coding = _declared(text) or "utf_8"
    head = text[:65536]
    if head and len(head.translate(None, _TEXT)) * 20 > len(head):
        raise NotTextError("more than one byte in twenty is a control character")
    if coding not in ("utf_8", "utf_8_sig", "ascii"):
        return _told(text, coding), coding
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:
            bad = len(head) - len(head.decode("utf-8", "ignore").encode("utf-8"))
            if bad * 10 > len(head):
                raise NotTextError("bytes that are no UTF-8, and no other encoding is declared") from None
    return text.replace(b"\0", b" "), coding


def _declared(text: bytes) -> str:
    """The encoding that the first two lines declare, in the spelling of the codecs; empty where none."""
    for line in text[:1024].split(b"\n", 2)[:2]:
        found = _DECLARED.match(line)
        if found:
            name = found[1].decode("ascii", "replace").lower().replace("-", "_")
            return {"utf8": "utf_8", "iso_8859_1": "latin_1", "iso_8859_15": "iso8859_15", "latin1": "latin_1"}.get(
                name, name
            )
        if not _BLANK.match(line):
            return ""
    return ""


def _told(text: bytes, coding: str) -> bytes:
    if coding not in _STATELESS:
        raise NotTextError(f"declares the encoding {printable(coding[:40])}, which is not read")
    return text.decode(coding, "replace").encode("utf-8", "replace").replace(b"\0", b" ")
