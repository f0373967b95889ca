"""A release under the microscope: its files, what its registry states of it, the facts, and what rules make of them.

Nothing here was executed or imported. A fact is what was read, without judgement; a finding is a rule's result on
facts; a judgement is the level that the findings of one release reach together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Generic, Literal, Protocol, TypeVar

import msgspec

from pratique.model.observation import Refusal

RELEASE_SCHEMA = "pratique.release/1"

Level = Literal["none", "note", "review", "block"]
LEVELS: tuple[Level, ...] = ("none", "note", "review", "block")

Delta = Literal[
    "added",  # the predecessor has nothing like it
    "changed",  # the predecessor has it in another form
    "removed",  # the predecessor has it, the release does not
    "kept",  # both have it
    "unknown",  # there is no predecessor to compare with
]

Value = str | int | float | bool
State = Literal["present", "absent", "unavailable"]
T = TypeVar("T")


class Stated(msgspec.Struct, Generic[T], frozen=True, omit_defaults=True):
    """A field of a registry's record in three states: mirrors drop fields, and what was dropped is not absent.

    `value` is set where `present`; `reason` says why it is `unavailable`.
    """

    state: State = "unavailable"
    value: T | None = None
    reason: str = ""


class Member(msgspec.Struct, frozen=True, omit_defaults=True):
    """One file of a release. `path` is relative to the root of the package, with `/`; `sha256` in hexadecimal."""

    path: str
    size: int
    sha256: str
    executable: bool = False


Form = Literal["tarball", "wheel", "sdist", "directory"]


class Files(Protocol):
    """The files of a release, opened: names, sizes and digests of all, and the bytes of any, in any order.

    `members` is sorted by path and holds regular files alone; what else lay there, or could not be read, is in
    `refusals`. `digests` maps `sha256`, `sha512` and `sha1` to the hexadecimal digest of the archive, no folder's.
    """

    @property
    def form(self) -> Form:
        """What kind of archive or folder it is."""
        ...

    @property
    def members(self) -> Mapping[str, Member]:
        """Path to file, sorted by path."""
        ...

    @property
    def refusals(self) -> Sequence[Refusal]:
        """What could not be read, or was ambiguous."""
        ...

    @property
    def digests(self) -> Mapping[str, str]:
        """Algorithm to the hexadecimal digest of the archive."""
        ...

    def read(self, path: str, limit: int = 64 << 20) -> bytes:
        """The bytes of one member. Raises Unreadable where they are more than `limit` or cannot be had."""
        ...

    def close(self) -> None:
        """Give back what holds it open; the bytes cannot be had afterwards."""
        ...


class Publisher(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who published. `address` is a digest of the e-mail address, to tell whether it changed; never the address."""

    name: str
    address: str = ""


