"""Where a picture or a zip ends by its own account, and whether bytes follow. Each walk takes bounded steps."""

from __future__ import annotations

import re

_MOST_PARTS = 100_000
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def end_of(format_name: str, content: bytes) -> int | None:
    """The number of bytes that a PNG, JPEG, GIF, WebP or zip takes; None where it does not say or is broken."""
    walk = {"png": _png, "jpeg": _jpeg, "gif": _gif, "webp": _riff, "zip": _zip}.get(format_name)
    return walk(content) if walk is not None else None


def _png(content: bytes) -> int | None:
    at = 8
    for _ in range(_MOST_PARTS):
        if at + 12 > len(content):
            return None
        length = int.from_bytes(content[at : at + 4], "big")
        name = content[at + 4 : at + 8]
        at += 12 + length
        if name == b"IEND":
            return at if at <= len(content) else None
    return None


def _jpeg(content: bytes) -> int | None:
    at = 2
    for _ in range(_MOST_PARTS):
        if at + 4 > len(content) or content[at] != 0xFF:
            return None
        marker = content[at + 1]
        if marker == 0xD9:
            return at + 2
        if marker == 0xFF:
            at += 1
            continue
        at += 2 + int.from_bytes(content[at + 2 : at + 4], "big")
        if marker == 0xDA:
            found = _MARKER.search(content, at)
            if found is None:
                return None
            at = found.start()
    return None


def _gif(content: bytes) -> int | None:
    if len(content) < 13:
        return None
    at = 13 + (3 << ((content[10] & 7) + 1) if content[10] & 0x80 else 0)
    blocks = 0
    for _ in range(_MOST_PARTS):
        kind = content[at : at + 1]
        if kind == b";":
            return at + 1
        if kind == b"!":
            at += 2
        elif kind == b",":
            if at + 10 > len(content):
                return None
            flags = content[at + 9]
            at += 11 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0)
        else:
            return None
        while at < len(content) and content[at]:
            at += 1 + content[at]
            blocks += 1
            if blocks > 4 * _MOST_PARTS:
                return None
        at += 1
    return None


def _riff(content: bytes) -> int | None:
    size = int.from_bytes(content[4:8], "little") + 8
    size += size & 1
    return size if size <= len(content) else None


def _zip(content: bytes) -> int | None:
    at = content.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(content):
        return None
    end = at + 22 + int.from_bytes(content[at + 20 : at + 22], "little")
    return end if end <= len(content) else None
