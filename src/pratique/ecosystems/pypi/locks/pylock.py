"""Repair of pylock.toml (PEP 751), as uv and PDM write it."""

from __future__ import annotations

from pratique.ecosystems.edits import Span, line_end
from pratique.ecosystems.pypi.locks.arrays import at, repaired
from pratique.ecosystems.pypi.locks.records import ECOSYSTEM, Document, File, Package, files, quoted
from pratique.ecosystems.repairs import Unfit, total
from pratique.model.repair import Correction, LockCodec, LockedRelease, Releases, Repaired


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    return repaired(content, corrections, releases, "packages", _outside, _fill)


def _outside(lock: Document, package: Package) -> str | None:
    own = ("vcs", "directory", "archive")
    below = any(package.table.get(key) or package.sub(key) for key in own)
    return "does not come from an index" if below else None


def _fill(lock: Document, start: int, record: LockedRelease) -> None:
    found = files(record)
    package = at(lock, start)
    tabled = any(table.path[1:2] in (("wheels",), ("sdist",)) for table in package.below)
    if tabled:
        raise Unfit(f"the archives of {record.name} stand in tables of their own")
    text = lock.text[package.start : package.end]
    named = "name = " in text.partition("sdist")[2] or "{name = " in text
    tight = "{url" in text or "{name" in text
    end = line_end(lock.text)
    rows = [_row(item, named, tight) for item in found if item.wheel]
    wheels = package.table.get("wheels")
    many = len(rows) > 1 or (wheels is not None and "\n" in lock.text[wheels.start : wheels.end])
    value = f"[{end}{''.join(f'    {row},{end}' for row in rows)}]" if many else f"[{''.join(rows)}]"
    _set(lock, start, "wheels", value if rows else None)
    _set(lock, start, "sdist", next((_row(item, named, tight) for item in found if not item.wheel), None))


def _row(item: File, named: bool, tight: bool) -> str:
    if item.url is None:
        raise Unfit(f"the address of {item.name} is not known")
    parts = [f"name = {quoted(item.name)}"] if named else []
    parts.append(f"url = {quoted(item.url)}")
    if item.uploaded is not None:
        parts.append(f"upload-time = {item.uploaded}")
    if item.size is not None:
        parts.append(f"size = {item.size}")
    blank = "" if tight else " "
    parts.append(f"hashes = {{{blank}sha256 = {quoted(item.sha256)}{blank}}}")
    return f"{{{blank}{', '.join(parts)}{blank}}}"


def _set(lock: Document, start: int, key: str, value: str | None) -> None:
    package = at(lock, start)
    entry = package.table.get(key)
    if entry is not None and value is not None:
        lock.put(entry, value)
    elif entry is not None:
        lock.change(Span(entry.line, entry.stop))
    elif value is not None:
        before = package.table.get("wheels") if key == "sdist" else None
        place = before.line if before else package.table.entries[-1].stop
        lock.change(Span(place, place, f"{key} = {value}{line_end(lock.text)}"))


CODEC = LockCodec(
    name="pylock",
    basenames=("pylock.toml",),
    managers=("uv", "pdm", "pip"),
    ecosystem=ECOSYSTEM,
    repair=total(repair),
    pattern=r"pylock\.[^.]+\.toml",
)
