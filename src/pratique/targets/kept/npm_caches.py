"""Archives in the caches of npm and yarn 1, and what yarn 2 and later keep; each by the name and version of a release.

npm's `_cacache`: the index names the address of each answer, the content lies by its digest. Packuments are kept there
too. Yarn 1 keeps the archive itself beside what it unpacked; later ones a zip that they made of it: a copy.
"""

from __future__ import annotations

import functools
import glob
import hashlib
import os
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.urls import tarball_release
from pratique.targets.kept.found import Held, content, digests_of, plain, walk

_REQUEST = "make-fetch-happen:request-cache:"


class _Entry(msgspec.Struct, gc=False):
    key: str
    integrity: str | None = None
    time: Any = None


_DECODER = msgspec.json.Decoder(_Entry)


class NpmCache:
    """One `_cacache` folder."""

    def __init__(self, root: str) -> None:
        self.root = root

    def documents(self, name: str, registry: str = "") -> Iterator[bytes]:
        """Kept documents of a package, those of the given registry first, the newest first."""
        escaped = name.replace("/", "%2f")
        seen: set[str] = set()
        direct: list[str] = []
        if registry:
            for spelled in dict.fromkeys((escaped, name, escaped.replace("%2f", "%2F"))):
                direct += self._at(f"{registry.rstrip('/')}/{spelled}")
        for integrity in [*direct, *self._all[1].get(name, [])]:
            if integrity in seen:
                continue
            seen.add(integrity)
            data = content(self._place(integrity) or "")
            if data is not None and data.lstrip()[:1] == b"{":
                yield data

    def archives(self, name: str, version: str, url: str = "") -> Iterator[Held]:
        """Kept archives of a release, that of the given address first."""
        found = [*(self._at(url) if url else ()), *self._all[0].get((name, version), ())]
        for integrity in dict.fromkeys(found):
            place = self._place(integrity)
            if place is not None and os.path.isfile(place):
                yield Held(place, "npm's cache")

    def versions(self, name: str) -> list[str]:
        """The versions of a package whose archives the index names."""
        return [version for owner, version in self._all[0] if owner == name]

    def _place(self, integrity: str) -> str | None:
        """Where the content of an entry lies."""
        for kind, digests in digests_of(integrity).items():
            for digest in digests:
                path = os.path.join(self.root, "content-v2", kind, digest[:2], digest[2:4], digest[4:])
                if os.path.isfile(path):
                    return path
        return None

    def _at(self, url: str) -> list[str]:
        """What the index holds for one address, the newest first."""
        digest = hashlib.sha256(f"{_REQUEST}{url}".encode()).hexdigest()
        path = os.path.join(self.root, "index-v5", digest[:2], digest[2:4], digest[4:])
        return [entry.integrity for entry in self._lines(path) if entry.key == f"{_REQUEST}{url}" and entry.integrity]

    @staticmethod
    def _lines(path: str) -> list[_Entry]:
        found = []
        for line in (content(path, 16 << 20) or b"").split(b"\n"):
            digest, tab, text = line.partition(b"\t")
            if not tab or hashlib.sha1(text, usedforsecurity=False).hexdigest().encode() != digest:
                continue
            try:
                found.append(_DECODER.decode(text))
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
        return found[::-1]

    @functools.cached_property
    def _all(self) -> tuple[dict[tuple[str, str], list[str]], dict[str, list[str]]]:
        """All archives and all documents of the index, whatever registry they are from."""
        from urllib.parse import unquote, urlsplit

        archives: dict[tuple[str, str], list[str]] = {}
        documents: dict[str, list[tuple[float, str]]] = {}
        for folder, files in walk(os.path.join(self.root, "index-v5")):
            for file in files:
                for entry in self._lines(os.path.join(folder, file)):
                    if not entry.key.startswith(_REQUEST) or not entry.integrity:
                        continue
                    url = entry.key[len(_REQUEST) :]
                    release = tarball_release(url)
                    if release is not None:
                        archives.setdefault(release, []).append(entry.integrity)
                        continue
                    path = unquote(urlsplit(url).path).strip("/")
                    name = re.search(r"(?:^|/)((?:@[^/]+/)?[^/]+)$", path)
                    if name and "/-/" not in path:
                        moment = entry.time if isinstance(entry.time, int | float) else 0.0
                        documents.setdefault(name[1], []).append((float(moment), entry.integrity))
        return archives, {name: [one for _, one in sorted(rows, reverse=True)] for name, rows in documents.items()}


def caches(folder: str) -> list[NpmCache]:
    """The caches in a folder: itself, or `_cacache` in it."""
    return [NpmCache(path) for path in (folder, os.path.join(folder, "_cacache")) if os.path.isdir(f"{path}/index-v5")]


def yarn_archives(folder: str, name: str, version: str) -> Iterator[Held]:
    """What a cache of yarn keeps of a release: archives of yarn 1, then zips of later ones."""
    slug = name.replace("/", "-")
    if not plain(slug) or not plain(version):
        return
    base = glob.escape(folder)
    for pattern in (f"npm-{glob.escape(slug)}-{glob.escape(version)}-*",):
        for path in sorted(glob.glob(f"{base}/{pattern}") + glob.glob(f"{base}/v[0-9]*/{pattern}")):
            archive = os.path.join(path, "node_modules", *name.split("/"), ".yarn-tarball.tgz")
            if os.path.isfile(archive):
                yield Held(archive, "yarn's cache")
    berry = f"{glob.escape(slug)}-npm-{glob.escape(version)}-*.zip"
    for path in sorted(glob.glob(f"{base}/{berry}") + glob.glob(f"{base}/cache/{berry}")):
        yield Held(path, "yarn's cache, a zip that yarn made of the archive", copy=True)


def yarn_versions(folder: str, name: str) -> list[str]:
    """The versions of a package that a cache of yarn holds, by the names of its files."""
    slug = name.replace("/", "-")
    if not plain(slug):
        return []
    base = glob.escape(folder)
    classic = re.compile(rf"npm-{re.escape(slug)}-(\d+\.\d+\.\d+.*?)-[0-9a-f]{{40,}}(?:-integrity)?")
    berry = re.compile(rf"{re.escape(slug)}-npm-(\d+\.\d+\.\d+.*?)-[0-9a-f]{{10}}(?:-[0-9a-z]+)?\.zip")
    found = set()
    for pattern in ("npm-", "v[0-9]*/npm-", "", "cache/"):
        tail = "*" if pattern.endswith("npm-") else "-npm-*.zip"
        for path in glob.glob(f"{base}/{pattern}{glob.escape(slug)}{tail}"):
            match = classic.fullmatch(os.path.basename(path)) or berry.fullmatch(os.path.basename(path))
            if match:
                found.add(match[1])
    return sorted(found)
