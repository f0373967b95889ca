"""pnpm's lockfile: pnpm-lock.yaml, and pnpm-lock.<branch>.yaml of branch lockfiles.

## Reads
`lockfileVersion` 5.x (pnpm 3 to 7), 6.x (pnpm 8) and 9.0 (pnpm 9 to 12), one or several YAML documents (pnpm 11 and 12
write configuration dependencies in a document of their own). Every release of a listed name: aliases by their real
name, all sets of peers as one, git, tarball and folder sources with their origin, releases of named registries. In 9.0
the keys of `snapshots` are the resolved set; `packages` adds integrity. A publication time in `time`. `overrides` as
protections, `catalogs` as ranges. A byte order mark, CRLF, UTF-16, duplicate keys and merge-conflict markers are read
through: both sides are listed, and a refusal says what is damaged. A file that was cut off between two lines is found
by entries that it refers to and lacks.

## Leaves out
Peers, engines and the tree between packages. The version of a package that stands in `bundledDependencies` (pnpm notes
the name alone), and packages that are folders. The host that a registry package came from: pnpm does not record it.

## References
pnpm 12.21.0, lockfile and deps.path packages; lockfiles of pnpm 7 to 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.urls import strip_url, tarball_release
from pratique.model.observation import ComponentFact, Observation, Origin, Record, Refusal, Time
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.package_lock import Pairs
from pratique.readers.npm.pnpm_paths import DependencyPath, folder_of, parse_path, without_suffix
from pratique.readers.npm.pnpm_settings import catalog_ranges, is_true, protections, text_of
from pratique.readers.npm.pnpm_yaml import (
    Node,
    Parsed,
    Unexpected,
    conflict_sides,
    has_conflicts,
    quick_block,
    quick_entries,
    quick_sections,
    quick_tree,
    repeated_keys,
    strict_trees,
    unquote,
)
from pratique.readers.npm.remembered import MOST_ENTRIES, memory
from pratique.readers.text import decode_text, refuse

_ENTRIES = ("packages", "snapshots")
_KNOWN_VERSIONS = frozenset({5, 6, 7, 9, 12})
_ENVIRONMENT = ("configDependencies", "packageManagerDependencies")
_NO_PROJECT = "ends after the document of configuration dependencies: it may be cut off"
_GIT_HOSTS = re.compile(
    r"(?:git\+|git:|ssh:|https?://(?:codeload\.github\.com|bitbucket\.org|gitlab\.com)/|https?://[^#?]+\.git(?:#|$))"
)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z?")
_REFERENCES = re.compile(r"^    dependencies:\n((?:      [^\n]*\n)+)", re.MULTILINE)
_REFERENCE = re.compile(r"^      (\S+): (\S+)$", re.MULTILINE)


Form = Literal["slashes", "slash-at", "bare"]
"""How dependency paths are written: `/name/1.2.3` (5.x), `/name@1.2.3` (6.x), `name@1.2.3` (9.0)."""


class Document(msgspec.Struct):
    """One document of a lockfile. Entries are trees, or text below a key that is not parsed yet."""

    fields: Pairs
    packages: list[tuple[str, Any]]
    snapshots: list[tuple[str, Any]] | None
    passed: Passed | None = None


class Passed(msgspec.Struct):
    """Entries of names that nobody asks about, left out before parsing: a text without them, and their keys."""

    text: str
    packages: list[str]
    snapshots: list[str]


class Unparsed(msgspec.Struct):
    """The lines below a key, parsed only where somebody asks."""

    text: str

    def tree(self) -> Node:
        """The tree of the lines. Raises Unexpected."""
        return quick_block(self.text, 4)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one component fact for each release of a name of interest; a refusal for all that is not whole."""
    yield from read_lock(
        artifact,
        READER,
        interest.wanted("npm"),
        record="lock",
        times=artifact.modified_time("the lockfile was last written"),
    )


