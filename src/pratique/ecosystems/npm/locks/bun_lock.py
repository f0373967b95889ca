"""Repair of bun.lock, bun's lockfile as text (`lockfileVersion` 0 to 2).

A listed entry gets the array of the good release. What only the bad release asked for goes, and a nested copy of what
the tree above holds already. The ranges of the project's own manifests stand in `workspaces` and follow their edit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from pratique.ecosystems.edits import Span, decoded, edited, line_start, line_stop
from pratique.ecosystems.grammar import admits
from pratique.ecosystems.json_spans import Value, parse
from pratique.ecosystems.npm.locks.requests import moved
from pratique.ecosystems.npm.yarn import is_version
from pratique.ecosystems.repairs import Unfit, Wanted, known, sources, total
from pratique.model.repair import Change, Correction, LockCodec, LockedRelease, Releases, Repaired

_NEWEST = 2
_PLAIN = ("dependencies", "optionalDependencies", "peerDependencies")
_OWN = (*_PLAIN, "devDependencies")
_PLATFORM = ("os", "cpu", "libc")


class _Entry:
    """One member of `packages`: where it lies in the tree, what it is, what it asks for."""

    def __init__(self, key: str, value: Value) -> None:
        first = value.items[0].plain if value.items else None
        if not isinstance(first, str) or "@" not in first[1:]:
            raise Unfit(f"the entry {key} of packages is not understood")
        self.key = key
        self.value = value
        self.path = _path(key)
        at = first.find("@", 1)
        self.name, self.version = first[:at], first[at + 1 :]
        info = next((item for item in value.items or () if item.members is not None), None)
        self.info = info
        self.asks: dict[str, str] = {}
        for section in _PLAIN:
            found = info.get(section) if info else None
            self.asks.update(found.strings() if found else {})


def _path(key: str) -> tuple[str, ...]:
    """The names of an entry's key: `a/@s/b` is `@s/b` inside of `a`."""
    out: list[str] = []
    for part in key.split("/"):
        if out and out[-1].startswith("@") and "/" not in out[-1]:
            out[-1] += f"/{part}"
        else:
            out.append(part)
    return tuple(out)


class _Lock:
    """A lockfile being repaired."""

    def __init__(self, text: str) -> None:
        self.text = text
        root = parse(text)
        if root is None or root.members is None:
            raise Unfit("it is not JSON")
        version = root.get("lockfileVersion")
        if version is None or not isinstance(version.plain, int) or not 0 <= version.plain <= _NEWEST:
            raise Unfit("its lockfileVersion is not known")
        packages = root.get("packages")
        if packages is None or packages.members is None:
            raise Unfit("it holds no packages")
        self.version = version.plain
        self.packages = packages
        self.members = packages.members
        self.entries = {m.key: _Entry(m.key, m.value) for m in packages.members}
        if len(self.entries) != len(self.members):
            raise Unfit("an entry of packages stands twice")
        self.trusted = {v.plain for v in (root.get("trustedDependencies") or _NONE).items or ()}
        self.spans: dict[str, Span] = {}
        self.ranges: list[Span] = []
        self.gone: set[str] = set()
        self.own: dict[tuple[str, ...], list[tuple[str, Value]]] = {}
        for member in (root.get("workspaces") or _NONE).members or ():
            name = member.value.text("name") or ""
            place = _path(name) if member.key else ()
            rows = self.own.setdefault(place, [])
            for section in _OWN:
                found = member.value.get(section)
                rows += [(m.key, m.value) for m in (found.members or () if found else ())]

    def at(self, path: tuple[str, ...], name: str) -> _Entry | None:
        """The entry that a package at `path` gets for a name: the nearest up the tree."""
        for depth in range(len(path), -1, -1):
            found = self.entries.get("/".join((*path[:depth], name)))
            if found is not None:
                return found
        return None

    def askers(self, entry: _Entry) -> list[tuple[tuple[str, ...], str]]:
        """Who gets an entry: the path of each asker and its range."""
        name = entry.path[-1]
        out = [
            (e.path, e.asks[name]) for e in self.entries.values() if name in e.asks and self.at(e.path, name) is entry
        ]
        for place, rows in self.own.items():
            out += [(place, str(v.plain)) for key, v in rows if key == name and self.at(place, name) is entry]
        return out

    def remove(self, entry: _Entry) -> None:
        """Take an entry out."""
        self.spans.pop(entry.key, None)
        self.gone.add(entry.key)
        del self.entries[entry.key]

    def removals(self) -> Iterator[Span]:
        """The lines of entries that are gone, with the blank lines behind them; behind the last entry none stays."""
        starts = [line_start(self.text, member.start) for member in self.members]
        ends = [line_stop(self.text, member.value.end) for member in self.members]
        if self.gone and any(start < end for start, end in zip(starts[1:], ends[:-1], strict=True)):
            raise Unfit("its entries do not stand on lines of their own")
        kept = max((i for i, member in enumerate(self.members) if member.key not in self.gone), default=-1)
        for index, member in enumerate(self.members[: kept + 1]):
            if member.key in self.gone:
                yield Span(starts[index], starts[index + 1])
        if kept < len(self.members) - 1:
            yield Span(ends[kept] if kept >= 0 else starts[0], ends[-1])


