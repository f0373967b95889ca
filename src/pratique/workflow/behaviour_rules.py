"""Behaviour rules at hand, those of a team among them, and whether each does what its cases say."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from pratique.behaviour.detect import detect
from pratique.behaviour.language import Document
from pratique.behaviour.library import bundled, texts_of_bundled
from pratique.behaviour.ruleset import RuleSet, parsed, rules_of
from pratique.model.errors import ConfigurationError
from pratique.model.event import Event
from pratique.readers.events import events_of

SUFFIXES = (".yml", ".yaml")
MOST_BYTES = 1 << 20
MOST_EVENTS = 64 << 20


class TriedEvents(msgspec.Struct, frozen=True):
    """One case of a rule: what it wants, how often the rule fired, and the first of its statements."""

    rule: str
    case: str
    wanted: str
    fired: int
    words: str = ""

    @property
    def right(self) -> bool:
        """Whether the rule did what the case wants."""
        return bool(self.fired) == (self.wanted == "fires")


def behaviour_rules(paths: Sequence[Path] = (), *, without_bundled: bool = False) -> RuleSet:
    """The bundled rules and those of files and folders (`*.yml`, `*.yaml`, at any depth).

    A file of the name of a bundled one takes its place. Raises ConfigurationError with file and line where a rule
    cannot be read or evaluated, and where a path holds none.
    """
    if not paths and not without_bundled:
        return bundled()
    files = {} if without_bundled else dict(texts_of_bundled())
    for path in paths:
        files |= dict(_texts(path))
    return rules_of(tuple(files.items()))


def lint_behaviour_rules(paths: Sequence[Path]) -> tuple[Document, ...]:
    """The documents of files and folders, each of which can be evaluated beside the bundled ones.

    Raises ConfigurationError with file and line for the first that cannot.
    """
    behaviour_rules(paths)
    return tuple(parsed([one for path in paths for one in _texts(path)]))


def _texts(path: Path) -> Iterator[tuple[str, str]]:
    """Name below the path, and text, of every rule file."""
    found = list(_files(path))
    if not found:
        raise ConfigurationError(
            "holds no rule", where=str(path), advice=f"Name a rule file, or a folder with some ({', '.join(SUFFIXES)})"
        )
    for name, file in found:
        try:
            if file.stat().st_size > MOST_BYTES:
                raise ConfigurationError(
                    f"is larger than {MOST_BYTES} bytes", where=str(file), advice="A rule file is short: split it"
                )
            yield name, file.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is not UTF-8"
            raise ConfigurationError(f"cannot be read: {reason}", where=str(file), advice="Mend or remove it") from None


def _files(path: Path) -> Iterator[tuple[str, Path]]:
    if not path.is_dir():
        if not path.exists():
            raise ConfigurationError("does not exist", where=str(path), advice="Name a rule file, or a folder")
        yield path.name, path
        return

    def failed(error: OSError) -> None:
        raise ConfigurationError(
            f"cannot be listed: {error.strerror}", where=str(error.filename), advice="Mend its permissions"
        )

    for folder, folders, names in os.walk(path, onerror=failed):
        folders.sort()
        for name in sorted(names):
            if name.endswith(SUFFIXES):
                file = Path(folder, name)
                yield file.relative_to(path).as_posix(), file


def try_behaviour_rules(paths: Sequence[Path], cases: Path) -> Iterator[TriedEvents]:
    """Each case of each rule of these paths: `<cases>/<name>/{fires,quiet}/<case>.ndjson`, files of events.

    The rules of the program are at work beside them, for correlations that rest on them. Raises ConfigurationError
    where a rule has no case that fires or none that stays quiet, or a case holds what is no event.
    """
    own = {one.name for one in behaviour_rules(paths, without_bundled=True)}
    rules = behaviour_rules(paths)
    for rule in rules:
        if rule.name not in own:
            continue
        for wanted in ("fires", "quiet"):
            folder = cases / rule.name / wanted
            files = sorted(folder.glob("*.ndjson")) if folder.is_dir() else []
            if not files:
                raise ConfigurationError(
                    f"rule {rule.name} has no case for {wanted!r}",
                    where=str(folder),
                    advice="Put a file there that `pratique guard --events` wrote",
                )
            for file in files:
                found = [one for one in detect(_case(file), rules) if one.rule == rule.name and not one.silenced_by]
                yield TriedEvents(rule.name, file.stem, wanted, len(found), found[0].statement if found else "")


def _case(file: Path) -> Sequence[Event]:
    try:
        if file.stat().st_size > MOST_EVENTS:
            raise ConfigurationError(
                f"is larger than {MOST_EVENTS} bytes", where=str(file), advice="A case is a short list of events"
            )
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"cannot be read: {error.strerror}", where=str(file), advice="Mend it") from None
    events, refusals = events_of(content, str(file))
    if refusals or not events:
        reason = refusals[0].reason if refusals else "holds no event"
        raise ConfigurationError(reason, where=str(file), advice="Write what `pratique guard --events` writes")
    return events
