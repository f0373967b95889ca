"""A dead man's switch by the records of a case: whether it is gone, or was seen again."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from pratique.model.case import CaseFile, Entry, Sweep
from pratique.model.errors import CaseError
from pratique.model.report import Report
from pratique.model.verification import Verification

MACHINE = "host+"
"""How the URIs of targets that are machines begin."""
_KEPT = frozenset({"git", "image", "ci-log", "mirror", "sbom"})
"""Kinds of targets that are kept on a machine and tell nothing of what starts on it."""


def swept(case: CaseFile, incident: str) -> bool:
    """Whether the dead man's switch of an incident is gone by the records of a case.

    A person answers for every machine. A sweep answers for the machine and the disk that it looked at: what another
    one showed stays, and a machine that something of the incident reached waits for its own. A report that shows the
    switch after that arms it again.
    """
    gone = False
    everywhere = False
    looked: set[str] = set()
    reached: set[str] = set()
    armed: set[tuple[str, str]] = set()
    for entry in case.entries("sweep", "report", "verification"):
        if entry.kind != "sweep":
            told = understood(case, entry, Verification).report if entry.kind == "verification" else None
            report = understood(case, entry, Report) if entry.kind == "report" else told
            if report is None:
                continue
            kinds = {target.uri: target.kind for target in report.targets}
            reached |= {
                report.header.host
                for item in report.sightings
                if item.incident == incident
                and item.status in ("affected", "under_investigation")
                and kinds.get(item.location.target, "") not in _KEPT
            }
            armed |= {
                (report.header.host, item.location.target if item.location.target.startswith(MACHINE) else "")
                for item in report.sightings
                if item.incident == incident
                and item.status in ("affected", "under_investigation")
                and (item.depth == "active" or item.location.target.startswith(MACHINE))
            }
            continue
        record = understood(case, entry, Sweep)
        if record.incident != incident:
            continue
        if record.outcome == "found":
            armed.add((record.host, record.place))
        elif record.basis == "by-hand" or not record.host:
            gone, everywhere, armed = True, True, set()
        else:
            gone = True
            looked.add(record.host)
            armed -= {(record.host, record.place), (record.host, ""), ("", "")}
    return gone and not armed and (everywhere or reached <= looked)


T = TypeVar("T")


def understood(case: CaseFile, entry: Entry, kind: type[T]) -> T:
    """The record of an entry. Raises CaseError."""
    try:
        return msgspec.convert(entry.body, kind)
    except msgspec.ValidationError as error:
        raise CaseError(f"entry {entry.number} is not understood: {error}", where=case.folder) from None
