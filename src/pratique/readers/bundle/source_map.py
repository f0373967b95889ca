"""Source maps of bundles: which files of which packages went into a build output, often with their content.

## Reads
`*.js.map`, `*.mjs.map` and `*.cjs.map` of version 3, indexed ones (`sections`) too, in the folders that builds write
to; a single one that is named as a target, wherever it lies. `sources` below `node_modules` name the packages, pnpm's
folder names their versions. `sourcesContent` of a package's own files tells its release by version constant, manifest
or banner; the digest of every content is compared with those that are listed, as UTF-8, as the file had it.

## Leaves out
`mappings` and `names`. A source that a bundler folded away is absent: webpack drops axios' version file where it
inlines the version. Byte order marks and line ends that a bundler changed make another digest. Maps of style sheets.

## References
ECMA-426 "Source map format"; webpack documentation "Devtool"; builds with webpack 5, rollup 4, esbuild 0.25, vite 7 and
parcel 2.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.paths import Place, place_of
from pratique.model.observation import BundledFact, DigestFact, Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.bundle.telling import FOLDERS, OUTSIDE, Findings, manifest, own, signatures
from pratique.readers.text import decode_text, load_json, refuse

_GUARD = re.compile(r"^\)\]\}'[^\n]*\n")
_KEYS = (b'"sources"', b'"sourcesContent"', b'"sections"', b'"map"')
"""Inside another string their quotes are escaped: who counts them counts keys."""


class Map(msgspec.Struct, rename={"sources_content": "sourcesContent", "source_root": "sourceRoot"}):
    """The parts of a source map that are read."""

    sources: Any = None
    sources_content: Any = None
    source_root: Any = None
    sections: Any = None
    version: Any = None


_DECODER = msgspec.json.Decoder(Map)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield packages, releases and listed digests; a refusal for what is not a whole source map."""
    found = Digesting(interest)
    reason = within(artifact.content(), interest, found)
    yield from found.observations(artifact, READER.name)
    if reason is not None:
        yield refuse(artifact, READER, reason)


class Digesting(Findings):
    """Findings, and the sources whose digest is listed: path, algorithm and digest."""

    def __init__(self, interest: Interest) -> None:
        super().__init__(interest.wanted("npm"))
        self.listed: set[tuple[str, str, str]] = set()

    def observations(self, artifact: Artifact, reader: str) -> Iterator[Observation | Refusal]:
        """The facts, and behind them the sources whose digest is listed."""
        yield from super().observations(artifact, reader)
        for path, algorithm, digest in sorted(self.listed):
            fact = DigestFact(path=path, algorithm=algorithm, digest=digest, expected=digest, equal=True)
            yield Observation(reader, artifact.location(), fact)


def within(data: bytes, interest: Interest, found: Digesting) -> str | None:
    """Take in what the bytes of a source map tell; why they are none, or not wholly read."""
    for fragment in interest.fragments.get("bundle", ()):
        if fragment.encode() in data:
            found.contents.add(fragment)
    document, reason = _decoded(data)
    if document is None:
        return reason
    sections = document.sections if isinstance(document.sections, list) else []
    if document.sections is not None and not isinstance(document.sections, list):
        reason = "its sections are no list"
    if document.sources is None and not sections:
        return "has neither sources nor sections"
    for item in (document, *(_section(section) for section in sections)):
        if item is not None and item.sources is not None:
            reason = _sources(item, interest, found) or reason
        elif item is None or item is not document:
            reason = "has a section that is read elsewhere or is none"
    return reason


def _decoded(data: bytes) -> tuple[Map | None, str | None]:
    text = decode_text(data)
    if text is None:
        return None, "is not UTF-8"
    text = _GUARD.sub("", text)
    if all(data.count(key) <= 1 for key in _KEYS):
        try:
            return _DECODER.decode(text), None
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            pass
    try:
        document, twice = load_json(text)
    except (ValueError, RecursionError) as error:
        return None, f"is not whole JSON: {error}"
    if not isinstance(document, dict):
        return None, "is no source map"
    reason = f"holds the key {twice!r} twice; the last was read" if twice is not None else None
    keys = ("sources", "sourcesContent", "sourceRoot", "sections", "version")
    return Map(*(document.get(key) for key in keys)), reason


def _section(value: object) -> Map | None:
    document = value.get("map") if isinstance(value, dict) else None
    if not isinstance(document, dict):
        return None
    return Map(document.get("sources"), document.get("sourcesContent"), document.get("sourceRoot"))


def _sources(document: Map, interest: Interest, found: Digesting) -> str | None:
    """Take in the sources of one map, and their content."""
    sources, contents = document.sources, document.sources_content
    if not isinstance(sources, list):
        return "its sources are no list"
    odd = contents is not None and not isinstance(contents, list)
    contents = contents if isinstance(contents, list) else []
    root = document.source_root if isinstance(document.source_root, str) else ""
    packages: dict[tuple[str, str], list[tuple[str, str]]] = {}
    versions: dict[tuple[str, str], str] = {}
    for index, source in enumerate(sources):
        content = contents[index] if index < len(contents) else None
        if not isinstance(source, str):
            odd = odd or source is not None
            continue
        odd = odd or not isinstance(content, str | None)
        if isinstance(content, str):
            _digest(source, content, interest, found)
        place = _place(root, source)
        if place is None or not place.package or place.package not in found.wanted:
            continue
        key = (place.package, place.folder)
        files = packages.setdefault(key, [])
        if place.version:
            versions[key] = place.version
        if isinstance(content, str):
            files.append((source, content))
    for key, files in packages.items():
        _package(key[0], versions.get(key), files, interest, found)
    return "has sources or contents that are no text" if odd else None


def _place(root: str, source: str) -> Place | None:
    """Where a source lies, if that is below node_modules."""
    path = source.partition("?")[0].replace("\\", "/")
    if "node_modules/" not in path:
        if "node_modules" not in root:
            return None
        path = f"{root.rstrip('/')}/{path}"
    return place_of(path.replace("/./node_modules/", "/node_modules/"))


def _package(name: str, version: str | None, files: list[tuple[str, str]], interest: Interest, found: Findings) -> None:
    """What one folder of a package tells."""
    told = False
    if version:
        found.release(name, version, "path")
        told = True
    for source, content in files:
        if source.partition("?")[0].endswith("package.json"):
            said = manifest(content, name)
            if said:
                found.release(name, said, "manifest")
                told = True
    if files:
        texts = (content.encode("utf-8", "replace") for _, content in files)
        told = own(texts, name, signatures(interest).get(name), found) or told
    if not told:
        found.package(BundledFact(name=name))


def _digest(source: str, content: str, interest: Interest, found: Digesting) -> None:
    """Note a source whose digest is listed."""
    listed = interest.digests.get("sha256")
    if listed:
        digest = hashlib.sha256(content.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
        if digest in listed:
            found.listed.add((source, "sha256", digest))


READER = Reader(
    name="source-map",
    ecosystem="npm",
    read=read,
    suffixes=(".js.map", ".mjs.map", ".cjs.map"),
    folders=FOLDERS,
    outside=OUTSIDE,
    resolves=False,
)
