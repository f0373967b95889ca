"""Hives of the Windows registry, for the keys that start programs: NTUSER.DAT, SOFTWARE, SYSTEM.

## Reads
The format `regf` 1.2 to 1.6: values of `Run`, `RunOnce`, `RunServices`, `Policies\\Explorer\\Run` and `Winlogon`, and
`ImagePath` of services in every control set. Each with its whole key, the root written short (`HKCU`, `HKLM`), and the
programs and script files that its command names. Keys are looked up by name; the rest of the hive is not walked.

## Leaves out
Every other key, and arguments. Changes that stand in the transaction logs alone (`.LOG1`, `.LOG2`): a hive that was not
written out whole is read as it is, and refused as well. Deleted keys.

## References
libyal `libregf` "Windows NT Registry File (REGF) format specification"; msuhanov "Windows registry file format
specification"; read against hivex 1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged
from pratique.readers.host.registry_export import fields, starts
from pratique.readers.text import refuse

_BASE = 4096
_MOST_KEYS = 100_000
_MOST_VALUES = 10_000
_LONGEST = 1 << 20
_TEXT = (1, 2, 7)
_VERSION = ("Microsoft", "Windows", "CurrentVersion")
_RUN = ("Run", "RunOnce", "RunOnceEx", "RunServices", "RunServicesOnce")


class _Broken(Exception):  # noqa: N818 (it is a reason)
    """A cell is not what its place says."""


class _Hive:
    """Cells of a hive."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.keys = 0

    def cell(self, offset: int) -> memoryview:
        """The content of a cell. Raises _Broken."""
        start = _BASE + offset
        if offset < 0 or start + 4 > len(self.data):
            raise _Broken("a cell lies outside the file")
        (size,) = struct.unpack_from("<i", self.data, start)
        if size >= -4 or start - size > len(self.data):
            raise _Broken("a cell is free or longer than the file")
        return memoryview(self.data)[start + 4 : start - size]

    def root(self) -> int:
        """The offset of the root key."""
        (offset,) = struct.unpack_from("<i", self.data, 0x24)
        return int(offset)

    def name(self, offset: int) -> str:
        """The name of a key."""
        cell = self.cell(offset)
        if bytes(cell[:2]) != b"nk" or len(cell) < 0x4C:
            raise _Broken("a key is none")
        flags, length = _u16(cell, 2), _u16(cell, 0x48)
        raw = bytes(cell[0x4C : 0x4C + length])
        return raw.decode("latin-1" if flags & 0x20 else "utf-16-le", "replace")

    def children(self, offset: int) -> Iterator[int]:
        """The offsets of the keys below a key."""
        cell = self.cell(offset)
        if bytes(cell[:2]) != b"nk" or len(cell) < 0x4C:
            raise _Broken("a key is none")
        if _u32(cell, 0x14):
            yield from self._list(_u32(cell, 0x1C), 0)

    def _list(self, offset: int, depth: int) -> Iterator[int]:
        cell = self.cell(offset)
        kind, count = bytes(cell[:2]), _u16(cell, 2)
        step = {b"lf": 8, b"lh": 8, b"li": 4, b"ri": 4}.get(kind)
        if step is None or depth > 3 or 4 + count * step > len(cell):
            raise _Broken("a list of keys is none")
        for index in range(count):
            self.keys += 1
            if self.keys > _MOST_KEYS:
                raise _Broken(f"more than {_MOST_KEYS} keys were met")
            found = _u32(cell, 4 + index * step)
            if kind == b"ri":
                yield from self._list(found, depth + 1)
            else:
                yield found

    def below(self, offset: int, *names: str) -> Iterator[tuple[int, str]]:
        """Keys at a path below a key, with the path as it is spelled; `*` at the end of a name is any rest of it."""
        if not names:
            yield offset, ""
            return
        wanted = names[0].lower()
        for child in self.children(offset):
            name = self.name(child)
            plain = name.lower()
            if plain == wanted or (wanted.endswith("*") and plain.startswith(wanted[:-1])):
                for found, rest in self.below(child, *names[1:]):
                    yield found, f"{name}\\{rest}" if rest else name

    def values(self, offset: int) -> Iterator[tuple[str, str | None]]:
        """Names and texts of the values of a key; None for a text that cannot be had."""
        cell = self.cell(offset)
        count = _u32(cell, 0x24)
        if not count:
            return
        if count > _MOST_VALUES:
            raise _Broken("a key has more values than are looked at")
        offsets = self.cell(_u32(cell, 0x28))
        if count * 4 > len(offsets):
            raise _Broken("a list of values is cut")
        for index in range(count):
            value = self.cell(_u32(offsets, index * 4))
            if bytes(value[:2]) != b"vk" or len(value) < 0x14:
                raise _Broken("a value is none")
            length = _u16(value, 2)
            raw = bytes(value[0x14 : 0x14 + length])
            name = raw.decode("latin-1" if _u16(value, 0x10) & 1 else "utf-16-le", "replace")
            yield name, self._text(value)

    def _text(self, value: memoryview) -> str | None:
        size, kind = _u32(value, 4), _u32(value, 0xC)
        if kind not in _TEXT:
            return None
        if size & 0x80000000:
            octets = bytes(value[8 : 8 + min(size & 0x7FFFFFFF, 4)])
        else:
            cell = self.cell(_u32(value, 8))
            octets = self._big(cell, size) if bytes(cell[:2]) == b"db" and size > 16_344 else bytes(cell[:size])
        return octets[:_LONGEST].decode("utf-16-le", "replace").replace("\0", " ").strip()

    def _big(self, cell: memoryview, size: int) -> bytes:
        segments = self.cell(_u32(cell, 4))
        parts: list[bytes] = []
        for index in range(min(_u16(cell, 2), len(segments) // 4, 100)):
            parts.append(bytes(self.cell(_u32(segments, index * 4))[:16_344]))
        return b"".join(parts)[:size]


def _u16(cell: memoryview, at: int) -> int:
    return int.from_bytes(cell[at : at + 2], "little")


def _u32(cell: memoryview, at: int) -> int:
    return int.from_bytes(cell[at : at + 4], "little")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the values that start programs. Raises Unreadable."""
    data = artifact.content()
    if len(data) < _BASE or not data.startswith(b"regf"):
        yield refuse(artifact, READER, "does not begin as a hive of the registry")
        return
    if data[4:8] != data[8:12]:
        said = "was not written out whole: its newest changes stand in its transaction logs, which are not read"
        yield refuse(artifact, READER, said)
    hive = _Hive(data)
    try:
        for key, offset in _places(hive, artifact.path.rpartition("/")[2].upper()):
            for name, text in hive.values(offset):
                if not starts(key, name):
                    continue
                if text is None:
                    yield refuse(artifact, READER, "a value that starts a program is no text")
                    continue
                found = merged([text], interest, windows=True)
                yield from entry(artifact, READER, found, **fields(key, name))
    except (_Broken, struct.error, RecursionError) as error:
        yield refuse(artifact, READER, f"is damaged: {error}")


def _places(hive: _Hive, name: str) -> Iterator[tuple[str, int]]:
    """The keys that start programs, as the running system calls them."""
    root = hive.root()
    if name == "SYSTEM":
        for offset, path in hive.below(root, "ControlSet*", "Services", "*"):
            yield f"HKLM\\SYSTEM\\{path}", offset
        return
    start: tuple[str, ...] = () if name == "SOFTWARE" else ("Software",)
    above = "HKLM\\SOFTWARE" if name == "SOFTWARE" else "HKCU"
    for more in ((), ("WOW6432Node",)):
        for run in _RUN:
            for offset, path in hive.below(root, *start, *more, *_VERSION, run):
                yield f"{above}\\{path}", offset
        for offset, path in hive.below(root, *start, *more, *_VERSION, "Policies", "Explorer", "Run"):
            yield f"{above}\\{path}", offset
    for offset, path in hive.below(root, *start, "Microsoft", "Windows NT", "CurrentVersion", "Winlogon"):
        yield f"{above}\\{path}", offset


READER = Reader(
    name="registry-hive",
    ecosystem="host",
    read=read,
    basenames=("NTUSER.DAT", "ntuser.dat", "SOFTWARE", "SYSTEM"),
    limit=512 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)
