"""bun's binary lockfile: bun.lockb, read without bun.

## Reads
Formats 2 (bun 0.1.7 to 1.1) and 3 (bun 1.2 and later, with `saveTextLockfile = false`): every package in every folder
of the tree it describes, with URL, integrity and whether it has an install script; workspace versions, trusted names
and overrides. A file shorter than its header says, or with an offset outside itself, is refused. A section that is
not known ends the reading with a refusal; what came before it is kept.

All integers are little-endian; every `start` and `end` is a position in the file; `N` is the number of packages.

| offset | size | header |
|---|---|---|
| 0 | 42 | `#!/usr/bin/env bun\\n`, then `bun-lockfile-format-v0\\n` whatever the format |
| 42 | 4 | format: 2 or 3 |
| 46 | 32 | hash of the packages |
| 78 | 8 | end of the sections; the file is padded beyond it |
| 86 | 8 | N |
| 94 | 8 | alignment of the table: 8 |
| 102 | 8 | number of columns: 8, or 7 without scripts |
| 110 | 16 | begin and end of the table |

The package table holds whole columns, one after the other, without gaps:

| column | bytes each | content |
|---|---|---|
| name | 8 | text |
| name hash | 8 | |
| resolution | 64 (format 2), 72 (format 3) | kind (1 byte, 7 of padding), then its value |
| dependencies | 8 | first and count, in the array of dependencies |
| resolutions | 8 | first and count, in the array of resolutions |
| meta | 88 | at 20 kind of digest (1 to 4: sha1, sha256, sha384, sha512), 21 the digest, 85 install script (2: yes) |
| bin | 20 | |
| scripts | 49 | absent where there are 7 columns |

A text of 8 bytes stands in place, padded with NUL, unless the top bit of its last byte is set: then it is offset and
length (4 bytes each, without that bit) in the array of characters.

| kind of resolution | value |
|---|---|
| 0, 1 | none: nothing, the root project |
| 2 | URL (text), then a version |
| 4, 8, 64, 72, 80, 100 | folder, local archive, link, workspace, remote archive, single file: one text |
| 16, 32 | GitHub, git: owner, repository, wanted commit, found commit, package name (texts) |

A version is major, minor and patch (4 bytes each and 4 of padding in format 2, 8 bytes each in format 3), then
pre-release and build (each a text and a hash of 8 bytes).

Behind the table, and in some sections, stand arrays: start and end (8 bytes each), a label that differs between
releases, padding, and the elements from start to end; the next one follows at end.

| array | bytes each | content |
|---|---|---|
| trees | 20 | number, dependency whose folder it is, parent tree, first and count in the next array |
| hoisted dependencies | 4 | numbers of dependencies |
| resolutions | 4 | for each dependency the number of its package, ffffffff for none |
| dependencies | 26 | name (text), name hash, behaviour (64: bundled), kind, what is asked for (text) |
| text with hash | 16 | |
| characters | 1 | |

Eight zero bytes follow, then optional sections, each 8 characters and what belongs to it:

| section | content |
|---|---|
| `wOrKsPaC` | arrays: name hashes, versions (48 or 56 bytes), name hashes, paths (texts) |
| `tRuStEDd` | array of the low halves of name hashes |
| `eMpTrUsT` | nothing: an explicit empty list |
| `oVeRriDs` | arrays: name hashes, dependencies |
| `pAtChEdD` | arrays: hashes, patches |
| `cAtAlOgS` | arrays: names, dependencies, names of groups; for each group names, dependencies |
| `nO hOiSt` | array of texts |
| `hOiStLiM` | 1 byte |
| `cNfGvRsN` | 8 bytes |

## Leaves out
Format 1 (bun up to 0.1.6). Patches and catalogs. The version of a folder or a link, which bun does not record. The
names behind trusted hashes that no package or dependency of the file has.

## References
bun 1.3, src/install/lockfile/bun.lockb.zig, Buffers.zig, Package.zig, Tree.zig, src/install/resolution.zig.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.ecosystems.npm.urls import strip_url
from pratique.model.observation import ComponentFact, Observation, Origin, PolicyFact, ProtectionFact, Refusal
from pratique.model.ports import Artifact, Everything, Interest, Reader
from pratique.readers.npm.bun_lock import archive_version
from pratique.readers.text import refuse

MAGIC = b"#!/usr/bin/env bun\nbun-lockfile-format-v0\n"
RESOLUTION = {2: 64, 3: 72}
VERSION = {2: 48, 3: 56}
BUNDLED = 64
NONE = 0xFFFFFFFF
ALGORITHMS = {1: ("sha1", 20), 2: ("sha256", 32), 3: ("sha384", 48), 4: ("sha512", 64)}
ARRAYS = (20, 4, 4, 26, 16, 1)
DEEPEST = 1_000
MOST_PLACES = 1_000_000


class _Damaged(Exception):  # noqa: N818 (a reason, not a failure of the program)
    """The bytes contradict themselves."""


class Span(msgspec.Struct, frozen=True):
    """Elements of one size in the file."""

    start: int
    end: int
    size: int

    def __len__(self) -> int:
        return (self.end - self.start) // self.size

    def at(self, index: int) -> int:
        """The position of an element."""
        if not 0 <= index < len(self):
            raise _Damaged(f"asks for element {index} of {len(self)}")
        return self.start + index * self.size


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield components, overrides and trusted names of interest; a refusal for what cannot be followed."""
    data = artifact.content()
    try:
        lockfile = _Lockfile(artifact, data, interest.wanted("npm"))
    except _Damaged as damage:
        yield refuse(artifact, READER, str(damage))
        return
    try:
        lockfile.sections()
    except _Damaged as damage:
        yield refuse(artifact, READER, f"behind the packages: {damage}")
    yield from lockfile.read()


