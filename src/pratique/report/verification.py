"""The answer of `pratique verify` as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.verification import Verification
from pratique.report.words import count, inert_json, one_line, printable

_WORDS = {"fixed": "FIXED", "affected": "AFFECTED", "under_investigation": "UNDER INVESTIGATION"}
SUBJECTS = 30


def verification_json(found: Verification) -> bytes:
    """The whole, as `pratique.verification/1`."""
    return inert_json(msgspec.json.format(msgspec.json.encode(found), indent=2)) + b"\n"


def verification_lines(found: Verification) -> Iterator[str]:
    """The answer, the places, the credentials, and what is still open in order."""
    yield f"{_WORDS[found.status]}  {_sentence(found)}"
    if found.subjects:
        yield ""
        yield "Places"
        for item in found.subjects[:SUBJECTS]:
            depth = item.now or item.before or "undecided"
            yield f"  {_WORDS[item.status]:<20} {_inert(item.subject)}"
            yield f"  {'':<20} {_inert(item.incident)}, {depth}: {_inert(item.reason)}"
        if len(found.subjects) > SUBJECTS:
            yield f"  and {len(found.subjects) - SUBJECTS:,} more; the JSON form holds all"
    if found.credentials:
        closed = sum(item.closed for item in found.credentials)
        yield ""
        yield f"Credentials  {closed:,} of {len(found.credentials):,} closed"
        for credential in found.credentials:
            mark = "closed" if credential.closed else "open"
            age = f", {_days(credential.age)} old" if credential.age is not None else ""
            yield (
                f"  {mark:<7}tier {credential.tier}  {_inert(credential.provider)}: {_inert(credential.field)} in"
                f" {_inert(credential.place)}"
            )
            yield f"  {'':<7}{credential.comparison.replace('-', ' ')}{age}; {_inert(credential.reason)}"
    blocking = [item for item in found.open if item.blocks]
    others = [item for item in found.open if not item.blocks]
    if blocking:
        yield ""
        yield "Still open, in order"
        for number, left in enumerate(blocking, start=1):
            yield f"  {number:>3}. {_inert(left.what)}"
            if left.advice:
                yield f"       {_inert(left.advice)}"
    if others:
        yield ""
        yield "Not in the way, and worth a look"
        for left in others:
            yield f"  - {_inert(left.what)}{f' ({_inert(left.advice)})' if left.advice else ''}"
    if found.notes:
        yield ""
        yield from (f"NOTE  {_inert(note)}" for note in found.notes)


def _sentence(found: Verification) -> str:
    places = count(len(found.subjects), "place")
    if found.status == "fixed":
        if not found.subjects:
            return "nothing was affected, and nothing is now"
        return f"{places} looked at again; every credential that was in reach is recorded as dead or not needed"
    blocking = sum(item.blocks for item in found.open)
    affected = sum(item.status == "affected" for item in found.subjects)
    if found.status == "affected":
        return f"{affected:,} of {places} not recovered; {blocking:,} still open"
    return f"nothing shows that a place is still affected, and {blocking:,} still open: it is not shown that it is over"


def _days(number: int) -> str:
    return "1 day" if number == 1 else f"{number:,} days"


def _inert(text: str) -> str:
    return one_line(printable(text))