class Dated(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version of a package; `published` in seconds since the epoch, None where the record does not say."""

    version: str
    published: float | None = None
    provenance: State = "unavailable"
    trusted_publisher: State = "unavailable"
    publisher: str = ""
    dependencies: tuple[str, ...] | None = None
    """Names that this version declares (not for development); None where the record does not say."""


class RegistryRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a registry states of one release and of its package; every field in three states.

    Times are seconds since the epoch. `history` holds the other versions of the package, oldest first. `tags` maps a
    tag to its version. `downloads` counts a week, as a list of popular packages or the registry states it.
    """

    published: Stated[float] = Stated()
    publisher: Stated[Publisher] = Stated()
    maintainers: Stated[tuple[Publisher, ...]] = Stated()
    trusted_publisher: Stated[str] = Stated()
    approver: Stated[str] = Stated()
    provenance: Stated[str] = Stated()
    """The address of the attestations, or their predicate type."""
    signatures: Stated[tuple[str, ...]] = Stated()
    """Key ids of the registry's signatures."""
    integrity: Stated[str] = Stated()
    git_head: Stated[str] = Stated()
    repository: Stated[str] = Stated()
    license: Stated[str] = Stated()
    yanked: Stated[str] = Stated()
    tags: Stated[Mapping[str, str]] = Stated()
    history: Stated[tuple[Dated, ...]] = Stated()
    first_published: Stated[float] = Stated()


class Release(msgspec.Struct):
    """A release to be examined: what it calls itself or was asked for as, its files, and its registry's record.

    `purl` is `pkg:npm/axios@1.14.1`, `pkg:npm/%40scope/name@1.0.0`, `pkg:pypi/name@1.0`. `source` says in words where
    the bytes are from: `registry`, `npm cache`, `file ./axios-1.14.1.tgz`.
    """

    purl: str
    ecosystem: Literal["npm", "PyPI"]
    name: str
    version: str
    files: Files
    record: RegistryRecord
    source: str


class SourceFile(msgspec.Struct, frozen=True):
    """One file handed to an extractor of facts. `kind` is one of `pratique.releases.kinds`."""

    path: str
    content: bytes
    sha256: str
    kind: str


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was read in a release, without judgement. `kind` is a word of `pratique.releases.vocabulary`.

    `line` counts from 1; 0: of the file as a whole. `excerpt` is printable text of at most 200 characters, `sha256` the
    digest of the file. Extractors leave `delta` as it is. `attributes` hold what the vocabulary names for the kind.
    """

    kind: str
    path: str = ""
    line: int = 0
    excerpt: str = ""
    sha256: str = ""
    delta: Delta = "unknown"
    attributes: Mapping[str, Value] = {}


class FileChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that differs between two releases. Counts are lines; None where the file is no text or too large."""

    path: str
    change: Literal["added", "removed", "changed", "moved"]
    kind: str
    before: Member | None = None
    after: Member | None = None
    added_lines: int | None = None
    removed_lines: int | None = None
    moved_from: str = ""


class Examined(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was looked at: files and bytes in all, of them read for facts, and kept as the predecessor had them."""

    files: int = 0
    bytes: int = 0
    read_files: int = 0
    read_bytes: int = 0
    kept_files: int = 0


class Examination(msgspec.Struct, frozen=True, omit_defaults=True):
    """All facts of one release against its predecessor, and what could not be examined."""

    purl: str
    ecosystem: Literal["npm", "PyPI"]
    name: str
    version: str
    source: str
    form: Form
    digests: Mapping[str, str]
    facts: tuple[Fact, ...]
    changes: tuple[FileChange, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    examined: Examined = Examined()


TransitionKind = Literal["first", "patch", "minor", "major", "prerelease", "sideways", "backwards", "unknown"]


class Transition(msgspec.Struct, frozen=True, omit_defaults=True):
    """A release, what it follows, and every newly resolved dependency examined by the same pipeline.

    `predecessor` is a purl, empty where there is none. `depth` 0 is the release asked for; its new dependencies have 1,
    theirs 2. A dependency that could not be had is a refusal of the transition that asked for it; `reader` is then
    `dependency` and `names` holds its name.
    """

    examination: Examination
    predecessor: str = ""
    kind: TransitionKind = "unknown"
    depth: int = 0
    dependencies: tuple[Transition, ...] = ()
    refusals: tuple[Refusal, ...] = ()


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """A rule's result. `words` is one sentence; `facts` its evidence, each with the purl of the release it is in.

    `weight` is in decades of rarity: 3 means one popular release in a thousand, measured.
    """

    rule: str
    title: str
    family: str
    weight: float
    ceiling: Level
    words: str
    facts: tuple[tuple[str, Fact], ...]
    floor: Level = "none"


class Judgement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the findings of one transition reach together, and the shortest chain of evidence for it, in words.

    `complete` is false where anything relevant was not examined. `rarity` sums the highest weight of each family.
    """

    purl: str
    predecessor: str
    level: Level
    rarity: float
    findings: tuple[Finding, ...]
    chain: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    complete: bool


class Inspection(msgspec.Struct, frozen=True, omit_defaults=True):
    """One transition with its judgement."""

    transition: Transition
    judgement: Judgement


class ReleaseReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `inspect` gives: one inspection per release asked for, in order, and what could not be inspected at all."""

    schema: str
    version: str
    generated: str
    command: tuple[str, ...]
    inspections: tuple[Inspection, ...]
    refusals: tuple[Refusal, ...] = ()
    rules: str = ""
    """SHA-256 over the rules in force."""

    @property
    def level(self) -> Level:
        """The highest level of all inspections."""
        return max((one.judgement.level for one in self.inspections), key=LEVELS.index, default="none")

    @property
    def complete(self) -> bool:
        """Whether everything relevant was examined."""
        return not any(refusal.relevant for refusal in self.refusals) and all(
            one.judgement.complete for one in self.inspections
        )
