"""A release out of pnpm's store: its files lie by their digests, a row of its index names them.

Rows are JSON files (store v3 and v10) or lie in a database (v11), out of which they are handed in. What is read is
checked against the digest that the row states, as pnpm does. The archive itself is not kept.
"""

from __future__ import annotations

import glob
import hashlib
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Member
from pratique.targets.kept.found import content, digests_of, plain
from pratique.targets.release_parts import Opened

MOST_FILES = 100_000
_SOURCE = "pnpm's store"


def indexes(store: str, name: str, version: str, integrity: str) -> Iterator[str]:
    """The index files of a release: by the digest of its archive, else by its name (v10)."""
    for digest in sorted(digests_of(integrity).get("sha512", ())):
        yield from _existing(
            [
                os.path.join(store, "v3", "files", digest[:2], f"{digest[2:]}-index.json"),
                *_named(store, f"{digest[2:64]}", name, version, digest[:2]),
            ]
        )
    if not integrity:
        yield from _existing(_named(store, "*", name, version, "*"))


def _named(store: str, digest: str, name: str, version: str, folder: str) -> list[str]:
    slug = name.replace("/", "+")
    if not plain(slug) or not plain(version):
        return []
    tail = f"-{glob.escape(slug)}@{glob.escape(version)}.json"
    return sorted(glob.glob(f"{glob.escape(store)}/v10/index/{folder}/{digest}{tail}"))


def _existing(paths: list[str]) -> Iterator[str]:
    yield from (path for path in paths if os.path.isfile(path))


def open_index(path: str, name: str, version: str) -> Opened | None:
    """The files that an index file names, from the store that it lies in; None where it is about another release."""
    try:
        row = msgspec.json.decode(content(path, 64 << 20) or b"")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return open_row(row, _store_of(path), name, version)


def open_row(row: Any, store: str, name: str, version: str) -> Opened | None:
    """The files that a row names, from a store such as `.../v10`; None where it is about another release.

    A file whose content is gone, or is not what the row says, is a refusal.
    """
    files = row.get("files") if isinstance(row, dict) else None
    if not isinstance(files, dict) or len(files) > MOST_FILES:
        return None
    manifest = row.get("manifest")
    own = manifest if isinstance(manifest, dict) else row
    if (own.get("name", name), own.get("version", version)) != (name, version):
        return None
    contents = os.path.join(store, "files")
    algorithm = row.get("algo") if isinstance(row.get("algo"), str) else "sha512"
    members: dict[str, Member] = {}
    places: dict[str, str] = {}
    refusals: list[Refusal] = []
    for inner, stated in sorted(files.items()):
        place, executable, digests = _place(contents, stated, algorithm)
        data = content(place, 1 << 30) if place else None
        if ".." in inner.split("/") or inner.startswith("/"):
            refusals.append(Refusal(inner, "release", "has a name that leads out of its folder", True))
        elif place is None or data is None:
            refusals.append(Refusal(inner, "release", "is named by the store's index and is not in the store", True))
        elif not any(hashlib.new(kind, data).hexdigest() in known for kind, known in digests.items()):
            refusals.append(Refusal(inner, "release", "is not what the store's index says: it was changed", True))
        else:
            members[inner] = Member(inner, len(data), hashlib.sha256(data).hexdigest(), executable)
            places[inner] = place
    return Opened("directory", members, refusals, {}, _reading(places), lambda: None)


def _reading(places: Mapping[str, str]) -> Callable[[str], Iterator[bytes]]:
    def read(path: str) -> Iterator[bytes]:
        data = content(places[path], 1 << 30)
        if data is None:
            raise Unreadable("is no longer in the store")
        yield data

    return read


def _store_of(path: str) -> str:
    """The folder `v3` or `v10` that an index file lies in."""
    at = os.path.dirname(path)
    while os.path.basename(at) not in ("v3", "v10") and at != os.path.dirname(at):
        at = os.path.dirname(at)
    return at


def _place(contents: str, stated: Any, algorithm: str) -> tuple[str | None, bool, dict[str, frozenset[str]]]:
    """Where the content of a file lies, whether it is executable, and its digests."""
    if not isinstance(stated, dict):
        return None, False, {}
    integrity, mode, own = stated.get("integrity"), stated.get("mode"), stated.get("digest")
    executable = isinstance(mode, int) and bool(mode & 0o111)
    if isinstance(integrity, str):
        digests = digests_of(integrity)
    elif isinstance(own, str) and re.fullmatch("[0-9a-f]{40,128}", own) and algorithm in ("sha1", "sha256", "sha512"):
        digests = {algorithm: frozenset({own})}
    else:
        return None, executable, {}
    for digest in sorted(one for known in digests.values() for one in known):
        path = os.path.join(contents, digest[:2], digest[2:])
        for found in (f"{path}-exec", path) if executable else (path, f"{path}-exec"):
            if os.path.isfile(found):
                return found, executable, digests
    return None, executable, digests


def versions(store: str, name: str) -> list[str]:
    """The versions of a package that the index files of store v10 name."""
    slug = name.replace("/", "+")
    pattern = f"{glob.escape(store)}/v10/index/*/*-{glob.escape(slug)}@*.json"
    mark = f"-{slug}@"
    return sorted({os.path.basename(path).partition(mark)[2].removesuffix(".json") for path in glob.glob(pattern)})
