"""Files of pnpm's store that hold what a release was unpacked to: the store names them by digest alone."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.layout import sha512_of
from pratique.model.ports import Unreadable
from pratique.readers.npm.pnpm_records import RecordError, decode
from pratique.readers.npm.sqlite_log import merge
from pratique.targets.files import read_regular

LARGEST_INDEX = 256 << 20
_STORE = re.compile(r"(?P<store>.*/v(?:3|10|11))/(?:files/|index/|index\.db$)")
_HEXADECIMAL = re.compile(r"[0-9a-f]{128}")


def stored(index: str, key: str = "") -> Iterator[tuple[str, str]]:
    """Name in the package and path in the store of each file of a release; `key` names the row of a database.

    Raises Unreadable where the index cannot be read or understood.
    """
    match = _STORE.match(index)
    if match is None:
        raise Unreadable("lies in no store of a known layout")
    row = _row(index, key) if index.endswith(".db") else _document(index)
    files = row.get("files")
    if not isinstance(files, dict):
        raise Unreadable("its index names no files")
    for name, entry in sorted(files.items(), key=lambda item: str(item[0])):
        digest = _digest(entry)
        if not digest:
            continue
        path = f"{match['store']}/files/{digest[:2]}/{digest[2:]}"
        runs = isinstance(entry.get("mode"), int) and entry["mode"] & 0o111
        yield str(name), f"{path}-exec" if runs and os.path.lexists(f"{path}-exec") else path


def _document(index: str) -> dict[str, Any]:
    try:
        row = msgspec.json.decode(read_regular(index, LARGEST_INDEX)[0])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Unreadable("its index is no JSON") from None
    return row if isinstance(row, dict) else {}


def _row(index: str, key: str) -> dict[str, Any]:
    log = read_regular(f"{index}-wal", LARGEST_INDEX)[0] if os.path.lexists(f"{index}-wal") else None
    merged = merge(read_regular(index, LARGEST_INDEX)[0], log)
    connection = sqlite3.connect(":memory:")
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_INDEX)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.deserialize(bytes(merged.data))
        connection.execute("PRAGMA query_only = ON")
        kind = connection.execute("SELECT type FROM sqlite_master WHERE name = 'package_index'").fetchone()
        if kind != ("table",):
            raise Unreadable("its index has no plain table package_index")
        found = connection.execute("SELECT data FROM package_index WHERE key = ?", (key,)).fetchone()
        row = decode(found[0]) if found and isinstance(found[0], bytes) else None
    except (sqlite3.Error, RecordError, RecursionError, OverflowError, MemoryError, ValueError):
        raise Unreadable("its index cannot be read as a database") from None
    finally:
        connection.close()
    return row if isinstance(row, dict) else {}


def _digest(entry: object) -> str:
    """The digest of a file in hexadecimal; empty where an entry gives none."""
    if not isinstance(entry, dict):
        return ""
    integrity = entry.get("integrity")
    given = sha512_of(integrity) if isinstance(integrity, str) else entry.get("digest")
    return given if isinstance(given, str) and _HEXADECIMAL.fullmatch(given) else ""
