"""package.json: what a project asks for, and what an unpacked package says it is.

## Reads
In a project (outside node_modules, caches and stores): dependencies of all kinds, bundled dependencies, `overrides`
(npm), `resolutions` (yarn), `pnpm.overrides`, script allow-lists (`allowScripts`, `pnpm.onlyBuiltDependencies`,
`trustedDependencies`, `dependenciesMeta.*.built`); in npx's own projects (`_npx/<hash>/package.json`) also the package
specifiers as they were typed (`_npx.packages`, npm 11 and later). In a tree or cache: the name and version that the
package claims, the version that its folder's name records, lifecycle scripts, npm 6's `_resolved` and `_integrity`
fields. In an archive of a package (`package/package.json`): the release that it is, with the archive's digests.
Byte order marks, CRLF and UTF-16 are read.

## Leaves out
A manifest is written by the package itself and may lie: malicious code can replace it after it ran. Manifests that
name no package (templates, fixtures) say nothing and are counted only. An implicit install script (`binding.gyp`) is
not seen here.

## References
npm documentation "package.json"; Yarn documentation "Manifest fields"; pnpm documentation "package.json".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.ecosystems.npm.paths import CACHE_LAYOUTS, Place, place_of
from pratique.ecosystems.npm.urls import origin_of, strip_url
from pratique.model.observation import (
    ComponentFact,
    Observation,
    PolicyFact,
    ProtectionFact,
    RangeFact,
    Refusal,
)
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.text import decode_text, refuse


class Head(msgspec.Struct, gc=False):
    """The two fields that every installed manifest is asked for."""

    name: str | None = None
    version: str | None = None


_HEAD = msgspec.json.Decoder(Head)
_PART = len("/package.json")
_RELEASED = "package/package.json"
_DEPENDENCY_FIELDS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_WRITTEN = "the manifest was last written"
_LIFECYCLE = ("preinstall", "install", "postinstall")
_EXACT = re.compile(r"[=v\s]*(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?\s*")

_NPX = re.compile(r"(?:^|/)_npx/[0-9a-f]{16}/package\.json\Z")
_SPECIFIER = re.compile(r"(?!git@[^/:]+:)(?P<name>(?:@[^\s/@:]+/)?[^\s/@:]+)(?:@(?P<range>.*))?", re.DOTALL)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what a manifest declares or claims about names of interest."""
    data = artifact.content()
    wanted = interest.wanted("npm")
    path = artifact.path
    if "node_modules/" in path and _of_no_interest(path, data, wanted):
        return iter(())
    if path == _RELEASED and artifact.in_archive:
        return _released(artifact, data, wanted)
    place = place_of(path)
    if place.package is not None:
        return _installed(artifact, data, place, wanted)
    return _project(artifact, data, wanted)


def _of_no_interest(path: str, data: bytes, wanted: frozenset[str] | Everything) -> bool:
    """Whether a whole manifest in a tree neither claims a name of interest nor lies in a folder of that name."""
    try:
        name = _HEAD.decode(data).name
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    if name in wanted:
        return False
    folder = path[:-_PART]
    cut = folder.rfind("/")
    scope = folder.rfind("/", 0, cut) + 1
    return (folder[scope:] if folder.startswith("@", scope) else folder[cut + 1 :]) not in wanted


def _decode(data: bytes) -> Any:
    """The whole document, any Unicode encoding; raises ValueError or RecursionError."""
    text = decode_text(data)
    if text is None:
        raise ValueError("is not text in UTF-8 or UTF-16")
    return json.loads(text)


def _installed(
    artifact: Artifact, data: bytes, place: Place, wanted: frozenset[str] | Everything
) -> Iterator[Observation | Refusal]:
    """A manifest below a package's folder. Deeper ones without a name are parts of the package, not packages."""
    try:
        head = _HEAD.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            document = _decode(data)
        except (ValueError, RecursionError) as error:
            document = None
            reason = str(error) or "is nested too deeply"
        if not isinstance(document, dict):
            package = place.package or ""
            relevant = place.at_root and package in wanted
            reason = reason if document is None else "is not a JSON object"
            yield artifact.refusal(READER.name, reason, relevant=relevant, names=(package,))
            return
        head = Head(_text(document.get("name")), _text(document.get("version")))
    name, version = head.name, head.version
    named = name is not None and name in wanted
    by_folder = place.at_root and place.package is not None and place.package in wanted
    if not named and not by_folder:
        return
    try:
        document = _decode(data)
    except (ValueError, RecursionError):
        document = {}
    cached = place.layout in CACHE_LAYOUTS
    yield from _claims(artifact, place, name if named else None, version, document, cached)
    if named and not cached and isinstance(document, dict):
        for asked, text in _mapping(document.get("dependencies")):
            real, asked_range = _real(asked, text)
            if real in wanted:
                by = f"{name}@{version}"
                fact = RangeFact(name=real, range=_range(asked_range), field="dependencies", asked_by=by)
                yield Observation(READER.name, artifact.location(), fact)
    if by_folder and place.version is not None and place.package is not None:
        yield Observation(
            READER.name,
            artifact.location(),
            ComponentFact(
                name=place.package,
                version=place.version,
                depth="fetched" if cached else "installed",
                record="cache" if cached else "folder-name",
                folder=place.folder,
            ),
        )


