"""Files beside the configuration of editors, agents and workflows that indicators name.

## Reads
In `.claude`, `.cursor`, `.gemini`, `.vscode` and `.github`: the name of every file, and the bytes of those whose name
an indicator gives or that are scripts and rules; their digests and text are compared with those that incidents list.

## Leaves out
What the files say. The configuration itself, which has readers of its own. Files below `node_modules`.

## References
The indicators of the bundled incidents, types `editor-configuration`, `workflow-file` and `file-path`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import MEBIBYTE, Artifact, Interest, Reader
from pratique.readers.editor.configuration import marks

_SCRIPTS = (".mjs", ".cjs", ".js", ".ts", ".sh", ".py", ".ps1", ".bat", ".cmd", ".mdc")


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what indicators ask about. Raises Unreadable."""
    name = artifact.path.rpartition("/")[2]
    if name in interest.basenames or name.endswith(_SCRIPTS):
        yield from marks(artifact, artifact.content(), interest, READER.name)


READER = Reader(
    name="editor-files",
    ecosystem="npm",
    read=read,
    folders=((".claude",), (".cursor",), (".gemini",), (".vscode",), (".github",)),
    outside=("node_modules",),
    limit=16 * MEBIBYTE,
    relevance="never",
    resolves=False,
    content="name",
    doors=("files", "host"),
)
