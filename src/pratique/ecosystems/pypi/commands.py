"""The command lines of Python package managers, as far as a log or script needs them: who installs, and what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.ecosystems.npm.commands import Command, simple_commands

MENTION = re.compile(r"\b(?:pip|pip3|uv|uvx|pipx|poetry|pdm|pipenv)\b")
_PIP = re.compile(r"(?:.*/)?pip(?:3(?:\.\d+)?)?(?:\.exe)?")
_PYTHON = re.compile(r"(?:.*/)?python(?:\d+(?:\.\d+)?)?(?:\.exe)?|py")
_PROGRAM = re.compile(r"(?:.*/)?(?P<name>uvx?|pipx|poetry|pdm|pipenv)(?:\.exe)?")
_RELEASE = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?(?P<rest>(?:[=<>!~]=?[^;\s]*)?)(?:;.*)?")
_VERBS = {
    "pip": {"install", "download", "wheel", "sync"},
    "uv": {"sync", "add", "run", "install", "tool"},
    "uvx": set[str](),
    "pipx": {"install", "run", "upgrade", "inject"},
    "poetry": {"install", "add", "update", "sync"},
    "pdm": {"install", "add", "update", "sync"},
    "pipenv": {"install", "sync", "update"},
}
_VALUED = frozenset(
    {
        *("-r", "--requirement", "-c", "--constraint", "-e", "--editable", "-i", "--index-url", "--extra-index-url"),
        *("-t", "--target", "--prefix", "--root", "-f", "--find-links", "--python", "-p", "--index", "--group"),
        *("-d", "--dest", "--extra", "--only", "--with", "--without"),
    }
)


def commands(line: str) -> Iterator[Command]:
    """Every command of a Python package manager in a line that installs. Specifiers without URLs; names of flags."""
    for words in simple_commands(line):
        while words and (words[0] in ("sudo", "env", "time", "exec") or re.match(r"[A-Za-z_]\w*=", words[0])):
            words = words[1:]
        found = _command(words)
        if found is not None:
            yield found


def _command(words: list[str]) -> Command | None:
    if not words or len(words[0]) > 4096:
        return None
    rest = words[1:]
    if _PYTHON.fullmatch(words[0]) and len(rest) > 1 and rest[0] == "-m":
        words, rest = rest[1:], rest[2:]
    if _PIP.fullmatch(words[0]):
        manager = "pip"
    else:
        match = _PROGRAM.fullmatch(words[0])
        if match is None:
            return None
        manager = match["name"]
    if manager == "uv" and rest[:1] == ["pip"]:
        rest = rest[1:]
    if manager == "uvx":
        manager, verb = "uv", "tool"
    else:
        plain = [word for word in rest if not word.startswith("-")]
        verb = plain[0] if plain else ""
        if verb not in _VERBS[manager]:
            return None
        rest = rest[rest.index(verb) + 1 :]
    packages, names, flags = [], set(), set()
    skip = False
    for word in rest:
        if skip:
            skip = False
            continue
        if word.startswith("-"):
            name = word.partition("=")[0]
            if re.fullmatch(r"--?[A-Za-z][A-Za-z-]{0,40}", name):
                flags.add(name)
            skip = word in _VALUED
            continue
        release = _RELEASE.fullmatch(word)
        if release:
            packages.append(f"{release['name']}{release['rest']}")
            names.add(release["name"])
    return Command(manager, verb, tuple(packages), frozenset(names), tuple(sorted(flags)))
