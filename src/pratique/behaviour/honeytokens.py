"""Planted credentials in what was sent, however they were wrapped: base64, hex, gzip, reversed, escaped, over names.

A credential is looked for as it is and in forms that need no decoding; then what can be decoded is, to a depth, and
looked at in the same way. Bounded in depth and bytes.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote_to_bytes

DEPTH = 4
MOST_BYTES = 8 << 20
SHORTEST = 12
"""A planted value has at least so many characters, so that none is found by accident."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
_ESCAPE = re.compile(rb"\\(?:u00([0-9a-fA-F]{2})|x([0-9a-fA-F]{2})|([/\\\"bfnrt]))")
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LINES = re.compile(rb"(?:[A-Za-z0-9+/]{40,}\r?\n)+[A-Za-z0-9+/]*={0,2}")
_WIDE = re.compile(rb"(?:[^\0]\0){12,}")
_LABEL = re.compile(r"[^.]+")


def found_in(content: bytes, tokens: Mapping[str, str]) -> dict[str, str]:
    """Names of the planted values that stand in some bytes, each with how it stood: `as it is`, `base64 of gzip`..."""
    told: dict[str, str] = {}
    left = MOST_BYTES
    waiting: list[tuple[bytes, tuple[str, ...]]] = [(content, ())]
    seen: set[int] = set()
    while waiting and left > 0:
        view, ways = waiting.pop(0)
        view = view[:left]
        left -= len(view)
        if len(view) < SHORTEST or hash(view) in seen:
            continue
        seen.add(hash(view))
        for name, value in tokens.items():
            if name not in told:
                how = _stands(view, value)
                if how is not None:
                    told[name] = " of ".join([*([how] if how else []), *reversed(ways)]) or "as it is"
        if len(ways) < DEPTH:
            waiting += [(inner, (*ways, way)) for way, inner in _decoded(view)]
    return told


def _stands(view: bytes, value: str) -> str | None:
    """How a value stands in some bytes without decoding them; empty: as it is; None: it does not."""
    raw = value.encode()
    if raw in view:
        return ""
    for way, form in _forms(raw):
        if form in view:
            return way
    return None


def _forms(raw: bytes) -> Iterator[tuple[str, bytes]]:
    yield "reversed", raw[::-1]
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + raw)
        cut = encoded[(0, 2, 3)[shift] : len(encoded) - (0, 4, 4)[(shift + len(raw)) % 3]].rstrip(b"=")
        yield "base64", cut
        if b"+" in cut or b"/" in cut:
            yield "base64", cut.replace(b"+", b"-").replace(b"/", b"_")
    yield "hex", raw.hex().encode()
    yield "hex", raw.hex().upper().encode()


def _decoded(view: bytes) -> Iterator[tuple[str, bytes]]:
    """What some bytes may be an encoding of."""
    if b"%" in view:
        yield "percent-encoding", unquote_to_bytes(view.replace(b"+", b" "))
    if view.count(0) * 3 > len(view):
        yield "UTF-16", view[0::2]
        yield "UTF-16", view[1::2]
    for match in _WIDE.finditer(view):
        yield "UTF-16", match[0].replace(b"\0", b"")
    if b"\\" in view:
        yield "JSON", _ESCAPE.sub(_unescaped, view)
    yield from (("gzip", inner) for inner in _inflated(view))
    runs = [one[0].replace(b"\r", b"").replace(b"\n", b"") for one in _LINES.finditer(view)]
    for text in (*runs, *(one[0] for one in _BASE64.finditer(view))):
        run = text.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
        for begin in range(4 if len(run) < 1 << 16 else 1):
            part = run[begin:]
            try:
                yield "base64", base64.b64decode(part[: len(part) // 4 * 4] + _rest(part))
            except binascii.Error:
                continue
    for match in _HEX.finditer(view):
        yield "hex", bytes.fromhex(match[0].decode())
    if len(view) < 1 << 20:
        yield "reversed", view[::-1]


def _rest(run: bytes) -> bytes:
    """The last characters of base64 that make no whole group, filled up."""
    rest = run[len(run) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _unescaped(match: re.Match[bytes]) -> bytes:
    number = match[1] or match[2]
    return bytes((int(number, 16),)) if number else _CONTROLS.get(match[3], match[3])


def _inflated(view: bytes) -> Iterator[bytes]:
    """What is compressed by gzip or zlib in some bytes, wherever it begins."""
    for begin, bits in (*((one.start(), 31) for one in re.finditer(rb"\x1f\x8b\x08", view)),
                        *((one.start(), 15) for one in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", view))):  # fmt: skip
        try:
            inner = zlib.decompressobj(bits).decompress(view[begin:], MOST_BYTES // 4)
        except zlib.error:
            continue
        if inner:
            yield inner


def found_in_names(names: Sequence[str], tokens: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Planted values that were sent as parts of names that were asked for: name of the value, then how and below what.

    `names` are in the order in which they were asked for. Labels of one domain are put together: a value may be cut
    into many queries; a counter before each piece may stand in a label of its own.
    """
    by_domain: dict[str, list[list[str]]] = {}
    for name in dict.fromkeys(names):
        labels = _LABEL.findall(name)
        for kept in (2, 3):
            if len(labels) > kept:
                by_domain.setdefault(".".join(labels[-kept:]).lower(), []).append(labels[:-kept])
    told: dict[str, tuple[str, str]] = {}
    for domain, rows in by_domain.items():
        for text in _joined(rows):
            for token, how in _in_text(text, tokens).items():
                told.setdefault(token, (how, domain))
    return told


def _joined(rows: Iterable[list[str]]) -> Iterator[str]:
    rows = list(rows)
    yield "".join("".join(row) for row in rows)
    yield "".join(row[0] for row in rows)
    yield "".join(row[-1] for row in rows)
    yield "".join(max(row, key=len) for row in rows)


def _in_text(text: str, tokens: Mapping[str, str]) -> dict[str, str]:
    """Values in a text that lost the difference of letters' cases, and kept it."""
    told = found_in(text.encode("utf-8", "replace"), tokens)
    low = text.lower()
    for name, value in tokens.items():
        raw = value.encode()
        thirty_two = base64.b32encode(raw).decode().rstrip("=").lower()[: len(raw) * 8 // 5]
        if name not in told:
            if value.lower() in low:
                told[name] = "as it is"
            elif thirty_two in low:
                told[name] = "base32"
    return told


def redacted(content: bytes, tokens: Mapping[str, str], most: int = 600) -> str:
    """The beginning of some bytes as text, planted values replaced by their names."""
    text = content[: most * 4].decode("utf-8", "replace")
    for name, value in tokens.items():
        text = text.replace(value, f"<{name}>")
    shown = "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown[:most]