class _Lockfile:
    """One lockfile being read. Every position is checked against the file before it is used."""

    def __init__(self, artifact: Artifact, data: bytes, wanted: frozenset[str] | Everything) -> None:
        self.artifact = artifact
        self.data = data
        self.wanted = wanted
        self.total = len(data)
        self.budget = 1_048_576 + 16 * len(data)
        self.workspaces: dict[int, str] = {}
        self.trusted: set[int] | None = None
        self.overrides = Span(0, 0, 26)
        self.header()
        position = self.table_end
        spans = []
        for size in ARRAYS:
            span = self.array(position, size)
            spans.append(span)
            position = span.end
        self.trees, self.hoisted, self.resolutions, self.dependencies, _, self.characters = spans
        if self.number(position, 8):
            raise _Damaged("does not hold zero behind its arrays")
        self.position = position + 8

    def header(self) -> None:
        """The header and the columns of the package table."""
        data = self.data
        if not data.startswith(MAGIC):
            raise _Damaged("is empty" if not data else "does not begin as a binary lockfile of bun")
        self.format = self.number(42, 4)
        if self.format not in RESOLUTION:
            raise _Damaged(f"is of format {self.format}; 2 and 3 are known")
        total, count, alignment, columns, begin, end = (self.number(78 + 8 * i, 8) for i in range(6))
        if total > len(data):
            raise _Damaged(f"is cut off: {len(data)} bytes of {total}")
        if alignment != 8 or columns not in (7, 8):
            raise _Damaged(f"has a package table of {columns} columns aligned to {alignment}")
        self.total = total
        sizes = (8, 8, RESOLUTION[self.format], 8, 8, 88, 20, 49)[:columns]
        if not 126 <= begin <= end <= total or sum(sizes) * count != end - begin:
            raise _Damaged("has a package table of another size than its packages need")
        spans = []
        for size in sizes:
            spans.append(Span(begin, begin + size * count, size))
            begin += size * count
        self.names, self.hashes, self.resolved, _, _, self.metas = spans[:6]
        self.table_end = end

    def number(self, position: int, size: int) -> int:
        """An unsigned integer."""
        if not 0 <= position <= self.total - size:
            raise _Damaged("is cut off")
        return int.from_bytes(self.data[position : position + size], "little")

    def array(self, position: int, size: int) -> Span:
        """The array whose head stands at a position."""
        start, end = self.number(position, 8), self.number(position + 8, 8)
        if not position + 16 <= start <= end <= self.total or (end - start) % size:
            raise _Damaged("has an array that reaches outside the file or into its neighbour")
        return Span(start, end, size)

    def text(self, position: int) -> str:
        """The text whose 8 bytes stand at a position."""
        raw = self.data[position : position + 8]
        if len(raw) == 8 and raw[7] & 0x80:
            offset, length = struct.unpack("<II", raw)
            length &= 0x7FFFFFFF
            if offset + length > len(self.characters):
                raise _Damaged("has a text outside its characters")
            start = self.characters.start + offset
            self.spend(length)
            raw = self.data[start : start + length]
        else:
            raw = raw.rstrip(b"\0")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise _Damaged("has a text that is not UTF-8") from None

    def spend(self, length: int) -> None:
        """Count the characters that were made of the file: a small one may name a long text very often."""
        self.budget -= length
        if self.budget < 0:
            raise _Damaged("repeats its texts more often than a lockfile does")

    def version(self, position: int) -> str:
        """The version whose numbers stand at a position."""
        size = 4 if self.format == 2 else 8
        numbers = (self.number(position + size * i, size) for i in range(3))
        tags = position + VERSION[self.format] - 32
        prerelease, build = self.text(tags), self.text(tags + 16)
        return ".".join(map(str, numbers)) + (f"-{prerelease}" if prerelease else "") + (f"+{build}" if build else "")

    def sections(self) -> None:
        """What stands behind the arrays. Leaves `position` where it could not go on."""
        while self.position + 8 <= self.total:
            tag = self.data[self.position : self.position + 8]
            position = self.position + 8
            match tag:
                case b"wOrKsPaC":
                    hashes, versions, paths, texts = self.arrays(position, (8, VERSION[self.format], 8, 8))
                    if len(hashes) != len(versions) or len(paths) != len(texts):
                        raise _Damaged("workspaces and their versions are not of the same number")
                    for index in range(len(hashes)):
                        self.workspaces[self.number(hashes.at(index), 8)] = self.version(versions.at(index))
                    position = texts.end
                case b"tRuStEDd":
                    (low,) = self.arrays(position, (4,))
                    self.trusted = {self.number(low.at(index), 4) for index in range(len(low))}
                    position = low.end
                case b"eMpTrUsT":
                    self.trusted = set()
                case b"oVeRriDs":
                    _, self.overrides = self.arrays(position, (8, 26))
                    position = self.overrides.end
                case b"pAtChEdD":
                    position = self.arrays(position, (8, 1))[-1].end
                case b"cAtAlOgS":
                    _, _, groups = self.arrays(position, (8, 26, 8))
                    position = groups.end
                    for _ in range(len(groups)):
                        position = self.arrays(position, (8, 26))[-1].end
                case b"nO hOiSt":
                    position = self.arrays(position, (8,))[-1].end
                case b"hOiStLiM":
                    position += 1
                case b"cNfGvRsN":
                    position += 8
                case _:
                    raise _Damaged(f"the section {tag!r} is not known; what it and later ones say is not read")
            self.position = position
        if self.position != self.total:
            raise _Damaged(f"{abs(self.total - self.position)} bytes are missing or left over")

    def arrays(self, position: int, sizes: tuple[int, ...]) -> list[Span]:
        """Arrays that follow each other."""
        spans: list[Span] = []
        for size in sizes:
            spans.append(self.array(position, size))
            position = spans[-1].end
        return spans

    def read(self) -> Iterator[Observation | Refusal]:
        """Yield everything of interest: settings first, then packages in order of folder."""
        reasons: list[str] = []
        yield from self.policy(reasons)
        yield from self.protections(reasons)
        wanted: dict[int, str] = {}
        for index in range(len(self.names)):
            try:
                name = self.text(self.names.at(index))
            except _Damaged as damage:
                reasons.append(str(damage))
                continue
            if name in self.wanted:
                wanted[index] = name
        folders: dict[int, list[tuple[str, str, bool]]] = {}
        try:
            folders = self.folders(wanted)
        except _Damaged as damage:
            reasons.append(str(damage))
        for index, name in wanted.items():
            try:
                yield from self.package(index, name, folders.get(index, []))
            except _Damaged as damage:
                reasons.append(f"{name}: {damage}")
        if reasons:
            more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
            yield refuse(self.artifact, READER, f"packages: {reasons[0]}{more}")

    def policy(self, reasons: list[str]) -> Iterator[Observation]:
        """The packages whose scripts may run, as far as their names stand in the file."""
        if self.trusted is None:
            return
        names = set()
        for names_at, hashes in ((self.names, self.hashes), (self.dependencies, None)):
            for index in range(len(names_at) if self.trusted else 0):
                position = hashes.at(index) if hashes is not None else names_at.at(index) + 8
                if self.number(position, 4) in self.trusted:
                    try:
                        names.add(self.text(names_at.at(index)))
                    except _Damaged as damage:
                        reasons.append(str(damage))
        if (not names and not self.trusted) or any(name in self.wanted for name in names):
            yield self.observation(
                PolicyFact(setting="trustedDependencies", value="allow", names=tuple(sorted(names)), manager="bun")
            )

    def protections(self, reasons: list[str]) -> Iterator[Observation]:
        """Forced versions."""
        for index in range(len(self.overrides)):
            position = self.overrides.at(index)
            try:
                name, forced = self.text(position), self.text(position + 18)
            except _Damaged as damage:
                reasons.append(str(damage))
                continue
            if name in self.wanted:
                forces = strip_url(forced) if "//" in forced or "@" in forced else forced
                yield self.observation(ProtectionFact(name=name, field="overrides", selector=name, forces=forces))

    def folders(self, wanted: dict[int, str]) -> dict[int, list[tuple[str, str, bool]]]:
        """For each wanted package its folders: path, name of the folder, and whether it came in a bundle."""
        head = self.artifact.path.rpartition("/")[0]
        paths = {0: f"{head}/" if head else ""}
        found: dict[int, list[tuple[str, str, bool]]] = {}
        places = 0
        for tree in range(len(self.trees)):
            position = self.trees.at(tree)
            first, count = self.number(position + 12, 4), self.number(position + 16, 4)
            places += count
            if places > MOST_PLACES:
                raise _Damaged(f"describes more than {MOST_PLACES} folders")
            if first + count > len(self.hoisted):
                raise _Damaged("has a tree outside its dependencies")
            for index in range(first, first + count):
                dependency = self.number(self.hoisted.at(index), 4)
                package = self.number(self.resolutions.at(dependency), 4)
                if package in wanted:
                    name = self.text(self.dependencies.at(dependency))
                    bundled = bool(self.number(self.dependencies.at(dependency) + 16, 1) & BUNDLED)
                    folder = f"{self.path(tree, paths)}node_modules/{name}"
                    self.spend(len(folder))
                    found.setdefault(package, []).append((folder, name, bundled))
        return found

    def path(self, tree: int, known: dict[int, str]) -> str:
        """The folder in which a tree's node_modules lies, with a trailing slash."""
        chain: list[int] = []
        while tree not in known:
            chain.append(tree)
            if len(chain) > DEEPEST:
                raise _Damaged(f"has trees nested deeper than {DEEPEST}")
            tree = self.number(self.trees.at(tree) + 8, 4)
        path = known[tree]
        for tree in reversed(chain):
            dependency = self.number(self.trees.at(tree) + 4, 4)
            package = self.number(self.resolutions.at(dependency), 4)
            position = self.resolved.at(package) if package != NONE else None
            if position is not None and self.data[position] == 72:
                path = f"{known[0]}{self.text(position + 8)}/"
            else:
                path += f"node_modules/{self.text(self.dependencies.at(dependency))}/"
            self.spend(len(path))
            known[tree] = path
        return path

    def package(self, index: int, name: str, folders: list[tuple[str, str, bool]]) -> Iterator[Observation | Refusal]:
        """One package of interest, once for each of its folders."""
        position = self.resolved.at(index)
        kind = self.data[position]
        value = position + 8
        resolved: str | None = None
        origin: Origin = "registry"
        version: str | None
        match kind:
            case 0 | 1:
                return
            case 2:
                resolved, version = self.text(value), self.version(value + 8)
            case 4 | 64 | 100:
                return
            case 72:
                path = self.text(value)
                version = self.workspaces.get(self.number(self.hashes.at(index), 8))
                if version is None:
                    return
                origin, resolved = "workspace", f"workspace:{path}"
                head = self.artifact.path.rpartition("/")[0]
                folders = [(f"{head}/{path}" if head else path, name, False)]
            case 8 | 80:
                origin, resolved = "file" if kind == 8 else "remote-tarball", self.text(value)
                version = archive_version(name, resolved)
                if version is None:
                    reason = f"packages: {name} comes from an archive whose version is not recorded"
                    yield refuse(self.artifact, READER, reason, names=(name,))
                    return
            case 16 | 32:
                owner, repository, asked, commit = (self.text(value + 8 * i) for i in range(4))
                origin = "git"
                resolved = f"github:{owner}/{repository}" if kind == 16 else f"git+{repository.removeprefix('git+')}"
                version = commit.rpartition("-")[2] or asked
            case _:
                raise _Damaged(f"comes from a source of the unknown kind {kind}")
        integrity, script = self.meta(index)
        places: list[tuple[str | None, str, bool]] = [*folders] or [(None, name, False)]
        for folder, alias, bundled in places:
            yield self.observation(
                ComponentFact(
                    name=name,
                    version=version,
                    depth="resolved",
                    record="lock",
                    origin=origin,
                    integrity=integrity,
                    resolved=strip_url(resolved) if resolved else None,
                    folder=folder,
                    alias=alias if alias != name else None,
                    install_script=script,
                    bundled=True if bundled else None,
                    shipped_in=place_of(self.artifact.path).package,
                )
            )

    def meta(self, index: int) -> tuple[tuple[str, ...], bool | None]:
        """Integrity and install script of a package."""
        position = self.metas.at(index)
        meta = self.data[position : position + 88]
        script = True if meta[85] == 2 else None
        algorithm = ALGORITHMS.get(meta[20])
        if algorithm is None:
            return (), script
        name, length = algorithm
        return (f"{name}-{base64.b64encode(meta[21 : 21 + length]).decode()}",), script

    def observation(self, fact: ComponentFact | PolicyFact | ProtectionFact) -> Observation:
        times = self.artifact.modified_time("the lockfile was last written")
        return Observation(READER.name, self.artifact.location(), fact, times)


READER = Reader(
    name="bun-lockb",
    ecosystem="npm",
    read=read,
    basenames=("bun.lockb",),
    subject="project",
)
