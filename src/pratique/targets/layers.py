"""The layers of an image: each one a tar of what a step changed; whiteouts say what it took away.

A whiteout (`.wh.<name>`) takes a name of the layers below away, an opaque mark (`.wh..wh..opq`) all names of a folder;
where in the tar it stands is of no matter, and what its own layer holds stays (OCI image specification, "Layer
Filesystem Changeset"). Two folders of one name are merged; anything else of the same name replaces what was there.
"""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO

import msgspec

from pratique.ecosystems.npm.paths import place_of
from pratique.model.location import Inside, shown
from pratique.model.observation import Refusal
from pratique.model.ports import ARCHIVE, DEFAULT_LIMIT, Artifact, Claims, Handed, Kept, Options, Unreadable
from pratique.targets.boundaries import compile_globs
from pratique.targets.tape import BLOCK, Member, Tape, tape_of

READER = "image"
LINKED = 4
"""So often a layer is read again for what links name."""
MOST_LINKS = 10_000
MOST_LISTED = 8 << 20
"""So many bytes of names of one layer are kept for the second look; of a longer layer none, and it is read again."""
_ROWS = 4096
_NO_FILES = ("dev/", "proc/")
"""Where an image holds nothing: a log that is a link to `/dev/stdout` keeps no bytes."""
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


def plain(name: str) -> str:
    """A member's name as a path below the root: what leads up, to the root or nowhere is left out."""
    if "/." not in name and "//" not in name and name[:1] not in "./" and name[-1] != "/":
        return name
    return "/".join(part for part in name.split("/") if part not in ("", ".", ".."))


def taken_away(path: str) -> tuple[str, bool] | None:
    """What a whiteout takes away, and whether that is all that a folder holds; None for what is none."""
    cut = path.rfind("/") + 1
    if not path.startswith(_WHITEOUT, cut):
        return None
    if path[cut:] == _OPAQUE:
        return path[: max(cut - 1, 0)], True
    return path[:cut] + path[cut + len(_WHITEOUT) :], False


def tape(stream: BinaryIO) -> Tape:
    """The tar of a layer, whatever it is compressed with."""
    buffered = stream if isinstance(stream, io.BufferedReader) else None
    if buffered is not None:
        return tape_of(stream, buffered.peek(BLOCK)[:BLOCK])
    head = stream.read(BLOCK)
    stream.seek(0)
    return tape_of(stream, head)


