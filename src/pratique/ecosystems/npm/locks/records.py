"""Records of npm releases: out of a registry's document, and out of entries of lockfiles that hold enough of them.

An entry of package-lock.json holds a whole record. One of yarn.lock (Yarn 1) or pnpm-lock.yaml holds what a lockfile of
the same kind needs; its manifest says so in `PARTIAL`, and no other codec takes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pratique.ecosystems.npm.locks.spans import NotJson, parse
from pratique.ecosystems.npm.urls import strip_url, tarball_release
from pratique.model.repair import PARTIAL, LockedRelease

Source = Literal["registry", "git-history", "cache", "file"]


def of_document(content: bytes, name: str, version: str, source: Source) -> LockedRelease | None:
    """The record in a registry's document of a package; None where it holds none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    versions = document.get("versions") if isinstance(document, dict) else None
    manifest = versions.get(version) if isinstance(versions, dict) else None
    if not isinstance(manifest, dict) or document.get("name") != name:
        return None
    dist = manifest.get("dist")
    dist = dist if isinstance(dist, dict) else {}
    integrity, sha1, tarball = (dist.get(key) for key in ("integrity", "shasum", "tarball"))
    return LockedRelease(
        name=name,
        version=version,
        manifest=manifest,
        integrity=integrity if isinstance(integrity, str) else None,
        sha1=sha1 if isinstance(sha1, str) and re.fullmatch("[0-9a-f]{40}", sha1) else None,
        tarball=strip_url(tarball) if isinstance(tarball, str) else None,
        source=source,
    )


def of_lockfile(path: str, content: bytes, name: str, version: str, source: Source) -> LockedRelease | None:
    """The record in a lockfile; None where it holds none, or not enough of it."""
    if name.encode() not in content or version.encode() not in content:
        return None
    base = path.rpartition("/")[2]
    if base in ("package-lock.json", "npm-shrinkwrap.json"):
        return _of_package_lock(content, name, version, source)
    text = content.decode("utf-8", "replace").replace("\r\n", "\n")
    if base == "yarn.lock" and "# yarn lockfile v1" in text:
        return _of_yarn(text, name, version, source)
    if base == "pnpm-lock.yaml":
        return _of_pnpm(text, name, version, source)
    return None


def _of_package_lock(content: bytes, name: str, version: str, source: Source) -> LockedRelease | None:
    try:
        packages = parse(content.decode()).get("packages")
    except (NotJson, UnicodeDecodeError):
        return None
    for member in packages or ():
        entry = member.value
        tail = member.key[member.key.rfind("node_modules/") + 13 :]
        if (
            "node_modules/" not in member.key
            or (entry.text("name") or tail) != name
            or entry.text("version") != version
        ):
            continue
        resolved, integrity = entry.text("resolved"), entry.text("integrity")
        if integrity is None or entry.true("inBundle") or (resolved and tarball_release(resolved) is None):
            continue
        manifest = entry.tree()
        for key in (
            "name",
            "resolved",
            "integrity",
            "inBundle",
            "extraneous",
            "peer",
            "dev",
            "optional",
            "devOptional",
        ):
            manifest.pop(key, None)
        return LockedRelease(
            name=name,
            version=version,
            manifest={"name": name, **manifest},
            integrity=integrity,
            tarball=strip_url(resolved) if resolved else None,
            source=source,
        )
    return None


_YARN_BLOCK = re.compile(r"^(?=[^\s#]).*:\n(?:  .*\n)+", re.MULTILINE)
_YARN_PAIR = re.compile(r'^    ("[^"]+"|\S+) ("[^"]+"|\S+)$', re.MULTILINE)


def _of_yarn(text: str, name: str, version: str, source: Source) -> LockedRelease | None:
    for match in _YARN_BLOCK.finditer(text if text.endswith("\n") else f"{text}\n"):
        block = match.group()
        if f'\n  version "{version}"\n' not in block:
            continue
        resolved = re.search(r'\n  resolved "([^"]+)"', block)
        integrity = re.search(r"\n  integrity (\S+)", block)
        if resolved is None or tarball_release(resolved[1]) != (name, version):
            continue
        sha1 = re.search("#([0-9a-f]{40})$", resolved[1])
        manifest: dict[str, Any] = {"name": name, "version": version, PARTIAL: "yarn-classic"}
        for group in ("dependencies", "optionalDependencies"):
            found = re.search(rf"\n  {group}:\n((?:    .*\n)+)", block)
            if found:
                manifest[group] = {key.strip('"'): value.strip('"') for key, value in _YARN_PAIR.findall(found[1])}
        return LockedRelease(
            name=name,
            version=version,
            manifest=manifest,
            integrity=integrity[1] if integrity else None,
            sha1=sha1[1] if sha1 else None,
            tarball=strip_url(resolved[1]),
            source=source,
        )
    return None


def _of_pnpm(text: str, name: str, version: str, source: Source) -> LockedRelease | None:
    from pratique.ecosystems.npm.locks.pnpm_document import parts_of

    parts = parts_of(text, name, version)
    if parts is None:
        return None
    described, depends = parts
    resolution = described.get("resolution")
    if not isinstance(resolution, Mapping) or not isinstance(resolution.get("integrity"), str):
        return None
    if set(resolution) - {"integrity", "tarball"}:
        return None
    manifest = {key: value for key, value in described.items() if key not in ("resolution", "dev", "optional")}
    manifest |= depends
    if manifest.pop("hasBin", None):
        manifest["bin"] = {name: ""}
    if manifest.pop("requiresBuild", None):
        manifest["hasInstallScript"] = True
    return LockedRelease(
        name=name,
        version=version,
        manifest={"name": name, "version": version, PARTIAL: "pnpm-lock", **manifest},
        integrity=resolution["integrity"],
        source=source,
    )


def bases(content: bytes, name: str) -> Iterator[str]:
    """The registries that a lockfile has a package of this name from, each with a slash at its end."""
    text = content.decode("utf-8", "replace")
    for match in re.finditer(rf'(https?://[^\s"\'?#]*?/){re.escape(name)}/-/', text):
        yield strip_url(match[1])
