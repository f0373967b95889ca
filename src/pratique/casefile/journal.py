"""The journal of a case: one SQLite file with a chain of entries, and where each piece of evidence lies.

The digest of an entry covers the digest of the entry before it, so no entry changes, goes or comes in between without a
disagreement. Triggers refuse what is no appending; the chain proves what triggers cannot. With the key of the case, a
keyed mark on each digest tells a journal that was written anew by somebody who has the folder alone.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import hmac
import os
import shutil
import sqlite3
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from pratique.casefile.packs import Place
from pratique.model.case import Entry, EntryKind
from pratique.model.errors import CaseError
from pratique.model.location import shown

APPLICATION = 0x50524351
"""`PRCQ`: SQLite's application id of a journal."""
VERSION = 1
FIRST = "0" * 64
"""What stands for the digest before the first entry."""
PATIENCE = 5.0
"""So many seconds a writer waits for another one."""

_SCHEMA = (
    "CREATE TABLE entries (number INTEGER PRIMARY KEY, kind TEXT NOT NULL, time TEXT NOT NULL, who TEXT NOT NULL,"
    " tool TEXT NOT NULL, body BLOB NOT NULL, previous TEXT NOT NULL, digest TEXT NOT NULL, mark BLOB NOT NULL)",
    "CREATE TABLE blobs (digest TEXT PRIMARY KEY, size INTEGER NOT NULL, pack INTEGER NOT NULL,"
    " offset INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX kinds ON entries (kind)",
    "CREATE INDEX places ON blobs (pack, offset)",
    "CREATE TRIGGER append_only BEFORE INSERT ON entries WHEN NEW.number IS NOT"
    " (SELECT coalesce(max(number), 0) + 1 FROM entries) BEGIN SELECT raise(ABORT, 'the journal only grows'); END",
    "CREATE TRIGGER no_change BEFORE UPDATE ON entries BEGIN SELECT raise(ABORT, 'the journal only grows'); END",
    "CREATE TRIGGER no_removal BEFORE DELETE ON entries BEGIN SELECT raise(ABORT, 'the journal only grows'); END",
    "CREATE TRIGGER once_only BEFORE INSERT ON blobs WHEN EXISTS (SELECT 1 FROM blobs WHERE digest = NEW.digest)"
    " BEGIN SELECT raise(ABORT, 'evidence stays where it is'); END",
    "CREATE TRIGGER no_move BEFORE UPDATE ON blobs BEGIN SELECT raise(ABORT, 'evidence stays where it is'); END",
    "CREATE TRIGGER no_loss BEFORE DELETE ON blobs BEGIN SELECT raise(ABORT, 'evidence stays where it is'); END",
)


class Row(msgspec.Struct, frozen=True):
    """An entry as the file holds it: of any type, for the file may have been changed."""

    number: Any
    kind: Any
    time: Any
    who: Any
    tool: Any
    body: Any
    previous: Any
    digest: Any
    mark: Any

    def computed(self) -> str | None:
        """The digest that the other fields give; None where one is of a wrong type."""
        if not isinstance(self.body, bytes) or not isinstance(self.number, int):
            return None
        if not all(isinstance(text, str) for text in (self.kind, self.time, self.who, self.tool, self.previous)):
            return None
        return digest_of(self.number, self.kind, self.time, self.who, self.tool, self.body, self.previous)

    def entry(self) -> Entry:
        """The entry. Raises CaseError where the row is none."""
        try:
            return msgspec.convert(
                {
                    "number": self.number,
                    "kind": self.kind,
                    "time": self.time,
                    "who": self.who,
                    "tool": self.tool,
                    "body": msgspec.json.decode(self.body),
                    "previous": self.previous,
                    "digest": self.digest,
                },
                Entry,
            )
        except (msgspec.MsgspecError, TypeError, UnicodeDecodeError, RecursionError):
            raise CaseError(
                f"entry {self.number!r} is damaged",
                advice="Run `pratique case verify`, and restore the case from a copy",
            ) from None


