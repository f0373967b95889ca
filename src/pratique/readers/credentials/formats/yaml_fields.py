"""Settings in YAML: named fields at any depth.

## Reads
Scalars whose name, or whole path (`hosts.*.token`), is one of the row's `fields`. Fields of `show` in the same mapping
or one that holds it tell whose they are, and so do the names of the mappings on the way (`path`). Anchors are followed
within bounds; a name that stands twice counts twice. A mapping that the row names under `references` is one.

## Leaves out
Tags. What stands behind damage.

## References
YAML 1.1.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import Pairs, held, matches, pairs
from pratique.readers.credentials.judgement import MOST, text_of
from pratique.readers.marked import Mapping, Node, Sequence, Text, parse

_MOST_VISITED = 200_000


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the secrets of every document."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    parsed = parse(text.encode("utf-8", "replace").decode("utf-8"))
    if parsed.damage is not None:
        yield "half understood" if parsed.documents else "not understood"
    elif any(isinstance(document, Text) and document.value.strip() for document in parsed.documents):
        yield "not understood"
    count = 0
    for document in parsed.documents:
        for fact in _walk(document, row, fingerprint):
            if isinstance(fact, str) or count >= MOST:
                yield "too many entries"
                return
            count += 1
            yield fact


def _walk(document: Node, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    stack: list[tuple[Node, tuple[str, ...], Pairs]] = [(document, (), ())]
    visited = 0
    while stack:
        node, path, identity = stack.pop()
        visited += 1
        if visited > _MOST_VISITED:
            yield "too many entries"
            return
        if isinstance(node, Text) and path:
            where = pairs([("path", "/".join(path[:-1]))]) if path[:-1] else ()
            yield from held(path[-1], node.value, row, fingerprint, (*where, *identity), path=".".join(path))
        elif isinstance(node, Sequence):
            stack += [(item, path, identity) for item in reversed(node.items)]
        elif isinstance(node, Mapping):
            shown = [
                (name, item.value) for name, item in node.pairs if isinstance(item, Text) and matches(name, row.show)
            ]
            here = (*identity, *pairs(shown))
            inner: list[tuple[Node, tuple[str, ...], Pairs]] = []
            for name, item in node.pairs:
                whole = ".".join((*path, name))
                if isinstance(item, Text):
                    where = pairs([("path", "/".join(path))]) if path else ()
                    yield from held(name, item.value, row, fingerprint, (*where, *here), path=whole)
                elif matches(name, row.references) or matches(whole, row.references):
                    yield from held(name, "mapping", row, fingerprint, here, path=whole)
                else:
                    inner.append((item, (*path, name)[:8], here))
            stack += reversed(inner)
