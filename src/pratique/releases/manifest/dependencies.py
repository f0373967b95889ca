"""The dependencies that a manifest declares, group by group, against what the release imports and had before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Literal

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Delta, Fact, Release, Value
from pratique.releases.lines import earlier
from pratique.releases.manifest.document import Manifest, written
from pratique.releases.manifest.usage import Known, usage

Group = Literal["dependencies", "optional", "peer", "bundled", "dev"]
FIELDS: dict[str, Group] = {
    "dependencies": "dependencies",
    "optionalDependencies": "optional",
    "peerDependencies": "peer",
    "devDependencies": "dev",
}
"""Field of a manifest to the group it declares."""
INSTALLED: tuple[Group, ...] = ("dependencies", "optional", "peer", "bundled")
MOST = 5_000
_SHORTHAND = re.compile(r"[\w.-]+/[\w.-]+(?:#.*)?")
_GIT = re.compile(
    r"git(?:\+[a-z]+)?:|git@|ssh:|(?:github|gitlab|bitbucket|gist|sourcehut):|https?://[^#]+\.git(?:#.*)?$",
    re.IGNORECASE,
)
_PLACE = re.compile(r"file:|link:|portal:|workspace:|\.{1,2}(?:/|$)|~/|/|[A-Za-z]:[\\/]")
_NAME = re.compile(r"(?:@[\w.~-]+/)?[\w~-][\w.~-]*")
_RANGE = re.compile(r"[\w.+*^~<>=|\s@-]*")
_NOT_CODE = re.compile(
    r"(^|/)(tests?|__tests__|specs?|examples?|docs?|benchmarks?|bench|fixtures?|demos?|scripts?|samples?|stories|website"
    r"|templates?|tools)(/|$)|\.(test|spec|stories|bench|config)\.|(^|/)(gulpfile|gruntfile|rollup|webpack|karma|jest)",
    re.IGNORECASE,
)
"""Files that are no part of what a user of the package runs."""


class Declared(msgspec.Struct, frozen=True):
    """One dependency: its name, the range as written, its group, the key that it stands under."""

    name: str
    range: str
    group: Group
    field: str


def source_of(text: str) -> tuple[str, str]:
    """Where a range has the package from (registry, git, url, alias, file, link, workspace, catalog, unknown), and the
    package that an alias stands for."""
    plain = text.strip()
    if plain.startswith("npm:"):
        target = plain[4:]
        at = target.rfind("@")
        return "alias", target[:at] if at > 0 else target
    if _GIT.match(plain):
        return "git", ""
    if re.match(r"https?:", plain, re.IGNORECASE):
        return "url", ""
    if plain.startswith("catalog:"):
        return "catalog", ""
    if _PLACE.match(plain):
        word = plain.partition(":")[0]
        return (word if word in {"link", "workspace"} else "file"), ""
    if _SHORTHAND.fullmatch(plain):
        return "git", ""
    return ("registry" if _RANGE.fullmatch(plain) else "unknown"), ""


def declared(manifest: Manifest) -> dict[tuple[str, Group], Declared]:
    """All dependencies by name and group. What is optional is no plain dependency, as npm has it."""
    found: dict[tuple[str, Group], Declared] = {}
    for field, group in FIELDS.items():
        for name, text in list(manifest.table(field).items())[:MOST]:
            found[name, group] = Declared(name, text if isinstance(text, str) else written(text), group, field)
    for name, group in list(found):
        if group == "dependencies" and (name, "optional") in found:
            del found[name, group]
    for field in ("bundleDependencies", "bundledDependencies"):
        names = manifest.names(field)
        if manifest.plain.get(field) is True:
            names = tuple(manifest.table("dependencies"))
        for name in names[:MOST]:
            found.setdefault(
                (name, "bundled"), Declared(name, manifest.strings("dependencies").get(name, ""), "bundled", field)
            )
    return found


def seen_before(release: Release, before: Manifest | None) -> tuple[frozenset[str], bool]:
    """The names that earlier versions declared, and whether enough of them is known to say that a name is not among
    them: the registry's history may be unavailable, and states no dependencies of versions that were removed."""
    names: set[str] = set()
    if before is not None:
        for field in FIELDS:
            names.update(before.table(field))
    history = release.record.history
    listed = stated = 0
    published = release.record.published.value
    for one in earlier(release.ecosystem, history.value or (), release.version, published=published):
        listed += 1
        stated += one.dependencies is not None
        names.update(one.dependencies or ())
    return frozenset(names), history.state == "present" and stated * 2 >= listed


