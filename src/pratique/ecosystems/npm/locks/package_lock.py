"""npm's lockfiles: package-lock.json and npm-shrinkwrap.json, `lockfileVersion` 1 to 4.

Single entries are replaced by their place in the text; every other byte stays. Both trees of version 2 are kept equal.

References: npm 6.14.18 lib/shrinkwrap.js; npm 11.21.2, `@npmcli/arborist` lib/shrinkwrap.js, lib/edge.js;
`json-stringify-nice` for the order of keys.
"""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.spans import Cut, Member, NotJson, Style, Value, apply, nice, parse, without
from pratique.ecosystems.npm.urls import origin_of, tarball_release
from pratique.model.repair import (
    PARTIAL,
    Change,
    Correction,
    LockCodec,
    LockedRelease,
    Releases,
    Repaired,
    Unrepairable,
)

_FIRST = ("name", "version", "lockfileVersion", "resolved", "integrity", "requires", "packages", "dependencies")
_KEPT = ("name", "inBundle", "extraneous", "peer", "dev", "optional", "devOptional")
"""What an entry says of its place in the project; it stays when the release changes."""
_FROM_MANIFEST = (
    "dependencies", "peerDependencies", "peerDependenciesMeta", "optionalDependencies", "acceptDependencies", "funding",
    "engines", "os", "cpu", "libc", "license", "bin", "deprecated",
)  # fmt: skip
_GROUPS = ("dependencies", "optionalDependencies", "peerDependencies")
_OWN_GROUPS = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")
_LATER = frozenset({"license", "libc"})
"""Fields that some npm does not write: put in only where this file has them."""


class Stop(Exception):  # noqa: N818  # a reason, told to a person
    """Why a lockfile cannot be repaired."""


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired | Unrepairable:
    """See `pratique.model.repair.Repair`."""
    wanted = {item.name: item for item in corrections if item.ecosystem == "npm" and item.bad}
    try:
        text = content.decode()
        document = parse(text)
    except UnicodeDecodeError:
        return Unrepairable("is not UTF-8")
    except NotJson as error:
        return Unrepairable(f"is not whole JSON: {error}")
    try:
        return _Lock(text, document, wanted, releases).repaired(content)
    except Stop as reason:
        return Unrepairable(str(reason))


class Entry:
    """One package of a lockfile. `path` is the folder it stands for, below the project; empty for the project."""

    def __init__(self, path: str, member: Member, depth: int, *, legacy: bool) -> None:
        value = member.value
        self.path = path
        self.member = member
        self.value = value
        self.depth = depth
        self.tail = path[path.rfind("node_modules/") + 13 :] if "node_modules/" in path else ""
        self.own = not self.tail
        self.name = self.tail
        self.version = value.text("version") or ""
        self.link = value.true("link")
        self.bundled = value.true("inBundle") or value.true("bundled")
        self.resolved = value.text("resolved")
        self.origin = origin_of(self.resolved)
        if legacy:
            if self.version.startswith("npm:"):
                self.name, _, self.version = self.version[4:].rpartition("@")
            elif re.match(r"(?:https?|git[+:@]|git$|file:|github:|gitlab:|bitbucket:|ssh:)", self.version):
                self.origin = "git" if origin_of(self.version) == "git" else "file"
                self.name, self.version = tarball_release(self.version) or (self.name, "")
            requires = value.texts("requires")
            self.asks = {"dependencies": requires}
        else:
            self.name = value.text("name") or self.tail
            groups = _OWN_GROUPS if self.own else _GROUPS
            self.asks = {group: value.texts(group) for group in groups}
            optional = self.asks["optionalDependencies"]
            self.asks["dependencies"] = {
                key: spec for key, spec in self.asks["dependencies"].items() if key not in optional
            }
        self.release: LockedRelease | None = None
        self.now: dict[str, Any] | None = None

    @property
    def words(self) -> str:
        """For people."""
        if not self.path:
            return "the project itself"
        return f"{self.name}@{self.version}" if self.version else self.path


