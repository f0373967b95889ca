"""pnpm's lockfile: pnpm-lock.yaml with `lockfileVersion` 5.x (pnpm 3 to 7), 6.x (pnpm 8) and 9.0 (pnpm 9 to 12).

Entries are replaced, renamed and removed as blocks of lines in the layout that pnpm itself writes; a file in another
layout is not touched. pnpm records no ranges of what a package asks for: those of dependants are known only where
`releases` knows the dependant.

References: pnpm 12.21.0 and 8.15.9, lockfile.fs (sortLockfileKeys), deps.path, resolve-dependencies
(updateLockfile); lockfiles of pnpm 7 to 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pratique.ecosystems.npm.locks import requests
from pratique.ecosystems.npm.locks.package_lock import derived
from pratique.ecosystems.npm.urls import tarball_release
from pratique.ecosystems.npm.versions import parse_version
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

Form = Literal["slashes", "slash-at", "bare"]
"""How keys are written: `/name/1.2.3` (5.x), `/name@1.2.3` (6.x), `name@1.2.3` (9.0)."""

_GROUPS = frozenset({"dependencies", "devDependencies", "optionalDependencies"})
_OLD_ORDER = (
    "resolution", "id", "name", "version", "engines", "cpu", "os", "libc", "deprecated", "hasBin", "prepare",
    "requiresBuild", "peerDependencies", "peerDependenciesMeta", "dependencies", "optionalDependencies",
    "transitivePeerDependencies", "dev", "optional", "bundledDependencies",
)  # fmt: skip
_NEW_ORDER = tuple(key for key in _OLD_ORDER if key != "bundledDependencies")
_NEW_ORDER = (*_NEW_ORDER[:12], "bundledDependencies", *_NEW_ORDER[12:])
_OF_RELEASE = frozenset(
    {"resolution", "engines", "cpu", "os", "libc", "deprecated", "hasBin", "requiresBuild", "peerDependencies",
     "peerDependenciesMeta", "bundledDependencies"}
)  # fmt: skip
_ANYWHERE = re.compile(r"(?:^|/)((?:@[^/@]+/)?[^/@]+)[@/](?:[\w.-]+:)?(\d+\.\d+\.\d+[^_]*)")
_CONFLICT = re.compile(r"^(?:<{7} |={7}$|>{7} )", re.MULTILINE)
_LEAF = re.compile(r"( *)('(?:[^']|'')+'|\"[^\"]+\"|[^\s'\"#:][^:]*(?::[^\s:][^:]*)*):(?: (.*))?")
_PLAIN = re.compile(r"[A-Za-z0-9^~<./+_()@$;-][^\x00-\x1f,\[\]{}\x7f-\U0010ffff]*")
_NOT_TEXT = re.compile(
    r"[-+]?(?:0[bxo])?[0-9a-fA-F_,]+|[-+]?[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9]+)?|~|null|true|false|yes|no|on|off|y|n|"
    r"[-+]?\.(?:inf|nan)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE,
)


class Stop(Exception):  # noqa: N818  # a reason, told to a person
    """Why a lockfile cannot be repaired."""


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
        document = _Document(part, wanted, releases)
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


def unquote(text: str) -> str:
    """What a key or value of one line means."""
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1:
        return text[1:-1]
    return text


def scalar(text: str) -> str:
    """A text as pnpm writes it on one line. Raises Stop."""
    if not text or any(mark < " " for mark in text):
        if text:
            raise Stop("a field of the release holds more than one line")
        return "''"
    odd = ": " in text or " #" in text or text.endswith((":", " ")) or text.startswith(("- ", "-", "@"))
    if odd or not _PLAIN.fullmatch(text) or _NOT_TEXT.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return text


class Key:
    """A key of `packages` or `snapshots`. `suffix` holds the peers; `name` is empty for what is from no registry."""

    def __init__(self, text: str, form: Form) -> None:
        self.text = text
        self.form = form
        self.name = self.version = self.suffix = ""
        if form == "slashes":
            match = re.fullmatch(r"/((?:@[^/]+/)?[^/@]+)/(\d+\.\d+\.\d+[^_(]*)([_(].*)?", text)
        else:
            start = "/" if form == "slash-at" else ""
            match = re.fullmatch(rf"{start}((?:@[^/@(]+/)?[^/@(]+)@(\d+\.\d+\.\d+[^(]*)(\(.*)?", text)
        if match:
            self.name, self.version, self.suffix = match[1], match[2], match[3] or ""

    def at(self, version: str, suffix: str) -> str:
        """The key of another version."""
        if self.form == "slashes":
            return f"/{self.name}/{version}{suffix}"
        return f"{'/' if self.form == 'slash-at' else ''}{self.name}@{version}{suffix}"


class Block:
    """An entry: its key line and the lines below it."""

    def __init__(self, key: str, lines: list[str]) -> None:
        self.key = key
        self.lines = lines

    def fields(self) -> dict[str, list[str]]:
        """The lines of each field, the field's own line first. Raises Stop."""
        found: dict[str, list[str]] = {}
        last: list[str] | None = None
        for line in self.lines[1:]:
            if line.startswith("    ") and line[4:5] not in ("", " "):
                match = _LEAF.fullmatch(line)
                if match is None:
                    raise Stop(f"{self.key[:200]} is not in pnpm's layout")
                last = found.setdefault(unquote(match[2]), [])
            if last is None:
                raise Stop(f"{self.key[:200]} is not in pnpm's layout")
            last.append(line)
        return found

    def mapping(self, field: str) -> dict[str, str]:
        """The texts of a block mapping."""
        found = {}
        for line in self.fields().get(field, [])[1:]:
            match = _LEAF.fullmatch(line)
            if match and len(match[1]) == 6 and match[3]:
                found[unquote(match[2])] = unquote(match[3])
        return found

    def write(self, key: str, fields: dict[str, list[str]], order: tuple[str, ...]) -> None:
        """Write the entry anew."""
        known = sorted(fields, key=lambda name: (order.index(name) if name in order else len(order), name))
        body = [line for name in known for line in fields[name]]
        self.key = key
        self.lines = [f"  {scalar(key)}:" + ("" if body else " {}"), *body]

    def rename(self, key: str) -> None:
        """Write another key over the same body."""
        tail = " {}" if self.lines[0].endswith(" {}") else ""
        self.key = key
        self.lines[0] = f"  {scalar(key)}:{tail}"


