"""The seams: what a reader gets, what it declares, what a target hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Literal, Protocol

import msgspec

from pratique.model.location import Inside, Location, locate
from pratique.model.observation import Observation, Question, Refusal, Time
from pratique.model.signature import Signature
from pratique.model.verdict import SubjectKind

MEBIBYTE = 1 << 20
DEFAULT_LIMIT = 64 * MEBIBYTE


class Unreadable(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """Raised by an artifact's `content` when its bytes cannot be had; the sweep turns it into a refusal."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Interest(msgspec.Struct, frozen=True):
    """What the incidents at hand ask about, without any incident in it.

    `names` maps an ecosystem to the package names of interest; with `everything` a reader drops nothing.
    """

    names: Mapping[str, frozenset[str]]
    everything: bool = False
    digests: Mapping[str, frozenset[str]] = {}
    """Algorithm (`sha1`, `sha256`, `sha512`) to the hexadecimal digests that are listed."""
    basenames: frozenset[str] = frozenset()
    """Names of files that indicators name."""
    signatures: Mapping[str, Signature] = {}
    """Name of an npm package to what tells it in text that no longer names it."""
    fragments: Mapping[str, tuple[str, ...]] = {}
    """Kind of file (`bundle`, `configuration`, `workflow`, `shell-start`) to the strings that are looked for in it."""
    command_lines: tuple[str, ...] = ()
    """Globs of command lines, as indicators spell them (defanged)."""
    hosts: frozenset[str] = frozenset()
    """Names of hosts that indicators name, in small letters."""
    requests: bool = False
    """Whether the ranges that lockfiles record of dependants are wanted too."""

    def wanted(self, ecosystem: str) -> frozenset[str] | Everything:
        """A container for `name in ...` tests: the names of interest, or one that holds every name."""
        return EVERYTHING if self.everything else self.names.get(ecosystem, frozenset())


class Everything:
    """A container that holds every name."""

    def __contains__(self, name: object) -> bool:
        return True


EVERYTHING = Everything()


class Artifact(msgspec.Struct):
    """Bytes with a location: what a target hands to a reader.

    `path` is relative to the target, as the operating system gave it; `modified` is nanoseconds since the epoch, None
    where unknown. `content()` gives the bytes up to the reader's limit; `companion(suffix)` those of the file whose
    name is this one's and the suffix, None where there is none. Both raise Unreadable. Out of a container (an archive,
    an image layer, a git history) `content` may be asked for until the next artifact is taken.

    `outer` is set for what lies in a container: the path of the container in the target. `inside` are the steps from
    there; the last one holds `path`. `stream` opens the bytes as a file to seek in, whatever their size, None where
    `content` alone can be had. `container` gives the digests of the archive that holds this, such as `sha256:<hex>`.
    """

    target: str
    path: str
    content: Callable[[], bytes]
    modified: Callable[[], int | None]
    companion: Callable[[str], bytes | None]
    outer: str | None = None
    inside: tuple[Inside, ...] = ()
    stream: Callable[[], BinaryIO] | None = None
    container: Callable[[], tuple[str, ...]] | None = None

    def location(self, line: int | None = None) -> Location:
        """The location of this artifact, or of one of its lines."""
        return locate(self.target, self.path if self.outer is None else self.outer, line=line, inside=self.inside)

    @property
    def in_archive(self) -> bool:
        """Whether this is a member of an archive."""
        return bool(self.inside) and self.inside[-1].kind == "member"

    def refusal(
        self,
        reader: str,
        reason: str,
        *,
        relevant: bool = True,
        names: tuple[str, ...] = (),
        ecosystems: tuple[str, ...] = (),
    ) -> Refusal:
        """That `reader` could not read this artifact, or not wholly."""
        place = self.location()
        return Refusal(
            place.path, reader, reason, relevant, place.target, place.path_bytes, names, place.inside, ecosystems
        )

    def modified_time(self, meaning: str) -> tuple[Time, ...]:
        """The file's modification time as evidence of `meaning`; empty where unknown or a constant of packers."""
        modified = self.modified()
        if modified is None or modified <= _PACKED_BEFORE:
            return ()
        return (Time(meaning, iso_time(modified / 1e9), "file modification time"),)


_PACKED_BEFORE = 1_000_000_000 * 1_000_000_000
"""Archives are packed with constant times of 1970, 1984 and 1985; anything before 2001 says nothing."""


