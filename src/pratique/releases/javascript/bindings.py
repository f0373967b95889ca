"""Which declaration and which assignments a name means, found on demand: no table of a whole file is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pratique.releases.javascript.source import FUNCTIONS, Source, first

if TYPE_CHECKING:
    from tree_sitter import Node

MENTIONS = 400
"""Mentions of one name in one scope that are looked at; a name with more is not followed."""

WORD = frozenset(bytes([one]) for one in range(256) if one >= 128 or chr(one).isalnum() or chr(one) in "_$")

SCOPES = FUNCTIONS | {"program"}

IDENTIFIERS = frozenset(
    {"identifier", "shorthand_property_identifier", "shorthand_property_identifier_pattern", "undefined"}
)
PATTERNS = frozenset(
    {
        "object_pattern",
        "array_pattern",
        "pair_pattern",
        "assignment_pattern",
        "object_assignment_pattern",
        "rest_pattern",
    }
)
MUTATIONS = frozenset({"push", "unshift", "append", "set", "add", "assign", "write", "update"})


class Definition(NamedTuple):
    """Where a name gets what it means.

    `form` is var, param, function, class, import, assign, augment, each, caught, member, mutate; `node` the declarator,
    function, assignment, call; `keys` lead from its value to the name, outermost first; `place` is of a parameter.
    """

    form: str
    node: Node
    keys: tuple[str | int, ...] = ()
    place: int = 0


class Binding:
    """A name in its scope. `lost` where it is mentioned too often to be followed."""

    __slots__ = ("declared", "definitions", "lost", "mentions", "name", "scope")

    def __init__(self, name: str, scope: Node) -> None:
        self.name = name
        self.scope = scope
        self.declared = False
        self.lost = False
        self.definitions: list[Definition] = []
        self.mentions: list[Node] = []


def mentions(content: bytes, name: bytes, start: int, end: int) -> list[int]:
    """Where a name stands as a whole between two offsets; one more than `MENTIONS` at most, or where it is all over."""
    found: list[int] = []
    length = len(name)
    looked = 0
    place = content.find(name, start, end)
    while place >= 0:
        looked += 1
        after = place + length
        whole = content[place - 1 : place] not in WORD if place else True
        if whole and content[after : after + 1] not in WORD:
            found.append(place)
        if len(found) > MENTIONS or looked > 20 * MENTIONS:
            return [start] * (MENTIONS + 1)
        place = content.find(name, after, end)
    return found


class Bindings:
    """The names of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._kept: dict[tuple[int, str], Binding] = {}

    def resolve(self, node: Node) -> Binding | None:
        """The binding that an identifier means; None where it is a global, or lies too deep."""
        name = self.source.text(node)
        for above in reversed(self.source.path(node)):
            if above.type in SCOPES:
                binding = self.of(above, name)
                if binding.declared or binding.lost:
                    return binding
        return None

    def of(self, scope: Node, name: str) -> Binding:
        """The binding of a name in one scope, with every mention in it; `declared` where that scope declares it."""
        key = (scope.id, name)
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        binding = self._kept[key] = Binding(name, scope)
        content = self.source.content
        raw = name.encode()
        start, end = scope.start_byte, scope.end_byte
        if self.source.wide <= 0 and end - start > 1 << 16:
            return binding
        found = mentions(content, raw, start, end)
        self.source.steps -= len(found) >> 2
        self.source.wide -= end - start
        if len(found) > MENTIONS:
            binding.lost = scope.type != "program"
            found = []
        for start in found:
            leaf = scope.named_descendant_for_byte_range(start, start + len(raw))
            if leaf is None or leaf.type not in IDENTIFIERS or leaf.end_byte - leaf.start_byte != len(raw):
                continue
            binding.mentions.append(leaf)
            self._classify(binding, leaf)
        return binding

    def _classify(self, binding: Binding, leaf: Node) -> None:
        path = self.source.path(leaf)
        if len(path) < 2:
            return
        parent = path[-2]
        nested = False
        for above in reversed(path[:-1]):
            if above == binding.scope:
                break
            if above.type in FUNCTIONS:
                if above == parent and parent.type != "arrow_function" and leaf == parent.child_by_field_name("name"):
                    continue
                nested = True
                break
        kind = parent.type
        if kind == "variable_declarator":
            if not nested and leaf == parent.child_by_field_name("name"):
                binding.declared = True
                if parent.child_by_field_name("value") is not None:
                    binding.definitions.append(Definition("var", parent))
                elif len(path) > 3 and path[-4].type == "for_in_statement":
                    binding.definitions.append(Definition("each", path[-4]))
        elif kind in {"function_declaration", "generator_function_declaration", "class_declaration"}:
            if not nested and parent != binding.scope and leaf == parent.child_by_field_name("name"):
                binding.declared = True
                binding.definitions.append(Definition("class" if kind[0] == "c" else "function", parent))
        elif kind in {"function_expression", "generator_function", "class"}:
            if leaf == parent.child_by_field_name("name") and parent == binding.scope:
                binding.declared = True
                binding.definitions.append(Definition("function", parent))
        elif kind in {"import_specifier", "import_clause", "namespace_import"}:
            self._imported(binding, leaf, path)
        elif kind in {"assignment_expression", "augmented_assignment_expression"}:
            if leaf == parent.child_by_field_name("left"):
                form = "assign" if kind[1] == "s" else "augment"
                binding.definitions.append(Definition(form, parent))
        elif kind == "for_in_statement":
            if leaf == parent.child_by_field_name("left"):
                binding.declared = binding.declared or (not nested and parent.child_by_field_name("kind") is not None)
                binding.definitions.append(Definition("each", parent))
        elif kind == "catch_clause":
            binding.declared = binding.declared or not nested
            binding.definitions.append(Definition("caught", parent))
        elif kind == "member_expression":
            self._member(binding, leaf, path)
        elif kind == "subscript_expression":
            above = path[-3]
            written = above.type in {"assignment_expression", "augmented_assignment_expression"}
            if written and parent == above.child_by_field_name("left") and leaf == parent.child_by_field_name("object"):
                binding.definitions.append(Definition("member", above))
        else:
            self._pattern(binding, leaf, path)

    def _imported(self, binding: Binding, leaf: Node, path: list[Node]) -> None:
        parent = path[-2]
        if parent.type == "import_specifier":
            alias = parent.child_by_field_name("alias")
            if alias is not None and leaf != alias:
                return
            name = parent.child_by_field_name("name")
            keys: tuple[str | int, ...] = (self.source.text(name),) if name is not None else ()
        else:
            keys = ("default",) if parent.type == "import_clause" else ()
        statement = next((above for above in reversed(path) if above.type == "import_statement"), None)
        if statement is not None:
            binding.declared = True
            binding.definitions.append(Definition("import", statement, keys))

    def _member(self, binding: Binding, leaf: Node, path: list[Node]) -> None:
        parent = path[-2]
        if len(path) < 3 or leaf != parent.child_by_field_name("object"):
            return
        above = path[-3]
        if above.type in {"assignment_expression", "augmented_assignment_expression"}:
            if parent == above.child_by_field_name("left"):
                name = parent.child_by_field_name("property")
                keys = (self.source.text(name),) if name is not None else ()
                binding.definitions.append(Definition("member", above, keys))
        elif above.type == "call_expression" and parent == above.child_by_field_name("function"):
            name = parent.child_by_field_name("property")
            if name is not None and self.source.text(name) in MUTATIONS:
                binding.definitions.append(Definition("mutate", above))

    def _pattern(self, binding: Binding, leaf: Node, path: list[Node]) -> None:
        """A parameter, or a name inside a destructuring."""
        keys: list[str | int] = []
        below = leaf
        if leaf.type == "shorthand_property_identifier_pattern":
            keys.append(binding.name)
        for index in range(len(path) - 2, 0, -1):
            above = path[index]
            kind = above.type
            if kind == "pair_pattern":
                if below != above.child_by_field_name("value"):
                    return
                name = above.child_by_field_name("key")
                keys.append(key_text(self.source, name) if name is not None else "")
            elif kind == "array_pattern":
                keys.append(above.named_children.index(below))
            elif kind in {"assignment_pattern", "object_assignment_pattern"}:
                if below != above.child_by_field_name("left"):
                    return
            elif kind in {"object_pattern", "rest_pattern", "required_parameter", "optional_parameter"}:
                pass
            elif kind == "variable_declarator":
                if below == above.child_by_field_name("name"):
                    binding.declared = binding.declared or self._own(binding, path, index)
                    each = path[index - 2] if index > 1 else above
                    if above.child_by_field_name("value") is not None:
                        binding.definitions.append(Definition("var", above, tuple(reversed(keys))))
                    elif each.type == "for_in_statement":
                        binding.definitions.append(Definition("each", each, tuple(reversed(keys))))
                return
            elif kind == "for_in_statement":
                if below == above.child_by_field_name("left"):
                    binding.declared = binding.declared or above.child_by_field_name("kind") is not None
                    binding.definitions.append(Definition("each", above, tuple(reversed(keys))))
                return
            elif kind == "assignment_expression":
                if below == above.child_by_field_name("left"):
                    binding.definitions.append(Definition("assign", above, tuple(reversed(keys))))
                return
            elif kind == "formal_parameters":
                if path[index - 1] == binding.scope:
                    binding.declared = True
                    place = above.named_children.index(below)
                    binding.definitions.append(Definition("param", binding.scope, tuple(reversed(keys)), place))
                return
            elif kind == "arrow_function":
                if above == binding.scope and below == above.child_by_field_name("parameter"):
                    binding.declared = True
                    binding.definitions.append(Definition("param", above, tuple(reversed(keys)), 0))
                return
            else:
                return
            below = above

    def _own(self, binding: Binding, path: list[Node], index: int) -> bool:
        for above in reversed(path[:index]):
            if above == binding.scope:
                return True
            if above.type in FUNCTIONS:
                return False
        return False


def key_text(source: Source, node: Node) -> str:
    """The name of a property as it is written: an identifier, a string, a number."""
    if node.type == "string":
        return source.text(node)[1:-1]
    if node.type == "computed_property_name":
        inner = first(node)
        return source.text(inner)[1:-1] if inner is not None and inner.type == "string" else ""
    return source.text(node)
