"""The seal of a case: an in-toto Statement over the head of the chain, each report and each piece of evidence.

A seal is one more entry: the number and digest of the last entry that it covers, and a DSSE envelope whose payload is
the statement. Whether its signature is good is for others to say; here stands what the statement must hold.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from pratique.casefile.journal import Row
from pratique.model.case import FORMAT

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:pratique:case-seal:1"
PAYLOAD = "application/vnd.in-toto+json"


class Subjects:
    """What a statement is about, gathered entry by entry."""

    def __init__(self) -> None:
        self.number = 0
        self.head = ""
        self.found: list[tuple[int, dict[str, Any]]] = []
        self._evidence: set[str] = set()

    def take(self, row: Row) -> None:
        """Take one entry in."""
        self.number, self.head = row.number, row.digest
        if not isinstance(row.body, bytes):
            return
        if row.kind == "report":
            self._add(row.number, "report", hashlib.sha256(row.body).hexdigest())
        elif row.kind == "evidence":
            try:
                digest = msgspec.json.decode(row.body).get("digest", "")
            except (msgspec.MsgspecError, AttributeError, UnicodeDecodeError, RecursionError):
                return
            if isinstance(digest, str) and digest not in self._evidence:
                self._evidence.add(digest)
                self._add(row.number, "evidence", digest.removeprefix("sha256:"))

    def _add(self, number: Any, name: str, digest: str) -> None:
        if isinstance(number, int):
            self.found.append((number, {"name": f"{name}/{number}", "digest": {"sha256": digest}}))

    def upto(self, number: int, head: str) -> list[dict[str, Any]]:
        """The subjects of a statement that covers the entries up to one: the head first."""
        first = {"name": f"entry/{number}", "digest": {"sha256": head}}
        return [first, *(subject for at, subject in self.found if at <= number)]


def gathered(rows: Iterable[Row]) -> Subjects:
    """The subjects of all entries."""
    subjects = Subjects()
    for row in rows:
        subjects.take(row)
    return subjects


def statement(case: str, subjects: Subjects, *, time: str, who: str, tool: str) -> bytes:
    """The statement over everything up to now, as canonical JSON."""
    document = {
        "_type": STATEMENT,
        "subject": subjects.upto(subjects.number, subjects.head),
        "predicateType": PREDICATE,
        "predicate": {
            "case": case,
            "format": FORMAT,
            "number": subjects.number,
            "head": subjects.head,
            "time": time,
            "who": who,
            "tool": tool,
        },
    }
    return msgspec.json.encode(document, order="sorted")


def encoded(payload_type: str, payload: bytes) -> bytes:
    """What a signature of a DSSE envelope is made over: its pre-authentication encoding."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """One signature of an envelope."""

    keyid: str = ""
    sig: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """A DSSE envelope."""

    payload: str
    """The statement, in base64."""
    payloadType: str  # noqa: N815 (the name in the standard)
    signatures: tuple[Signature, ...] = ()

    def content(self) -> bytes:
        """The payload; empty where it is no base64."""
        return unbase64(self.payload)


class Seal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of an entry of kind `seal`."""

    number: int
    """Number of the last entry that it covers."""
    head: str
    """Digest of that entry."""
    kind: str
    """`ed25519`: a key of pratique's own; `ssh`: a key of SSH, signed by ssh-keygen; `sigstore`: a bundle."""
    envelope: Envelope
    public: str = ""
    """The public key, as OpenSSH writes it."""
    bundle: dict[str, Any] = {}
    """The bundle of Sigstore, as it was handed in."""


def unbase64(text: str) -> bytes:
    """What base64 stands for; empty where it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def sealed(payload: bytes, subjects: Subjects, *, kind: str, public: str, keyid: str, signature: bytes) -> Seal:
    """The seal out of a statement and its signature."""
    envelope = Envelope(
        payload=base64.b64encode(payload).decode(),
        payloadType=PAYLOAD,
        signatures=(Signature(keyid=keyid, sig=base64.b64encode(signature).decode()),),
    )
    return Seal(number=subjects.number, head=subjects.head, kind=kind, envelope=envelope, public=public)


def parsed(body: bytes) -> Seal | None:
    """The seal in the body of an entry; None where it is none."""
    try:
        return msgspec.json.decode(body, type=Seal)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def covers(payload: bytes) -> tuple[int, str]:
    """Number and digest of the last entry that a statement covers; (0, "") where it does not say."""
    try:
        predicate = msgspec.json.decode(payload)["predicate"]
        number, head = predicate["number"], predicate["head"]
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return 0, ""
    return (number, head) if isinstance(number, int) and isinstance(head, str) else (0, "")


def disagreement(payload: bytes, case: str, number: int, head: str, subjects: Subjects, digest: str | None) -> str:
    """How a statement disagrees with the journal; empty where it does not. `digest` is that of entry `number`."""
    try:
        document = msgspec.json.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "its statement is no JSON"
    if not isinstance(document, dict) or document.get("_type") != STATEMENT:
        return "it holds no in-toto statement"
    predicate = document.get("predicate")
    if document.get("predicateType") != PREDICATE or not isinstance(predicate, dict):
        return "its statement is about something else"
    if predicate.get("case") != case:
        return "its statement is about another case"
    if predicate.get("number") != number or predicate.get("head") != head:
        return "its statement covers another head than the entry says"
    if digest is None or digest != head:
        return f"entry {number} is not the one that was sealed"
    if document.get("subject") != subjects.upto(number, head):
        return "its statement names other reports or evidence than the journal holds"
    return ""
