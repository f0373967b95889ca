"""Run configurations that JetBrains' editors start when a project is opened: .idea/startup.xml.

## Reads
The configurations of the component `ProjectStartupSharedConfiguration`: what kind each is. Text, not a parsed document:
an entity is never resolved.

## Leaves out
What they run: their bodies stand in `.run` and `.idea/runConfigurations`. Startup tasks of one person (`workspace.xml`)
and file watchers.

## References
JetBrains intellij-community, com.intellij.execution.startup.ProjectStartupSharedConfiguration and
ProjectStartupConfigurationBase.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import marks
from pratique.readers.text import decode_text

_CONFIGURATION = re.compile(r"<configuration\b[^<>]{0,2000}>")
_TYPE = re.compile(r"\btype\s{0,9}=\s{0,9}[\"']([\w .-]{1,100})[\"']")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield the configurations that start with the project. Raises Unreadable."""
    data = artifact.content()
    yield from marks(artifact, data, interest, READER.name)
    text = decode_text(data)
    if text is None or not text.rstrip().endswith("</project>"):
        yield artifact.refusal(READER.name, "is no whole project file", relevant=False)
    if text is None or "ProjectStartupSharedConfiguration" not in text:
        return
    kinds = {(_TYPE.search(match[0]) or [None, None])[1] for match in _CONFIGURATION.finditer(text)}
    for kind in sorted(kinds, key=str):
        yield Observation(
            READER.name, artifact.location(), TriggerFact(tool="jetbrains", when="project-open", program=kind)
        )


READER = Reader(
    name="jetbrains-startup",
    ecosystem="npm",
    read=read,
    basenames=("startup.xml",),
    folders=((".idea",),),
    outside=("node_modules",),
    relevance="never",
    resolves=False,
)
