"""Answers to "what would have been installed" for people and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from urllib.parse import unquote

import msgspec

from pratique.model.resolution import Answer, Resolutions
from pratique.report.words import printable

WIDTH = 100
_LABELS = {"listed": "LISTED", "refused": "REFUSED", "unknown": "UNKNOWN", "other": "OTHER"}
_ORDER = ("listed", "unknown", "refused", "other")


def resolution_lines(found: Resolutions) -> Iterator[str]:
    """The answers for people: one line for the whole, then each answer, the listed ones first."""
    yield _headline(found)
    for answer in sorted(found.answers, key=lambda item: _ORDER.index(item.outcome)):
        yield from _answer(answer)
    if found.locked:
        ranges = f"{found.locked} range{'' if found.locked == 1 else 's'}"
        yield f"LOCKED  {ranges} left to the lockfile that resolves them: pratique check reads it (--ignore-locks)"
    for item in found.unread:
        yield from _wrapped(f"NOT READ  {item.place}: {item.reason}", "          ")
    yield from _wrapped(f"SCOPE  {_scope(found)}", "       ")


def _headline(found: Resolutions) -> str:
    if found.examined == 0:
        return "NOTHING EXAMINED  no manifest was found: this says nothing about the target"
    counts = {outcome: sum(item.outcome == outcome for item in found.answers) for outcome in _ORDER}
    total = len(found.answers)
    ranges = f"{total} range{'' if total == 1 else 's'}"
    if counts["listed"]:
        return f"WOULD HAVE RESOLVED TO A LISTED RELEASE  {counts['listed']} of {ranges}"
    if counts["unknown"] or found.unread:
        return f"CANNOT BE TOLD  {counts['unknown']} of {ranges}"
    if counts["refused"]:
        return f"WOULD HAVE BEEN REFUSED  {counts['refused']} of {ranges}, by a cooldown as it is set now"
    if not total and found.locked:
        return "NOTHING TO INFER  a lockfile resolves every range that could hold a listed release"
    return f"NO LISTED RELEASE  {ranges} examined"


def _answer(answer: Answer) -> Iterator[str]:
    place = []
    if answer.field:
        place.append(answer.field)
    if answer.location is not None:
        place.append(placed(answer.location.target, answer.location.path))
    where = f"  ({', '.join(place)})" if place else ""
    yield from _wrapped(f"{_LABELS[answer.outcome]}  {answer.name} {answer.range}{where}", "    ")
    yield from _wrapped(f"  {answer.text}", "    ")
    if answer.asked_by:
        yield from _wrapped(f"  asked by {' > '.join(answer.asked_by)}", "    ")
    for protection in answer.protections:
        yield from _wrapped(f"  protection: {protection}", "    ")
    for note in answer.notes:
        yield from _wrapped(f"  note: {note}", "    ")


def placed(target: str, path: str) -> str:
    """A place for people: the last part of its target, and the path in there."""
    return f"{unquote(target.rstrip('/').rpartition('/')[2])}/{path}".lstrip("/")


def _scope(found: Resolutions) -> str:
    if found.moment is not None:
        when = f"at {found.moment}"
    elif found.window is not None:
        when = f"from {found.window[0]} until {found.window[1]}"
    else:
        when = "while the listed releases could be had"
    return f"{when}; from {found.source}; nothing here shows that an install took place"


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(
        printable(text), WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [""]


def resolution_json(found: Resolutions) -> bytes:
    """The answers as one JSON document, with the exit code."""
    document = msgspec.to_builtins(found)
    document["exit_code"] = found.exit_code
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2) + b"\n"
