"""How code is hidden: names that say nothing, strings fetched by number, encoded literals, code in signs.

All of it is told by the bytes; only an encoded literal is decoded, within the budget of `pratique.releases.decoding`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from pratique.model.release import Fact
from pratique.releases.decoding import Budget, Layer, layers
from pratique.releases.javascript.source import Source, printable

_HEX_NAME = re.compile(rb"(?<![\w$])_0x[0-9a-fA-F]{2,8}(?![\w$])")
_NAME = re.compile(rb"(?<![\w$'\"])[A-Za-z_$][\w$]*")
_ROTATION = re.compile(rb"\[?[.'\"]{1,2}push['\"]?\]?\(\s*[\w$]+\s*\[?[.'\"]{1,2}shift['\"]?\]?\(\s*\)\s*\)")
_FETCH_BY_NUMBER = re.compile(
    rb"(?<![\w$.])([A-Za-z_$][\w$]*)\(\s*(?:['\"]?0x[0-9a-f]+['\"]?|-?\d{1,6})\s*(?:,\s*['\"][^'\"]{0,8}['\"]\s*)?\)"
)
_ARRAY = re.compile(rb"=\s*\[\s*(?:(?:'[^'\n]{0,400}'|\"[^\"\n]{0,400}\")\s*,\s*){15}")
_SIGNS = re.compile(rb"[\[\]()!+{}]{300,}")
_PACKED = re.compile(rb"eval\s*\(\s*function\s*\(\s*p\s*,\s*a\s*,\s*c\s*,\s*k\s*,\s*e\s*,\s*[dr]\s*\)")
_FACES = "ﾟωﾟﾉ".encode()
_JJ = re.compile(rb"\$\s*=\s*~\s*\[\s*\]\s*;\s*\$\s*=\s*\{\s*___")
_CODES = re.compile(rb"fromCharCode\(\s*(?:0x[0-9a-fA-F]+|\d{1,5})(?:\s*,\s*(?:0x[0-9a-fA-F]+|\d{1,5})){24,}")
_ESCAPED = re.compile(rb"(?:\\x[2-7][0-9a-fA-F]|\\u00[2-7][0-9a-fA-F]){6,}")
_LITERAL = re.compile(rb"(?<=['\"`])[A-Za-z0-9+/=_\-]{48,}(?=['\"`])|(?<=['\"`])(?:[0-9a-fA-F]{2}){24,}(?=['\"`])")
_DIGEST = re.compile(
    rb"(?:sha\d+-)?(?:[0-9a-f]{64}|[0-9a-f]{128}|[0-9a-f]{96}|[A-Za-z0-9+/]{86}==|[A-Za-z0-9_-]{43,44}=?)\Z"
)
_TOLD = frozenset({"code", "shell", "url", "native", "archive"})
MOST_LITERALS = 120
LONGEST_LITERAL = 1 << 20


class Hidden(NamedTuple):
    """Text that lay under an encoding, and where the literal begins."""

    offset: int
    layer: Layer


def shapes(source: Source) -> Iterator[Fact]:
    """The forms of hidden code that the bytes show."""
    content = source.content
    names = _HEX_NAME.findall(content[: 1 << 20])
    if len(names) >= 12:
        every = sum(1 for _ in _NAME.finditer(content[: 1 << 20])) or 1
        share = round(min(len(names) / every, 1.0), 2)
        if share >= 0.08:
            yield source.fact("obfuscation.names", content.find(names[0]), share=share, count=len(set(names)))
    yield from _strings(source)
    if found := _SIGNS.search(content):
        yield source.fact("obfuscation.form", found.start(), form="signs", length=found.end() - found.start())
    if found := _PACKED.search(content):
        yield source.fact("obfuscation.form", found.start(), form="packed", length=len(content))
    if _FACES in content or (found := _JJ.search(content)):
        place = content.find(_FACES)
        yield source.fact(
            "obfuscation.form", max(place, found.start() if found else 0), form="signs", length=len(content)
        )
    if found := _CODES.search(content):
        yield source.fact("obfuscation.form", found.start(), form="character-codes", length=found.end() - found.start())
    if b"\\x" not in content and b"\\u00" not in content:
        return
    escaped = [match for match, _ in zip(_ESCAPED.finditer(content), range(1000), strict=False)]
    if escaped and (len(escaped) >= 3 or len(escaped[0].group()) >= 80):
        length = sum(len(match.group()) for match in escaped)
        yield source.fact("obfuscation.form", escaped[0].start(), form="escapes", length=length)


def _strings(source: Source) -> Iterator[Fact]:
    content = source.content
    array = _ARRAY.search(content)
    if array is None:
        return
    rotation = _ROTATION.search(content)
    calls: dict[bytes, int] = {}
    hexadecimal: dict[bytes, int] = {}
    for number, match in enumerate(_FETCH_BY_NUMBER.finditer(content)):
        name = match.group(1)
        calls[name] = calls.get(name, 0) + 1
        if b"0x" in match.group()[len(name) :]:
            hexadecimal[name] = hexadecimal.get(name, 0) + 1
        if number > 20_000:
            break
    most = max(calls.values(), default=0)
    if (rotation and b"parseInt" in content and most >= 5) or max(hexadecimal.values(), default=0) >= 15:
        end = content.find(b"]", array.end())
        strings = content.count(b",", array.start(), end if end > 0 else len(content)) + 1
        encoded = "base64" if b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=" in content else ""
        yield source.fact("obfuscation.string-array", array.start(), strings=strings, encoded=encoded)


def literals(source: Source, budget: Budget) -> Iterator[Hidden]:
    """Long encoded literals and what lies under them, where that is code, a command, an address, a program."""
    looked = 0
    for match in _LITERAL.finditer(source.content):
        text = match.group()
        if len(text) > LONGEST_LITERAL or _DIGEST.match(text) or not _mixed(text):
            continue
        looked += 1
        if looked > MOST_LITERALS:
            return
        for layer in layers(text, budget):
            if layer.meaning in _TOLD:
                yield Hidden(match.start(), layer)
                break


def _mixed(text: bytes) -> bool:
    """Whether a text looks encoded: no long name or path, no row of one character."""
    part = text[:256]
    digits = sum(1 for one in part if 48 <= one <= 57)
    capitals = sum(1 for one in part if 65 <= one <= 90)
    small = len(part) - digits - capitals
    if b"/" in part and part.count(b"/") * 12 > len(part):
        return False
    return (digits > 0 and capitals > 3 and small > 3) or (digits * 4 > len(part) and len(set(part)) > 8)


def literal_fact(source: Source, hidden: Hidden, *, runs: bool) -> Fact:
    """The fact for an encoded literal."""
    names = "+".join(hidden.layer.encodings)
    shown = hidden.layer.content[:800].decode("utf-8", "replace")
    if hidden.layer.meaning in {"native", "archive"}:
        shown = hidden.layer.meaning
    meaning: str = hidden.layer.meaning
    if hidden.layer.content.startswith(b"\0asm"):
        meaning = shown = "wasm"
    return source.fact(
        "obfuscation.literal", hidden.offset, encoding=names, length=len(hidden.layer.content),
        decoded=printable(shown), runs=runs, meaning=meaning,
    )  # fmt: skip
