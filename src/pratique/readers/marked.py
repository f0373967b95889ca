"""YAML with the line of every node: for files that people write, where a place in the file matters.

Nothing is constructed: scalars stay text, so that `on` is no truth value and `1.10` no number. Every pair of a mapping
is kept, a key that stands twice included. Nesting is bounded, and so is what references to anchors repeat.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.readers.yaml_events import give_events

MAX_DEPTH = 64
MAX_REPEATED = 100_000
"""How many nodes references to anchors may repeat before a file is called a bomb."""
MAX_NODES = 2_000_000


class Text(msgspec.Struct, gc=False):
    """A scalar: its text, the line it starts in (from 1), and whether it is a block (`|`, `>`)."""

    value: str
    line: int
    block: bool = False


class Mapping(msgspec.Struct):
    """A mapping: every pair in order."""

    pairs: list[tuple[str, Node]]
    line: int

    def get(self, key: str) -> Node | None:
        """The last value of a key, None where there is none."""
        for name, node in reversed(self.pairs):
            if name == key:
                return node
        return None

    def every(self, key: str) -> Iterator[Node]:
        """Every value of a key: more than one where it stands twice."""
        return (node for name, node in self.pairs if name == key)

    def text(self, key: str) -> str | None:
        """The text of a scalar value."""
        node = self.get(key)
        return node.value if isinstance(node, Text) else None


class Sequence(msgspec.Struct):
    """A sequence."""

    items: list[Node]
    line: int


Node = Text | Mapping | Sequence


class Parsed(msgspec.Struct):
    """The documents of a text. `damage` says what is wrong with it; the documents then hold what stood before."""

    documents: list[Node]
    damage: str | None = None


class _Bound(Exception):  # noqa: N818 (it ends the reading; it is no failure)
    """The text is a bomb, or nested too deeply."""


def parse(text: str) -> Parsed:
    """Every document of a YAML text."""
    builder = _Builder()
    damage = give_events(text, builder.take, _Bound)
    return Parsed(builder.documents, damage)


class _Builder:
    """Makes trees out of PyYAML's events, without recursion. What is open when a text breaks off stays in the tree."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.stack: list[Mapping | Sequence] = []
        self.keys: list[str | None] = []
        self.starts: list[tuple[str | None, int]] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0
        self.repeated = 0

    def take(self, event: object) -> None:
        """Take in one event. Raises _Bound."""
        import yaml

        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise _Bound("holds more nodes than a reader may keep")
        if isinstance(event, yaml.ScalarEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            block = event.style in ("|", ">")
            text = Text(event.value, line + 1 if block else line, block)
            if event.anchor is not None:
                self.anchors[event.anchor] = (text, 1)
            self._add(text)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            line = event.start_mark.line + 1 if event.start_mark else 0
            container = Mapping([], line) if isinstance(event, yaml.MappingStartEvent) else Sequence([], line)
            self._add(container)
            if len(self.stack) >= MAX_DEPTH:
                raise _Bound("is nested too deeply")
            self.stack.append(container)
            self.keys.append(None)
            self.starts.append((event.anchor, self.nodes))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            ended = self.stack.pop()
            self.keys.pop()
            anchor, start = self.starts.pop()
            if anchor is not None:
                self.anchors[anchor] = (ended, self.nodes - start)
        elif isinstance(event, yaml.AliasEvent):
            known = self.anchors.get(event.anchor or "")
            if known is None:
                raise _Bound("refers to an anchor that it does not define")
            self.repeated += known[1]
            self.nodes += known[1]
            if self.repeated > MAX_REPEATED:
                raise _Bound("repeats anchors too often")
            self._add(known[0])
        elif isinstance(event, yaml.DocumentStartEvent):
            self.anchors.clear()

    def _add(self, node: Node) -> None:
        if not self.stack:
            self.documents.append(node)
            return
        holder = self.stack[-1]
        if isinstance(holder, Sequence):
            holder.items.append(node)
            return
        key = self.keys[-1]
        if key is None:
            self.keys[-1] = node.value if isinstance(node, Text) else ""
            return
        self.keys[-1] = None
        if key == "<<" and isinstance(node, Mapping):
            holder.pairs += node.pairs
        elif key == "<<" and isinstance(node, Sequence):
            for item in node.items:
                holder.pairs += item.pairs if isinstance(item, Mapping) else []
        else:
            holder.pairs.append((key, node))


def texts(node: Node | None) -> Iterator[Text]:
    """Every scalar in and below a node, keys aside."""
    stack = [node] if node is not None else []
    while stack:
        item = stack.pop()
        if isinstance(item, Text):
            yield item
        elif isinstance(item, Mapping):
            stack += [inner for _, inner in reversed(item.pairs)]
        else:
            stack += reversed(item.items)
