"""The members of a release in a zip: unpacked one at a time, from the file where it lies."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Form
from pratique.targets.release_parts import CHUNK, Entry, Limits, Opened, common_folder, refusal, settled
from pratique.targets.release_zip import Broken, Directory, Listed, between

_REPEATS = "the last one was read, which zipfile and pip keep"
_STORED, _DEFLATED, _BZIP2, _LZMA, _ZSTD = 0, 8, 12, 14, 93
_METHODS = frozenset((_STORED, _DEFLATED, _BZIP2, _LZMA))
_ENCRYPTED = 0x41
_SPECIAL = (stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK)


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class _Zip:
    """One zip whose members are read."""

    def __init__(self, file: BinaryIO, size: int, limits: Limits) -> None:
        """Read the directory. Raises Broken."""
        self.file = file
        self.limits = limits
        self.directory = Directory(file, size, limits)
        self.refusals = self.directory.refusals
        self.total = 0
        self.places: dict[int, tuple[int, Listed]] = {}
        """Where the packed bytes of each member begin, by its number."""

    def entries(self) -> list[Entry]:
        """All members that can be read, hashed; the others are refusals."""
        found: list[Entry] = []
        spans: list[tuple[int, int, bool]] = []
        names: dict[str, int] = {}
        for number, member in enumerate(self.directory.members):
            try:
                begin, flags = self.directory.local(member)
            except (Broken, OverflowError, ValueError) as error:
                reason = error.reason if isinstance(error, Broken) else "lies at a place that cannot be"
                self.refusals.append(refusal(member.name, reason))
                continue
            spans.append((member.start, begin + member.packed, bool(flags & 8)))
            names[member.name] = number
            if member.name.endswith("/"):
                if member.size:
                    self.refusals.append(refusal(member.name, "is a folder that holds bytes, which were not examined"))
                continue
            entry = self._entry(number, member, begin)
            if entry is not None:
                found.append(entry)
            elif self.total > self.limits.bytes:
                break
        self.refusals.extend(between(self.directory, spans))
        return found

    def _entry(self, number: int, member: Listed, begin: int) -> Entry | None:
        """One member, hashed; None, with a refusal, where it cannot be read."""
        limits = self.limits
        reason = None
        if member.flags & _ENCRYPTED:
            reason = "is encrypted"
        elif member.method not in _METHODS:
            reason = f"is packed by a method that is not read here ({member.method})"
        elif member.size > limits.member:
            reason = f"holds {member.size} bytes, more than the limit of {limits.member}; it was not examined"
        elif stat.S_IFMT(member.mode) in _SPECIAL:
            self.refusals.append(refusal(member.name, "is listed as a device or pipe; read as a file", relevant=False))
        elif stat.S_ISLNK(member.mode):
            text = "is listed as a link; read as a file that holds where it leads, as pip makes it"
            self.refusals.append(refusal(member.name, text, relevant=False))
        if reason is None and self.total + member.size > limits.bytes:
            self.total = limits.bytes + 1
            reason = f"and what follows is past {limits.bytes} bytes in all, and was not examined"
        if reason is not None:
            self.refusals.append(refusal(member.name, reason))
            return None
        state, size, crc = hashlib.sha256(), 0, 0
        try:
            for part in self.unpacked(member, begin):
                state.update(part)
                crc = zlib.crc32(part, crc)
                size += len(part)
                if size > limits.ratio_from and size > limits.ratio * max(member.packed, 1):
                    raise Unreadable(f"holds more than {limits.ratio} times its own size (a decompression bomb)")
        except Unreadable as error:
            self.refusals.append(refusal(member.name, error.reason))
            return None
        self.total += size
        if crc != member.crc:
            self.refusals.append(refusal(member.name, "does not match its checksum; it was read all the same"))
        self.places[number] = (begin, member)
        return Entry(member.name, size, state.hexdigest(), number, executable=bool(member.mode & 0o111))

    def unpacked(self, member: Listed, begin: int) -> Iterator[bytes]:
        """The bytes of a member in parts. Raises Unreadable where they are damaged, or more or less than stated."""
        left = member.packed
        size = 0
        self.file.seek(begin)
        try:
            inner = _decompressor(member, self.file)
            if member.method == _LZMA:
                left -= self.file.tell() - begin
            while inner is None or not inner.eof:
                data = self.file.read(min(CHUNK >> 3, left)) if left > 0 else b""
                left -= len(data)
                if not data and inner is None:
                    break
                for part in _steps(inner, data):
                    size += len(part)
                    if size > member.size:
                        raise Unreadable(f"holds more than the {member.size} bytes that the directory states")
                    yield part
                if not data and not (inner is not None and inner.eof):
                    break
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
            raise Unreadable(f"cannot be unpacked: {' '.join(str(error).split())[:120]}") from None
        if size != member.size:
            raise Unreadable(f"holds {size} bytes, and the directory states {member.size}: it is cut off or damaged")

    def read(self, number: int) -> Iterator[bytes]:
        """The bytes of a member by its number, again. Raises Unreadable."""
        begin, member = self.places[number]
        yield from self.unpacked(member, begin)


def _steps(inner: _Decompressor | None, data: bytes) -> Iterator[bytes]:
    """What packed bytes unpack to, in parts of bounded size."""
    if inner is None:
        yield data
        return
    part = inner.decompress(data, CHUNK)
    while part:
        yield part
        if inner.eof:
            return
        tail = getattr(inner, "unconsumed_tail", b"")
        part = inner.decompress(tail, CHUNK)


def _decompressor(member: Listed, file: BinaryIO) -> _Decompressor | None:
    """What unpacks a member whose packed bytes the file stands before; None where they are stored."""
    if member.method == _STORED:
        return None
    if member.method == _DEFLATED:
        return zlib.decompressobj(-15)
    if member.method == _BZIP2:
        return bz2.BZ2Decompressor()
    head = file.read(4)
    length = int.from_bytes(head[2:4], "little")
    properties = file.read(length)
    if len(head) < 4 or len(properties) < 5:
        raise EOFError("the header of its packing is cut off")
    first = properties[0]
    if first >= 225:
        raise ValueError("the header of its packing is damaged")
    options = {
        "id": lzma.FILTER_LZMA1,
        "lc": first % 9,
        "lp": first // 9 % 5,
        "pb": first // 45,
        "dict_size": min(max(int.from_bytes(properties[1:5], "little"), 4096), 64 << 20),
    }
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=[options])


def open_zip(file: BinaryIO, size: int, limits: Limits, hint: Form | None, digests: dict[str, str]) -> Opened:
    """The release in a zip. Raises Broken where it is none, or its directory cannot be read."""
    archive = _Zip(file, size, limits)
    entries = archive.entries()
    names = [member.name for member in archive.directory.members]
    form = hint if hint in ("wheel", "sdist") else _form(names)
    found = settled(entries, form != "wheel" and common_folder(names), _REPEATS)
    places = found.places

    def read(path: str) -> Iterator[bytes]:
        return archive.read(places[path].place)

    refusals: list[Refusal] = [*archive.refusals, *found.refusals]
    return Opened(form, found.members, refusals, digests, read, file.close)


def _form(names: list[str]) -> Form:
    """Whether a zip is a wheel: it has the record of one at its root."""
    for name in names:
        folder, _, rest = name.partition("/")
        if folder.endswith(".dist-info") and rest in ("WHEEL", "METADATA", "RECORD"):
            return "wheel"
    return "sdist"
