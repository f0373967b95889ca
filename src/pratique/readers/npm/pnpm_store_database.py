"""The index of pnpm's store as a database: store v11 (pnpm 11, 12), index.db with its write-ahead log.

## Reads
Every row of `package_index`: the release, the integrity of its archive, its files, when the first of them was written,
whether it has scripts, and what a build changed on which platform. pnpm lets the log grow to 10,000 pages, so the
newest rows often stand in `index.db-wal` alone: its committed pages are applied here, with salts and checksums tested,
to the bytes of the database. Nothing is opened on disk, and the tables are read in memory under limits.

## Leaves out
The contents themselves, `package_index_alias` (other keys for the same rows), changes that a patch of the user made
without a build, and transactions that were not committed. A database that was copied without its log looks like one
that was closed in good order: only a leftover `index.db-shm` or a short file tells. A row proves no install into any
project.

## References
pnpm 12.21.0, store index package; SQLite documentation "Database File Format"; databases of pnpm 11 and 12 as recorded
in this project's fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pratique.model.location import Inside, locate
from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader, Unreadable
from pratique.readers.npm.pnpm_paths import parse_path
from pratique.readers.npm.pnpm_records import RecordError, decode
from pratique.readers.npm.pnpm_rows import component, side_effects
from pratique.readers.npm.sqlite_log import MAGIC, Merged, is_in_log_mode, merge, page_size
from pratique.readers.text import refuse

LIMIT = 256 << 20
MAX_STEPS = 400
"""How often the database engine may run 100,000 steps before a reading is called off."""

_KEY = re.compile(r"(?P<integrity>sha\d+-[A-Za-z0-9+/=]+)\t(?P<package>.+)", re.DOTALL)
_BUILT = re.compile(r"(?P<package>.+)\t(?:not-)?built", re.DOTALL)
_ROW_LIMIT = 64 << 20


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release of every row of a name of interest. Any other index.db is left alone."""
    if artifact.path.rpartition("/")[0].rpartition("/")[2] != "v11":
        return
    database = artifact.content()
    log: bytes | None = None
    try:
        log = artifact.companion("-wal")
        if log is None and is_in_log_mode(database) and artifact.companion("-shm") is not None:
            yield refuse(artifact, READER, "its write-ahead log is missing: the newest rows may stand in it alone")
        if artifact.companion("-journal"):
            yield refuse(artifact, READER, "has a rollback journal: its last change was not finished")
    except Unreadable as error:
        yield refuse(artifact, READER, f"write-ahead log: {error.reason}")
    if not database and not log:
        yield refuse(artifact, READER, "is empty")
        return
    if database and not database.startswith(MAGIC):
        yield refuse(artifact, READER, "is no SQLite database")
        return
    merged = merge(database, log)
    del database, log
    if merged.damage is not None:
        yield refuse(artifact, READER, merged.damage)
    if page_size(merged.data) == 0:
        if merged.damage is None:
            yield refuse(artifact, READER, "is no whole SQLite database")
        return
    yield from _rows(artifact, merged, interest.wanted("npm"))


def _rows(artifact: Artifact, merged: Merged, wanted: frozenset[str] | Everything) -> Iterator[Observation | Refusal]:
    """Every row of interest, read in memory and under limits; SQLite holds the only copy while it is read."""
    import sqlite3

    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 1 if steps > MAX_STEPS else 0

    connection = sqlite3.connect(":memory:")
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _ROW_LIMIT)
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.deserialize(merged.data)
        merged.data = bytearray()
        connection.execute("PRAGMA query_only = ON")
        connection.set_progress_handler(step, 100_000)
        kinds = connection.execute("SELECT type, sql FROM sqlite_master WHERE name = 'package_index'").fetchall()
        if len(kinds) != 1 or kinds[0][0] != "table" or not _is_plain(kinds[0][1]):
            yield refuse(artifact, READER, "has no plain table package_index")
            return
        for (key,) in connection.execute("SELECT key FROM package_index"):
            if not isinstance(key, str):
                yield refuse(artifact, READER, "holds a row whose key is not text")
                continue
            name, version, integrity = _release(key)
            if name is not None and name not in wanted:
                continue
            row = connection.execute("SELECT data FROM package_index WHERE key = ?", (key,)).fetchone()
            yield from _row(artifact, key, row[0] if row else None, (name, version, integrity), wanted)
    except sqlite3.Error as error:
        yield refuse(artifact, READER, f"cannot be read as a database: {str(error)[:200]}")
    except (OverflowError, MemoryError, ValueError):
        yield refuse(artifact, READER, "cannot be read as a database")
    finally:
        connection.close()


def _is_plain(sql: object) -> bool:
    """Whether a table holds what was written to it: no module behind it, no computed column."""
    return (
        isinstance(sql, str) and sql.startswith("CREATE TABLE ") and not re.search(r"\bAS\b|\bGENERATED\b", sql, re.I)
    )


def _release(key: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Name, version and integrity, as far as a key says."""
    match = _KEY.fullmatch(key)
    built = _BUILT.fullmatch(key) if match is None else None
    if match is None and built is None:
        return None, None, ()
    path = parse_path((match or built)["package"])  # type: ignore[index]  # one of both is there
    return path.name, path.version, (match["integrity"],) if match else ()


def _row(
    artifact: Artifact,
    key: str,
    data: object,
    release: tuple[str | None, str | None, tuple[str, ...]],
    wanted: frozenset[str] | Everything,
) -> Iterator[Observation | Refusal]:
    """One row. Its key says which release it is; where the key does not, the package's manifest in it does."""
    name, version, integrity = release
    row: Any = None
    try:
        row = decode(data) if isinstance(data, bytes) else None
    except (RecordError, RecursionError, ValueError) as error:
        yield refuse(artifact, READER, f"holds a damaged row: {error}", names=(name,) if name else ())
    else:
        if not isinstance(row, dict):
            yield refuse(artifact, READER, "holds a row that is no record", names=(name,) if name else ())
    if not isinstance(row, dict):
        row = {}
    manifest = row.get("manifest")
    if isinstance(manifest, dict) and (name is None or version is None):
        own, own_version = manifest.get("name"), manifest.get("version")
        name = name or (own if isinstance(own, str) else None)
        version = version or (own_version if isinstance(own_version, str) else None)
    if name is None or version is None:
        if row:
            yield refuse(artifact, READER, "holds a row that names no package", names=(name,) if name else ())
        return
    if name not in wanted:
        return
    shown = key.encode("utf-8", "replace").decode()[:1000]
    location = locate(artifact.target, artifact.path, inside=(Inside("store", shown, f"{name}@{version}"),))
    fact, times = component(name, version, row, integrity, origin="registry" if release[1] else "unknown")
    yield Observation(READER.name, location, fact, times)
    for effect in side_effects(name, version, row, integrity):
        yield Observation(READER.name, location, effect)


READER = Reader(
    name="pnpm-store-database",
    ecosystem="npm",
    read=read,
    basenames=("index.db",),
    limit=LIMIT,
    subject="cache",
    content="name",
)
