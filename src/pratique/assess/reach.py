"""What a credential in reach means: whether it was there in time, what the incident does with it, what goes first."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from pratique.model.credential import Credential, CredentialFact, Reach
from pratique.model.incident import Incident

Taken = Literal["taken", "targeted", "in-reach"]
Window = tuple[float, float | None]
_GRADES: tuple[Taken, ...] = ("in-reach", "targeted", "taken")
_REACHES: tuple[Reach, ...] = ("observed", "readable", "unknown-time", "by-reference", "not-readable")
_PROTECTIONS = ("plaintext", "unknown", "encrypted", "passphrase", "keychain", "write-only", "hardware")
_STATES = ("present", "name", "store", "reference")


def windows_of(incidents: Iterable[Incident]) -> tuple[Window, ...]:
    """When releases of the incidents could be fetched: start and end in seconds, widened by their margins."""
    found: set[Window] = set()
    for incident in incidents:
        for window in incident.windows:
            margin = window.margin_minutes * 60
            end = window.end.timestamp() + margin if window.end is not None else None
            found.add((window.start.timestamp() - margin, end))
    return tuple(sorted(found, key=lambda item: (item[0], item[1] if item[1] is not None else float("inf"))))


def in_window(windows: Sequence[Window], modified: int | None, born: int | None, fact: CredentialFact) -> bool | None:
    """Whether a credential was there while a listed release could be fetched.

    A file that was last changed before the end of a window was there in it. One that changed later may have been there
    before with the same secret: that cannot be told, unless its issuer says that it was made later.
    """
    if not windows:
        return None
    last = None if any(end is None for _, end in windows) else max(end for _, end in windows if end is not None)
    if fact.created is not None and last is not None:
        try:
            made = datetime.datetime.fromisoformat(fact.created.replace("Z", "+00:00")).timestamp()
        except ValueError:
            made = None
        if made is not None and made > last:
            return False
    times = [time for time in (modified, born) if time is not None]
    if not times:
        return None
    return True if last is None or min(times) <= last else None


def reach_of(fact: CredentialFact, *, readable: bool, timely: bool | None) -> Reach:
    """How surely it was in reach."""
    if not readable:
        return "not-readable"
    if fact.state == "reference":
        return "by-reference"
    return "readable" if timely else "unknown-time"


def taken(incidents: Sequence[Incident], classes: Iterable[str], taken_by: Sequence[str]) -> Taken | None:
    """What the incidents are known to do with these classes: the highest grade that a definition states.

    Where a definition does not name the class, an incident that the row's sources name looks for it.
    """
    found: set[Taken] = set()
    wanted = set(classes)
    for incident in incidents:
        stated = {secret.evidence or "in-reach" for secret in incident.secrets if secret.kind in wanted}
        found |= stated
        if not stated and incident.id in taken_by:
            found.add("targeted")
    return max(found, key=_GRADES.index) if found else None


def identify(credentials: Iterable[Credential]) -> list[Credential]:
    """The credentials with their ids: digests of what is public about them, and so the same in every run."""
    seen: dict[str, int] = {}
    found: list[Credential] = []
    for item in credentials:
        text = "\0".join(
            (item.location, item.place, item.fact.field, *(f"{name}={value}" for name, value in item.fact.identity))
        )
        number = seen.get(text, 0)
        seen[text] = number + 1
        digest = hashlib.sha256(f"{text}\0{number}".encode("utf-8", "replace")).hexdigest()[:16]
        found.append(msgspec.structs.replace(item, id=digest))
    return found


def link(credentials: Sequence[Credential]) -> list[Credential]:
    """The credentials with those of the same value named, where fingerprints tell."""
    groups: dict[str, list[str]] = {}
    for item in credentials:
        if item.fact.fingerprint is not None:
            groups.setdefault(item.fact.fingerprint, []).append(item.id)
    return [
        msgspec.structs.replace(
            item,
            same_as=tuple(sorted(other for other in groups.get(item.fact.fingerprint or "", ()) if other != item.id)),
        )
        for item in credentials
    ]


def most_dangerous_first(credentials: Iterable[Credential]) -> list[Credential]:
    """In the order in which people should read them."""

    def key(item: Credential) -> tuple[object, ...]:
        grade = _GRADES.index(item.taken) if item.taken is not None else -1
        return (
            item.tier,
            _REACHES.index(item.reach),
            -grade,
            _STATES.index(item.fact.state),
            _PROTECTIONS.index(item.fact.protection),
            item.provider,
            item.location,
            item.place,
            item.fact.field,
            item.id,
        )

    return sorted(credentials, key=key)
