"""The rules that come with the program, and those of a team beside them."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from importlib import resources

from pratique.model.errors import ConfigurationError
from pratique.releases.rules.language import Rule, parse_rule


class Rules:
    """Rules in order of their ids, and the SHA-256 over them."""

    def __init__(self, rules: Iterable[Rule], texts: Iterable[str]) -> None:
        self.rules = tuple(sorted(rules, key=lambda rule: rule.id))
        digest = hashlib.sha256()
        for text in sorted(texts):
            digest.update(text.encode())
            digest.update(b"\0")
        self.digest = digest.hexdigest()

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)


@functools.cache
def texts_of_bundled() -> tuple[tuple[str, str], ...]:
    """Name and text of every rule file that comes with the program."""
    folder = resources.files("pratique.releases.rules")
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".toml")), key=lambda one: one.name)
    return tuple((one.name, one.read_text(encoding="utf-8")) for one in files)


@functools.cache
def bundled() -> Rules:
    """The rules that come with the program. Raises ConfigurationError where one is broken."""
    return rules_of(texts_of_bundled())


def rules_of(files: Iterable[tuple[str, str]]) -> Rules:
    """Rules out of named texts; the name of a file is its rule's id. Raises ConfigurationError."""
    files = tuple(files)
    rules: dict[str, Rule] = {}
    for name, text in files:
        rule = parse_rule(text, name)
        if name.rpartition("/")[2] != f"{rule.id}.toml":
            raise ConfigurationError(
                f"holds the rule {rule.id!r}",
                where=name,
                advice=f"Call the file {rule.id}.toml, or the rule as the file",
            )
        if rule.id in rules:
            raise ConfigurationError(f"rule {rule.id!r} stands twice", where=name, advice="Give one of them another id")
        rules[rule.id] = rule
    return Rules(rules.values(), (text for _, text in files))
