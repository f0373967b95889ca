"""The archive of a case for an auditor: a tar that the same content always gives, and what it says of itself.

Every file stands in the statement of the archive with its digest; the statement is signed. The journal goes with it,
each entry with its digest; the body of an entry that must not leave the machine is left out, its digest stays.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from pratique.casefile.journal import FIRST, Row, digest_of
from pratique.casefile.seal import PAYLOAD, STATEMENT, Envelope, Signature, encoded, unbase64
from pratique.model.errors import CaseError

PREDICATE = "urn:pratique:case-export:1"
MANIFEST = "statement.dsse.json"
JOURNAL = "journal.ndjson"
LARGEST_MEMBER = 8 << 30
LARGEST_STATEMENT = 32 << 20
LARGEST_LINE = 256 << 20
MOST_MEMBERS = 200_000
LONGEST_NAME = 1000
LARGEST_HEADER = 1 << 16
"""Bytes of a header that describes the next member; a tar library takes it whole into memory."""
ROOM = 1 << 30
GROWTH = 64
"""An archive unpacks to at most `ROOM` bytes and `GROWTH` times its own: what it holds is text, or does not shrink."""
MOST_NAMED = 100
"""So many disagreements are named, the others counted."""


class Signer(msgspec.Struct, frozen=True, kw_only=True):
    """Who signed an export, as its envelope names it."""

    kind: str
    public: str


def statement(case: str, head: str, number: int, digests: Mapping[str, str], about: Mapping[str, Any]) -> bytes:
    """The statement over the files of an export, as canonical JSON. `digests` are SHA-256 by name."""
    document = {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())],
        "predicateType": PREDICATE,
        "predicate": {"case": case, "head": head, "number": number, **about},
    }
    return msgspec.json.encode(document, order="sorted")


def envelope(payload: bytes, signer: Signer, keyid: str, signature: bytes) -> bytes:
    """The signed statement as a file: a DSSE envelope, and beside it the public key."""
    import base64

    made = Envelope(
        payload=base64.b64encode(payload).decode(),
        payloadType=PAYLOAD,
        signatures=(Signature(keyid=keyid, sig=base64.b64encode(signature).decode()),),
    )
    document = {"envelope": msgspec.to_builtins(made), "kind": signer.kind, "public": signer.public}
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2) + b"\n"


def journal_lines(rows: Iterable[Row], kept_back: Mapping[str, str]) -> Iterator[bytes]:
    """The journal for an export, a line an entry. `kept_back` maps kinds of entry to why they stay."""
    for row in rows:
        line: dict[str, Any] = {
            "number": row.number,
            "kind": row.kind,
            "time": row.time,
            "who": row.who,
            "tool": row.tool,
            "previous": row.previous,
            "digest": row.digest,
        }
        if row.kind in kept_back:
            line["left_out"] = kept_back[row.kind]
        else:
            line["body"] = msgspec.Raw(row.body)
        yield msgspec.json.encode(line) + b"\n"


class Packing:
    """An archive that is being written: gzip over a tar with fixed owners, modes and times."""

    def __init__(self, file: BinaryIO, root: str, time: int) -> None:
        self._packed = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6)
        self._tar = tarfile.TarFile(fileobj=self._packed, mode="w", format=tarfile.PAX_FORMAT)
        self._root = root
        self._time = time
        self.digests: dict[str, str] = {}

    def add(self, name: str, content: bytes) -> None:
        """One file, and its digest for the statement."""
        self.digests[name] = hashlib.sha256(content).hexdigest()
        self._write(name, io.BytesIO(content), len(content))

    def add_stream(self, name: str, content: BinaryIO, size: int) -> None:
        """One file of a known size that is read once."""
        counted = _Hashing(content)
        self._write(name, counted, size)
        self.digests[name] = counted.digest.hexdigest()

    def close(self, last: bytes) -> None:
        """Write the signed statement as the last file, and end the archive."""
        self._write(MANIFEST, io.BytesIO(last), len(last))
        self._tar.close()
        self._packed.close()

    def _write(self, name: str, content: Any, size: int) -> None:
        info = tarfile.TarInfo(f"{self._root}/{name}")
        info.size, info.mode, info.mtime = size, 0o600, self._time
        info.uid = info.gid = 0
        self._tar.addfile(info, content)


class _Hashing:
    """A file whose bytes are digested as they are read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._file.read(size)
        self.digest.update(data)
        return data

    def readline(self, size: int) -> bytes:
        """A line, or so many bytes of one."""
        data: bytes = self._file.readline(size)
        self.digest.update(data)
        return data

    def whole(self) -> str:
        """The digest of everything, the rest of the file read."""
        while self.read(1 << 20):
            pass
        return self.digest.hexdigest()


class Examined(msgspec.Struct, kw_only=True):
    """What was recomputed of an export."""

    case: str = ""
    head: str = ""
    files: int = 0
    entries: int = 0
    left_out: int = 0
    """Entries of the journal whose body is not in the export."""
    signer: Signer | None = None
    payload: bytes = b""
    signature: bytes = b""
    disagreements: list[str] = []
    more: int = 0
    """Disagreements that are not named."""
    noted: bool = False
    """Whether an entry has the digest that was asked for."""

    def disagrees(self, words: str) -> None:
        """Name one more thing that is not what it should be."""
        if len(self.disagreements) < MOST_NAMED:
            self.disagreements.append(words)
        else:
            self.more += 1

    @property
    def signed(self) -> bytes:
        """What the signature is made over."""
        return encoded(PAYLOAD, self.payload)


