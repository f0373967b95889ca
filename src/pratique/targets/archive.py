"""Archives in any target: opened where they lie, member by member, nothing written to disk.

tar (plain, gzip, bzip2, xz, zstd), zip (also wheel, egg, vsix, conda) and asar, told by their first bytes. Archives
inside archives are opened to depth 4. A member's name is only ever a name: traversal and absolute names are read like
any other and lead nowhere. Links are not followed, but a hard link gives the bytes of the member that it names. What
cannot be read, is cut off, encrypted, or grows past the bounds is a refusal; what was read before it stands.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import os
import struct
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO, BinaryIO, cast

from pratique.ecosystems.npm.paths import place_of
from pratique.model.location import Inside, locate
from pratique.model.observation import FolderFact, Observation, Question, Refusal
from pratique.model.ports import ARCHIVE, DEFAULT_LIMIT, Artifact, Claimant, Claims, Handed, Kept, Options, Unreadable
from pratique.targets.dispatch import ARCHIVES
from pratique.targets.files import open_regular
from pratique.targets.tape import MOST_BYTES, RATIO, RATIO_FROM, Member, Tape, tape_of

READER = "archive"
DEEPEST = 4
LINKED = 4
"""So often a tar is read again for members that claimed hard links name: a link may name a link."""
MOST_ZIP_MEMBERS = 500_000
_CHUNK = 1 << 20
_BLOCK = 512
_FIXTURES = frozenset({"site-packages", "dist-packages", "test", "tests", "testdata", "fixtures", "__fixtures__"})

Item = Handed | Observation | Refusal | Kept


class Tally:
    """What was met inside archives: for the coverage."""

    def __init__(self) -> None:
        self.archives = 0
        self.members = 0
        self.bytes = 0


def opened(items: Iterable[Item], claims: Claims, options: Options, tally: Tally) -> Iterator[Item]:
    """The items, with what lies inside each archive among them in its place."""
    for item in items:
        if isinstance(item, tuple) and item[0] == ARCHIVE:
            yield from _open(item[1], claims, options, tally)
        else:
            yield item


def _open(artifact: Artifact, claims: Claims, options: Options, tally: Tally) -> Iterator[Item]:
    """The members of one archive, and of those inside it."""
    depth = sum(step.kind == "member" for step in artifact.inside)
    if depth >= DEEPEST:
        yield _refusal(artifact, options, f"lies in {DEEPEST} archives already; it is not opened")
        return
    tally.archives += 1
    try:
        stream, again = _stream(artifact)
    except Unreadable as error:
        yield _refusal(artifact, options, error.reason)
        return
    opening = _Opening(artifact, claims, options, tally, again)
    try:
        with stream:
            yield from opened(opening.members(stream), claims, options, tally)
    except Unreadable as error:
        yield _refusal(artifact, options, error.reason)
    except (MemoryError, RecursionError):
        yield _refusal(artifact, options, "needs more memory or depth than an archive may use")
    except Exception as error:  # noqa: BLE001 (whatever an archive makes a library raise is a refusal, law 3)
        text = " ".join(str(error).split())[:120]
        yield _refusal(artifact, options, f"is damaged or cut off: {text or type(error).__name__}")


def _refusal(artifact: Artifact, options: Options, reason: str, member: str | None = None) -> Refusal:
    """A gap, relevant unless it lies in the folder of an installed package that nobody asks about, or among tests.

    Runtimes and projects that read archives keep many damaged ones for their own tests.
    """
    place = place_of(artifact.path)
    relevant = place.package is None or options.names is None or place.package in options.names
    if place.package is None and not _FIXTURES.isdisjoint(artifact.path.split("/")[:-1]):
        relevant = False
    names = (place.package,) if place.package and options.names is not None else ()
    if member is not None:
        artifact = _within(artifact, member, lambda: b"")
    return artifact.refusal(READER, reason, relevant=relevant, names=names)


def _within(archive: Artifact, name: str, content: Callable[[], bytes], header: Member | None = None) -> Artifact:
    """A member as an artifact; the time is that of its header."""
    outer = archive.path if archive.outer is None else archive.outer
    inside = (*archive.inside, Inside("member", "", _text(name)))
    return Artifact(
        archive.target,
        _plain(name),
        content,
        lambda: header.modified if header else None,
        _no_companion,
        outer=outer,
        inside=inside,
    )


def _no_companion(suffix: str) -> bytes | None:
    raise Unreadable(f"the file beside it ({suffix}) cannot be looked up in an archive that is read as a stream")


def _text(name: str) -> str:
    """A member's name as valid Unicode."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _plain(name: str) -> str:
    """A member's name as a relative path: what leads up or to the root leads nowhere."""
    if "\\" in name and "/" not in name:
        name = name.replace("\\", "/")
    if name.startswith(("/", "./", "..")) or "/." in name or "//" in name:
        return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
    return name