_NONE = Value(0, 0, None)


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    if content.startswith(b"#!/usr/bin/env bun\nbun-lockfile-format"):
        raise Unfit("it is bun's binary lockfile: `bun install --save-text-lockfile --lockfile-only` makes it a text")
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    lock = _Lock(text)
    wanted = Wanted(corrections, "npm")
    listed = [(e, found) for e in lock.entries.values() if (found := wanted.of(e.name, _bare(e))) is not None]
    changes: list[Change] = []
    used: list[LockedRelease] = []
    freed: list[tuple[tuple[str, ...], str]] = []
    for entry, correction in listed:
        if not is_version(entry.version):
            raise Unfit(f"{entry.key} does not come from a registry by name")
        if wanted.good(correction):
            continue
        lock.remove(entry)
        freed += [(entry.path, name) for name in entry.asks]
        why = f"{correction.name} is a payload and goes altogether"
        changes.append(Change(entry=entry.key, was=entry.version, why=why))
    for entry, correction in listed:
        if entry.key in lock.entries:
            record = known(releases, correction.name, _good(lock, entry, correction, wanted))
            used.append(record)
            freed += [(entry.path, name) for name in entry.asks]
            changes.append(Change(entry=entry.key, was=entry.version, now=record.version))
            _replace(lock, entry, record)
    changes += _sweep(lock, freed)
    changes += _nested(lock, {change.entry for change in changes})
    _whole(lock, wanted, {change.entry for change in changes})
    spans = [*lock.spans.values(), *lock.ranges, *lock.removals()]
    return Repaired(
        content=edited(text, spans).encode() if spans else content,
        changes=tuple(sorted(changes)),
        release_of=sources(used),
    )


def _bare(entry: _Entry) -> str:
    """The version; of an archive by its address, the version that its file name tells."""
    from pratique.ecosystems.npm.urls import tarball_release

    found = tarball_release(entry.version) if "://" in entry.version else None
    return found[1] if found else entry.version


def _good(lock: _Lock, entry: _Entry, correction: Correction, wanted: Wanted) -> str:
    asked = lock.askers(entry)
    ranges = [_real(text) for _, text in asked]
    version = wanted.chosen(correction, entry.version, ranges)
    if version is not None:
        return version
    version = wanted.near(correction, entry.version)
    if version is None:
        raise Unfit(f"no good version of {correction.name} is in the ranges that are asked of {entry.key}")
    for place, text in asked:
        if admits("npm", version, _real(text)):
            continue
        instead = moved(text, correction.bad, version)
        if instead is None or place not in lock.own:
            raise Unfit(f"no good version of {correction.name} is in the ranges that are asked of {entry.key}")
        for key, value in lock.own[place]:
            if key == entry.path[-1] and value.plain == text:
                lock.ranges.append(Span(value.start, value.end, json.dumps(instead)))
    return version


def _real(asked: str) -> str:
    """The range behind an alias: `npm:axios@^1` asks for `^1`."""
    return asked.rpartition("@")[2] if asked.startswith("npm:") and "@" in asked[5:] else asked.removeprefix("npm:")


def _replace(lock: _Lock, entry: _Entry, record: LockedRelease) -> None:
    """Put the good release's array in the place of the listed one's."""
    if not record.integrity:
        raise Unfit(f"no digest of {record.name} {record.version} is known")
    items = entry.value.items or []
    address = items[1].plain if len(items) > 1 else ""
    base = record.name.rpartition("/")[2]
    if isinstance(address, str) and address:
        if not address.endswith(f"/{base}-{entry.version}.tgz"):
            raise Unfit(f"the address of {entry.key} does not name its version")
        address = address.removesuffix(f"{entry.version}.tgz") + f"{record.version}.tgz"
    info = _info(lock, record, entry)
    row = [json.dumps(f"{record.name}@{record.version}"), json.dumps(address or ""), info, json.dumps(record.integrity)]
    lock.spans[entry.key] = Span(entry.value.start, entry.value.end, f"[{', '.join(row)}]")
    entry.version = record.version
    manifest = record.manifest
    entry.asks = {name: text for section in _PLAIN for name, text in _texts(manifest.get(section)).items()}