def read_lock(
    artifact: Artifact, reader: Reader, wanted: frozenset[str] | Everything, *, record: Record, times: tuple[Time, ...]
) -> Iterator[Observation | Refusal]:
    """Read a lockfile of any version; shared by the two readers of this format."""
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, reader, "is not text in UTF-8 or UTF-16")
        return
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    if not text.strip():
        yield refuse(artifact, reader, "is empty")
        return
    known = memory(artifact, wanted, "pnpm-lock", _Known) if record == "lock" and text.endswith("\n") else None
    short = known.without(text) if known is not None else None
    sides = [text]
    if has_conflicts(text if short is None else short.text):
        yield refuse(artifact, reader, "holds merge-conflict markers; both sides were read")
        sides = conflict_sides(text)
    elif not text.endswith("\n"):
        yield refuse(artifact, reader, "does not end with a newline: it may be cut off")
    seen: set[bytes] = set()
    for side in sides:
        for item in _side(artifact, reader, wanted, record, times, side, short if side is text else None):
            key = msgspec.json.encode(item)
            if key not in seen:
                seen.add(key)
                yield item


def _side(
    artifact: Artifact,
    reader: Reader,
    wanted: frozenset[str] | Everything,
    record: Record,
    times: tuple[Time, ...],
    text: str,
    short: Passed | None,
) -> Iterator[Observation | Refusal]:
    """One whole text: the quick way first, the strict way where that does not understand something."""
    if text.endswith("\n"):
        for part in (short, None) if short is not None else (None,):
            try:
                found = quick(artifact, reader, wanted, record, times, text if part is None else part.text, part)
            except Unexpected:
                continue
            yield from found
            return
    yield from strict(artifact, reader, wanted, record, times, text)


def quick(
    artifact: Artifact,
    reader: Reader,
    wanted: frozenset[str] | Everything,
    record: Record,
    times: tuple[Time, ...],
    text: str,
    passed: Passed | None = None,
) -> list[Observation | Refusal]:
    """Read a text in pnpm's own layout. Raises Unexpected before anything is handed out."""
    documents = []
    for sections in quick_sections(text):
        entries: dict[str, list[tuple[str, Node | Unparsed]]] = {}
        fields = []
        if not sections:
            raise Unexpected
        for key, section in sections:
            if key in _ENTRIES:
                if key in entries:
                    raise Unexpected
                entries[key] = [(path, Unparsed(body)) for path, body in quick_entries(section)]
            else:
                fields.append((key, quick_tree(section, 2)))
        documents.append(Document(Pairs(fields), entries.get("packages", []), entries.get("snapshots") or None, passed))
    if passed is not None:
        (document,) = documents if len(documents) == 1 else [Document(Pairs([]), [], None)]
        if document.snapshots is None or _meet(passed.packages, document.packages):
            raise Unexpected
        if _meet(passed.snapshots, document.snapshots):
            raise Unexpected
    found: list[Observation | Refusal] = []
    for document in documents:
        found += _Lock(artifact, reader, wanted, record, times, document).read()
    if len(documents) == 1 and _is_environment(documents[-1]):
        found.append(refuse(artifact, reader, _NO_PROJECT))
    return found


def strict(
    artifact: Artifact,
    reader: Reader,
    wanted: frozenset[str] | Everything,
    record: Record,
    times: tuple[Time, ...],
    text: str,
) -> Iterator[Observation | Refusal]:
    """Read any YAML text; what stands before a damaged place is listed too."""
    parsed: Parsed = strict_trees(text)
    if parsed.damage is not None:
        yield refuse(artifact, reader, parsed.damage)
    elif not any(isinstance(tree, Pairs) for tree in parsed.documents):
        yield refuse(artifact, reader, "is not a mapping")
    environments = []
    for tree in parsed.documents:
        if not isinstance(tree, Pairs):
            if tree is not None:
                yield refuse(artifact, reader, "holds a document that is not a mapping")
            continue
        twice = [key for key in repeated_keys(tree) if key in _ENTRIES]
        if twice:
            yield refuse(artifact, reader, f"{twice[0]}: stands twice; both were read")
        entries: dict[str, list[tuple[str, Node | Unparsed]]] = {}
        for key, node in tree.pairs:
            if key in _ENTRIES:
                if not isinstance(node, Pairs):
                    if node is not None:
                        yield refuse(artifact, reader, f"{key}: is not a mapping")
                    continue
                entries.setdefault(key, []).extend(node.pairs)
        fields = Pairs([(key, node) for key, node in tree.pairs if key not in _ENTRIES])
        document = Document(fields, entries.get("packages", []), entries.get("snapshots") or None)
        environments.append(_is_environment(document))
        yield from _Lock(artifact, reader, wanted, record, times, document).read()
    if environments == [True]:
        yield refuse(artifact, reader, _NO_PROJECT)


