"""Yarn classic's download cache: the .yarn-metadata.json beside each unpacked package.

## Reads
The file that Yarn 1 writes into `v6/npm-<name>-<version>-<sha1>-integrity/node_modules/<name>/` when it has unpacked an
archive: the manifest as it was then, the archive's URL, integrity and SHA-1. An alias stands in the folder's name only.
Nothing that a script does in a project changes this copy.

## Leaves out
The unpacked files and the archive beside it.

## References
Yarn 1.22.22, lib/cli.js (package fetcher, tarball fetcher).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.urls import origin_of, strip_url
from pratique.model.location import shown
from pratique.model.observation import ComponentFact, Observation, Origin, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.npm.syml import sound
from pratique.readers.text import decode_text, load_json, refuse

_ORIGINS: dict[str, Origin] = {"git": "git", "copy": "file", "link": "link", "workspace": "workspace"}


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the release that a cache entry holds, if its name is of interest."""
    wanted = interest.wanted("npm")
    document, twice = _document(artifact.content())
    manifest = document.get("manifest") if isinstance(document, dict) else None
    remote = document.get("remote") if isinstance(document, dict) else None
    name = _text(manifest, "name")
    version = _text(manifest, "version")
    if name is None or version is None or not isinstance(remote, dict):
        yield refuse(artifact, READER, "is not whole JSON" if document is None else "names no release or no source")
        return
    if twice is not None:
        yield refuse(artifact, READER, f"the key {sound(twice)[:80]!r} stands twice")
    if name not in wanted:
        return
    place = place_of(artifact.path)
    resolved = _text(remote, "resolved") or _text(remote, "reference")
    integrity = tuple((_text(remote, "integrity") or "").split())
    digest = _text(remote, "hash") or ""
    origin = _ORIGINS.get(_text(remote, "type") or "") or origin_of(resolved)
    if origin != "git" and re.fullmatch(r"[0-9a-f]{40}", digest):
        integrity += (f"sha1-{base64.b64encode(bytes.fromhex(digest)).decode()}",)
    scripts = manifest.get("scripts") if isinstance(manifest, dict) else None
    runs = isinstance(scripts, dict) and any(key in scripts for key in ("preinstall", "install", "postinstall"))
    fact = ComponentFact(
        name=name,
        version=version,
        depth="fetched",
        record="cache",
        origin=origin,
        integrity=integrity,
        resolved=strip_url(resolved) if resolved else None,
        folder=shown(place.folder) if place.package else None,
        alias=shown(place.package) if place.package and place.package != name else None,
        install_script=True if runs else None,
    )
    times = artifact.modified_time("the archive was put into the cache")
    yield Observation(READER.name, artifact.location(), fact, times)


def _document(data: bytes) -> tuple[Any, str | None]:
    """The JSON document, None where it is broken, and a key that stands twice.

    A key that stands twice is gone, with its quotes, when the decoded document is written out anew.
    """
    try:
        document = msgspec.json.decode(data)
        if b"\\u0022" not in data and msgspec.json.encode(document).count(b'"') == data.count(b'"'):
            return document, None
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    text = decode_text(data)
    if text is None:
        return None, None
    try:
        return load_json(text)
    except (ValueError, RecursionError):
        return None, None


def _text(holder: object, key: str) -> str | None:
    value = holder.get(key) if isinstance(holder, dict) else None
    return sound(value) if isinstance(value, str) else None


READER = Reader(
    name="yarn-cache-metadata",
    ecosystem="npm",
    read=read,
    basenames=(".yarn-metadata.json",),
    subject="cache",
)
