"""The table of locations: rows of `locations/*.toml`, and where each one lies on a system."""

from __future__ import annotations

import functools
import hashlib
import importlib
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files

import msgspec

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Read, Reason, Row
from pratique.readers.credentials.judgement import unmarked

FOLDER = files("pratique.readers.credentials") / "locations"
"""The tables, as they come with the package."""
FORMATS = files("pratique.readers.credentials") / "formats"


class TableError(ValueError):
    """A table that is not well made; it is the program's own data, so this is a fault of the program."""


class Table(msgspec.Struct, frozen=True):
    """All rows, in order of their id, and the version of the catalogue."""

    rows: tuple[Row, ...]
    catalogue: str
    """First 16 digits of the digest of all tables."""

    def row(self, name: str) -> Row:
        """The row with an id. Raises KeyError."""
        for row in self.rows:
            if row.id == name:
                return row
        raise KeyError(name)


@functools.cache
def table() -> Table:
    """The table that is bundled."""
    return load({file.name: file.read_bytes() for file in FOLDER.iterdir() if file.name.endswith(".toml")})


def load(texts: Mapping[str, bytes]) -> Table:
    """A table out of its files by name. Raises TableError: a key or format nobody knows, an id that stands twice."""
    digest = hashlib.sha256()
    rows: dict[str, Row] = {}
    for name, content in sorted(texts.items()):
        digest.update(name.encode() + b"\0" + content + b"\0")
        try:
            document = tomllib.loads(content.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise TableError(f"{name}: {error}") from None
        if set(document) - {"location"}:
            raise TableError(f"{name}: unknown keys {sorted(set(document) - {'location'})}")
        for entry in document.get("location", []):
            try:
                row = msgspec.convert(entry, Row)
            except msgspec.ValidationError as error:
                raise TableError(f"{name}: {entry.get('id', '?')}: {error}") from None
            if row.id in rows:
                raise TableError(f"{name}: {row.id} stands twice")
            _check(name, row)
            rows[row.id] = row
    return Table(tuple(rows[key] for key in sorted(rows)), digest.hexdigest()[:16])


def _check(name: str, row: Row) -> None:
    places = (*row.paths, *(row.macos or ()), *(row.windows or ()))
    if not places and not row.variables and not row.overrides:
        raise TableError(f"{name}: {row.id} names no place and no variable")
    if row.look == "content" and (places or row.overrides) and not row.format:
        raise TableError(f"{name}: {row.id} has no format")
    if row.format and not (FORMATS / f"{row.format}.py").is_file():
        raise TableError(f"{name}: {row.id}: unknown format {row.format}")
    for place in places:
        if not place.startswith(("$", "/", "%")):
            raise TableError(f"{name}: {row.id}: {place} starts at no root")
        if "*" in place.rpartition("/")[0] or ".." in place.split("/"):
            raise TableError(f"{name}: {row.id}: {place} has a star before its last part, or goes up")


@functools.cache
def reader_of(format_name: str) -> Read:
    """The function of a format. It is handed UTF-8 where a byte order mark says that a file is of another encoding."""
    read: Read = importlib.import_module(f"pratique.readers.credentials.formats.{format_name}").read

    def read_marked(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
        yield from read(unmarked(content), row, fingerprint)

    return read_marked
