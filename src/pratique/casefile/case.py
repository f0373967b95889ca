"""An open case: `create`, `open_case`, and the `Case` that keeps the promises of `pratique.model.case.CaseFile`."""

from __future__ import annotations

import contextlib
import datetime
import hmac
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec

from pratique.casefile import journal as journals
from pratique.casefile import keys
from pratique.casefile.packs import NotWritten, Packs, Unproven, cipher
from pratique.model.case import FORMAT, CaseFile, Entry, EntryKind, EvidenceItem, MissingEvidence
from pratique.model.errors import CaseError

JOURNAL = "journal.sqlite"
EVIDENCE = "evidence"
QUARANTINE = "quarantine"

Now = Callable[[], datetime.datetime]


class Author(msgspec.Struct, frozen=True):
    """Who writes, with what, and by which clock."""

    who: str
    tool: str
    now: Now

    def time(self) -> str:
        """This moment, ISO 8601 in UTC."""
        return self.now().astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Case:
    """An open case; see `pratique.model.case.CaseFile`. Use it in a `with` block, or close it."""

    def __init__(self, folder: Path, author: Author, *, key: Path | None = None, writing: bool = True) -> None:
        self._folder = folder.absolute()
        self.author = author
        self.journal = journals.Journal(self._folder / JOURNAL, writing=writing)
        self._batch = False
        self._packing = False
        try:
            self.opened = self._opened()
            self._id = str(self.opened.get("id", ""))
            self.key_file = keys.place(self._id, key)
            self._secret = keys.read(self.key_file)
            if self._secret is None and key is not None:
                raise CaseError("does not exist", where=str(key), advice="Name the key file of this case with --key")
            if self._secret is not None and not hmac.compare_digest(
                key_check(self._secret), str(self.opened.get("key_check", "")).encode("ascii", "replace").decode()
            ):
                raise CaseError(
                    "is the key of another case", where=str(self.key_file), advice="Name the right one with --key"
                )
            self.packs = Packs(self._folder / EVIDENCE, self._secret)
            if self._secret is not None:
                self.journal.key = keys.derive(self._secret, "journal")
            if writing and self._secret is None:
                raise CaseError(
                    f"its key is not here ({self.key_file}), so nothing can be written",
                    where=self.folder,
                    advice="Name the key file with --key; `status` and `verify` work without it",
                )
        except BaseException:  # the journal is let go; the error is passed on
            self.journal.close()
            raise

    def _opened(self) -> Mapping[str, Any]:
        row = next(iter(self.journal.rows()), None)
        if row is None:
            raise CaseError("the journal is empty", where=self.folder, advice="Restore the case from a copy")
        body = row.entry().body
        identifier = body.get("id")
        if row.kind != "opened" or not isinstance(identifier, str) or not _is_identifier(identifier):
            raise CaseError(
                "entry 1 is damaged: it does not say which case this is",
                where=self.folder,
                advice="Restore the case from a copy",
            )
        return body

    @property
    def folder(self) -> str:
        """Absolute path of the case."""
        return str(self._folder)

    @property
    def id(self) -> str:
        """Id of the case: 32 hexadecimal digits."""
        return self._id

    @property
    def incidents(self) -> tuple[str, ...]:
        """The incidents that the case was made for."""
        named = self.opened.get("incidents")
        return tuple(str(item) for item in named) if isinstance(named, list) else ()

    @property
    def quarantine(self) -> str:
        """Absolute path of the folder that quarantined things are moved to."""
        return str(self._folder / QUARANTINE)

    @property
    def has_key(self) -> bool:
        """Whether the key of this case is here."""
        return self._secret is not None

    def key(self, purpose: str) -> bytes:
        """32 bytes derived from the machine's own key beside the case; it never enters the case."""
        if self._secret is None:
            raise CaseError(
                f"the key of this case is not here ({self.key_file})",
                where=self.folder,
                advice="Name the key file with --key",
            )
        return keys.derive(self._secret, f"purpose {purpose}")

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """Write many entries as one step: all are durable when the block ends, or none is written.

        Until then another process that wants to write has to wait.
        """
        if self._batch:
            yield
            return
        self.journal.begin()
        self._batch = True
        try:
            yield
            try:
                self.packs.finish()
            except OSError as error:
                self.journal.explain(error)
            head = self.journal.commit()
        except BaseException:  # nothing of the step stays; the error is passed on
            self.journal.roll_back()
            raise
        finally:
            self._batch = self._packing = False
            self.packs.close()
        keys.remember(self.key_file, *head)

    def append(self, kind: EntryKind, record: object) -> Entry:
        """Write one record (anything that msgspec encodes to a JSON object)."""
        with self.together():
            return self.journal.append(kind, record, self.author.time(), self.author.who, self.author.tool)

    def entries(self, *kinds: EntryKind) -> Iterator[Entry]:
        """Entries in order, of the kinds named, or all."""
        for row in self.journal.rows(*kinds):
            yield row.entry()

    def keep(self, item: EvidenceItem, content: BinaryIO | bytes) -> EvidenceItem:
        """Copy evidence into the case and write its entry; `digest` and `size` of `item` are set from the bytes.

        Raises OSError where `content` cannot be read: nothing of it is kept then.
        """
        with self.together():
            try:
                if not self._packing:
                    self.packs.start(*self.journal.end())
                    self._packing = True
                digest, place = self.packs.write(content)
            except NotWritten as error:
                self.journal.explain(error.reason)
            if self.journal.place(digest) is None:
                self.journal.kept(digest, place)
            else:
                self.packs.forget(place)
            item = msgspec.structs.replace(item, digest=f"sha256:{digest}", size=place.size)
            self.append("evidence", item)
        return item

    def lacks(self, missing: MissingEvidence) -> Entry:
        """Write what could not be copied."""
        return self.append("missing", missing)

    def content(self, digest: str) -> bytes:
        """The bytes of a piece of evidence, decrypted and compared with the digest."""
        return b"".join(self.chunks(digest))

    def chunks(self, digest: str) -> Iterator[bytes]:
        """The same, in chunks of at most 1 MiB. The last chunk is given only where the whole is what it should be."""
        name = digest.removeprefix("sha256:")
        place = self.journal.place(name)
        if place is None:
            raise CaseError(f"holds no evidence {digest[:80]}", where=self.folder)
        if not self.has_key:
            self.key("evidence")
        try:
            yield from self.packs.chunks(name, place)
        except Unproven as error:
            raise CaseError(
                f"evidence {digest}: {error}", where=self.folder, advice="Restore the case from a copy"
            ) from None

    @property
    def sealed(self) -> bool:
        """Whether a seal covers every entry of kind report and evidence."""
        number, digest = covered(self.journal.rows("seal"))
        last = 0
        for row in self.journal.rows("report", "evidence"):
            last = row.number
        if not number or number < last:
            return False
        head = self.journal.at(number)
        return head is not None and bool(head.digest == digest)

    def close(self) -> None:
        """Let go of the files."""
        self.packs.close()
        self.journal.close()

    def __enter__(self) -> Case:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


