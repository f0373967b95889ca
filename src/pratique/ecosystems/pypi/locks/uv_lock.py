"""Repair of uv.lock.

A listed package gets version and archives of the good release. What the good release does not need is no longer asked
for, and a package that nothing asks for any more goes, since uv would take it out itself. A project's own pin of the
listed version, as the lockfile repeats it, follows the edit of pyproject.toml.
"""

from __future__ import annotations

import re

from pratique.ecosystems.edits import Span, decoded, line_end
from pratique.ecosystems.pypi.locks.records import (
    ECOSYSTEM,
    Document,
    File,
    Package,
    files,
    needs,
    quoted,
    without_items,
)
from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.repairs import Unfit, Wanted, known, sources, total
from pratique.ecosystems.toml_spans import Entry, items, members
from pratique.model.repair import PYTHON, Change, Correction, LockCodec, LockedRelease, Releases, Repaired

_PIN = re.compile(r"===?\s*([^,\s]+)")


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    lock = Document(text, "package")
    if lock.plain(lock.tables[0].get("version")) != 1:
        raise Unfit("its version is not known")
    wanted = Wanted(corrections, ECOSYSTEM)
    changes: list[Change] = []
    used: list[LockedRelease] = []
    freed: set[str] = set()
    while (found := _listed(lock, wanted)) is not None:
        package, correction = found
        entry, was = f"{package.name} {package.version}", package.version
        freed |= lock.names_of(package)
        if not wanted.good(correction):
            lock.take_out(package)
            changes.append(Change(entry=entry, was=was, why=f"{correction.name} is a payload and goes altogether"))
            continue
        version = wanted.chosen(correction, was, _ranges(lock, package.name))
        version = version or wanted.near(correction, was)
        if version is None:
            raise Unfit(f"no good version of {correction.name} is in the ranges that the project asks for")
        if any(p.name == package.name and p.version == version for p in lock.packages):
            raise Unfit(f"it holds {package.name} {version} beside {was} already")
        record = known(releases, correction.name, version, PYTHON)
        used.append(record)
        _replace(lock, package.name, was, record)
        changes.append(Change(entry=entry, was=was, now=version))
    changes += _sweep(lock, freed)
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
            if "registry" not in (lock.plain(package.table.get("source")) or {}):
                raise Unfit(f"{package.name} {package.version} does not come from an index")
            return package, found
    return None


def _ranges(lock: Document, name: str) -> list[str]:
    """What the projects themselves ask of a package."""
    return [lock.text[a:b].strip("\"'") for a, b in _specifiers(lock, name)]


def _specifiers(lock: Document, name: str) -> list[tuple[int, int]]:
    """Where the specifiers of a package stand in what the lockfile repeats of the projects' manifests."""
    out = []
    for table in lock.tables:
        if table.path[:2] != ("package", "metadata"):
            continue
        for entry in table.entries:
            if not entry.key[0].startswith("requires-dist") and table.path[2:] != ("requires-dev",):
                continue
            for start, _ in items(lock.text, entry.start):
                inner = members(lock.text, start)
                if lock.name_at(start) == normalise(name) and "specifier" in inner:
                    out.append(inner["specifier"])
    return out


def _replace(lock: Document, name: str, was: str, record: LockedRelease) -> None:
    found = files(record)
    dated = "upload-time =" in lock.text
    end = line_end(lock.text)
    at = next(p.start for p in lock.packages if p.name == name and p.version == was)

    def package() -> Package:
        return next(p for p in lock.packages if p.start == at)

    spans = [Span(a, b, quoted(f"=={record.version}")) for a, b in _specifiers(lock, name)
             if (pin := _PIN.fullmatch(lock.text[a:b].strip("\"'"))) and pin[1] == was]  # fmt: skip
    for item in lock.packages:
        for table in (item.table, *item.below):
            for entry in table.entries:
                spans += _versioned(lock, entry, name, was, record.version)
    if any(span.start < at for span in spans):
        at += sum(len(span.text) - (span.end - span.start) for span in spans if span.start < at)
    lock.change(*spans)
    _set(lock, package(), "version", quoted(record.version))
    wheels = [_file(item, dated) for item in found if item.wheel]
    sdist = next((_file(item, dated) for item in found if not item.wheel), None)
    _set(lock, package(), "sdist", sdist)
    _set(lock, package(), "wheels", f"[{end}{''.join(f'    {row},{end}' for row in wheels)}]" if wheels else None)
    _depend(lock, package(), record)


