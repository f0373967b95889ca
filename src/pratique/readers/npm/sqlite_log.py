"""SQLite's write-ahead log: the committed pages of a log applied to the bytes of a database, without opening any file.

References: SQLite documentation "Database File Format", sections 1.3 and 4.
"""

from __future__ import annotations

import functools
import struct
from array import array
from collections.abc import Iterator

import msgspec

MAGIC = b"SQLite format 3\x00"
_LOG_MAGIC = {0x377F0682: "little", 0x377F0683: "big"}
_HEADER = 32
_FRAME = 24
_TOGETHER = 128
_FEWEST = 16
"""How many frames are summed up together at most; below the second number one after the other is quicker."""


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
    checksums = _chain(log, order, size, sums)
    while place < len(log):
        head = log[place : place + _FRAME]
        if len(head) < _FRAME:
            damage = "write-ahead log: is cut off"
            break
        number, commit, frame1, frame2, sum1, sum2 = struct.unpack(">6I", head)
        if (frame1, frame2) != (salt1, salt2):
            break  # left over from before the log was started anew
        if len(log) - place - _FRAME < size:
            damage = "write-ahead log: is cut off"
            break
        if next(checksums) != (sum1, sum2) or number == 0:
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


def _chain(log: bytes, order: str, size: int, sums: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The running checksum behind each whole frame of a log, on and on, starting from that of the log's header."""
    step = _FRAME + size
    powers = _powers(size // 8 + 1)
    place = _HEADER
    while place + step <= len(log):
        count = min((len(log) - place) // step, _TOGETHER)
        if count < _FEWEST:
            sums = _checksum(log[place + _FRAME : place + step], order, _checksum(log[place : place + 8], order, sums))
            yield sums
            place += step
            continue
        for added in _frame_sums(log[place : place + count * step], order, step // 8, count):
            first, second = sums
            sums = (
                (first * powers[0] + second * powers[1] + added[0]) & 0xFFFFFFFF,
                (first * powers[1] + second * powers[2] + added[1]) & 0xFFFFFFFF,
            )
            yield sums
        place += count * step


@functools.cache
def _powers(pairs: int) -> tuple[int, int, int]:
    """What so many pairs of words make of the sums before them: the checksum is linear, this is its (symmetric) matrix.

    One pair makes (first + second, first + 2 * second) of (first, second), and adds what depends on the words alone.
    """
    first, both, second = 1, 0, 1
    for _ in range(pairs):
        first, both, second = first + both, both + second, both + 2 * second
    return first & 0xFFFFFFFF, both & 0xFFFFFFFF, second & 0xFFFFFFFF


def _frame_sums(frames: bytes, order: str, step: int, count: int) -> list[tuple[int, int]]:
    """The checksum of each of `count` frames of `step` pairs of words by itself, all at once: lanes of long integers.

    A lane has 64 bits; 16 pairs from sums of 32 bits on cannot fill it. Of a frame's head the first pair counts.
    """
    words = array("I" if array("I").itemsize == 4 else "L", frames)
    if order == "big":
        words.byteswap()  # from here on all is little-endian, whatever the machine is
    pairs = array("Q", words.tobytes())
    lanes = int.from_bytes(b"\xff\xff\xff\xff\x00\x00\x00\x00" * count, "little")
    first = second = 0
    for index, at in enumerate((0, *range(3, step))):
        both = int.from_bytes(pairs[at::step].tobytes(), "little")
        first += (both & lanes) + second
        second += (both >> 32 & lanes) + first
        if index & 15 == 15:
            first &= lanes
            second &= lanes
    size = 8 * count
    form = f"<{count}Q"
    return list(
        zip(
            struct.unpack(form, (first & lanes).to_bytes(size, "little")),
            struct.unpack(form, (second & lanes).to_bytes(size, "little")),
            strict=True,
        )
    )


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
