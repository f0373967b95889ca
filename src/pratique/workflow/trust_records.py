"""What the documents of many packages state of one version each: integrity, signatures, time; nothing else is decoded.

A lockfile names more than a thousand packages whose documents hold millions of bytes; of each, one version counts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, urljoin

import msgspec

from pratique.adapters.registry import NotFetched
from pratique.ecosystems.npm.documents import seconds
from pratique.ecosystems.references import npm_name
from pratique.workflow.documents import FRESH
from pratique.workflow.surroundings import Surroundings

TOGETHER = 8
"""So many documents are asked for at a time."""


class Signed(msgspec.Struct, frozen=True):
    """What a document states of a version, as it was decoded. `published` in seconds since the epoch, None: untold."""

    integrity: Any
    signatures: Any
    published: float | None
    source: str


class _Document(msgspec.Struct, gc=False):
    name: str
    versions: dict[str, msgspec.Raw] = {}
    time: msgspec.Raw = msgspec.Raw(b"{}")


class _Version(msgspec.Struct, gc=False):
    dist: dict[str, Any] = {}


_DOCUMENT = msgspec.json.Decoder(_Document)
_VERSION = msgspec.json.Decoder(_Version)
_TIMES = msgspec.json.Decoder(dict[str, Any])


class Records:
    """Documents out of named folders, of what is kept, of npm's cache; asked for before where that is allowed."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._problems: dict[str, str] = {}
        self._fetched: dict[str, bytes] = {}
        self._decoded: tuple[str, list[tuple[_Document, str]]] = ("", [])

    def ready(self, names: Iterable[str]) -> None:
        """Ask for the documents that are not at hand, several at a time; what cannot be had is told later."""
        from concurrent.futures import ThreadPoolExecutor

        around = self._around
        around.ready()
        if not around.online:
            return
        wanted = sorted(name for name in names if npm_name(name) and not self._named(name))
        with ThreadPoolExecutor(TOGETHER) as pool:
            list(pool.map(self._ask, wanted))

    def signed(self, name: str, version: str) -> Signed | str:
        """What is stated of a version; the reason where nothing is."""
        reason = self._problems.get(name, "")
        for document, source in self._documents(name):
            raw = document.versions.get(version)
            if raw is None:
                reason = reason or f"{source} does not hold the version"
                continue
            try:
                dist = _VERSION.decode(raw).dist
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                reason = f"what {source} states of the version cannot be read"
                continue
            return Signed(dist.get("integrity"), dist.get("signatures"), _published(document, version), source)
        return reason or "no document of the package is at hand"

    def _documents(self, name: str) -> list[tuple[_Document, str]]:
        if self._decoded[0] != name:
            found: list[tuple[_Document, str]] = []
            for data, source in self._bytes(name):
                try:
                    document = _DOCUMENT.decode(data)
                except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                    self._problems.setdefault(name, f"{source} is no document of a package")
                    continue
                if document.name == name:
                    found.append((document, source))
                    break
                self._problems.setdefault(name, f"{source} is about another package")
            self._decoded = (name, found)
        return self._decoded[1]

    def _bytes(self, name: str) -> Iterator[tuple[bytes, str]]:
        around = self._around
        yield from self._named(name)
        if name in self._fetched:
            yield self._fetched[name], "the registry"
        url = self._url(name)
        kept = around.kept.document(url) if url else None
        if kept is not None:
            yield kept[0], f"the registry as of {time.strftime('%Y-%m-%d', time.gmtime(kept[1]))}"
        for cache in around.npm_caches:
            for data in cache.documents(name, url.rpartition("/")[0] + "/" if url else ""):
                yield data, "npm's cache"

    def _named(self, name: str) -> list[tuple[bytes, str]]:
        return [
            (data, f"{place} in {folder.path}")
            for folder in self._around.named
            for data, place in folder.npm_documents(name)
        ]

    def _url(self, name: str) -> str:
        access = self._around.npm_access(name) if npm_name(name) else None
        return urljoin(access.url, quote(name, safe="@")) if access is not None else ""

    def _ask(self, name: str) -> None:
        around = self._around
        access, url = around.npm_access(name), self._url(name)
        kept = around.kept.document(url) if url else None
        if access is None:
            self._problems[name] = "no registry is configured for npm, and npm itself is not there to say its own"
            return
        if kept is not None and 0 <= time.time() - kept[1] < FRESH:
            return
        try:
            data, _ = around.client(access).document(url, "application/json")
        except NotFetched as error:
            self._problems[name] = f"the registry ({access.found_by}): {error}"
            return
        around.kept.keep_document(url, data)
        if around.kept.document(url) is None:
            self._fetched[name] = data


def _published(document: _Document, version: str) -> float | None:
    try:
        moment = seconds(_TIMES.decode(document.time).get(version))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    return None if moment is None or math.isnan(moment) else moment