def digest_of(number: int, kind: str, time: str, who: str, tool: str, body: bytes, previous: str) -> str:
    """The digest of an entry: SHA-256 of its canonical JSON (sorted keys, no spaces) without the digest itself."""
    document = {
        "body": msgspec.Raw(body),
        "kind": kind,
        "number": number,
        "previous": previous,
        "time": time,
        "tool": tool,
        "who": who,
    }
    try:
        return hashlib.sha256(msgspec.json.encode(document)).hexdigest()
    except (UnicodeEncodeError, OverflowError):
        return ""


def canonical(record: object) -> bytes:
    """A record as canonical JSON. Text that is no valid Unicode is shown with U+FFFD."""
    plain = msgspec.to_builtins(record)
    try:
        return msgspec.json.encode(plain, order="sorted")
    except UnicodeEncodeError:
        return msgspec.json.encode(_valid(plain), order="sorted")


def _valid(value: Any) -> Any:
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, dict):
        return {_valid(key): _valid(inner) for key, inner in value.items()}
    return [_valid(inner) for inner in value] if isinstance(value, list) else value


def mark_of(key: bytes, digest: str) -> bytes:
    """The keyed mark on a digest."""
    return hmac.digest(key, digest.encode("utf-8", "replace"), hashlib.sha256)


