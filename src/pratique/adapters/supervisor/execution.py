"""From which folders a package's scripts may start programs, and the shell that holds them to it.

Programs start from the system's own folders, from what PATH and variables of toolchains lead to, from the project and
from the package itself; from nowhere else. Of these, scripts may write the last two alone (`Denials.starts`): so what a
script drops, it cannot start. The deepest folder that is allowed or denied decides.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import shlex
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pratique.adapters.supervisor import script_shell

SCRIPT_SHELLS = ("npm_config_script_shell", "pnpm_config_script_shell")
"""Variables by which package managers are told the shell of their scripts (docs of npm and pnpm: `script-shell`)."""
TOOLCHAINS = (
    ".asdf", ".bun", ".cargo", ".deno", ".fnm", ".gvm", ".local/bin", ".local/lib", ".local/share/fnm",
    ".local/share/mise", ".local/share/pnpm", ".local/share/uv", ".local/share/virtualenvs", ".n", ".nodenv",
    ".npm/_npx", ".npm-global", ".nvm", ".opam", ".pyenv", ".rbenv", ".rustup", ".rye", ".sdkman", ".volta", ".yarn",
    "go", "n",
)  # fmt: skip
"""Folders of a home in which toolchains keep programs, as their own documentation names them."""
CACHES = (".bun/install/cache", ".cargo/git", ".cargo/registry", ".local/share/pnpm/store", ".yarn/berry", "go/pkg")
"""Folders of toolchains that hold what is fetched: builds write them, and start nothing from there."""
WITHIN_CACHES = ("go/pkg/mod/golang.org/toolchain@*",)
"""Toolchains within them, as they were before the run."""
VARIABLES = (
    "ANDROID_HOME", "ANDROID_SDK_ROOT", "BUN_INSTALL", "CARGO_HOME", "CONDA_PREFIX", "GOROOT", "JAVA_HOME", "NVM_DIR",
    "PNPM_HOME", "PYENV_ROOT", "RUSTUP_HOME", "VIRTUAL_ENV", "VOLTA_HOME",
)  # fmt: skip
"""Variables that name the folder of a toolchain."""
SYSTEM = ("bin", "boot", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "snap", "usr")
"""What of the root folder holds programs."""
MOST_FOLDERS = 20_000


def denied_folders(home: str, temporary: Sequence[str]) -> list[str]:
    """Where nothing may be started: temporary folders, the home, and whatever holds none of the system's programs."""
    found = [one.rstrip("/") or "/" for one in temporary]
    if home not in ("", "/"):
        found.append(home)
    with contextlib.suppress(OSError):
        found += [one.path for one in os.scandir("/") if one.name not in SYSTEM and one.is_dir(follow_symlinks=False)]
    return found


def caches(home: str) -> list[str]:
    """The folders that hold what toolchains fetch."""
    return [os.path.join(home, one) for one in CACHES]


def program_folders(home: str, environment: Mapping[str, str], command: Sequence[str]) -> list[str]:
    """Where programs are installed, links followed."""
    found = ["/" + one for one in SYSTEM]
    found += [os.path.join(home, one) for one in TOOLCHAINS]
    for pattern in WITHIN_CACHES:
        found += glob.glob(os.path.join(home, pattern))
    found += [environment[name] for name in VARIABLES if environment.get(name, "").startswith("/")]
    found += installations(command)
    path = environment.get("PATH", os.defpath)
    for folder in path.split(os.pathsep):
        if not folder.startswith("/"):
            continue
        found += [folder, _prefix(os.path.join(os.path.realpath(folder), "program"))]
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                if entry.is_symlink():
                    real = os.path.realpath(entry.path)
                    found.append(_prefix(real))
    found.append(sys.prefix)
    found.append(os.path.dirname(os.path.realpath(sys.executable)))
    folders = {os.path.realpath(one) for one in found}
    return sorted(one for one in folders if one != "/" and os.path.exists(one))


