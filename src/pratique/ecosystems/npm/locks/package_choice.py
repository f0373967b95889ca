"""Which listed releases npm's lockfile holds, who asks for them, which releases take their place, and what leaves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.package_entry import normal
from pratique.ecosystems.npm.locks.package_tree import OWN_GROUPS, Entry, Stop, Tree, legacy, modern
from pratique.ecosystems.npm.locks.spans import Value
from pratique.model.repair import PARTIAL, Correction, LockedRelease, Releases


class Choice:
    """Both trees of a lockfile together with what is wanted of it and the releases at hand."""

    def __init__(self, document: Value, wanted: dict[str, Correction], releases: Releases) -> None:
        self.document = document
        self.wanted = wanted
        self.releases = releases
        version = document.get("lockfileVersion")
        number = version.plain if version is not None else None
        if document.kind != "object" or number not in (1, 2, 3, 4):
            raise Stop("has no lockfileVersion that is known (1 to 4)")
        packages, nested = document.get("packages"), document.get("dependencies")
        if [member.key for member in document].count("packages") > 1 or (
            [member.key for member in document].count("dependencies") > 1
        ):
            raise Stop("holds the same part twice")
        self.modern = modern(packages) if packages is not None else None
        self.legacy = legacy(nested) if nested is not None and (number < 3 or packages is None) else None
        if self.modern is None and number > 1:
            raise Stop("has no part packages")
        entries = [entry for tree in (self.modern, self.legacy) if tree for entry in tree.entries.values()]
        self.fields = {member.key for entry in entries for member in entry.value}

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
        groups: Mapping[str, Any] = normal(release.manifest) if release is not None else entry.asks
        meta = groups.get("peerDependenciesMeta", {})
        if release is None:
            known = entry.value.get("peerDependenciesMeta")
            meta = known.tree() if known is not None else {}
        for group in OWN_GROUPS:
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
                    and name not in normal(release.manifest).get("optionalDependencies", {})
                ):
                    continue  # a peer that may be missing
                real, asked = requests.split(name, spec)
                version = "" if found is None else found.version
                if found is not None and found.path in chosen:
                    version = chosen[found.path].version
                if found is None or asked is None or found.name != real or not requests.admits(asked, version):
                    holds = f", and the lockfile holds {found.words} there" if found is not None else ""
                    raise Stop(f"{words} asks for {name} {spec[:100]}{holds or ', which the lockfile does not hold'}")
