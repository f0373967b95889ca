"""Compressed streams, read forwards and bounded: gzip, bzip2, xz, zstd, told by their first bytes.

Several members or frames after one another are one stream. What came before damage or a cut is given; the damage is
told by the read after it. Memory does not depend on how far a stream unpacks.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from typing import BinaryIO, Protocol, cast

from pratique.model.ports import Unreadable

_PACKED = 1 << 17
_STEP = 1 << 17
"""What is unpacked in one step is lost where its last part is damaged."""
MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x50\x2a\x4d\x18", "zstd"),
)


class _Decompressor(Protocol):
    """What bz2 and lzma give."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class _Gzip:
    """zlib's decompressor in the shape of the others."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        tail = self._inner.unconsumed_tail
        return self._inner.decompress(tail + data if tail else data, max(max_length, 0))


def kind_of(head: bytes) -> str | None:
    """How a stream is compressed, by its first bytes; None where it is not."""
    return next((kind for magic, kind in MAGIC if head.startswith(magic)), None)


class Unpacked:
    """A compressed stream as what it holds. `total_packed` counts the bytes that were read of it."""

    def __init__(self, stream: BinaryIO, kind: str) -> None:
        self.stream = stream
        self.kind = kind
        self.total_packed = 0
        self._damage: str | None = None
        self._inner = self._new()
        self._ended = False

    def _new(self) -> _Decompressor:
        if self.kind == "bzip2":
            return bz2.BZ2Decompressor()
        if self.kind == "xz":
            return lzma.LZMADecompressor(memlimit=1 << 28)
        if self.kind == "zstd":
            return _Zstandard(self)
        return _Gzip()

    def packed(self, size: int = _PACKED) -> bytes:
        """The next compressed bytes."""
        data = self.stream.read(size)
        self.total_packed += len(data)
        return data

    def read(self, size: int) -> bytes:
        """The next bytes, fewer only at the end. Raises Unreadable where the stream is damaged or cut off."""
        if self._damage is not None:
            raise Unreadable(self._damage)
        parts: list[bytes] = []
        left = size
        try:
            while left and not self._ended:
                part = self._step(min(left, _STEP))
                if part:
                    parts.append(part)
                    left -= len(part)
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            self._damage = f"is damaged or cut off: {' '.join(str(error).split())[:120]}"
            if not parts:
                raise Unreadable(self._damage) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _step(self, most: int) -> bytes:
        """One step of unpacking; raises what the libraries raise, and EOFError for a cut."""
        inner = self._inner
        if inner.eof:
            rest = inner.unused_data
            if not rest:
                rest = self.packed()
            stripped = rest.lstrip(b"\0") if self.kind != "zstd" else rest
            if not stripped:
                if not rest:
                    self._ended = True
                    return b""
                self._inner = _Padding(self)
                return b""
            self._inner = self._new()
            return self._inner.decompress(stripped, most)
        if not inner.needs_input:
            return inner.decompress(b"", most)
        data = self.packed()
        if not data:
            if isinstance(inner, _Padding):
                self._ended = True
                return b""
            raise EOFError(f"the {self.kind} stream ends before its end mark")
        return inner.decompress(data, most)


class _Padding:
    """Zeros between or after the members of a stream."""

    def __init__(self, stream: Unpacked) -> None:
        self._stream = stream
        self._rest = b""

    @property
    def eof(self) -> bool:
        return bool(self._rest)

    @property
    def needs_input(self) -> bool:
        return True

    @property
    def unused_data(self) -> bytes:
        return self._rest

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        self._rest = data.lstrip(b"\0")
        return b""


class _Zstandard:
    """zstandard's reader in the shape of the others; it reads its input itself, across frames."""

    def __init__(self, stream: Unpacked) -> None:
        import zstandard

        self._errors = zstandard.ZstdError
        source = cast(BinaryIO, _Source(stream))
        decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 27)
        self._reader = decompressor.stream_reader(source, read_size=_PACKED, read_across_frames=True)
        self._over = False

    @property
    def eof(self) -> bool:
        return self._over

    @property
    def needs_input(self) -> bool:
        return False

    @property
    def unused_data(self) -> bytes:
        return b""

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        try:
            part: bytes = self._reader.read(max(max_length, 1))
        except self._errors as error:
            raise ValueError(str(error)) from None
        if not part:
            self._over = True
        return part


class _Source:
    """What the zstd reader reads from."""

    def __init__(self, stream: Unpacked) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        return self._stream.packed(size)
