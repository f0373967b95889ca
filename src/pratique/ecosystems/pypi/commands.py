"""The command lines of Python package managers, as far as a log or script needs them: who installs, and what."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from pratique.ecosystems.npm.commands import Command, simple_commands, unwrapped

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
        *("--cache-dir", "--log", "--proxy", "--retries", "--timeout", "--trusted-host"),
        *("-C", "--directory", "-P", "--project"),
        *("-d", "--dest", "--extra", "--only", "--with", "--without"),
    }
)


def commands(line: str) -> Iterator[Command]:
    """Every command of a Python package manager in a line that installs. Specifiers without URLs; names of flags."""
    for words in simple_commands(line):
        found = _command(unwrapped(words))
        if found is not None:
            yield found


def _command(words: list[str]) -> Command | None:
    if not words or len(words[0]) > 4096:
        return None
    rest = words[1:]
    if _PYTHON.fullmatch(words[0]):
        before = itertools.takewhile(lambda word: word != "-m" and word.startswith("-"), rest)
        words = rest[len(list(before)) :]
        if len(words) < 2 or words[0] != "-m":
            return None
        words, rest = words[1:], words[2:]
    if _PIP.fullmatch(words[0]):
        manager = "pip"
    else:
        match = _PROGRAM.fullmatch(words[0])
        if match is None:
            return None
        manager = match["name"]
    at = _verb_at(rest)
    if manager == "uv" and at is not None and rest[at] == "pip":
        rest = rest[at + 1 :]
    if manager == "uvx":
        manager, verb = "uv", "tool"
    else:
        at = _verb_at(rest)
        if at is None or rest[at] not in _VERBS[manager]:
            return None
        verb, rest = rest[at], rest[at + 1 :]
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


def _verb_at(words: list[str]) -> int | None:
    """The place of the first word that is neither a flag nor a flag's value."""
    skip = False
    for at, word in enumerate(words):
        if not skip and not word.startswith("-"):
            return at
        skip = not skip and word in _VALUED
    return None
