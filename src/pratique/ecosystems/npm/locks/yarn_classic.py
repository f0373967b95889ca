"""Repair of Yarn classic's yarn.lock (`# yarn lockfile v1`).

A listed block gets the version, address, digests and dependencies of the good release; its patterns join the block of
that release where there is one already. A payload's block goes. Blocks that nothing asks for afterwards stay: the file
does not say what the project itself asks for, and Yarn accepts them.
"""

from __future__ import annotations

import json
import re

from pratique.ecosystems.edits import decoded
from pratique.ecosystems.npm.locks.blocks import Block, Lines, parse
from pratique.ecosystems.npm.locks.requests import moved
from pratique.ecosystems.npm.urls import tarball_release
from pratique.ecosystems.npm.yarn import origin_of_range, real_name
from pratique.ecosystems.repairs import Unfit, Wanted, known, sources, total
from pratique.model.repair import Change, Correction, LockCodec, LockedRelease, Releases, Repaired

_WRAPPED = re.compile(r'true|false|[^a-zA-Z]|.*[:\s\n\\",\[\]]', re.DOTALL)
_SECTIONS = ("dependencies", "optionalDependencies")


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired:
    """Replace every listed release. Raises Unfit."""
    text = decoded(content)
    if text is None:
        raise Unfit("it is not text in UTF-8")
    if "\n__metadata:" in text or text.startswith("__metadata:"):
        raise Unfit("it is of Yarn 2 or later")
    lock = parse(text)
    if "yarn lockfile v1" not in lock.head:
        raise Unfit("it has no version line that is known")
    wanted = Wanted(corrections, "npm")
    listed = [(block, found) for block in lock.blocks if (found := _listed(block, wanted)) is not None]
    if not listed:
        return Repaired(content=content, changes=())
    changes: list[Change] = []
    used: list[LockedRelease] = []
    for block, correction in listed:
        lock.blocks.remove(block)
        was = block.field("version") or ""
        if not wanted.good(correction):
            changes.append(Change(entry=block.key, was=was, why=f"{correction.name} is a payload and goes altogether"))
            continue
        for version, patterns in _shared_out(block, was, correction, wanted).items():
            record = known(releases, correction.name, version, "yarn-classic")
            used.append(record)
            target = next((b for b in lock.blocks if b.field("version") == version and _same(b, record)), None)
            if target is None:
                entry = _block(block, patterns, was, record)
            else:
                lock.blocks.remove(target)
                entry = Block(joined([*target.patterns, *patterns]), target.lines, lock.end)
            lock.put(entry, _order)
            changes.append(Change(entry=joined(patterns), was=was, now=version))
    _asked(lock, wanted, {record.name for record in used})
    return Repaired(content=lock.text().encode(), changes=tuple(sorted(changes)), release_of=sources(used))


def _order(block: Block) -> str:
    return block.patterns[0]


def _listed(block: Block, wanted: Wanted) -> Correction | None:
    version = block.field("version")
    if version is None:
        raise Unfit(f"the entry {block.key} has no version")
    names = block.names
    resolved = block.field("resolved") or ""
    release = tarball_release(resolved) if resolved.startswith("http") else None
    if release is not None:
        names = names | {release[0]}
    return next((found for name in sorted(names) if (found := wanted.of(name, version))), None)


def _same(block: Block, record: LockedRelease) -> bool:
    """Whether a block is of the same package, from a registry."""
    kinds = {origin_of_range(parts[2]) for pattern in block.patterns if (parts := real_name(pattern))}
    return block.names == {record.name} and kinds == {"registry"}


def _shared_out(block: Block, was: str, correction: Correction, wanted: Wanted) -> dict[str, list[str]]:
    """Good versions to the patterns that take them; a range without any follows the edit of the manifest."""
    out: dict[str, list[str]] = {}
    for pattern in block.patterns:
        parts = real_name(pattern)
        if parts is None or parts[0] != correction.name or origin_of_range(parts[2]) != "registry" or "//" in parts[2]:
            raise Unfit(f"{pattern} does not come from a registry by name")
        version = wanted.chosen(correction, was, [parts[2]])
        if version is None and (version := wanted.near(correction, was)) is not None:
            at = pattern.index("@", 1)
            asked = pattern[at + 1 :]
            pattern = f"{pattern[:at]}@{moved(asked, correction.bad, version) or asked}"
        if version is None:
            raise Unfit(f"no good version of {correction.name} is in the range of {pattern}")
        out.setdefault(version, []).append(pattern)
    return out


def _block(block: Block, patterns: list[str], was: str, record: LockedRelease) -> Block:
    lines = [f"  version {json.dumps(record.version)}"]
    resolved = _resolved(block, was, record)
    if resolved:
        lines.append(f"  resolved {json.dumps(resolved)}")
    if record.integrity:
        lines.append(f"  integrity {record.integrity}")
    if not record.integrity and not record.sha1:
        raise Unfit(f"no digest of {record.name} {record.version} is known")
    optional = _texts(record.manifest.get("optionalDependencies"))
    plain = {k: v for k, v in _texts(record.manifest.get("dependencies")).items() if k not in optional}
    for title, pairs in (("dependencies", plain), ("optionalDependencies", optional)):
        if pairs:
            lines.append(f"  {title}:")
            lines += [f"    {_quoted(name)} {_quoted(pairs[name])}" for name in sorted(pairs)]
    return Block(joined(patterns), lines, block.gap)


def _resolved(block: Block, was: str, record: LockedRelease) -> str | None:
    """The address of the archive, at the host that the entry had; with the digest that Yarn adds."""
    old = (block.field("resolved") or "").partition("#")[0]
    base = record.name.rpartition("/")[2]
    if old.endswith(f"/{base}-{was}.tgz"):
        address: str | None = old.removesuffix(f"{was}.tgz") + f"{record.version}.tgz"
    else:
        address = record.tarball
    if address is None:
        return None
    return f"{address}#{record.sha1}" if record.sha1 else address


def _texts(value: object) -> dict[str, str]:
    return {str(k): v for k, v in value.items() if isinstance(v, str)} if isinstance(value, dict) else {}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False) if _WRAPPED.match(text) else text


def joined(patterns: list[str]) -> str:
    """The key of an entry with these patterns."""
    return ", ".join(_quoted(pattern) for pattern in sorted(set(patterns)))


def _asked(lock: Lines, wanted: Wanted, put_in: set[str]) -> None:
    """Every dependency has its entry. Raises Unfit: one of a good release is missing, or a payload is asked for."""
    have: set[str] = set()
    for block in lock.blocks:
        have.update(block.patterns)
    for block in lock.blocks:
        mine = bool(block.names & put_in)
        for section in _SECTIONS:
            for name, asked in block.pairs(section).items():
                pattern = f"{name}@{asked}" if asked else name
                if pattern in have or (section == "optionalDependencies" and not mine):
                    continue
                parts = real_name(pattern)
                if mine or (parts is not None and parts[0] in wanted.by_name):
                    raise Unfit(f"{block.key} asks for {pattern}, which the file does not hold")


CODEC = LockCodec(
    name="yarn-classic", basenames=("yarn.lock",), managers=("yarn",), ecosystem="npm", repair=total(repair)
)
