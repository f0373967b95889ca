"""A log in blocks that end at line ends: read once from front to back, with the same memory whatever its size."""

from __future__ import annotations

import codecs
from collections.abc import Iterator

from pratique.model.ports import Artifact, Unreadable

SIZE = 1 << 20
LONGEST = 4 << 20
"""A line is held together up to so many bytes; a longer one goes on in pieces that overlap by `OVERLAP`."""
OVERLAP = 1 << 12


def raw(artifact: Artifact) -> Iterator[bytes]:
    """The bytes of a log, piece by piece. Raises Unreadable."""
    if artifact.stream is None:
        data = artifact.content()
        for start in range(0, len(data), SIZE):
            yield data[start : start + SIZE]
        return
    with artifact.stream() as file:
        while piece := file.read(SIZE):
            yield piece


MOST = 64 << 30
RATIO = 250
RATIO_FROM = 256 << 20
"""From so many bytes on, a compressed log that holds more than RATIO times its own size is a decompression bomb."""


def unpacked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces, unpacked where they are gzip; more than one member is one log. Raises Unreadable."""
    import zlib

    first = next(pieces, b"")
    if not first.startswith(b"\x1f\x8b"):
        yield first
        yield from pieces
        return
    inner = zlib.decompressobj(31)
    packed = total = 0
    data = first
    while data or not inner.eof:
        packed += len(data)
        while data:
            try:
                plain = inner.decompress(data, SIZE)
            except zlib.error:
                raise Unreadable("is damaged: it cannot be unpacked") from None
            total += len(plain)
            if total > RATIO_FROM and total > min(MOST, RATIO * packed):
                raise Unreadable(f"holds more than {RATIO} times its own size (a decompression bomb)")
            if plain:
                yield plain
            if inner.eof:
                data = inner.unused_data
                if not data.strip(b"\0"):
                    break
                inner = zlib.decompressobj(31)
            else:
                data = inner.unconsumed_tail
        data = next(pieces, b"")
        if not data and not inner.eof:
            raise Unreadable("is cut off: its compressed stream does not end")
        if data and inner.eof:
            inner = zlib.decompressobj(31)


def recoded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces as UTF-8, where a mark says that they are UTF-16."""
    first = next(pieces, b"")
    if not first.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield first.removeprefix(codecs.BOM_UTF8)
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-16")("replace")
    yield decoder.decode(first).encode("utf-8", "replace")
    for piece in pieces:
        yield decoder.decode(piece).encode("utf-8", "replace")
    yield decoder.decode(b"", True).encode("utf-8", "replace")


class Blocks:
    """The blocks of a log. Each starts with a line feed, so that every line of it stands behind one.

    `line` is the number of the current block's first line. `hold(block, start)` puts the end of a block back, to come
    again with what follows it.
    """

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""
        self._broken = False
        self.line = 1
        self.size = 0
        self.ended = False
        self._kept = 0

    def __iter__(self) -> Iterator[bytes]:
        while not self.ended:
            block = self._next()
            if not block:
                return
            broken = self._broken
            self._kept = len(block)
            yield block
            self.line += block.count(b"\n", 0, self._kept) - broken

    def hold(self, block: bytes, start: int) -> bytes:
        """The block without what starts at a line feed; that comes again. Nothing is held at the end of a log."""
        if self.ended or start <= 0 or len(block) - start > SIZE:
            return block
        self._rest = block[start + 1 :] + (b"" if self._broken else b"\n") + self._rest
        self._kept = start
        return block[:start]

    def _next(self) -> bytes:
        parts = [self._rest]
        length = len(self._rest)
        self._rest = b""
        self._broken = False
        while True:
            piece = next(self._pieces, b"")
            if not piece:
                self.ended = True
                data = b"".join(parts)
                return b"\n" + data if data else b""
            self.size += len(piece)
            parts.append(piece)
            length += len(piece)
            end = piece.rfind(b"\n")
            if end >= 0:
                data = b"".join(parts)
                cut = length - len(piece) + end
                self._rest = data[cut + 1 :]
                return b"\n" + data[:cut]
            if length > LONGEST:
                data = b"".join(parts)
                self._rest = data[-OVERLAP:]
                self._broken = True
                return b"\n" + data
