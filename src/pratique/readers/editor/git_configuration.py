"""Settings of one git repository that make git run something: .git/config.

## Reads
`core.hooksPath`, `core.fsmonitor`, `core.sshCommand`, `core.pager`, `core.editor`, filters, text converters, merge
drivers, credential programs, aliases that start a shell, and included files. A clone does not bring this file: what
stands there was set on this machine.

## Leaves out
Every other setting, URLs and names of people above all. The settings of the user and the system, and of submodules.

## References
git documentation "git-config", "Syntax" and "Variables".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import command, marks
from pratique.readers.text import decode_text

_SECTION = re.compile(r"\s*\[\s*([\w.-]{1,80})(?:\s+\"(?:[^\"\\\n]|\\.){0,300}\")?\s*\]")
_SETTING = re.compile(r"\s*([A-Za-z][\w-]{0,80})\s*=(.*)$")
_RUNS = {
    "core": ("hookspath", "fsmonitor", "sshcommand", "pager", "editor", "askpass"),
    "filter": ("clean", "smudge", "process"),
    "diff": ("textconv", "command", "external"),
    "merge": ("driver",),
    "credential": ("helper",),
    "include": ("path",),
    "includeif": ("path",),
    "gpg": ("program",),
    "alias": (),
}


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the settings that run something. Raises Unreadable."""
    data = artifact.content()
    yield from marks(artifact, data, interest, READER.name)
    text = decode_text(data)
    if text is None or "[" not in text:
        yield artifact.refusal(READER.name, "is no settings of git", relevant=False)
        return
    section = ""
    found: dict[TriggerFact, int] = {}
    strange = 0
    for number, line in _joined(text):
        head = _SECTION.match(line)
        if head is None and line.lstrip().startswith("["):
            section, strange = "", strange or number
            continue
        if head is not None:
            section = head[1].lower().partition(".")[0]
            line = line[head.end() :]
        setting = _SETTING.match(line)
        if setting is None or section not in _RUNS:
            continue
        key, value = setting[1].lower(), setting[2].strip()
        if section == "alias":
            if not value.strip('"').startswith("!"):
                continue
            value = value.strip('"')[1:]
        elif key not in _RUNS[section] or value.lower() in ("true", "false", ""):
            continue
        program, files = command(value.lstrip("!"))
        found.setdefault(TriggerFact(tool="git", when=f"{section}.{key}", program=program, files=files), number)
    for fact, number in found.items():
        yield Observation(READER.name, artifact.location(number), fact)
    if strange:
        reason = f"has a section that is not understood, the first in line {strange}"
        yield artifact.refusal(READER.name, reason, relevant=False)


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """The lines with their numbers; one that ends in a single backslash goes on in the next."""
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.splitlines(), start=1):
        first = first or number
        plain = line.rstrip("\\")
        if (len(line) - len(plain)) % 2 and (parts or not plain.lstrip().startswith(("#", ";"))):
            parts.append(line[:-1])
            continue
        yield first, "".join([*parts, line])
        parts, first = [], 0
    if parts:
        yield first, "".join(parts)


READER = Reader(
    name="git-configuration",
    ecosystem="npm",
    read=read,
    basenames=("config",),
    folders=((".git",),),
    outside=("node_modules",),
    relevance="never",
    resolves=False,
    doors=("files", "host"),
)
