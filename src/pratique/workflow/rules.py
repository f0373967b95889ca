"""The rules at hand, those of a team among them, and whether each does what its cases say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import msgspec

from pratique.model.errors import ConfigurationError
from pratique.releases.rules.evaluate import evaluate
from pratique.releases.rules.language import Rule
from pratique.releases.rules.library import Rules, bundled, rules_of, texts_of_bundled
from pratique.workflow.rule_cases import read_case

MOST_BYTES = 1 << 20


class Tried(msgspec.Struct, frozen=True):
    """One case of a rule: what it wants, and what happened. `words` are those of the finding, empty where none was."""

    rule: str
    case: str
    wanted: str
    fired: bool
    words: str = ""

    @property
    def right(self) -> bool:
        """Whether the rule did what the case wants."""
        return self.fired == (self.wanted == "fires")


def rules_at_hand(folders: Sequence[str] = (), *, without_bundled: bool = False) -> Rules:
    """The bundled rules and those in these folders (`<id>.toml`); the same id replaces. Raises ConfigurationError."""
    if not folders and not without_bundled:
        return bundled()
    files = {} if without_bundled else dict(texts_of_bundled())
    for folder in folders:
        files |= dict(_files(folder))
    if not files:
        raise ConfigurationError(
            "there is no rule", where=", ".join(folders) or "rules", advice="Write <id>.toml there"
        )
    return rules_of(files.items())


def _files(folder: str) -> Iterator[tuple[str, str]]:
    """Name and text of every rule in a folder."""
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    except OSError as error:
        raise ConfigurationError(
            f"cannot be listed: {error.strerror}", where=folder, advice="Name a folder that holds <id>.toml files"
        ) from None
    for name in names:
        path = os.path.join(folder, name)
        try:
            if os.path.getsize(path) > MOST_BYTES:
                raise ConfigurationError(
                    f"is larger than {MOST_BYTES} bytes", where=path, advice="A rule is a short file"
                )
            with open(path, encoding="utf-8") as file:
                yield name, file.read()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"cannot be read: {error}", where=path, advice="Write it as UTF-8") from None


def try_rules(rules: Sequence[Rule], cases: str) -> Iterator[Tried]:
    """Each case of each rule below a folder, in order: `<cases>/<id>/{fires,quiet}/<case>/`.

    Raises ConfigurationError where a rule has no case that fires or none that stays quiet, or a case cannot be read.
    """
    for rule in rules:
        for wanted in ("fires", "quiet"):
            folder = os.path.join(cases, rule.id, wanted)
            names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
            if not names:
                raise ConfigurationError(
                    f"rule {rule.id} has no case for {wanted!r}",
                    where=folder,
                    advice=f"Make {os.path.join(folder, 'first', 'after')} with the files of a release",
                )
            for name in names:
                finding = evaluate(rule, read_case(os.path.join(folder, name)))
                yield Tried(rule.id, name, wanted, finding is not None, finding.words if finding is not None else "")