def installations(command: Sequence[str]) -> list[str]:
    """Where the package manager itself lies that a command starts, by its first two words, wherever that is."""
    found = []
    for word in command[:2]:
        if word.startswith("/") and os.path.isfile(word):
            found += [_prefix(word), _prefix(os.path.realpath(word))]
    return found


def _prefix(program: str) -> str:
    """The folder of an installation that a program is of: above `bin`, or above `node_modules`."""
    head, found, _ = program.partition("/node_modules/")
    if found:
        return f"{head}/node_modules"
    folder = os.path.dirname(program)
    return os.path.dirname(folder) if os.path.basename(folder) in ("bin", "sbin") else folder


def granted(denied: Sequence[str], allowed: Sequence[str], root: str = "/") -> list[str]:
    """The folders to grant, so that all below `root` is granted but what is denied, and what is allowed within that.

    Paths are resolved first. A folder above a denied one is not granted itself: its entries are, one by one, as they
    are now; a new entry beside them is not.
    """
    refused = {os.path.realpath(one) for one in denied if one}
    kept = {os.path.realpath(one) for one in allowed if one} - refused
    above = {parent for one in (*refused, *kept) for parent in _parents(one)}
    found: list[str] = []

    def walk(folder: str, open_here: bool) -> None:
        if len(found) > MOST_FOLDERS:
            raise OverflowError(f"more than {MOST_FOLDERS} folders")
        here = (open_here and folder not in refused) or folder in kept
        if folder not in above:
            if here:
                found.append(folder)
            return
        try:
            entries = sorted(os.scandir(folder), key=lambda one: one.name)
        except OSError:
            entries = []
        for entry in entries:
            path = os.path.join(folder, entry.name)
            if entry.is_symlink():
                continue
            if entry.is_dir(follow_symlinks=False):
                walk(path, here)
            elif here:
                found.append(path)

    walk(os.path.realpath(root), True)
    return found


def _parents(path: str) -> Iterator[str]:
    while path not in ("/", ""):
        path = os.path.dirname(path)
        yield path


def usable() -> str:
    """Why programs cannot be held to folders here; empty where they can. Found by doing it in a process of its own."""
    if not script_shell.version():
        return "the kernel has no Landlock, or has it switched off"
    child = os.fork()
    if not child:
        try:
            script_shell.restrict(["/usr"])
            os._exit(0)
        except OSError:
            os._exit(1)
    _, result = os.waitpid(child, 0)
    return "" if os.waitstatus_to_exitcode(result) == 0 else "Landlock is there and lets no rule be put in force"


@contextlib.contextmanager
def held_shell(
    folders: Sequence[str], never: Sequence[str], shell: str, project: str, steps: Iterable[str]
) -> Iterator[tuple[str, dict[str, bytes]]]:
    """The path of a script shell that starts programs in these folders alone, and its files; it is gone afterwards.

    The folder in which it is started, the package's, it allows too, where that is none of `never` nor above one. A
    script of the project itself, if it is none of `steps`, is the user's and is held to nothing. Survivors of a run
    keep the rules, not the file. Raises OSError where no private folder can be made.
    """
    place = Path(os.path.realpath(tempfile.mkdtemp(prefix="pratique-shell-")))
    try:
        given, program = place / "rules.json", place / "sh"
        # A script that starts another script by the package manager starts this shell again, under its own rules.
        granted = [*folders, str(program)]
        rules = {"folders": granted, "never": [*never], "shell": shell, "project": project, "steps": sorted(steps)}
        given.write_text(json.dumps(rules), "utf-8")
        words = [sys.executable, "-I", "-S", os.path.realpath(script_shell.__file__), str(given)]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', "utf-8")
        program.chmod(stat.S_IRWXU)
        files = (program, given, Path(words[3]))
        yield str(program), {os.path.realpath(one): one.read_bytes() for one in files}
    finally:
        shutil.rmtree(place, ignore_errors=True)
