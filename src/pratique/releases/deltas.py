"""Which facts of changed files the predecessor has: by what they say, wherever the lines went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from pratique.model.release import Delta, Fact

CODE = ("capability.", "chain.", "obfuscation.", "content.", "import.")
"""Kinds of facts that lie in files."""
_PASSING = frozenset(
    (
        *("lines", "length", "count", "share", "bits", "size", "strings", "before", "decoded", "seconds"),
        *("reach", "scope", "new_file", "new_in_package"),
    )
)
"""Attributes that change with every edit, or that say nothing of the fact itself."""

_IMPORT = "import.module"

Key = tuple[str, tuple[tuple[str, str], ...]]
Placed = tuple[Fact, Delta]


def keyed(fact: Fact) -> Key:
    """What a fact says, without where and how long; of an import the module alone."""
    if fact.kind == _IMPORT:
        return fact.kind, (("module", str(fact.attributes.get("module", ""))),)
    items = ((name, str(value)) for name, value in fact.attributes.items() if name not in _PASSING)
    return fact.kind, tuple(sorted(items))


def placed(
    changed: Mapping[str, Sequence[Fact]],
    old: Mapping[str, Sequence[Fact]],
    gone: Callable[[], Iterable[Fact]],
) -> dict[str, list[Placed]]:
    """The facts of changed files with their delta: `kept` where the predecessor has one like it, else `added`.

    First each file is compared with what it was; what is left over is then looked for among the facts that other
    files lost, and among those of files that are gone (`gone` is asked only where it matters).
    """
    result: dict[str, list[Placed]] = {}
    left: Counter[Key] = Counter()
    open_facts = False
    for path, facts in changed.items():
        known = Counter(keyed(fact) for fact in old.get(path, ()))
        pairs: list[Placed] = []
        for fact in facts:
            key = keyed(fact)
            if known[key] > 0:
                known[key] -= fact.kind != _IMPORT
                pairs.append((fact, "kept"))
            else:
                open_facts = True
                pairs.append((fact, "added"))
        left.update(+known)
        if pairs:
            result[path] = pairs
    if not open_facts:
        return result
    left.update(keyed(fact) for fact in gone())
    for pairs in result.values():
        for number, (fact, state) in enumerate(pairs):
            key = keyed(fact)
            if state == "added" and left[key] > 0:
                left[key] -= 1
                pairs[number] = (fact, "kept")
    return result
