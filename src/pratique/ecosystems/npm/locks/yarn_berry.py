"""Repair of the yarn.lock of Yarn 2 and later.

A listed block gets version, resolution, dependencies and commands of the good release; its descriptors join the block
of that release where there is one already. What only the bad release asked for goes: Yarn would take it out itself.

`checksum` is the digest of Yarn's own archive and depends on `cacheKey`. It is copied from the release's record where
that knows it (`manifest["checksums"][cacheKey]`). Otherwise the line is left out: `yarn install --immutable` of Yarn 3
and 4 accepts that and checks nothing for this one archive; the next `yarn install` without it writes the line anew.
"""

from __future__ import annotations

import json
import re

from pratique.ecosystems.edits import decoded
from pratique.ecosystems.npm.locks.blocks import Block, Lines, parse
from pratique.ecosystems.npm.locks.requests import moved
from pratique.ecosystems.npm.versions import parse_range
from pratique.ecosystems.npm.yarn import parse_locator, real_name
from pratique.ecosystems.repairs import Unfit, Wanted, known, sources, total
from pratique.model.repair import Change, Correction, LockCodec, LockedRelease, Releases, Repaired

_SIMPLE = re.compile(r"(?![-?:,\][{}#&*!|>'\"%@` \t\r\n]).(?:[ \t]*(?![,\][{}:# \t\r\n]).)*")
"""Yarn's own rule for strings without quotes."""
_SECTIONS = ("dependencies", "peerDependencies", "dependenciesMeta", "peerDependenciesMeta", "bin")
_TAG = re.compile(r"(?!v?\d)[a-zA-Z0-9._-]+")
_PLATFORM = ("os", "cpu", "libc")


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    lock = parse(text)
    meta = next((block for block in lock.blocks if block.key == "__metadata"), None)
    if meta is None:
        raise Unfit("it has no __metadata: it is not of Yarn 2 or later")
    wanted = Wanted(corrections, "npm")
    listed = [(b, found) for b in lock.blocks if b is not meta and (found := _listed(b, wanted)) is not None]
    if not listed:
        return Repaired(content=content, changes=())
    changes: list[Change] = []
    used: list[LockedRelease] = []
    freed: list[str] = []
    prefixed = _prefixed(lock, meta)
    cache_key = meta.field("cacheKey") or ""
    for block, correction in listed:
        lock.blocks.remove(block)
        freed += _asks(block)
        was = block.field("version") or ""
        if not wanted.good(correction):
            why = f"{correction.name} is a payload and goes altogether"
            changes.append(Change(entry=block.key, was=was, why=why))
            continue
        for version, patterns in _shared_out(lock, block, was, correction, wanted).items():
            record = known(releases, correction.name, version)
            used.append(record)
            locator = f"{record.name}@npm:{version}"
            target = next((b for b in lock.blocks if b.field("resolution") == locator), None)
            if target is None:
                entry = _block(block, patterns, record, prefixed, cache_key)
            else:
                lock.blocks.remove(target)
                entry = Block(_key([*target.patterns, *patterns]), target.lines, lock.end)
            lock.put(entry, _order)
            changes.append(Change(entry=_key(patterns), was=was, now=version))
    changes += _sweep(lock, freed)
    _whole(lock, wanted, {record.name for record in used})
    return Repaired(content=lock.text().encode(), changes=tuple(sorted(changes)), release_of=sources(used))


def _order(block: Block) -> str:
    return "" if block.key == "__metadata" else ", ".join(block.patterns)


def _listed(block: Block, wanted: Wanted) -> Correction | None:
    resolution, version = block.field("resolution"), block.field("version")
    if resolution is None or version is None:
        raise Unfit(f"the entry {block.key} has no resolution or version")
    locator = parse_locator(resolution)
    if locator is None:
        raise Unfit(f"the resolution {resolution} is not understood")
    found = wanted.of(locator.name, locator.version or version) or wanted.of(locator.name, version)
    if found is not None and resolution != f"{locator.name}@npm:{version}":
        raise Unfit(f"{resolution} is patched or does not come from a registry by name")
    return found


def _shared_out(lock: Lines, block: Block, was: str, correction: Correction, wanted: Wanted) -> dict[str, list[str]]:
    """Good versions to the descriptors that take them; a project's own range without any follows its edit."""
    out: dict[str, list[str]] = {}
    for pattern in block.patterns:
        parts = real_name(pattern)
        if parts is None or parts[0] != correction.name or ":" in parts[2]:
            raise Unfit(f"{pattern} does not come from a registry by name")
        version = wanted.chosen(correction, was, [parts[2]])
        if version is None and (version := wanted.near(correction, was)) is not None:
            instead = moved(parts[2], correction.bad, version) or parts[2]
            renamed = pattern[: len(pattern) - len(parts[2])] + instead
            _rename(lock, pattern, renamed)
            pattern = renamed
        if version is None:
            raise Unfit(f"no good version of {correction.name} is in the range of {pattern}")
        out.setdefault(version, []).append(pattern)
    return out


def _rename(lock: Lines, old: str, new: str) -> None:
    """Let the project's own manifests ask for another descriptor, as they do after their edit."""
    for block in lock.blocks:
        for name, asked in block.pairs("dependencies").items():
            if old in _descriptors(name, asked):
                if block.field("linkType") != "soft":
                    raise Unfit(f"{block.key} asks for {old} itself")
                place = block.place("dependencies", name)
                if place is not None:
                    value = new[len(name) + 1 :]
                    value = value if asked.startswith("npm:") else value.removeprefix("npm:")
                    block.lines[place] = f"    {_quoted(name)}: {_quoted(value)}"