def _meet(keys: list[str], entries: list[tuple[str, Any]]) -> bool:
    """Whether a key was left out and stands among the entries too."""
    return not {key for key, _ in entries}.isdisjoint(keys)


class _Known:
    """Entries of `packages` and `snapshots` of the 9.0 form that were seen to be whole and of no interest."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self.packages: dict[str, str] = {}
        self.snapshots: dict[str, str] = {}

    def without(self, text: str) -> Passed | None:
        """A text without the entries that are known; None where nothing can be left out."""
        blocks = text.split("\n\n")
        try:
            first = blocks.index("packages:")
            second = blocks.index("snapshots:", first)
        except ValueError:
            return None
        if not text.startswith("lockfileVersion: '9") or "\n---" in text or second - first < 16:
            return None
        keys: list[list[str]] = []
        left = blocks[: first + 1]
        for known, part in ((self.packages, blocks[first + 1 : second]), (self.snapshots, blocks[second + 1 :])):
            found = list(map(known.get, part[:-1]))
            for index in [index for index, key in enumerate(found) if key is None]:
                block = part[index]
                found[index] = self._learn(block, known)
                if found[index] is None:
                    left.append(block)
                    if not _ENTRY_ALONE.match(block) or _OUTDENTED.search(block):
                        return None
            passed = [key for key in found if key is not None]
            left += part[-1:]
            if not part or not _ENTRY_ALONE.match(part[-1]):
                return None
            if known is self.packages:
                left.append("snapshots:")
            if len(set(passed)) != len(passed):
                return None
            keys.append(passed)
        return Passed("\n\n".join(left), *keys)

    def _learn(self, block: str, known: dict[str, str]) -> str | None:
        """The key of a block that is one whole entry of no interest; then it is remembered."""
        try:
            ((_, section),) = [pair for sections in quick_sections(f"x:\n{block}\n") for pair in sections]
            ((key, inner),) = quick_entries(section)
        except (Unexpected, ValueError):
            return None
        at = key.find("@", 1)
        if (
            at < 1
            or key[:at] in self.wanted
            or has_conflicts(block)
            or (known is self.packages and not _has_resolution(Unparsed(inner)))
        ):
            return None
        if len(known) >= MOST_ENTRIES:
            known.clear()
        known[block] = key
        return key


_ENTRY_ALONE = re.compile(r"  [^ \n]")
"""How an entry starts that nothing before it can own, and that owns nothing before it."""
_OUTDENTED = re.compile(r"^\S", re.MULTILINE)


def _is_environment(document: Document) -> bool:
    """Whether a document holds configuration dependencies alone."""
    importers = document.fields.get("importers")
    root = importers.get(".") if isinstance(importers, Pairs) else None
    return isinstance(root, Pairs) and [key for key, _ in root.pairs if key not in _ENVIRONMENT] == [] != root.pairs


class _Lock:
    """One document being read."""

    def __init__(
        self,
        artifact: Artifact,
        reader: Reader,
        wanted: frozenset[str] | Everything,
        record: Record,
        times: tuple[Time, ...],
        document: Document,
    ) -> None:
        self.artifact = artifact
        self.reader = reader
        self.wanted = wanted
        self.record: Record = record
        self.times = times
        self.document = document
        self.root = artifact.path.rpartition("/")[0].removesuffix(".pnpm")
        self.shipped_in = place_of(artifact.path).package if record == "lock" else None
        entries = document.packages if document.snapshots is None else document.snapshots
        self.have = {key for key, _ in entries}
        if document.passed is not None:
            self.have.update(document.passed.snapshots)
        version = document.fields.get("lockfileVersion")
        digits = re.match(r"\d{1,9}", version) if isinstance(version, str) else None
        self.major = int(digits[0]) if digits else None
        self.form: Form = _form(self.major, document)
        self.aliases: dict[str, str] = {}
        self.called: dict[str, str] = {}
        self.published: dict[str, str] = {}
        self.nameless: list[str] = []
        self.facts: dict[tuple[object, ...], tuple[ComponentFact, tuple[Time, ...]]] = {}

    def read(self) -> list[Observation | Refusal]:
        """Everything that the document says. Raises Unexpected where an unparsed part is not in pnpm's layout."""
        out: list[Observation | Refusal] = []
        document = self.document
        reasons = self._shape()
        self._importers(reasons)
        time = document.fields.get("time")
        if isinstance(time, Pairs):
            self.published = {key: node for key, node in time.pairs if isinstance(node, str) and _TIME.fullmatch(node)}
        if document.snapshots is not None:
            self._split(reasons)
        else:
            self._joint(reasons)
        location = self.artifact.location()
        for fact, times in self.facts.values():
            out.append(Observation(self.reader.name, location, fact, times + self.times))
        for protection in protections(document.fields.get("overrides"), "overrides"):
            if protection.name in self.wanted:
                out.append(Observation(self.reader.name, location, protection, self.times))
        for asked in catalog_ranges(document.fields.get("catalogs"), "catalogs"):
            if asked.name in self.wanted:
                out.append(Observation(self.reader.name, location, asked, self.times))
        return out + [refuse(self.artifact, self.reader, reason) for reason in reasons]

    def _shape(self) -> list[str]:
        """What is wrong with the document as a whole."""
        reasons = []
        document = self.document
        if self.major is None:
            reasons.append("has no lockfileVersion")
        elif self.major not in _KNOWN_VERSIONS:
            reasons.append(f"lockfileVersion: {self.major} is not known")
        for where, entries in (("packages", document.packages), ("snapshots", document.snapshots or [])):
            if len({key for key, _ in entries}) != len(entries):
                twice = repeated_keys(Pairs(list(entries)))
                reasons.append(f"{where}: {twice[0][:200]} stands twice; both were read")
        twice = repeated_keys(document.fields)
        if twice:
            reasons.append(f"{twice[0][:200]}: stands twice; both were read")
        if self.form == "bare" and document.packages and document.snapshots is None:
            reasons.append("has packages but no snapshots: it may be cut off")
        if self.form == "bare" and not isinstance(document.fields.get("importers"), Pairs):
            reasons.append("has no importers: it may be cut off")
        if self.form == "slashes" and not any(
            isinstance(document.fields.get(field), Pairs) for field in ("specifiers", "importers")
        ):
            reasons.append("has neither specifiers nor importers: it may be cut off")
        if document.packages and not _has_resolution(document.packages[-1][1]):
            reasons.append(f"packages: {document.packages[-1][0][:200]} has no resolution: it may be cut off")
        return reasons

    def _importers(self, reasons: list[str]) -> None:
        """Take note of aliases, and see whether the entries that the projects refer to are there."""
        holders: list[Node] = [self.document.fields]
        for importers in self.document.fields.all("importers"):
            if isinstance(importers, Pairs):
                holders += [node for _, node in importers.pairs]
                twice = repeated_keys(importers)
                if twice:
                    reasons.append(f"importers: {twice[0][:200]} stands twice; both were read")
            elif importers is not None:
                reasons.append("importers: is not a mapping")
        needed: set[str] = set()
        partial: set[str] = set()
        for holder in holders:
            if not isinstance(holder, Pairs):
                partial.add("a project")
                continue
            specifiers = holder.get("specifiers")
            if isinstance(specifiers, Pairs):
                partial |= {key for key, _ in specifiers.pairs}
            for field in ("dependencies", "devDependencies", "optionalDependencies"):
                for group in holder.all(field):
                    if not isinstance(group, Pairs):
                        partial.add(field)
                        continue
                    partial -= {key for key, _ in group.pairs}
                    for key, node in group.pairs:
                        value = node.get("version") if isinstance(node, Pairs) else node
                        if not isinstance(value, str):
                            partial.add(key)
                            continue
                        path = resolve(key, value, self.form)
                        if path is None:
                            continue
                        parsed = parse_path(path)
                        if parsed.name is None:
                            self.called.setdefault(path, key)
                        elif parsed.name != key:
                            self.aliases.setdefault(path, key)
                        if field != "optionalDependencies" and parsed.kind == "registry":
                            needed.add(path)
        if partial:
            reasons.append(f"names no version for {min(partial)[:200]}: it may be cut off")
        if self.form != "bare" or self.document.snapshots is not None or not self.document.packages:
            self._lacking(reasons, needed, "the projects refer to")

    def _lacking(self, reasons: list[str], needed: set[str], who: str) -> None:
        """Say which entries are referred to and not there; an installed record may leave out what was not needed."""
        lost = needed - self.have if self.record == "lock" else set()
        if lost:
            reasons.append(
                f"lacks {len(lost)} of the entries that {who}, such as {min(lost)[:200]}: "
                "it may be cut off or badly merged"
            )

    def _split(self, reasons: list[str]) -> None:
        """The 9.0 form: snapshots with peers, packages without."""
        packages: dict[str, list[Node | Unparsed]] = {}
        for key, entry in self.document.packages:
            packages.setdefault(key, []).append(entry)
        passed = self.document.passed or Passed("", [], [])
        every = {*packages, *passed.packages}
        described: set[str] = set()
        for key, entry in self.document.snapshots or []:
            bare = key.partition("(")[0]
            if bare not in every and "(" in key:
                bare = without_suffix(key)
            described.add(bare)
            self._entry(key, packages.get(bare, [None]), entry)
        described.update(passed.snapshots)
        for key in [key for key in passed.snapshots if "(" in key]:
            bare = key.partition("(")[0]
            described.add(bare if bare in every else without_suffix(key))
        alone = [] if every <= described else [key for key in [*packages, *passed.packages] if key not in described]
        for key in alone:
            if key in packages:
                self._entry(key, packages[key], None)
        if alone:
            reasons.append(
                f"snapshots lacks {len(alone)} of the entries of packages, such as {min(alone)[:200]}: "
                "it may be cut off or badly merged"
            )

    def _joint(self, reasons: list[str]) -> None:
        """The 5.x and 6.x forms: everything in packages."""
        needed: set[str] = set()
        for _, entry in self.document.packages:
            for name, value in _references(entry):
                path = resolve(name, value, self.form)
                if path is None:
                    continue
                if path not in self.have and parse_path(path).kind == "registry":
                    needed.add(path)
                elif path[:1] != "/" or parse_path(path).name is None:
                    self.called.setdefault(path, name)
        for key, entry in self.document.packages:
            self._entry(key, [entry], entry)
        self._lacking(reasons, needed, "other entries depend on")
        if self.nameless:
            reasons.append(f"packages: {self.nameless[0][:200]} has no name, and no name refers to it")

    def _entry(self, key: str, descriptions: list[Node | Unparsed], snapshot: Node | Unparsed) -> None:
        """One entry; `descriptions` hold its resolution (several where a key stands twice)."""
        if self.form == "bare":  # most keys can be told without taking them apart
            at = key.find("@", 1)
            if at > 0 and key[:at] not in self.wanted:
                return
        path = parse_path(key)
        if path.name is not None and path.name not in self.wanted:
            return
        for description in descriptions:
            fields = _tree(description)
            self._fact(key, path, fields, _tree(snapshot) if snapshot is not description else fields)

    def _fact(self, key: str, path: DependencyPath, fields: Pairs, snapshot: Pairs) -> None:
        name = path.name or text_of(fields.get("name")) or self.called.get(key)
        if name is None:
            self.nameless.append(key)
        if name is None or name not in self.wanted:
            return
        resolution = fields.get("resolution")
        source = resolution if isinstance(resolution, Pairs) else Pairs([])
        tarball = text_of(source.get("tarball"))
        origin, resolved = _origin(path, source, tarball)
        version = path.version or text_of(fields.get("version"))
        if version is None:
            release = tarball_release(tarball or path.reference or "")
            version = release[1] if release and release[0] == name else None
        if version is None:
            if origin == "file":
                return  # a folder of this project: its own manifest says what it is
            version = text_of(source.get("commit")) or strip_url(path.reference or resolved or "")
        integrity = text_of(source.get("integrity"))
        folder = folder_of(key, name) if self.record == "installed-record" else None
        optional = is_true(snapshot.get("optional")) or None
        fact = ComponentFact(
            name=name,
            version=version,
            depth="installed" if self.record == "installed-record" else "resolved",
            record=self.record,
            origin=origin,
            integrity=tuple(integrity.split()) if integrity else (),
            resolved=resolved,
            folder=self.root + folder if folder else None,
            alias=self.aliases.get(key),
            install_script=is_true(fields.get("requiresBuild")) or None,
            dev=is_true(fields.get("dev")) or None,
            optional=optional,
            shipped_in=self.shipped_in,
        )
        identity = (name, version, fact.integrity, resolved, fact.folder)
        known = self.facts.get(identity)
        if known is not None:
            merged = msgspec.structs.replace(
                known[0],
                alias=known[0].alias or fact.alias,
                optional=known[0].optional and fact.optional,
                dev=known[0].dev and fact.dev,
            )
            self.facts[identity] = (merged, known[1])
            return
        published = self.published.get(key) or self.published.get(without_suffix(key))
        times = (Time("the release was published", published, "lockfile time"),) if published else ()
        self.facts[identity] = (fact, times)