class _Header(tarfile.TarInfo):
    """A header of a tar that may have been made to harm."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Header:
        """The header of a block. Raises ReadError where the block announces more than is ever taken into memory."""
        info = super().frombuf(buf, encoding, errors)
        if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) and info.size > LARGEST_HEADER:
            raise tarfile.ReadError("a header is too large")
        return info


class _Line(msgspec.Struct, kw_only=True):
    """A line of the journal."""

    number: int
    kind: str
    time: str
    who: str
    tool: str
    previous: str
    digest: str
    body: msgspec.Raw = msgspec.Raw()
    left_out: str | None = None


def examine(file: BinaryIO, name: str, head: str = "") -> Examined:
    """Recompute an export: each file against the statement, each entry of the journal, the chain.

    The signature is not checked here: `signed`, `signature` and `signer` are for who can. `head` is the digest of an
    entry that is looked for. Raises CaseError where the file is no export, or holds more than one can hold.
    """
    found = Examined()
    digests: dict[str, str] = {}
    manifest = b""
    room = ROOM + GROWTH * file.seek(0, io.SEEK_END)
    file.seek(0)
    try:
        with (
            gzip.GzipFile(fileobj=file) as packed,
            tarfile.open(fileobj=packed, mode="r|", tarinfo=_Header) as tar,
        ):
            while (info := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # what was passed is not kept in memory
                path = info.name.partition("/")[2]
                found.files += 1
                room -= info.size
                if found.files > MOST_MEMBERS or info.size > LARGEST_MEMBER or room < 0 or len(path) > LONGEST_NAME:
                    raise CaseError("holds more than an export can hold", where=name)
                member = tar.extractfile(info) if info.isreg() else None
                if member is None:
                    found.disagrees(f"{path}: is no plain file")
                elif path in digests or (path == MANIFEST and manifest):
                    found.disagrees(f"{path}: stands twice in the archive")
                elif path == MANIFEST:
                    if info.size > LARGEST_STATEMENT:
                        raise CaseError("holds more than an export can hold", where=name)
                    manifest = member.read()
                elif path == JOURNAL:
                    counted = _Hashing(member)
                    _chain(counted, found, head)
                    digests[path] = counted.whole()
                else:
                    digests[path] = _Hashing(member).whole()
    except (OSError, EOFError, tarfile.TarError, ValueError, zlib.error, RecursionError, OverflowError) as error:
        reason = str(error) or type(error).__name__
        raise CaseError(f"is no whole export of a case: {reason}", where=name) from None
    _compare(manifest, digests, found, name)
    if found.more:
        found.disagreements.append(f"{found.more} more disagreements")
    return found


def _compare(manifest: bytes, digests: dict[str, str], found: Examined, name: str) -> None:
    try:
        document = msgspec.json.decode(manifest)
        enclosed = msgspec.convert(document["envelope"], Envelope)
        found.signer = Signer(kind=str(document["kind"]), public=str(document["public"]))
        found.payload = enclosed.content()
        found.signature = unbase64(enclosed.signatures[0].sig)
        said = msgspec.json.decode(found.payload)
        if said["predicateType"] != PREDICATE:
            raise KeyError("predicateType")
        found.case = str(said["predicate"]["case"])
        head = str(said["predicate"]["head"])
        stated = {str(item["name"]): str(item["digest"]["sha256"]) for item in said["subject"]}
        number = said["predicate"]["number"]
    except (msgspec.MsgspecError, KeyError, TypeError, IndexError, UnicodeDecodeError, RecursionError):
        raise CaseError(f"is no export of a case: it has no statement ({MANIFEST})", where=name) from None
    for path in sorted({*digests, *stated}):
        if path not in digests:
            found.disagrees(f"{path}: is named by the statement and missing")
        elif path not in stated:
            found.disagrees(f"{path}: is not named by the statement")
        elif digests[path] != stated[path]:
            found.disagrees(f"{path}: has another digest than the statement says")
    if found.head != head:
        found.disagrees(f"{JOURNAL}: ends in another entry than the statement says")
    if found.entries != number:
        found.disagrees(f"{JOURNAL}: has {found.entries} entries, the statement says {number}")


def _chain(lines: _Hashing, found: Examined, head: str) -> None:
    previous = FIRST
    while text := lines.readline(LARGEST_LINE):
        found.entries += 1
        try:
            entry = msgspec.json.decode(text, type=_Line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found.disagrees(f"entry {found.entries}: cannot be read")
            return
        if entry.number != found.entries or entry.previous != previous:
            found.disagrees(f"entry {found.entries}: does not follow the one before it")
        if entry.left_out is not None:
            found.left_out += 1
        elif not entry.body or entry.digest != digest_of(
            entry.number, entry.kind, entry.time, entry.who, entry.tool, bytes(entry.body), entry.previous
        ):
            found.disagrees(f"entry {found.entries}: its digest does not fit what it says")
        previous = found.head = entry.digest
        found.noted = found.noted or entry.digest == head
