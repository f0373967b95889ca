"""Files in a release that make an editor, an agent or a service of continuous integration run commands."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile, Value
from pratique.releases.content.excerpts import printable

LONGEST = 1 << 20
MOST = 64
"""The commands of a file that are told."""
_CONCERNED = re.compile(
    r"(?:^|/)(?:\.vscode/(?:tasks|settings|mcp)\.json|[\w.-]+\.code-workspace|\.devcontainer(?:/[\w-]+)?/devcontainer\.json"
    r"|\.devcontainer\.json|\.claude/(?:settings(?:\.local)?|mcp)\.json|\.cursor/(?:mcp|hooks)\.json|\.?mcp\.json"
    r"|\.gemini/settings\.json|\.codex/hooks\.json|\.kiro/(?:hooks/[^/]+|settings/mcp\.json)|\.windsurf/[\w-]+\.json"
    r"|claude_desktop_config\.json|\.github/(?:workflows|actions)/[^\n]+\.ya?ml|action\.ya?ml|\.gitlab-ci\.yml"
    r"|\.circleci/config\.yml|azure-pipelines\.yml)$",
    re.IGNORECASE,
)
_OUTER = (
    (re.compile(r"(?:^|/)\.vscode/|\.code-workspace$", re.I), "vscode"),
    (re.compile(r"\.devcontainer", re.I), "devcontainer"),
    (re.compile(r"(?:^|/)\.claude/|claude_desktop", re.I), "claude"),
    (re.compile(r"(?:^|/)\.cursor/", re.I), "cursor"),
    (re.compile(r"(?:^|/)\.gemini/", re.I), "gemini"),
    (re.compile(r"(?:^|/)\.(?:codex|kiro)/", re.I), "agents"),
    (re.compile(r"(?:^|/)\.windsurf/", re.I), "windsurf"),
    (re.compile(r"(?:^|/)\.?mcp\.json$", re.I), "mcp"),
)
_COMMENTS = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])', re.DOTALL)
_COMMAND_KEYS = frozenset(
    {"command", "postCreateCommand", "onCreateCommand", "updateContentCommand", "postStartCommand", "postAttachCommand",
     "initializeCommand", "apiKeyHelper", "awsAuthRefresh", "statusLine", "run"}
)  # fmt: skip
_AUTOMATIC = re.compile(r"hooks|sessionstart|pretooluse|posttooluse|mcpservers|servers|containercommand|command$", re.I)
_SECRETS = re.compile(r"toJSON\(\s*secrets\s*\)", re.IGNORECASE)


def facts(file: SourceFile) -> Iterator[Fact | Refusal]:
    """Facts of a file by which an editor, an agent or a service runs commands; none for any other path.

    A task that runs when a folder is opened is `capability.persistence`; every command of an agent's hooks and servers
    and of a container is `capability.agent-configuration`; a workflow is `capability.workflow-write`. What the
    commands themselves can do follows as facts of the shell.
    """
    if not _CONCERNED.search(file.path[-300:]):
        return
    if file.path.lower().endswith((".yml", ".yaml")):
        yield from _workflow(file)
        return
    place = next((name for pattern, name in _OUTER if pattern.search(file.path)), "")
    if not place or not file.path.lower().endswith((".json", ".code-workspace")):
        return
    if len(file.content) > LONGEST:
        yield Refusal(file.path, "settings", f"holds {len(file.content)} bytes, more than are read", relevant=True)
        return
    text = file.content.decode("utf-8", "replace").removeprefix("\ufeff")
    try:
        tree = json.loads(_COMMENTS.sub(lambda match: match[0] if match[0].startswith('"') else "", text))
    except (ValueError, RecursionError):
        yield Refusal(file.path, "settings", "is no JSON that can be read", relevant=True)
        return
    yield from _commands(file, text, tree, place)


def _workflow(file: SourceFile) -> Iterator[Fact]:
    text = file.content[:LONGEST]
    if re.search(r"(?:^|/)action\.ya?ml$|/actions/", file.path, re.IGNORECASE) and b"runs:" not in text:
        return
    first = re.search(rb"(?m)^[ \t]*(?:['\"]?on['\"]?|jobs|runs|steps|stages)[ \t]*:", text)
    line = text.count(b"\n", 0, first.start()) + 1 if first else 1
    begun = text[first.start() : first.start() + 160] if first else text[:160]
    yield Fact(
        "capability.workflow-write", file.path, line, printable(begun), file.sha256, attributes={"place": "workflow"}
    )
    for match in list(_SECRETS.finditer(text.decode("utf-8", "replace")))[:8]:
        at = match.string.count("\n", 0, match.start()) + 1
        yield Fact(
            "capability.credential-read",
            file.path,
            at,
            printable(match.string[max(0, match.start() - 60) : match.end() + 60].encode()),
            file.sha256,
            attributes={"place": "workflow-secrets"},
        )


def _commands(file: SourceFile, text: str, tree: object, place: str) -> Iterator[Fact]:
    """A fact for each command that runs by itself, with what the command can do."""
    from pratique.releases.shell import facts_of_command

    for command, automatic, kind in islice(_found(tree, place), MOST):
        line = _line_of(text, command)
        excerpt = printable(command.encode("utf-8", "replace"))
        known: dict[str, Value] = {"place": kind}
        if automatic:
            yield Fact("capability.persistence", file.path, line, excerpt, file.sha256, attributes=known)
        yield Fact("capability.agent-configuration", file.path, line, excerpt, file.sha256, attributes={"place": place})
        for fact in facts_of_command(command):
            yield Fact(fact.kind, file.path, line, fact.excerpt, file.sha256, attributes=fact.attributes)


def _found(tree: object, place: str) -> Iterator[tuple[str, bool, str]]:
    """Command, whether it runs by itself when a folder is opened, and the class of place."""
    if not isinstance(tree, Mapping):
        return
    if place == "vscode":
        tasks = tree.get("tasks")
        for holder in (tasks, tree.get("tasks", {}).get("tasks") if isinstance(tasks, Mapping) else None):
            for task in holder if isinstance(holder, list) else ():
                options = task.get("runOptions") if isinstance(task, Mapping) else None
                if isinstance(options, Mapping) and options.get("runOn") == "folderOpen":
                    yield _line(task), True, "vscode-task"
        if tree.get("task.allowAutomaticTasks") == "on":
            yield "task.allowAutomaticTasks", True, "vscode-task"
        yield from ((command, False, place) for command in _nested(tree.get("servers") or tree.get("mcp"), 0, True))
        return
    yield from ((command, False, place) for command in _nested(tree, 0, place == "mcp"))


def _nested(tree: object, depth: int, automatic: bool) -> Iterator[str]:
    """Commands below keys of hooks, servers and containers, to depth 12."""
    if depth > 12:
        return
    if isinstance(tree, list):
        for one in tree[:1000]:
            yield from _nested(one, depth + 1, automatic)
    elif isinstance(tree, Mapping):
        if automatic and isinstance(tree.get("command"), str):
            yield _line(tree)
        for key, value in list(tree.items())[:1000]:
            begins = automatic or bool(_AUTOMATIC.search(str(key)))
            if key in _COMMAND_KEYS and key != "command" and isinstance(value, str):
                yield value
            elif isinstance(value, (dict, list)):
                yield from _nested(value, depth + 1, begins)


def _line(task: Mapping[str, object]) -> str:
    """A command with its arguments, as one line."""
    command = task.get("command")
    if not isinstance(command, str):
        command = str(task.get("script") or task.get("label") or "")
    arguments = task.get("args")
    words = [one for one in arguments[:100] if isinstance(one, str)] if isinstance(arguments, list) else []
    return " ".join([command, *(f"'{word}'" if re.search(r"[\s;&|]", word) else word for word in words)])


def _line_of(text: str, command: str) -> int:
    """The line of a command in JSON: where its first word or all of it stands."""
    for needle in (json.dumps(command)[1:-1], json.dumps(command.split(" ", 1)[0])):
        at = text.find(needle) if needle else -1
        if at >= 0:
            return text.count("\n", 0, at) + 1
    return 0
