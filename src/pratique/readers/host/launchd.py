"""Agents and daemons of macOS: property lists in LaunchAgents and LaunchDaemons, XML and binary.

## Reads
`Label`, `Program`, `ProgramArguments`, `RunAtLoad`, `KeepAlive`, `StartInterval`, `StartCalendarInterval`,
`WatchPaths`, `UserName`, `Disabled`. Programs and script files are kept, arguments are not.

## Leaves out
`EnvironmentVariables`. Whether launchd has loaded it: its own database says so. Entities of XML are refused.

## References
launchd.plist(5); Python documentation "plistlib".
"""

from __future__ import annotations

import plistlib
import shlex
import struct
from collections.abc import Iterator
from typing import Any
from xml.parsers.expat import ExpatError

from pratique.ecosystems.arguments import reduced_line
from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry
from pratique.readers.text import refuse

_ERRORS = (
    plistlib.InvalidFileException,
    ExpatError,
    struct.error,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RecursionError,
    MemoryError,
    EOFError,
    AssertionError,
)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the agent or daemon. Raises Unreadable."""
    try:
        found = plistlib.loads(artifact.content())
    except _ERRORS as error:
        yield refuse(artifact, READER, f"is no whole property list: {type(error).__name__}")
        return
    if not isinstance(found, dict):
        yield refuse(artifact, READER, "is no dictionary")
        return
    words = _words(found)
    if not words and "Label" in found:
        yield artifact.refusal(READER.name, "names no program", relevant=False)
    reduced = reduced_line(shlex.join(words), interest.command_lines)
    label = found.get("Label")
    name = label if isinstance(label, str) and len(label) <= 200 else artifact.path.rpartition("/")[2]
    user = found.get("UserName")
    disabled = found.get("Disabled")
    yield from entry(
        artifact,
        READER,
        reduced,
        mechanism="launchd",
        name=name,
        when=_when(found),
        user=user if isinstance(user, str) and len(user) <= 64 else None,
        enabled=not disabled if isinstance(disabled, bool) else None,
    )


def _words(found: dict[Any, Any]) -> list[str]:
    arguments = found.get("ProgramArguments")
    words = [item for item in arguments[:1000] if isinstance(item, str)] if isinstance(arguments, list) else []
    program = found.get("Program")
    if isinstance(program, str):
        words = [program, *words[1:]]
    return words


def _when(found: dict[Any, Any]) -> str:
    if found.get("RunAtLoad") or found.get("KeepAlive"):
        return "login"
    if "StartInterval" in found or "StartCalendarInterval" in found:
        return "timer"
    return "path" if "WatchPaths" in found or "QueueDirectories" in found else "asked"


READER = Reader(
    name="launchd",
    ecosystem="host",
    read=read,
    suffixes=(".plist",),
    folders=(("LaunchAgents",), ("LaunchDaemons",)),
    limit=4 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)
