"""SQLite's write-ahead log: the committed pages of a log applied to the bytes of a database, without opening any file.

References: SQLite documentation "Database File Format", sections 1.3 and 4.
"""

from __future__ import annotations

import struct
from array import array

import msgspec

MAGIC = b"SQLite format 3\x00"
_LOG_MAGIC = {0x377F0682: "little", 0x377F0683: "big"}
_HEADER = 32
_FRAME = 24


class Merged(msgspec.Struct):
    """A database with its log applied; `damage` says what is wrong, and `data` then holds what could be had."""

    data: bytearray
    damage: str | None = None


def page_size(database: bytes | bytearray) -> int:
    """The page size that a database's header states; 0 where it is no database."""
    if len(database) < 100 or not database.startswith(MAGIC):
        return 0
    size = int.from_bytes(database[16:18], "big")
    size = 65536 if size == 1 else size
    return size if 512 <= size <= 65536 and size & (size - 1) == 0 else 0


def is_in_log_mode(database: bytes) -> bool:
    """Whether a database's header says that a write-ahead log belongs to it."""
    return len(database) >= 20 and database[18:20] == b"\x02\x02"


def merge(database: bytes, log: bytes | None) -> Merged:
    """The database as a reader would see it, marked as one without a log."""
    data = bytearray(database)
    damage = None
    if log:
        damage = _apply(data, log)
    size = page_size(data)
    if size:
        data[18:20] = b"\x01\x01"
        pages = int.from_bytes(data[28:32], "big")
        lacking = pages * size - len(data)
        if lacking > 0:
            damage = damage or "is shorter than its header says"
            if lacking <= len(data) + (1 << 24):
                data.extend(bytes(lacking))
        elif len(data) % size:
            damage = damage or "does not end with a whole page"
            del data[len(data) - len(data) % size :]
    return Merged(data, damage)


def _apply(data: bytearray, log: bytes) -> str | None:
    """Write the pages of committed transactions over a database; what is wrong with the log, if anything is."""
    if len(log) < _HEADER:
        return "write-ahead log: is cut off"
    magic, version, size, _, salt1, salt2, sum1, sum2 = struct.unpack(">8I", log[:_HEADER])
    order = _LOG_MAGIC.get(magic)
    size = 65536 if size == 1 else size
    if order is None or version != 3007000 or not 512 <= size <= 65536 or size & (size - 1):
        return "write-ahead log: has no valid header"
    sums = _checksum(log[:24], order, (0, 0))
    if sums != (sum1, sum2):
        return "write-ahead log: has a damaged header"
    if data and page_size(data) not in (0, size):
        return "write-ahead log: belongs to another database"
    place = _HEADER
    waiting: list[tuple[int, int]] = []
    damage = None
    while place < len(log):
        head = log[place : place + _FRAME]
        if len(head) < _FRAME:
            damage = "write-ahead log: is cut off"
            break
        number, commit, frame1, frame2, sum1, sum2 = struct.unpack(">6I", head)
        if (frame1, frame2) != (salt1, salt2):
            break  # left over from before the log was started anew
        page = log[place + _FRAME : place + _FRAME + size]
        if len(page) < size:
            damage = "write-ahead log: is cut off"
            break
        sums = _checksum(page, order, _checksum(head[:8], order, sums))
        if sums != (sum1, sum2) or number == 0:
            damage = "write-ahead log: holds a damaged frame"
            break
        waiting.append((number, place + _FRAME))
        place += _FRAME + size
        if commit:
            if commit * size > len(data) + len(log) or any(page_number > commit for page_number, _ in waiting):
                waiting = [item for item in waiting if item[0] * size <= len(data) + len(log)]
                commit = max([number for number, _ in waiting] + [len(data) // size])
                damage = "write-ahead log: commits more pages than it holds"
            needed = commit * size
            if len(data) < needed:
                data.extend(bytes(needed - len(data)))
            for page_number, start in waiting:
                data[(page_number - 1) * size : page_number * size] = log[start : start + size]
            if damage:
                return damage
            del data[needed:]
            waiting = []
    if waiting and damage is None:
        damage = "write-ahead log: ends in a transaction that was not committed"
    return damage


def _checksum(data: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """SQLite's running checksum over pairs of 32-bit words."""
    words = array("I")
    if words.itemsize != 4:
        words = array("L")
    words.frombytes(data)
    if order != _MACHINE:
        words.byteswap()
    first, second = sums
    numbers = iter(words)
    for even, odd in zip(numbers, numbers, strict=True):
        first = (first + even + second) & 0xFFFFFFFF
        second = (second + odd + first) & 0xFFFFFFFF
    return first, second


_MACHINE = "little" if struct.pack("=H", 1) == b"\x01\x00" else "big"
