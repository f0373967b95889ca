"""Whether a case holds what was written: every entry, mark and blob is recomputed, and what disagrees is named.

Nothing is taken from the case that it could say of itself: digests are recomputed from the fields and the bytes.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from pratique.casefile import keys
from pratique.casefile.case import Case
from pratique.casefile.journal import FIRST, Row, mark_of
from pratique.casefile.packs import Place, Unproven
from pratique.casefile.seal import Seal, Subjects, disagreement, parsed
from pratique.model.case import EntryKind
from pratique.model.errors import CaseError

_KINDS = frozenset(get_args(EntryKind))


class Disagreement(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is not what it was."""

    entry: int
    """Number of the entry; 0 where it is about none."""
    field: str
    """Which field of the entry, `evidence`, or `seal`."""
    words: str
    """What is wrong, for people."""
    digest: str = ""
    """The evidence that it is about."""


class SealFound(msgspec.Struct, frozen=True):
    """A seal as it stands in the journal; whether its signature is good is not looked at here."""

    entry: int
    seal: Seal
    wrong: str
    """How its statement disagrees with the journal; empty where it does not."""


class Examined(msgspec.Struct, kw_only=True):
    """What an examination of a case found."""

    case: str
    folder: str
    entries: int = 0
    head: str = FIRST
    evidence: int = 0
    """Pieces of evidence, each digest once."""
    octets: int = 0
    """Bytes of evidence that were decrypted and compared."""
    disagreements: list[Disagreement] = []
    """In order of entry: the first one is where the case stops being what was written."""
    not_verified: list[str] = []
    """What could not be looked at, and why."""
    notes: list[str] = []
    seals: list[SealFound] = []
    digests: dict[int, str] = {}
    """Number of each entry to its digest."""


def examine(case: Case, *, blobs: bool = True) -> Examined:
    """Recompute the chain and every blob. Raises CaseError where the journal cannot be read at all."""
    found = Examined(case=case.id, folder=case.folder)
    named = _chain(case, found)
    if blobs and case.has_key:
        _evidence(case, found, named)
    elif named:
        reason = "its key is not here" if not case.has_key else "it was left out"
        found.not_verified.append(f"the bytes of {len(named)} pieces of evidence: {reason}")
    if not case.has_key:
        found.not_verified.append("the keyed mark of each entry: the key of the case is not here")
    found.evidence = len(named)
    sort(found.disagreements)
    return found


def sort(disagreements: list[Disagreement]) -> None:
    """The first entry first; what is about no entry last."""
    disagreements.sort(key=lambda item: (item.entry == 0, item.entry))


def _chain(case: Case, found: Examined) -> dict[str, tuple[int, int]]:
    """Recompute every entry; gives the evidence that they name: digest to number of the first entry, and size."""
    number, previous, time = 0, FIRST, ""
    named: dict[str, tuple[int, int]] = {}
    remembered = keys.remembered(case.key_file) if case.has_key else None
    subjects = Subjects()
    try:
        for row in case.journal.rows():
            number += 1
            wrong = _wrong(row, number, previous, case.journal.key)
            if wrong is None and remembered is not None and remembered[0] == number and row.digest != remembered[1]:
                wrong = (
                    "digest",
                    "is not the entry that was written with this key: the journal was replaced or put back",
                )
            if wrong is not None:
                found.disagreements.append(Disagreement(number, *wrong))
            elif row.kind == "opened" and number > 1:
                found.disagreements.append(Disagreement(number, "kind", "opens a case that is open already"))
            number = row.number if isinstance(row.number, int) else number
            previous = row.digest if isinstance(row.digest, str) else ""
            if wrong is None:
                if row.time < time:
                    found.notes.append(f"entry {number}: the clock went back, from {time} to {row.time}")
                time = row.time
            if row.kind == "evidence":
                _name(row, number, named)
            elif row.kind == "seal":
                _seal(case, row, number, subjects, found)
            subjects.take(row)
            found.digests[number] = previous
    except CaseError as error:
        found.disagreements.append(Disagreement(number + 1, "file", f"cannot be read: {error}"))
    found.entries, found.head = number, previous
    if remembered is not None and remembered[0] > number:
        gone = f"entry {number + 1}" if remembered[0] == number + 1 else f"entries {number + 1} to {remembered[0]}"
        found.disagreements.append(
            Disagreement(number + 1, "number", f"{gone} written with this key: no longer there, the journal was cut")
        )
    return named