def _claims(  # what the manifest itself says
    artifact: Artifact, place: Place, name: str | None, version: str | None, document: dict[str, Any], cached: bool
) -> Iterator[Observation]:
    if name is None or version is None:
        return
    scripts = document.get("scripts")
    resolved = _text(document.get("_resolved"))
    integrity = _text(document.get("_integrity"))
    own = place.at_root and place.package == name
    yield Observation(
        READER.name,
        artifact.location(),
        ComponentFact(
            name=name,
            version=version,
            depth="fetched" if cached else "installed",
            record="cache" if cached else "manifest",
            origin=origin_of(resolved),
            integrity=tuple(integrity.split()) if integrity else (),
            resolved=strip_url(resolved) if resolved else None,
            folder=place.folder if place.at_root else artifact.path.rpartition("/")[0],
            alias=place.package or None if place.at_root and not own else None,
            install_script=True
            if isinstance(scripts, dict) and any(key in scripts for key in _LIFECYCLE[:3])
            else None,
            shipped_in=None if place.at_root else place.package or None,
        ),
        artifact.modified_time(_WRITTEN),
    )


def _released(artifact: Artifact, data: bytes, wanted: frozenset[str] | Everything) -> Iterator[Observation | Refusal]:
    """The manifest of a release in its own archive, as the registry serves it."""
    try:
        document = _decode(data)
    except (ValueError, RecursionError) as error:
        yield artifact.refusal(READER.name, str(error) or "is nested too deeply")
        return
    if not isinstance(document, dict):
        yield artifact.refusal(READER.name, "is not a JSON object")
        return
    name, version = _text(document.get("name")), _text(document.get("version"))
    if name is None or version is None or name not in wanted:
        return
    fact = ComponentFact(
        name=name,
        version=version,
        depth="fetched",
        record="archive",
        integrity=artifact.container() if artifact.container is not None else (),
        install_script=True if _runs_at_install(document.get("scripts")) else None,
    )
    yield Observation(READER.name, artifact.location(), fact, artifact.modified_time("the archive was last written"))


def _runs_at_install(scripts: object) -> bool:
    return isinstance(scripts, dict) and any(key in scripts for key in _LIFECYCLE)


