"""Printable excerpts, numbers of lines and defanged addresses for facts of content."""

from __future__ import annotations

import re

LONGEST_EXCERPT = 200


def printable(content: bytes) -> str:
    """Bytes as at most 200 printable characters; what is not printable stands as an escape, addresses are defanged."""
    text = content[: 4 * LONGEST_EXCERPT].decode("utf-8", "replace").strip()
    text = "".join(
        char if char.isprintable() else " " if char in "\t\n\r" else f"\\u{{{ord(char):x}}}" for char in text[:400]
    )
    return defanged(text)[:LONGEST_EXCERPT]


def around(content: bytes, at: int, end: int, margin: int = 60) -> str:
    """The excerpt of a line around a place in it."""
    begin = max(content.rfind(b"\n", max(0, at - margin), at) + 1, at - margin, 0)
    stop = content.find(b"\n", end, end + margin)
    return printable(content[begin : stop if stop >= 0 else end + margin])


def defanged(text: str) -> str:
    """URLs without their scheme's letters, and no dot of a host as it would work: `hxxps://evil[.]example/a`."""

    def mended(match: re.Match[str]) -> str:
        return match[1].replace("t", "x") + "://" + match[2].replace(".", "[.]")

    return _URL.sub(mended, text)


def defanged_host(host: str) -> str:
    """A host name or address whose dots do not work: `evil[.]example`."""
    return host.replace(".", "[.]")


_URL = re.compile(r"\b(https?|wss?|ftps?|tcp|udp)://([^\s/'\"`<>\\?#]+)", re.IGNORECASE)


class Lines:
    """Numbers of lines for places that only grow, each counted once."""

    __slots__ = ("_at", "_content", "_line")

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0
        self._line = 1

    def of(self, at: int) -> int:
        """The line of a place, from 1; a place before the last one asked for is counted from the start."""
        if at < self._at:
            return self._content.count(b"\n", 0, at) + 1
        self._line += self._content.count(b"\n", self._at, at)
        self._at = at
        return self._line
