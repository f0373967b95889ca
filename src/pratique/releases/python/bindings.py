"""Where the names of a file come from: imports, assignments, parameters, functions; and every call, by one query."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from pratique.releases.python.source import Source

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Query, Tree

_QUERY = """
(import_statement) @import
(import_from_statement) @import
(assignment left: (identifier) @name)
(assignment left: (attribute) @field)
(assignment left: (pattern_list (identifier) @name))
(assignment left: (tuple_pattern (identifier) @name))
(augmented_assignment left: (identifier) @name)
(named_expression name: (identifier) @name)
(for_statement left: (identifier) @name)
(for_statement left: (pattern_list (identifier) @name))
(for_in_clause left: (identifier) @name)
(for_in_clause left: (pattern_list (identifier) @name))
(as_pattern alias: (as_pattern_target (identifier) @name))
(assignment left: (subscript value: (identifier) @store))
(call function: (attribute object: (identifier) @put attribute: (identifier) @verb)
  (#any-of? @verb "append" "extend" "update" "add" "insert" "write" "writestr" "put" "appendleft" "setdefault"))
(function_definition) @function
(lambda) @function
(call) @call
(exec_statement) @exec
"""
_ROOT = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
MOST_CALLS = 60_000
MOST_NAMES = 100_000


class Function(NamedTuple):
    """A function or lambda: its bytes, its name, the function around it (-1: none), its node."""

    start: int
    end: int
    name: str
    outer: int
    node: Node


class Import(NamedTuple):
    """One imported module or name. `level` counts leading dots; `name` is empty for a whole module."""

    module: str
    name: str
    alias: str
    level: int
    offset: int
    end: int


@cache
def language() -> Language:
    """The grammar of Python."""
    import tree_sitter_python
    from tree_sitter import Language

    return Language(tree_sitter_python.language())


@cache
def _query() -> Query:
    from tree_sitter import Query

    return Query(language(), _QUERY)


def parsed(source: Source) -> Tree:
    """The tree of a source; broken syntax gives a tree with error nodes."""
    from tree_sitter import Parser

    return Parser(language()).parse(source.text)


def _place(node: Node) -> tuple[int, int]:
    return node.start_byte, -node.end_byte


class Bindings:
    """The names of one file. Function -1 is the file itself."""

    def __init__(self, source: Source) -> None:
        from tree_sitter import QueryCursor

        self.source = source
        self.tree = parsed(source)
        captured = QueryCursor(_query()).captures(self.tree.root_node)
        found = {name: sorted(nodes, key=_place) for name, nodes in captured.items()}  # it gives them in no order
        self.functions = self._functions(found.get("function", []))
        self._edges, self._inside = self._boundaries()
        self.calls: list[Node] = found.get("call", [])[:MOST_CALLS]
        self.cut = len(found.get("call", [])) > MOST_CALLS or len(found.get("name", [])) > MOST_NAMES
        self.exec_statements: list[Node] = found.get("exec", [])
        self.names: dict[tuple[int, str], list[Node]] = {}
        for node in found.get("name", [])[:MOST_NAMES]:
            start = node.start_byte
            key = (self.function_at(start), self.text(node))
            self.names.setdefault(key, []).append(node)
        self.stores: dict[tuple[int, str], list[Node]] = {}
        """Expressions whose values are put into what a name holds."""
        for node in (*found.get("store", []), *found.get("put", []))[:MOST_NAMES]:
            self.stores.setdefault((self.function_at(node.start_byte), self.text(node)), []).append(node)
        self.fields: dict[str, list[Node]] = {}
        for node in found.get("field", [])[:MOST_NAMES]:
            self.fields.setdefault(self.text(node), []).append(node)
        self.imports: list[Import] = []
        self.aliases: dict[tuple[int, str], str] = {}
        for node in found.get("import", []):
            self._import(node)
        self.by_name: dict[str, list[int]] = {}
        for number, function in enumerate(self.functions):
            if function.name:
                self.by_name.setdefault(function.name, []).append(number)
        self._call_sites: dict[str, list[Node]] | None = None

    def text(self, node: Node) -> str:
        """The source of a node."""
        return self.source.text[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def root(self, node: Node) -> str:
        """The first name of an expression such as `a.b(c).d`; empty where it begins otherwise."""
        found = _ROOT.match(self.source.text, node.start_byte)
        return found[0].decode() if found else ""

    def function_at(self, offset: int) -> int:
        """The innermost function around an offset."""
        at = bisect_right(self._edges, offset) - 1
        return self._inside[at] if at >= 0 else -1

    def call_sites(self, name: str) -> list[Node]:
        """The calls of a function of this file, by its name or as a method of `self`."""
        if self._call_sites is None:
            sites: dict[str, list[Node]] = {}
            for call in self.calls:
                callee = call.child_by_field_name("function")
                if callee is None:
                    continue
                if callee.type == "identifier":
                    sites.setdefault(self.text(callee), []).append(call)
                    if self.source.text.find(b"target", callee.end_byte, call.end_byte) >= 0:
                        self._started(call, sites)
                elif callee.type == "attribute" and self.source.text.startswith((b"self.", b"cls."), callee.start_byte):
                    last = callee.child_by_field_name("attribute")
                    if last is not None:
                        sites.setdefault(self.text(last), []).append(call)
                elif self.source.text.find(b"target", callee.end_byte, call.end_byte) >= 0:
                    self._started(call, sites)
            self._call_sites = sites
        return self._call_sites.get(name, [])

    def _started(self, call: Node, sites: dict[str, list[Node]]) -> None:
        """Take the start of a thread or process for a call of the function that is its `target`."""
        held = call.child_by_field_name("arguments")
        for one in held.named_children if held is not None else ():
            name, value = one.child_by_field_name("name"), one.child_by_field_name("value")
            if name is not None and value is not None and value.type == "identifier" and self.text(name) == "target":
                sites.setdefault(self.text(value), []).append(call)

    def _functions(self, nodes: list[Node]) -> list[Function]:
        made: list[Function] = []
        stack: list[int] = []
        for node in nodes:
            start, end = node.start_byte, node.end_byte
            while stack and made[stack[-1]].end <= start:
                stack.pop()
            name = node.child_by_field_name("name")
            made.append(Function(start, end, self.text(name) if name else "", stack[-1] if stack else -1, node))
            stack.append(len(made) - 1)
        return made

    def _boundaries(self) -> tuple[list[int], list[int]]:
        edges: list[tuple[int, int, int]] = []
        for number, function in enumerate(self.functions):
            edges.append((function.start, 1, number))
            edges.append((function.end, 0, number))
        edges.sort()
        offsets, inside = [0], [-1]
        for offset, opens, number in edges:
            current = number if opens else self.functions[number].outer
            if offsets[-1] == offset:
                inside[-1] = current
            else:
                offsets.append(offset)
                inside.append(current)
        return offsets, inside

    def _import(self, node: Node) -> None:
        function = self.function_at(node.start_byte)
        whole = node.type == "import_statement"
        module, level = "", 0
        stated = node.child_by_field_name("module_name")
        if not whole and stated is not None:
            module = "".join(self.text(stated).split())
            level = len(module) - len(module.lstrip("."))
            module = module.lstrip(".")
        names = node.children_by_field_name("name")
        if not whole and not names:
            self.imports.append(Import(module, "*", "", level, node.start_byte, node.end_byte))
            self.aliases.setdefault((function, "*"), module)
        for one in names:
            real, alias = one, None
            if one.type == "aliased_import":
                inner = one.child_by_field_name("name")
                alias = one.child_by_field_name("alias")
                real = inner if inner is not None else one
            name = "".join(self.text(real).split())
            called = self.text(alias) if alias is not None else ""
            if whole:
                self.imports.append(Import(name, "", called, 0, node.start_byte, node.end_byte))
                first = name.partition(".")[0]
                self.aliases[(function, called or first)] = name if called else first
            else:
                self.imports.append(Import(module, name, called, level, node.start_byte, node.end_byte))
                dotted = f"{'.' * level}{module}.{name}" if module else f"{'.' * level}{name}"
                self.aliases[(function, called or name)] = dotted
