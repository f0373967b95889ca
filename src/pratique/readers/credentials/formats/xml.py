"""Credentials in named elements and attributes of an XML file.

Reads the fields that the row names, as in JSON files: an element is a name, an attribute stands as `@name`, and the
`<add key="..." value="..."/>` of .NET as the name in `key`. A damaged file gives what stood before the damage.
A document type is never read: a file that declares entities is not understood from there on.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import DEPTH, Pairs, Tree, told
from pratique.readers.credentials.judgement import text_of


class _Stopped(Exception):  # noqa: N818 (it ends the reading; it is no failure)
    """The document declares entities, or is nested too deeply."""


class _Builder:
    def __init__(self) -> None:
        self.root = Pairs()
        self.stack: list[tuple[Pairs, list[str]]] = [(self.root, [])]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        if len(self.stack) > DEPTH:
            raise _Stopped
        inner = Pairs()
        holder = self.stack[-1][0]
        if "key" in attributes and "value" in attributes:
            holder.append((attributes["key"], attributes["value"]))
        else:
            inner += [(f"@{key}", value) for key, value in attributes.items()]
        holder.append((name.rpartition(":")[2], inner))
        self.stack.append((inner, []))

    def end(self, name: str) -> None:
        """An element ends: one with nothing but text becomes that text."""
        inner, texts = self.stack.pop()
        text = "".join(texts).strip()
        holder = self.stack[-1][0]
        if not inner:
            holder[-1] = (holder[-1][0], text)
        elif text:
            # Elements with attributes and text: the text counts as the element's own.
            holder.append((name.rpartition(":")[2], text))

    def characters(self, text: str) -> None:
        """Text inside an element."""
        self.stack[-1][1].append(text)

    def refuse(self, *_: object) -> None:
        """A document type or an entity."""
        raise _Stopped


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    if not text.strip():
        return
    builder = _Builder()
    parser = expat.ParserCreate("utf-8", namespace_separator=":")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.characters
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    whole = True
    try:
        parser.Parse(text.encode(), True)
    except (expat.ExpatError, _Stopped, ValueError):
        whole = False
    for inner, texts in builder.stack[1:]:
        words = "".join(texts).strip()
        if words and not inner:
            inner.append(("text", words))
    if not builder.root:
        yield "not understood"
        return
    yield from told(Tree(builder.root, whole=whole), row, fingerprint)
