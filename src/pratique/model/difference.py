"""What changed between two releases, as a person reads it: sections in order of how much they say."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from pratique.model.observation import Refusal
from pratique.model.release import Fact, FileChange, Form, TransitionKind

DIFFERENCE_SCHEMA = "pratique.difference/1"


class Side(msgspec.Struct, frozen=True, omit_defaults=True):
    """One of the two releases. `files` and `bytes` count all it holds; `source` says in words where it was had from."""

    purl: str
    ecosystem: str
    name: str
    version: str
    source: str
    form: Form
    digests: Mapping[str, str]
    files: int = 0
    bytes: int = 0


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """A field of a manifest that differs, as text; None where one side does not have it."""

    path: str
    field: str
    before: str | None = None
    after: str | None = None


class Passage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A text that one side has and the other has not: where it begins, and what it lies in.

    `text` is folded: long literals without brackets, and long rows of values, are told by their length. `folded` counts
    the characters left out. `outer` is the line of the function, class or block around it.
    """

    line: int
    text: str
    column: int = 1
    outer: str = ""
    folded: int = 0


class Code(msgspec.Struct, frozen=True, omit_defaults=True):
    """The passages of one file. `reach` says what makes the file run, empty where nothing was found to.

    `repeated` counts passages that another file shows with the same text; `left_out` those that are past the bounds.
    """

    path: str
    kind: str
    change: str
    added: tuple[Passage, ...] = ()
    removed: tuple[Passage, ...] = ()
    reach: str = ""
    repeated: int = 0
    left_out: int = 0


class ReleaseDifference(msgspec.Struct, frozen=True, omit_defaults=True):
    """What changed from one release to another, and what of it could not be examined.

    Facts carry their delta; those that the earlier release alone has are `removed`. `code` comes in the order in which
    it is best read: what runs by itself first.
    """

    schema: str
    version: str
    generated: str
    command: tuple[str, ...]
    before: Side
    after: Side
    kind: TransitionKind
    manifest: tuple[Entry, ...] = ()
    triggers: tuple[Fact, ...] = ()
    dependencies: tuple[Fact, ...] = ()
    capabilities: tuple[Fact, ...] = ()
    contents: tuple[Fact, ...] = ()
    trust: tuple[Fact, ...] = ()
    changes: tuple[FileChange, ...] = ()
    code: tuple[Code, ...] = ()
    kept_files: int = 0
    refusals: tuple[Refusal, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether everything relevant was examined."""
        return not any(refusal.relevant for refusal in self.refusals)
