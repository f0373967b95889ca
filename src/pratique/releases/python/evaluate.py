"""What an expression is: constants folded, names followed to where they are bound, within a budget of steps.

The flow is shallow: within a file, through assignments, loops, parameters of functions that the file itself calls, and
what those give back. What cannot be told is unknown, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pratique.releases.python import fold, literals
from pratique.releases.python.bindings import Bindings
from pratique.releases.python.calls import called, content_of
from pratique.releases.python.values import GAP, LONGEST, NONE, Known, Names, either, joined

if TYPE_CHECKING:
    from tree_sitter import Node

STEPS = 40_000
DEPTH = 40
_MOST_BINDINGS = 6
_MOST_SITES = 5
_MOST_RUNNING = 4
_MOST_STORES = 12
_MOST_TERMS = 4096
_SIMPLE = frozenset({"await", "parenthesized_expression", "list_splat", "as_pattern", "expression_statement"})
_HOLDS = frozenset({"list", "tuple", "set", "expression_list"})
_EACH = frozenset({"list_comprehension", "generator_expression", "set_comprehension"})


class Evaluator:
    """Asks what expressions of one file are; each answer is kept."""

    def __init__(self, bindings: Bindings) -> None:
        self.bindings = bindings
        self.steps = STEPS
        self._kept: dict[int, Known] = {}
        self._asked: set[tuple[int, int]] = set()
        self._depth = 0
        self._results: dict[int, Known] = {}
        self._returns: dict[int, list[Node]] = {}
        self._running: list[int] = []
        """The functions of the file whose results are being asked for."""

    def value(self, node: Node | None, names: Names | None = None) -> Known:
        """What is known of an expression; `names` hold what parameters are in one call of a function."""
        if node is None or self.steps <= 0 or self._depth > DEPTH:
            return NONE
        key = node.id
        memory = self._kept if names is None else names.kept
        kept = memory.get(key)
        if kept is not None:
            return kept
        asked = (key, id(names))
        if asked in self._asked:
            return NONE
        self._asked.add(asked)
        self.steps -= 1
        self._depth += 1
        try:
            known = self._value(node, names)
        finally:
            self._depth -= 1
            self._asked.discard(asked)
        memory[key] = known
        return known

    def _value(self, node: Node, names: Names | None) -> Known:
        kind = node.type
        if kind == "identifier":
            return self._name(node, names)
        if kind == "attribute":
            return self._attribute(node, names)
        if kind == "call":
            return called(self, node, names)
        if kind in ("string", "concatenated_string"):
            return literals.string(self, node, names)
        if kind == "integer":
            return literals.integer(self.bindings.text(node))
        if kind in ("true", "false", "none"):
            return Known({"true": True, "false": False, "none": None}[kind])
        if kind in _SIMPLE:
            return self.value(node.named_children[0], names) if node.named_child_count else NONE
        if kind == "binary_operator":
            return self._binary(node, names)
        if kind == "unary_operator":
            inner = self.value(node.child_by_field_name("argument"), names)
            minus = self.bindings.source.text[node.start_byte : node.start_byte + 1] == b"-"
            number = inner.constant
            return Known(-number) if minus and isinstance(number, int) and not isinstance(number, bool) else NONE
        if kind == "subscript":
            return self._subscript(node, names)
        if kind in _HOLDS:
            most = literals.MOST_ITEMS
            return Known(items=tuple(self.value(one, names) for one in node.named_children[:most]))
        if kind == "dictionary":
            return self._dictionary(node, names)
        if kind in _EACH:
            return literals.comprehension(self, node, names)
        if kind == "dictionary_comprehension":
            body = node.child_by_field_name("body")
            parts = body.named_children if body is not None else []
            return Known(items=tuple(self.value(one, names) for one in parts[-1:]))
        if kind == "conditional_expression":
            parts = node.named_children
            return either([self.value(one, names) for one in (parts[0], parts[-1])]) if parts else NONE
        if kind == "boolean_operator":
            sides = [self.value(node.child_by_field_name(side), names) for side in ("left", "right")]
            return either(sides)
        if kind == "named_expression":
            return self.value(node.child_by_field_name("value"), names)
        if kind == "lambda":
            number = self.bindings.function_at(node.start_byte)
            return Known(function=number)
        if kind == "keyword_argument":
            return self.value(node.child_by_field_name("value"), names)
        return NONE

    # names

    def _name(self, node: Node, names: Names | None) -> Known:
        name = self.bindings.text(node)
        if names is not None and name in names:
            return names[name]
        known = self.named(name, self.bindings.function_at(node.start_byte), node.start_byte, names)
        return literals.whole(known, node.start_byte)

    def named(self, name: str, function: int, offset: int, names: Names | None = None) -> Known:
        """What a name means in a function of the file (-1: outside of any)."""
        bindings = self.bindings
        inner = function
        while True:
            nodes = bindings.names.get((inner, name))
            alias = bindings.aliases.get((inner, name))
            if nodes:
                use = names if inner == function else None
                before = [one for one in nodes if one.start_byte < offset] or nodes
                values = [self._bound(one, use) for one in before[-_MOST_BINDINGS:]]
                if alias is not None:
                    values.append(Known(api=alias))
                return self._stored((inner, name), either(values), use)
            if alias is not None:
                return Known(api=alias)
            if inner < 0:
                break
            parameter = self._parameter(inner, name)
            if parameter is not None:
                return parameter
            inner = bindings.functions[inner].outer
        if name in bindings.by_name:
            return Known(function=bindings.by_name[name][-1])
        if name == "__file__":
            return Known(api=name, texts=("__file__",), origins=literals.origin("self", "__file__", offset))
        star = bindings.aliases.get((-1, "*"))
        if star in ("os", "subprocess", "base64", "socket", "ctypes", "shutil"):
            return Known(api=f"{star}.{name}") if name not in ("open", "exec", "eval", "print") else Known(api=name)
        return Known(api=name)

    def _stored(self, key: tuple[int, str], known: Known, names: Names | None) -> Known:
        """What a name holds, with where that is from which was put into it later."""
        nodes = self.bindings.stores.get(key)
        if not nodes or known.api.startswith("os.environ"):
            return known
        found = set(known.origins)
        for node in nodes[:_MOST_STORES]:
            above = node.parent
            outer = above.parent if above is not None else None
            if above is None or outer is None:
                continue
            if above.type == "subscript":
                found |= self.value(outer.child_by_field_name("right"), names).all_origins()
                continue
            for given in literals.arguments(self.bindings, outer)[0][:3]:
                value = self.value(given, names)
                found |= value.all_origins()
                if known.api.startswith(("zipfile.", "tarfile.")):
                    found |= content_of(value, given.start_byte)
        if found == known.origins:
            return known
        return Known(
            api=known.api, origins=frozenset(found), texts=known.choices, items=known.items, fields=known.fields,
            function=known.function,
        )  # fmt: skip

    def _bound(self, node: Node, names: Names | None) -> Known:
        """What one binding of a name gives it."""
        target, above = node, node.parent
        place = -1
        if above is not None and above.type in ("pattern_list", "tuple_pattern"):
            place = next((at for at, one in enumerate(above.named_children) if one.id == node.id), -1)
            target, above = above, above.parent
        if above is None:
            return NONE
        kind = above.type
        if kind == "assignment":
            known = self.value(above.child_by_field_name("right"), names)
            return literals.item(known, place) if place >= 0 else known
        if kind == "augmented_assignment":
            return self.value(above.child_by_field_name("right"), names)
        if kind == "named_expression":
            return self.value(above.child_by_field_name("value"), names)
        if kind in ("for_statement", "for_in_clause") and place >= 0:
            known = self.value(above.child_by_field_name("right"), names)
            if known.items:
                return either([literals.item(one, place) for one in known.items[:64]])
        if kind in ("for_statement", "for_in_clause"):
            each = literals.each(self.value(above.child_by_field_name("right"), names))
            return literals.item(each, place) if place >= 0 else each
        if kind == "as_pattern_target":
            outer = above.parent
            return self.value(outer.named_children[0], names) if outer is not None and outer.named_children else NONE
        del target
        return NONE

    def _parameter(self, number: int, name: str) -> Known | None:
        """What a parameter is, by the calls of its function in this file; None where there is no such parameter."""
        place, default, several = literals.parameter(self.bindings, number, name)
        if place < 0:
            return None
        function = self.bindings.functions[number]
        values = [self.value(default)] if default is not None else []
        for site in self.bindings.call_sites(function.name)[:_MOST_SITES] if function.name else ():
            given = literals.argument(self.bindings, site, place, name, function.outer)
            if given is not None:
                values.append(self.value(given))
        known = either(values) if values else NONE
        return Known(items=(known,)) if several else known

    def field(self, text: str) -> Known | None:
        """What an attribute such as `self.x` was given anywhere in the file; None where nothing was."""
        nodes = self.bindings.fields.get(text)
        if not nodes:
            return None
        above = [one.parent for one in nodes[:_MOST_BINDINGS]]
        return either([self.value(one.child_by_field_name("right")) for one in above if one is not None])

    def result(self, number: int, names: Mapping[str, Known]) -> Known:
        """What a function of this file gives back for what its parameters are."""
        said = any(one.choices or one.api or one.items or one.all_origins() for one in names.values())
        if number in self._running or len(self._running) >= _MOST_RUNNING:
            return NONE
        if not (said or any(isinstance(one.plain, int) for one in names.values())):
            kept = self._results.get(number)
            if kept is not None:
                return kept
        self._running.append(number)
        try:
            known = self._result(number, Names(names if said else {}))
        finally:
            self._running.pop()
        if not said:
            self._results[number] = known
        return known

    def _result(self, number: int, names: Names) -> Known:
        function = self.bindings.functions[number]
        if function.node.type == "lambda":
            return self.value(function.node.child_by_field_name("body"), names)
        returns = self._returns.get(number)
        if returns is None:
            returns = self._returns[number] = literals.returns(self.bindings, number)
        return either([self.value(one, names) for one in returns]) if returns else NONE

    # expressions

    def _attribute(self, node: Node, names: Names | None) -> Known:
        last = node.child_by_field_name("attribute")
        if last is None:
            return NONE
        name = self.bindings.text(last)
        text = self.bindings.text(node) if node.end_byte - node.start_byte < 120 else ""
        stored = self.field(text) if text.startswith(("self.", "cls.")) else None
        if stored is not None:
            return stored
        outer = self.value(node.child_by_field_name("object"), names)
        return literals.whole(literals.attribute(self, outer, name), node.start_byte)

    def _terms(self, node: Node) -> list[Node]:
        """The terms of a long sum, in order."""
        terms: list[Node] = []
        left: Node | None = node
        while left is not None and left.type == "binary_operator" and len(terms) < _MOST_TERMS:
            sign, right = left.child_by_field_name("operator"), left.child_by_field_name("right")
            if sign is None or right is None or self.bindings.text(sign) != "+":
                break
            terms.append(right)
            left = left.child_by_field_name("left")
        return [*([left] if left is not None else []), *reversed(terms)]

    def _binary(self, node: Node, names: Names | None) -> Known:
        terms = self._terms(node)
        if len(terms) > 6:
            return joined([self.value(one, names) for one in terms])
        left = self.value(node.child_by_field_name("left"), names)
        right = self.value(node.child_by_field_name("right"), names)
        sign = node.child_by_field_name("operator")
        operator = self.bindings.text(sign) if sign is not None else ""
        if operator == "+":
            if left.items is not None or right.items is not None:
                both = (*(left.items or (left,)), *(right.items or (right,)))
                return Known(items=both[: literals.MOST_ITEMS], origins=left.origins | right.origins)
            if isinstance(left.constant, int) and isinstance(right.constant, int):
                return Known(left.constant + right.constant)
            return joined([left, right])
        if operator == "%" and (left.string is not None or left.texts):
            return literals.formatted(left, right)
        if operator == "/" and (left.api.startswith("pathlib.") or right.api.startswith("pathlib.")):
            made = joined([left, right], "/")
            return Known(api="pathlib.Path()", texts=made.choices, origins=made.origins)
        one, two = left.constant, right.constant
        if operator == "*" and isinstance(two, int) and isinstance(one, str | bytes) and 0 <= two * len(one) <= 65536:
            return Known(one * two)
        if isinstance(one, int) and isinstance(two, int):
            return literals.arithmetic(operator, one, two)
        return Known(origins=left.origins | right.origins)

    def _subscript(self, node: Node, names: Names | None) -> Known:
        outer = self.value(node.child_by_field_name("value"), names)
        index = node.child_by_field_name("subscript")
        if index is None:
            return NONE
        if index.type == "slice":
            bounds = literals.bounds(self, index, names)
            if isinstance(outer.constant, str | bytes) and len(outer.constant) <= LONGEST:
                cut = fold.sliced(outer.constant, *bounds)
                return Known(cut, origins=outer.origins) if cut is not None else Known(origins=outer.origins)
            if outer.items is not None and bounds == (None, None, -1):
                return Known(items=outer.items[::-1], origins=outer.origins)
            return Known(origins=outer.origins, items=outer.items, texts=(GAP,) if outer.choices else ())
        key = self.value(index, names)
        return literals.chosen(outer, key, node.start_byte)

    def _dictionary(self, node: Node, names: Names | None) -> Known:
        fields: dict[str, Known] = {}
        items: list[Known] = []
        for pair in node.named_children[: literals.MOST_ITEMS]:
            if pair.type == "dictionary_splat":
                inner = self.value(pair.named_children[0], names) if pair.named_child_count else NONE
                fields.update(inner.fields or {})
                items.append(inner)
                continue
            value = self.value(pair.child_by_field_name("value"), names)
            key = self.value(pair.child_by_field_name("key"), names).string
            if key is not None:
                fields[key[:200]] = value
            items.append(value)
        return Known(items=tuple(items), fields=fields)