class Tree:
    """The packages of a lockfile by folder, and how Node finds one from another."""

    def __init__(self, entries: list[Entry]) -> None:
        self.entries = {entry.path: entry for entry in entries}
        if len(self.entries) != len(entries):
            paths = [entry.path for entry in entries]
            raise Stop(f"{next(path for path in paths if paths.count(path) > 1)} stands twice")

    def found(self, path: str, name: str, gone: frozenset[str] = frozenset()) -> Entry | None:
        """What `name` means in a folder."""
        at = path
        while True:
            place = f"{at}/node_modules/{name}" if at else f"node_modules/{name}"
            if place in self.entries and place not in gone:
                return self.entries[place]
            if not at:
                return None
            at = at.rpartition("/")[0]

    def target(self, entry: Entry) -> Entry | None:
        """The folder that a link leads to."""
        return self.entries.get(entry.resolved or "") if entry.link else None


class _Lock:
    def __init__(self, text: str, document: Value, wanted: dict[str, Correction], releases: Releases) -> None:
        self.text = text
        self.document = document
        self.wanted = wanted
        self.releases = releases
        self.style = Style(text)
        self.cuts: list[Cut] = []
        self.changes: list[Change] = []
        self.put: set[tuple[str, str, str]] = set()
        version = document.get("lockfileVersion")
        number = version.plain if version is not None else None
        if document.kind != "object" or number not in (1, 2, 3, 4):
            raise Stop("has no lockfileVersion that is known (1 to 4)")
        packages, legacy = document.get("packages"), document.get("dependencies")
        if [member.key for member in document].count("packages") > 1 or (
            [member.key for member in document].count("dependencies") > 1
        ):
            raise Stop("holds the same part twice")
        self.modern = _modern(packages) if packages is not None else None
        self.legacy = _legacy(legacy) if legacy is not None and (number < 3 or packages is None) else None
        if self.modern is None and number > 1:
            raise Stop("has no part packages")
        entries = [entry for tree in (self.modern, self.legacy) if tree for entry in tree.entries.values()]
        self.fields = {member.key for entry in entries for member in entry.value}

    def repaired(self, content: bytes) -> Repaired:
        """The new bytes. Raises Stop."""
        for tree in (self.modern, self.legacy):
            if tree is not None and any(self.bad(entry) for entry in tree.entries.values()):
                break
        else:
            if not self.own_pins():
                return Repaired(content=content, changes=())
        chosen: dict[str, LockedRelease] = {}
        gone: frozenset[str] = frozenset()
        if self.modern is not None:
            chosen = self.choose(self.modern)
            gone = self.leaving(self.modern, chosen)
            self.satisfied(self.modern, chosen, gone)
            self.write_modern(self.modern, chosen, gone)
        if self.legacy is not None:
            if self.modern is None:
                chosen = self.choose(self.legacy)
                gone = self.leaving_legacy(self.legacy, chosen)
                self.satisfied(self.legacy, chosen, gone)
            self.write_legacy(self.legacy, chosen, gone)
        made = apply(self.text, self.cuts)
        self.proven(made)
        return Repaired(
            content=made.encode(), changes=tuple(sorted(set(self.changes))), release_of=tuple(sorted(self.put))
        )

    def bad(self, entry: Entry) -> bool:
        """Whether an entry is a listed release."""
        correction = self.wanted.get(entry.name)
        return correction is not None and entry.version in correction.bad and not entry.own and not entry.link

    def own_pins(self) -> bool:
        """Whether a project's own part asks for exactly a listed release."""
        for entry in self.modern.entries.values() if self.modern else ():
            for name, spec in self.requests(entry):
                real, asked = requests.split(name, spec)
                if entry.own and real in self.wanted and asked and requests.pins(asked, self.wanted[real].bad):
                    return bool(self.wanted[real].good)
        return False

    def requests(self, entry: Entry) -> Iterator[tuple[str, str]]:
        """What an entry asks for."""
        for group in entry.asks.values():
            yield from group.items()

    def choose(self, tree: Tree) -> dict[str, LockedRelease]:
        """For each listed entry with a known good release, the one that everybody who asks for it takes."""
        chosen: dict[str, LockedRelease] = {}
        doomed = [entry for entry in tree.entries.values() if self.bad(entry)]
        bad_paths = {entry.path for entry in doomed}
        askers: dict[str, list[tuple[Entry, str]]] = {entry.path: [] for entry in doomed}
        for asker in tree.entries.values():
            for name, spec in self.requests(asker):
                entry = tree.found(asker.path, name)
                if entry is not None and entry.path in bad_paths:
                    askers[entry.path].append((asker, spec))
        for entry in doomed:
            if entry.bundled:
                holder = entry.path.rpartition("/node_modules/")[0]
                raise Stop(f"{entry.words} comes inside the archive of {holder}: only another release of that helps")
            if entry.origin in ("git", "file", "link"):
                raise Stop(f"{entry.path} is {entry.words}, but it comes from no registry: change its source by hand")
            correction = self.wanted[entry.name]
            if not correction.good:
                continue
            chosen[entry.path] = self.release(entry, correction, askers[entry.path])
        return chosen

    def release(self, entry: Entry, correction: Correction, askers: list[tuple[Entry, str]]) -> LockedRelease:
        """The known good release for one entry. Raises Stop."""
        others: list[tuple[str, Entry]] = []
        own: list[str] = []
        for asker, spec in askers:
            _, asked = requests.split(entry.tail, spec)
            if asked is None:
                raise Stop(f"{asker.words} asks for {entry.tail} by its address, {spec[:200]}: change that by hand")
            if not requests.admits(asked, entry.version):
                continue  # an override of the project stands above this range
            if asker.own:
                own.append(asked)
            else:
                others.append((asked, asker))
        fits = [good for good in correction.good if all(requests.admits(asked, good) for asked, _ in others)]
        if not fits:
            asked, asker = next(
                (pair for pair in others if not any(requests.admits(pair[0], good) for good in correction.good)),
                others[0],
            )
            raise Stop(
                f"{asker.words} asks for {entry.name} {asked}, which takes none of the known good "
                f"{', '.join(correction.good)}"
            )
        near = [good for good in fits if requests.same_line(entry.version, good)]
        taken = [good for good in fits if all(requests.admits(asked, good) for asked in own)]
        line = [good for good in near if good in taken]
        if self.modern is not None:
            line += [good for good in taken if good not in line]
        line += [good for good in near if good not in line]
        if not line:
            raise Stop(
                f"no known good release of {entry.name} ({', '.join(fits)}) is in the line of {entry.version} at "
                f"{entry.path}"
            )
        for good in line:
            release = self.releases(entry.name, good)
            if release is not None and PARTIAL not in release.manifest:
                return release
        raise Stop(f"nothing at hand knows what {entry.name} {' or '.join(line)} is made of: ask a registry")

    def leaving(self, tree: Tree, chosen: dict[str, LockedRelease]) -> frozenset[str]:
        """The entries that nobody asks for any more, and the payloads. Raises Stop."""
        before = self.reached(tree, {}, frozenset())
        payloads = frozenset(
            entry.path for entry in tree.entries.values() if self.bad(entry) and entry.path not in chosen
        )
        for asker in tree.entries.values():
            if asker.path in payloads or asker.path in chosen:
                continue
            for name, spec in self.requests(asker):
                entry = tree.found(asker.path, name)
                if entry is not None and entry.path in payloads and asker.path in before:
                    raise Stop(
                        f"{asker.words} asks for {entry.name} ({spec[:100]}), which has no known good release, and is "
                        "not listed itself"
                    )
        after = self.reached(tree, chosen, payloads)
        return frozenset(
            path for path, entry in tree.entries.items()
            if path in payloads or (path in before and path not in after and not entry.own)
        )  # fmt: skip

    def leaving_legacy(self, tree: Tree, chosen: dict[str, LockedRelease]) -> frozenset[str]:
        """Version 1 does not say what the project asks for: only listed payloads leave. Raises Stop."""
        payloads = frozenset(
            entry.path for entry in tree.entries.values() if self.bad(entry) and entry.path not in chosen
        )
        for asker in tree.entries.values():
            if asker.path in payloads or asker.path in chosen:
                continue
            for name, _ in self.requests(asker):
                entry = tree.found(asker.path, name)
                if entry is not None and entry.path in payloads:
                    raise Stop(
                        f"{asker.words} asks for {entry.name}, which has no known good release; it is not listed itself"
                    )
        return payloads

    def asks(self, entry: Entry, chosen: dict[str, LockedRelease]) -> Iterator[tuple[str, str, bool]]:
        """Name, range and whether it must be there, of what an entry asks for afterwards."""
        release = chosen.get(entry.path)
        groups: Mapping[str, Any] = _normal(release.manifest) if release is not None else entry.asks
        meta = groups.get("peerDependenciesMeta", {})
        if release is None:
            known = entry.value.get("peerDependenciesMeta")
            meta = known.tree() if known is not None else {}
        for group in _OWN_GROUPS:
            if group == "peerDependencies" and self.modern is None:
                continue  # npm 6 installs none
            for name, spec in groups.get(group, {}).items():
                loose = isinstance(meta, dict) and isinstance(meta.get(name), dict) and meta[name].get("optional")
                needed = group not in ("optionalDependencies", "peerDependencies") or (
                    group == "peerDependencies" and not loose
                )
                yield name, str(spec), needed

    def reached(self, tree: Tree, chosen: dict[str, LockedRelease], gone: frozenset[str]) -> set[str]:
        """The entries that the project asks for, directly or not."""
        reached: set[str] = set()
        bundled = [path for path, entry in tree.entries.items() if entry.bundled]
        stack = [path for path, entry in tree.entries.items() if entry.own]
        while stack:
            path = stack.pop()
            if path in reached:
                continue
            reached.add(path)
            entry = tree.entries[path]
            target = tree.target(entry)
            if target is not None:
                stack.append(target.path)
            for name, _, _ in self.asks(entry, chosen):
                found = tree.found(path, name, gone)
                if found is not None:
                    stack.append(found.path)
            stack += [inner for inner in bundled if path and inner.startswith(f"{path}/node_modules/")]
        links = [path for path, entry in tree.entries.items() if entry.link]
        return reached | set(links)

    def satisfied(self, tree: Tree, chosen: dict[str, LockedRelease], gone: frozenset[str]) -> None:
        """Raises Stop where a good release asks for something that the lockfile does not hold."""
        for path, release in chosen.items():
            entry = tree.entries[path]
            words = f"{release.name}@{release.version}"
            bundles = release.manifest.get("bundleDependencies") or release.manifest.get("bundledDependencies")
            if bundles or any(
                inner.bundled and inner.path.startswith(f"{path}/node_modules/") for inner in tree.entries.values()
            ):
                raise Stop(
                    f"{words} or {entry.words} brings packages in its own archive, which would have to be listed"
                )
            if path in gone:
                continue
            for name, spec, needed in self.asks(entry, chosen):
                found = tree.found(path, name, gone)
                if (
                    found is None
                    and not needed
                    and name not in _normal(release.manifest).get("optionalDependencies", {})
                ):
                    continue  # a peer that may be missing
                real, asked = requests.split(name, spec)
                version = "" if found is None else found.version
                if found is not None and found.path in chosen:
                    version = chosen[found.path].version
                if found is None or asked is None or found.name != real or not requests.admits(asked, version):
                    holds = f", and the lockfile holds {found.words} there" if found is not None else ""
                    raise Stop(f"{words} asks for {name} {spec[:100]}{holds or ', which the lockfile does not hold'}")

    # what is written

    def write_modern(self, tree: Tree, chosen: dict[str, LockedRelease], gone: frozenset[str]) -> None:
        """Replace and remove entries of `packages`, and change what own parts ask for."""
        packages = self.document.get("packages")
        if packages is None:
            return
        for path, release in chosen.items():
            if path in gone:
                continue
            entry = tree.entries[path]
            fields = self.described(entry, release)
            for key in _FROM_MANIFEST:
                value = _normal(release.manifest).get(key)
                if value and (key not in _LATER or key in self.fields):
                    fields[key] = value
            if _has_script(release):
                fields["hasInstallScript"] = True
            if release.manifest.get("_hasShrinkwrap"):
                raise Stop(f"{release.name}@{release.version} brings a lockfile of its own")
            self.replace(entry, fields, release)
        for path in gone:
            entry = tree.entries[path]
            self.changes.append(Change(entry=path, was=entry.version, now=None, why=self.why_gone(entry)))
        self.cuts += without(packages, gone)
        for entry in tree.entries.values():
            if entry.own and not entry.link:
                self.ask_anew(tree, entry, chosen)

    def ask_anew(self, tree: Tree, entry: Entry, chosen: dict[str, LockedRelease]) -> None:
        """The project's own requests, as its manifest will have them."""
        for group in _OWN_GROUPS:
            holder = entry.value.get(group)
            for member in holder if holder is not None and holder.kind == "object" else ():
                if member.value.kind != "string":
                    continue
                spec = member.value.plain
                real, _ = requests.split(member.key, spec)
                correction = self.wanted.get(real)
                if correction is None or not correction.good:
                    continue
                found = tree.found(entry.path, member.key)
                release = chosen.get(found.path) if found is not None else None
                good = release.version if release is not None else found.version if found is not None else ""
                if found is None or found.name != real or (release is None and good in correction.bad):
                    continue
                if release is None and not requests.pins(requests.split(member.key, spec)[1] or "", correction.bad):
                    continue
                instead = requests.moved(spec, correction.bad, good)
                if instead is not None:
                    value = member.value
                    self.cuts.append((value.start, value.end, self.style.render(instead, 0)))
                    where = f"{entry.path or 'the project itself'}: {group}"
                    self.changes.append(Change(entry=where, was=f"{member.key} {spec}", now=f"{member.key} {instead}"))

    def write_legacy(self, tree: Tree, chosen: dict[str, LockedRelease], gone: frozenset[str]) -> None:
        """Replace and remove entries of the nested part; nothing of a removed entry is written twice."""
        part = self.document.get("dependencies")
        if part is None:
            return
        emptied: set[str] = set()
        for path, release in chosen.items():
            entry = tree.entries.get(path)
            if entry is None or not self.bad(entry) or path in gone:
                continue
            fields = self.described(entry, release)
            if entry.tail != entry.name:
                fields["version"] = f"npm:{release.name}@{release.version}"
            if entry.bundled:
                fields["bundled"] = True
            if entry.value.get("from") is not None:
                fields["from"] = f"{entry.tail}@{release.version}"
            normal = _normal(release.manifest)
            asked = {**normal.get("dependencies", {}), **normal.get("optionalDependencies", {})}
            if asked or (self.modern is not None and normal.get("peerDependencies")):
                fields["requires"] = asked
            fields.pop("name", None)
            inner = entry.value.get("dependencies")
            if inner is None or all(f"{path}/node_modules/{item.key}" in gone for item in inner):
                emptied.add(path)
                self.replace(entry, fields, release)
            else:
                self.replace_around(entry, fields, release, inner)
        holders: dict[int, tuple[Value, set[str]]] = {}
        for path in gone:
            entry = tree.entries.get(path)
            above = path.rpartition("/node_modules/")[0]
            if entry is None or any(above == other or above.startswith(f"{other}/") for other in gone):
                continue
            if self.modern is None:
                self.changes.append(Change(entry=path, was=entry.version, now=None, why=self.why_gone(entry)))
            outer = tree.entries.get(above)
            holder = outer.value.get("dependencies") if outer is not None else part
            if holder is None or above in emptied:
                continue
            if outer is not None and all(f"{above}/node_modules/{item.key}" in gone for item in holder):
                holders[outer.value.start] = outer.value, {"dependencies"}
            else:
                holders.setdefault(holder.start, (holder, set()))[1].add(entry.tail)
        for holder, names in holders.values():
            self.cuts += without(holder, frozenset(names))

    def described(self, entry: Entry, release: LockedRelease) -> dict[str, Any]:
        """What both trees say of a release: version, address, digest, and its place in the project."""
        fields = {key: value.tree() for key in _KEPT if (value := entry.value.get(key)) is not None}
        fields["version"] = release.version
        if entry.resolved is not None:
            fields["resolved"] = self.address(entry, release)
        digest = release.integrity or _of_sha1(release.sha1)
        if digest is not None:
            fields["integrity"] = digest
        elif entry.value.get("integrity") is not None:
            raise Stop(f"nothing at hand knows the digest of {release.name} {release.version}")
        return fields

    def address(self, entry: Entry, release: LockedRelease) -> str:
        """The address of the archive, at the host and in the form that the lockfile has. Raises Stop."""
        made = derived(entry.resolved or "", entry.name, entry.version, release)
        if made is None:
            raise Stop(f"the address of {release.name} {release.version} cannot be told from that of {entry.words}")
        return made

    def replace(self, entry: Entry, fields: dict[str, Any], release: LockedRelease) -> None:
        """Write a whole entry anew."""
        made = self.style.render(nice(fields, _FIRST), entry.depth)
        self.cuts.append((entry.value.start, entry.value.end, made))
        self.note(entry, release)

    def replace_around(self, entry: Entry, fields: dict[str, Any], release: LockedRelease, inner: Value) -> None:
        """Write an entry anew around the entries that are nested in it, which may change on their own."""
        member = next(item for item in entry.value if item.value is inner)
        ordered = nice(fields, _FIRST)
        made = self.style.render(ordered, entry.depth)
        end = made.rfind("}")
        head = made[:end].rstrip()
        break_ = f"{self.style.line}{self.style.unit * (entry.depth + 1)}" if self.style.line else ""
        comma = "," if self.style.line else self.style.comma
        self.cuts.append((entry.value.start, member.start, f"{head}{comma}{break_}"))
        after = entry.value.members[-1]
        if after is not member:
            self.cuts.append((inner.end, after.value.end, ""))
        self.note(entry, release)

    def note(self, entry: Entry, release: LockedRelease) -> None:
        self.put.add((release.name, release.version, release.source))
        self.changes.append(Change(entry=entry.path, was=entry.version, now=release.version, why="a listed release"))

    def why_gone(self, entry: Entry) -> str:
        return "a listed release" if self.bad(entry) else "only a listed release asked for it"

    def proven(self, made: str) -> None:
        """Raises Stop where anything listed is left: the trees of a bad merge may disagree."""
        try:
            again = parse(made)
        except NotJson as error:
            raise Stop(f"cannot be changed in place: {error}") from None
        packages, legacy = again.get("packages"), again.get("dependencies")
        left = list(_modern(packages).entries.values()) if packages is not None else []
        left += list(_legacy(legacy).entries.values()) if legacy is not None and self.legacy is not None else []
        for entry in left:
            if self.bad(entry):
                raise Stop(f"{entry.path} stays at {entry.words}: the two parts of the lockfile disagree")


