"""A case: what its journal holds, and what other rooms may do with one.

The journal is append-only and hash-chained: the digest of an entry covers the digest of the entry before it. Evidence
is kept by the digest of its bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO, Literal, Protocol

import msgspec

from pratique.model.incident import EvidenceKind

FORMAT = "pratique.case/1"
EntryKind = Literal[
    "opened",  # the case was made: id, incidents, tool, who
    "report",  # a pratique.report/1, whole
    "reach",  # a pratique.reach/1, whole
    "evidence",  # an EvidenceItem: one thing that was copied
    "missing",  # a MissingEvidence: what should have been copied and could not be
    "note",  # a person's words
    "plan",  # a pratique.plan/1, whole
    "receipt",  # a pratique.receipt/1
    "sweep",  # a Sweep: a dead man's switch was looked for
    "rotation",  # a Rotation: the state of one credential
    "verification",  # the answer of `pratique verify`
    "seal",  # the statement and signatures over the head before it
    "detection",  # a Noticed: a rule that fired on what a watch saw
    "export",  # that the case was exported, to whom, what
]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the journal. Times are ISO 8601 in UTC."""

    number: int
    """From 1 on, without a gap."""
    kind: EntryKind
    time: str
    """When it was written, by the machine's clock."""
    who: str
    """Account and machine: `dev@laptop`."""
    tool: str
    """`pratique` and its version."""
    body: dict[str, Any]
    """The record, as JSON gives it."""
    previous: str
    """Digest of the entry before; of the first, 64 zeros."""
    digest: str
    """SHA-256, hexadecimal, of the canonical JSON of all other fields."""


class EvidenceItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was copied into the case."""

    what: str
    """What it is, in words: `hidden lockfile of shop-web`."""
    source: str
    """Where it was: an absolute path, or `live:processes`."""
    digest: str
    """`sha256:<hexadecimal>` of its bytes."""
    size: int
    """Bytes."""
    kind: EvidenceKind = "other"
    order: int = 0
    """Place in the order of volatility; 1 goes first."""
    incident: str = ""
    """The incident that asks for it."""
    modified: str | None = None
    changed: str | None = None
    accessed: str | None = None
    """Times of the file before it was read, ISO 8601 in UTC."""
    born: str | None = None
    mode: str | None = None
    owner: str | None = None
    links_to: str | None = None
    """Where a symbolic link leads; the link itself is the evidence then."""
    sensitive: bool = False
    """Whether it may hold secrets: never excerpted."""


class MissingEvidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What should have been copied, and why it was not."""

    what: str
    source: str
    reason: str
    order: int = 0
    incident: str = ""


class Sweep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """That a dead man's switch was looked for: without it nothing is revoked, cut off or stopped."""

    incident: str
    outcome: Literal["nothing-found", "removed", "found"]
    """`found`: it is still there, so nothing is unlocked."""
    basis: Literal["host-sweep", "by-hand"]
    report: str = ""
    """Digest of the report that says so."""
    host: str = ""
    place: str = ""
    """Machine and URI of the target that were swept; empty by hand, where a person answers for all of them."""
    words: str = ""


class Rotation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The state of one credential, as a person or a comparison says."""

    credential: str
    """Id of the credential."""
    state: Literal["open", "new-issued", "deployed", "revoked", "verified", "not-needed"]
    grade: Literal["asked", "issuer-lists-it", "audit-event", "last-used-stopped", "negative-probe", ""] = ""
    """How well it is known that the old one is dead."""
    words: str = ""


class CaseFile(Protocol):
    """What other rooms do with an open case. Every method that writes is durable when it returns.

    Raises CaseError (a PratiqueError) where the case is damaged, in use by another process, or cannot be written.
    """

    @property
    def folder(self) -> str:
        """Absolute path of the case."""
        ...

    @property
    def id(self) -> str:
        """Id of the case: 32 hexadecimal digits."""
        ...

    @property
    def quarantine(self) -> str:
        """Absolute path of the folder that quarantined things are moved to."""
        ...

    def together(self) -> AbstractContextManager[None]:
        """Write many entries as one durable step: all of them, or none."""
        ...

    def append(self, kind: EntryKind, record: object) -> Entry:
        """Write one record (anything that msgspec encodes to a JSON object)."""
        ...

    def entries(self, *kinds: EntryKind) -> Iterator[Entry]:
        """Entries in order, of the kinds named, or all."""
        ...

    def keep(self, item: EvidenceItem, content: BinaryIO | bytes) -> EvidenceItem:
        """Copy evidence into the case and write its entry; `digest` and `size` of `item` are set from the bytes."""
        ...

    def lacks(self, missing: MissingEvidence) -> Entry:
        """Write what could not be copied."""
        ...

    def content(self, digest: str) -> bytes:
        """The bytes of a piece of evidence, decrypted and compared with the digest."""
        ...

    @property
    def sealed(self) -> bool:
        """Whether a seal covers every entry of kind report and evidence."""
        ...

    def key(self, purpose: str) -> bytes:
        """32 bytes derived from the machine's own key beside the case; it never enters the case."""
        ...
