"""Pipenv's lockfile: Pipfile.lock.

## Reads
`pipfile-spec` 6: each release of every category (`default`, `develop` and named ones) with its hashes. Entries from
git, a path or a URL are reported with that origin where a version is stated.

## Leaves out
Markers, and which index of several an entry came from. A key that stands twice is refused, not chosen from.

## References
Pipenv 2026.10.3, `pipenv/utils/locking.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pratique.ecosystems.pypi.names import normalise
from pratique.ecosystems.pypi.requirements import exact
from pratique.model.observation import Observation, Origin, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.pypi.tables import locked, text_of, version_in
from pratique.readers.text import decode_text, load_json, refuse

_SALVAGE = re.compile(r'"([A-Za-z0-9][A-Za-z0-9._-]*)": \{[^{}]*?"version": "==([^"\\]+)"', re.DOTALL)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one fact for each locked release of interest. Raises Unreadable."""
    wanted = interest.wanted("PyPI")
    times = artifact.modified_time("the lockfile was last written")
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    reason = None
    document: Any
    try:
        document, twice = load_json(text)
        if twice is not None:
            reason = "a key stands twice"
    except (ValueError, RecursionError):
        document, reason = None, "is not whole JSON"
    if reason is not None:
        for name, version in dict.fromkeys(_SALVAGE.findall(text)):
            if normalise(name) in wanted:
                yield Observation(READER.name, artifact.location(), locked(artifact, name, version), times)
        yield refuse(artifact, READER, reason)
        return
    if not isinstance(document, dict) or not isinstance(document.get("_meta"), dict):
        yield refuse(artifact, READER, "is no lockfile of Pipenv")
        return
    for category, entries in document.items():
        if category == "_meta":
            continue
        if not isinstance(entries, dict):
            yield refuse(artifact, READER, "holds a category that is none")
            continue
        for name, entry in entries.items():
            if normalise(name) not in wanted:
                continue
            fields = entry if isinstance(entry, dict) else {"version": entry}
            origin: Origin = "registry"
            if any(key in fields for key in ("git", "hg", "svn", "bzr")):
                origin = "git"
            elif "path" in fields:
                origin = "file"
            elif "file" in fields:
                origin = "remote-tarball"
            stated = text_of(fields.get("version"))
            version = (exact(stated) if stated else None) or version_in(fields.get("file"), fields.get("path"))
            if version is None:
                if origin not in ("git", "file"):
                    yield refuse(artifact, READER, "names a package without its version", names=(normalise(name),))
                continue
            hashes = fields.get("hashes")
            integrity = (
                tuple(item.lower() for item in hashes if isinstance(item, str)) if isinstance(hashes, list) else ()
            )
            fact = locked(
                artifact, name, version, origin=origin, integrity=integrity, dev=True if category == "develop" else None
            )
            yield Observation(READER.name, artifact.location(), fact, times)


READER = Reader(name="pipfile-lock", ecosystem="PyPI", read=read, basenames=("Pipfile.lock",))
