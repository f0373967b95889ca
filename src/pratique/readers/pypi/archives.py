"""Which release a wheel or source archive without a name is, by its own directory: nothing is unpacked."""

from __future__ import annotations

import hashlib
import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

import msgspec

from pratique.ecosystems.pypi.files import Release, release_of, release_of_info
from pratique.model.observation import ComponentFact, Observation, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader, Unreadable
from pratique.readers.text import refuse

LARGEST_DIRECTORY = 16 << 20
"""A wheel with a larger directory (some hundred thousand files) is not looked into."""
_HEAD = 1 << 16
_CHUNK = 1 << 20


class Held(msgspec.Struct, frozen=True):
    """An archive in a cache: its release and, where it was asked for, its SHA-256."""

    release: Release
    integrity: tuple[str, ...]


class Part(io.RawIOBase):
    """A part of a file as a file of its own."""

    def __init__(self, stream: BinaryIO, start: int, length: int) -> None:
        self._stream = stream
        self._start = start
        self._length = length
        self._at = 0

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place of this part."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at}.get(whence, self._length)
        self._at = max(base + offset, 0)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Bytes from the current place, none beyond the end of this part."""
        left = max(self._length - self._at, 0)
        count = left if size is None or size < 0 else min(size, left)
        self._stream.seek(self._start + self._at)
        found = self._stream.read(count)
        self._at += len(found)
        return found


def opened(artifact: Artifact) -> BinaryIO:
    """The bytes as a file to seek in. Raises Unreadable."""
    if artifact.stream is not None:
        stream = artifact.stream()
        if stream.seekable():
            return stream
        stream.close()
    return io.BytesIO(artifact.content())


def cached(
    artifact: Artifact,
    interest: Interest,
    reader: Reader,
    find: Callable[[BinaryIO, frozenset[str] | Everything], Held | None],
) -> Iterator[Observation | Refusal]:
    """The release of interest that a file of pip's cache holds, as `find` finds it: it was fetched."""
    try:
        with opened(artifact) as stream:
            found = find(stream, interest.wanted("PyPI"))
    except Unreadable as error:
        yield refuse(artifact, reader, error.reason)
        return
    except OSError as error:
        yield refuse(artifact, reader, (error.strerror or "cannot be read").lower())
        return
    if found is None:
        return
    fact = ComponentFact(
        name=found.release[0],
        version=found.release[1],
        depth="fetched",
        record="cache",
        ecosystem="PyPI",
        integrity=found.integrity,
    )
    times = artifact.modified_time("the archive was put into the cache")
    yield Observation(reader.name, artifact.location(), fact, times)


def held(stream: BinaryIO | Part, wanted: frozenset[str] | Everything) -> Held | None:
    """The release of interest that an archive is; None for another one, and for what is no archive.

    Raises Unreadable where it is an archive whose release cannot be told.
    """
    stream.seek(0)
    head = stream.read(_HEAD)
    if head.startswith(b"PK\x03\x04"):
        found: Release | None = _of_zip(stream)
    elif head.startswith(b"\x1f\x8b"):
        found = _of_tar(head)
    elif b"\0" in head:
        raise Unreadable("is neither an archive that is known nor text")
    else:
        return None
    if found is None or found[0] not in wanted:
        return None
    digest = hashlib.sha256()
    stream.seek(0)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return Held(found, (f"sha256:{digest.hexdigest()}",))


def _of_zip(stream: BinaryIO | Part) -> Release:
    """By the metadata folder of a wheel, or the one folder of a source archive."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(size - _HEAD - 22, 0))
    tail = stream.read(_HEAD + 22)
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or len(tail) - end < 22:
        raise Unreadable("is a zip file that was cut off")
    (length,) = struct.unpack("<I", tail[end + 12 : end + 16])
    if length > LARGEST_DIRECTORY:
        raise Unreadable("is a zip file with a directory larger than is read")
    try:
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, OSError, struct.error, NotImplementedError, UnicodeDecodeError) as error:
        raise Unreadable("is a zip file that cannot be read") from error
    for name in names:
        top, _, rest = name.partition("/")
        if rest in ("METADATA", "RECORD", "WHEEL") and (found := release_of_info(top)) is not None:
            return found
    of_folder = release_of(f"{names[0].partition('/')[0]}.zip") if names else None
    if of_folder is None:
        raise Unreadable("is a zip file that tells no release")
    return of_folder


def _of_tar(head: bytes) -> Release | None:
    """By the name of the folder that all of a source archive lies in; None for text, such as a page of an index."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        plain = unpacking.decompress(head, _HEAD)
    except zlib.error as error:
        raise Unreadable("is an archive that cannot be unpacked") from error
    for start in range(0, len(plain) - 511, 512):
        name = plain[start : start + 100].partition(b"\0")[0]
        if b"/" in name and plain[start + 257 : start + 262] == b"ustar":
            found = release_of(f"{name.partition(b'/')[0].decode('utf-8', 'replace')}.zip")
            if found is not None:
                return found
    if plain and b"\0" not in plain:
        return None
    raise Unreadable("is packed in a way that tells no release")