def _form(major: int | None, document: Document) -> Form:
    """How dependency paths are written in a lockfile."""
    if document.snapshots is not None or (major is not None and major >= 7):
        return "bare"
    return "slashes" if major is not None and major <= 5 else "slash-at"


def _tree(entry: Any) -> Pairs:
    node = entry.tree() if isinstance(entry, Unparsed) else entry
    return node if isinstance(node, Pairs) else Pairs([])


def _has_resolution(entry: Any) -> bool:
    if isinstance(entry, Unparsed):
        return entry.text.startswith("    resolution: ") or "\n    resolution: " in entry.text
    return isinstance(entry, Pairs) and entry.get("resolution") is not None


def _references(entry: Node | Unparsed) -> list[tuple[str, str]]:
    """What an entry of 5.x or 6.x depends on; nothing for one that pnpm may leave out on this machine."""
    if isinstance(entry, Unparsed):
        if "\n    optional: true\n" in entry.text or "    dependencies:\n" not in entry.text:
            return []
        found = []
        for block in _REFERENCES.findall(entry.text):
            found += [(unquote(key), unquote(value)) for key, value in _REFERENCE.findall(block)]
        return found
    fields = _tree(entry)
    if is_true(fields.get("optional")):
        return []
    listed: list[tuple[str, str]] = []
    for group in fields.all("dependencies"):
        if isinstance(group, Pairs):
            listed += [(key, node) for key, node in group.pairs if isinstance(node, str)]
    return listed


