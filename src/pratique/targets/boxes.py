"""Where the parts of an image lie: a folder, a tar, or a compressed tar. Opened read-only, nothing written."""

from __future__ import annotations

import hashlib
import io
import os
import re
from collections.abc import Collection, Iterator
from typing import BinaryIO, Protocol, cast

from pratique.model.ports import Unreadable
from pratique.targets.files import open_regular, reason_of
from pratique.targets.layers import plain, tape
from pratique.targets.tape import Member, Tape
from pratique.targets.unpacking import kind_of

ABSENT = "is not there"
MOST_PARTS = 100_000
MOST_DOCUMENT = 8 << 20
"""So many bytes may a manifest, an index or a configuration have."""
MOST_DOCUMENTS = 64 << 20
"""So many bytes of documents of a compressed archive are kept in memory."""
_CHUNK = 1 << 20
_ID = re.compile("[0-9a-f]{64}")
_MOST_KNOWN = 50_000
_known: dict[tuple[object, ...], str] = {}
"""Digests worked out in this process, by file, its state, place and length."""
_MOST_BOXES = 16
_MOST_ALGORITHMS = 20


class Box(Protocol):
    """The parts of an image, by their names as paths."""

    troubles: list[str]
    """What could not be read while the parts were listed."""

    def parts(self) -> Collection[str]:
        """The names of all parts."""
        ...

    def head(self, name: str) -> bytes:
        """The first bytes of a part. Raises Unreadable."""
        ...

    def document(self, name: str) -> bytes:
        """The bytes of a small part. Raises Unreadable."""
        ...

    def digest(self, name: str, algorithm: str) -> str:
        """The digest of a part, as hexadecimal digits. Raises Unreadable."""
        ...

    def place(self, name: str) -> tuple[str, ...]:
        """What `part_at` needs to open a part again; empty where the parts can only be had in turn."""
        ...

    def each(self, names: Collection[str]) -> Iterator[tuple[str, BinaryIO]]:
        """The parts, opened one after the other in an order of the box's own. Raises Unreadable."""
        ...


_boxes: dict[tuple[object, ...], Box] = {}
"""Archives that were listed in this process, by their path and state."""


def open_box(path: str) -> Box:
    """The parts behind a path. Raises Unreadable."""
    if os.path.isdir(path):
        return Folder(path)
    with _opened(path) as file:
        state = (path, *_state(file))
        kind = kind_of(file.read(6))
    box = _boxes.get(state)
    if box is None:
        if len(_boxes) >= _MOST_BOXES:
            _boxes.clear()
        box = _boxes[state] = Archive(path) if kind is None else Packed(path)
    return box


def part_at(path: str, place: tuple[str, ...]) -> BinaryIO:
    """A part of a folder or a tar, opened by its place. Raises Unreadable."""
    if place[0] == "file":
        return _opened(os.path.join(path, place[1]))
    return _slice(path, int(place[1]), int(place[2]))


def _opened(path: str) -> BinaryIO:
    descriptor, _ = open_regular(path)
    return os.fdopen(descriptor, "rb", buffering=_CHUNK)


def _slice(path: str, start: int, size: int) -> BinaryIO:
    return io.BufferedReader(_Slice(_opened(path), start, size), _CHUNK)


class _Slice(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, file: BinaryIO, start: int, size: int) -> None:
        super().__init__()
        self.file = file
        self.start = start
        self.size = size
        self.at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        self.at = max(base + offset, 0)
        return self.at

    def tell(self) -> int:
        return self.at

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # any writable buffer
        wanted = min(len(buffer), self.size - self.at)
        if wanted <= 0:
            return 0
        self.file.seek(self.start + self.at)
        data = self.file.read(wanted)
        buffer[: len(data)] = data
        self.at += len(data)
        return len(data)

    def close(self) -> None:
        self.file.close()
        super().close()


def _hashed(stream: BinaryIO, algorithm: str) -> str:
    state = hashlib.new(algorithm, usedforsecurity=False)
    while chunk := stream.read(_CHUNK):
        state.update(chunk)
    return state.hexdigest()


def _remembered(key: tuple[object, ...], stream: BinaryIO, algorithm: str) -> str:
    """The digest of a part; worked out once while the file stays as it is."""
    found = _known.get(key)
    if found is None:
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        found = _known[key] = _hashed(stream, algorithm)
    return found