def make(path: Path) -> sqlite3.Connection:
    """A new, empty journal, open. The caller appends and closes."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=PATIENCE)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        for statement in _SCHEMA:
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:  # the connection is let go; the error is passed on
        connection.close()
        raise
    return connection


class Journal:
    """An open journal. Raises CaseError for whatever is wrong with it."""

    def __init__(self, path: Path, *, writing: bool) -> None:
        self.path = path
        self.folder = str(path.parent)
        self.writing = writing
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self.key: bytes | None = None
        """The key of the marks; needed to append."""
        self._head: tuple[int, str] = (0, FIRST)
        self.connection = self._connect()
        try:
            self._recognise()
        except BaseException:  # the connection is let go; the error is passed on
            self.close()
            raise

    def _connect(self) -> sqlite3.Connection:
        try:
            status = os.lstat(self.path)
        except (FileNotFoundError, NotADirectoryError):
            if os.path.isdir(self.path.parent):
                what = "is no case: it holds no journal"
            else:
                what = "is no folder" if os.path.lexists(self.path.parent) else "does not exist"
            raise CaseError(what, where=self.folder, advice="Name a folder that `pratique case new` made") from None
        except OSError as error:
            raise CaseError(f"cannot be read: {error.strerror}", where=str(self.path)) from None
        if not stat.S_ISREG(status.st_mode):
            raise CaseError("is no case: its journal is no plain file", where=self.folder)
        if not os.access(self.path, os.R_OK):
            raise CaseError("the journal cannot be read: permission denied", where=str(self.path))
        if self.writing:
            return self._opened(f"{self.path.absolute().as_uri()}?mode=rw")
        if os.access(self.path, os.W_OK) and os.access(self.folder, os.W_OK):
            with contextlib.suppress(sqlite3.OperationalError):
                return self._opened(f"{self.path.absolute().as_uri()}?mode=rw", last=False)
        log = Path(f"{self.path}-wal")
        if not os.path.lexists(log) or log.stat().st_size == 0:
            return self._opened(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1")
        try:
            self._copy = tempfile.TemporaryDirectory(prefix="pratique-case-")
            copied = Path(self._copy.name) / self.path.name
            shutil.copyfile(self.path, copied)
            shutil.copyfile(log, f"{copied}-wal")
        except OSError as error:
            raise CaseError(
                f"holds a log that can only be read in a copy, and none can be made: {error.strerror}",
                where=self.folder,
                advice="Copy the case to a place you may write to",
            ) from None
        return self._opened(f"{copied.as_uri()}?mode=rw")

    def _opened(self, uri: str, *, last: bool = True) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=PATIENCE)
        except sqlite3.Error as error:
            self.explain(error)
        try:
            connection.text_factory = _text
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError as error:
            connection.close()
            if not last:
                raise
            self.explain((self._hindrance() if self.writing else None) or error)
        except sqlite3.Error as error:
            connection.close()
            self.explain(error)
        return connection

    def _hindrance(self) -> OSError | None:
        """Why SQLite cannot open a file for writing that it can read: it does not tell."""
        if not os.access(self.path, os.W_OK) or not os.access(self.folder, os.W_OK):
            return OSError(errno.EROFS, "read-only")
        if hasattr(os, "statvfs"):
            state = os.statvfs(self.folder)
            if state.f_bavail * state.f_frsize < 1 << 16:  # its log and index take so much
                return OSError(errno.ENOSPC, "no space left")
        return None

    def _recognise(self) -> None:
        """Whether this is a journal of this form. Raises CaseError."""
        try:
            application = self.connection.execute("PRAGMA application_id").fetchone()[0]
            version = self.connection.execute("PRAGMA user_version").fetchone()[0]
            statements = {
                str(row[0]) for row in self.connection.execute("SELECT sql FROM sqlite_master WHERE sql NOT NULL")
            }
        except sqlite3.Error as error:
            self.explain(error)
        if application != APPLICATION:
            raise CaseError("is no case: its journal is another program's", where=self.folder)
        if version > VERSION:
            raise CaseError(
                f"was made by a newer pratique: form {version} of a journal, and this program knows {VERSION}",
                where=self.folder,
                advice="Use that version of pratique",
            )
        if version != VERSION or statements != set(_SCHEMA):
            raise CaseError(
                "the journal is damaged: its tables are not those that pratique makes",
                where=str(self.path),
                advice="Restore the case from a copy",
            )

    def explain(self, error: sqlite3.Error | OSError) -> NoReturn:
        """Raise the CaseError that says what a failure means and what to do."""
        words = str(error).lower()
        if isinstance(error, OSError):
            words = (error.strerror or str(error)).lower()
        if "locked" in words or "busy" in words:
            raise CaseError(
                "is in use by another process", where=self.folder, advice="Wait until that one has ended, and try again"
            ) from None
        if "full" in words or "no space" in words or "quota" in words or "too large" in words:
            raise CaseError(
                "cannot be written: no space is left. Nothing of the last step was written; what was there is whole",
                where=self.folder,
                advice="Make room, or copy the case to another disk, and try again",
            ) from None
        if "readonly" in words or "read-only" in words or "permission" in words:
            raise CaseError(
                "cannot be written: it is read-only",
                where=self.folder,
                advice="Copy the case to a place you may write to; `status` and `verify` work here",
            ) from None
        if "only grows" in words or "stays where it is" in words:
            raise CaseError(str(error), where=self.folder) from None
        if "malformed" in words or "not a database" in words or isinstance(error, sqlite3.DatabaseError):
            kind = "" if "malformed" in words or "not a database" in words else f" ({error})"
            raise CaseError(
                f"the journal is damaged, or cannot be read{kind}",
                where=str(self.path),
                advice="Restore the case from a copy",
            ) from None
        raise CaseError(f"cannot be written: {words}", where=self.folder) from None

    def begin(self) -> None:
        """Take the lock of the writer and look where the chain ends. Raises CaseError where another one has it."""
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            row = self.connection.execute("SELECT number, digest FROM entries ORDER BY number DESC LIMIT 1").fetchone()
        except sqlite3.Error as error:
            self.roll_back()
            self.explain(error)
        if row is not None and not (isinstance(row[0], int) and isinstance(row[1], str)):
            self.roll_back()
            raise CaseError("the last entry is damaged", where=self.folder, advice="Run `pratique case verify`")
        self._head = (row[0], row[1]) if row is not None else (0, FIRST)

    def append(self, kind: EntryKind, record: object, time: str, who: str, tool: str) -> Entry:
        """Write one entry; between `begin` and `commit`."""
        number, previous = self._head
        number += 1
        body = canonical(record)
        if not body.startswith(b"{"):
            raise TypeError(f"a record of a case is a JSON object, not {type(record).__name__}")
        who, tool = shown(who), shown(tool)
        digest = digest_of(number, kind, time, who, tool, body, previous)
        if self.key is None:
            raise CaseError("the key of this case is not here", where=self.folder)
        row = Row(number, kind, time, who, tool, body, previous, digest, mark_of(self.key, digest))
        try:
            self.connection.execute("INSERT INTO entries VALUES (?,?,?,?,?,?,?,?,?)", msgspec.structs.astuple(row))
        except sqlite3.Error as error:
            self.explain(error)
        self._head = (number, digest)
        return row.entry()

    def commit(self) -> tuple[int, str]:
        """Make durable what was appended; gives number and digest of the last entry."""
        try:
            self.connection.execute("COMMIT")
        except sqlite3.Error as error:
            self.roll_back()
            self.explain(error)
        return self._head

    def roll_back(self) -> None:
        """Take back what was appended since `begin`."""
        with contextlib.suppress(sqlite3.Error):
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")

    def rows(self, *kinds: str) -> Iterator[Row]:
        """Entries as the file holds them, in order of number."""
        condition = f" WHERE kind IN ({','.join('?' * len(kinds))})" if kinds else ""
        statement = f"SELECT * FROM entries{condition} ORDER BY number"  # noqa: S608 (question marks alone come in)
        yield from (Row(*row) for row in self._all(statement, kinds))

    def at(self, number: int) -> Row | None:
        """One entry as the file holds it; None where there is none."""
        return next((Row(*row) for row in self._all("SELECT * FROM entries WHERE number = ?", (number,))), None)

    def place(self, digest: str) -> Place | None:
        """Where a blob lies; None where it is not kept. Raises CaseError where its row is damaged."""
        for row in self._all("SELECT pack, offset, size FROM blobs WHERE digest = ?", (digest,)):
            return _place(row, digest)
        return None

    def places(self) -> Iterator[tuple[Any, Place | None]]:
        """Every blob: its digest and its place, None where the row is damaged; in order of place."""
        for row in self._all("SELECT pack, offset, size, digest FROM blobs ORDER BY pack, offset", ()):
            try:
                yield row[3], _place(row, str(row[3]))
            except CaseError:
                yield row[3], None

    def kept(self, digest: str, place: Place) -> None:
        """Note where a blob lies; between `begin` and `commit`."""
        try:
            self.connection.execute(
                "INSERT INTO blobs (digest, size, pack, offset) VALUES (?,?,?,?)",
                (digest, place.size, place.pack, place.offset),
            )
        except sqlite3.Error as error:
            self.explain(error)

    def end(self) -> tuple[int, int]:
        """Number of the last pack and the offset behind its last blob; (0, 0) where there is none."""
        for row in self._all("SELECT pack, offset, size FROM blobs ORDER BY pack DESC, offset DESC LIMIT 1", ()):
            place = _place(row, "the last blob")
            return place.pack, place.end
        return 0, 0

    def _all(self, statement: str, values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
        try:
            yield from self.connection.execute(statement, values)
        except sqlite3.Error as error:
            self.explain(error)

    def close(self) -> None:
        """Close it; SQLite then takes its log into the file."""
        connection = getattr(self, "connection", None)
        if connection is not None:
            self.roll_back()
            with contextlib.suppress(sqlite3.Error):
                connection.close()
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None


def _place(row: tuple[Any, ...], digest: str) -> Place:
    pack, offset, size = row[:3]
    if not all(isinstance(value, int) and 0 <= value < 1 << 60 for value in (pack, offset, size)) or pack < 1:
        raise CaseError(f"the place of evidence {digest[:80]} is damaged", advice="Run `pratique case verify`")
    return Place(pack, offset, size)


def _text(value: bytes) -> str:
    """Text of a file that may have been changed: what is no UTF-8 is never what was written."""
    return value.decode("utf-8", "surrogateescape")