def resolve(name: str, reference: str, form: Form) -> str | None:
    """The dependency path that `name: reference` means; None for a link, which is no entry."""
    if reference.startswith(("link:", "workspace:")):
        return None
    if form != "bare":
        if not re.match(r"\d+\.\d+\.\d+", reference):
            return reference
        return f"/{name}/{reference}" if form == "slashes" else f"/{name}@{reference}"
    at, colon, bracket = reference.find("@"), reference.find(":"), reference.find("(")
    whole = at == 0 or (at > 0 and (colon < 0 or at < colon) and (bracket < 0 or at < bracket))
    return reference if whole else f"{name}@{reference}"


def _origin(path: DependencyPath, source: Pairs, tarball: str | None) -> tuple[Origin, str | None]:
    """Where a package comes from, and the URL or folder without secrets."""
    kind = text_of(source.get("type"))
    if kind == "git":
        repository = text_of(source.get("repo"))
        return "git", strip_url(repository) if repository else None
    if kind == "directory":
        directory = text_of(source.get("directory"))
        return "file", directory
    place = tarball or path.reference or ""
    resolved = strip_url(place) if place else None
    if path.kind == "registry":
        return "registry", resolved
    if is_true(source.get("gitHosted")) or _GIT_HOSTS.match(place):
        return "git", resolved
    if place.startswith(("file:", "./", "../")):
        return "file", resolved
    if place.startswith("link:"):
        return "link", resolved
    if re.match(r"https?://", place):
        return ("registry" if tarball_release(place) else "remote-tarball"), resolved
    return "unknown", resolved


READER = Reader(
    name="pnpm-lock",
    ecosystem="npm",
    read=read,
    basenames=("pnpm-lock.yaml",),
    prefixes=("pnpm-lock.",),
    suffixes=(".yaml",),
    subject="project",
)
