"""One file of JavaScript as bytes and a tree: places, paths, texts, lines, excerpts."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from pratique.model.release import Fact, SourceFile, Value

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

FUNCTIONS = frozenset(
    {
        "function_declaration",
        "function_expression",
        "generator_function",
        "generator_function_declaration",
        "arrow_function",
        "method_definition",
    }
)
DEPTH = 400
"""Nodes above a place that are looked at; deeper nesting is left alone."""

EXCERPT = 200


@lru_cache(maxsize=4)
def parser(grammar: str) -> Parser:
    """The parser for `javascript`, `typescript` or `tsx`. Raises ImportError without the extra `inspect`."""
    import tree_sitter

    if grammar == "javascript":
        import tree_sitter_javascript

        return tree_sitter.Parser(tree_sitter.Language(tree_sitter_javascript.language()))
    import tree_sitter_typescript

    language: Any = (
        tree_sitter_typescript.language_tsx() if grammar == "tsx" else tree_sitter_typescript.language_typescript()
    )
    return tree_sitter.Parser(tree_sitter.Language(language))


def grammar_of(file: SourceFile) -> str:
    """The grammar for a file, by its kind and name."""
    if file.kind != "typescript":
        return "javascript"
    return "tsx" if file.path.lower().endswith("x") else "typescript"


class Source:
    """The text of a file and its tree. `layer` counts decodings; `encoding` says by what the text was encoded."""

    def __init__(self, file: SourceFile, content: bytes, layer: int = 0, encoding: str = "", line: int = 0) -> None:
        self.file = file
        self.content = content
        self.layer = layer
        self.encoding = encoding
        self.outer_line = line
        self.steps = 20_000 + len(content) // 20
        """What may still be spent on evaluation."""
        self.wide = (64 << 20) + 100 * len(content)
        """Bytes that may still be searched for names."""
        self._paths: dict[int, list[Node]] = {}

    @cached_property
    def tree(self) -> Tree:
        """The syntax tree."""
        return parser(grammar_of(self.file)).parse(self.content)

    @cached_property
    def root(self) -> Node:
        """The root of the tree."""
        return self.tree.root_node

    def text(self, node: Node, limit: int = 4096) -> str:
        """The source text of a node, at most `limit` bytes of it."""
        start = node.start_byte
        return self.content[start : min(node.end_byte, start + limit)].decode("utf-8", "replace")

    def leaf(self, start: int, end: int) -> Node | None:
        """The smallest named node over a range of bytes."""
        return self.root.named_descendant_for_byte_range(start, end)

    def path(self, node: Node) -> list[Node]:
        """The node's ancestors from the root down, itself last; empty where it lies too deep."""
        kept = self._paths.get(node.id)
        if kept is not None:
            return kept
        found: list[Node] = []
        current: Node | None = self.root
        while current is not None:
            found.append(current)
            if current == node:
                break
            if len(found) > DEPTH:
                found = []
                break
            current = current.child_with_descendant(node)
        else:
            found = []
        if len(self._paths) > 20_000:
            self._paths.clear()
        self._paths[node.id] = found
        return found

    def function_of(self, node: Node) -> Node | None:
        """The nearest function around a node, None at the top."""
        for above in reversed(self.path(node)[:-1]):
            if above.type in FUNCTIONS:
                return above
        return None

    def top(self, node: Node) -> bool:
        """Whether a node runs when the file is loaded: any function around it is called on the spot."""
        path = self.path(node)
        for index in range(len(path) - 2, 0, -1):
            if path[index].type in FUNCTIONS:
                above = index - 1
                while above > 0 and path[above].type in {"parenthesized_expression", "unary_expression"}:
                    above -= 1
                called = path[above]
                if called.type == "member_expression" and above > 0:
                    called = path[above - 1]
                if called.type != "call_expression":
                    return False
                function = called.child_by_field_name("function")
                if function is None or function.end_byte < path[index].end_byte:
                    return False
        return True

    @cached_property
    def _lines(self) -> list[int]:
        return [found.start() for found in re.finditer(rb"\n", self.content)]

    def line(self, offset: int) -> int:
        """The line of an offset, from 1; in decoded text the line of the literal it was decoded from."""
        return self.outer_line or bisect_right(self._lines, offset - 1) + 1

    def excerpt(self, start: int, end: int = 0) -> str:
        """Printable text of at most 200 characters from `start`, or around it where the line is short."""
        begin = self.content.rfind(b"\n", 0, start) + 1
        if start - begin > 80:
            begin = max(start - 20, 0)
        stop = self.content.find(b"\n", max(start, min(end, start + EXCERPT)))
        stop = len(self.content) if stop < 0 else stop
        return printable(self.content[begin : min(stop, begin + 2 * EXCERPT)].decode("utf-8", "replace").strip())

    def fact(self, kind: str, node: Node | int, **attributes: Value) -> Fact:
        """A fact at a node or an offset, with the attributes that every fact of code carries."""
        if isinstance(node, int):
            start = end = node
            scope = ""
        else:
            start, end = node.start_byte, node.end_byte
            scope = "top" if self.top(node) else "function"
        carried: dict[str, Value] = {"language": "javascript", "layer": self.layer}
        if scope:
            carried["scope"] = scope
        if self.encoding:
            carried["encoding"] = self.encoding
        carried.update({name: value for name, value in attributes.items() if value is not None})
        return Fact(
            kind=kind,
            path=self.file.path,
            line=self.line(start),
            excerpt=self.excerpt(start, end),
            sha256=self.file.sha256,
            attributes=carried,
        )


def first(node: Node) -> Node | None:
    """The first named child that is no comment."""
    for child in node.named_children:
        if child.type != "comment":
            return child
    return None


def printable(text: str, limit: int = EXCERPT) -> str:
    """Text on one line without control and format characters, at most `limit` characters."""
    text = " ".join(text[: 4 * limit].split())
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "\ufffd" for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"
