"""A release in a zip (a wheel, a source distribution), read where it lies, in any order.

The directory at the end is read as Python's zipfile reads it, which is what pip installs by. What other readers would
take otherwise is a relevant refusal: a second directory, members that the directory does not list (a reader of the
stream sees them), local headers that say something else, names given twice. A second end record alone is none, where
every reader takes the same directory: a wheel may hold a zip.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from pratique.model.observation import Refusal
from pratique.targets.release_parts import CHUNK, Limits, refusal

END = b"PK\x05\x06"
CENTRAL = b"PK\x01\x02"
LOCAL = b"PK\x03\x04"
_LOCATOR = b"PK\x06\x07"
_END64 = b"PK\x06\x06"
_TAIL = (1 << 16) + 22
_MOST_ENDS = 64
_DESCRIPTORS = frozenset((12, 16, 20, 24))
"""So long may be what follows a member and states its sizes."""
_MOST_DIRECTORY = 64 << 20


class Listed:
    """What the directory lists of one member. `start` is where its local header begins in the file."""

    __slots__ = ("crc", "flags", "method", "mode", "name", "packed", "raw", "size", "start")

    def __init__(self, raw: bytes, name: str, fields: tuple[int, ...], start: int) -> None:
        self.raw = raw
        self.name = name
        self.flags, self.method, self.crc, self.packed, self.size, self.mode = fields
        self.start = start


class Broken(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """The file is no zip, or none whose directory can be read. `zip` tells whether it has an end record."""

    def __init__(self, reason: str, *, zip_file: bool) -> None:
        self.reason = reason
        self.zip_file = zip_file
        super().__init__(reason)


class Directory:
    """The directory of a zip: its members in order, and what is doubtful about it."""

    def __init__(self, file: BinaryIO, size: int, limits: Limits) -> None:
        """Read the directory. Raises Broken."""
        self.file = file
        self.size = size
        self.limits = limits
        self.refusals: list[Refusal] = []
        self.members: list[Listed] = []
        self.before = 0
        """So many bytes stand before what the zip itself counts as its first."""
        self.start = 0
        """Where the directory begins in the file."""
        self._read()

    def _at(self, place: int, size: int) -> bytes:
        self.file.seek(place)
        return self.file.read(size)

    def _read(self) -> None:
        tail_at = max(self.size - _TAIL, 0)
        tail = self._at(tail_at, _TAIL)
        ends = _ends(tail)
        chosen = _chosen(tail)
        if chosen is None:
            raise Broken("has no end record: it is cut off, or no zip", zip_file=False)
        if len(tail) - chosen < 22:
            raise Broken("is cut off in its end record", zip_file=True)
        self.start, length, count, self.before = self._directory(tail_at + chosen, tail[chosen : chosen + 22])
        behind = len(tail) - chosen - 22 - int.from_bytes(tail[chosen + 20 : chosen + 22], "little")
        if behind > 0:
            self._doubt(f"has {behind} bytes behind its end, which were not examined")
        elif behind < 0:
            self._doubt("has an end record whose comment is cut off; strict readers refuse it")
        if self.before > 0:
            self._doubt(f"has {self.before} bytes before its first member, which were not examined")
        self._rivals(tail, tail_at, ends, chosen)
        self._list(length, count)

    def _doubt(self, reason: str, *, relevant: bool = True) -> None:
        self.refusals.append(refusal("", f"the archive {reason}", relevant=relevant))

    def _directory(self, end: int, record: bytes) -> tuple[int, int, int, int]:
        """Where the directory begins, its length, the count of its members, and the bytes before the zip. Broken."""
        disk, first, _, count, length, offset = struct.unpack("<4x4H2L2x", record)
        behind = end
        locator = self._at(end - 20, 20) if end >= 20 else b""
        if locator[:4] == _LOCATOR:
            stated_disk, stated, disks = struct.unpack("<4xLQL", locator)
            if stated_disk or disks > 1:
                raise Broken("spans several disks", zip_file=True)
            record64 = self._at(end - 76, 56) if end >= 76 else b""
            if record64[:4] == _END64:
                disk, first, _, count, length, offset = struct.unpack("<4x8x2x2x2L4Q", record64)
                behind = end - 76
                if stated + (end - 76 - length - offset) != end - 76:
                    self._doubt("has an end record for large zips at another place than it states")
            else:
                self._doubt("has an end record for large zips that is not where zipfile looks for it")
        if disk or first:
            self._doubt("states that it spans several disks; it was read as one")
        start = behind - length
        if start < 0 or start - offset < 0:
            raise Broken("is cut off or damaged: its directory would begin before the file", zip_file=True)
        if length > _MOST_DIRECTORY:
            raise Broken(f"has a directory of {length} bytes, more than may be read", zip_file=True)
        return start, length, count, start - offset

    def _rivals(self, tail: bytes, tail_at: int, ends: list[int], chosen: int) -> None:
        """Tell another directory that a reader could take: one whose end record closes the file, or the first one."""
        if len(ends) > _MOST_ENDS:
            self._doubt(f"has {len(ends)} end records; readers differ in which they take")
            return
        for end in ends:
            record = tail[end : end + 22]
            if end == chosen or len(record) < 22:
                continue
            comment = int.from_bytes(record[20:22], "little")
            if end + 22 + comment != len(tail):
                continue
            _, _, _, count, length, offset = struct.unpack("<4x4H2L2x", record)
            place = tail_at + end - length
            other = self._at(place, 4) if place >= 0 else b""
            apart = self._at(offset, 4)
            if place != self.start and (CENTRAL in (other, apart) or not count):
                self._doubt("has a second end record that leads to another directory; that one was not examined")

    def _list(self, length: int, count: int) -> None:
        """The members that the directory lists. Raises Broken where it cannot be read at all."""
        data = self._at(self.start, length)
        at = 0
        while at + 46 <= len(data):
            if data[at : at + 4] != CENTRAL:
                self._doubt("has a damaged directory; what it lists from there on was not examined")
                break
            if len(self.members) >= self.limits.members:
                self._doubt(f"holds more than {self.limits.members} members; the rest was not examined")
                return
            at = self._member(data, at)
        else:
            if at != len(data):
                self._doubt("has a directory that is cut off")
        if count != len(self.members) and (count != len(self.members) & 0xFFFF or count > 0xFFFF):
            self._doubt(f"lists {len(self.members)} members and states {count}; readers differ in which they take")

    def _member(self, data: bytes, at: int) -> int:
        """Note the member that is listed at a place; where the next one is listed."""
        fields: tuple[int, ...] = struct.unpack_from("<4xHHHH4xLLLHHHHHLL", data, at)
        made, _, flags, method, crc, packed, size, named, extra, comment, _, _, external, start = fields
        raw = data[at + 46 : at + 46 + named]
        more = data[at + 46 + named : at + 46 + named + extra]
        name = raw.decode("utf-8", "surrogateescape") if flags & 0x800 else raw.decode("cp437")
        if "\0" in name:
            self.refusals.append(
                refusal(name, "has a name that holds a zero byte; it was read up to there, as pip does")
            )
            name = name.partition("\0")[0]
        size, packed, start = self._extra(name, more, size, packed, start)
        mode = external >> 16 if made >> 8 == 3 else 0
        self.members.append(Listed(raw, name, (flags, method, crc, packed, size, mode), start + self.before))
        return at + 46 + named + extra + comment

    def _extra(self, name: str, extra: bytes, size: int, packed: int, start: int) -> tuple[int, int, int]:
        """Sizes and place with what the extra fields say for large files."""
        at = 0
        while at + 4 <= len(extra):
            kind, length = struct.unpack_from("<HH", extra, at)
            body = extra[at + 4 : at + 4 + length]
            if kind == 1:
                values = [size, packed, start]
                place = 0
                for number, value in enumerate(values):
                    if value == 0xFFFFFFFF and place + 8 <= len(body):
                        values[number] = int.from_bytes(body[place : place + 8], "little")
                        place += 8
                size, packed, start = values
            elif kind == 0x7075 and body[5:] != name.encode("utf-8", "surrogateescape"):
                other = body[5:].decode("utf-8", "backslashreplace")
                self.refusals.append(refusal(name, f"has a second name, which some readers take: {other[:200]}"))
            at += 4 + length
        return size, packed, start

    def local(self, member: Listed) -> tuple[int, int]:
        """Where the packed bytes of a member begin, and the flags of its local header; tells what differs. Broken."""
        header = self._at(member.start, 30)
        if header[:4] != LOCAL or len(header) < 30:
            raise Broken("has no local header where the directory says", zip_file=True)
        _, flags, method, crc, packed, size, named, extra = struct.unpack("<4xHHH4xLLLHH", header)
        raw = self._at(member.start + 30, named)
        if raw != member.raw:
            other = raw.decode("utf-8", "backslashreplace")
            self.refusals.append(
                refusal(member.name, f"has another name in its local header, which some readers take: {other[:200]}")
            )
        plain = packed != 0xFFFFFFFF and size != 0xFFFFFFFF
        if method != member.method or (
            not flags & 8 and plain and (crc, packed, size) != (member.crc, member.packed, member.size)
        ):
            self.refusals.append(refusal(member.name, "has a local header that states another size or method"))
        return member.start + 30 + named + extra, flags


def _ends(tail: bytes) -> list[int]:
    """The places of all end records in the last bytes of a file."""
    found: list[int] = []
    at = tail.find(END)
    while at >= 0 and len(found) <= _MOST_ENDS:
        found.append(at)
        at = tail.find(END, at + 1)
    return found


def _chosen(tail: bytes) -> int | None:
    """The end record that zipfile takes: the one that ends the file, else the last one."""
    if len(tail) >= 22 and tail[-22:-18] == END and tail[-2:] == b"\0\0":
        return len(tail) - 22
    at = tail.rfind(END)
    return at if at >= 0 else None


def between(directory: Directory, spans: list[tuple[int, int, bool]]) -> Iterator[Refusal]:
    """What lies between the members of a zip, or in two of them.

    `spans` are begin and end of each in the file, and whether a descriptor of its sizes follows it.
    """
    at, described = directory.before, False
    unlisted = overlap = False
    odd = 0
    for start, end, follows in [*sorted(spans), (directory.start, directory.start, False)]:
        gap = start - at
        if gap < 0:
            overlap = True
        elif gap and not (described and gap in _DESCRIPTORS):
            unlisted = unlisted or _holds(directory.file, at, gap)
            odd += gap
        if end >= at:
            at, described = end, follows
    if overlap:
        yield refusal("", "the archive has members that share bytes, as bombs do; each was read by itself")
    if unlisted:
        yield refusal("", "the archive holds members that its directory does not list; readers of the stream see them")
    elif odd:
        yield refusal("", f"the archive has {odd} bytes that belong to no member", relevant=False)


def _holds(file: BinaryIO, at: int, size: int) -> bool:
    """Whether a local header begins somewhere in a part of a file."""
    file.seek(at)
    rest = b""
    while size > 0:
        part = file.read(min(CHUNK, size))
        if not part:
            return False
        size -= len(part)
        if LOCAL in rest + part:
            return True
        rest = part[-3:]
    return False