def _info(lock: _Lock, record: LockedRelease, entry: _Entry) -> str:
    manifest = record.manifest
    parts: list[tuple[str, str]] = []
    optional = _texts(manifest.get("optionalDependencies"))
    for section in _PLAIN:
        pairs = _texts(manifest.get(section))
        if section == "dependencies":
            pairs = {name: text for name, text in pairs.items() if name not in optional}
        if pairs:
            parts.append((section, _object({name: json.dumps(pairs[name]) for name in sorted(pairs)})))
    loose = manifest.get("peerDependenciesMeta")
    if isinstance(loose, dict):
        names = sorted(k for k, v in loose.items() if isinstance(v, dict) and v.get("optional"))
        if names:
            parts.append(("optionalPeers", f"[{', '.join(map(json.dumps, names))}]"))
    had = entry.info.members if entry.info and entry.info.members else []
    if any(manifest.get(key) for key in _PLATFORM) or any(m.key in _PLATFORM for m in had):
        raise Unfit(f"{record.name} {record.version} is for some platforms alone")
    commands = manifest.get("bin")
    if isinstance(commands, str):
        commands = {record.name.rpartition("/")[2]: commands}
    if isinstance(commands, dict) and commands:
        parts.append(("bin", _object({str(k): json.dumps(str(v).removeprefix("./")) for k, v in commands.items()})))
    if lock.version > 1 and manifest.get("hasInstallScript"):
        parts.append(("hasInstallScript", "true"))
    return _object(dict(parts))


def _object(parts: dict[str, str]) -> str:
    rows = ", ".join(f"{json.dumps(key)}: {value}" for key, value in parts.items())
    return f"{{ {rows} }}" if rows else "{}"


def _texts(value: object) -> dict[str, str]:
    return {str(k): v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _sweep(lock: _Lock, freed: list[tuple[tuple[str, ...], str]]) -> list[Change]:
    """Take out what nothing asks for any more."""
    changes = []
    while freed:
        path, name = freed.pop()
        entry = lock.at(path, name)
        if entry is None or lock.askers(entry) or not is_version(entry.version):
            continue
        lock.remove(entry)
        freed += [(entry.path, need) for need in entry.asks]
        changes.append(Change(entry=entry.key, was=entry.version, why="nothing asks for it any more"))
    return changes


def _nested(lock: _Lock, changed: set[str]) -> list[Change]:
    """Take out nested copies of the release that the tree above holds."""
    changes = []
    for key in sorted(changed):
        entry = lock.entries.get(key)
        if entry is None or len(entry.path) < 2 or any(other.startswith(f"{key}/") for other in lock.entries):
            continue
        above = lock.at(entry.path[:-2], entry.path[-1])
        if above is None or (above.name, above.version) != (entry.name, entry.version):
            continue
        lock.remove(entry)
        why = f"{above.key} holds the same release"
        changes.append(Change(entry=key, was=entry.version, why=why))
    return changes


def _whole(lock: _Lock, wanted: Wanted, changed: set[str]) -> None:
    """Every dependency of what was put in has a fitting entry, and nobody asks for what went. Raises Unfit."""
    for entry in lock.entries.values():
        peers = entry.info.get("peerDependencies") if entry.info else None
        loose = set(peers.strings()) if peers else set()
        for name, asked in entry.asks.items():
            found = lock.at(entry.path, name)
            if name in loose and found is None:
                continue
            mine = entry.key in changed
            if found is None and (mine or name in wanted.by_name):
                raise Unfit(f"{entry.key} asks for {name}, which the file does not hold")
            if (
                mine
                and found is not None
                and is_version(found.version)
                and not admits("npm", found.version, _real(asked))
            ):
                raise Unfit(f"{entry.key} asks for {name} {asked}, and the file holds {found.version}")
    for place, rows in lock.own.items():
        for name, _ in rows:
            if name in wanted.by_name and lock.at(place, name) is None:
                raise Unfit(f"the project's own manifest asks for {name}")


CODEC = LockCodec(
    name="bun-lock", basenames=("bun.lock", "bun.lockb"), managers=("bun",), ecosystem="npm", repair=total(repair)
)
