"""A hive of the Windows registry, small and whole, out of nested tables of keys and texts.

hivex reads what this writes, which a test holds where hivex is installed.
"""

from __future__ import annotations

import struct
from typing import Any

Keys = dict[str, Any]
"""Name to text (a value) or to further keys."""


class _Writer:
    def __init__(self) -> None:
        self.cells = bytearray()
        descriptor = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)
        self.security = self.cell(b"sk\0\0" + struct.pack("<IIII", 32, 32, 99, len(descriptor)) + descriptor)

    def cell(self, content: bytes) -> int:
        offset = 32 + len(self.cells)
        size = (len(content) + 4 + 7) // 8 * 8
        self.cells += struct.pack("<i", -size) + content + b"\0" * (size - 4 - len(content))
        return offset

    def value(self, name: str, text: str) -> int:
        data = (text + "\0").encode("utf-16-le")
        place = self.cell(data)
        raw = name.encode("latin-1")
        return self.cell(struct.pack("<2sHIIIHH", b"vk", len(raw), len(data), place, 1, 1, 0) + raw)

    def key(self, name: str, keys: Keys, *, top: bool = False) -> int:
        children = sorted(
            (item for item in keys.items() if isinstance(item[1], dict)), key=lambda item: item[0].upper()
        )
        values = [self.value(key, text) for key, text in keys.items() if isinstance(text, str)]
        listed = self.cell(struct.pack(f"<{len(values)}I", *values)) if values else -1
        below = [(self.key(key, more), key) for key, more in children]
        packed = b"".join(struct.pack("<I", at) + key.encode("latin-1")[:4].ljust(4, b"\0") for at, key in below)
        under = self.cell(struct.pack("<2sH", b"lf", len(below)) + packed) if below else -1
        raw = name.encode("latin-1")
        head = struct.pack(
            "<2sHQIiIIiiIiiiIIIIIHH",
            b"nk",
            0x2C if top else 0x20,
            0,
            0,
            -1,
            len(below),
            0,
            under,
            -1,
            len(values),
            listed,
            self.security,
            -1,
            max((len(key) * 2 for _, key in below), default=0),
            0,
            max((len(key) * 2 for key, text in keys.items() if isinstance(text, str)), default=0),
            max((len(text) * 2 + 2 for text in keys.values() if isinstance(text, str)), default=0),
            0,
            len(raw),
            0,
        )
        offset = self.cell(head + raw)
        for at, _ in below:
            struct.pack_into("<I", self.cells, at - 32 + 4 + 0x10, offset)
        return offset


def hive(keys: Keys) -> bytes:
    """The bytes of a hive with these keys below its root."""
    writer = _Writer()
    root = writer.key("$$$PROTO.HIV", keys, top=True)
    size = (32 + len(writer.cells) + 4095) // 4096 * 4096
    rest = size - 32 - len(writer.cells)
    if rest:
        writer.cells += struct.pack("<i", rest) + b"\0" * (rest - 4)
    bins = struct.pack("<4sIIIIQI", b"hbin", 0, size, 0, 0, 0, 0) + bytes(writer.cells)
    header = struct.pack("<4sIIQIIIIIII", b"regf", 1, 1, 0, 1, 5, 0, 1, root, size, 1)
    header = header.ljust(508, b"\0")
    check = 0
    for (word,) in struct.iter_unpack("<I", header):
        check ^= word
    return (header + struct.pack("<I", check)).ljust(4096, b"\0") + bins
