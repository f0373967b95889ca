"""The index of pnpm's store as JSON files: store v3 (pnpm 5 to 9) and v10 (pnpm 10).

## Reads
`v3/files/<2 hex>/<126 hex>-index.json`, whose name is the digest of the archive; `v10/index/<2 hex>/<62 hex>-<name>@
<version>.json`. Each proves that a machine sharing the store downloaded and unpacked the release: its files, when the
first of them was written, whether it has scripts, and what a build changed. In v3 pnpm keeps the full list of files
after a build; the difference is computed here.

## Leaves out
The contents themselves. In v10 the file name holds only half of the digest, so no integrity is given. Changes that a
patch of the user made without a build. A row proves no install into any project.

## References
pnpm 9.15.9 and 10.34.9, store and calc-dep-state packages; files of pnpm 7 to 10 as recorded in this project's
fixtures.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.paths import split_virtual
from pratique.model.observation import ComponentFact, Observation, Origin, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.pnpm_rows import component, integrity_of, side_effects
from pratique.readers.npm.syml import sound
from pratique.readers.text import load_json, refuse

_DIGEST = re.compile(r"(?:^|/)v3/files/(?P<head>[0-9a-f]{2})/(?P<tail>[0-9a-f]+)-index\.json$")
_NAMED = re.compile(r"(?:^|/)v10/index/[0-9a-f]{2}/[0-9a-f]{62}-(?P<release>[^/]+)\.json$")

_START = re.compile(rb'\{"name":"([!-~]{1,214}?)","version":"([0-9A-Za-z.+-]{1,200})"')


class Head(msgspec.Struct, gc=False):
    """The two fields that every file is asked for."""

    name: str | None = None
    version: str | None = None


_HEAD = msgspec.json.Decoder(Head)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release of one file, and what a build changed in it."""
    wanted = interest.wanted("npm")
    by_digest, by_name = _DIGEST.search(artifact.path), _NAMED.search(artifact.path)
    named = split_virtual(by_name["release"]) if by_name else None
    if (by_digest or by_name) and (named is None or named[0] in wanted):
        integrity = integrity_of(by_digest["head"] + by_digest["tail"]) if by_digest else ()
        origin: Origin = "registry" if by_digest or named is not None else "unknown"
        yield from read_row(artifact, READER, wanted, named, integrity, origin)
    elif not (by_digest or by_name) and not artifact.path.endswith(("/integrity.json", "/integrity-not-built.json")):
        yield refuse(artifact, READER, "its name is none that pnpm gives to a row of its store")


def read_row(
    artifact: Artifact,
    reader: Reader,
    wanted: frozenset[str] | Everything,
    named: tuple[str, str] | None,
    integrity: tuple[str, ...],
    origin: Origin,
) -> Iterator[Observation | Refusal]:
    """One file; `named` is the release that its file name states. Shared by the two readers of this format."""
    data = artifact.content()
    try:
        if data.count(b'"version":') > 1 or data.count(b'"name":') > 1:
            twice = load_json(data.decode("utf-8"))[1]
            if twice is not None:
                yield refuse(artifact, reader, f"the key {sound(twice)[:80]!r} stands twice")
        head = _HEAD.decode(data)
        row: Any = msgspec.json.decode(data) if head.name is None or head.name in wanted else None
    except (msgspec.DecodeError, ValueError, RecursionError):
        try:
            row = json.loads(data.decode("utf-8-sig"))
        except (ValueError, RecursionError):
            row = None
        name, version = (row.get("name"), row.get("version")) if isinstance(row, dict) else (0, 0)
        if not isinstance(name, str | None) or not isinstance(version, str | None):
            yield from _damaged(artifact, reader, named, wanted)
            return
        head = Head(name, version)
    release = (head.name, head.version) if head.name is not None and head.version is not None else named
    if release is None:
        yield refuse(artifact, reader, "names no package")
        return
    if release[0] not in wanted:
        return
    fact, times = component(*release, row, integrity, origin=origin)
    location = artifact.location()
    yield Observation(reader.name, location, fact, times)
    for effect in side_effects(*release, row, integrity):
        changed = artifact.modified_time("the store's row was last written")
        yield Observation(reader.name, location, effect, changed)


def _damaged(
    artifact: Artifact, reader: Reader, named: tuple[str, str] | None, wanted: frozenset[str] | Everything
) -> Iterator[Observation | Refusal]:
    """A file that is no whole JSON; its name or its first fields may say which release it is about."""
    if named is None:
        start = _START.match(artifact.content()[:1000])
        named = (start[1].decode(), start[2].decode()) if start else None
    refusal = refuse(artifact, reader, "is not whole JSON", names=(named[0],) if named else ())
    yield msgspec.structs.replace(refusal, relevant=named is None or named[0] in wanted)
    if named is not None and named[0] in wanted:
        fact = ComponentFact(name=named[0], version=named[1], depth="fetched", record="store")
        yield Observation(reader.name, artifact.location(), fact)


READER = Reader(
    name="pnpm-store-index",
    ecosystem="npm",
    read=read,
    suffixes=(".json",),
    folders=(("v3", "files"), ("v10", "index")),
    subject="cache",
    content="name",
)
