"""What records of sensors have in common: a line of JSON, fields that may be missing, times, arguments in one text."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from pratique.ecosystems.secrets_told import text_without_secrets, without_secrets
from pratique.model.event import Ancestor, Event, Process
from pratique.model.observation import Refusal

MOST_LINE = 1 << 20
LONGEST = 4096
MOST_WORDS = 256
NOTHING = ("", "<NA>", "<UNKNOWN>", "N/A")
"""How sensors write that there is no value."""
Read = Callable[[bytes, str, int], tuple[tuple[Event, ...], Refusal | None]]
"""A line, the name of what it came from, its number: events (their `sequence` is 0), and why it is no whole record."""


class Told(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """Why a record cannot be taken."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def record_of(line: bytes) -> dict[str, Any]:
    """The object in a line. Raises Told."""
    if len(line) > MOST_LINE:
        raise Told(f"is longer than {MOST_LINE} bytes")
    try:
        found = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Told(f"is no JSON: {str(error)[:100]}") from None
    if not isinstance(found, dict):
        raise Told("is no JSON object")
    return found


def text(fields: Mapping[str, Any], *names: str) -> str:
    """The first of some fields that has a value, as text cut at 4,096 characters; empty where none has."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str) and value.strip() not in NOTHING:
            return value[:LONGEST]
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


def number(fields: Mapping[str, Any], *names: str) -> int | None:
    """The first of some fields that holds a whole number, within 63 bits; None where none does."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, str):
            try:
                value = int(value.strip(), 10) if len(value) < 25 else None
            except ValueError:
                continue
        if isinstance(value, int) and not isinstance(value, bool) and -(1 << 62) < value < 1 << 62:
            return value
    return None


def nanoseconds(words: str) -> int | None:
    """A time in ISO 8601 with any number of digits behind the second, in nanoseconds since 1970; None where it is none.

    A time without a zone is taken for UTC.
    """
    head, dot, rest = words.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    fraction, zone = rest[:digits], rest[digits:] if dot else ""
    if not dot:
        head, zone = words, ""
    try:
        moment = datetime.datetime.fromisoformat(head + zone)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.UTC)
        seconds = int((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)).total_seconds())
    except (ValueError, OverflowError):
        return None
    return seconds * 1_000_000_000 + int((fraction + "0" * 9)[:9])


def arguments(line: str) -> tuple[tuple[str, ...], bool]:
    """Words of a command line that was written with spaces between: what had spaces itself is told apart no more."""
    words = text_without_secrets(line).split()
    return without_secrets(words[:MOST_WORDS]), len(words) > MOST_WORDS or len(line) >= LONGEST


def process(
    pid: int,
    *,
    parent: int = 0,
    user: int | None = None,
    session: int = 0,
    executable: str = "",
    words: tuple[str, ...] = (),
    folder: str = "",
    ancestors: tuple[Ancestor, ...] = (),
    cut: bool = False,
) -> Process:
    """A process as a sensor tells it."""
    return Process(
        pid=pid,
        parent=max(parent, 0),
        user=user if user is not None and user >= 0 else None,
        session=max(session, 0),
        executable=executable,
        arguments=words,
        folder=folder,
        ancestors=ancestors,
        cut=cut,
    )


def refused(path: str, sensor: str, line: int, reason: str) -> Refusal:
    """That a line is no record that can be taken."""
    return Refusal(path, sensor, f"line {line} {reason}", True)