class Layer:
    """One layer that is read: hands out what is claimed of it. `again` opens its bytes anew, None where it cannot."""

    def __init__(
        self, target: str, digest: str, claims: Claims, options: Options, again: Callable[[], BinaryIO] | None
    ) -> None:
        self.target = target
        self.digest = digest
        self.claims = claims
        self.options = options
        self.again = again
        self.left_out = compile_globs(options.exclude)
        self.hard: dict[str, list[str]] = {}
        """Claimed links to files by what they name."""
        self.aliases: dict[str, list[str]] = {}
        """Links that stand for a folder which no reader would know by its own name, by that folder."""
        self.links = 0

    def members(self, stream: BinaryIO) -> Iterator[Handed | Refusal | Kept]:
        """What is claimed of the layer, in its order, then what links name; what cannot be read is a refusal.

        Of a whole layer the names of all members are given too, for the second look.
        """
        try:
            yield from self._first(tape(stream))
            yield from self._linked()
        except Unreadable as error:
            yield self.refusal("", error.reason)
        except (MemoryError, RecursionError):
            yield self.refusal("", "needs more memory or depth than a layer may use")

    def refusal(self, path: str, reason: str, names: tuple[str, ...] = ()) -> Refusal:
        """That something of this layer could not be read."""
        step = Inside("layer", self.digest, shown(path))
        return Refusal(shown(path) or ".", READER, reason, True, self.target, names=names, inside=(step,))

    def _first(self, tape: Tape) -> Iterator[Handed | Refusal | Kept]:
        at = self.claims.at
        names = Names()
        for member in tape.members():
            path = plain(member.name)
            names.rows.append(member.kind + path)
            if len(names.rows) >= _ROWS:
                names.pack()
            if member.kind == "0":
                if path.startswith(_WHITEOUT, path.rfind("/") + 1):
                    continue
                if at(path):
                    yield from self._handed(tape, member, path)
            elif member.kind == "1":
                if at(path):
                    yield from self._noted(self.hard, plain(member.linkname), path)
            elif member.kind == "2":
                if "node_modules" in path:
                    yield from self._link(path, member.linkname)
                yield from self._renamed(path, member.linkname)
        if names.whole():
            yield Kept(self.digest, names.packed)

    def _noted(self, links: dict[str, list[str]], target: str, path: str) -> Iterator[Refusal]:
        self.links += 1
        if self.links > MOST_LINKS:
            yield self.refusal(path, f"is one of more than {MOST_LINKS} links; it was not followed")
        else:
            links.setdefault(target, []).append(path)

    def _renamed(self, path: str, target: str) -> Iterator[Refusal]:
        """A link with a claimed name: what it names is read under that name where nobody reads it so under its own."""
        claimed = {claimant.key for claimant in self.claims.at(path)}
        if not claimed or self._excluded(path):
            return
        real = _resolved(path.rpartition("/")[0], target)
        if real.startswith(_NO_FILES):
            return
        if "node_modules" in path or not claimed <= {claimant.key for claimant in self.claims.at(real)}:
            yield from self._noted(self.hard, real, path)

    def _link(self, path: str, target: str) -> Iterator[Refusal]:
        """A link that stands in a tree, or for one: what it names is read under its own name too."""
        head, _, name = path.rpartition("/")
        if name == "node_modules":
            real = _resolved(head, target)
            if real.rpartition("/")[2] != name:
                yield from self._noted(self.aliases, real, path)
            return
        place = place_of(f"{path}/package.json")
        if place.package is None or not place.at_root:
            return
        if self.options.names is not None and place.package not in self.options.names:
            return
        real = _resolved(head, target)
        if place_of(f"{real}/package.json").package is None:
            yield from self._noted(self.aliases, real, path)

    def _handed(self, tape: Tape, member: Member, path: str) -> Iterator[Handed]:
        """One member, for everybody who claims the path."""
        if self.left_out is not None and self._excluded(path):
            return
        inside = (Inside("layer", self.digest, shown(path)),)
        for claimant in self.claims.at(path):
            limit = self.options.limit if self.options.limit is not None else claimant.limit or DEFAULT_LIMIT
            artifact = Artifact(
                self.target,
                path,
                functools.partial(tape.read, member, limit),
                functools.partial(_modified, member),
                functools.partial(self._companion, path, limit),
                outer=path,
                inside=inside,
            )
            if claimant.key == ARCHIVE and member.size > limit and member.sparse is None:
                artifact.stream = functools.partial(tape.file, member)
            yield claimant.key, artifact

    def _excluded(self, path: str) -> bool:
        parts = path.split("/")
        return self.left_out is not None and any(
            self.left_out("/".join(parts[:count])) for count in range(1, len(parts) + 1)
        )

    def _companion(self, path: str, limit: int, suffix: str) -> bytes | None:
        """The file of this layer whose name is that of another and a suffix, out of a second reading."""
        if self.again is None:
            raise Unreadable(f"the file beside it ({suffix}) cannot be looked up: the layer is read as a stream")
        found: bytes | None = None
        with self.again() as stream:
            second = tape(stream)
            for member in second.members():
                if member.isreg() and plain(member.name) == path + suffix:
                    found = second.read(member, limit)
        return found

    def _linked(self) -> Iterator[Handed | Refusal]:
        """What claimed links name, handed out under the names of the links."""
        met: set[str] = set()
        for _ in range(LINKED):
            if (not self.hard and (not self.aliases or self.aliases.keys() <= met)) or self.again is None:
                break
            wanted, self.hard = self.hard, {}
            with self.again() as stream:
                yield from self._again(tape(stream), wanted, met)
            if all(wanted.get(target) == paths for target, paths in self.hard.items()):
                break
        for target, paths in self.hard.items():
            for path in paths:
                yield self.refusal(path, f"is a link to a file that is not in its layer: {shown(target)[:200]}")
        for target, paths in self.aliases.items():
            if target not in met:
                for path in paths:
                    package = place_of(f"{path}/package.json").package
                    names = (package,) if package else ()
                    reason = f"is a link to a folder that is not in its layer: {shown(target)[:200]}"
                    yield self.refusal(path, reason, names)

    def _again(self, tape: Tape, wanted: dict[str, list[str]], met: set[str]) -> Iterator[Handed]:
        left = dict(wanted)
        aliases = {target: paths for target, paths in self.aliases.items() if target not in met}
        below = tuple(f"{target}/" for target in aliases)
        for member in tape.members():
            path = plain(member.name)
            if path in left:
                if member.isreg():
                    for name in left.pop(path):
                        yield from self._handed(tape, member, name)
                elif member.islnk() and plain(member.linkname) != path:
                    self.hard.setdefault(plain(member.linkname), []).extend(left.pop(path))
            if below and path.startswith(below):
                for target, paths in aliases.items():
                    if not path.startswith(f"{target}/"):
                        continue
                    met.add(target)
                    for link in paths:
                        name = link + path[len(target) :]
                        if member.isreg():
                            yield from self._handed(tape, member, name)
                        elif member.islnk() and self.claims.at(name):
                            self.hard.setdefault(plain(member.linkname), []).append(name)
        for target, paths in left.items():
            self.hard.setdefault(target, []).extend(paths)


