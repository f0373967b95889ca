"""Huge lines, and long runs of signs that are as mixed as random bytes. Everything is counted by whole blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pratique.model.release import Fact, SourceFile
from pratique.releases.content.excerpts import Lines, printable

HUGE = 2000
"""The bytes of a line from which it counts as huge."""
LONG = 256
"""The bytes of an unbroken run from which its mixture is measured."""
SAMPLED = 1 << 16
"""The bytes of a run that are measured."""
MOST_RUNS = 8
"""The longest runs of a file that are told."""
_MEASURED = 64

_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-"
_TO_RUNS = bytes(97 if byte in _SIGNS else 10 for byte in range(256))
_HEX = b"0123456789abcdefABCDEF"


def long_lines(content: bytes, least: int) -> Iterator[tuple[int, int]]:
    """Begin and length of every line of at least `least` bytes, in order. Cost: one step for each `least` bytes."""
    at, total = 0, len(content)
    while at + least <= total:
        end = content.rfind(b"\n", at, at + least)
        if end >= 0:
            at = end + 1
            continue
        end = content.find(b"\n", at + least)
        end = total if end < 0 else end
        yield at, end - at
        at = end + 1


def huge_line(file: SourceFile) -> Iterator[Fact]:
    """The longest line of a file, where it is huge: one fact, with its length in bytes."""
    found = max(long_lines(file.content, HUGE), key=lambda line: line[1], default=None)
    if found is not None:
        at, length = found
        yield Fact(
            "content.huge-line",
            file.path,
            file.content.count(b"\n", 0, at) + 1,
            printable(file.content[at : at + 400]),
            file.sha256,
            attributes={"length": length},
        )


def entropy_bits(content: bytes) -> float:
    """The bits that a byte carries by how often each occurs: 0 to 8."""
    total = len(content)
    if not total:
        return 0.0
    shares = (content.count(byte) / total for byte in set(content))
    return -sum(share * math.log2(share) for share in shares)


def mixed_runs(file: SourceFile) -> Iterator[Fact]:
    """Unbroken runs of the signs of base64, and hexadecimal ones, that are as mixed as random bytes are so encoded.

    Base64 of compressed or encrypted bytes carries 5.9 bits and more a sign, of text about 5.5 and less, names and
    words about 4.5; random hexadecimal carries 4. Told are runs over 5.8, and hexadecimal ones over 3.9.
    """
    content = file.content
    runs = sorted(long_lines(content.translate(_TO_RUNS), LONG), key=lambda run: -run[1])[:_MEASURED]
    told = []
    for at, length in runs:
        sample = content[at : at + min(length, SAMPLED)]
        bits = entropy_bits(sample)
        hexadecimal = not sample.translate(None, _HEX)
        if bits >= (3.9 if hexadecimal else _expected(len(sample))):
            told.append((at, length, bits))
    lines = Lines(content)
    for at, length, bits in sorted(told[:MOST_RUNS]):
        yield Fact(
            "content.entropy",
            file.path,
            lines.of(at),
            printable(content[at : at + 80]),
            file.sha256,
            attributes={"bits": round(bits, 2), "length": length},
        )


def _expected(length: int) -> float:
    """The bits from which base64 of a length counts as mixed: a short sample cannot show all that it carries."""
    return 5.8 if length >= 1024 else 5.65


def mixed_whole(file: SourceFile) -> Iterator[Fact]:
    """A file of no known format that is as mixed as encrypted bytes: line 0, bits of its first 64 KiB."""
    sample = file.content[:SAMPLED]
    if len(sample) < 4096:
        return
    bits = entropy_bits(sample)
    if bits >= 7.9:
        yield Fact(
            "content.entropy",
            file.path,
            0,
            f"{len(file.content)} bytes of no known format",
            file.sha256,
            attributes={"bits": round(bits, 2), "length": len(file.content)},
        )
