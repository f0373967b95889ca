"""What a command line starts: the program, and the file in the position where an interpreter takes its script."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence

_SHELLS = frozenset(("sh", "bash", "dash", "zsh", "ksh", "ash", "fish"))
_INTERPRETERS = _SHELLS | frozenset(
    (
        "node",
        "nodejs",
        "bun",
        "deno",
        "perl",
        "ruby",
        "php",
        "osascript",
        "pwsh",
        "powershell",
        "lua",
        "tclsh",
        "busybox",
        "toybox",
        "Rscript",
    )
)
_LOADERS = ("ld-linux", "ld-musl", "ld.so", "ld64.so")
"""The loaders of programs: what is named to them runs, whether it may be executed or not (ld.so(8))."""
_INLINE = frozenset(
    ("-c", "-e", "-p", "-m", "-r", "--eval", "--print", "-Command", "-EncodedCommand", "-enc", "-i", "-s")
)
"""Options after which code or a module stands, not a file; `-r` of node is taken for a value below."""
_CODE_OF_SHELLS = re.compile(r"-[A-Za-z]*c[A-Za-z]*")
_CODE = re.compile(r"-[A-Za-z]*[ceE]|-p|-m|--eval|--print")
"""Options after which code or a module stands, also at the end of several letters."""
_VALUED = frozenset(
    (
        "-W",
        "-X",
        "--require",
        "--import",
        "--loader",
        "--experimental-loader",
        "-I",
        "-O",
        "-o",
        "--title",
        "--env-file",
    )
)
"""Options that take a value of their own, which is not the script."""
_FLAGS_OF_PYTHON = frozenset(("-I", "-O"))
"""Options that take a value elsewhere and none in Python (isolated mode, optimisation)."""
_INLINE_OF_PYTHON = re.compile(r"-[bBdEiIOPqsSuvx]*[cm].*", re.DOTALL)
"""Code or a module behind flags in one word: `-Ic`, `-um`."""
_WORDS = frozenset(("run", "exec", "x", "eval", "test"))
"""Subcommands that stand before a script in `bun run x`, `deno run x`."""


def is_interpreter(executable: str) -> bool:
    """Whether a program runs files of code that are named to it."""
    name = os.path.basename(executable).removesuffix(".exe")
    return name in _INTERPRETERS or name.startswith(("python", "pypy", *_LOADERS))


def script_of(executable: str, arguments: Sequence[str]) -> str:
    """The file that an interpreter is started on, as its command line names it; empty where there is none."""
    if not is_interpreter(executable):
        return ""
    name = os.path.basename(executable)
    python = name.startswith(("python", "pypy"))
    waiting = iter(arguments[1:])
    for word in waiting:
        if word == "--":
            return next(waiting, "")
        if word == "-":
            return ""
        if not word.startswith("-"):
            if name in ("bun", "deno") and word in _WORDS:
                continue
            return word
        if word == "-r" and name in ("node", "nodejs", "bun"):
            next(waiting, "")
        elif name in _SHELLS and word not in _VALUED:
            if not word.startswith("--") and ("c" in word or "s" in word):
                return ""
        elif word in _INLINE or (python and _INLINE_OF_PYTHON.fullmatch(word)):
            return ""
        elif word in _VALUED and not (python and word in _FLAGS_OF_PYTHON):
            next(waiting, "")
    return ""


def scripts_of(executable: str, arguments: Sequence[str]) -> Iterator[str]:
    """The words of an interpreter's command line that may name a file of code, up to code that is given in a word."""
    code = _CODE_OF_SHELLS if os.path.basename(executable) in _SHELLS else _CODE
    for word in arguments[1:]:
        if code.fullmatch(word):
            return
        value = word.partition("=")[2] if word.startswith("-") else word
        if value and not word.startswith("--env-file"):
            yield value.removeprefix("file://")


def interpreter_of(path: str) -> str:
    """The interpreter that a file's first line names (`#!`); empty where it names none or cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    except OSError:
        return ""
    try:
        begin = os.read(descriptor, 256)
    except OSError:
        return ""
    finally:
        os.close(descriptor)
    if not begin.startswith(b"#!"):
        return ""
    words = os.fsdecode(begin[2:].partition(b"\n")[0]).split()
    if not words:
        return ""
    if os.path.basename(words[0]) == "env":
        rest = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        return rest[0] if rest else words[0]
    return words[0]
