"""The steps of an image's history, told without any value: what was run, never with what secrets.

A history entry is free text of its builder. It holds the values of build arguments and of variables, and whole lines
of shell. Kept are the instruction, the names of programs, and of package managers what they were asked to do.
"""

from __future__ import annotations

import re
import shlex

from pratique.ecosystems.npm.commands import commands, simple_commands
from pratique.ecosystems.npm.urls import strip_url

MOST = 240
_LONGEST = 16_384
_COMMANDS = 12
_FLAGS = ("--ignore-scripts", "--frozen-lockfile", "--immutable")
"""Flags that say whether scripts may run or a lockfile is kept to."""
_WORDS = 8
_NOP = re.compile(r"/bin/(?:ba|a|da|z)?sh -\w+ #\(nop\)\s*")
_ARGUMENTS = re.compile(r"\|\d+\s")
_SHELL = re.compile(r"(?:^|\s)/bin/(?:ba|a|da|z)?sh (?:-o pipefail )?-[a-z]*c\s")
_NAMED = re.compile(r"\s*[\"']?([A-Za-z_][A-Za-z0-9_.-]{0,63})(?=[=\s]|$)")
_PROGRAM = re.compile(r"(?:.*/)?([A-Za-z][A-Za-z._+-]{0,23}[0-9.]{0,6})")
_PATH = re.compile(r"(?!.*[A-Za-z0-9+/_-]{48})[\w./:@,*~\[\]=+-]{1,100}", re.ASCII)
_RUN = re.compile(r"RUN\s+")
_MOUNT = re.compile(r"--(?:mount|network|security)=\S+\s+")


def step(text: str) -> str:
    """One step, as far as it may be told."""
    text = text[:_LONGEST].strip()
    text = _NOP.sub("", text, count=1) if _NOP.match(text) else text
    text = text.removesuffix("# buildkit").strip()
    word, _, rest = text.partition(" ")
    if word in ("ENV", "ARG", "LABEL"):
        name = _NAMED.match(rest)
        return f"{word} {name[1]}" if name else word
    if word in ("COPY", "ADD", "WORKDIR", "USER"):
        return f"{word} {_paths(rest)}".strip()[:MOST]
    if word in _INSTRUCTIONS:
        return word
    run = _RUN.match(text)
    line = _MOUNT.sub("", text[run.end() :]) if run else text
    built = run is not None
    if _ARGUMENTS.match(line):
        shell = _SHELL.search(line)
        if shell is None:
            return "RUN"
        line, built = line[shell.end() :], True
    elif shell := _SHELL.match(line):
        line, built = line[shell.end() :], True
    told = _told(line)
    return (f"RUN {told}" if built else told).strip()[:MOST]


_INSTRUCTIONS = frozenset(
    ["CMD", "ENTRYPOINT", "EXPOSE", "FROM", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "SHELL", "STOPSIGNAL", "VOLUME"],
)


def _paths(text: str) -> str:
    """The words of an instruction that takes paths."""
    kept = []
    for word in text.split()[:_WORDS]:
        plain = strip_url(word) if "://" in word or "@" in word.partition("/")[0] else word
        kept.append(plain if _PATH.fullmatch(plain) else "…")
    return " ".join(kept)


def _told(line: str) -> str:
    """The programs that a line of shell starts."""
    found: list[str] = []
    for words in simple_commands(line):
        if len(found) > _COMMANDS:
            break
        asked = [
            " ".join([item.manager, item.verb, *item.packages[:_WORDS], *[flag for flag in _FLAGS if flag in words]])
            for item in commands(shlex.join(words))
        ]
        if asked:
            found += asked
            continue
        program = next((word for word in words if "=" not in word.partition("/")[0]), "")
        match = _PROGRAM.fullmatch(program)
        if match:
            found.append(match[1] if len(words) == 1 else f"{match[1]} …")
    return "; ".join(dict.fromkeys(item.strip() for item in found))
