"""The facts of one file of JavaScript or TypeScript."""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.observation import Refusal
from pratique.model.release import Fact, SourceFile
from pratique.releases.javascript.combined import argument_nodes
from pratique.releases.javascript.effects import Effects
from pratique.releases.javascript.evaluate import Evaluator
from pratique.releases.javascript.imports import imported
from pratique.releases.javascript.source import Source
from pratique.releases.javascript.uses import Use, Uses

LARGEST = 12 << 20
"""Bytes of a file that are read for facts; a larger one is refused."""

MOST_OF_A_KIND = 200
READER = "javascript"


def facts(file: SourceFile) -> Iterator[Fact | Refusal]:
    """What a file of JavaScript or TypeScript is able to do, imports, hides; total, bounded in time.

    A file over 12 MB, of bytes that are no text, or without the extra `inspect` is a refusal. Facts are in line order.
    """
    if file.kind not in {"javascript", "typescript"}:
        return
    if len(file.content) > LARGEST:
        yield refusal(file, f"more than {LARGEST >> 20} MB of JavaScript")
        return
    if not is_text(file.content):
        yield refusal(file, "the bytes are no text")
        return
    try:
        found = _facts(file)
    except ImportError:
        yield refusal(file, "the grammar of JavaScript is not installed: pratique[inspect]")
        return
    yield from sorted(found, key=lambda one: one.line if isinstance(one, Fact) else 1 << 60)


def refusal(file: SourceFile, reason: str) -> Refusal:
    """What could not be read of a file."""
    return Refusal(path=file.path, reader=READER, reason=reason, relevant=True)


def is_text(content: bytes) -> bool:
    """Whether bytes look like text at their beginning, middle and end."""
    for start in (0, len(content) // 2, max(len(content) - 4096, 0)):
        part = content[start : start + 4096]
        strange = len(part) - len(part.translate(None, _STRANGE))
        if strange * 50 > len(part):
            return False
        if part.isascii():
            continue
        decoded = part.decode("utf-8", "replace")
        if decoded.count("\ufffd") * 10 > len(decoded):
            return False
    return True


_STRANGE = bytes(set(range(32)) - {8, 9, 10, 11, 12, 13, 27}) + b"\x7f"


def _facts(file: SourceFile) -> list[Fact | Refusal]:
    source = Source(file, file.content)
    evaluator = Evaluator(source)
    effects = Effects(evaluator)
    found: list[Fact | Refusal] = []
    seen: set[tuple[object, ...]] = set()
    counts: dict[str, int] = {}

    def add(fact: Fact) -> None:
        plain = (fact.kind, *sorted((name, value) for name, value in fact.attributes.items()))
        counts[fact.kind] = counts.get(fact.kind, 0) + 1
        if plain not in seen and counts[fact.kind] <= MOST_OF_A_KIND:
            seen.add(plain)
            found.append(fact)

    for use in Uses(evaluator).all():
        for fact in _imports(source, evaluator, use):
            add(fact)
        if use.role == "import":
            continue
        for kind, attributes in effects.of(use):
            add(source.fact(kind, use.node, **attributes))
    if evaluator.spent:
        found.append(refusal(file, "too much to follow: names and values were followed in part"))
    return found


def _imports(source: Source, evaluator: Evaluator, use: Use) -> Iterator[Fact]:
    if use.role == "import":
        yield source.fact("import.module", use.node, **imported(use.api, dynamic=False))
    elif use.api in {"require", "import", "require.resolve"} and use.role == "call":
        nodes = argument_nodes(use.node)
        name = evaluator.value(nodes[0]).string if nodes else None
        if name:
            yield source.fact("import.module", use.node, **imported(name, dynamic=use.api == "import"))
        elif nodes and use.api != "require.resolve":
            yield source.fact("import.module", use.node, module="", package="", form="", dynamic=True)
