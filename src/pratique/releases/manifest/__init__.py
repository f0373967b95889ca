"""Facts of the manifest of an npm release, each against the manifest of its predecessor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pratique.model.observation import Refusal
from pratique.model.release import Fact, Release
from pratique.releases.manifest import bundled, dependencies, document, fields, gyp, scripts


def facts(
    release: Release, predecessor: Release | None, file_facts: Mapping[str, tuple[Fact, ...]]
) -> Iterator[Fact | Refusal]:
    """All facts of the manifest of an npm release, with their deltas; nothing for another ecosystem.

    `file_facts` maps a path to the facts of that file in the release; imports are read from there. A manifest that is
    missing or cannot be read is a refusal, as is one of the predecessor: its deltas are then `unknown`.
    """
    if release.ecosystem != "npm":
        return
    manifest, refusals = document.read(release)
    yield from refusals
    before: document.Manifest | None = None
    if predecessor is not None:
        before, earlier = document.read(predecessor)
        for one in earlier if before is None else ():
            yield document.refusal(f"of the predecessor {predecessor.version} {one.reason}")
    compared = predecessor if before is not None else None
    yield from gyp.facts(release, predecessor)
    yield from bundled.facts(release, manifest, predecessor)
    if manifest is None:
        return
    yield from document.identity(manifest, release)
    yield from scripts.facts(release, manifest, compared, before)
    yield from fields.bin_facts(release, manifest, before)
    yield from fields.field_facts(manifest, before)
    yield from dependencies.facts(release, manifest, compared, before, file_facts)
