"""Fixtures for every row of the table of credentials: files and variables with secrets that are made when a test runs.

A module of this folder holds the recipes of one section: `RECIPES`, from the id of a row to a function that is handed a
`Ground` and puts the row's credential there, in the form that its own tool writes. Secrets come from `ground.secret`, so
that a test knows what to look for, and no secret is ever written into this repository: they are random letters and
digits behind the issuer's prefix, with no valid checksum.
"""

from __future__ import annotations

import base64
import importlib
import os
import pkgutil
import random
import string
from collections.abc import Callable, Iterator
from pathlib import Path

Recipe = Callable[["Ground"], None]
_HOME = "home/dev"
_ROOTS = {
    "$HOME": _HOME,
    "$XDG_CONFIG_HOME": f"{_HOME}/.config",
    "$XDG_DATA_HOME": f"{_HOME}/.local/share",
    "$XDG_STATE_HOME": f"{_HOME}/.local/state",
    "$XDG_CACHE_HOME": f"{_HOME}/.cache",
    "$PROJECT": "srv/shop",
}


class Ground:
    """A disk with one account `dev`, one project, and variables; nothing is written before `lay`."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.files: dict[str, bytes] = {}
        self.sockets: list[str] = []
        self.folders: list[str] = []
        self.environment: dict[str, str] = {}
        self.secrets: dict[str, list[str]] = {}
        """The random part of each secret, by the row that it was made for."""
        self.row = ""

    def secret(self, prefix: str = "", length: int = 36, alphabet: str = string.ascii_letters + string.digits) -> str:
        """A new secret: prefix and random characters. What is looked for is the random part."""
        part = "".join(self.random.choice(alphabet) for _ in range(length))
        self.secrets.setdefault(self.row, []).append(part)
        return prefix + part

    def keep(self, secret: str) -> str:
        """Note a secret that the recipe made itself."""
        self.secrets.setdefault(self.row, []).append(secret)
        return secret

    def write(self, place: str, content: str | bytes, *, append: bool = False) -> None:
        """A file at a place as the table spells it: `$HOME/.npmrc`, `/etc/pip.conf`."""
        data = content.encode() if isinstance(content, str) else content
        path = self.path(place)
        if path in self.files and not append:
            raise ValueError(f"{self.row}: {place} is there already; append, or take another place")
        self.files[path] = self.files.get(path, b"") + data

    def socket(self, place: str) -> None:
        """A socket at a place."""
        self.sockets.append(self.path(place))

    def folder(self, place: str) -> None:
        """A folder at a place."""
        self.folders.append(self.path(place))

    def variable(self, name: str, value: str) -> None:
        """A variable of the process."""
        self.environment[name] = value

    def path(self, place: str) -> str:
        """The path on the disk of a place."""
        head, _, rest = place.partition("/")
        root = "" if not head else _ROOTS[head]
        return f"{root}/{rest}".strip("/")

    def lay(self, disk: Path) -> None:
        """Write everything to a disk: `home/dev`, the project `srv/shop`, and files of the system."""
        import socket

        for folder in (_HOME, "srv/shop", "etc", "usr", "var", *self.folders):
            (disk / folder).mkdir(parents=True, exist_ok=True)
        if not (disk / "etc/passwd").exists():
            (disk / "etc/passwd").write_text(f"dev:x:{os.getuid()}:{os.getgid()}::/{_HOME}:/bin/sh\n")
        for path, data in self.files.items():
            target = disk / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
            os.utime(target, (1_770_000_000, 1_770_000_000))
        here = os.getcwd()
        for path in self.sockets:
            target = disk / path
            target.parent.mkdir(parents=True, exist_ok=True)
            os.chdir(target.parent)  # the path of a socket may be 100 bytes long at most
            try:
                with socket.socket(socket.AF_UNIX) as listener:
                    listener.bind(target.name)
            finally:
                os.chdir(here)


def recipes() -> dict[str, Recipe]:
    """Every recipe of every section."""
    found: dict[str, Recipe] = {}
    for module in pkgutil.iter_modules(__path__):
        for name, recipe in importlib.import_module(f"{__name__}.{module.name}").RECIPES.items():
            if name in found:
                raise ValueError(f"{name} has two recipes")
            found[name] = recipe
    return found


def lay_all(seed: int, only: str | None = None) -> Ground:
    """A ground with what every recipe, or one alone, puts there."""
    ground = Ground(seed)
    for name, recipe in sorted(recipes().items()):
        if only is None or only == name:
            ground.row = name
            recipe(ground)
    return ground


def traces(secret: str) -> Iterator[bytes]:
    """Every form in which a part of a secret could stand in what is written: plain, turned, packed.

    Parts are of 6 characters; of 10 where a secret is of few letters, which an output holds by chance.
    """
    size = 6 if len(set(secret)) > 16 else 10
    for text in (secret, secret[::-1]):
        for start in range(len(text) - size + 1):
            part = text[start : start + size]
            yield part.encode()
            yield part.encode("utf-16-le")
            yield part.encode("utf-16-be")
            yield part.encode().hex().encode()
            yield part.encode().hex().upper().encode()
    data = secret.encode()
    for shift in range(3):
        packed = base64.b64encode(data[shift:]).rstrip(b"=")
        for at in range(max(len(packed) - 8, 1)):
            yield packed[at : at + 8]
            yield packed[at : at + 8].replace(b"+", b"-").replace(b"/", b"_")
