"""The archive of a case for an auditor: a tar that the same content always gives, and what it says of itself.

Every file stands in the statement of the archive with its digest; the statement is signed. The journal goes with it,
each entry with its digest; the body of an entry that must not leave the machine is left out, its digest stays.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, BinaryIO

import msgspec

from pratique.casefile.journal import FIRST, Row, canonical, digest_of
from pratique.casefile.seal import PAYLOAD, STATEMENT, Envelope, Signature, encoded, unbase64
from pratique.model.errors import CaseError

PREDICATE = "urn:pratique:case-export:1"
MANIFEST = "statement.dsse.json"
JOURNAL = "journal.ndjson"
LARGEST_MEMBER = 1 << 30
LARGEST_TEXT = 256 << 20
MOST_MEMBERS = 1_000_000


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

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.digest.update(data)
        return data


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

    @property
    def signed(self) -> bytes:
        """What the signature is made over."""
        return encoded(PAYLOAD, self.payload)


def examine(file: BinaryIO, name: str) -> Examined:
    """Recompute an export: each file against the statement, each entry of the journal, the chain.

    The signature is not checked here: `signed`, `signature` and `signer` are for who can. Raises CaseError where the
    file is no export.
    """
    found = Examined()
    digests: dict[str, str] = {}
    manifest = b""
    try:
        with gzip.GzipFile(fileobj=file) as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
            for info in tar:
                path = info.name.partition("/")[2]
                found.files += 1
                if found.files > MOST_MEMBERS or info.size > LARGEST_MEMBER:
                    raise CaseError("holds more than an export can hold", where=name)
                member = tar.extractfile(info) if info.isreg() else None
                if member is None:
                    found.disagreements.append(f"{path}: is no plain file")
                elif path == MANIFEST:
                    manifest = member.read(LARGEST_TEXT)
                elif path in digests:
                    found.disagreements.append(f"{path}: stands twice in the archive")
                elif path == JOURNAL:
                    body = member.read(LARGEST_TEXT)
                    digests[path] = hashlib.sha256(body).hexdigest()
                    _chain(body, found)
                else:
                    digests[path] = _digest(member)
    except (OSError, EOFError, tarfile.TarError, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise CaseError(f"is no whole export of a case: {reason}", where=name) from None
    _compare(manifest, digests, found, name)
    return found


def _digest(member: Any) -> str:
    digest = hashlib.sha256()
    while part := member.read(1 << 20):
        digest.update(part)
    return digest.hexdigest()


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
            found.disagreements.append(f"{path}: is named by the statement and missing")
        elif path not in stated:
            found.disagreements.append(f"{path}: is not named by the statement")
        elif digests[path] != stated[path]:
            found.disagreements.append(f"{path}: has another digest than the statement says")
    if found.head != head:
        found.disagreements.append(f"{JOURNAL}: ends in another entry than the statement says")
    if found.entries != number:
        found.disagreements.append(f"{JOURNAL}: has {found.entries} entries, the statement says {number}")


def _chain(lines: bytes, found: Examined) -> None:
    previous = FIRST
    last = ""
    for line in lines.splitlines():
        found.entries += 1
        try:
            entry = msgspec.json.decode(line)
            digest, number = str(entry["digest"]), entry["number"]
            if number != found.entries or entry["previous"] != previous:
                found.disagreements.append(f"entry {found.entries}: does not follow the one before it")
            if "left_out" in entry:
                found.left_out += 1
            else:
                kind, time, who, tool = (str(entry[key]) for key in ("kind", "time", "who", "tool"))
                body = canonical(entry["body"])
                if digest_of(number, kind, time, who, tool, body, str(entry["previous"])) != digest:
                    found.disagreements.append(f"entry {found.entries}: its digest does not fit what it says")
        except (msgspec.MsgspecError, KeyError, TypeError, UnicodeDecodeError, RecursionError):
            found.disagreements.append(f"entry {found.entries}: cannot be read")
            return
        previous = last = digest
    found.head = last