class Section:
    """A part of a document at its left edge; of entries where it is `packages` or `snapshots`."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines
        self.blocks: list[Block] | None = None
        if name in ("packages", "snapshots") and lines[0] == f"{name}:":
            self.blocks = self._split()

    def _split(self) -> list[Block]:
        blocks: list[Block] = []
        for line in self.lines[1:]:
            if line.startswith("  ") and line[2:3] not in ("", " "):
                match = _LEAF.fullmatch(line)
                if match is None or match[3] not in (None, "{}"):
                    raise Stop(f"{self.name}: is not in pnpm's layout")
                blocks.append(Block(unquote(match[2]), []))
            if blocks:
                blocks[-1].lines.append(line)
        for block in blocks:
            while block.lines and not block.lines[-1]:
                block.lines.pop()
        if len({block.key for block in blocks}) != len(blocks):
            raise Stop(f"{self.name}: an entry stands twice")
        return blocks

    def text(self, *, last: bool) -> str:
        """The lines of the section."""
        if self.blocks is None:
            return "".join(f"{line}\n" for line in self.lines)
        if not self.blocks:
            return ""
        body = "\n\n".join("\n".join(block.lines) for block in self.blocks)
        return f"{self.name}:\n\n{body}\n" + ("" if last else "\n")

    def find(self, key: str) -> Block | None:
        """The entry with a key."""
        return next((block for block in self.blocks or () if block.key == key), None)

    def by_key(self) -> dict[str, Block]:
        """The entries by key, as they are now: for whoever asks for many of them."""
        return {block.key: block for block in self.blocks or ()}

    def settle(self) -> None:
        """Put the entries into pnpm's order again."""
        (self.blocks or []).sort(key=lambda block: block.key)

    @property
    def ordered(self) -> bool:
        """Whether the entries are in pnpm's order."""
        keys = [block.key for block in self.blocks or ()]
        return keys == sorted(keys)


