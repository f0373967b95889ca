"""Configuration of coding agents in a checkout or a home: .claude, .cursor and .gemini folders.

## Reads
`.claude/settings.json`, `.claude/settings.local.json` and `.gemini/settings.json`: hooks by event, helper programs
(`apiKeyHelper` and the like, `statusLine`) and servers. `.cursor/hooks.json`: hooks by event. `mcp.json`: servers. Each
command taken apart: program and script files. Digest, name and text of the file are compared with those that incidents
list.

## Leaves out
Arguments, environments, URLs and permissions. Rules and prompts, which are text. Plug-ins that the settings enable.

## References
Claude Code documentation "Hooks reference" and "Settings"; Cursor documentation "Hooks" and "Model Context Protocol";
Gemini CLI documentation "Configuration".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pratique.model.observation import Observation, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest, Reader
from pratique.readers.editor.configuration import hooks, servers, told, trigger

_PROGRAMS = ("apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "otelHeadersHelper", "toolDiscoveryCommand")
_TOOLS = {".claude": "claude", ".cursor": "cursor", ".gemini": "gemini", ".vscode": "vscode"}


def read(artifact: Artifact, interest: Interest) -> Iterator[Observation | Refusal]:
    """Yield what an agent runs. Raises Unreadable."""
    folders = artifact.path.split("/")[:-1]
    tool = next((_TOOLS[name] for name in reversed(folders) if name in _TOOLS), "agent")
    yield from told(artifact, interest, READER.name, lambda found: _agent(found, tool))


def _agent(found: Any, tool: str) -> Iterator[TriggerFact]:
    yield from hooks(found.get("hooks"), tool)
    for key in ("mcpServers", "servers"):
        yield from servers(found.get(key), tool)
    for key in _PROGRAMS:
        if isinstance(found.get(key), str):
            yield trigger(tool, key, found[key])
    line = found.get("statusLine")
    if isinstance(line, dict) and line.get("command") is not None:
        yield trigger(tool, "statusLine", line.get("command"))


READER = Reader(
    name="agent-configuration",
    ecosystem="npm",
    read=read,
    basenames=("settings.json", "settings.local.json", "hooks.json", "mcp.json"),
    folders=((".claude",), (".cursor",), (".gemini",)),
    outside=("node_modules",),
    relevance="never",
    resolves=False,
    doors=("files", "host"),
)
