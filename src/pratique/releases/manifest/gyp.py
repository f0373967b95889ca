"""binding.gyp: what runs when a native part is built, without any script in the manifest.

The file is a Python literal. It is parsed as one, and nothing of it is evaluated: GYP itself runs the commands of
actions, rules and post-builds, the expansions `<!(...)`, and evaluates conditions as Python.
"""

from __future__ import annotations

import ast
import posixpath
import re
import shlex
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from pratique.model.observation import Refusal
from pratique.model.ports import Unreadable
from pratique.model.release import Delta, Fact, Files, Release, Value
from pratique.releases.manifest.commands import starts
from pratique.releases.manifest.document import refusal, short, shown
from pratique.releases.manifest.scripts import GYP, of_command

LARGEST = 1 << 20
MOST_FILES = 50
MOST_COMMANDS = 200
_EXPANSION = re.compile(r"[<>^]!@?\(|[<>^]!([A-Za-z_][\w.]*)\(")
_NODES = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE,
    ast.Gt, ast.GtE, ast.In, ast.NotIn, ast.Is, ast.IsNot, ast.Name, ast.Load, ast.Constant, ast.BinOp, ast.Add,
    ast.Mod, ast.USub, ast.List, ast.Tuple,
)  # fmt: skip
"""What an ordinary condition is made of: names, constants and comparisons."""


class Command(msgspec.Struct, frozen=True):
    """Something that runs at build. `form`: action, rule, postbuild, expansion, module, condition."""

    form: str
    text: str


def commands(content: str) -> tuple[list[Command], list[str], str]:
    """What runs at build, the other files it includes, and why it could not be read (empty where it was). Total."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.literal_eval(ast.parse(content.lstrip("\ufeff \t\r\n"), mode="eval"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        plain = [Command(form, text) for form, text in _expansions(content)]
        reason = shown(str(error).partition(": <")[0]) or type(error).__name__  # an address of memory is left out
        return plain[:MOST_COMMANDS], [], f"is no Python literal: {reason}"
    found: list[Command] = []
    more: list[str] = []
    stack: list[tuple[str, Any]] = [("", tree)]
    while stack and len(found) < MOST_COMMANDS:
        key, value = stack.pop()
        if isinstance(value, dict):
            found += _of_dictionary(key, value)
            stack += [(str(name), one) for name, one in reversed(list(value.items()))]
            found += [
                Command(form, text) for name in value if isinstance(name, str) for form, text in _expansions(name)
            ]
        elif isinstance(value, list | tuple):
            if key.rstrip("/!+?=") in {"conditions", "target_conditions"}:
                found += _of_conditions(value)
            if key in {"includes", "dependencies"}:
                more += [one.partition(":")[0] for one in value if isinstance(one, str)]
            stack += [(key, one) for one in reversed(value)]
        elif isinstance(value, str):
            found += [Command(form, text) for form, text in _expansions(value)]
    return list(dict.fromkeys(found))[:MOST_COMMANDS], more, ""


def _of_dictionary(key: str, value: Mapping[Any, Any]) -> list[Command]:
    """The command of an action, rule or post-build that a dictionary is."""
    command = value.get("action")
    if not isinstance(command, list) or not command:
        return []
    words = [one for one in command if isinstance(one, str)]
    form = (
        "postbuild" if "postbuild_name" in value or "postbuild" in key else "rule" if "rule_name" in value else "action"
    )
    return [Command(form, shlex.join(words))]


def _of_conditions(value: Any) -> list[Command]:
    """Conditions that are more than comparisons: GYP evaluates them as Python."""
    found = []
    for one in value:
        texts = one[::2] if isinstance(one, list) and len(one) > 2 else one[:1] if isinstance(one, list) else []
        for text in texts:
            if isinstance(text, str) and not _is_comparison(text):
                found.append(Command("condition", text))
    return found


def _is_comparison(text: str) -> bool:
    """Whether a condition is made of names, constants and comparisons alone. Text that is no Python cannot run."""
    plain = re.sub(r"[<>^]@?\([\w.+%/-]*\)", "x", text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(plain.strip(), mode="eval")
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return "__" not in text and "import" not in text
    return all(isinstance(node, _NODES) for node in ast.walk(tree)) and "__" not in text


def _expansions(text: str) -> Iterator[tuple[str, str]]:
    """The commands and modules that a text asks GYP to run while it reads the file, outermost first."""
    end = 0
    for match in _EXPANSION.finditer(text):
        if match.start() < end:
            continue
        depth, at = 1, match.end()
        while at < len(text) and depth:
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        end = at
        inner = text[match.end() : at - 1 if not depth else at].strip()
        if match[1]:
            yield "module", f"{match[1]} {inner}"
        elif inner:
            yield "expansion", _without_list(inner)


def _without_list(text: str) -> str:
    """`["node", "-p", "x"]` as a line of a shell; other text as it is."""
    if not text.startswith("["):
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return shlex.join(str(one) for one in value) if isinstance(value, list) else text


def _read(files: Files) -> tuple[dict[tuple[str, Command], None], list[Refusal]]:
    """The commands of binding.gyp and of what it includes, each with its file, in order."""
    found: dict[tuple[str, Command], None] = {}
    refusals = []
    waiting, seen = [GYP], {GYP}
    while waiting and len(seen) <= MOST_FILES:
        path = waiting.pop(0)
        if path not in files.members:
            continue
        try:
            content = files.read(path, LARGEST).decode("utf-8", "replace")
        except Unreadable as error:
            refusals.append(refusal(f"cannot be read: {error}", path))
            continue
        listed, more, reason = commands(content)
        if reason:
            refusals.append(refusal(reason, path))
        for one in listed:
            found[path, one] = None
        for name in more:
            joined = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
            if joined not in seen:
                seen.add(joined)
                waiting.append(joined)
    return found, refusals


def facts(release: Release, predecessor: Release | None) -> Iterator[Fact | Refusal]:
    """What runs when the release's native part is built, and what those command lines can do."""
    if GYP not in release.files.members:
        return
    new, refusals = _read(release.files)
    yield from refusals
    old = _read(predecessor.files)[0] if predecessor is not None and GYP in predecessor.files.members else {}
    for path, command in new:
        delta: Delta = "unknown"
        if predecessor is not None:
            delta = "kept" if (path, command) in old else "added"
        started = [one.path for one in starts(command.text, {}, release.files.members) if one.path]
        known: dict[str, Value] = {"form": f"gyp-{command.form}", "hooks": short(command.text)}
        if started:
            known["file"] = started[0]
        sha256 = release.files.members[path].sha256
        fact = Fact("trigger.setup", path, 0, shown(command.text), sha256, delta, known)
        yield fact
        language = "python" if command.form == "condition" else "shell"
        yield from of_command(fact, command.text, {}, release.files.members, reach="build", language=language)