def leaves(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """Line number, path and value of each `key: value` among lines of block mappings."""
    path: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        match = _LEAF.fullmatch(line)
        if match is None:
            continue
        depth = len(match[1])
        while path and path[-1][0] >= depth:
            path.pop()
        path.append((depth, unquote(match[2])))
        if match[3]:
            yield number, tuple(key for _, key in path), match[3]


class Reference:
    """A place among the projects that names an entry: the line with the version, and the one with what is asked."""

    def __init__(self, section: Section, line: int, name: str, value: str, where: str) -> None:
        self.section = section
        self.line = line
        self.name = name
        self.value = value
        self.where = where
        self.asked: tuple[int, str] | None = None


class _Document:
    def __init__(self, text: str, wanted: dict[str, Correction], releases: Releases) -> None:
        self.original = text
        self.wanted = wanted
        self.releases = releases
        self.changes: list[Change] = []
        self.put: set[tuple[str, str, str]] = set()
        self.sections: list[Section] = []
        lines: list[str] = []
        name = ""
        for line in text.split("\n")[:-1]:
            if line and line[0] not in " #-":
                if lines:
                    self.sections.append(Section(name, lines))
                name, lines = unquote(line.partition(":")[0]), []
            lines.append(line)
        self.sections.append(Section(name, lines))
        names = [section.name for section in self.sections]
        if len(set(names)) != len(names):
            raise Stop("a part stands twice")
        version = self.section("lockfileVersion")
        number = unquote(version.lines[0].partition(":")[2].strip()) if version is not None else ""
        forms: dict[str, Form] = {"5": "slashes", "6": "slash-at", "7": "bare", "9": "bare"}
        if number.partition(".")[0] not in forms:
            raise Stop(f"lockfileVersion {number[:20]!r} is not known (5, 6, 9)")
        self.form: Form = forms[number.partition(".")[0]]
        self.packages = self.section("packages") or Section("packages", ["packages:"])
        self.snapshots = (self.section("snapshots") or Section("", [""])) if self.form == "bare" else self.packages
        self.keys = {block.key: Key(block.key, self.form) for block in self.snapshots.blocks or ()}
        if self.render() != text:
            raise Stop("is not in pnpm's layout")

    def section(self, name: str) -> Section | None:
        """A part by its name."""
        return next((section for section in self.sections if section.name == name), None)

    def render(self) -> str:
        """The text of the document."""
        kept = [section for section in self.sections if section.blocks is None or section.blocks]
        if kept and kept[-1].blocks is None and kept[-1] is not self.sections[-1]:
            while kept[-1].lines and not kept[-1].lines[-1]:
                kept[-1].lines.pop()
        return "".join(section.text(last=section is kept[-1] and self.ends) for section in kept)

    @property
    def ends(self) -> bool:
        """Whether the document ends without an empty line; one before another document has one."""
        return not self.original.endswith("\n\n")

    def resolve(self, name: str, value: str) -> str | None:
        """The key that `name: value` refers to."""
        for key in (
            f"/{name}/{value}"
            if self.form == "slashes"
            else f"/{name}@{value}"
            if self.form == "slash-at"
            else f"{name}@{value}",
            value,
        ):
            if key in self.keys:
                return key
        return None

    def bad(self, key: Key) -> bool:
        """Whether an entry is a listed release."""
        correction = self.wanted.get(key.name)
        return correction is not None and key.version in correction.bad

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

    def whole(self, projects: list[Reference]) -> None:
        """Raises Stop where an entry is referred to and not there."""
        named = [(item.name, item.value) for item in projects]
        for block in self.snapshots.blocks or ():
            named += block.mapping("dependencies").items()
        for name, value in named:
            if re.match(r"\d+\.\d+\.\d+", value) and self.resolve(name, value) is None:
                raise Stop(f"lacks the entry of {name} {value[:100]}: it may be cut off or badly merged")
        if self.form == "bare":
            described = {block.key for block in self.packages.blocks or ()}
            for key in self.keys.values():
                if key.name and key.at(key.version, "") not in described:
                    raise Stop(f"lacks the description of {key.name} {key.version}: it may be cut off or badly merged")

    def environment(self) -> bool:
        """Whether this document holds configuration dependencies instead of a project."""
        part = self.section("importers")
        return any(
            re.fullmatch(r" +(?:configDependencies|packageManagerDependencies):", line)
            for line in (part.lines if part else ())
        )

    def references(self) -> Iterator[Reference]:
        """Every place among the projects and catalogs that names an entry."""
        for section in self.sections:
            if section.name in ("importers", "catalogs", *_GROUPS):
                pairs: dict[tuple[str, ...], Reference] = {}
                asked: dict[tuple[str, ...], tuple[int, str]] = {}
                for number, path, value in leaves(section.lines):
                    group = path[-2] if len(path) > 1 else ""
                    if self.form == "slashes" and (group in _GROUPS or group == "specifiers"):
                        if group == "specifiers":
                            asked[(*path[:-2], path[-1])] = number, unquote(value)
                        else:
                            where = (*path[:-2], path[-1])
                            pairs[path] = Reference(section, number, path[-1], unquote(value), "/".join(path[:-1]))
                            pairs[path].asked = asked.get(where)
                    elif path[-1] == "version" and len(path) > 2:
                        pairs[path[:-1]] = Reference(section, number, path[-2], unquote(value), "/".join(path[:-1]))
                        pairs[path[:-1]].asked = asked.get(path[:-1])
                    elif path[-1] == "specifier":
                        asked[path[:-1]] = number, unquote(value)
                yield from pairs.values()

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
            if release is not None and release.manifest.get(PARTIAL, CODEC.name) == CODEC.name:
                return release
        raise Stop(f"nothing at hand knows what {key.name} {' or '.join(line)} is made of: ask a registry")

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

    def peers(self, key: Key, block: Block, release: LockedRelease) -> None:
        """Raises Stop where the good release has other peers: its key would be another."""
        had = set(block.mapping("peerDependencies")) | {
            path[1] for _, path, _ in leaves(block.lines[1:]) if path[0] == "peerDependenciesMeta" and len(path) > 2
        }
        has = set(_mapping(release, "peerDependencies")) | set(_mapping(release, "peerDependenciesMeta"))
        if had != has:
            raise Stop(f"{release.name}@{release.version} has other peers than {key.name}@{key.version}")

    def described(self, block: Block, release: LockedRelease, bad: str) -> dict[str, list[str]]:
        """The fields that describe a release, as pnpm writes them."""
        old = block.fields()
        manifest = release.manifest
        made: dict[str, list[str]] = {"resolution": [self.resolution(old, release, bad)]}
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
        if self.form != "bare" and (runs or manifest.get("hasInstallScript") or manifest.get("gypfile")):
            made["requiresBuild"] = ["    requiresBuild: true"]
        peers = _mapping(release, "peerDependencies")
        meta = {
            name: item
            for name, item in _mapping(release, "peerDependenciesMeta").items()
            if isinstance(item, dict) and item.get("optional")
        }
        for name in meta:
            peers.setdefault(name, "*")
        if peers:
            made["peerDependencies"] = ["    peerDependencies:", *_lines(peers)]
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

    def resolution(self, old: dict[str, list[str]], release: LockedRelease, bad: str) -> str:
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

    def write_packages(self, chosen: dict[tuple[str, str], LockedRelease]) -> None:
        """The descriptions of 9.0; in older forms they stand with the rest."""
        if self.form != "bare":
            return
        for block in list(self.packages.blocks or ()):
            key = Key(block.key, self.form)
            release = chosen.get((key.name, key.version))
            if release is None:
                continue
            self.peers(key, block, release)
            new = key.at(release.version, "")
            if self.packages.find(new) is not None:
                self.packages.blocks.remove(block)  # type: ignore[union-attr]  # it was found there
            else:
                block.write(new, self.described(block, release, key.version), _NEW_ORDER)
            self.note(key.text, key.version, release)

    def note(self, entry: str, was: str, release: LockedRelease) -> None:
        self.put.add((release.name, release.version, release.source))
        self.changes.append(Change(entry=entry, was=was, now=release.version, why="a listed release"))

    def write_snapshots(
        self, doomed: list[Key], chosen: dict[tuple[str, str], LockedRelease], renamed: dict[str, str]
    ) -> None:
        """Replace the listed entries, rename those with a listed peer, and let all refer to the new keys."""
        order = _NEW_ORDER if self.form == "bare" else _OLD_ORDER
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
                self.peers(key, block, release)
            self.note(block.key, key.version, release)
            fields = self.described(block, release, key.version) if self.form != "bare" else block.fields()
            for group in ("dependencies", "optionalDependencies"):
                fields.pop(group, None)
                listed = self.depends(key, block, release, group, renamed)
                if listed:
                    fields[group] = [f"    {group}:", *_lines(listed)]
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

    def depends(
        self, key: Key, block: Block, release: LockedRelease, group: str, renamed: dict[str, str]
    ) -> dict[str, str]:
        """What a good release depends on, among the entries of the lockfile. Raises Stop."""
        optional = _mapping(release, "optionalDependencies")
        asked = (
            optional
            if group == "optionalDependencies"
            else {name: spec for name, spec in _mapping(release, "dependencies").items() if name not in optional}
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
        peers = {**_mapping(release, "peerDependencies"), **_mapping(release, "peerDependenciesMeta")}
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
        best = max(fitting, key=lambda key: parse_version(key.version).rank, default=None)  # type: ignore[union-attr]
        if best is None:
            return None
        return best.version if real == name else best.text

    def full(self, name: str, value: str) -> str:
        """The key of `name: value`."""
        if self.form == "slashes":
            return f"/{name}/{value}"
        return f"{'/' if self.form == 'slash-at' else ''}{name}@{value}"

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
        match = _LEAF.fullmatch(section.lines[number])
        if match is not None:
            section.lines[number] = f"{match[1]}{match[2]}: {scalar(value)}"

    def reached(self, projects: Iterable[Reference]) -> set[str]:
        """The entries that the projects ask for, directly or not, by the keys of now."""
        keys = {block.key: block for block in self.snapshots.blocks or ()}
        stack = []
        for item in projects:
            stack.append((item.name, item.value))
        reached: set[str] = set()
        while stack:
            name, value = stack.pop()
            key = next((key for key in (self.full(name, value), value) if key in keys), None)
            if key is None or key in reached:
                continue
            reached.add(key)
            for group in ("dependencies", "optionalDependencies"):
                stack += list(keys[key].mapping(group).items())
        return reached

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


def parts_of(text: str, name: str, version: str) -> tuple[dict[str, Any], dict[str, dict[str, str]]] | None:
    """What a lockfile says of a release: the fields that describe it, and its dependencies with exact versions.

    None where it says nothing, or is not whole.
    """
    import yaml

    for part in re.split(r"^---\n", text, flags=re.MULTILINE):
        try:
            document = _Document(part, {}, lambda name, version: None)
        except Stop:
            continue
        key = next((key for key in document.keys.values() if (key.name, key.version) == (name, version)), None)
        block = document.snapshots.find(key.text) if key is not None else None
        shown = document.packages.find(key.at(version, "")) if key is not None and document.form == "bare" else block
        if block is None or shown is None:
            continue
        body = "\n".join(shown.lines[1:])
        if len(body) > 1 << 16 or body.count("[") + body.count("{") > 64:
            continue
        try:
            described = yaml.load(body, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 (a safe loader)
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        peers = set(shown.mapping("peerDependencies"))
        depends: dict[str, dict[str, str]] = {}
        for group in ("dependencies", "optionalDependencies"):
            for other, value in block.mapping(group).items():
                target = document.keys.get(document.resolve(other, value) or "")
                if target is None or not target.name:
                    return None
                exact = target.version if target.name == other else f"npm:{target.name}@{target.version}"
                if other not in peers:
                    depends.setdefault(group, {})[other] = exact
        if not isinstance(described, dict):
            continue
        for group in ("dependencies", "optionalDependencies", "transitivePeerDependencies"):
            described.pop(group, None)
        return described, depends
    return None


def _mapping(release: LockedRelease, field: str) -> dict[str, Any]:
    value = release.manifest.get(field)
    return dict(value) if isinstance(value, dict) else {}


def _lines(mapping: dict[str, str]) -> list[str]:
    return [f"      {scalar(name)}: {scalar(str(mapping[name]))}" for name in sorted(mapping)]


CODEC = LockCodec(
    name="pnpm-lock",
    basenames=("pnpm-lock.yaml",),
    managers=("pnpm",),
    ecosystem="npm",
    repair=repair,
)
