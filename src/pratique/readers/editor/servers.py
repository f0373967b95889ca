"""Servers that agents start for a checkout: .mcp.json.

## Reads
JSON with comments: each server with a command, taken apart: program and script files.

## Leaves out
Arguments and environments, which may hold secrets; servers that are only a URL.

## References
Claude Code documentation "Connect Claude Code to tools via MCP".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Observation, Refusal
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import servers, told


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what an agent starts. Raises Unreadable."""
    yield from told(artifact, interest, READER.name, lambda found: servers(found.get("mcpServers"), "agent"))


READER = Reader(
    name="agent-servers",
    ecosystem="npm",
    read=read,
    basenames=(".mcp.json",),
    relevance="never",
    resolves=False,
    doors=("files", "host"),
)
