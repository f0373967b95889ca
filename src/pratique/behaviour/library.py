"""The behaviour rules that come with the program."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable

from pratique.behaviour.ruleset import RuleSet, rules_of


@functools.cache
def texts_of_bundled() -> tuple[tuple[str, str], ...]:
    """Name and text of every rule file that comes with the program, those in folders with the folder's name."""
    return tuple(sorted(_texts(resources.files("pratique.behaviour").joinpath("rules"), "")))


def _texts(folder: Traversable, before: str) -> Iterator[tuple[str, str]]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _texts(one, f"{before}{one.name}/")
        elif one.name.endswith(".yml"):
            yield before + one.name, one.read_text(encoding="utf-8")


@functools.cache
def bundled() -> RuleSet:
    """The rules that come with the program. Raises ConfigurationError where one is broken."""
    return rules_of(texts_of_bundled())