def _scope(name: str) -> str:
    return name.partition("/")[0] if name.startswith("@") else ""


def facts(
    release: Release,
    manifest: Manifest,
    predecessor: Release | None,
    before: Manifest | None,
    file_facts: Mapping[str, tuple[Fact, ...]],
) -> Iterator[Fact | Refusal]:
    """A fact for each dependency that is declared, was removed, or is imported without being declared; of those for
    development alone only where they differ."""
    new = declared(manifest)
    old = declared(before) if before is not None else {}
    fresh = [name for name, group in new if group in INSTALLED and not any((name, one) in old for one in INSTALLED)]
    used, refusals = usage(release, manifest, file_facts, fresh)
    yield from refusals
    searched = frozenset(fresh)
    known_names, complete = seen_before(release, before)
    for (name, group), one in new.items():
        delta: Delta = "unknown"
        known: dict[str, Value] = {"name": name, "range": one.range, "group": group}
        if before is not None:
            previous = old.get((name, group))
            delta = "added" if previous is None else "kept" if previous.range == one.range else "changed"
            if previous is not None and delta == "changed":
                known["previous"] = previous.range
            moved = next((there for there in ("dependencies", "optional", "peer", "dev") if (name, there) in old), "")
            if delta == "added" and moved:
                known["moved_from"] = moved
        if delta == "kept" and group == "dev":
            continue
        source, target = source_of(one.range)
        known["source"] = source
        if target:
            known["target"] = target
        if group != "dev":
            is_used, where = used.of(name, searched=name in searched)
            known["imported"] = is_used
            if where and where != "package.json":
                known["named"] = where
        seen: Known = "yes" if name in known_names else "no" if complete else "unknown"
        known["seen_before"] = seen
        known["own_scope"] = bool(_scope(name)) and _scope(name) == _scope(release.name)
        keys = (one.field, name) if group != "bundled" else (one.field,)
        yield manifest.fact("dependency.declared", keys, f"{name}: {one.range}", delta, **known)
    for (name, group), one in old.items():
        if (name, group) not in new:
            yield manifest.fact(
                "dependency.declared",
                (one.field,),
                f"{name}: {one.range}",
                "removed",
                name=name,
                range="",
                previous=one.range,
                group=group,
                source=source_of(one.range)[0],
                seen_before="yes",
                own_scope=bool(_scope(name)) and _scope(name) == _scope(release.name),
            )
    yield from _undeclared(release, manifest, predecessor, before, used.imported, {name for name, _ in new})


def _undeclared(
    release: Release,
    manifest: Manifest,
    predecessor: Release | None,
    before: Manifest | None,
    imported: Mapping[str, str],
    names: set[str],
) -> Iterator[Fact]:
    """Packages that code imports and no group declares: whoever owns the name is given control."""
    for name, path in imported.items():
        if not _NAME.fullmatch(name) or name == release.name or _NOT_CODE.search(path):
            continue
        if name in names or f"@types/{name}" in names:
            continue
        if any(member.startswith(f"node_modules/{name}/") for member in release.files.members):
            continue
        delta: Delta = "unknown"
        if predecessor is not None and before is not None:
            had = {one for field in FIELDS for one in before.table(field)}
            delta = "changed" if name in had else "kept" if _names(predecessor, path, name) else "added"
        member = release.files.members.get(path)
        yield Fact(
            "dependency.undeclared", path, 0, name, member.sha256 if member is not None else "", delta, {"name": name}
        )


def _names(predecessor: Release, path: str, name: str) -> bool:
    """Whether the predecessor's file at the same path names a package."""
    if path not in predecessor.files.members:
        return False
    try:
        return name.encode("utf-8", "replace") in predecessor.files.read(path)
    except Unreadable:
        return False
