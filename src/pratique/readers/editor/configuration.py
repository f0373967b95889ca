"""What the readers of this folder share: tolerant JSON, commands taken apart, and what indicators ask about any file.

Of a command only its program and the script files that it names are kept, never the line: arguments may be secrets.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from pratique.model.observation import ContentFact, DigestFact, Observation, PresenceFact, Refusal, TriggerFact
from pratique.model.ports import Artifact, Interest
from pratique.readers.text import decode_text, plain_json

Shape = Callable[[Any], Iterator[TriggerFact]]

_HERE = re.compile(
    r"\$(?:\{(?:env:)?(?:workspaceFolder|workspaceRoot|containerWorkspaceFolder|localWorkspaceFolder|CLAUDE_PROJECT_DIR"
    r"|GEMINI_PROJECT_DIR|CURSOR_PROJECT_DIR|PWD)(?::[^}/]{0,60})?\}|(?:CLAUDE_PROJECT_DIR|GEMINI_PROJECT_DIR|PWD)\b)/?"
)
_SPLIT = re.compile(r"[\s;|&()<>`=,]+")
_WORD = re.compile(r"[\w.@/~+-]{1,200}")
_SCRIPT = re.compile(r"[\w.@/~+ -]{0,200}\.(?:[cm]?[jt]s|sh|bash|zsh|fish|py|ps1|psm1|bat|cmd|exe|vbs|rb|pl|jar|lua)")
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?\w+=\S*\s+")
_MOST_FILES = 20
_LONGEST = 20_000


def command(*parts: object) -> tuple[str | None, tuple[str, ...]]:
    """The program of a command, and the script files that it names, relative ones without `./`."""
    words: list[str] = []
    for part in parts:
        if isinstance(part, str):
            words.append(part)
        elif isinstance(part, list):
            words += [item for item in part if isinstance(item, str)]
    text = _HERE.sub("", " ".join(words)[:_LONGEST].replace('"', "").replace("'", "").replace("\\", "/"))
    while (match := _ASSIGNMENT.match(text)) is not None:
        text = text[match.end() :]
    pieces = [piece for piece in _SPLIT.split(text) if piece]
    files = dict.fromkeys(_plain(piece) for piece in pieces if _SCRIPT.fullmatch(piece))
    program = _plain(pieces[0]) if pieces and _WORD.fullmatch(pieces[0]) else None
    return program, tuple(files)[:_MOST_FILES]


def script(
    artifact: Artifact, text: str, reader: str, tool: str, when: str, program: str | None = None
) -> Iterator[Observation | Refusal]:
    """A file of shell code as a trigger with the script files that it names, comments aside.

    Where it is too long to look at all of it, a refusal says so.
    """
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    files = command(code)[1]
    fact = TriggerFact(tool=tool, when=when, program=program, files=files)
    yield Observation(reader, artifact.location(), fact, artifact.modified_time("the file was last written"))
    if len(code) > _LONGEST or len(files) >= _MOST_FILES:
        reason = f"is long: only {_MOST_FILES} script files in its first {_LONGEST} characters are told"
        yield artifact.refusal(reader, reason, relevant=False)


def trigger(tool: str, when: str, *parts: object) -> TriggerFact:
    """A trigger out of a command and its arguments."""
    program, files = command(*parts)
    return TriggerFact(tool=tool, when=when, program=program, files=files)


def _plain(word: str) -> str:
    while word.startswith("./"):
        word = word[2:]
    return word


def marks(artifact: Artifact, data: bytes, interest: Interest, reader: str) -> Iterator[Observation]:
    """What indicators ask about any such file: its name, its digest, strings in it."""
    location = artifact.location()
    path = location.inside[-1].path if location.inside else location.path
    if path.rpartition("/")[2] in interest.basenames:
        yield Observation(reader, location, PresenceFact(path=path, exists=True, size=len(data)))
    listed = interest.digests.get("sha256")
    if listed:
        digest = hashlib.sha256(data, usedforsecurity=False).hexdigest()
        if digest in listed:
            fact = DigestFact(path=path, algorithm="sha256", digest=digest, expected=digest, equal=True)
            yield Observation(reader, location, fact)
    for value in interest.fragments.get("configuration", ()):
        if value.encode() in data:
            yield Observation(reader, location, ContentFact(value=value, kind_of_file="configuration"))


def document(data: bytes) -> tuple[Any, str | None]:
    """JSON with comments and trailing commas as editors take it, and why it could not be read."""
    text = decode_text(data)
    if text is None:
        return None, "is neither UTF-8 nor UTF-16"
    if not text.strip():
        return None, "is empty"
    try:
        found = json.loads(plain_json(text))
    except (ValueError, RecursionError) as error:
        return None, f"is not whole JSON: {str(error)[:80]}"
    return (found, None) if isinstance(found, dict) else (None, "is not a JSON object")


def told(artifact: Artifact, interest: Interest, reader: str, shape: Shape) -> Iterator[Observation | Refusal]:
    """The marks and the triggers of a file of JSON. A refusal is relevant where an incident asks about such files."""
    data = artifact.content()
    yield from marks(artifact, data, interest, reader)
    found, reason = document(data)
    if reason is not None:
        yield artifact.refusal(reader, reason, relevant=False)
        return
    seen: dict[TriggerFact, None] = dict.fromkeys(shape(found))
    for fact in seen:
        yield Observation(reader, artifact.location(), fact, artifact.modified_time("the file was last written"))


def objects(value: object) -> Iterator[dict[str, Any]]:
    """The objects of a list."""
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            yield item


def pairs(value: object) -> Iterator[tuple[str, Any]]:
    """The entries of an object."""
    if isinstance(value, dict):
        yield from value.items()


_SYSTEMS = ("windows", "linux", "osx")


def tasks(found: dict[str, Any]) -> Iterator[TriggerFact]:
    """Tasks of VS Code that run by themselves, with those that they depend on; those of one system too."""
    lists = [holder.get("tasks") for holder in (found, *map(found.get, _SYSTEMS)) if isinstance(holder, dict)]
    value = [task for one in lists for task in objects(one)]
    known = {str(task.get("label", task.get("taskName", ""))): task for task in value}
    for task in value:
        options = task.get("runOptions")
        when = options.get("runOn") if isinstance(options, dict) else None
        if not isinstance(when, str) or when == "default":
            continue
        waiting, done = [task], set()
        while waiting:
            item = waiting.pop()
            if id(item) in done:
                continue
            done.add(id(item))
            yield from _task(item, when)
            depends = item.get("dependsOn")
            for name in depends if isinstance(depends, list) else [depends]:
                label = name.get("task") if isinstance(name, dict) else name
                if isinstance(label, str) and label in known:
                    waiting.append(known[label])


def _task(task: dict[str, Any], when: str) -> Iterator[TriggerFact]:
    found = False
    for item in (task, *map(task.get, _SYSTEMS)):
        if isinstance(item, dict) and item.get("command") is not None:
            yield trigger("vscode", when, item.get("command"), item.get("args"))
            found = True
    if not found and isinstance(task.get("script"), str):
        yield TriggerFact(tool="vscode", when=when, program=str(task.get("type", "npm")))
    elif not found:
        yield TriggerFact(tool="vscode", when=when)


def servers(value: object, tool: str) -> Iterator[TriggerFact]:
    """Servers that an agent starts."""
    for _, server in pairs(value):
        if isinstance(server, dict) and server.get("command") is not None:
            yield trigger(tool, "agent-start", server.get("command"), server.get("args"))


def hooks(value: object, tool: str) -> Iterator[TriggerFact]:
    """Hooks of agents: commands below an event, directly or in groups with a matcher."""
    for event, groups in pairs(value):
        for group in objects(groups):
            for hook in (group, *objects(group.get("hooks"))):
                if hook.get("command") is not None:
                    yield trigger(tool, event, hook.get("command"), hook.get("args"))


_APPROVALS = ("chat.tools.autoApprove", "chat.tools.global.autoApprove")
_VARIABLES = ("NODE_OPTIONS", "LD_PRELOAD", "DYLD_INSERT_LIBRARIES", "BASH_ENV", "ENV", "PYTHONSTARTUP", "PATH")


def settings(value: object) -> Iterator[TriggerFact]:
    """Settings of VS Code that let something run, or name a program inside the checkout."""
    for key, item in pairs(value):
        if (key == "task.allowAutomaticTasks" and item in ("on", True)) or (key in _APPROVALS and item is True):
            yield TriggerFact(tool="vscode", when=key)
        elif key.lower().endswith("path") and isinstance(item, str | list):
            for text in item if isinstance(item, list) else [item]:
                if isinstance(text, str) and (_HERE.match(text) or text.startswith(".")):
                    yield trigger("vscode", key, text)
        elif key.startswith("terminal.integrated.profiles."):
            for _, profile in pairs(item):
                path = profile.get("path") if isinstance(profile, dict) else None
                if isinstance(path, str) and (_HERE.match(path) or path.startswith(".")):
                    yield trigger("vscode", key, path, profile.get("args"))
        elif key.startswith("terminal.integrated.env."):
            for name, _ in pairs(item):
                if name in _VARIABLES:
                    yield TriggerFact(tool="vscode", when=f"{key}.{name}")