def derived(address: str, name: str, bad: str, release: LockedRelease) -> str | None:
    """The address of a release from that of another of the same package: same host, same form."""
    base, mark, fragment = address.partition("#")
    plain = base.partition("?")[0]
    if tarball_release(plain) is not None and plain.endswith("gz"):
        at = plain.find(name.rpartition("/")[2])
        made = plain[:at] + re.sub(rf"(?<![\w.]){re.escape(bad)}(?![\w-])", release.version, plain[at:])
        if tarball_release(made) == (tarball_release(plain)[0], release.version):  # type: ignore[index]  # tested above
            return made + (
                f"#{release.sha1}" if mark and release.sha1 and re.fullmatch("[0-9a-f]{40}", fragment) else ""
            )
    if release.tarball and urlsplit(release.tarball).netloc == urlsplit(address).netloc:
        return release.tarball
    return None


def _of_sha1(digest: str | None) -> str | None:
    if not digest or not re.fullmatch("[0-9a-f]{40}", digest):
        return None
    return "sha1-" + base64.b64encode(bytes.fromhex(digest)).decode()


def _has_script(release: LockedRelease) -> bool:
    scripts = release.manifest.get("scripts")
    named = isinstance(scripts, dict) and any(event in scripts for event in ("preinstall", "install", "postinstall"))
    return bool(named or release.manifest.get("hasInstallScript") or release.manifest.get("gypfile"))


