"""A release in a tar, compressed or not: unpacked once into an unnamed file, then read in any order.

What is kept is one temporary file with the bytes of all members after one another, in memory as long as it is small.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from typing import IO, BinaryIO, cast

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Form
from pratique.targets.release_parts import CHUNK, Entry, Limits, Opened, common_folder, printed, refusal, settled
from pratique.targets.tape import Member, Tape, number, tape_of
from pratique.targets.unpacking import kind_of

SPOOLED = 16 << 20
"""Up to so many bytes the unpacked members stay in memory."""
_DEVICES = {"3": "a character device", "4": "a block device", "6": "a named pipe"}
_REPEATS = "the last one was read, which npm and pip keep"


class Hashed:
    """A stream whose bytes are hashed as they are read. It cannot be sought in, so that every byte is."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._states = [hashlib.sha1(usedforsecurity=False), hashlib.sha256(), hashlib.sha512()]
        self.total = 0

    def read(self, size: int, /) -> bytes:
        """The next bytes."""
        part = self._stream.read(size)
        for state in self._states:
            state.update(part)
        self.total += len(part)
        return part

    def digests(self) -> dict[str, str]:
        """The digests of the whole, which is read to its end for it."""
        while self.read(CHUNK):
            pass
        return {state.name: state.hexdigest() for state in self._states}


class NoArchive(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """The bytes are no tar at all."""


class _Copy:
    """The members of one tar, copied."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.file: IO[bytes] = tempfile.SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 (it lives as long as the release)
        self.at = 0
        self.names: list[str] = []
        self.entries: list[Entry] = []
        self.refusals: list[Refusal] = []

    def take(self, tape: Tape, packed: Hashed) -> None:
        """Copy all members. Raises Unreadable where the tar is damaged, cut off or past the bounds."""
        limits = self.limits
        for member in tape.members():
            if len(self.names) >= limits.members:
                raise Unreadable(f"holds more than {limits.members} members; the rest was not examined")
            name = member.name + "/" if member.isdir() and not member.name.endswith("/") else member.name
            self.names.append(name)
            if member.isreg():
                self._file(tape, member, packed)
            elif member.islnk() or member.kind == "2":
                link = Entry(name, 0, "", 0, link=member.linkname or ".", symbolic=member.kind == "2")
                self.entries.append(link)
            elif member.kind in _DEVICES:
                self.refusals.append(
                    refusal(name, f"is {_DEVICES[member.kind]}, which no client makes", relevant=False)
                )

    def _file(self, tape: Tape, member: Member, packed: Hashed) -> None:
        """Copy one member. Raises Unreadable."""
        limits = self.limits
        if self.at + member.size > limits.bytes:
            raise Unreadable(f"holds more than {limits.bytes} bytes; the rest was not examined, from {member.name} on")
        if member.size > limits.member:
            reason = f"holds {member.size} bytes, more than the limit of {limits.member}; it was not examined"
            self.refusals.append(refusal(member.name, reason))
            return
        mode = _mode(tape.header)
        state = hashlib.sha256()
        start = self.at
        if member.sparse is not None or member.size <= CHUNK:
            self._write(tape.read(member, limits.member), state, packed)
        else:
            while part := tape.forward(member, CHUNK):
                self._write(part, state, packed)
        entry = Entry(member.name, self.at - start, state.hexdigest(), start, executable=bool(mode & 0o111))
        self.entries.append(entry)
        if mode & 0o6000:
            self.refusals.append(
                refusal(member.name, "asks to run as its owner (setuid or setgid), which clients drop", relevant=False)
            )

    def _write(self, part: bytes, state: hashlib._Hash, packed: Hashed) -> None:
        limits = self.limits
        state.update(part)
        self.file.write(part)
        self.at += len(part)
        if self.at > limits.ratio_from and self.at > limits.ratio * max(packed.total, 1):
            raise Unreadable(f"holds more than {limits.ratio} times its own size (a decompression bomb)")


def open_tape(stream: BinaryIO, head: bytes, limits: Limits, hint: Form | None, refusals: list[Refusal]) -> Opened:
    """The release in a tar whose stream stands at its beginning. Raises NoArchive where it is no tar at all."""
    packed = Hashed(stream)
    copy = _Copy(limits)
    try:
        copy.take(tape_of(cast(BinaryIO, packed), head), packed)
    except Unreadable as error:
        if not copy.names and (kind_of(head) is None or error.reason.startswith("is no archive")):
            copy.file.close()
            raise NoArchive from None
        cut = not error.reason.startswith("ends without the mark of its end")
        copy.refusals.append(refusal("", f"the archive {printed(error.reason)}", relevant=cut or not copy.names))
    except MemoryError:
        copy.refusals.append(refusal("", "the archive needs more memory than it may use"))
    digests = packed.digests()
    form = hint if hint in ("tarball", "sdist") else _form(copy.names)
    found = settled(copy.entries, form == "tarball" or common_folder(copy.names), _REPEATS)
    file, places = copy.file, found.places

    def read(path: str) -> Iterator[bytes]:
        file.seek(places[path].place)
        yield file.read(places[path].size)

    return Opened(form, found.members, [*refusals, *copy.refusals, *found.refusals], digests, read, file.close)


def _form(names: list[str]) -> Form:
    """Whether a tar is a package of npm or a source distribution, by the files that its first folder holds."""
    held: set[str] = set()
    for name in names:
        parts = [part for part in name.split("/") if part and part != "."]
        if len(parts) == 2:
            held.add(parts[1])
            if parts == ["package", "package.json"]:
                return "tarball"
    if "PKG-INFO" in held or ("package.json" not in held and not held.isdisjoint(("setup.py", "pyproject.toml"))):
        return "sdist"
    return "tarball"


def _mode(header: bytes) -> int:
    """The mode that a header states; 0 where it cannot be read."""
    try:
        return number(header[100:108]) & 0o7777
    except (ValueError, IndexError):
        return 0