def _stream(artifact: Artifact) -> tuple[BinaryIO, Callable[[], BinaryIO] | None]:
    """The bytes of an archive as a file, and how that is opened again, None where it cannot be. Raises Unreadable."""
    if artifact.stream is not None:
        stream = artifact.stream()
        return stream, artifact.stream if stream.seekable() else None
    data = artifact.content()
    return io.BytesIO(data), lambda: io.BytesIO(data)


def _digests(stream: BinaryIO) -> tuple[str, ...]:
    """Digests of a whole file, as `algorithm:<hexadecimal>`."""
    states = [hashlib.sha1(usedforsecurity=False), hashlib.sha256(), hashlib.sha512()]
    with stream:
        while chunk := stream.read(_CHUNK):
            for state in states:
                state.update(chunk)
    return tuple(f"{state.name}:{state.hexdigest()}" for state in states)


class _Opening:
    """One archive that is being opened."""

    def __init__(
        self,
        archive: Artifact,
        claims: Claims,
        options: Options,
        tally: Tally,
        again: Callable[[], BinaryIO] | None,
    ) -> None:
        self.archive = archive
        self.claims = claims
        self.options = options
        self.tally = tally
        self.again = again
        self._known: tuple[str, ...] | None = None

    def container(self) -> tuple[str, ...]:
        """The digests of this archive, worked out once and only where they are asked for."""
        if self._known is None:
            try:
                self._known = _digests(self.again()) if self.again is not None else ()
            except (Unreadable, OSError):
                self._known = ()
        return self._known

    def limit(self, claimed: int) -> int:
        """How many bytes of a member may be read."""
        return self.options.limit if self.options.limit is not None else claimed or DEFAULT_LIMIT

    def members(self, stream: BinaryIO) -> Iterator[Item]:
        """What is claimed of the members. Raises Unreadable, and what libraries raise on damaged input."""
        head = _peek(stream)
        if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
            yield from self._zip(stream)
        elif head.startswith(b"\x04\x00\x00\x00") and head[16:17] == b"{":
            yield from self._asar(stream)
        elif not head:
            raise Unreadable("is empty")
        else:
            yield from self._tar(stream, head)

    def member(
        self,
        name: str,
        path: str,
        read: Callable[[int], bytes],
        header: Member | None = None,
        opened: Callable[[], BinaryIO] | None = None,
    ) -> Iterator[Handed]:
        """One member, for everybody who claims it; those who read any size get it as a stream (`opened`)."""
        for claimant in self.claims.at(path):
            limit = self.limit(claimant.limit)
            artifact = _within(self.archive, name, functools.partial(self._read, read, limit), header)
            artifact.container = self.container
            if opened is not None and claimant.limit > DEFAULT_LIMIT:
                artifact.stream = opened
            if self.again is not None:
                artifact.companion = functools.partial(self._companion, path, limit)
            yield claimant.key, artifact

    def _companion(self, path: str, limit: int, suffix: str) -> bytes | None:
        """The member whose name is that of another and a suffix, out of a second reading. Raises Unreadable."""
        if self.again is None:
            return None
        wanted = _Wanted(path + suffix)
        second = _Opening(self.archive, wanted, self.options, Tally(), None)
        found: bytes | None = None
        with self.again() as stream:
            for item in second.members(stream):
                if isinstance(item, tuple):
                    found = item[1].content()
        if found is not None and len(found) > limit:
            raise Unreadable(f"the file beside it ({suffix}) holds more than the limit of {limit} bytes")
        return found

    def _read(self, read: Callable[[int], bytes], limit: int) -> bytes:
        data = read(limit)
        self.tally.bytes += len(data)
        return data

    # zip

    def _zip(self, stream: BinaryIO) -> Iterator[Item]:
        if not stream.seekable():
            raise Unreadable(f"is a zip larger than the limit of {self.limit(0)} bytes; --max-file raises it")
        with zipfile.ZipFile(stream) as archive:
            infos = archive.infolist()
            self.tally.members += len(infos)
            for info in infos[:MOST_ZIP_MEMBERS]:
                path = _plain(info.filename)
                if info.is_dir() or not self.claims.at(path):
                    continue
                if info.flag_bits & 1:
                    yield _refusal(self.archive, self.options, "is encrypted", info.filename)
                    continue
                opened = functools.partial(_Unzipping.of, archive, info, self.tally)
                yield from self.member(info.filename, path, functools.partial(_unzip, archive, info), opened=opened)
            if len(infos) > MOST_ZIP_MEMBERS:
                raise Unreadable(f"holds {len(infos)} members; {MOST_ZIP_MEMBERS} of them were looked at")

    # asar

    def _asar(self, stream: BinaryIO) -> Iterator[Item]:
        if not stream.seekable():
            raise Unreadable(f"is an asar larger than the limit of {self.limit(0)} bytes; --max-file raises it")
        head = stream.read(16)
        if len(head) < 16:
            raise Unreadable("is cut off in its header")
        size, length = struct.unpack("<4xI4xI", head)
        if length > DEFAULT_LIMIT or length > size:
            raise Unreadable("has a header that is larger than it may be")
        tree = json.loads(stream.read(length))
        start = 8 + size
        stack: list[tuple[str, object]] = [("", tree)]
        while stack:
            prefix, node = stack.pop()
            files = node.get("files") if isinstance(node, dict) else None
            if not isinstance(files, dict):
                continue
            for name, entry in sorted(files.items(), reverse=True):
                path = f"{prefix}{name}"
                if isinstance(entry, dict) and "files" in entry:
                    stack.append((f"{path}/", entry))
                    continue
                self.tally.members += 1
                if not isinstance(entry, dict) or entry.get("unpacked") or "link" in entry:
                    continue
                offset, count = entry.get("offset"), entry.get("size")
                if not isinstance(offset, str) or not offset.isdigit() or not isinstance(count, int) or count < 0:
                    if self.claims.at(_plain(path)):
                        yield _refusal(self.archive, self.options, "has no readable place in its archive", path)
                    continue
                place = start + int(offset)
                yield from self.member(
                    path,
                    _plain(path),
                    functools.partial(_slice, stream, place, count),
                )

    # tar

    def _tar(self, stream: BinaryIO, head: bytes) -> Iterator[Item]:
        links: dict[str, list[str]] = {}
        again = stream.seekable()
        yield from self._tape(tape_of(stream, head), links)
        for _ in range(LINKED if again else 0):
            if not links:
                return
            stream.seek(0)
            wanted, links = links, {}
            yield from self._linked(tape_of(stream, head), wanted, links)
            if all(wanted.get(target) == names for target, names in links.items()):
                break
        for target, names in links.items():
            for name in names:
                reason = f"is a hard link to a member that is not there: {_text(target)}"
                if not again:
                    reason = "is a hard link in an archive read as a stream"
                yield _refusal(self.archive, self.options, reason, name)

    def _tape(self, tape: Tape, links: dict[str, list[str]]) -> Iterator[Item]:
        """The members of a tar in their order; claimed hard links are noted under what they name."""
        for member in tape.members():
            self.tally.members += 1
            path = _plain(member.name)
            if member.isreg():
                read = functools.partial(tape.read, member)
                for key, artifact in self.member(member.name, path, read, member):
                    if key == ARCHIVE and member.size > self.limit(0):
                        artifact.stream = functools.partial(tape.file, member)
                        artifact.container = None
                    yield key, artifact
            elif member.islnk() and self.claims.at(path):
                links.setdefault(_plain(member.linkname), []).append(member.name)

    def _linked(self, tape: Tape, wanted: dict[str, list[str]], links: dict[str, list[str]]) -> Iterator[Item]:
        """The members that claimed hard links name, under the names of the links; links to links are noted again."""
        left = dict(wanted)
        for member in tape.members():
            path = _plain(member.name)
            if path not in left:
                continue
            if member.isreg():
                for name in left.pop(path):
                    yield from self.member(name, _plain(name), functools.partial(tape.read, member), member)
            elif member.islnk() and _plain(member.linkname) != path:
                links.setdefault(_plain(member.linkname), []).extend(left.pop(path))
        for target, names in left.items():
            links.setdefault(target, []).extend(names)


