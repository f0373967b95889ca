"""Workspaces of VS Code and its relatives: *.code-workspace.

## Reads
JSON with comments: the tasks in it that run by themselves, and the settings that let something run or name a program
inside the checkout, as in the files of `.vscode`.

## Leaves out
Its folders, extensions and launches.

## References
VS Code documentation "Multi-root Workspaces".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.model.observation import Observation, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import servers, settings, tasks, told


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what runs by itself. Raises Unreadable."""
    yield from told(artifact, interest, READER.name, _workspace)


def _workspace(found: Any) -> Iterator[TriggerFact]:
    inner = found.get("tasks")
    yield from tasks(inner) if isinstance(inner, dict) else ()
    inner = found.get("mcp")
    yield from servers(inner.get("servers"), "vscode") if isinstance(inner, dict) else ()
    yield from settings(found.get("settings"))


READER = Reader(
    name="editor-workspace",
    ecosystem="npm",
    read=read,
    suffixes=(".code-workspace",),
    outside=("node_modules",),
    relevance="never",
    resolves=False,
)