def _normal(manifest: Any) -> dict[str, Any]:
    """The fields of a manifest as npm keeps them in a lockfile."""
    made = {key: value for key, value in manifest.items() if key in _FROM_MANIFEST and value}
    optional = made.get("optionalDependencies")
    if isinstance(optional, dict) and isinstance(made.get("dependencies"), dict):
        made["dependencies"] = {key: value for key, value in made["dependencies"].items() if key not in optional}
    for group in ("dependencies", "optionalDependencies", "peerDependencies"):
        if not isinstance(made.get(group, {}), dict) or not made.get(group, True):
            made.pop(group)
    if isinstance(made.get("license"), dict):
        made["license"] = made["license"].get("type") or made["license"]
    if isinstance(made.get("funding"), str):
        made["funding"] = {"url": made["funding"]}
    if isinstance(made.get("bin"), str):
        made["bin"] = {str(manifest.get("name", "")).rpartition("/")[2]: made["bin"]}
    if isinstance(made.get("bin"), dict):
        made["bin"] = {
            posixpath.basename(key): posixpath.join("/", value).replace("/./", "/").lstrip("/")
            for key, value in made["bin"].items()
            if isinstance(value, str)
        }
    for key in ("os", "cpu", "libc"):
        if isinstance(made.get(key), str):
            made[key] = [made[key]]
    if not isinstance(made.get("deprecated", ""), str):
        made.pop("deprecated")
    return made


def _modern(packages: Value) -> Tree:
    if packages.kind != "object" or any(member.value.kind != "object" for member in packages):
        raise Stop("packages: is not an object of objects")
    return Tree([Entry(member.key, member, 2, legacy=False) for member in packages])


def _legacy(part: Value) -> Tree:
    entries: list[Entry] = []
    stack = [("", part, 1)]
    while stack:
        root, holder, depth = stack.pop()
        if holder.kind != "object":
            raise Stop("dependencies: is not an object")
        for member in holder:
            if member.value.kind != "object":
                raise Stop(f"dependencies: {member.key[:100]} is not an object")
            path = f"{root}/node_modules/{member.key}" if root else f"node_modules/{member.key}"
            entries.append(Entry(path, member, depth + 1, legacy=True))
            inner = member.value.get("dependencies")
            if inner is not None:
                stack.append((path, inner, depth + 2))
    return Tree(entries)


CODEC = LockCodec(
    name="package-lock",
    basenames=("package-lock.json", "npm-shrinkwrap.json"),
    managers=("npm",),
    ecosystem="npm",
    repair=repair,
)
