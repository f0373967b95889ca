"""A shell for packages' scripts that writes down what it is started for, and a hook in Node that notes what they ask.

The shell becomes the real one. npm and pnpm start scripts by the `script-shell` that they are told (their
documentation). So each script is known, however short it is, also where nothing else is seen. Whoever starts a program
by itself does not come by here. The hook (`hook.cjs`) is loaded by Node before a script (`NODE_OPTIONS`, documentation
of Node); a script can take it off.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

import msgspec

from pratique.adapters.supervisor.execution import SCRIPT_SHELLS
from pratique.adapters.supervisor.reading import plain_file

_TOLD = ("npm_package_name", "npm_package_version", "npm_lifecycle_event", "npm_package_json")
_END = "."
_MOST = 1 << 16
_MOST_NOTES = 1 << 22
_MOST_FILES = 5000

_SHELL = """\
#!/bin/sh
# Notes what it is started for, then is the shell that it stands for. Set by `pratique guard` while it polls.
{{ printf '%s\\0' "$$" "$PPID" "$PWD" {variables} "$2" {end}; }} 2>/dev/null >>{folder}/$$
exec {shell} "$@"
"""


class Script(NamedTuple):
    """A script that was started: its process, the variables that name its package, its text, and who reads it."""

    pid: int
    parent: int
    folder: str
    environment: Mapping[str, str]
    text: str
    shell: str


class Noted(msgspec.Struct, frozen=True):
    """What a hook in Node noted: `begin`, `start`, `read`, `write`, `delete`, `rename`, `link`, `copy`, `name`,
    `connect` or `variable`.
    """

    what: str
    path: str = ""
    target: str = ""
    host: str = ""
    address: str = ""
    content: bytes = b""
    """The first bytes of a datagram to a resolver; base64 in the note."""
    port: int = 0
    name: str = ""
    pid: int = 0
    parent: int = 0
    executable: str = ""
    arguments: tuple[str, ...] = ()
    folder: str = ""
    variables: Mapping[str, str] = {}


class Recording:
    """The shell, at `path`, and its notes, in a folder of their own. `works` says whether it could be made."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.works = False
        self.keep = False
        """Whether the shell stays, for what survives and may start scripts yet."""
        self.path = ""
        self._shell = "/bin/sh"
        self.variables: dict[str, str] = {}
        """Variables that make package managers use it."""
        self.strange = 0
        """Notes of no known form."""
        self._environment = environment
        self._read: dict[str, int] = {}
        self._folder = ""

    def __enter__(self) -> Recording:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            self._folder = tempfile.mkdtemp(prefix="pratique-shell-")
            notes = os.path.join(self._folder, "notes")
            os.mkdir(notes, 0o700)
            path = os.path.join(self._folder, "sh")
            names = [one for name in SCRIPT_SHELLS if (one := self._environment.get(name))]
            self._shell = names[0] if names else self._shell
            text = _SHELL.format(
                variables=" ".join(f'"${name}"' for name in _TOLD),
                end=_END,
                folder=shlex.quote(notes),
                shell=shlex.quote(self._shell),
            )
            with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
            os.chmod(path, 0o700)
            # A folder from which nothing may start would stop every script.
            subprocess.run([path, "-c", ":"], check=True, capture_output=True, timeout=10)  # noqa: S603  made above
            self.taken()
            self.path = path
            self.variables = dict.fromkeys(SCRIPT_SHELLS, path) | self._hook(notes)
            self.works = True
        return self

    def __exit__(self, *failure: object) -> None:
        if self._folder:
            folder = os.path.join(self._folder, "notes") if self.keep else self._folder
            shutil.rmtree(folder, ignore_errors=True)

    def _hook(self, notes: str) -> dict[str, str]:
        """The variable by which Node loads the hook."""
        hook = os.path.join(self._folder, "hook.cjs")
        if not re.fullmatch(r"[\w./-]+", hook):
            return {}
        with open(hook, "w", encoding="utf-8") as file:
            file.write(f"const NOTES = {json.dumps(notes)};\n")
            file.write((files("pratique.adapters.supervisor") / "hook.cjs").read_text("utf-8"))
        own = self._environment.get("NODE_OPTIONS", "")
        return {"NODE_OPTIONS": f"{own} --require {hook}".strip()}

    def noted(self) -> list[tuple[int, Noted]]:
        """What hooks in Node noted since this was asked before, each with the process of that Node."""
        found: list[tuple[int, Noted]] = []
        notes = os.path.join(self._folder, "notes")
        for name in _listed(notes):
            begin = re.fullmatch(r"node-(\d{1,9})-\d{1,20}", name)
            if begin is None or (name not in self._read and len(self._read) >= _MOST_FILES):
                continue
            try:
                part = plain_file(os.path.join(notes, name), _MOST_NOTES, self._read.get(name, 0))
            except OSError:
                continue
            whole, _, _ = part.rpartition(b"\n")
            self._read[name] = self._read.get(name, 0) + (len(whole) + 1 if whole else 0)
            for line in whole.split(b"\n") if whole else ():
                try:
                    found.append((int(begin[1]), msgspec.json.decode(line, type=Noted)))
                except msgspec.MsgspecError:
                    self.strange += 1
        return found

    def taken(self) -> list[Script]:
        """The scripts that were started since this was asked before."""
        found: list[Script] = []
        notes = os.path.join(self._folder, "notes")
        for name in _listed(notes):
            path = os.path.join(notes, name)
            if not name.isdecimal():
                continue
            try:
                parts = plain_file(path, _MOST).split(b"\0")
                if len(parts) != len(_TOLD) + 6 or parts[-2] != _END.encode():
                    continue  # is being written
                os.unlink(path)
            except OSError:
                continue
            words = [os.fsdecode(one) for one in parts]
            if not (words[0].isdecimal() and words[1].isdecimal()):
                continue
            given = {key: value for key, value in zip(_TOLD, words[3:], strict=False) if value}
            found.append(Script(int(words[0]), int(words[1]), words[2], given, words[3 + len(_TOLD)], self._shell))
        return found


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
