"""A tar, read once from front to back: its members in their order, bounded, nothing written.

The 512-byte headers are read here and not by the standard library: of a large layer it takes a tenth of the time, and
the memory does not depend on how much a tar holds. Read are the formats V7, ustar, star, GNU (long names, sparse files,
numbers in base 256) and PAX (extended headers, sparse files of all three makes). Where programs differ about a header,
it is read as Go's archive/tar does, which unpacks images.

A name is only ever a name. What is damaged, cut off or past the bounds is told; what came before it stands.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol, cast

from pratique.model.ports import Unreadable
from pratique.targets.unpacking import Unpacked, kind_of

MOST_MEMBERS = 2_000_000
MOST_BYTES = 64 << 30
"""So many bytes may come out of one tar, whatever its own size."""
RATIO = 250
RATIO_FROM = 256 << 20
"""From so many bytes on, a tar that unpacks to more than RATIO times its packed size is a decompression bomb."""
BLOCK = 512
MOST_META = 1 << 20
"""So many bytes may a header hold that speaks of the next member."""
MOST_MAP = 1 << 16
"""So many pieces may a sparse file have."""
_CHUNK = 1 << 20
_BLOCK_OF_ZSTD = 1 << 17
"""zstd gives so many bytes at once; larger reads are put together out of several."""
_LARGEST = 1 << 60
_ZERO = bytes(BLOCK)
_HEADERS = frozenset(b"12345")
"""Links, devices and folders hold nothing, whatever size their header states."""
_ADLER = 65521


class Readable(Protocol):
    """What a tape reads from."""

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        ...


class Member:
    """What a header says of one member. `size` is its logical size, `kind` the type flag, a regular file is `0`."""

    __slots__ = ("_mtime", "kind", "linkname", "name", "size", "sparse", "stored")

    def __init__(self, name: str, kind: str, size: int, linkname: str, mtime: bytes | str) -> None:
        self.name = name
        self.kind = kind
        self.size = size
        self.linkname = linkname
        self.stored = size
        self.sparse: list[tuple[int, int]] | None = None
        """Where the stored pieces belong; empty where the map stands before them (PAX sparse 1.0)."""
        self._mtime = mtime

    def isreg(self) -> bool:
        """Whether it is a regular file."""
        return self.kind == "0"

    def islnk(self) -> bool:
        """Whether it is a hard link."""
        return self.kind == "1"

    def isdir(self) -> bool:
        """Whether it is a folder."""
        return self.kind == "5"

    @property
    def modified(self) -> int | None:
        """When it was last changed, in nanoseconds since the epoch; None where the header does not say it."""
        try:
            if isinstance(self._mtime, str):
                return int(float(self._mtime) * 1_000_000_000)
            return number(self._mtime) * 1_000_000_000
        except (ValueError, OverflowError):
            return None


class Tape:
    """A tar as it comes out of its compression. Only the member that was handed out last can be read."""

    def __init__(self, plain: Readable) -> None:
        self.plain = plain
        self.total = 0
        self._buffer = b""
        self._at = 0
        self._left = 0
        self._padding = 0
        self._member: Member | None = None
        self._kept: bytes | None = None
        self._odd: str | None = None
        self.header = b""
        """The header of the member that was handed out last, as it stands in the tar."""
        seekable = getattr(plain, "seekable", None)
        self._seeks = not isinstance(plain, Unpacked) and seekable is not None and bool(seekable())
        self._chunk = _BLOCK_OF_ZSTD if isinstance(plain, Unpacked) and plain.kind == "zstd" else _CHUNK

    @property
    def place(self) -> int:
        """How many bytes into the tar it was read: while a member is handed out, where its bytes begin."""
        return self.total - (len(self._buffer) - self._at)

    # bytes

    def _fill(self, size: int) -> bool:
        """See that so many bytes wait in the buffer. False where the tar ends before; raises Unreadable."""
        while len(self._buffer) - self._at < size:
            chunk = self.plain.read(self._chunk)
            if not chunk:
                return False
            self._count(len(chunk))
            rest = self._buffer[self._at :]
            self._buffer = rest + chunk if rest else chunk
            self._at = 0
        return True

    def _count(self, size: int) -> None:
        self.total += size
        if self.total > RATIO_FROM:
            if self.total > MOST_BYTES:
                raise Unreadable(f"holds more than {MOST_BYTES} bytes; the rest was not looked at")
            if isinstance(self.plain, Unpacked) and self.total > RATIO * max(self.plain.total_packed, 1):
                raise Unreadable(f"holds more than {RATIO} times its own size (a decompression bomb)")

    def _take(self, size: int) -> bytes:
        """The next bytes, fewer where the tar is cut off."""
        if size <= len(self._buffer) - self._at or (size <= _CHUNK and self._fill(size)):
            data = self._buffer[self._at : self._at + size]
            self._at += size
            return data
        parts = [self._buffer[self._at :]]
        self._buffer, self._at = b"", 0
        left = size - len(parts[0])
        while left > 0:
            chunk = self.plain.read(min(left, self._chunk))
            if not chunk:
                break
            self._count(len(chunk))
            parts.append(chunk)
            left -= len(chunk)
        return b"".join(parts)

    def _skip(self, size: int) -> None:
        """Go over so many bytes. Raises Unreadable where the tar is cut off before."""
        have = len(self._buffer) - self._at
        if size <= have:
            self._at += size
            return
        size -= have
        self._buffer, self._at = b"", 0
        if self._seeks and size > _CHUNK:
            self._count(size)
            cast(BinaryIO, self.plain).seek(size - 1, io.SEEK_CUR)
            if not self.plain.read(1):
                raise Unreadable("is damaged or cut off: it ends in the middle of a member")
            return
        while size > 0:
            chunk = self.plain.read(self._chunk)
            if not chunk:
                raise Unreadable("is damaged or cut off: it ends in the middle of a member")
            self._count(len(chunk))
            if len(chunk) > size:
                self._buffer, self._at = chunk, size
            size -= len(chunk)

    # members

    def members(self) -> Iterator[Member]:
        """The members in their order, of any type. Raises Unreadable where the tar is damaged, cut off or too large."""
        count = 0
        while (member := self._next(count == 0)) is not None:
            count += 1
            if count > MOST_MEMBERS:
                raise Unreadable(f"holds more than {MOST_MEMBERS} members; the rest was not looked at")
            yield member
        self._finish()

    def _next(self, first: bool) -> Member | None:
        """The next member; None at the mark of the end."""
        self._kept = None
        self._member = None
        left = self._left + self._padding
        if left:
            if left <= len(self._buffer) - self._at:
                self._at += left
            else:
                self._skip(left)
            self._left = self._padding = 0
        name: str | None = None
        link: str | None = None
        pax: dict[str, str] = {}
        pieces: list[str] = []
        metas = 0
        while True:
            header = self._header(first and not metas)
            if header is None:
                return None
            kind = header[156:157]
            if kind not in (b"x", b"g", b"L", b"K", b"X"):
                break
            metas += 1
            if metas > MOST_MEMBERS:
                raise Unreadable(f"holds more than {MOST_MEMBERS} headers for one member")
            data = self._meta(header)
            if kind == b"L":
                name = _text(_until_nul(data))
            elif kind == b"K":
                link = _text(_until_nul(data))
            elif kind == b"g":
                if any(key in _MEANINGFUL or key.startswith("GNU.sparse.") for key in _records(data, [])):
                    self._odd = "has a header that renames or resizes all its members, which programs read differently"
            else:
                pieces = []
                pax = _records(data, pieces)
        self.header = header
        member = self._made(header, name, link, pax, pieces)
        self._member = member
        return member

    def _header(self, first: bool) -> bytes | None:
        """The next header; None at the mark of the end. Raises Unreadable."""
        if len(self._buffer) - self._at < BLOCK and not self._fill(BLOCK):
            if len(self._buffer) > self._at:
                raise Unreadable("is damaged or cut off: it ends in the middle of a header")
            raise Unreadable("is empty" if first else "ends without the mark of its end: it may be cut off")
        at = self._at
        header = self._buffer[at : at + BLOCK]
        self._at = at + BLOCK
        if not header[0] and header == _ZERO:
            return None
        field = header[148:156]
        try:
            stated = number(field)
        except ValueError:
            stated = -1
        if (stated + sum(field) - 255) % _ADLER != zlib.adler32(header) & 0xFFFF or not 0 <= stated < 2 * _ADLER:
            signed = sum(byte - 256 if byte > 127 else byte for byte in header[:148] + header[156:]) + 256
            if stated != signed:
                raise Unreadable(
                    "is no archive of a known kind" if first else "is damaged: a header does not match its checksum"
                )
        return header

    def _meta(self, header: bytes) -> bytes:
        """What a header holds that speaks of others. Raises Unreadable."""
        size = _size(header)
        if size > MOST_META:
            raise Unreadable(f"has a header of {size} bytes, more than the limit of {MOST_META}")
        data = self._take(size)
        if len(data) != size:
            raise Unreadable("is damaged or cut off: it ends in the middle of a header")
        self._skip(-size % BLOCK)
        return data

    def _made(
        self, header: bytes, name: str | None, link: str | None, pax: dict[str, str], pieces: list[str]
    ) -> Member:
        """The member that a header and those before it speak of."""
        flag = header[156:157]
        if flag == b"0" and name is None and not pax:
            return self._regular(header)
        own = _text(_until_nul(header[:100]))
        if header[345] and header[257:263] == b"ustar\0":
            own = f"{_prefix(header)}/{own}"
        if name is None:
            name = pax.get("path") or own
        if link is None:
            link = pax.get("linkpath") or _text(_until_nul(header[157:257]))
        if flag in (b"\0", b"7") or flag not in _KNOWN:
            flag = b"5" if flag == b"\0" and name.endswith("/") else b"0"
        size = _size(header)
        if pax.get("size"):
            size = _decimal(pax["size"])
        if flag[0] in _HEADERS or flag == b"6":
            return Member(name, flag.decode(), 0, link, pax.get("mtime") or header[136:148])
        member = Member(name, "0", size, link, pax.get("mtime") or header[136:148])
        if flag == b"S":
            self._old_sparse(member, header)
        elif pax.get("GNU.sparse.major") or "GNU.sparse.map" in pax or "GNU.sparse.size" in pax:
            _pax_sparse(member, pax, pieces)
        self._left = member.stored
        self._padding = -member.stored % BLOCK
        return member

    def _regular(self, header: bytes) -> Member:
        """A regular file that no other header speaks of: nearly every member."""
        name = header[:100].partition(b"\0")[0].decode("utf-8", "surrogateescape")
        if header[345] and header[257:263] == b"ustar\0":
            name = f"{_prefix(header)}/{name}"
        size = _size(header)
        self._left = size
        self._padding = -size % BLOCK
        return Member(name, "0", size, "", header[136:148])

    def _old_sparse(self, member: Member, header: bytes) -> None:
        """The map of a sparse file as GNU tar writes it into and behind the header. Raises Unreadable."""
        found = _pairs(header, 386, 4)
        member.size = _checked(number_or_damaged(header[483:495]))
        more = header[482]
        while more:
            block = self._take(BLOCK)
            if len(block) != BLOCK:
                raise Unreadable("is damaged or cut off: it ends in the middle of a header")
            found += _pairs(block, 0, 21)
            more = block[504]
            if len(found) > MOST_MAP:
                raise Unreadable(f"has a sparse file of more than {MOST_MAP} pieces")
        member.sparse = found

    def _finish(self) -> None:
        """Read to the end. Raises Unreadable where something follows the mark of the end."""
        rest = self._buffer[self._at :]
        self._buffer, self._at = b"", 0
        while True:
            if rest.strip(b"\0"):
                raise Unreadable("holds something behind the mark of its end, which was not looked at")
            rest = self.plain.read(_CHUNK)
            if not rest:
                break
            self._count(len(rest))
        if self._odd is not None:
            raise Unreadable(self._odd)

    # content

    def read(self, member: Member, limit: int) -> bytes:
        """The bytes of the member that was handed out last. Raises Unreadable."""
        if member.size > limit:
            raise Unreadable(f"holds {member.size} bytes, more than the limit of {limit}; --max-file raises it")
        if member is not self._member:
            raise Unreadable("was passed by already: its bytes are gone")
        if self._kept is None:
            if self._left != member.stored:
                raise Unreadable("was read in part already")
            if member.stored > max(limit, member.size) + MOST_META:
                raise Unreadable(f"takes {member.stored} bytes, more than the limit of {limit}; --max-file raises it")
            data = self._take(member.stored)
            self._left -= len(data)
            if self._left:
                self._left = self._padding = 0
                raise Unreadable("is cut off")
            self._kept = data if member.sparse is None else _expanded(member, data)
        return self._kept

    def file(self, member: Member) -> BinaryIO:
        """The member that was handed out last, as a file to be read once, forwards. Raises Unreadable."""
        if member is not self._member or member.sparse is not None:
            raise Unreadable("cannot be read as a stream")
        return io.BufferedReader(_Forward(self, member), _CHUNK)

    def forward(self, member: Member, size: int) -> bytes:
        """The next bytes of the member that was handed out last."""
        if member is not self._member:
            return b""
        data = self._take(min(size, self._left))
        self._left -= len(data)
        if not data and self._left:
            raise Unreadable("is cut off")
        return data


class _Forward(io.RawIOBase):
    """A member that is read forwards alone."""

    def __init__(self, tape: Tape, member: Member) -> None:
        super().__init__()
        self.tape = tape
        self.member = member

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any writable buffer
        part = self.tape.forward(self.member, len(buffer))
        buffer[: len(part)] = part
        return len(part)


def tape_of(stream: BinaryIO, head: bytes) -> Tape:
    """The tar that a stream holds, by its first bytes: compressed, or as it is."""
    kind = kind_of(head)
    return Tape(stream if kind is None else Unpacked(stream, kind))


def number(field: bytes) -> int:
    """A number of a header: octal digits, or base 256. Raises ValueError."""
    if field[0] & 0x80:
        value = int.from_bytes(field, "big")
        if field[0] & 0x40:
            return value - (1 << 8 * len(field))
        return value - (0x80 << 8 * (len(field) - 1))
    text = field.strip(b" \0").partition(b"\0")[0]
    if not text:
        return 0
    if not text.isdigit():
        raise ValueError("no octal number")
    return int(text, 8)


def number_or_damaged(field: bytes) -> int:
    """A number of a header. Raises Unreadable."""
    try:
        return number(field)
    except ValueError:
        raise Unreadable("is damaged: a header holds a number that is none") from None


def _size(header: bytes) -> int:
    digits = header[124:135]
    if digits.isdigit() and not header[135]:
        try:
            return int(digits, 8)
        except ValueError:
            raise Unreadable("is damaged: a header holds a number that is none") from None
    return _checked(number_or_damaged(header[124:136]))


def _checked(size: int) -> int:
    if not 0 <= size < _LARGEST:
        raise Unreadable("is damaged: a header holds a size that cannot be")
    return size


def _decimal(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 19:
        raise Unreadable("is damaged: a header holds a number that is none")
    return _checked(int(text))


def _prefix(header: bytes) -> str:
    """The folder that a ustar or star header writes apart from the name."""
    length = 131 if header[508:512] == b"tar\0" else 155
    return _text(_until_nul(header[345 : 345 + length]))


def _until_nul(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _text(name: bytes) -> str:
    return name.decode("utf-8", "surrogateescape")


_KNOWN = frozenset(bytes([flag]) for flag in b"0123456S")
_MEANINGFUL = frozenset(("path", "linkpath", "size"))
_PIECES = frozenset(("GNU.sparse.offset", "GNU.sparse.numbytes"))


def _records(data: bytes, pieces: list[str]) -> dict[str, str]:
    """The records of an extended header; the pieces of a sparse file, which repeat, in a list. Raises Unreadable."""
    found: dict[str, str] = {}
    at = 0
    while at < len(data):
        space = data.find(b" ", at, at + 21)
        length = data[at:space] if space > at else b""
        if not length.isdigit():
            if not data[at:].strip(b"\0"):
                break
            raise Unreadable("is damaged: an extended header cannot be read")
        end = at + int(length)
        key, equals, value = data[space + 1 : end - 1].partition(b"=")
        if end > len(data) or end <= space or not equals or data[end - 1 : end] != b"\n":
            raise Unreadable("is damaged: an extended header cannot be read")
        name = _text(key)
        if name in _PIECES:
            pieces.append(_text(value))
        else:
            found[name] = _text(value)
        at = end
    return found


def _pairs(block: bytes, start: int, count: int) -> list[tuple[int, int]]:
    """Offsets and lengths of the pieces of a sparse file, out of a header. Raises Unreadable."""
    found = []
    for at in range(start, start + 24 * count, 24):
        if not block[at + 12]:
            break
        pair = number_or_damaged(block[at : at + 12]), number_or_damaged(block[at + 12 : at + 24])
        found.append((_checked(pair[0]), _checked(pair[1])))
    return found


def _pax_sparse(member: Member, pax: dict[str, str], pieces: list[str]) -> None:
    """What extended headers say of a sparse file. Raises Unreadable."""
    member.name = pax.get("GNU.sparse.name") or member.name
    member.size = _decimal(pax.get("GNU.sparse.realsize") or pax.get("GNU.sparse.size") or "")
    if pax.get("GNU.sparse.major"):
        if (pax["GNU.sparse.major"], pax.get("GNU.sparse.minor")) != ("1", "0"):
            raise Unreadable("holds a sparse file of an unknown make")
        member.sparse = []
        return
    numbers = pax["GNU.sparse.map"].split(",") if pax.get("GNU.sparse.map") else pieces
    if len(numbers) % 2 or len(numbers) > 2 * MOST_MAP:
        raise Unreadable("is damaged: the map of a sparse file cannot be read")
    values = [_decimal(item) for item in numbers]
    member.sparse = list(zip(values[::2], values[1::2], strict=True)) or [(0, 0)]


def _expanded(member: Member, data: bytes) -> bytes:
    """A sparse file with its holes. Raises Unreadable."""
    pieces, at = member.sparse or [], 0
    if not pieces:
        pieces, at = _leading_map(data)
    out = bytearray(member.size)
    for offset, length in pieces:
        if offset + length > member.size or at + length > len(data):
            raise Unreadable("is damaged: a sparse file holds a piece that lies outside of it")
        out[offset : offset + length] = data[at : at + length]
        at += length
    return bytes(out)


def _leading_map(data: bytes) -> tuple[list[tuple[int, int]], int]:
    """The map that stands before the pieces of a sparse file, and where it ends. Raises Unreadable."""
    values: list[int] = []
    at, wanted = 0, 1
    while len(values) < wanted:
        end = data.find(b"\n", at, at + 21)
        text = data[at:end] if end >= 0 else b""
        if not text.isdigit():
            raise Unreadable("is damaged: the map of a sparse file cannot be read")
        values.append(_checked(int(text)))
        if len(values) == 1:
            if values[0] > MOST_MAP:
                raise Unreadable(f"has a sparse file of more than {MOST_MAP} pieces")
            wanted = 1 + 2 * values[0]
        at = end + 1
    return list(zip(values[1::2], values[2::2], strict=True)), at + -at % BLOCK
