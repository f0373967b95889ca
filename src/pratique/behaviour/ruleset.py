"""A set of rules: every reference found, exceptions bound to their rules, and what is silent because others use it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

from pratique.behaviour.documents import Origin, documents
from pratique.behaviour.language import PLACE, Correlation, Document, Filter, Rule, document
from pratique.behaviour.vocabulary import CATEGORIES
from pratique.model.errors import ConfigurationError

MOST_RULES = 5000


class RuleSet:
    """Rules, correlations and filters, each in order of their names, and the SHA-256 over their texts."""

    def __init__(self, found: Sequence[Document], digest: str = "") -> None:
        """Raises ConfigurationError where two have one name, or a reference means nothing."""
        self.rules = tuple(sorted((one for one in found if isinstance(one, Rule)), key=lambda one: one.name))
        self.correlations = tuple(
            sorted((one for one in found if isinstance(one, Correlation)), key=lambda one: one.name)
        )
        self.filters = tuple(sorted((one for one in found if isinstance(one, Filter)), key=lambda one: one.name))
        self.digest = digest
        self.named: dict[str, Rule | Correlation] = {}
        everything: list[Rule | Correlation] = [*self.rules, *self.correlations]
        for one in everything:
            self._name(one.name, one)
        for one in everything:
            if one.head.id and one.head.id != one.name:
                self._name(one.head.id, one)
        self.parts: dict[str, tuple[Rule | Correlation, ...]] = {
            one.name: self._parts(one) for one in self.correlations
        }
        for one in self.correlations:
            self._check(one)
        self.hidden = frozenset(
            part.name for one in self.correlations if not one.generate for part in self.parts[one.name]
        )
        for exception in self.filters:
            self.bound(exception)

    def __iter__(self) -> Iterator[Rule | Correlation]:
        """What tells detections, in order of names: parts of correlations alone are left out."""
        everything: list[Rule | Correlation] = [*self.rules, *self.correlations]
        return iter(sorted((one for one in everything if one.name not in self.hidden), key=lambda one: one.name))

    def _name(self, name: str, one: Rule | Correlation) -> None:
        other = self.named.setdefault(name, one)
        if other is not one:
            raise ConfigurationError(
                f"the name {name!r} stands for two rules; the other is in {other.head.file}:{other.head.line}",
                where=f"{one.head.file}:{one.head.line}",
                advice="Give one of them another name and id",
            )

    def _parts(self, one: Correlation) -> tuple[Rule | Correlation, ...]:
        found = []
        for reference, line in zip(one.rules, one.lines, strict=True):
            part = self.named.get(reference)
            if part is None:
                raise Origin(one.head.file).error(
                    line,
                    f"refers to {reference!r}, which no rule here is called",
                    "Write its name or id, or load its file",
                )
            found.append(part)
        return tuple(found)

    def _check(self, one: Correlation) -> None:
        """No correlation rests on itself, and every field that it groups or counts by is one of its events."""
        origin = Origin(one.head.file)
        waiting = list(self.parts[one.name])
        seen: set[str] = set()
        while waiting:
            part = waiting.pop()
            if part.name == one.name:
                raise origin.error(one.head.line, "rests on itself", "Let it name rules that do not name it")
            if isinstance(part, Correlation) and part.name not in seen:
                seen.add(part.name)
                waiting += self.parts[part.name]
        wanted = [*one.group_by, *((one.count.field,) if one.count is not None and one.count.field else ())]
        for field in wanted:
            for reference, part in zip(one.rules, self.parts[one.name], strict=True):
                actual = one.aliases.get(field, {}).get(reference, field)
                for name, known in self.fields(part):
                    if actual not in known:
                        raise origin.error(
                            one.head.line,
                            f"uses the field {actual!r}, which no event of {name} has here",
                            "Name another, or an alias for each rule",
                        )
        for name in PLACE.findall(one.head.words):
            for part in self.parts[one.name]:
                for rule, known in self.fields(part):
                    if name not in known:
                        raise origin.error(
                            one.head.line,
                            f"words name the field {name!r}, which no event of {rule} has here",
                            "Leave it out",
                        )

    def fields(self, part: Rule | Correlation) -> Iterator[tuple[str, Iterable[str]]]:
        """The rules that a rule rests on at last, each with the fields of its events."""
        if isinstance(part, Rule):
            yield part.name, CATEGORIES[part.category].fields
        else:
            for inner in self.parts[part.name]:
                yield from self.fields(inner)

    def bound(self, one: Filter) -> tuple[Rule, ...]:
        """The rules that a filter is for: those named, of its log source. Raises ConfigurationError for others."""
        within = [
            rule
            for rule in self.rules
            if rule.category == one.category and (not one.product or rule.product == one.product)
        ]
        if one.rules is None:
            return tuple(within)
        found: list[Rule] = []
        origin = Origin(one.head.file)
        for reference in one.rules:
            rule = self.named.get(reference)
            if rule is None:
                raise origin.error(
                    one.head.line,
                    f"makes an exception of {reference!r}, which no rule here is called",
                    "Write its name or id",
                )
            if isinstance(rule, Correlation):
                raise origin.error(
                    one.head.line,
                    f"makes an exception of the correlation {reference!r}",
                    "Name the rules that it rests on",
                )
            if rule not in within:
                raise origin.error(
                    one.head.line, f"is not of the log source of {reference!r}", f"Write category: {rule.category}"
                )
            found.append(rule)
        return tuple(found)

    def joined(self, others: Sequence[Filter]) -> RuleSet:
        """The same rules with more filters."""
        return RuleSet((*self.rules, *self.correlations, *self.filters, *others), self.digest) if others else self


def parsed(files: Iterable[tuple[str, str]]) -> Iterator[Document]:
    """The documents of named texts. Raises ConfigurationError."""
    number = 0
    for file, text in files:
        stem = file.replace("\\", "/").rpartition("/")[2].removesuffix(".yaml").removesuffix(".yml")
        found = list(documents(text, file))
        origin = Origin(file)
        for node in found:
            number += 1
            if number > MOST_RULES:
                raise origin.error(node, f"is more than the {MOST_RULES} rules that are loaded at once", "Load fewer")
            yield document(node, origin, stem)


def rules_of(files: Iterable[tuple[str, str]]) -> RuleSet:
    """The set out of named texts. Raises ConfigurationError with file and line for anything that is not evaluated."""
    files = tuple(files)
    digest = hashlib.sha256()
    for _, text in sorted(files):
        digest.update(text.encode())
        digest.update(b"\0")
    return RuleSet(tuple(parsed(files)), digest.hexdigest())
