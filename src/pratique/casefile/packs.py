"""The evidence of a case: encrypted blobs, one after the other, in pack files that only grow.

A pack starts with a line that names the form. A blob is 16 random bytes, then its chunks: each at most 1 MiB of plain
bytes under AES-256-GCM and its tag of 16 bytes. The key of a blob is derived from the key of the case and the random
bytes; the nonce is the number of the chunk and whether it is the last. The last chunk binds the SHA-256 and the size of
the whole as associated data, so a blob opens under its own name alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from pratique.casefile.keys import derive, settle
from pratique.model.errors import CaseError, UsageError

HEAD = b"pratique-pack/1\n"
CHUNK = 1 << 20
TAG = 16
SALT = 16
ROLL = 1 << 30
"""A pack that has grown so far is followed by the next one."""


class Place(msgspec.Struct, frozen=True):
    """Where a blob lies: number of the pack, offset in it, size of the plain bytes."""

    pack: int
    offset: int
    size: int

    @property
    def end(self) -> int:
        """Offset of the first byte after it."""
        return self.offset + length(self.size)


class Unproven(Exception):  # noqa: N818 (it is a finding about a blob, not a failure of the program)
    """A blob does not hold what its name says; the message says how."""


class NotWritten(Exception):  # noqa: N818 (the reason of the CaseError that follows)
    """A pack cannot be written."""

    def __init__(self, reason: OSError) -> None:
        self.reason = reason
        super().__init__(str(reason))


def length(size: int) -> int:
    """How many bytes a blob of so many plain bytes takes."""
    return SALT + size + TAG * max(1, -(-size // CHUNK))


def cipher(key: bytes) -> Any:
    """AES-256-GCM under a key. Raises UsageError where the extra `case` is not installed."""
    try:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    except ImportError:
        raise UsageError(
            "a case needs the package cryptography, which is not installed", advice="Run: pip install 'pratique[case]'"
        ) from None
    return AESGCM(key)


def path_of(folder: Path, pack: int) -> Path:
    """The file of a pack."""
    return folder / f"{pack:04}.pack"


def _blob_key(key: bytes, salt: bytes) -> bytes:
    return hmac.digest(key, salt + b"\x01", hashlib.sha256)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _bound(digest: bytes, size: int) -> bytes:
    return digest + size.to_bytes(8, "big")


class Packs:
    """The packs of a case. Writing needs the lock of the journal: the caller holds it from `start` to `finish`."""

    def __init__(self, folder: Path, secret: bytes | None) -> None:
        self.folder = folder
        self.key = derive(secret, "evidence") if secret is not None else None
        self._file: BinaryIO | None = None
        self._pack = 0
        self._end = 0
        self._dirty = False
        self._reading: tuple[int, BinaryIO] | None = None

    def start(self, pack: int, end: int) -> None:
        """Go on behind the last blob that the journal knows; what lies beyond was never finished and is cut off.

        Raises NotWritten, and CaseError where the pack is not what the journal knows.
        """
        try:
            self._start(pack, end)
        except OSError as error:
            raise NotWritten(error) from None

    def _start(self, pack: int, end: int) -> None:
        self.close()
        if pack == 0 or end >= ROLL:
            pack, end = pack + 1, 0
        path = path_of(self.folder, pack)
        fresh = not os.path.lexists(path)
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
        descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0), 0o600)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise CaseError("is no plain file", where=str(path), advice="Restore the case from a copy")
        self._file = file = os.fdopen(descriptor, "r+b", buffering=CHUNK)
        size = os.fstat(descriptor).st_size
        if size < end:
            raise CaseError(
                f"is shorter than the journal says: {size} of {end} bytes",
                where=str(path),
                advice="Run `pratique case verify`, and restore the case from a copy",
            )
        if size > end:
            file.truncate(end)
        file.seek(end)
        self._pack, self._end = pack, end
        if end == 0:
            file.write(HEAD)
            self._end = len(HEAD)
            self._dirty = True
        if fresh:
            file.flush()
            settle(self.folder)

    def write(self, content: BinaryIO | bytes) -> tuple[str, Place]:
        """Encrypt and append; gives the SHA-256 in hexadecimal and the place. `finish` makes it durable.

        Raises NotWritten, and the OSError of a content that cannot be read.
        """
        file = self._file
        if file is None or self.key is None:
            raise CaseError("the evidence is not open for writing")
        salt = os.urandom(SALT)
        seal = cipher(_blob_key(self.key, salt))
        offset = self._end
        try:
            _put(file, salt)
            if isinstance(content, bytes) and len(content) <= CHUNK:
                digest = hashlib.sha256(content)
                size = len(content)
                _put(file, seal.encrypt(_nonce(0, True), content, _bound(digest.digest(), size)))
            else:
                digest, size = self._stream(file, seal, io.BytesIO(content) if isinstance(content, bytes) else content)
        except BaseException:  # what was written of it is taken back; the error is passed on
            self._take_back(offset)
            raise
        self._dirty = True
        self._end = offset + length(size)
        if self._end >= ROLL:
            try:
                self.finish()
            except OSError as error:
                raise NotWritten(error) from None
            self.start(self._pack, self._end)
            return digest.hexdigest(), Place(self._pack - 1, offset, size)
        return digest.hexdigest(), Place(self._pack, offset, size)

    def forget(self, place: Place) -> None:
        """Take back the blob that was written last: its bytes are kept already."""
        if place.pack == self._pack and place.end == self._end:
            self._take_back(place.offset)

    def _take_back(self, offset: int) -> None:
        if self._file is None:
            return
        try:
            self._file.seek(offset)
            self._file.truncate()
        except OSError:  # nothing more is written behind bytes that could not be taken back
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None
        self._end = offset

    def _stream(self, file: BinaryIO, seal: Any, source: BinaryIO) -> tuple[Any, int]:
        digest = hashlib.sha256()
        size = number = 0
        part = _full(source)
        while True:
            digest.update(part)
            size += len(part)
            following = _full(source) if len(part) == CHUNK else b""
            last = not following
            _put(file, seal.encrypt(_nonce(number, last), part, _bound(digest.digest(), size) if last else b""))
            if last:
                return digest, size
            part = following
            number += 1

    def finish(self) -> None:
        """Make durable what was written."""
        if self._file is not None and self._dirty:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._dirty = False

    def chunks(self, digest: str, place: Place) -> Iterator[bytes]:
        """The plain bytes of a blob, chunk by chunk. Raises Unproven where it is not what its name says."""
        if self.key is None:
            raise CaseError("the key of this case is not here")
        file = self._open(place.pack)
        file.seek(place.offset)
        seal = cipher(_blob_key(self.key, file.read(SALT)))
        count = max(1, -(-place.size // CHUNK))
        total = hashlib.sha256()
        left = place.size
        try:
            bound = _bound(bytes.fromhex(digest), place.size)
        except (ValueError, OverflowError):
            raise Unproven("its name is no SHA-256, or its size is none") from None
        from cryptography.exceptions import InvalidTag

        for number in range(count):
            last = number == count - 1
            want = min(left, CHUNK) + TAG
            data = file.read(want)
            if len(data) < want:
                raise Unproven(f"its pack ends at byte {place.offset} and {place.size - left} more")
            try:
                plain: bytes = seal.decrypt(_nonce(number, last), data, bound if last else b"")
            except InvalidTag:
                raise Unproven("its bytes, or its place, size or digest in the journal, were changed") from None
            total.update(plain)
            left -= len(plain)
            if last and total.hexdigest() != digest:
                raise Unproven("its bytes have another SHA-256")
            yield plain

    def _open(self, pack: int) -> BinaryIO:
        """A pack for reading. Raises Unproven where it is not there or no pack."""
        if self._file is not None and self._dirty:
            self._file.flush()
        if self._reading is not None:
            if self._reading[0] == pack:
                return self._reading[1]
            self._reading[1].close()
            self._reading = None
        path = path_of(self.folder, pack)
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        try:
            descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
        except OSError as error:
            raise Unproven(f"its pack {path.name} cannot be read: {error.strerror}") from None
        file = os.fdopen(descriptor, "rb", buffering=CHUNK)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode) or file.read(len(HEAD)) != HEAD:
            file.close()
            raise Unproven(f"{path.name} is no pack of evidence")
        self._reading = (pack, file)
        return file

    def close(self) -> None:
        """Let go of all files; what was not finished is not durable."""
        for file in (self._file, self._reading[1] if self._reading else None):
            if file is not None:
                with contextlib.suppress(OSError):
                    file.close()
        self._file = self._reading = None
        self._dirty = False


def _put(file: BinaryIO, part: bytes) -> None:
    try:
        file.write(part)
    except OSError as error:
        raise NotWritten(error) from None


def _full(source: BinaryIO) -> bytes:
    """The next whole chunk; shorter at the end alone."""
    part = source.read(CHUNK)
    if len(part) in (0, CHUNK):
        return part
    parts = [part]
    have = len(part)
    while have < CHUNK and (more := source.read(CHUNK - have)):
        parts.append(more)
        have += len(more)
    return b"".join(parts)
