"""Tasks of the Windows task scheduler: XML files without suffix below System32/Tasks.

## Reads
UTF-16 and UTF-8: `URI`, `UserId`, `Enabled`, the kinds of triggers, and of each `Exec` its command. Programs and script
files are kept, arguments are not.

## Leaves out
Actions of components (`ComHandler`). The twin of each task in the registry. A document type is refused: no entity is
ever resolved.

## References
Microsoft, "Task Scheduler Schema".
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.host.persistence import entry, merged
from pratique.readers.text import refuse

_KEPT = frozenset(["Command", "Arguments", "URI", "UserId", "Enabled", "ClassId"])
_MOST = 1000


class _Task:
    """What is kept of a task while its XML is read."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.triggers: list[str] = []
        self.text: list[str] = []
        self.commands: list[list[str]] = []
        self.reason: str | None = None

    def start(self, name: str, _: dict[str, str]) -> None:
        name = name.rpartition("}")[2].rpartition(":")[2]
        if self.parts[-1:] == ["Triggers"]:
            self.triggers.append(name[:60])
        if name == "Exec":
            self.commands.append(["", ""])
        self.parts.append(name)
        self.text = []

    def end(self, _: str) -> None:
        name = self.parts.pop()
        text = "".join(self.text).strip()
        if name in ("Command", "Arguments") and self.parts[-1:] == ["Exec"] and self.commands:
            self.commands[-1][name == "Arguments"] = text
        elif name in _KEPT and len(self.texts.setdefault(name, [])) < _MOST:
            self.texts[name].append(text)
        self.text = []

    def characters(self, text: str) -> None:
        self.text.append(text)

    def doctype(self, *_: object) -> None:
        self.reason = "declares a document type"
        raise ValueError(self.reason)


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the task. Raises Unreadable."""
    data = artifact.content()
    task = _Task()
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = task.start
    parser.EndElementHandler = task.end
    parser.CharacterDataHandler = task.characters
    parser.StartDoctypeDeclHandler = task.doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, RecursionError, IndexError) as error:
        reason = task.reason or f"is no whole XML: {str(error)[:80]}"
        yield refuse(artifact, READER, reason)
    if not task.commands and not task.texts:
        return
    lines = [
        " ".join(f'"{part}"' if " " in part and not index else part for index, part in enumerate(pair))
        for pair in task.commands[:_MOST]
    ]
    found = merged(lines, interest, windows=True)
    name = next(iter(task.texts.get("URI", [])), "") or artifact.path.rpartition("/")[2]
    enabled = task.texts.get("Enabled")
    yield from entry(
        artifact,
        READER,
        found,
        mechanism="scheduled-task",
        name=name[:200],
        when=",".join(dict.fromkeys(task.triggers))[:200] or "asked",
        user=next(iter(task.texts.get("UserId", [])), "")[:64] or None,
        enabled=enabled[-1].lower() != "false" if enabled else None,
    )


READER = Reader(
    name="scheduled-task",
    ecosystem="host",
    read=read,
    folders=(("System32", "Tasks"),),
    limit=4 * MEBIBYTE,
    subject="machine",
    doors=("host",),
)