_PROMISED: type[CaseFile] = Case
"""A type checker sees here that the promises are kept."""


def covered(seals: Iterable[journals.Row]) -> tuple[int, str]:
    """Number and digest of the last entry that a seal covers; (0, "") where nothing is sealed."""
    number, digest = 0, ""
    for row in seals:
        body = row.entry().body
        found = body.get("number"), body.get("head")
        if isinstance(found[0], int) and isinstance(found[1], str) and found[0] < row.number and found[0] > number:
            number, digest = found[0], found[1]
    return number, digest


def key_check(secret: bytes) -> str:
    """What an opened case holds of its key, to know the right one: 32 digits that give nothing of it away."""
    return keys.derive(secret, "check").hex()[:32]


def _is_identifier(text: str) -> bool:
    return len(text) == 32 and all(digit in "0123456789abcdef" for digit in text)


def create(
    folder: Path, author: Author, *, incidents: Mapping[str, str] | None = None, key: Path | None = None
) -> Case:
    """Make a case in a folder that does not exist yet, or is empty, and open it.

    `incidents` maps the ids of incidents to the digests of their definitions. The folder appears whole or not at all.
    Raises CaseError.
    """
    folder = folder.absolute()
    cipher(bytes(32))  # says early where the extra is missing
    if os.path.lexists(folder):
        if not folder.is_dir() or folder.is_symlink():
            raise CaseError("exists and is no folder", where=str(folder), advice="Name a new folder")
        if any(folder.iterdir()):
            raise CaseError("is not empty", where=str(folder), advice="Name a new folder")
    identifier = os.urandom(16).hex()
    key_file = keys.place(identifier, key)
    if folder in key_file.absolute().parents or folder.resolve() in key_file.resolve().parents:
        raise CaseError("the key would lie in the case that it opens", where=str(key_file), advice="Name another place")
    secret = keys.make(key_file)
    draft = folder.with_name(f".{folder.name}.{os.getpid()}.draft")
    opened = {
        "format": FORMAT,
        "id": identifier,
        "incidents": sorted(incidents or {}),
        "definitions": dict(sorted((incidents or {}).items())),
        "key_check": key_check(secret),
    }
    made = False
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir(mode=0o700)
        (draft / EVIDENCE).mkdir(mode=0o700)
        (draft / QUARANTINE).mkdir(mode=0o700)
        connection = journals.make(draft / JOURNAL)
        connection.close()
        journal = journals.Journal(draft / JOURNAL, writing=True)
        try:
            journal.key = keys.derive(secret, "journal")
            journal.begin()
            journal.append("opened", opened, author.time(), author.who, author.tool)
            journal.commit()
        finally:
            journal.close()
        keys.settle(draft)
        if folder.is_dir():
            folder.rmdir()
        os.rename(draft, folder)
        made = True
        keys.settle(folder.parent)
    except BaseException as error:  # no draft and no key of a case that is none stay; the error is passed on
        import shutil
        import sqlite3

        shutil.rmtree(draft, ignore_errors=True)
        if not made:
            with contextlib.suppress(OSError):
                key_file.unlink()
        if isinstance(error, OSError | sqlite3.Error):
            reason = getattr(error, "strerror", None) or str(error)
            raise CaseError(
                f"the case cannot be made: {reason}", where=str(folder), advice="Name a folder on a disk with room"
            ) from None
        raise
    return Case(folder, author, key=key)


def open_case(folder: Path, author: Author, *, key: Path | None = None, writing: bool = True) -> Case:
    """Open a case. Without `writing` its key need not be here, and nothing in its folder need be writable.

    Raises CaseError.
    """
    return Case(folder, author, key=key, writing=writing)