def state_of(path: str, place: tuple[str, ...]) -> tuple[int, ...]:
    """What tells whether the file that holds a part was changed. Raises Unreadable."""
    with _opened(os.path.join(path, place[1]) if place[:1] == ("file",) else path) as file:
        return _state(file)


def _state(file: BinaryIO) -> tuple[int, ...]:
    status = os.fstat(file.fileno())
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _small(stream: BinaryIO) -> bytes:
    data = stream.read(MOST_DOCUMENT + 1)
    if len(data) > MOST_DOCUMENT:
        raise Unreadable(f"is a document of more than {MOST_DOCUMENT} bytes")
    return data


class Folder:
    """An OCI layout or a folder as skopeo writes it: its own files, and those below `blobs`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.troubles: list[str] = []
        self.names: set[str] = set()
        self._list("", 0)
        blobs = os.path.join(path, "blobs")
        if os.path.isdir(blobs):
            try:
                algorithms = sorted(os.listdir(blobs))
            except OSError as error:
                self.troubles.append(f"blobs: {reason_of(error)}")
                return
            if len(algorithms) > _MOST_ALGORITHMS:
                self.troubles.append(f"blobs: holds more than {_MOST_ALGORITHMS} entries; the rest was not looked at")
            for algorithm in algorithms[:_MOST_ALGORITHMS]:
                self._list(f"blobs/{algorithm}/", 1)

    def _list(self, prefix: str, depth: int) -> None:
        try:
            with os.scandir(os.path.join(self.path, prefix)) as entries:
                for entry in entries:
                    if len(self.names) >= MOST_PARTS:
                        self.troubles.append(f"holds more than {MOST_PARTS} files; the rest was not looked at")
                        return
                    if not entry.is_dir(follow_symlinks=False):
                        self.names.add(prefix + entry.name)
                    elif not depth and _ID.fullmatch(entry.name):
                        self._list(f"{entry.name}/", 1)
        except NotADirectoryError:
            return
        except OSError as error:
            self.troubles.append(f"{prefix or '.'}: {reason_of(error)}")

    def _open(self, name: str) -> BinaryIO:
        if name not in self.names:
            raise Unreadable(ABSENT)
        return _opened(os.path.join(self.path, name))

    def parts(self) -> Collection[str]:
        return self.names

    def head(self, name: str) -> bytes:
        with self._open(name) as file:
            return file.read(512)

    def document(self, name: str) -> bytes:
        with self._open(name) as file:
            return _small(file)

    def digest(self, name: str, algorithm: str) -> str:
        with self._open(name) as file:
            return _remembered((*_state(file), algorithm), file, algorithm)

    def place(self, name: str) -> tuple[str, ...]:
        return ("file", name)

    def each(self, names: Collection[str]) -> Iterator[tuple[str, BinaryIO]]:
        for name in sorted(names):
            with self._open(name) as file:
                yield name, file


def _aim(name: str, member: Member) -> str | None:
    """The part that a link in a tar names, from the root of the tar; None for what is no link."""
    if member.kind == "1":
        return plain(member.linkname)
    if member.kind != "2":
        return None
    folder = "" if member.linkname.startswith("/") else name.rpartition("/")[0]
    return plain(os.path.normpath(f"/{folder}/{member.linkname}"))


class Archive:
    """A tar that is not compressed: its members are read where they lie."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.troubles: list[str] = []
        self.places: dict[str, tuple[int, int]] = {}
        self.links: dict[str, str] = {}
        with _opened(path) as file:
            reader = tape(file)
            try:
                for member in reader.members():
                    if len(self.places) + len(self.links) >= MOST_PARTS:
                        self.troubles.append(f"holds more than {MOST_PARTS} members; the rest was not looked at")
                        break
                    self._take(plain(member.name), member, reader.place)
                    if member.sparse is not None:
                        self.troubles.append(f"{member.name}: is a sparse member")
            except Unreadable as error:
                self.troubles.append(error.reason)

    def _take(self, name: str, member: Member, place: int) -> None:
        aim = _aim(name, member)
        if aim is not None:
            self.links[name] = aim
        elif member.isreg():
            if name in self.places:
                self.places[f"{name} (an earlier one, at {self.places[name][0]})"] = self.places[name]
            self.places[name] = place, member.size

    def _found(self, name: str) -> tuple[int, int]:
        for _ in range(8):
            if name in self.places:
                return self.places[name]
            if name not in self.links:
                break
            name = self.links[name]
        raise Unreadable(ABSENT)

    def _open(self, name: str) -> BinaryIO:
        return _slice(self.path, *self._found(name))

    def parts(self) -> Collection[str]:
        return [*self.places, *(name for name in self.links if name not in self.places)]

    def head(self, name: str) -> bytes:
        with self._open(name) as file:
            return file.read(512)

    def document(self, name: str) -> bytes:
        with self._open(name) as file:
            return _small(file)

    def digest(self, name: str, algorithm: str) -> str:
        place = self._found(name)
        with _opened(self.path) as file:
            state = _state(file)
        with _slice(self.path, *place) as part:
            return _remembered((*state, *place, algorithm), part, algorithm)

    def place(self, name: str) -> tuple[str, ...]:
        start, size = self._found(name)
        return ("slice", str(start), str(size))

    def each(self, names: Collection[str]) -> Iterator[tuple[str, BinaryIO]]:
        for name in sorted(names):
            with self._open(name) as file:
                yield name, file


