"""Units of systemd: services, timers, paths and sockets, of the system and of users.

## Reads
In folders `systemd/system` and `systemd/user`, and drop-ins in their `*.d`: the commands of `Exec…` keys, the account,
what a timer, path or socket starts, and when. Lines that go on are joined. Programs and script files are kept,
arguments are not.

## Leaves out
Generators, and templates' instances. Whether a unit is enabled: links in `*.wants` are not followed.
Values of `Environment` and what `EnvironmentFile` names.

## References
systemd.unit(5), systemd.service(5), systemd.timer(5), systemd.syntax(7).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged, text_of
from pratique.readers.text import refuse

_KEY = re.compile(r"\s*([A-Za-z]{1,60})\s*=\s*(.*)", re.DOTALL)
_EXEC = re.compile(r"Exec[A-Z][A-Za-z]{1,20}")
_MOST_LINES = 20_000


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the unit. Raises Unreadable."""
    data = artifact.content()
    path = artifact.path
    name = path.rpartition("/")[2]
    if b"\0" in data:
        yield refuse(artifact, READER, "holds bytes that are no text")
    lines: list[str] = []
    user = None
    starts: list[str] = []
    known = said = False
    for line in _joined(text_of(data)):
        if line.startswith("["):
            known = True
            continue
        said = said or bool(line)
        match = _KEY.fullmatch(line)
        if match is None:
            continue
        key, value = match[1], match[2].strip()
        if _EXEC.fullmatch(key) and value:
            lines.append(value.lstrip("@-:+!|"))
        elif key == "User" and re.fullmatch(r"[\w.-]{1,64}", value):
            user = value
        elif key in ("Unit", "Service") and re.fullmatch(r"[\w.@:\\-]{1,200}", value):
            starts.append(value)
    if said and not known:
        yield refuse(artifact, READER, "has no section, so that it is no whole unit")
    found = merged(lines, interest)
    folder = path.rpartition("/")[0].rpartition("/")[2]
    if name.endswith(".conf") and folder.endswith(".d"):
        name = folder.removesuffix(".d")  # a drop-in is a part of its unit
    kind = name.rpartition(".")[2]
    if kind in ("timer", "path", "socket"):
        units = starts or [f"{name.rpartition('.')[0]}.service"]
        found = msgspec.structs.replace(found, files=tuple(units)[:64])
    when = {"timer": "timer", "path": "path", "socket": "socket"}.get(kind, "boot")
    if when == "boot" and "/systemd/user/" in f"/{path}":
        when = "login"
    yield from entry(artifact, READER, found, mechanism="systemd", name=name, when=when, user=user)


def _joined(text: str) -> Iterator[str]:
    """Lines without comments, those that end in a backslash joined with the next."""
    parts: list[str] = []
    for number, raw in enumerate(text.split("\n")):
        line = raw.rstrip("\r")
        if line.lstrip().startswith(("#", ";")):
            continue
        if line.endswith("\\") and number < _MOST_LINES:
            parts.append(line[:-1])
            continue
        yield " ".join([*parts, line]).strip()
        parts = []
    if parts:
        yield " ".join(parts).strip()


READER = Reader(
    name="systemd-unit",
    ecosystem="host",
    read=read,
    suffixes=(".service", ".timer", ".path", ".socket"),
    folders=(("systemd", "system"), ("systemd", "user")),
    limit=MEBIBYTE,
    subject="machine",
    doors=("host",),
)