def _descriptors(name: str, asked: str) -> tuple[str, ...]:
    """How a dependency is spelled as a descriptor: with its protocol, and as it stands."""
    return (f"{name}@{asked}", f"{name}@npm:{asked}")


def _asks(block: Block) -> list[str]:
    return [text for name, asked in block.pairs("dependencies").items() for text in _descriptors(name, asked)]


def _prefixed(lock: Lines, meta: Block) -> bool:
    """Whether ranges stand with their protocol, as Yarn 4 writes them."""
    for block in lock.blocks:
        for asked in block.pairs("dependencies").values():
            if asked.startswith("npm:") and "@" not in asked:
                return True
    version = meta.field("version") or ""
    return not version.isdigit() or int(version) >= 8


def _block(block: Block, patterns: list[str], record: LockedRelease, prefixed: bool, cache_key: str) -> Block:
    manifest = record.manifest
    conditions = block.field("conditions")
    if any(manifest.get(key) for key in _PLATFORM) != (conditions is not None):
        raise Unfit(f"{record.name} {record.version} is for other platforms than the release that it replaces")
    optional = _texts(manifest.get("optionalDependencies"))
    needs = {**_texts(manifest.get("dependencies")), **optional}
    meta: dict[str, dict[str, object]] = {name: {"optional": True} for name in optional}
    sections: dict[str, dict[str, str] | dict[str, dict[str, object]]] = {
        "dependencies": {name: _range(asked, prefixed) for name, asked in needs.items()},
        "peerDependencies": _texts(manifest.get("peerDependencies")),
        "dependenciesMeta": meta,
        "peerDependenciesMeta": _tables(manifest.get("peerDependenciesMeta")),
        "bin": _commands(record),
    }
    lines = [
        f"  version: {_quoted(record.version)}",
        f"  resolution: {json.dumps(f'{record.name}@npm:{record.version}')}",
    ]
    for title in _SECTIONS:
        rows = sections[title]
        if rows:
            lines.append(f"  {title}:")
        for name in sorted(rows):
            value = rows[name]
            if isinstance(value, dict):
                lines.append(f"    {_quoted(name)}:")
                lines += [f"      {key}: {json.dumps(value[key])}" for key in sorted(value)]
            else:
                lines.append(f"    {_quoted(name)}: {_quoted(value)}")
    checksum = _checksum(block, record, cache_key)
    if checksum:
        lines.append(f"  checksum: {checksum}")
    if conditions is not None:
        lines.append(f"  conditions: {conditions}")
    language = block.field("languageName") or "node"
    return Block(_key(patterns), [*lines, f"  languageName: {language}", "  linkType: hard"], block.gap)


def _checksum(block: Block, record: LockedRelease, cache_key: str) -> str | None:
    checksums = record.manifest.get("checksums")
    found = checksums.get(cache_key) if isinstance(checksums, dict) else None
    if not isinstance(found, str) or block.field("conditions") is not None:
        return None
    digest = found.rpartition("/")[2]
    return f"{cache_key}/{digest}" if "/" in (block.field("checksum") or "") else digest


def _range(asked: str, prefixed: bool) -> str:
    plain = parse_range(asked) is not None or _TAG.fullmatch(asked) is not None
    return f"npm:{asked}" if prefixed and plain else asked


def _commands(record: LockedRelease) -> dict[str, str]:
    found = record.manifest.get("bin")
    if isinstance(found, str):
        return {record.name.rpartition("/")[2]: found}
    return _texts(found)


def _texts(value: object) -> dict[str, str]:
    return {str(k): v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _tables(value: object) -> dict[str, dict[str, object]]:
    return {str(k): dict(v) for k, v in value.items() if isinstance(v, dict)} if isinstance(value, dict) else {}


def _quoted(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _key(patterns: list[str]) -> str:
    return json.dumps(", ".join(sorted(set(patterns))), ensure_ascii=False)


def _sweep(lock: Lines, freed: list[str]) -> list[Change]:
    """Take out descriptors that nothing asks for any more, and what only they asked for."""
    changes = []
    why = "nothing asks for it any more"
    while freed:
        asked = {text for block in lock.blocks for text in _asks(block)}
        gone = {text for text in freed if text not in asked}
        freed = []
        for block in list(lock.blocks):
            patterns = block.patterns
            left = [text for text in patterns if text not in gone]
            if len(left) == len(patterns) or block.field("linkType") == "soft":
                continue
            if left:
                index = lock.blocks.index(block)
                lock.blocks[index] = Block(_key(left), block.lines, block.gap)
                if [_order(b) for b in lock.blocks] != sorted(_order(b) for b in lock.blocks):
                    lock.put(lock.blocks.pop(index), _order)
                continue
            lock.blocks.remove(block)
            freed += _asks(block)
            changes.append(Change(entry=block.key, was=block.field("version") or "", why=why))
    return changes


def _whole(lock: Lines, wanted: Wanted, put_in: set[str]) -> None:
    """Every dependency has its entry. Raises Unfit: a good release may need one more, a payload be asked for."""
    have = {text for block in lock.blocks if block.key != "__metadata" for text in block.patterns}
    for block in lock.blocks:
        mine = bool(block.names & put_in)
        for name, asked in block.pairs("dependencies").items():
            texts = _descriptors(name, asked)
            if not have.isdisjoint(texts):
                continue
            parts = real_name(texts[0])
            if mine or name in wanted.by_name or (parts is not None and parts[0] in wanted.by_name):
                raise Unfit(f"{block.key} asks for {texts[0]}, which the file does not hold")


CODEC = LockCodec(
    name="yarn-berry", basenames=("yarn.lock",), managers=("yarn",), ecosystem="npm", repair=total(repair)
)
