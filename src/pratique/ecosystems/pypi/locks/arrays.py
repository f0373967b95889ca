"""Repair of lockfiles whose packages name their archives by file and digest: poetry.lock, pdm.lock, pylock.toml."""

from __future__ import annotations

from collections.abc import Callable

from pratique.ecosystems.edits import Span, decoded, line_end
from pratique.ecosystems.pypi.locks.records import (
    ECOSYSTEM,
    Document,
    Package,
    files,
    needs,
    quoted,
    without_items,
)
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.repairs import Unfit, Wanted, known, sources
from pratique.ecosystems.toml_spans import Entry, items
from pratique.model.repair import PYTHON, Change, Correction, LockedRelease, Releases, Repaired

Fill = Callable[[Document, int, LockedRelease], None]
"""Give the package whose table starts at a place the archives of a release."""


def repaired(
    content: bytes,
    corrections: tuple[Correction, ...],
    releases: Releases,
    root: str,
    outside: Callable[[Document, Package], str | None],
    fill: Fill,
) -> Repaired:
    """Replace every listed release; `outside` says why a package does not come from an index. Raises Unfit."""
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    lock = Document(text, root)
    wanted = Wanted(corrections, ECOSYSTEM)
    changes: list[Change] = []
    used: list[LockedRelease] = []
    while (found := _listed(lock, wanted)) is not None:
        package, correction = found
        reason = outside(lock, package)
        if reason is not None:
            raise Unfit(f"{package.name} {package.version} {reason}")
        entry, was, at = f"{package.name} {package.version}", package.version, package.start
        if not wanted.good(correction):
            _drop_digests(lock, package.name)
            package = next(p for p in lock.packages if p.start == at)
            lock.take_out(package)
            changes.append(Change(entry=entry, was=was, why=f"{correction.name} is a payload and goes altogether"))
            continue
        version = wanted.near(correction, was) or wanted.chosen(correction, was)
        if version is None:
            raise Unfit(f"no good version of {correction.name} is known")
        if any(normalise(p.name) == normalise(package.name) and p.version == version for p in lock.packages):
            raise Unfit(f"it holds {package.name} {version} beside {was} already")
        record = known(releases, correction.name, version, PYTHON)
        used.append(record)
        version_entry = package.table.get("version")
        if version_entry is None:
            raise Unfit(f"{package.name} has no version")
        lock.put(version_entry, quoted(version))
        fill(lock, at, record)
        changes.append(Change(entry=entry, was=was, now=version))
    _whole(lock, wanted)
    return Repaired(
        content=lock.text.encode() if changes else content,
        changes=tuple(sorted(changes)),
        release_of=sources(used),
    )


def _listed(lock: Document, wanted: Wanted) -> tuple[Package, Correction] | None:
    for package in lock.packages:
        found = wanted.of(package.name, package.version) if package.version else None
        if found is not None:
            return package, found
    return None


def at(lock: Document, start: int) -> Package:
    """The package whose table starts at a place."""
    return next(package for package in lock.packages if package.start == start)


def file_rows(record: LockedRelease) -> list[str]:
    """`{file = "...", hash = "..."}` of every archive."""
    return [f'{{file = {quoted(item.name)}, hash = "sha256:{item.sha256}"}}' for item in files(record)]


def set_rows(lock: Document, entry: Entry | None, rows: list[str]) -> None:
    """Give an array of archives other items, one on each line. Raises Unfit where there is no such array."""
    if entry is None:
        raise Unfit("a listed package has no files")
    end = line_end(lock.text)
    lock.put(entry, f"[{end}{''.join(f'    {row},{end}' for row in rows)}]")


def digests(lock: Document, name: str) -> Entry | None:
    """The entry of a package in the table of digests that Poetry wrote before 1.3."""
    table = next((item for item in lock.tables if item.path == ("metadata", "files")), None)
    entries = table.entries if table is not None else []
    return next(
        (entry for entry in entries if len(entry.key) == 1 and normalise(entry.key[0]) == normalise(name)), None
    )


def _drop_digests(lock: Document, name: str) -> None:
    entry = digests(lock, name)
    if entry is not None:
        lock.change(Span(entry.line, entry.stop))


def fit_names(lock: Document, start: int, record: LockedRelease) -> None:
    """Take out requirements (an array of texts) that the good release does not have. Raises Unfit for a new one."""
    asked = needs(record)
    package = at(lock, start)
    entry = package.table.get("dependencies")
    if asked is None:
        return
    have = lock.names_of(package)
    _more(record, set(asked), have)
    if entry is not None:
        gone = [i for i, (place, _) in enumerate(items(lock.text, entry.start)) if lock.name_at(place) not in asked]
        if gone and len(gone) == len(items(lock.text, entry.start)):
            lock.change(Span(entry.line, entry.stop))
        elif gone:
            lock.change(without_items(lock.text, entry, gone))


def fit_table(lock: Document, start: int, record: LockedRelease) -> None:
    """The same for a table `[package.dependencies]`."""
    asked = needs(record)
    if asked is None:
        return
    table = at(lock, start).sub("dependencies")
    entries = table.entries if table is not None else []
    have = {normalise(entry.key[0]) for entry in entries}
    _more(record, set(asked), have)
    optional = at(lock, start).sub("extras") is not None
    gone = [Span(entry.line, entry.stop) for entry in entries if normalise(entry.key[0]) not in asked]
    if table is not None and gone and not optional:
        lock.change(Span(table.start, table.end)) if len(gone) == len(entries) else lock.change(*gone)


def _more(record: LockedRelease, asked: set[str], have: set[str]) -> None:
    more = sorted(asked - have)
    if more:
        raise Unfit(f"{record.name} {record.version} needs {', '.join(more)}, which the listed release did not need")


def _whole(lock: Document, wanted: Wanted) -> None:
    """Nobody asks for a payload that went. Raises Unfit."""
    have = {normalise(package.name) for package in lock.packages}
    for package in lock.packages:
        entry = package.table.get("dependencies")
        asked = lock.names_of(package) if entry is not None and lock.text[entry.start] == "[" else set()
        table = package.sub("dependencies")
        asked |= {normalise(item.key[0]) for item in table.entries} if table is not None else set()
        for name in sorted(asked - have):
            if name in wanted.by_name:
                raise Unfit(f"{package.name} asks for {name}, which the file does not hold")