def iso_time(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC with milliseconds. Raises ValueError or OverflowError if absurd."""
    import datetime

    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


Door = Literal["files", "ci-log", "mirror", "sbom", "host"]
"""What kind of things lie in a target: any files, or those of one trade, where every file is offered to its readers."""

Read = Callable[[Artifact, Interest], Iterator[Observation | Refusal]]


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """What a plug declares.

    A file is claimed by exact basename, by suffix of its basename (`suffixes`, tested only inside folders marked by
    `folders` where those are given), or by lying below a folder marker: a tuple of trailing folder names such as
    `("_cacache", "index-v5")`. A reader with `folders` claims files below such a folder only. The empty suffix claims
    every file that nobody else claims.

    `lock` marks formats whose refusal always is relevant (lockfile, cache index, log, state); the refusal of others
    is relevant only where `relevant(path, interest)` says so.
    """

    name: str
    ecosystem: str
    read: Read
    basenames: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    """With `suffixes`: the basename must also start with one of these."""
    suffixes: tuple[str, ...] = ()
    folders: tuple[tuple[str, ...], ...] = ()
    outside: tuple[str, ...] = ()
    """Names of folders below which nothing is claimed, such as `node_modules`."""
    limit: int = DEFAULT_LIMIT
    subject: Literal["project", "install", "cache", "log", "machine"] = "project"
    relevance: Literal["always", "named-folder", "never"] = "always"
    resolves: bool = True
    """Whether a whole file shows what the ranges of its project resolved to; files of settings do not."""
    content: Literal["bytes", "name"] = "bytes"
    """`name`: the reader looks at the path first and asks for the bytes only where it must."""
    doors: tuple[Door, ...] = ("files",)
    """In which kinds of target its claims hold. `files`: folders, archives, git histories, images, disks."""


class Git(Protocol):
    """How git is started: by absolute path, with fixed arguments and neutral configuration (law 10)."""

    def __call__(
        self, repository: str, arguments: Sequence[str], feed: Iterable[bytes] | None = None
    ) -> AbstractContextManager[BinaryIO]:
        """Start one command on a repository and give its standard output; `feed` is written to its standard input.

        Raises Unreadable with git's own reason when the command fails or complains, at the latest when the context
        ends; what was printed before stands.
        """
        ...


class Options(msgspec.Struct, frozen=True):
    """How to look. `exclude` are globs over paths relative to the target; `names` the package names of interest.

    `ordered` takes the entries of each folder in order of name: for output that streams. `unreachable` looks at
    objects of a git repository too that no ref reaches. `git` starts git; None where there is none. `mounted`: the
    folder is the disk of another machine, on which links are followed as that machine would.
    """

    exclude: tuple[str, ...] = ()
    quick: bool = False
    limit: int | None = None
    names: frozenset[str] | None = None
    ordered: bool = False
    unreachable: bool = False
    git: Git | None = None
    mounted: bool = False
    command_lines: tuple[str, ...] = ()
    """Globs that command lines are compared with where a table of processes is taken."""


class Claimant(msgspec.Struct, frozen=True):
    """Who claims which files: one row of the dispatch, without the reader itself."""

    key: int
    basenames: tuple[str, ...]
    prefixes: tuple[str, ...]
    suffixes: tuple[str, ...]
    folders: tuple[tuple[str, ...], ...]
    limit: int
    outside: tuple[str, ...] = ()


class Claims(Protocol):
    """The claims of all readers, asked about whole paths."""

    def at(self, path: str) -> Sequence[Claimant]:
        """Who claims the file at this path, relative to its target and with `/` between its parts."""
        ...


ARCHIVE = -1
"""Key of what no reader reads but a target opens: an archive among the files."""

Handed = tuple[int, Artifact]
"""What a target hands out: the key of the claimant, and the artifact."""


class Kept(msgspec.Struct, frozen=True):
    """What a plug of a target wants to have again at the second look: so that nothing has to be read twice.

    It travels with the result of its unit, is kept with it, and given to the plug's `remember` before `probe`. Only a
    unit with observations keeps it, and asks for `data`. `key` names it by content.
    """

    key: str
    data: Callable[[], bytes]


class Unit(msgspec.Struct, frozen=True):
    """A part of a target that is examined by itself: one repository, one image layer.

    `key` is a digest of its whole content, or empty where none can be had: with it, a result can be kept and used
    again. `part` says which part of the target it is; `about` is for the target's own use.
    """

    target: str
    path: str
    kind: str
    key: str = ""
    part: str = ""
    about: tuple[str, ...] = ()


class TargetKind(msgspec.Struct, frozen=True, kw_only=True):
    """What a target plug declares; its module ends in `TARGET = TargetKind(...)` and is named like its kind.

    `find` gives the paths of the single targets behind the path that was named (all repositories of a folder); raises
    TargetError where it is none. `units` takes the path, the URI and the options, and says what is to be examined.
    `open` hands out the artifacts of one unit; records need the URI of the unit's target. `probe` answers questions.
    """

    kind: str
    subject: SubjectKind
    find: Callable[[str], list[str]]
    units: Callable[[str, str, Options], Iterator[Unit | Refusal]]
    open: Callable[[Unit, Claims, Options], Iterator[Handed | Observation | Refusal | Kept]]
    probe: Callable[[str, str, Sequence[Question], Options], Iterator[Observation | Refusal]]
    remember: Callable[[str, bytes], None] | None = None
