"""Objects of a git repository by pipe: many at once, bounded memory, whatever is missing or damaged told.

Trees are read folder by folder: all versions of one folder after another. Two versions of a folder differ in few
entries, so a version is cut at the marks between its entries and only pieces that were not met before are parsed. That
is exact (a piece that is not a whole row of entries makes the whole tree be parsed), gives every path under which a
version ever lay, and costs little more than reading the trees.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import filterfalse
from typing import BinaryIO

import msgspec

from pratique.model.ports import Git, Unreadable

DEEPEST = 256
MOST_TREES = 50_000_000
"""So many versions of folders are read of one repository."""
MOST_FOLDERS = 4_000_000
"""So many folders may wait in one depth: a tree that holds itself many times over grows without end."""
_FED = 512
_DISCARDED = 1 << 20
_FILE = b"100644 "
_FOLDER = b"40000 "
_BLOCKWISE = 1 << 13
ROWS = {
    20: re.compile(rb"([0-7]{5,7}) ([^\0]+)\0(.{20})", re.DOTALL),
    32: re.compile(rb"([0-7]{5,7}) ([^\0]+)\0(.{32})", re.DOTALL),
}
_MODES = {b"40000": "folder", b"040000": "folder", b"120000": "link", b"160000": "module"}

Entry = tuple[bytes, bytes, bytes]
"""Mode, name, binary id."""


class Read(msgspec.Struct, frozen=True):
    """One object as it was read. `body` is None where it could not be had; then `reason` says why."""

    id: bytes
    kind: str = ""
    size: int = 0
    body: bytes | None = None
    reason: str = ""


class Database:
    """The objects of one repository."""

    def __init__(self, git: Git, folder: str) -> None:
        self.git = git
        self.folder = folder
        self.complaints: dict[str, None] = {}
        self.here: frozenset[bytes] | None = None
        """The ids of all objects, once they had to be listed."""

    def lines(self, *arguments: str, feed: Iterable[bytes] | None = None) -> Iterator[bytes]:
        """The lines a command prints, without their ends. Raises Unreadable."""
        with self.git(self.folder, arguments, feed) as stream:
            for line in stream:
                yield line.rstrip(b"\n")

    def records(self, *arguments: str) -> list[bytes]:
        """What a command prints, cut at its zero bytes. Raises Unreadable."""
        with self.git(self.folder, arguments) as stream:
            return stream.read().split(b"\0")[:-1]

    def read(self, ids: Sequence[bytes], most: Callable[[int], int] | None = None) -> Iterator[Read]:
        """The objects in their order. `most` gives the bytes that may be kept of the one at a position.

        An object that ends the command is told as unreadable, and the rest is read by another.
        """
        position, failed = 0, 0
        while position < len(ids):
            here = self.here
            try:
                with self.git(self.folder, ("cat-file", "--batch", "--buffer"), _fed(ids, position, here)) as stream:
                    while position < len(ids):
                        if here is not None and ids[position] not in here:
                            yield Read(ids[position], reason=ABSENT)
                        else:
                            yield _next(stream, ids[position], most(position) if most is not None else None)
                        position += 1
            except Unreadable as error:
                if position >= len(ids):
                    self.complaints[error.reason] = None
                elif here is None:
                    self.here = self._all()
                else:
                    self.complaints[error.reason] = None
                    failed += 1
                    if failed > _MOST_FAILURES:
                        for rest in ids[position:]:
                            yield Read(rest, reason="was not read after many failures")
                        return
                    yield Read(ids[position], reason=f"could not be read: {error.reason}")
                    position += 1

    def _all(self) -> frozenset[bytes]:
        """The ids of all objects that are here: git ends at the first absent one where it could be fetched."""
        try:
            form = "--batch-check=%(objectname)"
            lines = self.lines("cat-file", "--batch-all-objects", "--unordered", form)
            return frozenset(bytes.fromhex(line.decode()) for line in lines)
        except (Unreadable, ValueError) as error:
            self.complaints[f"the objects could not be listed: {error}"] = None
            return frozenset()


ABSENT = "is not in this repository"


def _next(stream: BinaryIO, item: bytes, most: int | None) -> Read:
    """The object that git prints next. Raises Unreadable."""
    head = stream.readline().split()
    if len(head) == 2 and head[1] == b"missing":
        return Read(item, reason=ABSENT)
    if len(head) != 3:
        raise Unreadable("git ended early")
    kind, size = head[1].decode(), int(head[2])
    if most is not None and size > most:
        _discard(stream.read, size + 1)
        return Read(item, kind, size, None, f"holds {size} bytes, more than the limit of {most}; --max-file raises it")
    body = stream.read(size)
    if len(body) != size or stream.read(1) != b"\n":
        raise Unreadable("git ended early")
    return Read(item, kind, size, body)


_MOST_FAILURES = 200


def _fed(ids: Sequence[bytes], start: int, here: frozenset[bytes] | None) -> Iterator[bytes]:
    """The ids, those that are here, as a command takes them."""
    for index in range(start, len(ids), _FED):
        part = ids[index : index + _FED]
        yield b"".join([b"%s\n" % item.hex().encode() for item in part if here is None or item in here])


def _discard(read: Callable[[int], bytes], size: int) -> None:
    """Read past what is not kept. Raises Unreadable."""
    while size:
        part = read(min(size, _DISCARDED))
        if not part:
            raise Unreadable("ended early")
        size -= len(part)


class Found(msgspec.Struct, frozen=True):
    """An entry of a folder that was not met there before. `kind`: file, link or module."""

    path: str
    kind: str
    id: bytes


class Gap(msgspec.Struct, frozen=True):
    """A folder of which versions could not be read."""

    path: str
    count: int
    reason: str


def entries(database: Database, roots: Sequence[bytes], met: set[bytes] | None = None) -> Iterator[Found | Gap]:
    """Everything that ever lay at any path below root trees: each path with each of its versions, once.

    `met` takes the ids of all folders, where it is given.
    """
    level: dict[str, Sequence[bytes]] = {"": roots} if roots else {}
    total = 0
    for _ in range(DEEPEST):
        total += sum(map(len, level.values()))
        if met is not None:
            met.update(tree for trees in level.values() for tree in trees)
        if total > MOST_TREES or len(level) > MOST_FOLDERS:
            yield Gap("", len(level), "holds more folders than are followed; the rest was not looked at")
            return
        below: dict[str, Sequence[bytes]] = {}
        yield from _level(database, list(level.items()), below)
        if not below:
            return
        level = below
    yield Gap("", len(level), f"has folders deeper than {DEEPEST}; they were not looked at")


class _Odd(Exception):  # noqa: N818 (it sends a folder down the thorough way; it is no failure)
    """A version of a folder is not there, or not as git writes it."""


def _level(
    database: Database, folders: Sequence[tuple[str, Sequence[bytes]]], below: dict[str, Sequence[bytes]]
) -> Iterator[Found | Gap]:
    """All folders of one depth: in bulk, and those with an oddity version by version."""
    position, odd = 0, 0
    while position < len(folders):
        if odd > _MOST_ODD:
            objects = database.read([tree for _, trees in folders[position:] for tree in trees])
            for folder, trees in folders[position:]:
                yield from _thorough(folder, trees, objects, below)
            return
        try:
            feed = _fed([tree for _, trees in folders[position:] for tree in trees], 0, None)
            with database.git(database.folder, ("cat-file", _FRAMED, "--buffer"), feed) as stream:
                while position < len(folders):
                    folder, trees = folders[position]
                    found = _bulk(stream, trees)
                    position += 1
                    yield from _told(folder, found, below)
        except (_Odd, Unreadable) as error:
            if position < len(folders):
                odd += 1
                folder, trees = folders[position]
                position += 1
                yield from _thorough(folder, trees, database.read(trees), below)
            elif isinstance(error, Unreadable):
                database.complaints[error.reason] = None


_FRAMED = "--batch=%(objecttype) %(objectsize)"
_MOST_ODD = 20
_BULK = 1 << 20


def _bulk(stream: BinaryIO, trees: Sequence[bytes]) -> list[Entry]:
    """The entries of all versions of one folder. Raises _Odd."""
    versions = Versions(len(trees[0]))
    readline, read = stream.readline, stream.read
    found: list[Entry] = []
    parts: list[bytes] = []
    size = 0
    for _ in trees:
        head = readline()
        if head[:5] != b"tree ":
            raise _Odd
        length = int(head[5:]) + 1
        body = read(length)
        if len(body) != length:
            raise _Odd
        if length > _BLOCKWISE:
            body, versions.before = _changed(versions.before, body) if versions.before else body, body
        parts.append(body)
        size += len(body)
        if size > _BULK:
            found += versions.fresh(b"".join(parts))
            parts, size = [], 0
    return found + versions.fresh(b"".join(parts))


def _told(folder: str, found: Iterable[Entry], below: dict[str, Sequence[bytes]]) -> Iterator[Found]:
    """The entries by their paths; subfolders go to `below`."""
    children: dict[bytes, list[bytes]] = {}
    for mode, name, item in found:
        kind = _MODES.get(mode, "file")
        if kind == "folder":
            children.setdefault(name, []).append(item)
        else:
            yield Found(folder + name.decode("utf-8", "surrogateescape"), kind, item)
    for name, items in children.items():
        below[f"{folder}{name.decode('utf-8', 'surrogateescape')}/"] = items


def _thorough(
    folder: str, trees: Sequence[bytes], objects: Iterator[Read], below: dict[str, Sequence[bytes]]
) -> Iterator[Found | Gap]:
    """One folder, version by version: what is missing or damaged is told, the rest is read."""
    pattern = ROWS[len(trees[0])]
    found: dict[Entry, None] = {}
    failed: dict[str, int] = {}
    for _ in trees:
        read = next(objects)
        if read.body is None or read.kind != "tree":
            reason = read.reason or f"is a {read.kind}, not a folder"
            failed[reason] = failed.get(reason, 0) + 1
            continue
        rows = pattern.findall(read.body)
        found.update(dict.fromkeys(rows))
        if sum(len(mode) + len(name) + len(item) + 2 for mode, name, item in rows) != len(read.body):
            failed["is damaged"] = failed.get("is damaged", 0) + 1
    yield from _told(folder, found, below)
    for reason, count in failed.items():
        yield Gap(folder, count, reason)


class Versions:
    """All versions of one folder: what is new in each.

    Versions are taken many at once, each with a line's end behind it. They are cut at the marks of files, what is new
    of that at the marks of folders, and what is new of that is parsed. A mark inside a name or an id would make a
    piece that is no whole row of entries; then the folder is read in the thorough way.
    """

    def __init__(self, width: int) -> None:
        self.pattern = re.compile(rb"\n*" + ROWS[width].pattern, re.DOTALL)
        self.known: set[Entry] = set()
        self.files: set[bytes] = set()
        self.folders: set[bytes] = set()
        self.before = b""

    def fresh(self, trees: bytes) -> list[Entry]:
        """The entries that no version before had. Raises _Odd."""
        found: list[Entry] = []
        head, *pieces = trees.split(_FILE)
        new = dict.fromkeys(filterfalse(self.files.__contains__, pieces))
        self.files.update(new)
        for piece in [head, *(_FILE + piece for piece in new)]:
            if _FOLDER not in piece:
                self._parse(piece, found)
                continue
            first, *rest = piece.split(_FOLDER)
            self._parse(first, found)
            for part in dict.fromkeys(filterfalse(self.folders.__contains__, rest)):
                self.folders.add(part)
                self._parse(_FOLDER + part, found)
        once = [item for item in dict.fromkeys(found) if item not in self.known]
        self.known.update(once)
        return once

    def _parse(self, piece: bytes, found: list[Entry]) -> None:
        """Add the entries of a piece. Raises _Odd where it is no whole row of them."""
        end = 0
        for match in self.pattern.finditer(piece):
            if match.start() != end:
                raise _Odd
            end = match.end()
            found.append(match.groups())  # type: ignore[arg-type]  # the pattern has three groups
        if piece[end:].strip(b"\n"):
            raise _Odd


def _changed(before: bytes, tree: bytes) -> bytes:
    """The part of a version that differs from the one before it, out to the marks around it."""
    most = min(len(before), len(tree))
    same = _equal(most, lambda low, high: before[low:high] == tree[low:high])
    start = max(tree.rfind(_FILE, 0, same), tree.rfind(_FOLDER, 0, same), 0)
    old, new = len(before), len(tree)
    tail = _equal(most - same, lambda low, high: before[old - high : old - low] == tree[new - high : new - low])
    ends = [end for mark in (_FILE, _FOLDER) if (end := tree.find(mark, len(tree) - tail)) >= 0]
    return tree[start : min(ends, default=len(tree))]


def _equal(most: int, same: Callable[[int, int], bool]) -> int:
    """How many bytes, up to `most`, are the same from one end on."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if same(low, middle):
            low = middle
        else:
            high = middle - 1
    return low