class Packed:
    """A compressed tar: read from front to back, once to know what it holds, once for all layers in turn."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.troubles: list[str] = []
        self.heads: dict[str, bytes] = {}
        self.documents: dict[str, bytes] = {}
        self.digests: dict[str, str] = {}
        self.links: dict[str, str] = {}
        self.numbers: dict[str, int] = {}
        """Which member of the tar each part is."""
        self._held = 0
        with _opened(path) as file:
            reader = tape(file)
            try:
                for number, member in enumerate(reader.members()):
                    if len(self.heads) + len(self.links) >= MOST_PARTS:
                        self.troubles.append(f"holds more than {MOST_PARTS} members; the rest was not looked at")
                        break
                    self._take(plain(member.name), member, number, reader)
            except Unreadable as error:
                self.troubles.append(error.reason)

    def _take(self, name: str, member: Member, number: int, reader: Tape) -> None:
        aim = _aim(name, member)
        if aim is not None:
            self.links[name] = aim
        elif member.sparse is not None:
            self.troubles.append(f"{name}: is a sparse member")
        elif member.isreg():
            if name in self.heads:
                self.troubles.append(f"{name}: stands in it twice; the first was not looked at")
            self._hash(name, member, reader)
            self.numbers[name] = number

    def _hash(self, name: str, member: Member, reader: Tape) -> None:
        """Take a part's head and digest, and a small document whole. Raises Unreadable."""
        part = cast(io.BufferedReader, reader.file(member))
        head = part.peek(512)[:512]
        state = hashlib.sha256()
        whole = bytearray()
        small = member.size <= MOST_DOCUMENT and head[:1] in (b"{", b"[", b" ", b"\n")
        while chunk := part.read(_CHUNK):
            state.update(chunk)
            if small and self._held + len(whole) < MOST_DOCUMENTS:
                whole += chunk
        self.heads[name], self.digests[name] = head, state.hexdigest()
        self.documents.pop(name, None)
        if small and len(whole) == member.size:
            self.documents[name] = bytes(whole)
            self._held += len(whole)

    def _named(self, name: str) -> str:
        for _ in range(8):
            if name in self.heads or name not in self.links:
                break
            name = self.links[name]
        if name not in self.heads:
            raise Unreadable(ABSENT)
        return name

    def parts(self) -> Collection[str]:
        return [*self.heads, *(name for name in self.links if name not in self.heads)]

    def head(self, name: str) -> bytes:
        return self.heads[self._named(name)]

    def document(self, name: str) -> bytes:
        found = self.documents.get(self._named(name))
        if found is None:
            raise Unreadable("is no document, or too large for one")
        return found

    def digest(self, name: str, algorithm: str) -> str:
        if algorithm != "sha256":
            raise Unreadable(f"is named by a {algorithm} digest, which is not worked out in a compressed tar")
        return self.digests[self._named(name)]

    def place(self, name: str) -> tuple[str, ...]:
        return ()

    def each(self, names: Collection[str]) -> Iterator[tuple[str, BinaryIO]]:
        wanted: dict[int, str] = {}
        for name in names:
            wanted.setdefault(self.numbers[self._named(name)], name)
        with _opened(self.path) as file:
            reader = tape(file)
            for number, member in enumerate(reader.members()):
                asked = wanted.pop(number, None)
                if asked is not None:
                    yield asked, reader.file(member)
                if not wanted:
                    return
