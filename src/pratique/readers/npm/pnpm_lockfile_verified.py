"""pnpm's list of verified lockfiles: lockfile-verified.jsonl in its cache.

## Reads
One line for each lockfile that pnpm 11 and 12 verified before an install: when, and in which project. No other file of
pnpm tells the time of an install as well.

## Leaves out
What the lockfile held: the line has its digest alone. The policy that was in force; the workspace state holds it too.

## References
pnpm 12.21.0; files of pnpm 11 and 12 as recorded in this project's fixtures.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from pratique.model.observation import CommandFact, Observation, Refusal, Time
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.text import decode_text, refuse

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield one run of pnpm for each line. Lines name no packages, so none is dropped."""
    del interest
    text = decode_text(artifact.content())
    if text is None:
        yield refuse(artifact, READER, "is not text in UTF-8 or UTF-16")
        return
    if not text.strip():
        yield refuse(artifact, READER, "is empty")
        return
    damaged: int | None = None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        run = _run(line)
        if run is None:
            damaged = damaged or number
            continue
        moment, folder = run
        fact = CommandFact(manager="pnpm", verb="verify-lockfile", working_directory=folder)
        times = (Time("pnpm verified the lockfile before an install", moment, "verifiedAt"),)
        yield Observation(READER.name, artifact.location(line=number), fact, times)
    if damaged is not None:
        yield refuse(artifact, READER, f"line {damaged} is not a whole entry")


def _run(line: str) -> tuple[str, str] | None:
    """The moment and the project's folder of a line."""
    try:
        entry: Any = msgspec.json.decode(line.encode())
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    lockfile = entry.get("lockfile") if isinstance(entry, dict) else None
    path = lockfile.get("path") if isinstance(lockfile, dict) else None
    moment = entry.get("verifiedAt") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not isinstance(moment, str) or not _MOMENT.fullmatch(moment):
        return None
    try:
        datetime.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return moment, re.sub(r"[/\\][^/\\]*$", "", path)


READER = Reader(
    name="pnpm-lockfile-verified",
    ecosystem="npm",
    read=read,
    basenames=("lockfile-verified.jsonl",),
    subject="cache",
)