def _peek(stream: BinaryIO) -> bytes:
    """The first bytes of a stream, which stay in it."""
    if isinstance(stream, io.BufferedReader):
        return stream.peek(_BLOCK)[:_BLOCK]
    head = stream.read(_BLOCK)
    stream.seek(0)
    return head


def _unzip(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> bytes:
    """The bytes of a zip's member. Raises Unreadable."""
    if info.file_size > limit:
        raise Unreadable(f"holds {info.file_size} bytes, more than the limit of {limit}; --max-file raises it")
    try:
        with archive.open(info) as file:
            data = file.read(limit + 1)
    except Exception as error:  # noqa: BLE001 (a damaged member, whatever the library says of it)
        raise Unreadable(f"cannot be unpacked: {' '.join(str(error).split())[:120]}") from None
    if len(data) > limit:
        raise Unreadable(f"holds more than it says, over the limit of {limit} bytes")
    return data


class _Unzipping:
    """A zip's member as it is unpacked: read once from front to back, whatever its size, within the bounds."""

    def __init__(self, file: IO[bytes], packed: int, tally: Tally) -> None:
        self._file = file
        self._packed = max(packed, 1)
        self._tally = tally
        self._total = 0

    @classmethod
    def of(cls, archive: zipfile.ZipFile, info: zipfile.ZipInfo, tally: Tally) -> BinaryIO:
        """Open a member. Raises Unreadable."""
        try:
            return cast(BinaryIO, cls(archive.open(info), info.compress_size, tally))
        except Exception as error:  # noqa: BLE001 (a damaged member, whatever the library says of it)
            raise Unreadable(f"cannot be unpacked: {' '.join(str(error).split())[:120]}") from None

    def read(self, size: int) -> bytes:
        """The next bytes. Raises Unreadable where they are damaged, or grow past the bounds."""
        try:
            data = self._file.read(size)
        except Exception as error:  # noqa: BLE001 (as above)
            raise Unreadable(f"cannot be unpacked: {' '.join(str(error).split())[:120]}") from None
        self._total += len(data)
        self._tally.bytes += len(data)
        if self._total > RATIO_FROM and self._total > min(MOST_BYTES, RATIO * self._packed):
            raise Unreadable(f"holds more than {RATIO} times its own size (a decompression bomb)")
        return data

    def __enter__(self) -> _Unzipping:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def _slice(stream: BinaryIO, place: int, count: int, limit: int) -> bytes:
    """Bytes of a file at a place. Raises Unreadable."""
    if count > limit:
        raise Unreadable(f"holds {count} bytes, more than the limit of {limit}; --max-file raises it")
    stream.seek(place)
    data = stream.read(count)
    if len(data) != count:
        raise Unreadable("is cut off")
    return data


class _Wanted:
    """Claims for a second look: every name is noted, and one archive on the way is asked for."""

    def __init__(self, next_archive: str | None) -> None:
        self.next_archive = next_archive
        self.met: list[str] = []

    def at(self, path: str) -> Sequence[Claimant]:
        self.met.append(path)
        return (ARCHIVES,) if path == self.next_archive else ()


def probe(uri: str, root: str, questions: Sequence[Question], options: Options) -> Iterator[Observation | Refusal]:
    """The second look into archives of a folder: which of the named files a package folder in there holds."""
    base = root.rstrip("/") + "/"
    for question in questions:
        location = locate(uri, question.path, inside=question.inside)
        try:
            descriptor, _ = open_regular(base + question.path)
            stream: BinaryIO = os.fdopen(descriptor, "rb")
            outer = Artifact(uri, question.path, lambda: b"", lambda: None, _no_companion)
            yield folder_in(outer, stream, question, options)
        except Unreadable as error:
            yield Refusal(
                location.path, "probe", error.reason, True, uri, location.path_bytes, question.names, question.inside
            )


def folder_in(archive: Artifact, stream: BinaryIO, question: Question, options: Options) -> Observation:
    """The files of one folder in an archive, however deep. Raises Unreadable."""
    steps = [step.path for step in question.inside if step.kind == "member"]
    for depth, step in enumerate(steps):
        last = depth == len(steps) - 1
        claims = _Wanted(None if last else step)
        opening = _Opening(archive, claims, options, Tally(), None)
        inner: BinaryIO | None = None
        try:
            with stream:
                for item in opening.members(stream):
                    if isinstance(item, tuple) and item[0] == ARCHIVE:
                        inner = io.BytesIO(item[1].content())
        except Unreadable:
            raise
        except Exception as error:  # noqa: BLE001 (whatever an archive makes a library raise)
            raise Unreadable(f"is damaged or cut off: {type(error).__name__}") from None
        if last:
            prefix = f"{step.rstrip('/')}/"
            names = {path[len(prefix) :] for path in claims.met if path.startswith(prefix)}
            fact = FolderFact(
                folder=step,
                exists=bool(names),
                present=tuple(name for name in question.files if name in names),
                absent=tuple(name for name in question.files if name not in names),
            )
            return Observation("probe", locate(archive.target, archive.path, inside=question.inside), fact)
        if inner is None:
            raise Unreadable(f"holds no {step}")
        stream = inner
    raise Unreadable("is asked for no folder")