def _modified(member: Member) -> int | None:
    return member.modified


def _resolved(folder: str, target: str) -> str:
    """What a link in a folder names, as a path below the root of the image."""
    parts = [] if target.startswith("/") else [part for part in folder.split("/") if part]
    for part in target.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


class Names:
    """The names of all members of a layer, packed as they come."""

    def __init__(self) -> None:
        self.rows: list[str] = []
        self._count = 0
        self._text: bytearray | None = bytearray()

    def pack(self) -> None:
        """Take in the rows that wait; give up where they are too many."""
        if self._text is not None:
            self._count += len(self.rows)
            self._text += "".join([f"{row}\0" for row in self.rows]).encode("utf-8", "surrogateescape")
            if len(self._text) > MOST_LISTED:
                self._text = None
        self.rows.clear()

    def whole(self) -> bool:
        """Whether they can be kept: not where they are too many, or one holds what ends a name."""
        self.pack()
        return self._text is not None and self._text.count(b"\0") == self._count

    def packed(self) -> bytes:
        """All names."""
        return zlib.compress(self._text or b"", 1)


def listed(data: bytes) -> Iterator[Member]:
    """The members of a layer by the names that were kept of it: nothing but kind and path."""
    for row in zlib.decompress(data).split(b"\0")[:-1]:
        yield Member(row[1:].decode("utf-8", "surrogateescape"), chr(row[0]), 0, "", b"")


class Changes(msgspec.Struct):
    """What one layer says of the paths that were asked about, and of the folders above them.

    `entries` holds what stands there: `file`, `folder` or `other`; `gone` the names that whiteouts take away; `emptied`
    the folders that opaque marks empty; `below` the paths asked about that something lies below.
    """

    entries: dict[str, str] = {}
    gone: set[str] = set()
    emptied: set[str] = set()
    below: set[str] = set()


_KINDS = {"0": "file", "1": "file", "5": "folder"}


def changes(members: Iterable[Member], paths: Iterable[str]) -> Changes:
    """What a layer says of files and folders. Raises Unreadable where it is damaged."""
    asked = {*paths}
    watched = {above for path in asked for above in _above(path)} | asked | {""}
    found = Changes()
    last: str | None = None
    for member in members:
        path = plain(member.name)
        cut = path.rfind("/") + 1
        if path.startswith(_WHITEOUT, cut):
            away = taken_away(path)
            if away is not None and away[0] in watched:
                (found.emptied if away[1] else found.gone).add(away[0])
            continue
        if path in watched:
            found.entries[path] = _KINDS.get(member.kind, "other")
        folder = path[:cut]
        if folder != last:
            last = folder
            for above in _above(path):
                if above in watched:
                    found.entries.setdefault(above, "folder")
                    if above in asked:
                        found.below.add(above)
    return found


def _above(path: str) -> Iterator[str]:
    """The folders above a path, the root last."""
    cut = path.rfind("/")
    while cut >= 0:
        yield path[:cut]
        cut = path.rfind("/", 0, cut)
    if path:
        yield ""


def hides(layer: Changes, path: str) -> bool:
    """Whether a layer takes away what the layers below it hold at a path; what it holds there itself is no matter."""
    if path in layer.gone:
        return True
    for folder in _above(path):
        if folder in layer.gone or folder in layer.emptied:
            return True
        if folder and layer.entries.get(folder, "folder") != "folder":
            return True
    return False


def visible(stack: Sequence[Changes], index: int, path: str) -> int | None:
    """The layer, counted from the lowest, whose entry an image of the layers up to `index` shows at a path."""
    for number in range(index, -1, -1):
        if path in stack[number].entries:
            return number
        if hides(stack[number], path):
            return None
    return None


def folder_visible(stack: Sequence[Changes], index: int, folder: str) -> bool:
    """Whether an image of the layers up to `index` shows a folder there."""
    for number in range(index, -1, -1):
        layer = stack[number]
        kind = layer.entries.get(folder)
        if kind is not None:
            return kind == "folder"
        if hides(layer, folder):
            return False
    return False


def gone(stack: Sequence[Changes], index: int, path: str, *, folder: bool = False) -> tuple[int, str] | None:
    """The later layer that deletes or overwrites what layer `index` holds at a path; None where it is still shown."""
    for number in range(index + 1, len(stack)):
        layer = stack[number]
        kind = layer.entries.get(path)
        if folder:
            if kind not in (None, "folder") or (path in layer.emptied and path in layer.below):
                return number, "overwritten"
            if hides(layer, path):
                return number, "overwritten" if path in layer.below else "deleted"
            if path in layer.emptied:
                return number, "deleted"
        elif kind is not None:
            return number, "overwritten"
        elif hides(layer, path):
            return number, "deleted"
    return None