def _project(artifact: Artifact, data: bytes, wanted: frozenset[str] | Everything) -> Iterator[Observation | Refusal]:
    """A project's own manifest."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            document = _decode(data)
        except (ValueError, RecursionError) as error:
            yield _irrelevant(artifact, str(error) or "is nested too deeply")
            return
    if not isinstance(document, dict):
        yield _irrelevant(artifact, "is not a JSON object")
        return
    location = artifact.location()
    for field in _DEPENDENCY_FIELDS:
        for name, asked in _mapping(document.get(field)):
            real, text = _real(name, asked)
            if real in wanted:
                exact = _EXACT.fullmatch(text)
                fact = RangeFact(name=real, range=_range(text), field=field, exact=exact[1] if exact else None)
                yield Observation(READER.name, location, fact, artifact.modified_time(_WRITTEN))
    if _NPX.search(artifact.path):
        for asked_npx in _typed(document.get("_npx")):
            if asked_npx.name in wanted:
                yield Observation(READER.name, location, asked_npx)
    for protection in _protections(document):
        if protection.name in wanted:
            yield Observation(READER.name, location, protection)
    for policy in _policies(document):
        if any(name.split("@", 1)[0] in wanted or name in wanted for name in policy.names) or not policy.names:
            yield Observation(READER.name, location, policy)
    own, version = _text(document.get("name")), _text(document.get("version"))
    if isinstance(wanted, Everything) and own and version:
        fact_own = ComponentFact(name=own, version=version, depth="declared", record="manifest", origin="workspace")
        yield Observation(READER.name, location, fact_own)


def _typed(value: object) -> Iterator[RangeFact]:
    """The package specifiers that were typed after `npx`, as npm keeps them in the project that it makes for them."""
    packages = value.get("packages") if isinstance(value, dict) else None
    for typed in packages if isinstance(packages, list) else ():
        match = _SPECIFIER.fullmatch(typed) if isinstance(typed, str) else None
        if match:
            name, text = _real(match["name"], match["range"] or "*")
            exact = _EXACT.fullmatch(text)
            yield RangeFact(name=name, range=_range(text), field="npx", exact=exact[1] if exact else None)


def _irrelevant(artifact: Artifact, reason: str) -> Refusal:
    """A project manifest that is no manifest: a template or a fixture; it resolves and installs nothing itself."""
    refusal = refuse(artifact, READER, reason)
    return msgspec.structs.replace(refusal, relevant=False)


def _mapping(value: object) -> list[tuple[str, str]]:
    """Pairs of text out of something that should be an object."""
    if not isinstance(value, dict):
        return []
    return [(key, item) for key, item in value.items() if isinstance(key, str) and isinstance(item, str)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _real(name: str, asked: str) -> tuple[str, str]:
    """Real name and range behind an alias such as `npm:chalk@^4.1.2`."""
    if not asked.startswith("npm:"):
        return name, asked
    target = asked[4:]
    at = target.find("@", 1)
    return (target, "*") if at < 0 else (target[:at], target[at + 1 :])


def _range(text: str) -> str:
    """A range as evidence: URLs lose their secrets."""
    return strip_url(text) if "//" in text or "@" in text else text


def _protections(document: dict[str, Any]) -> Iterator[ProtectionFact]:
    """`overrides`, `resolutions` and `pnpm.overrides`, flattened."""
    stack: list[tuple[str, object]] = [("overrides", document.get("overrides"))]
    pnpm = document.get("pnpm")
    if isinstance(pnpm, dict):
        stack.append(("pnpm.overrides", pnpm.get("overrides")))
    stack.append(("resolutions", document.get("resolutions")))
    while stack:
        field, value = stack.pop(0)
        if not isinstance(value, dict):
            continue
        for key, item in value.items():
            selector = key.rsplit(">", 1)[-1].strip()
            if field.startswith("resolutions"):
                selector = re.sub(r"^(?:.*/)?((?:@[^/]+/)?[^/]+)$", r"\1", selector)
            at = selector.find("@", 1)
            name = selector if at < 0 else selector[:at]
            if isinstance(item, str) and ":" not in name:
                yield ProtectionFact(name=name, field=field, selector=_range(key), forces=_range(item))
            elif isinstance(item, dict):
                stack.append((f"{field}.{_range(key)}", item))


def _policies(document: dict[str, Any]) -> Iterator[PolicyFact]:
    """Script allow-lists and deny-lists: the names alone."""
    allow = document.get("allowScripts")
    if isinstance(allow, dict):
        for decision, chosen in (("allow", True), ("deny", False)):
            names = tuple(sorted(_range(key) for key, item in allow.items() if item is chosen))
            if names:
                yield PolicyFact(setting="allowScripts", value=decision, names=names)
    trusted = document.get("trustedDependencies")
    if isinstance(trusted, list):
        names = tuple(sorted(_range(item) for item in trusted if isinstance(item, str)))
        yield PolicyFact(setting="trustedDependencies", value="allow", names=names, manager="bun")
    pnpm = document.get("pnpm")
    if isinstance(pnpm, dict):
        for setting in ("onlyBuiltDependencies", "neverBuiltDependencies"):
            listed = pnpm.get(setting)
            if isinstance(listed, list):
                names = tuple(sorted(_range(item) for item in listed if isinstance(item, str)))
                value = "allow" if setting == "onlyBuiltDependencies" else "deny"
                yield PolicyFact(setting=f"pnpm.{setting}", value=value, names=names, manager="pnpm")
    meta = document.get("dependenciesMeta")
    if isinstance(meta, dict):
        for decision, chosen in (("allow", True), ("deny", False)):
            built = (_range(k) for k, item in meta.items() if isinstance(item, dict) and item.get("built") is chosen)
            names = tuple(sorted(built))
            if names:
                yield PolicyFact(setting="dependenciesMeta.built", value=decision, names=names, manager="yarn")
    manager = document.get("packageManager")
    if isinstance(manager, str):
        name, _, version = manager.partition("@")
        yield PolicyFact(setting="packageManager", value=_range(version.partition("+")[0]), manager=_range(name))


READER = Reader(
    name="manifest",
    ecosystem="npm",
    read=read,
    basenames=("package.json",),
    subject="project",
    relevance="named-folder",
)
