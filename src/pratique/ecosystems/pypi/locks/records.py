"""What a record of a Python release holds for a lockfile, and the packages of a lockfile in TOML.

The manifest of such a record has `files` as an index states them (`filename`, `url`, `hashes`, `size`, `upload-time`),
and where it is known `requires_dist` (a list) and `requires_python`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import msgspec

from pratique.ecosystems.edits import Span, edited
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.repairs import Unfit
from pratique.ecosystems.toml_spans import Entry, Table, items, members, parse
from pratique.model.repair import LockedRelease

ECOSYSTEM = "PyPI"


class File(msgspec.Struct, frozen=True, order=True):
    """One archive of a release."""

    name: str
    sha256: str
    url: str | None = None
    size: int | None = None
    uploaded: str | None = None

    @property
    def wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.name.endswith(".whl")


def files(record: LockedRelease) -> list[File]:
    """The archives of a release, in order of name. Raises Unfit where none with a digest is known."""
    found = record.manifest.get("files")
    out = []
    for item in found if isinstance(found, list | tuple) else ():
        if not isinstance(item, dict):
            continue
        hashes = item.get("hashes")
        digest = hashes.get("sha256") if isinstance(hashes, dict) else None
        name, url, size, uploaded = (item.get(key) for key in ("filename", "url", "size", "upload-time"))
        if not isinstance(name, str) or not isinstance(digest, str) or name.endswith((".egg", ".exe", ".msi", ".rpm")):
            continue
        address = urljoin(record.tarball or "", url) if isinstance(url, str) else None
        out.append(
            File(name, digest, address, size if isinstance(size, int) else None,
                 uploaded if isinstance(uploaded, str) else None)
        )  # fmt: skip
    if not out:
        raise Unfit(f"no archive of {record.name} {record.version} with its digest is known")
    return sorted(out)


class Need(msgspec.Struct, frozen=True):
    """A requirement of a release: its name, and whether it stands without a marker."""

    name: str
    plain: bool


def needs(record: LockedRelease) -> dict[str, Need] | None:
    """What a release needs, extras aside, by normalised name; None where the record does not tell."""
    found = record.manifest.get("requires_dist")
    if not isinstance(found, list | tuple):
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    out: dict[str, Need] = {}
    for text in found:
        try:
            asked = Requirement(str(text))
        except InvalidRequirement:
            raise Unfit(f"a requirement of {record.name} {record.version} is not understood") from None
        if asked.marker is not None and "extra" in str(asked.marker):
            continue
        name = normalise(asked.name)
        out[name] = Need(name, asked.marker is None and not asked.extras)
    return out


class Package(msgspec.Struct):
    """One package of a lockfile: its own table and those below it."""

    table: Table
    below: list[Table]
    name: str
    version: str
    start: int
    end: int

    def sub(self, name: str) -> Table | None:
        """The table below it with this name."""
        return next((table for table in self.below if table.path[1:] == (name,)), None)


class Document:
    """A lockfile in TOML being repaired: every change is made on the text, which is then read anew."""

    def __init__(self, text: str, root: str) -> None:
        self.root = root
        self.text = text
        self.read()

    def read(self) -> None:
        """Read the text. Raises Unfit where it is no TOML or holds no package."""
        tables = parse(self.text)
        if tables is None:
            raise Unfit("it is not TOML")
        self.tables = tables
        self.packages = list(self._packages(tables))

    def _packages(self, tables: list[Table]) -> Iterator[Package]:
        current: Package | None = None
        for table in tables:
            if table.path == (self.root,) and table.array:
                if current is not None:
                    yield current
                name, version = self.plain(table.get("name")), self.plain(table.get("version"))
                if not isinstance(name, str):
                    raise Unfit("a package has no name")
                current = Package(table, [], name, version if isinstance(version, str) else "", table.start, table.end)
            elif current is not None and table.path[:1] == (self.root,):
                current.below.append(table)
                current.end = table.end
            elif current is not None:
                yield current
                current = None
        if current is not None:
            yield current

    def plain(self, entry: Entry | None) -> Any:
        """The decoded value of an entry; None where there is none."""
        return None if entry is None else entry.plain(self.text)

    def put(self, entry: Entry, value: str) -> None:
        """Give an entry another value."""
        self.change(Span(entry.start, entry.end, value))

    def change(self, *spans: Span) -> None:
        """Make changes and read the text anew."""
        self.text = edited(self.text, spans)
        self.read()

    def take_out(self, package: Package) -> None:
        """Take a package out with its tables; the file ends as it ended."""
        start = package.start
        if package.end == len(self.text):
            rest = self.text[:start].rstrip("\r\n")
            tail = self.text[:start][len(rest) :]
            start = len(rest) + (2 if tail.startswith("\r\n") else 1)
        self.change(Span(start, package.end))

    def names_of(self, package: Package) -> set[str]:
        """Normalised names that a package asks for, of its own dependencies alone."""
        entry = package.table.get("dependencies")
        out = set()
        if entry is not None:
            for start, _ in items(self.text, entry.start):
                out.add(self.name_at(start))
        return out

    def name_at(self, start: int) -> str:
        """The normalised name that an item asks for: `{ name = "x" }` or `"x>=1; marker"`."""
        from packaging.requirements import InvalidRequirement, Requirement

        if self.text[start] == "{":
            found = members(self.text, start).get("name")
            return normalise(self.text[found[0] : found[1]].strip("\"'")) if found else ""
        value = Entry((), start, start, self._end(start), start).plain(self.text)
        try:
            return normalise(Requirement(str(value)).name)
        except InvalidRequirement:
            raise Unfit("a requirement in it is not understood") from None

    def _end(self, start: int) -> int:
        sign = self.text[start]
        return self.text.index(sign, start + 1) + 1 if sign == "'" else _basic_end(self.text, start)


def _basic_end(text: str, start: int) -> int:
    at = start + 1
    while text[at] != '"':
        at += 2 if text[at] == "\\" else 1
    return at + 1


def without_items(text: str, entry: Entry, gone: list[int]) -> Span:
    """The value of an array without some of its items; one that lies on lines of its own loses those lines."""
    found = items(text, entry.start)
    kept = [pair for index, pair in enumerate(found) if index not in gone]
    body = text[entry.start : entry.end]
    if not kept:
        return Span(entry.start, entry.end, "[]")
    if "\n" in body:
        end = "\r\n" if "\r\n" in body else "\n"
        blanks = text[text.rfind("\n", 0, found[0][0]) + 1 : found[0][0]]
        rows = "".join(f"{blanks}{text[a:b]},{end}" for a, b in kept)
        return Span(entry.start, entry.end, f"[{end}{rows}]")
    return Span(entry.start, entry.end, f"[{', '.join(text[a:b] for a, b in kept)}]")


def quoted(text: str) -> str:
    """A string as TOML writes it."""
    import json

    return json.dumps(text, ensure_ascii=False)
