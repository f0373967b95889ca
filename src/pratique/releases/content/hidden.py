"""Characters that are not seen: what they are, how many, and the text that they carry.

Not told, because ordinary text has them: a mark of byte order at the beginning, the joiners of emoji and of Arabic,
Indic and Persian script, one selector behind a character, flags of regions, controls of direction in lines that hold
Hebrew or Arabic letters, and all of them inside `[...]` of a pattern or as ends of a range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pratique.model.release import Fact, SourceFile
from pratique.releases.content.excerpts import Lines, around, printable
from pratique.releases.plausible import strictly

MOST = 8
"""The facts of one form that are told of a file."""

_SELECTORS = re.compile(rb"(?:\xf3\xa0[\x84-\x87][\x80-\xbf]|\xef\xb8[\x80-\x8f]){4,}")
_TAGS = re.compile(rb"(?:\xf3\xa0[\x80\x81][\x80-\xbf]){2,}")
_BIDI = re.compile(rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_UNSEEN = rb"\xe2\x80[\x8b-\x8f]|\xe2\x81[\xa0-\xa4]|\xef\xbb\xbf|\xe1\xa0\x8e"
_ZERO_WIDTH = re.compile(rb"(?:" + _UNSEEN + rb"){8,}")
_IN_NAME = re.compile(rb"(?<=[A-Za-z0-9_$])(?:" + _UNSEEN + rb")+(?=[A-Za-z0-9_$(])")
_FILLER = re.compile(rb"(?<=[\s,;{(=.$\w\[])(?:\xe3\x85\xa4|\xe1\x85[\x9f\xa0]|\xef\xbe\xa0)+(?=[\s,;})=.:(\]])")
_PRIVATE = re.compile(
    rb"(?:\xee[\x80-\xbf][\x80-\xbf]|\xef[\x80-\xa3][\x80-\xbf]|\xf3[\xb0-\xbf][\x80-\xbf]{2}|\xf4[\x80-\x8f][\x80-\xbf]{2}){8,}"
)
_NAME_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_$"
_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
Begins = tuple[re.Pattern[bytes], ...]


def _patterns(*begins: bytes) -> Begins:
    return tuple(map(re.compile, begins))


_UNSEEN_BEGINS = _patterns(rb"\xe2\x80[\x8b-\x8f]", rb"\xe2\x81[\xa0-\xa4]", rb"\xef\xbb\xbf", rb"\xe1\xa0\x8e")
_BIDI_BEGINS = _patterns(rb"\xe2\x80[\xaa-\xae]", rb"\xe2\x81[\xa6-\xa9]")
_SELECTOR_BEGINS = _patterns(rb"\xf3\xa0[\x84-\x87]", rb"\xef\xb8[\x80-\x8f](?:\xef\xb8|\xf3\xa0)")
_TAG_BEGINS = _patterns(rb"\xf3\xa0[\x80\x81]")
_FILLER_BEGINS = _patterns(rb"\xe3\x85\xa4", rb"\xe1\x85[\x9f\xa0]", rb"\xef\xbe\xa0")
_PRIVATE_BEGINS = _patterns(rb"\xee", rb"\xef[\x80-\xa3]", rb"\xf3[\xb0-\xbf]", rb"\xf4[\x80-\x8f]")
_MOST_PLACES = 1 << 20
CODE = frozenset({"javascript", "typescript", "python", "shell", "path-configuration", "gyp", "declarations"})
"""Kinds of code, where a name must not hold what is not seen."""


def hidden_text(file: SourceFile) -> Iterator[Fact]:
    """Runs of characters that are not seen and carry text, controls of direction, names that hold what is not seen."""
    content = file.content
    if not content.isascii():
        for form, find in _FORMS:
            yield from _told(file, form, find)
    if file.kind in CODE and b" " * 160 in content:
        yield from _told(file, "far-right", _far_right)


def _told(
    file: SourceFile, form: str, find: Callable[[SourceFile], Iterator[tuple[int, int, str, str]]]
) -> Iterator[Fact]:
    """Facts of one form, the first ones; `count` of each is its own, the last carries all further ones."""
    lines = Lines(file.content)
    more = 0
    for number, (begin, end, name, shown) in enumerate(find(file)):
        if number >= 10_000:
            break
        if number >= MOST:
            more += 1
            continue
        yield Fact(
            "content.hidden-text",
            file.path,
            lines.of(begin),
            shown or around(file.content, begin, end),
            file.sha256,
            attributes={"form": form, "count": len(file.content[begin:end].decode("utf-8", "replace")), "name": name},
        )
    if more:
        yield Fact(
            "content.hidden-text",
            file.path,
            0,
            f"{more} more of this form",
            file.sha256,
            attributes={"form": form, "count": more, "name": "more"},
        )


def _selectors(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """Variation selectors in a row: sixteen and 240 of them stand for the values of a byte."""
    for match in _begun(file.content, _SELECTOR_BEGINS, _SELECTORS):
        values = bytes(
            point - 0xFE00 if point < 0xFF00 else (point - 0xE0100 + 16) & 0xFF
            for point in map(ord, match.group().decode("utf-8"))
        )
        yield match.start(), match.end(), "variation selectors", _carried(values)


def _tags(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """Tag characters: a shadow of ASCII. Behind a black flag, up to the closing tag, they make the flag of a region."""
    for match in _begun(file.content, _TAG_BEGINS, _TAGS):
        points = list(map(ord, match.group().decode("utf-8")))
        flag = file.content[max(0, match.start() - 4) : match.start()] == b"\xf0\x9f\x8f\xb4"
        if flag and points[-1] == 0xE007F and len(points) <= 8:
            continue
        values = bytes(point & 0x7F for point in points)
        yield match.start(), match.end(), "tag characters", _carried(values)


def _bidi(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """Controls that turn the direction of text, in lines of code without a letter that is written to the left."""
    if file.kind not in CODE:
        return
    content = file.content
    last = -1
    for match in _begun(content, _BIDI_BEGINS, _BIDI):
        at, end = match.span()
        begin = content.rfind(b"\n", max(0, at - 2000), at) + 1
        if begin == last:
            continue
        if _in_class(content, at, end):
            continue
        stop = content.find(b"\n", end, end + 2000)
        line = content[max(begin, at - 2000) : stop if stop >= 0 else end + 2000].decode("utf-8", "replace")
        last = begin
        if _RTL.search(line) or not re.search(r"[A-Za-z]{2}", line):
            continue
        yield at, end, f"U+{ord(match.group().decode()):04X}", ""


def _zero_width(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """Eight and more characters without width in a row: two sorts of them stand for the bits of bytes."""
    for match in _begun(file.content, _UNSEEN_BEGINS, _ZERO_WIDTH):
        signs = match.group().decode("utf-8")
        yield match.start(), match.end(), "zero width", _bits(signs)


def _in_names(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """A character without width between the letters of a name, in code."""
    if file.kind not in CODE:
        return
    for match in _begun(file.content, _UNSEEN_BEGINS, _IN_NAME):
        if not _in_class(file.content, *match.span()):
            head = file.content[max(0, match.start() - 80) : match.start()]
            name = head[len(head.rstrip(_NAME_SIGNS)) :]
            yield match.start(), match.end(), name.decode("ascii"), ""


def _fillers(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """A filler of Hangul where a name stands: a letter to the language, nothing to the eye."""
    if file.kind not in CODE:
        return
    for match in _begun(file.content, _FILLER_BEGINS, _FILLER):
        if not _in_class(file.content, *match.span()):
            yield match.start(), match.end(), "Hangul filler", ""


def _private(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """Characters of private use in a row whose lowest bytes are text: fonts of icons and tables have none such."""
    for match in _begun(file.content, _PRIVATE_BEGINS, _PRIVATE):
        values = bytes(ord(char) & 0xFF for char in match.group()[: 1 << 16].decode("utf-8", "ignore"))
        if strictly(values):
            yield match.start(), match.end(), "private use", _carried(values)


def _far_right(file: SourceFile) -> Iterator[tuple[int, int, str, str]]:
    """Code behind so many blanks that no screen shows it."""
    content = file.content
    at = 0
    while (found := content.find(b" " * 160, at)) >= 0:
        begin = content.rfind(b"\n", 0, found) + 1
        end = content.find(b"\n", found)
        end = len(content) if end < 0 else end
        tail = content[found:end].lstrip(b" \t")
        if content[begin:found].strip() and re.match(rb"[A-Za-z_$(\[;!'\"]", tail) and len(tail) >= 12:
            start = end - len(tail)
            yield start, min(end, start + 80), "behind blanks", printable(tail)
        at = end


def _in_class(content: bytes, at: int, end: int) -> bool:
    """Whether a character stands in `[...]` of a pattern, at an end of a range, or alone between quotes."""
    if content[at - 1 : at] in (b"-", b"'", b'"', b"`") or content[end : end + 1] in (b"-",):
        return True
    before = content[max(0, at - 300) : at]
    opened = before.rfind(b"[")
    return (
        opened >= 0
        and b"]" not in before[opened:]
        and b"]" in content[end : end + 300]
        and b"\n" not in before[opened:]
    )


def _bits(signs: str) -> str:
    """The text that two sorts of signs carry as bits, in either sense; else what was there."""
    sorts = sorted(set(signs))
    if len(sorts) in (2, 3):
        counted = sorted(sorts, key=signs.count, reverse=True)[:2]
        for zero, one in (counted, counted[::-1]):
            bits = "".join("0" if sign == zero else "1" for sign in signs if sign in (zero, one))
            size = len(bits) // 8
            values = int(bits[: size * 8] or "0", 2).to_bytes(max(size, 1), "big") if size <= 1 << 12 else b""
            if strictly(values):
                return _carried(values)
    return f"{len(signs)} characters without width"


def _carried(values: bytes) -> str:
    """What unseen characters carry, in words: the text, or that it is none."""
    return printable(b"carries: " + values) if strictly(values) else f"carries {len(values)} bytes"


def _begun(content: bytes, begins: Begins, pattern: re.Pattern[bytes]) -> Iterator[re.Match[bytes]]:
    """Matches of a pattern, in order, found by patterns of its begin that are cheap: each starts with a fixed byte."""
    found: dict[int, re.Match[bytes]] = {}
    for begin in begins:
        place = begin.search(content)
        for _ in range(_MOST_PLACES):
            if place is None:
                break
            match = pattern.match(content, place.start())
            if match is not None:
                found[match.start()] = match
            place = begin.search(content, match.end() if match is not None else place.end())
    last = 0
    for at in sorted(found):
        if at >= last:
            last = found[at].end()
            yield found[at]


_FORMS: tuple[tuple[str, Callable[[SourceFile], Iterator[tuple[int, int, str, str]]]], ...] = (
    ("variation-selectors", _selectors),
    ("tags", _tags),
    ("bidi", _bidi),
    ("zero-width", _zero_width),
    ("in-name", _in_names),
    ("filler", _fillers),
    ("private-use", _private),
)
"""Form, and what finds it."""
