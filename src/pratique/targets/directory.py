"""A directory tree: walked whole, read-only, never through links, never into another file system.

Every entry is counted. A folder that cannot be listed, a file that cannot be read and a link that leads out of the
target become refusals. Files are opened without blocking and their type is checked after opening; access times are
kept where the system allows it. Nothing is written.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from pratique.model.location import locate
from pratique.model.observation import (
    Refusal,
)
from pratique.model.ports import ARCHIVE, Artifact, Claimant, Options
from pratique.targets.boundaries import compile_globs, mount_points, resolve
from pratique.targets.dispatch import ARCHIVES, Dispatch, holds
from pratique.targets.files import File, reason_of

READER = "directory"


class Pending(msgspec.Struct, frozen=True):
    """A folder still to be walked: its path (empty or with a trailing slash) and the claims it inherits."""

    path: str
    inherited: tuple[int, ...] = ()


class Walk:
    """One walk of a tree, or of a part of it; its counters belong to the coverage."""

    def __init__(self, uri: str, root: str, dispatch: Dispatch, options: Options) -> None:
        self.uri = uri
        self.root = root.rstrip(os.sep) + os.sep if root != os.sep else os.sep
        self.dispatch = dispatch
        self.options = options
        self.entries = 0
        self.bytes = 0
        self.skipped: dict[str, int] = {}
        self.skipped_paths: list[tuple[str, str]] = []
        self.excluded = compile_globs(options.exclude)
        self.mounts = mount_points(self.root)
        self.disks = mount_points(self.root, kept=True) if options.mounted and self.mounts else frozenset()
        self.pending: list[Pending] = []
        self.barred, self.own = self._placed()

    def _placed(self) -> tuple[frozenset[int], tuple[int, ...]]:
        """What the place of the root means: claims that hold nowhere below it, and those that hold in it by its name.

        Only for claims that keep out of some folders (`outside`): `dist` may be the target itself, and so may
        `node_modules`, above it too.
        """
        parts = self.root.replace(os.sep, "/").strip("/").split("/")
        claimants = [claimant for claimant in self.dispatch.claimants.values() if claimant.outside]
        barred = frozenset(item.key for item in claimants if not set(parts).isdisjoint(item.outside))
        own = tuple(
            item.key
            for item in claimants
            if item.key not in barred
            and not item.basenames
            and any(tuple(parts[-len(marker) :]) == marker for marker in item.folders)
        )
        return barred, own

    def skip(self, rule: str, path: str) -> None:
        """Count something that a rule left out."""
        self.skipped[rule] = self.skipped.get(rule, 0) + 1
        self.skipped_paths.append((rule, path))

    def refuse(self, path: str, reason: str, *, names: tuple[str, ...] = ()) -> Refusal:
        """A relevant refusal at a path of this target."""
        location = locate(self.uri, path.rstrip("/") or ".")
        return Refusal(location.path, READER, reason, True, self.uri, location.path_bytes, names)

    def run(self, start: Sequence[Pending], until: int | None = None) -> Iterator[tuple[int, Artifact] | Refusal]:
        """Walk from the given folders and yield what readers claim.

        With `until`, go breadth first and stop as soon as that many folders are pending: they stay in `pending`.

        The loop keeps absolute paths on its stack, asks one dictionary for a name, and gates the suffixes by their last
        three characters: each entry costs little more than the listing itself (measured in benchmarks/).
        """
        by_name = self.dispatch.by_name
        endings = self.dispatch.endings
        folders = self.dispatch.folders
        excluded = self.excluded
        mounts = self.mounts
        root = self.root
        cut = len(root)
        scandir = _in_order if self.options.ordered else os.scandir
        quick = self.options.quick
        claim = self._claim
        inherit = {root + item.path: item.inherited for item in start if item.inherited}
        if self.own and any(item.path == "" for item in start):
            inherit[root] = (*inherit.get(root, ()), *self.own)
        stack = [root + item.path for item in start]
        scopes = {root + item.path for item in start if _is_scope(item.path)}
        position = 0
        while position < len(stack):
            if until is None:
                path = stack.pop()
            else:
                if len(stack) - position >= until:
                    break
                path = stack[position]
                position += 1
            inherited = inherit.pop(path, ()) if inherit else ()
            in_tree = path[-13:] == "node_modules/" or path in scopes
            count = 0
            try:
                with scandir(path) as listing:
                    for entry in listing:
                        count += 1
                        name = entry.name
                        if entry.is_dir(follow_symlinks=False):
                            inner = path + name + "/"
                            if in_tree and name[0] == "@":
                                scopes.add(inner)
                            if name in folders:
                                below = self._enter(path[cut:], name, inherited)
                                if below is None:
                                    if name == ".git" and not (excluded and excluded(inner[cut:-1])):
                                        yield from self._repository(inner[cut:])
                                    continue
                                if below:
                                    inherit[inner] = below
                            elif inherited:
                                inherit[inner] = inherited
                            if mounts and inner[cut:-1] in mounts:
                                self.skip("other-file-system", inner[cut:-1])
                                if inner[cut:-1] in self.disks:
                                    reason = "is another file system mounted here: name it as a target of its own"
                                    yield self.refuse(inner[cut:], reason)
                            elif excluded and excluded(inner[cut:-1]):
                                self.skip("excluded", inner[cut:-1])
                            elif quick and in_tree and not _keeps(name):
                                yield from self._package(inner[cut:], inherited)
                            else:
                                stack.append(inner)
                        elif name in by_name:
                            for claimant in by_name[name]:
                                item = claim(claimant, path[cut:], name, entry)
                                if item is not None:
                                    yield item
                        elif inherited:
                            for item in self._inherited(inherited, path[cut:], name, entry):
                                yield item
                        elif name[-3:] in endings:
                            for item in self._by_suffix(path[cut:], name, entry):
                                yield item
                        elif in_tree or name == "node_modules":
                            refusal = self._link(path[cut:], name, entry)
                            if refusal is not None:
                                yield refusal
            except OSError as error:
                yield self.refuse(path[cut:], reason_of(error))
            self.entries += count
        if until is not None:
            self.pending = [Pending(path[cut:], inherit.get(path, ())) for path in stack[position:]]

    def _inherited(
        self, keys: tuple[int, ...], path: str, name: str, entry: os.DirEntry[str]
    ) -> Iterator[tuple[int, Artifact] | Refusal]:
        """Claims of a file that lies below a marked folder, and claims by suffix."""
        for claimant in self.dispatch.inherited(keys, path, name):
            item = self._claim(claimant, path, name, entry)
            if item is not None:
                yield item

    def _by_suffix(self, path: str, name: str, entry: os.DirEntry[str]) -> Iterator[tuple[int, Artifact] | Refusal]:
        """Claims by suffix anywhere."""
        for claimant in self.dispatch.suffixed(path, name):
            item = self._claim(claimant, path, name, entry)
            if item is not None:
                yield item

    def file(self, name: str, folder: str) -> Iterator[tuple[int, Artifact] | Refusal]:
        """One named file of the root, as every reader that claims it would get it; `folder` is its absolute folder."""
        parents = folder.split("/")
        self.entries += 1
        found = []
        for claimant in [*self.dispatch.claimants.values(), *([ARCHIVES] if self.dispatch.archives else [])]:
            by_name = name in claimant.basenames
            by_suffix = bool(claimant.suffixes) and name.endswith(claimant.suffixes)
            by_suffix = by_suffix and name.startswith(claimant.prefixes or "")
            alone = by_suffix and bool(claimant.outside)  # whoever names one file wants it read, wherever it lies
            inside = (
                not claimant.folders
                or alone
                or any(
                    tuple(parents[index : index + len(marker)]) == marker
                    for marker in claimant.folders
                    for index in range(len(parents))
                )
            )
            if inside and (by_name or by_suffix or (claimant.folders and not claimant.suffixes)):
                found.append(claimant)
        named = [claimant for claimant in found if "" not in claimant.suffixes] or found
        for claimant in [claimant for claimant in named if claimant is not ARCHIVES] or named:
            yield claimant.key, self._artifact(name, self.root + name, claimant)

    def _left_out(self, path: str) -> bool:
        if self.excluded is not None and self.excluded(path):
            self.skip("excluded", path)
            return True
        return False

    def _enter(self, path: str, name: str, inherited: tuple[int, ...]) -> tuple[int, ...] | None:
        """Claims inside a folder whose name ends a marker; None where a rule leaves the folder out."""
        below = self.dispatch.enter(path, name, inherited)
        if isinstance(below, str):
            self.skip(below, path + name)
            return None
        return tuple(key for key in below if key not in self.barred) if self.barred else below

    def _repository(self, path: str) -> Iterator[tuple[int, Artifact] | Refusal]:
        """Of git's own folder, its settings and hooks: two listings, and nothing of the objects."""
        for name, folder in (("config", path), ("hooks", f"{path}hooks/")):
            marker = tuple(folder.rstrip("/").split("/")[-1 if name == "config" else -2 :])
            claimants = [
                claimant
                for claimant in self.dispatch.claimants.values()
                if marker in claimant.folders and (name in claimant.basenames or name == "hooks")
            ]
            if not claimants or not os.path.isdir(self.root + folder):
                continue
            try:
                with os.scandir(self.root + folder) as listing:
                    for entry in listing:
                        wanted = entry.name == name if name == "config" else not entry.name.endswith(".sample")
                        if wanted and not entry.is_dir(follow_symlinks=False):
                            for claimant in claimants:
                                item = self._claim(claimant, folder, entry.name, entry)
                                if item is not None:
                                    yield item
            except OSError as error:
                refusal = self.refuse(folder, reason_of(error))
                yield msgspec.structs.replace(refusal, reader="git-hooks", relevant=False)

    def _claim(
        self, claimant: Claimant, path: str, name: str, entry: os.DirEntry[str]
    ) -> tuple[int, Artifact] | Refusal | None:
        """The artifact of a claimed file; a refusal or nothing where it is a link or is left out."""
        relative = path + name
        if self.excluded is not None and self._left_out(relative):
            return None
        if claimant.key in self.barred:
            return None
        source = self.root + relative
        if entry.is_symlink():
            if claimant.key == ARCHIVE:
                self.skip("link-to-archive", relative)
                return None
            real = self._inside(relative)
            if real is None:
                return self.refuse(relative, "is a link that leads out of the target or nowhere")
            if os.path.basename(real) == name or not os.path.isfile(real):
                self.skip("link-inside-target", relative)
                return None
            source = real
        if claimant.basenames and (claimant.folders or claimant.outside) and not holds(claimant, path):
            return None
        return claimant.key, self._artifact(relative, source, claimant)

    def _artifact(self, relative: str, source: str, claimant: Claimant) -> Artifact:
        """The artifact of a file; nothing is opened yet."""
        limit = claimant.limit if self.options.limit is None else self.options.limit
        file = File(source, limit, self)
        stream = file.stream if claimant.key == ARCHIVE else file.counted
        return Artifact(self.uri, relative, file.content, file.modified, file.companion, stream=stream)

    def _inside(self, path: str) -> str | None:
        """The real path of a link if it lies inside the target and exists."""
        if self.options.mounted:
            return resolve(self.root, path)
        real = os.path.realpath(self.root + path)
        base = os.path.realpath(self.root)
        inside = real == base or real.startswith(base.rstrip(os.sep) + os.sep)
        return real if inside and os.path.exists(real) else None

    def _link(self, path: str, name: str, entry: os.DirEntry[str]) -> Refusal | None:
        """A link in a tree, or a tree that is a link: a gap where it leads out of the target for a name of interest."""
        if not entry.is_symlink():
            return None
        if name == "node_modules":
            real = self._inside(path + name)
            if real is None:
                return self.refuse(path + name, "is a link that leads out of the target or nowhere")
            packages = self._packages(real) if os.path.basename(real) != name else ()
            if packages:
                reason = "is a link to a folder of another name, which is not examined as a tree"
                return self.refuse(path + name, reason, names=packages)
            return None
        package = f"{path.rstrip('/').rpartition('/')[2]}/{name}" if _is_scope(path) else name
        names = self.options.names
        if names is not None and package not in names:
            return None
        if self._inside(path + name) is None:
            return self.refuse(path + name, "is a link that leads out of the target or nowhere", names=(package,))
        return None

    def _packages(self, folder: str) -> tuple[str, ...]:
        """Names of interest that have a folder here, scopes included."""
        names = self.options.names
        try:
            entries = os.listdir(folder)
            for scope in [entry for entry in entries if entry.startswith("@")]:
                entries += [f"{scope}/{inner}" for inner in os.listdir(f"{folder}/{scope}")]
        except OSError:
            return tuple(sorted(names or ()))
        return tuple(sorted(entry for entry in entries if names is None or entry in names))

    def _package(self, path: str, inherited: tuple[int, ...]) -> Iterator[tuple[int, Artifact] | Refusal]:
        """Quick mode: of a package's folder only the manifest and a nested tree."""
        for claimant in self.dispatch.by_name.get("package.json", ()):
            file = File(self.root + path + "package.json", claimant.limit, self)
            if file.exists():
                name = path + "package.json"
                yield claimant.key, Artifact(self.uri, name, file.content, file.modified, file.companion)
        self.skip("quick-package-folder", path)
        if os.path.isdir(self.root + path + "node_modules"):
            inner = Walk(self.uri, self.root, self.dispatch, self.options)
            yield from inner.run([Pending(path + "node_modules/", inherited)])
            self.entries += inner.entries
            self.bytes += inner.bytes
            for rule, count in inner.skipped.items():
                self.skipped[rule] = self.skipped.get(rule, 0) + count


def _is_scope(path: str) -> bool:
    """Whether a folder path ends in `node_modules/@scope/`."""
    cut = path.rfind("/", 0, -1)
    return path[cut + 1 : cut + 2] == "@" and path[: cut + 1].endswith("node_modules/")


@contextlib.contextmanager
def _in_order(path: str) -> Iterator[Iterable[os.DirEntry[str]]]:
    """The entries of a folder in order of name."""
    with os.scandir(path) as listing:
        yield sorted(listing, key=lambda entry: entry.name)


def _keeps(name: str) -> bool:
    """Entries of a node_modules folder that quick mode still walks: scopes and managers' own folders."""
    return name.startswith(("@", "."))
