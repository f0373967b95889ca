"""Which listed releases a document of pnpm's lockfile holds, who asks for them, and which releases take their place.

pnpm records no ranges of what a package asks for: those of dependants are known only where `releases` knows the
dependant.
"""

from __future__ import annotations

import re

from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.pnpm_document import Document, Reference
from pratique.ecosystems.npm.locks.pnpm_entry import mapping_of
from pratique.ecosystems.npm.locks.pnpm_layout import Block, Key, Stop, leaves, unquote
from pratique.ecosystems.npm.urls import tarball_release
from pratique.ecosystems.npm.versions import parse_version
from pratique.model.repair import PARTIAL, Correction, LockedRelease, Releases

NAME = "pnpm-lock"
"""The name of the codec: a release that is known in part may be used by the codec that it names."""
_ANYWHERE = re.compile(r"(?:^|/)((?:@[^/@]+/)?[^/@]+)[@/](?:[\w.-]+:)?(\d+\.\d+\.\d+[^_]*)")


class Choice(Document):
    """A document together with what is wanted of it and the releases at hand."""

    def __init__(self, text: str, wanted: dict[str, Correction], releases: Releases) -> None:
        super().__init__(text)
        self.wanted = wanted
        self.releases = releases

    def bad(self, key: Key) -> bool:
        """Whether an entry is a listed release."""
        correction = self.wanted.get(key.name)
        return correction is not None and key.version in correction.bad

    def elsewhere(self) -> None:
        """Raises Stop where a listed release comes from another place than the default registry."""
        for block in [*(self.packages.blocks or ()), *(self.snapshots.blocks or ())]:
            if Key(block.key, self.form).name:
                continue
            found = {(match[1], match[2]) for match in _ANYWHERE.finditer(block.key.partition("(")[0])}
            said = {path[1]: unquote(value) for _, path, value in leaves(block.lines) if len(path) == 2}
            found.add((said.get("name", ""), said.get("version", "")))
            found.add((block.key[: block.key.find("@", 1)], said.get("version", "")))
            for address in re.findall(r"https?://[^\s{},'\")]+", "\n".join([block.key, *block.lines])):
                release = tarball_release(address)
                if release is not None:
                    found.add(release)
            for name, version in found:
                if name in self.wanted and version in self.wanted[name].bad:
                    raise Stop(
                        f"{name}@{version} comes from a place of its own, not from the registry: change it by hand"
                    )

    def askers(self, doomed: list[Key], projects: list[Reference]) -> dict[str, list[tuple[str, str | None, bool]]]:
        """For each listed entry who refers to it: words, the range where it is known, whether it is an own project."""
        found: dict[str, list[tuple[str, str | None, bool]]] = {key.text: [] for key in doomed}
        specifiers = self.section("specifiers")
        alone = {path[-1]: unquote(value) for _, path, value in leaves(specifiers.lines)} if specifiers else {}
        for item in projects:
            target = self.resolve(item.name, item.value)
            if target in found:
                asked = item.asked[1] if item.asked else alone.get(item.name)
                found[target].append((f"{item.where}: {item.name}", asked, True))
        for block in self.snapshots.blocks or ():
            key = self.keys[block.key]
            if self.bad(key):
                continue
            for group in ("dependencies", "optionalDependencies"):
                for name, value in block.mapping(group).items():
                    target = self.resolve(name, value)
                    if target not in found:
                        continue
                    release = self.releases(key.name, key.version) if key.name else None
                    asked = None
                    for part in ("peerDependencies", "optionalDependencies", "dependencies"):
                        ranges = release.manifest.get(part) if release is not None else None
                        asked = ranges.get(name, asked) if isinstance(ranges, dict) else asked
                    found[target].append((block.key, asked, False))
        return found

    def choose(self, key: Key, askers: list[tuple[str, str | None, bool]]) -> LockedRelease:
        """The known good release for a listed one. Raises Stop."""
        correction = self.wanted[key.name]
        fits = list(correction.good)
        own: list[str] = []
        for words, spec, is_own in askers:
            if spec is None:
                continue
            _, asked = requests.split(key.name, spec)
            if asked is None:
                if spec.startswith(("catalog:", "workspace:")):
                    continue
                raise Stop(f"{words} asks for {key.name} by its address, {spec[:200]}: change that by hand")
            if not requests.admits(asked, key.version):
                continue  # an override of the project stands above this range
            if is_own and not words.startswith("catalogs/"):
                own.append(asked)
                continue
            if is_own and not any(requests.admits(asked, good) for good in fits):
                raise Stop(
                    f"{words} is {asked} in pnpm-workspace.yaml, which takes no known good release: change it there"
                )
            fits = [good for good in fits if requests.admits(asked, good)]
            if not fits:
                raise Stop(
                    f"{words} asks for {key.name} {asked}, which takes none of the known good "
                    f"{', '.join(correction.good)}"
                )
        near = [good for good in fits if requests.same_line(key.version, good)]
        taken = [good for good in fits if own and all(requests.admits(asked, good) for asked in own)]
        line = [good for good in near if good in taken]
        line += [good for good in taken if good not in line] + [good for good in near if good not in taken]
        if not line:
            raise Stop(f"no known good release of {key.name} ({', '.join(fits)}) is in the line of {key.version}")
        for good in line:
            release = self.releases(key.name, good)
            if release is not None and release.manifest.get(PARTIAL, NAME) == NAME:
                return release
        raise Stop(f"nothing at hand knows what {key.name} {' or '.join(line)} is made of: ask a registry")

    def depends(
        self, key: Key, block: Block, release: LockedRelease, group: str, renamed: dict[str, str]
    ) -> dict[str, str]:
        """What a good release depends on, among the entries of the lockfile. Raises Stop."""
        optional = mapping_of(release, "optionalDependencies")
        asked = (
            optional
            if group == "optionalDependencies"
            else {name: spec for name, spec in mapping_of(release, "dependencies").items() if name not in optional}
        )
        bundled = release.manifest.get("bundleDependencies") or release.manifest.get("bundledDependencies") or []
        had = {**block.mapping("dependencies"), **block.mapping("optionalDependencies")}
        made: dict[str, str] = {}
        for name, spec in asked.items():
            if isinstance(bundled, list) and name in bundled:
                continue
            value = self.satisfying(name, str(spec), had.get(name), renamed)
            if value is None:
                raise Stop(
                    f"{release.name}@{release.version} asks for {name} {str(spec)[:100]}, which the lockfile does not "
                    "hold"
                )
            made[name] = value
        peers = {**mapping_of(release, "peerDependencies"), **mapping_of(release, "peerDependenciesMeta")}
        for name, value in block.mapping(group).items():
            if name in peers:
                made.setdefault(name, value)
            elif name not in made and "(" in value:
                raise Stop(
                    f"{key.text[:200]} has peers by way of {name}, which {release.name}@{release.version} does not ask "
                    "for"
                )
        return made

    def satisfying(self, name: str, spec: str, had: str | None, renamed: dict[str, str]) -> str | None:
        """The reference to an entry that a range takes: the one that was there, else the highest."""
        real, asked = requests.split(name, spec)
        if asked is None:
            return None
        now = {new: self.keys[old] for old, new in renamed.items()}
        if had is not None:
            target = next((key for key in (self.resolve(name, had), had) if key is not None), had)
            known = self.keys.get(target) or Key(self.full(name, had), self.form)
            overridden = self.section("overrides")
            named = overridden is not None and any(
                re.search(rf"(?:^|>){re.escape(name)}(?:@|$)", path[-1]) for _, path, _ in leaves(overridden.lines)
            )
            if named or (known.name == real and requests.admits(asked, known.version)) or target in now:
                return had
        fitting = [
            key
            for key in self.keys.values()
            if key.name == real and not self.bad(key) and not key.suffix and requests.admits(asked, key.version)
        ]
        ranked = [(parsed.rank, key) for key in fitting if (parsed := parse_version(key.version)) is not None]
        if not ranked:
            return None
        _, best = max(ranked, key=lambda pair: pair[0])
        return best.version if real == name else best.text
