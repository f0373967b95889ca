"""Command lines of a manifest taken apart far enough to tell which files of the release they start. Nothing is run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

import msgspec

_WORDS = re.compile(r"""(?:[^\s"'|&;()<>`\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+|&&|\|\||[|&;()<>`]+|\\""", re.DOTALL)
_BREAKS = frozenset({"&&", "||", "|", "&", ";", "(", ")", ";;", "|&", "`"})
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
LONGEST_COMMAND = 64 << 10

INTERPRETERS = {
    "node": "javascript",
    "nodejs": "javascript",
    "bun": "javascript",
    "deno": "javascript",
    "tsx": "javascript",
    "ts-node": "javascript",
    "esno": "javascript",
    "babel-node": "javascript",
    "coffee": "javascript",
    "python": "python",
    "python2": "python",
    "python3": "python",
    "py": "python",
    "sh": "shell",
    "bash": "shell",
    "zsh": "shell",
    "dash": "shell",
    "source": "shell",
    ".": "shell",
    "cmd": "shell",
    "powershell": "shell",
    "pwsh": "shell",
    "perl": "perl",
    "ruby": "ruby",
}
_PREFIXES = frozenset(
    {"cross-env", "env", "exec", "command", "sudo", "time", "nohup", "dotenv", "npx", "if", "then", "else", "!", "do"}
)
_RUNNERS = frozenset({"npm", "yarn", "pnpm", "bun", "run-s", "run-p", "npm-run-all", "cnpm"})
_CODE_FLAGS = {"javascript": {"-e", "--eval", "-p", "--print", "-pe"}, "python": {"-c"}, "shell": {"-c", "/c"}}
_VALUE_FLAGS = frozenset(
    {"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "-m"}
)
_SUFFIXES = ("", ".js", ".cjs", ".mjs", ".json", ".node", ".ts", "/index.js", "/index.cjs", "/index.mjs")


class Started(msgspec.Struct, frozen=True):
    """What a command line starts: a file of the release, or code in the line itself with its language."""

    path: str = ""
    code: str = ""
    language: str = ""


def words(command: str) -> list[str]:
    """A command line as words and signs, quotes taken off. Total, linear."""
    return [_unquoted(match[0]) for match in _WORDS.finditer(command[:LONGEST_COMMAND])]


def _unquoted(word: str) -> str:
    """A word without its quotes; what is escaped within them stands for itself."""
    if '"' not in word and "'" not in word and "\\" not in word:
        return word
    out = []
    for part in re.finditer(r"""'([^']*)'|"((?:[^"\\]|\\.)*)"|\\(.)|([^'"\\]+)|(.)""", word, re.DOTALL):
        single, double, escaped, plain, rest = part.groups()
        if double is not None:
            out.append(re.sub(r'\\(["\\$`])', r"\1", double))
        else:
            out.append(next((one for one in (single, escaped, plain, rest) if one is not None), ""))
    return "".join(out)


def simple_commands(command: str) -> Iterator[list[str]]:
    """The simple commands of a line, each as its words, without assignments and words such as `cross-env` before."""
    current: list[str] = []
    for word in [*words(command), ";"]:
        if word in _BREAKS or (word and set(word) <= set("|&;()`")):
            while current and (
                current[0] in _PREFIXES or _ASSIGNMENT.match(current[0]) or (current[0] in {"-y", "--yes", "--"})
            ):
                current.pop(0)
            if current:
                yield current
            current = []
        else:
            current.append(word)


def starts(
    command: str, scripts: Mapping[str, str], members: Mapping[str, object], depth: int = 0
) -> Iterator[Started]:
    """The files and the code that a command line starts, in order; other scripts that it runs are followed to depth 5.

    `scripts` are those of the manifest, `members` the paths of the release.
    """
    for parts in simple_commands(command):
        program = posixpath.basename(parts[0].replace("\\", "/")).removesuffix(".exe").removesuffix(".cmd")
        called = _script_of(program, parts)
        for name in called if depth < 5 else ():
            for event in (f"pre{name}", name, f"post{name}"):
                if scripts.get(event, command) != command:
                    yield from starts(scripts[event], scripts, members, depth + 1)
        if called:
            continue
        language = INTERPRETERS.get(program)
        if language is None:
            path = found(parts[0], members)
            if path:
                yield Started(path=path)
            continue
        yield from _interpreted(parts[1:], language, members)


def _script_of(program: str, parts: list[str]) -> list[str]:
    """The names of scripts that a runner is asked to run; empty where the command is no such runner."""
    if program not in _RUNNERS:
        return []
    rest = [one for one in parts[1:] if not one.startswith("-")]
    if program in {"run-s", "run-p", "npm-run-all"}:
        return rest[:20]
    if rest and rest[0] in {"run", "run-script", "rum", "urn"}:
        return rest[1:2]
    if rest and program in {"yarn", "pnpm"}:
        return rest[:1]
    return rest[:1] if rest and rest[0] in {"test", "start", "stop", "restart"} else []


def _interpreted(rest: list[str], language: str, members: Mapping[str, object]) -> Iterator[Started]:
    """What an interpreter is given: files before its program, its program, or code."""
    taken = iter(rest)
    for word in taken:
        if word in _CODE_FLAGS.get(language, ()):
            yield Started(code=next(taken, ""), language=language)
            return
        if word in _VALUE_FLAGS:
            path = found(next(taken, ""), members)
            if path:
                yield Started(path=path)
            continue
        if word.startswith(("-r", "--require=", "--import=")) and "=" in word:
            path = found(word.partition("=")[2], members)
            if path:
                yield Started(path=path)
            continue
        if word.startswith("-") or word in {"run", "x", "<"}:
            continue
        path = found(word, members)
        if path:
            yield Started(path=path, language=language)
        return


def found(word: str, members: Mapping[str, object]) -> str:
    """The file of the release that a word of a command or a manifest means, as Node looks it up; empty where none."""
    if not word or len(word) > 4096:
        return ""
    path = posixpath.normpath(word.replace("\\", "/").replace("$INIT_CWD/", "").replace("${INIT_CWD}/", ""))
    path = path.removeprefix("/") if word.startswith("./") else path
    if path == ".":
        path = "index.js"
    for suffix in _SUFFIXES:
        if path + suffix in members:
            return path + suffix
    return ""
