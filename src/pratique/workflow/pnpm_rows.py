"""The rows of pnpm's store database (v11), read as its reader does: the file and its log, in memory, under limits."""

from __future__ import annotations

import os
import sqlite3
from typing import Any

import msgspec

from pratique.readers.npm.pnpm_paths import parse_path
from pratique.readers.npm.pnpm_records import RecordError, decode
from pratique.readers.npm.pnpm_store_database import LIMIT, MAX_STEPS
from pratique.readers.npm.sqlite_log import merge, page_size
from pratique.targets.kept.found import content


class Row(msgspec.Struct, frozen=True):
    """One row: the integrity of the archive that pnpm unpacked, and what the row says of its files."""

    integrity: str
    row: dict[str, Any]


def rows(store: str) -> dict[tuple[str, str], Row]:
    """The rows of a store, by name and version; none where it has no such database, or it cannot be read."""
    path = os.path.join(store, "v11", "index.db")
    data = content(path, LIMIT)
    if data is None:
        return {}
    merged = merge(data, content(f"{path}-wal", LIMIT))
    if page_size(merged.data) == 0:
        return {}
    found: dict[tuple[str, str], Row] = {}
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 1 if steps > MAX_STEPS else 0

    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.deserialize(bytes(merged.data))
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(step, 100_000)
        kind = connection.execute("SELECT type FROM sqlite_master WHERE name = 'package_index'").fetchall()
        if kind != [("table",)]:
            return {}
        for key, value in connection.execute("SELECT key, data FROM package_index"):
            if not isinstance(key, str) or not isinstance(value, bytes) or "\t" not in key:
                continue
            integrity, _, package = key.partition("\t")
            release = parse_path(package)
            try:
                row = decode(value)
            except (RecordError, RecursionError, ValueError):
                continue
            if release.name and release.version and isinstance(row, dict):
                found[release.name, release.version] = Row(integrity, row)
    except (sqlite3.Error, OverflowError, MemoryError, ValueError):
        return found
    finally:
        connection.close()
    return found
