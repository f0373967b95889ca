"""Settings of VS Code and its relatives in a checkout: .vscode/settings.json and .vscode/mcp.json.

## Reads
JSON with comments: `task.allowAutomaticTasks`, automatic approval of tools, settings that end in `path` and terminal
profiles where they name something inside the checkout, and variables of the terminal that make programs load code. In
`mcp.json`: each server with a command, taken apart.

## Leaves out
All other settings, and programs outside the checkout. Settings of the user.

## References
VS Code documentation "User and workspace settings", "Terminal Profiles", "Workspace Trust" and
"MCP configuration reference".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.model.observation import Observation, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import servers, settings, told


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what lets something run. Raises Unreadable."""
    yield from told(artifact, interest, READER.name, _settings)


def _settings(found: Any) -> Iterator[TriggerFact]:
    yield from settings(found)
    mcp = found.get("mcp")
    for holder in (found, mcp if isinstance(mcp, dict) else {}):
        yield from servers(holder.get("servers"), "vscode")


READER = Reader(
    name="editor-settings",
    ecosystem="npm",
    read=read,
    basenames=("settings.json", "mcp.json"),
    folders=((".vscode",),),
    outside=("node_modules",),
    relevance="never",
    resolves=False,
    doors=("files", "host"),
)
