"""A case as it is read by people: everything that its journal holds, put in order for pages and an export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from pratique.model.case import EntryKind, EvidenceItem, MissingEvidence, Rotation, Sweep
from pratique.model.credential import ReachReport
from pratique.model.plan import Plan, Receipt
from pratique.model.report import Report


class Happening(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One line of the timeline."""

    time: str
    """ISO 8601 in UTC."""
    kind: Literal["window", "sighting", "file", "response"]
    """A time of the incident, of a sighting, of a copied file, or of what was done in the case."""
    meaning: str
    """What the time means: `tarball fetched`, `file modified`, `evidence sealed`."""
    message: str
    source: str = ""
    """Where the time stands: a file, a log, the journal."""
    incident: str = ""
    subject: str = ""


class JournalRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is told of one entry of the journal."""

    number: int
    kind: EntryKind
    time: str
    who: str
    words: str
    digest: str


class Dossier(msgspec.Struct, frozen=True, kw_only=True):
    """The whole of a case, for reading."""

    id: str
    opened: str
    by: str
    tool: str
    head: str
    """Digest of the last entry."""
    host: str
    incidents: tuple[str, ...] = ()
    reports: tuple[Report, ...] = ()
    """The last report of each scope, in order of their entries."""
    report_digests: tuple[str, ...] = ()
    """Digest of the journal's entry of each of `reports`."""
    evidence: tuple[EvidenceItem, ...] = ()
    missing: tuple[MissingEvidence, ...] = ()
    reach: ReachReport | None = None
    rotations: Mapping[str, Rotation] = {}
    plan: Plan | None = None
    receipts: tuple[Receipt, ...] = ()
    sweeps: tuple[Sweep, ...] = ()
    swept: tuple[str, ...] = ()
    """Incidents whose dead man's switch is gone by these and by what reports showed since."""
    verification: Mapping[str, Any] | None = None
    """The last answer of `pratique verify`."""
    notes: tuple[tuple[str, str, str], ...] = ()
    """Time, who, words."""
    sealed: bool = False
    seals: int = 0
    journal: tuple[JournalRow, ...] = ()
    timeline: tuple[Happening, ...] = ()
