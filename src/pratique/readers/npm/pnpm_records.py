"""MessagePack as pnpm's store database holds it: the records dialect, decoded within bounds.

A record's shape is defined once in a value (extension 0x72 with an id from 0x40 to 0x7f, then the names of its fields,
then its values); afterwards the id alone stands before the values. Everything else is plain MessagePack.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

MAX_DEPTH = 24


class RecordError(ValueError):
    """The bytes are no whole value of the dialect."""


_FIXED: dict[int, str] = {
    0xCA: ">f",
    0xCB: ">d",
    0xCC: ">B",
    0xCD: ">H",
    0xCE: ">I",
    0xCF: ">Q",
    0xD0: ">b",
    0xD1: ">h",
    0xD2: ">i",
    0xD3: ">q",
}
_SIZED: dict[int, tuple[str, str]] = {
    0xC4: ("bin", ">B"),
    0xC5: ("bin", ">H"),
    0xC6: ("bin", ">I"),
    0xC7: ("ext", ">B"),
    0xC8: ("ext", ">H"),
    0xC9: ("ext", ">I"),
    0xD9: ("str", ">B"),
    0xDA: ("str", ">H"),
    0xDB: ("str", ">I"),
    0xDC: ("array", ">H"),
    0xDD: ("array", ">I"),
    0xDE: ("map", ">H"),
    0xDF: ("map", ">I"),
}
_RECORD = 0x72
_SET = 0x73


def decode(data: bytes) -> Any:
    """The one value that `data` holds. Raises RecordError."""
    decoder = _Decoder(data)
    try:
        value = decoder.value(0)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise RecordError("ends too early or holds text that is not UTF-8") from error
    if decoder.place != len(data):
        raise RecordError("goes on after its end")
    return value


class _Decoder:
    """A place in a value. Every count is checked against the bytes that are left: each element takes at least one."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0
        self.shapes: dict[int, tuple[str, ...]] = {}

    def take(self, size: int) -> bytes:
        """The next bytes."""
        end = self.place + size
        if end > len(self.data):
            raise RecordError("ends too early")
        taken = self.data[self.place : end]
        self.place = end
        return taken

    def number(self, form: str) -> Any:
        """The next number in a form of `struct`."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def value(self, depth: int) -> Any:
        """The next value."""
        if depth > MAX_DEPTH:
            raise RecordError("is nested too deeply")
        first = self.data[self.place]
        self.place += 1
        if first in self.shapes:
            return self.record(self.shapes[first], depth)
        if first < 0x80:
            return first
        if first < 0x90:
            return self.mapping(first & 0x0F, depth)
        if first < 0xA0:
            return self.array(first & 0x0F, depth)
        if first < 0xC0:
            return self.take(first & 0x1F).decode()
        if first >= 0xE0:
            return first - 0x100
        if first in _FIXED:
            return self.number(_FIXED[first])
        if first in _SIZED:
            kind, form = _SIZED[first]
            size = self.number(form)
            parts: dict[str, Callable[[], Any]] = {
                "bin": lambda: self.take(size),
                "str": lambda: self.take(size).decode(),
                "array": lambda: self.array(size, depth),
                "map": lambda: self.mapping(size, depth),
                "ext": lambda: self.extension(size, depth),
            }
            return parts[kind]()
        if 0xD4 <= first <= 0xD8:
            return self.extension(1 << (first - 0xD4), depth)
        return {0xC0: None, 0xC1: None, 0xC2: False, 0xC3: True}[first]

    def array(self, count: int, depth: int) -> list[Any]:
        """An array of `count` values."""
        if count > len(self.data) - self.place:
            raise RecordError("ends too early")
        return [self.value(depth + 1) for _ in range(count)]

    def mapping(self, count: int, depth: int) -> dict[Any, Any]:
        """A map of `count` pairs; keys that are no scalars are left out."""
        if 2 * count > len(self.data) - self.place:
            raise RecordError("ends too early")
        found = {}
        for _ in range(count):
            key = self.value(depth + 1)
            value = self.value(depth + 1)
            if isinstance(key, str | int | float | bytes | None):
                found[key] = value
        return found

    def record(self, fields: tuple[str, ...], depth: int) -> dict[Any, Any]:
        """The values of a record of a known shape."""
        if len(fields) > len(self.data) - self.place:
            raise RecordError("ends too early")
        return {field: self.value(depth + 1) for field in fields}

    def extension(self, size: int, depth: int) -> Any:
        """An extension: a record's definition, a set, or something that is skipped."""
        kind = self.take(1)[0]
        body = self.take(size)
        if kind == _RECORD and size == 1:
            if not 0x40 <= body[0] <= 0x7F:
                raise RecordError("defines a record under an impossible id")
            names = self.value(depth + 1)
            if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
                raise RecordError("defines a record without names")
            self.shapes[body[0]] = tuple(names)
            return self.record(self.shapes[body[0]], depth)
        if kind == _RECORD:
            raise RecordError("defines a record in an unknown way")
        if kind == _SET and size == 1:
            return self.value(depth + 1)
        return None