def _seal(case: Case, row: Row, number: int, subjects: Subjects, found: Examined) -> None:
    """Compare the statement of a seal with the entries before it."""
    seal = parsed(row.body) if isinstance(row.body, bytes) else None
    if seal is None:
        found.disagreements.append(Disagreement(number, "seal", "holds no seal"))
        return
    digest = found.digests.get(seal.number)
    wrong = disagreement(seal.envelope.content(), case.id, seal.number, seal.head, subjects, digest)
    found.seals.append(SealFound(number, seal, wrong))


def _wrong(row: Row, number: int, previous: str, key: bytes | None) -> tuple[str, str] | None:
    """The field that disagrees, and how; None where the entry is what was written."""
    if row.number != number:
        return "number", f"is missing: the next one is entry {row.number}"
    computed = row.computed()
    if computed is None:
        return "body", "a field is of a wrong type"
    if row.previous != previous:
        words = "does not follow on the entry before: that one, or an entry between them, was changed or taken out"
        return ("previous", words) if computed == row.digest else ("previous", "the digest before it was changed")
    if computed != row.digest:
        if key is not None and isinstance(row.mark, bytes):
            if row.mark == mark_of(key, computed):
                return "digest", "its digest was changed; the other fields are as written"
            if isinstance(row.digest, str) and row.mark != mark_of(key, row.digest):
                return "digest", "its fields, its digest and its mark disagree"
        return "body", "its fields do not give its digest: kind, time, who, tool or body was changed"
    if row.kind not in _KINDS or not row.body.startswith(b"{"):
        return "kind", "is of a kind that this program does not know"
    if key is not None and row.mark != mark_of(key, computed):
        return "mark", "its mark was not made with the key of this case: it was written by somebody else"
    return None


def _name(row: Row, number: int, named: dict[str, tuple[int, int]]) -> None:
    """Note which evidence an entry names."""
    try:
        body: Any = msgspec.json.decode(row.body)
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError, RecursionError):
        return
    digest = body.get("digest") if isinstance(body, dict) else None
    if isinstance(digest, str):
        size = body.get("size")
        named.setdefault(digest.removeprefix("sha256:"), (number, size if isinstance(size, int) else -1))


def _evidence(case: Case, found: Examined, named: dict[str, tuple[int, int]]) -> None:
    """Decrypt every blob, in the order in which they lie, and compare it with its name."""
    seen: set[str] = set()
    try:
        for digest, place in case.journal.places():
            number, size = named.get(digest, (0, -1)) if isinstance(digest, str) else (0, -1)
            if not isinstance(digest, str) or number == 0:
                words = "lies in the case, and no entry names it"
                found.disagreements.append(Disagreement(0, "evidence", words, digest=str(digest)[:80]))
                continue
            seen.add(digest)
            words = _blob(case, digest, place, size, found)
            if words:
                found.disagreements.append(Disagreement(number, "evidence", words, digest=f"sha256:{digest}"))
    except CaseError as error:
        found.disagreements.append(Disagreement(0, "file", f"the list of evidence cannot be read: {error}"))
    for digest, (number, _) in named.items():
        if digest not in seen:
            words = "its evidence is not in the case any more"
            found.disagreements.append(Disagreement(number, "evidence", words, digest=f"sha256:{digest[:80]}"))


def _blob(case: Case, digest: str, place: Place | None, size: int, found: Examined) -> str:
    if place is None:
        return "the place of its evidence is damaged"
    if place.size != size:
        return f"its evidence has {place.size} bytes in the list, and {size} in the entry"
    try:
        for part in case.packs.chunks(digest, place):
            found.octets += len(part)
    except (Unproven, OSError, OverflowError, ValueError) as error:
        return f"its evidence does not open: {error}"
    return ""
