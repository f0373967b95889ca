"""Copies of packages that lie inside a release: in `node_modules`, or as a manifest of another name elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Delta, Fact, Files, Release
from pratique.releases.manifest.dependencies import declared
from pratique.releases.manifest.document import Manifest, refusal, short

MOST = 2_000
LARGEST = 1 << 20
_EXAMPLE = re.compile(
    r"(^|/)(tests?|__tests__|specs?|examples?|fixtures?|templates?|demos?|samples?|docs?|boilerplates?|schematics?"
    r"|generators?|blueprints?|scaffolds?|starters?|__fixtures__|mocks?|__mocks__)(/|$|-)",
    re.IGNORECASE,
)


class _Copy(msgspec.Struct):
    name: object = ""
    version: object = ""


def _copies(files: Files, own: str) -> tuple[dict[str, tuple[str, str]], list[Refusal]]:
    """The path of each inner manifest of another package with its name and version, and what could not be read."""
    found: dict[str, tuple[str, str]] = {}
    refusals: list[Refusal] = []
    paths = [path for path in files.members if path.endswith("/package.json")]
    if len(paths) > MOST:
        refusals.append(refusal(f"{len(paths)} manifests lie inside: {MOST} of them were read"))
    for path in paths[:MOST]:
        folder = posixpath.dirname(path)
        bundled = bool(re.search(r"(^|/)node_modules/(@[^/]+/)?[^/]+$", folder))
        if not bundled and _EXAMPLE.search(folder):
            continue
        try:
            copy = msgspec.json.decode(files.read(path, LARGEST), type=_Copy)
        except Unreadable as error:
            refusals.append(refusal(f"cannot be read: {error}", path))
            continue
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            copy = _Copy()
        name = copy.name if isinstance(copy.name, str) else ""
        version = copy.version if isinstance(copy.version, str) else ""
        if bundled:
            name = name or folder.rpartition("node_modules/")[2]
        elif not name or not version or name == own:
            continue
        found[path] = (short(name), short(version))
    return found, refusals


def facts(release: Release, manifest: Manifest | None, predecessor: Release | None) -> Iterator[Fact | Refusal]:
    """A fact for each copy of another package inside the release; `listed`: the manifest says so."""
    new, refusals = _copies(release.files, release.name)
    yield from refusals
    if not new:
        return
    old = _copies(predecessor.files, predecessor.name)[0] if predecessor is not None else {}
    versions: dict[str, set[str]] = {}
    for name, version in old.values():
        versions.setdefault(name, set()).add(version)
    listed = {name for name, group in declared(manifest) if group == "bundled"} if manifest is not None else set()
    for path, (name, version) in new.items():
        delta: Delta = "unknown"
        if predecessor is not None:
            had = versions.get(name)
            delta = "added" if had is None else "kept" if version in had else "changed"
        yield Fact(
            "dependency.bundled",
            path,
            0,
            f"{name} {version}",
            release.files.members[path].sha256,
            delta,
            {"name": name, "version": version, "listed": name in listed, "installed": "node_modules/" in path},
        )
