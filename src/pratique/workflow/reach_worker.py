"""What one place of an inventory tells, worked out in a process apart. No value leaves it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import msgspec

from pratique.model.credential import CredentialFact
from pratique.readers.credentials import table as tables
from pratique.readers.credentials import tokens
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.targets import reach as places
from pratique.targets.reach_places import Account


class Answer(msgspec.Struct, array_like=True):
    """What a worker found at one entry of a place."""

    shown: str
    facts: list[CredentialFact] = []
    reasons: list[str] = []
    mode: int = 0
    modified: int | None = None
    born: int | None = None
    readable: bool = True
    tracked: bool | None = None
    kind: str = "file"
    identifier: tuple[int, int] = (0, 0)


def seen(entry: places.Entry, row: Row, account: Account, fingerprint: Fingerprint) -> Answer:
    """What one entry tells, without a value. Whatever goes wrong is a reason out of the list."""
    answer = Answer(
        shown=entry.shown,
        mode=entry.mode,
        modified=entry.modified,
        born=entry.born,
        tracked=entry.tracked,
        kind=entry.kind,
        identifier=entry.identifier,
        readable=places.readable_by(entry, account),
    )
    if entry.refused is not None:
        answer.reasons.append(entry.refused)
    elif row.look != "content":
        answer.facts.append(CredentialFact(field=entry.kind, state=row.state, protection=row.protection))
    else:
        known = get_args(Reason)
        try:
            for item in tables.reader_of(row.format)(entry.content or b"", row, fingerprint):
                if isinstance(item, CredentialFact):
                    answer.facts.append(item)
                elif not entry.capped:
                    answer.reasons.append(item if item in known else "not understood")
        except Exception:  # noqa: BLE001  # a fault of a reader is a reason, and its text may quote a secret
            answer.reasons.append("not understood")
        if entry.capped:
            answer.reasons.append("too large")
    return answer


_NEEDED = (
    "cryptography.x509",
    "encodings.idna",
    "pratique.readers.credentials.lines",
    "pratique.readers.marked",
    "unicodedata",
    "xml.parsers.expat",
    "yaml",
)


def prepare(formats: Iterable[str]) -> None:
    """Import what readers need, before the process becomes an account that may not read this program's files."""
    import contextlib
    import importlib

    for name in sorted(formats):
        tables.reader_of(name)
    tokens.kind_of("")
    for encoding in ("ascii", "latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "idna"):
        "".encode(encoding)
    for name in _NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
