"""What pnpm's lockfile says of one release: the fields that describe it, in pnpm's own words and order.

References: pnpm 12.21.0 and 8.15.9, lockfile.fs (sortLockfileKeys), resolve-dependencies (updateLockfile).
"""

from __future__ import annotations

import re
from typing import Any

from pratique.ecosystems.npm.locks.package_entry import derived
from pratique.ecosystems.npm.locks.pnpm_layout import Block, Form, Key, Stop, leaves, scalar, unquote
from pratique.model.repair import LockedRelease

OLD_ORDER = (
    "resolution", "id", "name", "version", "engines", "cpu", "os", "libc", "deprecated", "hasBin", "prepare",
    "requiresBuild", "peerDependencies", "peerDependenciesMeta", "dependencies", "optionalDependencies",
    "transitivePeerDependencies", "dev", "optional", "bundledDependencies",
)  # fmt: skip
"""The order of an entry's fields in 5.x and 6.x."""
NEW_ORDER = tuple(key for key in OLD_ORDER if key != "bundledDependencies")
NEW_ORDER = (*NEW_ORDER[:12], "bundledDependencies", *NEW_ORDER[12:])
"""The order of an entry's fields in 9.0."""
_OF_RELEASE = frozenset(
    {"resolution", "engines", "cpu", "os", "libc", "deprecated", "hasBin", "requiresBuild", "peerDependencies",
     "peerDependenciesMeta", "bundledDependencies"}
)  # fmt: skip


def described(form: Form, block: Block, release: LockedRelease, bad: str) -> dict[str, list[str]]:
    """The fields that describe a release, as pnpm writes them."""
    old = block.fields()
    manifest = release.manifest
    made: dict[str, list[str]] = {"resolution": [_resolution(old, release, bad)]}
    engines = manifest.get("engines")
    if isinstance(engines, dict):
        flow = ", ".join(
            f"{scalar(str(name))}: {scalar(str(value))}" for name, value in engines.items() if value != "*"
        )
        if flow:
            made["engines"] = [f"    engines: {{{flow}}}"]
    for field in ("cpu", "os", "libc"):
        value = manifest.get(field)
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and listed and listed != ["any"]:
            made[field] = [f"    {field}: [{', '.join(scalar(str(item)) for item in listed)}]"]
    if isinstance(manifest.get("deprecated"), str) and manifest["deprecated"]:
        made["deprecated"] = [f"    deprecated: {scalar(manifest['deprecated'])}"]
    directories = manifest.get("directories")
    if manifest.get("bin") or (isinstance(directories, dict) and directories.get("bin")):
        made["hasBin"] = ["    hasBin: true"]
    scripts = manifest.get("scripts")
    runs = isinstance(scripts, dict) and any(name in scripts for name in ("preinstall", "install", "postinstall"))
    if form != "bare" and (runs or manifest.get("hasInstallScript") or manifest.get("gypfile")):
        made["requiresBuild"] = ["    requiresBuild: true"]
    peers = mapping_of(release, "peerDependencies")
    meta = {
        name: item
        for name, item in mapping_of(release, "peerDependenciesMeta").items()
        if isinstance(item, dict) and item.get("optional")
    }
    for name in meta:
        peers.setdefault(name, "*")
    if peers:
        made["peerDependencies"] = ["    peerDependencies:", *lines_of(peers)]
    if meta:
        made["peerDependenciesMeta"] = ["    peerDependenciesMeta:"]
        for name in sorted(meta):
            made["peerDependenciesMeta"] += [f"      {scalar(name)}:", "        optional: true"]
    bundled = manifest.get("bundleDependencies") or manifest.get("bundledDependencies")
    if isinstance(bundled, list):
        made["bundledDependencies"] = [
            "    bundledDependencies:",
            *(f"      - {scalar(str(item))}" for item in bundled),
        ]
    elif bundled:
        made["bundledDependencies"] = ["    bundledDependencies: true"]
    kept = {name: lines for name, lines in old.items() if name not in _OF_RELEASE}
    return {**made, **kept}


def _resolution(old: dict[str, list[str]], release: LockedRelease, bad: str) -> str:
    """The line with digest and, where the file has it, address."""
    lines = old.get("resolution", [])
    match = re.fullmatch(r"    resolution: \{(.*)\}", lines[0]) if len(lines) == 1 else None
    if match is None:
        raise Stop(f"the resolution of {release.name}@{bad} is not in pnpm's layout")
    fields = {}
    for part in match[1].split(", "):
        name, _, value = part.partition(": ")
        fields[name] = unquote(value)
    if not fields.keys() <= {"integrity", "tarball"}:
        raise Stop(f"{release.name}@{bad} comes from no registry: change its source by hand")
    if release.integrity is None:
        raise Stop(f"nothing at hand knows the digest of {release.name} {release.version}")
    flow = f"integrity: {scalar(release.integrity)}"
    if "tarball" in fields:
        address = derived(fields["tarball"], release.name, bad, release)
        if address is None:
            raise Stop(f"the address of {release.name} {release.version} cannot be told from that of {bad}")
        flow += f", tarball: {scalar(address)}"
    return f"    resolution: {{{flow}}}"


def peers(key: Key, block: Block, release: LockedRelease) -> None:
    """Raises Stop where the good release has other peers: its key would be another."""
    had = set(block.mapping("peerDependencies")) | {
        path[1] for _, path, _ in leaves(block.lines[1:]) if path[0] == "peerDependenciesMeta" and len(path) > 2
    }
    has = set(mapping_of(release, "peerDependencies")) | set(mapping_of(release, "peerDependenciesMeta"))
    if had != has:
        raise Stop(f"{release.name}@{release.version} has other peers than {key.name}@{key.version}")


def mapping_of(release: LockedRelease, field: str) -> dict[str, Any]:
    """A mapping of a release's manifest; empty where it has none."""
    value = release.manifest.get(field)
    return dict(value) if isinstance(value, dict) else {}


def lines_of(mapping: dict[str, str]) -> list[str]:
    """The lines of a mapping inside a field of an entry, in pnpm's order."""
    return [f"      {scalar(name)}: {scalar(str(mapping[name]))}" for name in sorted(mapping)]
