"""npm's lockfiles: package-lock.json and npm-shrinkwrap.json, `lockfileVersion` 1 to 4.

Single entries are replaced by their place in the text; every other byte stays. Both trees of version 2 are kept equal.

References: npm 6.14.18 lib/shrinkwrap.js; npm 11.21.2, `@npmcli/arborist` lib/shrinkwrap.js, lib/edge.js;
`json-stringify-nice` for the order of keys.
"""

from __future__ import annotations

from typing import Any

from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.package_choice import Choice
from pratique.ecosystems.npm.locks.package_entry import FROM_MANIFEST, KEPT, LATER, derived, has_script, normal, of_sha1
from pratique.ecosystems.npm.locks.package_tree import OWN_GROUPS, Entry, Stop, Tree, legacy, modern
from pratique.ecosystems.npm.locks.spans import Cut, NotJson, Style, Value, apply, nice, parse, without
from pratique.model.repair import Change, Correction, LockCodec, LockedRelease, Releases, Repaired, Unrepairable

_FIRST = ("name", "version", "lockfileVersion", "resolved", "integrity", "requires", "packages", "dependencies")


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


class _Lock(Choice):
    """The lockfile as it is written anew: the cuts in its text, their changes, and the releases that were put in."""

    def __init__(self, text: str, document: Value, wanted: dict[str, Correction], releases: Releases) -> None:
        super().__init__(document, wanted, releases)
        self.text = text
        self.style = Style(text)
        self.cuts: list[Cut] = []
        self.changes: list[Change] = []
        self.put: set[tuple[str, str, str]] = set()

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
            for key in FROM_MANIFEST:
                value = normal(release.manifest).get(key)
                if value and (key not in LATER or key in self.fields):
                    fields[key] = value
            if has_script(release):
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
        for group in OWN_GROUPS:
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
            manifest = normal(release.manifest)
            asked = {**manifest.get("dependencies", {}), **manifest.get("optionalDependencies", {})}
            if asked or (self.modern is not None and manifest.get("peerDependencies")):
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
        fields = {key: value.tree() for key in KEPT if (value := entry.value.get(key)) is not None}
        fields["version"] = release.version
        if entry.resolved is not None:
            fields["resolved"] = self.address(entry, release)
        digest = release.integrity or of_sha1(release.sha1)
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
        packages, nested = again.get("packages"), again.get("dependencies")
        left = list(modern(packages).entries.values()) if packages is not None else []
        left += list(legacy(nested).entries.values()) if nested is not None and self.legacy is not None else []
        for entry in left:
            if self.bad(entry):
                raise Stop(f"{entry.path} stays at {entry.words}: the two parts of the lockfile disagree")


CODEC = LockCodec(
    name="package-lock",
    basenames=("package-lock.json", "npm-shrinkwrap.json"),
    managers=("npm",),
    ecosystem="npm",
    repair=repair,
)
