"""pnpm's lockfile: pnpm-lock.yaml with `lockfileVersion` 5.x (pnpm 3 to 7), 6.x (pnpm 8) and 9.0 (pnpm 9 to 12).

Entries are replaced, renamed and removed as blocks of lines in the layout that pnpm itself writes; a file in another
layout is not touched. pnpm records no ranges of what a package asks for: those of dependants are known only where
`releases` knows the dependant.

References: pnpm 12.21.0 and 8.15.9, lockfile.fs (sortLockfileKeys), deps.path, resolve-dependencies
(updateLockfile); lockfiles of pnpm 7 to 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

import re

from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.pnpm_choice import NAME, Choice
from pratique.ecosystems.npm.locks.pnpm_document import Reference
from pratique.ecosystems.npm.locks.pnpm_entry import NEW_ORDER, OLD_ORDER, described, lines_of, peers
from pratique.ecosystems.npm.locks.pnpm_layout import LEAF, Block, Key, Section, Stop, leaves, scalar, unquote
from pratique.model.repair import Change, Correction, LockCodec, LockedRelease, Releases, Repaired, Unrepairable

_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)


def repair(content: bytes, corrections: tuple[Correction, ...], releases: Releases) -> Repaired | Unrepairable:
    """See `pratique.model.repair.Repair`."""
    wanted = {item.name: item for item in corrections if item.ecosystem == "npm" and item.bad}
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return Unrepairable("is not UTF-8")
    try:
        made, changes, put = _whole(text, wanted, releases)
    except Stop as reason:
        return Unrepairable(str(reason))
    return Repaired(content=made.encode(), changes=tuple(sorted(set(changes))), release_of=tuple(sorted(put)))


def _whole(
    text: str, wanted: dict[str, Correction], releases: Releases
) -> tuple[str, list[Change], set[tuple[str, str, str]]]:
    if _CONFLICT.search(text):
        raise Stop("holds merge-conflict markers")
    windows = "\r\n" in text
    plain = text.replace("\r\n", "\n") if windows else text
    if "\r" in plain or (windows and plain.count("\n") != text.count("\r\n")):
        raise Stop("mixes line ends")
    if not plain.endswith("\n"):
        raise Stop("does not end with a newline: it may be cut off")
    _is_yaml(plain)
    parts = re.split(r"^(---\n)", plain, flags=re.MULTILINE)
    changes: list[Change] = []
    put: set[tuple[str, str, str]] = set()
    made = []
    for part in parts:
        if part == "---\n" or not part.strip():
            made.append(part)
            continue
        document = _Repair(part, wanted, releases)
        made.append(document.repaired())
        changes += document.changes
        put |= document.put
    whole = "".join(made)
    _is_yaml(whole)
    return (whole.replace("\n", "\r\n") if windows else whole), changes, put


def _is_yaml(text: str) -> None:
    import yaml

    try:
        for _ in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            pass
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError):
        raise Stop("is not whole YAML") from None


class _Repair(Choice):
    """The new text of one document, the changes that led to it, and the releases that were put in."""

    def __init__(self, text: str, wanted: dict[str, Correction], releases: Releases) -> None:
        super().__init__(text, wanted, releases)
        self.changes: list[Change] = []
        self.put: set[tuple[str, str, str]] = set()

    def repaired(self) -> str:
        """The new text. Raises Stop."""
        doomed = [key for key in self.keys.values() if self.bad(key)]
        loose = [block.key for block in self.packages.blocks or () if self.bad(Key(block.key, self.form))]
        projects = list(self.references())
        self.elsewhere()
        if not doomed and not loose:
            return self.original
        if self.environment():
            raise Stop(
                f"{doomed[0].text if doomed else loose[0]} is a configuration dependency: change pnpm-workspace.yaml"
            )
        for key in doomed:
            if "patch_hash=" in key.suffix:
                raise Stop(f"{key.name}@{key.version} is patched here: the patch is for that version alone")
        self.whole(projects)
        askers = self.askers(doomed, projects)
        chosen: dict[tuple[str, str], LockedRelease] = {}
        for key in doomed:
            if self.wanted[key.name].good and (key.name, key.version) not in chosen:
                chosen[key.name, key.version] = self.choose(
                    key, [a for k in doomed if (k.name, k.version) == (key.name, key.version) for a in askers[k.text]]
                )
        before = self.reached(projects)
        ordered = {section.name: section.ordered for section in (self.packages, self.snapshots)}
        renamed = self.renamed(doomed, chosen)
        self.write_packages(chosen)
        self.write_snapshots(doomed, chosen, renamed)
        self.write_projects(projects, renamed, chosen)
        self.sweep(doomed, chosen, before, projects, renamed)
        self.drop_times()
        for section in (self.packages, self.snapshots):
            if ordered[section.name]:
                section.settle()
        made = self.render()
        self.proven()
        return made

    def renamed(self, doomed: list[Key], chosen: dict[tuple[str, str], LockedRelease]) -> dict[str, str]:
        """Old key to new key: of the listed entries, and of those whose peers name one."""
        renamed: dict[str, str] = {}
        snapshots, packages = self.snapshots.by_key(), self.packages.by_key()
        for key in self.keys.values():
            suffix = key.suffix
            for (name, version), release in chosen.items():
                mark = "_" if self.form == "slashes" else "("
                flat = name.replace("/", "+") if self.form == "slashes" else name
                suffix = re.sub(
                    rf"(?<={re.escape(mark)}){re.escape(f'{flat}@{version}')}(?![\w.-])",
                    f"{flat}@{release.version}",
                    suffix,
                )
            block = snapshots.get(key.text)
            if block is not None and suffix == key.suffix and suffix:
                self.hashed(key, block, packages)
            version = key.version
            if self.bad(key) and (key.name, key.version) in chosen:
                version = chosen[key.name, key.version].version
            if key.name:
                made = key.at(version, suffix)
                if made != key.text:
                    renamed[key.text] = made
            elif any(f"({name}@{version})" in key.text for name, version in chosen):
                raise Stop(f"{key.text[:200]} has a listed release among its peers")
        return renamed

    def hashed(self, key: Key, block: Block, packages: dict[str, Block]) -> None:
        """Raises Stop where the peers in a key are a digest, and a listed release is among them."""
        described = packages.get(key.at(key.version, "")) if self.form == "bare" else block
        peers = described.mapping("peerDependencies") if described is not None else {}
        for name, value in block.mapping("dependencies").items():
            target = self.resolve(name, value)
            if name in peers and target is not None and self.bad(self.keys[target]):
                raise Stop(f"{key.text[:200]} names its peers by a digest, and a listed release is among them")

    def write_packages(self, chosen: dict[tuple[str, str], LockedRelease]) -> None:
        """The descriptions of 9.0; in older forms they stand with the rest."""
        if self.form != "bare":
            return
        for block in list(self.packages.blocks or ()):
            key = Key(block.key, self.form)
            release = chosen.get((key.name, key.version))
            if release is None:
                continue
            peers(key, block, release)
            new = key.at(release.version, "")
            if self.packages.find(new) is not None:
                self.packages.blocks.remove(block)  # type: ignore[union-attr]  # it was found there
            else:
                block.write(new, described(self.form, block, release, key.version), NEW_ORDER)
            self.note(key.text, key.version, release)

    def note(self, entry: str, was: str, release: LockedRelease) -> None:
        self.put.add((release.name, release.version, release.source))
        self.changes.append(Change(entry=entry, was=was, now=release.version, why="a listed release"))

    def write_snapshots(
        self, doomed: list[Key], chosen: dict[tuple[str, str], LockedRelease], renamed: dict[str, str]
    ) -> None:
        """Replace the listed entries, rename those with a listed peer, and let all refer to the new keys."""
        order = NEW_ORDER if self.form == "bare" else OLD_ORDER
        for block in list(self.snapshots.blocks or ()):
            key = self.keys[block.key]
            release = chosen.get((key.name, key.version))
            new = renamed.get(block.key, block.key)
            if new != block.key and self.snapshots.find(new) is not None:
                self.snapshots.blocks.remove(block)  # type: ignore[union-attr]  # it was found there
                self.changes.append(Change(entry=block.key, was=key.version, now=Key(new, self.form).version))
                continue
            self.refer(block, renamed)
            if release is None:
                if new != block.key:
                    self.changes.append(
                        Change(entry=block.key, was=key.version, now=key.version, why="its peer changed")
                    )
                    block.rename(new)
                continue
            if self.form != "bare":
                peers(key, block, release)
            self.note(block.key, key.version, release)
            fields = described(self.form, block, release, key.version) if self.form != "bare" else block.fields()
            for group in ("dependencies", "optionalDependencies"):
                fields.pop(group, None)
                listed = self.depends(key, block, release, group, renamed)
                if listed:
                    fields[group] = [f"    {group}:", *lines_of(listed)]
            block.write(new, fields, order)

    def refer(self, block: Block, renamed: dict[str, str]) -> None:
        """Let the dependencies of an entry name the new keys."""
        for number, path, value in leaves(block.lines):
            if len(path) == 3 and path[1] in ("dependencies", "optionalDependencies"):
                target = self.resolve(path[2], unquote(value))
                if target in renamed:
                    made = self.reference(path[2], unquote(value), target, renamed[target])
                    block.lines[number] = f"      {scalar(path[2])}: {scalar(made)}"
                    if not self.bad(self.keys[block.key]):
                        entry = f"{block.key} {path[1]}"
                        self.changes.append(
                            Change(entry=entry, was=f"{path[2]} {unquote(value)}", now=f"{path[2]} {made}")
                        )

    def reference(self, name: str, value: str, old: str, new: str) -> str:
        """How a place refers to a new key, in the form that it had."""
        if value == old:
            return new
        return new[len(old) - len(value) :]

    def write_projects(
        self, projects: list[Reference], renamed: dict[str, str], chosen: dict[tuple[str, str], LockedRelease]
    ) -> None:
        """Let the projects name the new keys, and ask as their manifests will."""
        specifiers = self.section("specifiers")
        alone = (
            {path[-1]: (number, unquote(value)) for number, path, value in leaves(specifiers.lines)}
            if specifiers
            else {}
        )
        for item in projects:
            target = self.resolve(item.name, item.value)
            if target is None or target not in renamed:
                continue
            made = self.reference(item.name, item.value, target, renamed[target])
            self.put_value(item.section, item.line, made)
            self.changes.append(Change(entry=f"{item.where}: {item.name}", was=item.value, now=made))
            key = self.keys[target]
            if not self.bad(key):
                continue
            good = chosen[key.name, key.version].version
            asked, section = item.asked, item.section
            if asked is None and item.name in alone and specifiers is not None:
                asked, section = alone[item.name], specifiers
            instead = requests.moved(asked[1], self.wanted[key.name].bad, good) if asked is not None else None
            if asked is not None and instead is not None:
                self.put_value(section, asked[0], instead)
                self.changes.append(
                    Change(entry=f"{item.where}: {item.name}", was=asked[1], now=instead, why="as its manifest")
                )
        overrides = self.section("overrides")
        for number, path, value in leaves(overrides.lines) if overrides is not None else ():
            for (name, version), release in chosen.items():
                if unquote(value) == version and re.search(rf"(?:^|>){re.escape(name)}(?:@|$)", path[-1]):
                    self.put_value(overrides, number, release.version)  # type: ignore[arg-type]  # it has leaves
                    self.changes.append(Change(entry=f"overrides: {path[-1]}", was=version, now=release.version))

    def put_value(self, section: Section, number: int, value: str) -> None:
        """Write another value behind the key of a line."""
        match = LEAF.fullmatch(section.lines[number])
        if match is not None:
            section.lines[number] = f"{match[1]}{match[2]}: {scalar(value)}"

    def sweep(
        self,
        doomed: list[Key],
        chosen: dict[tuple[str, str], LockedRelease],
        before: set[str],
        projects: list[Reference],
        renamed: dict[str, str],
    ) -> None:
        """Take out what nobody asks for any more. Raises Stop where somebody asks for a payload."""
        self.keys = {block.key: Key(block.key, self.form) for block in self.snapshots.blocks or ()}
        now = list(self.references())
        after = self.reached(now)
        payloads = {key.text for key in doomed if (key.name, key.version) not in chosen}
        for item in now:
            if self.resolve(item.name, item.value) in payloads:
                raise Stop(f"{item.where} asks for {item.name}, which has no known good release")
        for block in self.snapshots.blocks or ():
            if block.key in payloads or block.key not in after:
                continue
            for group in ("dependencies", "optionalDependencies"):
                for name, value in block.mapping(group).items():
                    if self.resolve(name, value) in payloads:
                        raise Stop(
                            f"{block.key} asks for {name}, which has no known good release, and is not listed itself"
                        )
        was = {renamed.get(key, key) for key in before}
        gone = {key for key in self.keys if key in payloads or (key in was and key not in after)}
        for key in sorted(gone):
            why = "a listed release" if key in payloads else "only a listed release asked for it"
            self.changes.append(Change(entry=key, was=self.keys[key].version, now=None, why=why))
        self.snapshots.blocks = [block for block in self.snapshots.blocks or () if block.key not in gone]
        if self.form == "bare":
            left = {block.key.partition("(")[0] for block in self.snapshots.blocks}
            lost = {key.partition("(")[0] for key in gone} - left
            self.packages.blocks = [
                block
                for block in self.packages.blocks or ()
                if block.key not in lost and not (self.bad(Key(block.key, self.form)) and block.key not in left)
            ]

    def drop_times(self) -> None:
        """Take the listed releases out of the times of publication."""
        times = self.section("time")
        if times is None:
            return
        gone = set()
        for number, path, _ in leaves(times.lines):
            if len(path) == 2 and self.bad(Key(path[1], self.form)):
                gone.add(number)
                self.changes.append(Change(entry=f"time: {path[1]}", was=Key(path[1], self.form).version))
        times.lines = [line for number, line in enumerate(times.lines) if number not in gone]

    def proven(self) -> None:
        """Raises Stop where anything listed is left."""
        for section in (self.packages, self.snapshots):
            for block in section.blocks or ():
                if self.bad(Key(block.key, self.form)):
                    raise Stop(f"{block.key} stays: its entries disagree")
        for item in self.references():
            key = Key(self.full(item.name, item.value), self.form)
            if self.bad(key) or self.bad(Key(item.value, self.form)):
                raise Stop(f"{item.where} still names {item.value}: its entries disagree")


CODEC = LockCodec(
    name=NAME,
    basenames=("pnpm-lock.yaml",),
    managers=("pnpm",),
    ecosystem="npm",
    repair=repair,
)
