"""Planted credentials in what was sent, however they were wrapped: base64, hex, gzip, reversed, escaped, over names.

A credential is looked for as it is and in forms that need no decoding; then what can be decoded is, to a depth, and
looked at in the same way. Bounded in depth and bytes.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import unquote_to_bytes

DEPTH = 4
MOST_BYTES = 8 << 20
MOST_VIEWS = 3000
MOST_TRIED = 64
"""So many views of one content are looked at, and so many beginnings of something compressed tried in a view."""
SHORTEST = 12
"""A planted value has at least so many characters, so that none is found by accident."""
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}){12,}")
_ESCAPE = re.compile(rb"\\(?:u00([0-9a-fA-F]{2})|x([0-9a-fA-F]{2})|([/\\\"bfnrt]))")
_CONTROLS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_SHORT = re.compile(rb"[A-Za-z0-9+/_-]+={0,2}")
_WIDE = re.compile(rb"(?:[^\0]\0){12,}")
_LABEL = re.compile(r"[^.]+")


class Seeker:
    """Looks for the same values again and again. `left` is how many bytes of content, decoded or not, it looks at yet.

    `cut` counts the contents that were not looked at, or not wholly, for lack of that.
    """

    def __init__(self, tokens: Mapping[str, str], left: int = MOST_BYTES * 4) -> None:
        self.left = left
        self.cut = 0
        self._forms = {name: (value.encode(), tuple(_forms(value.encode()))) for name, value in tokens.items()}

    def __call__(self, content: bytes) -> dict[str, str]:
        """Names of the planted values that stand in some bytes, each with how it stood: `base64 of gzip`..."""
        told: dict[str, str] = {}
        own = MOST_BYTES
        waiting: deque[tuple[bytes, tuple[str, ...]]] = deque([(content, ())])
        seen: set[int] = set()
        views = 0
        while waiting:
            view, ways = waiting.popleft()
            views += 1
            if len(view) < SHORTEST or hash(view) in seen:
                continue
            if len(view) > min(own, self.left) or views > MOST_VIEWS:
                self.cut += 1
                break
            seen.add(hash(view))
            own -= len(view)
            self.left -= len(view)
            for name, (raw, forms) in self._forms.items():
                if name not in told:
                    how = _stands(view, raw, forms)
                    if how is not None:
                        told[name] = " of ".join([*([how] if how else []), *reversed(ways)]) or "as it is"
            if len(ways) < DEPTH:
                waiting += [(inner, (*ways, way)) for way, inner in _decoded(view)]
        return told


def found_in(content: bytes, tokens: Mapping[str, str]) -> dict[str, str]:
    """What a new `Seeker` finds in some bytes."""
    return Seeker(tokens)(content)


def _stands(view: bytes, raw: bytes, forms: Iterable[tuple[str, bytes]]) -> str | None:
    """How a value stands in some bytes without decoding them; empty: as it is; None: it does not."""
    if raw in view:
        return ""
    for way, form in forms:
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
    joined = list(_over_lines(view)) if b"\n" in view else []
    apart = (one[0] for one in _BASE64.finditer(view) if not any(one[0] in text for text in joined[:8]))
    for text in (*joined, *apart):
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


def _over_lines(view: bytes) -> Iterator[bytes]:
    """Base64 that is broken into lines, put together: from the end of a line, over whole ones, into another."""
    held: list[bytes] = []
    for line in view.split(b"\n"):
        line = line.removesuffix(b"\r")
        if held:
            begin = _SHORT.match(line)
            held.append(begin[0] if begin is not None else b"")
            if begin is not None and len(begin[0]) == len(line):
                continue
            yield b"".join(held)
        end = _BASE64.match(line[::-1])
        held = [end[0][::-1]] if end is not None else []
    if len(held) > 1:
        yield b"".join(held)


def _rest(run: bytes) -> bytes:
    """The last characters of base64 that make no whole group, filled up."""
    rest = run[len(run) // 4 * 4 :]
    return rest + b"=" * (4 - len(rest)) if len(rest) > 1 else b""


def _unescaped(match: re.Match[bytes]) -> bytes:
    number = match[1] or match[2]
    return bytes((int(number, 16),)) if number else _CONTROLS.get(match[3], match[3])


def _inflated(view: bytes) -> Iterator[bytes]:
    """What is compressed by gzip or zlib in some bytes, wherever it begins."""
    for one in itertools.islice(re.finditer(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]", view), MOST_TRIED):
        begin, bits = one.start(), 31 if one[0][0] == 0x1F else 15
        try:
            inner = zlib.decompressobj(bits).decompress(view[begin:], MOST_BYTES // 4)
        except zlib.error:
            continue
        if inner:
            yield inner


_COUNTER = re.compile(r"[0-9]{1,9}")


def found_in_names(names: Sequence[str], tokens: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Planted values that were sent as parts of names that were asked for: name of the value, then how and below what.

    `names` are in the order in which they were asked for. Labels of one domain are put together: a value may be cut
    into many queries, which several threads may have asked in another order; a counter may stand in a label of its own.
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
    """The labels of one domain put together, in the order of the names and in that of a counter among them."""
    rows = list(rows)
    yield from _in_order(rows)
    for place in (0, -1):
        if all(len(row) > 1 and _COUNTER.fullmatch(row[place]) for row in rows):
            counted = sorted(rows, key=lambda row: int(row[place]))
            if counted != rows:
                yield from _in_order(counted)


def _in_order(rows: list[list[str]]) -> Iterator[str]:
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
