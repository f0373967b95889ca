"""Recipes made of texts: `<<prefix>>` in a text stands for a new secret behind that prefix."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tests.fixtures_reach import Ground, Recipe

RECIPES: dict[str, Recipe] = {}


def filled(ground: Ground, text: str) -> str:
    """The text with secrets in it."""
    return re.sub(r"<<([^<>]*)>>", lambda match: ground.secret(match[1]), text)


def files(texts: Mapping[str, str]) -> Recipe:
    """A recipe that writes files."""

    def recipe(ground: Ground) -> None:
        for place, text in texts.items():
            ground.write(place, filled(ground, text))

    return recipe


def variables(*names: str, prefix: str = "") -> Recipe:
    """A recipe that sets variables."""

    def recipe(ground: Ground) -> None:
        for name in names:
            ground.variable(name, ground.secret(prefix))

    return recipe


def present(*places: str, content: str = "binary <<>>") -> Recipe:
    """A recipe of stores: files that are never opened."""

    def recipe(ground: Ground) -> None:
        for place in places:
            ground.write(place, filled(ground, content))

    return recipe


def folders(*places: str) -> Recipe:
    """A recipe of folders with a file in each."""

    def recipe(ground: Ground) -> None:
        for place in places:
            ground.write(f"{place}/content", filled(ground, "binary <<>>"))

    return recipe


def sockets(*places: str) -> Recipe:
    """A recipe of sockets."""

    def recipe(ground: Ground) -> None:
        for place in places:
            ground.socket(place)

    return recipe


def pem(ground: Ground, label: str = "PRIVATE KEY", lines: int = 3) -> str:
    """A block that looks like a key and is none."""
    body = "\n".join(ground.secret(length=64) for _ in range(lines))
    return f"-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"


def keys(*places: str, label: str = "PRIVATE KEY", before: str = "", after: str = "") -> Recipe:
    """A recipe of files with a private key."""

    def recipe(ground: Ground) -> None:
        for place in places:
            ground.write(place, before + pem(ground, label) + after)

    return recipe
