"""What a desktop starts at login: entries of XDG autostart, and the startup folders of Windows.

## Reads
`autostart/*.desktop`: `Name`, `Exec`, `Hidden`. In folders `Startup` of the start menu every file by its name; scripts
there also by the files that they name.

## Leaves out
Arguments. Where a shortcut (`.lnk`) leads.

## References
freedesktop.org "Desktop Application Autostart Specification"; Microsoft, "Startup folder".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.ecosystems.arguments import Reduced
from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged, text_of
from pratique.readers.text import refuse

_EXEC = re.compile(r"^Exec\s*=\s*(.*)$", re.MULTILINE)
_HIDDEN = re.compile(r"^(?:Hidden\s*=\s*true|X-GNOME-Autostart-enabled\s*=\s*false)\s*$", re.MULTILINE | re.IGNORECASE)
_SCRIPTS = (".bat", ".cmd", ".vbs", ".ps1", ".js", ".wsf")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the entry. Raises Unreadable."""
    name = artifact.path.rpartition("/")[2]
    if not name.endswith(".desktop"):
        if name.lower() == "desktop.ini":
            return
        found = Reduced()
        if name.lower().endswith(_SCRIPTS):
            found = merged([text_of(artifact.content())], interest, windows=True)
        elif name.lower().endswith(".lnk"):
            yield refuse(artifact, READER, "is a shortcut: where it leads is not read")
        found = msgspec.structs.replace(found, files=(name, *found.files))
        yield from entry(artifact, READER, found, mechanism="startup-folder", name=name, when="login")
        return
    text = text_of(artifact.content())
    if "[Desktop Entry]" not in text:
        yield refuse(artifact, READER, "is no whole desktop entry")
    lines = [re.sub(r"%[a-zA-Z%]", "", match[1]) for match in _EXEC.finditer(text)]
    enabled = False if _HIDDEN.search(text) else None
    found = merged(lines, interest)
    yield from entry(artifact, READER, found, mechanism="autostart", name=name, when="login", enabled=enabled)


READER = Reader(
    name="autostart",
    ecosystem="host",
    read=read,
    folders=(("autostart",), ("Programs", "Startup"), ("Programs", "StartUp")),
    limit=4 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)
