"""The programs whose children a watch looks at: runtimes, package managers, editors and agents, by what starts them."""

from __future__ import annotations

import re
from collections.abc import Sequence

RUNTIMES = frozenset(("node", "bun", "deno", "python"))
MANAGERS = frozenset(
    ("npm", "npx", "pnpm", "pnpx", "yarn", "corepack", "node-gyp", "pip", "pipx", "uv", "uvx", "poetry", "pdm", "hatch",
     "tox", "virtualenv", "conda")
)  # fmt: skip
EDITORS = frozenset(
    ("code", "code-insiders", "code-server", "codium", "cursor", "windsurf", "zed", "nvim", "idea", "pycharm",
     "webstorm", "sublime_text", "theia")
)  # fmt: skip
AGENTS = frozenset(
    ("claude", "codex", "gemini", "aider", "opencode", "goose", "copilot", "cursor-agent", "amp", "qwen", "crush")
)
WATCHED = RUNTIMES | MANAGERS | EDITORS | AGENTS
_SCRIPTS = {
    "npm-cli": "npm",
    "npx-cli": "npx",
    "npm-prefix": "npm",
    "yarnpkg": "yarn",
    "server-main": "code-server",
    "cli": "",
    "__main__": "",
    "index": "",
    "main": "",
}
"""What the files behind commands are called, and the command; empty: the folder above tells it."""
_VERSIONED = re.compile(r"(python|pip|node|pypy)w?(?:js)?[\d.]*")
_SUFFIX = re.compile(r"\.(?:exe|cmd|ps1|[cm]?js|py|sh)$", re.IGNORECASE)
_FOLDERS = re.compile(r"[\\/]+")


def program_name(executable: str, arguments: Sequence[str] = (), script: str = "") -> str:
    """What a process is called by who started it: `npm`, `pip`, `node`, `sh`; empty where nothing tells.

    A runtime that runs a known command is called by that command; so is one that gave itself a title (npm does). What
    is watched is known by its file, whatever it was told that it is called.
    """
    file = plain(executable.removesuffix(" (deleted)"))
    given = plain(title_of(arguments))
    if file in RUNTIMES or not file:
        if given in WATCHED and given not in RUNTIMES:
            return given
        command = _command(script) if script else ""
        if command:
            return command
        if len(arguments) > 2 and file == "python" and arguments[1] == "-m" and plain(arguments[2]) in WATCHED:
            return plain(arguments[2])
    return file if file in WATCHED or not given else given


def title_of(arguments: Sequence[str]) -> str:
    """The first word of what a process was started as: `npm` of `npm install x`, where the title is one argument."""
    if not arguments:
        return ""
    first = arguments[0]
    return first.split(" ", 1)[0] if " " in first and not first.startswith("/") else first


def plain(word: str) -> str:
    """The name in a word that starts a program: no folder, no suffix, no version; `python3.11` is `python`."""
    name = _SUFFIX.sub("", _FOLDERS.split(word.lstrip("-"))[-1])
    found = _VERSIONED.fullmatch(name)
    if found:
        return "python" if found[1] == "pypy" else found[1]
    return name


def _command(script: str) -> str:
    """The watched command that a script file is; empty where it is none."""
    parts = [part for part in _FOLDERS.split(script) if part]
    name = plain(parts[-1]) if parts else ""
    if name in WATCHED and name not in RUNTIMES:
        return name
    if name not in _SCRIPTS:
        return ""
    if _SCRIPTS[name]:
        return _SCRIPTS[name]
    above = [plain(part) for part in reversed(parts[:-1]) if part not in ("bin", "dist", "lib", "build", "src")]
    return next((part for part in above[:2] if part in WATCHED and part not in RUNTIMES), "")


def is_watched(name: str) -> bool:
    """Whether the children of a program of this name are looked at."""
    return name in WATCHED