def _versioned(lock: Document, entry: Entry, name: str, was: str, now: str) -> list[Span]:
    """Mentions of the listed release by version, where the lockfile holds several releases of the package."""
    out = []
    if lock.text[entry.start] == "[":
        for start, _ in items(lock.text, entry.start):
            if lock.text[start] == "{":
                inner = members(lock.text, start)
                if "name" in inner and "version" in inner and lock.name_at(start) == normalise(name):
                    a, b = inner["version"]
                    if lock.text[a:b].strip("\"'") == was:
                        out.append(Span(a, b, quoted(now)))
    return out


def _file(item: File, dated: bool) -> str:
    if item.url is None:
        raise Unfit(f"the address of {item.name} is not known")
    parts = [f"url = {quoted(item.url)}", f'hash = "sha256:{item.sha256}"']
    if item.size is not None:
        parts.append(f"size = {item.size}")
    if dated and item.uploaded is not None:
        parts.append(f"upload-time = {quoted(item.uploaded)}")
    return "{ " + ", ".join(parts) + " }"


def _set(lock: Document, package: Package, key: str, value: str | None) -> None:
    """Give a key of a package another value; None takes it out, and a key that is not there comes after the others."""
    entry = package.table.get(key)
    if entry is not None and value is not None:
        lock.put(entry, value)
    elif entry is not None:
        lock.change(Span(entry.line, entry.stop))
    elif value is not None:
        before = package.table.get("wheels") if key == "sdist" else None
        place = before.line if before else package.table.entries[-1].stop
        lock.change(Span(place, place, f"{key} = {value}{line_end(lock.text)}"))


def _depend(lock: Document, package: Package, record: LockedRelease) -> None:
    """Take out dependencies that the good release does not have. Raises Unfit for one that would have to be added."""
    asked = needs(record)
    if asked is None:
        return
    have = lock.names_of(package)
    more = sorted(set(asked) - have - {normalise(package.name)})
    if more:
        raise Unfit(f"{record.name} {record.version} needs {', '.join(more)}, which the listed release did not need")
    entry = package.table.get("dependencies")
    if entry is None or not have - set(asked):
        return
    gone = [i for i, (start, _) in enumerate(items(lock.text, entry.start)) if lock.name_at(start) not in asked]
    if len(gone) == len(items(lock.text, entry.start)):
        lock.change(Span(entry.line, entry.stop))
    else:
        lock.change(without_items(lock.text, entry, gone))


def _asked(lock: Document) -> set[str]:
    out = set()
    for package in lock.packages:
        for table in (package.table, *package.below):
            if table.path[1:2] == ("metadata",):
                continue
            for entry in table.entries:
                if lock.text[entry.start] == "[" and entry.key[0] not in ("wheels", "resolution-markers"):
                    starts = [start for start, _ in items(lock.text, entry.start)]
                    out |= {lock.name_at(start) for start in starts if lock.text[start] == "{"}
    return out


def _sweep(lock: Document, freed: set[str]) -> list[Change]:
    """Take out packages that nothing asks for any more."""
    changes = []
    while freed:
        asked = _asked(lock)
        name = freed.pop()
        for package in [p for p in lock.packages if normalise(p.name) == name]:
            source = lock.plain(package.table.get("source")) or {}
            if name in asked or "registry" not in source:
                break
            found = next(p for p in lock.packages if (p.name, p.version) == (package.name, package.version))
            freed |= lock.names_of(found)
            lock.take_out(found)
            why = "nothing asks for it any more"
            changes.append(Change(entry=f"{package.name} {package.version}", was=package.version, why=why))
    return changes


def _whole(lock: Document, wanted: Wanted) -> None:
    """Nobody asks for a payload that went. Raises Unfit."""
    have = {normalise(package.name) for package in lock.packages}
    for name in sorted(_asked(lock) - have):
        if name in wanted.by_name:
            raise Unfit(f"something in it still asks for {name}")


CODEC = LockCodec(name="uv-lock", basenames=("uv.lock",), managers=("uv",), ecosystem=ECOSYSTEM, repair=total(repair))
