"""The folders of source that a release is compared with: of its tag, or of a rebuild."""

from __future__ import annotations

import contextlib
import functools
import posixpath
from collections.abc import Iterable, Mapping

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Fact, Files, Release
from pratique.releases import against_source
from pratique.releases.against_source import Of
from pratique.releases.sources import Source
from pratique.targets.release import open_release

MOST_MANIFESTS = 5000
LARGEST = 1 << 20


def compared_with(stack: contextlib.ExitStack, release: Release, source: str, rebuild: str) -> tuple[Source, ...]:
    """What compares a release with the named folders, which stay open as long as the stack.

    Raises TargetError where one of them cannot be opened.
    """
    found: list[Source] = []
    pairs: tuple[tuple[str, Of], ...] = ((source, "tag"), (rebuild, "rebuild"))
    for path, of in pairs:
        if path:
            files = open_release(path)
            stack.callback(files.close)
            folder = folder_of(files, release) if of == "tag" else ""
            found.append(functools.partial(_facts, source=files, folder=folder, of=of))
    return tuple(found)


def _facts(
    release: Release,
    predecessor: Release | None,
    files: Mapping[str, tuple[Fact, ...]],
    *,
    source: Files,
    folder: str,
    of: Of,
) -> Iterable[Fact | Refusal]:
    del files
    yield from against_source.facts(release, source, predecessor, folder=folder, of=of)


def folder_of(source: Files, release: Release) -> str:
    """Where the package lies in a repository of several: the folder whose manifest has its name, the least deep."""
    if release.ecosystem != "npm":
        return ""
    manifests = [path for path in source.members if posixpath.basename(path) == "package.json"]
    for path in sorted(manifests, key=lambda one: (one.count("/"), one))[:MOST_MANIFESTS]:
        try:
            manifest = msgspec.json.decode(source.read(path, LARGEST))
        except (Unreadable, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        if isinstance(manifest, dict) and manifest.get("name") == release.name:
            return posixpath.dirname(path)
    return ""
