"""What an expression is, asked for backwards: from a use to the declarations, assignments, calls it comes from.

Nothing is executed. Every question costs steps of a budget that grows with the file; where it is spent, nothing is
known. Functions of the same file are followed through their parameters and what they return.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pratique.releases.javascript import fold, operators
from pratique.releases.javascript.bindings import Binding, Bindings, Definition
from pratique.releases.javascript.combined import argument_nodes, either, one_of
from pratique.releases.javascript.constants import COMPUTES, DECODES, STEPS, Closure, Computation, known_as, plain
from pratique.releases.javascript.functions import returns, sites
from pratique.releases.javascript.interfaces import callback_value, called, member_of, named, through
from pratique.releases.javascript.source import FUNCTIONS, Source, first
from pratique.releases.javascript.values import NOTHING, UNKNOWN, UNSET, Known, Origin

if TYPE_CHECKING:
    from tree_sitter import Node

DEEPEST = 48
"""Questions within questions."""
QUESTION = 300
"""Steps that one question may take."""
GLOBALS = frozenset({"globalThis", "global", "window", "self", "top", "frames"})


class Evaluator:
    """Answers what is known of the expressions of one file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.bindings = Bindings(source)
        self.spent = False
        self._kept: dict[int, Known] = {}
        self._asked: set[int] = set()
        self._frames: list[tuple[int, list[Known], int]] = []
        self._local: dict[tuple[int, int], Known] = {}
        self._returns: dict[int, list[Node]] = {}
        self.computing = 400_000
        """Steps that may still be spent on computations."""
        self._nested = 0
        self._question = 0
        self._calls = 0
        self._depth = 0
        self._cut = 0
        """How often an answer depended on what was being asked: such answers are not kept."""

    def value(self, node: Node | None) -> Known:
        """What is known of an expression."""
        if node is None:
            return UNKNOWN
        key = node.id
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        if self._depth == 0:
            self._question = min(QUESTION, self.source.steps)
            self._local.clear()
        frame = self._frames[-1][2] if self._frames else 0
        local = self._local.get((key, frame))
        if local is not None:
            return local
        if self._question <= 0 or self._depth >= DEEPEST or key in self._asked:
            self.spent = self.spent or self.source.steps <= 0
            self._cut += 1
            return UNKNOWN
        self.source.steps -= 1
        self._question -= 1
        self._depth += 1
        self._asked.add(key)
        cut = self._cut
        try:
            ask = _FORMS.get(node.type)
            found = ask(self, node) if ask is not None else UNKNOWN
        finally:
            self._depth -= 1
            self._asked.discard(key)
        if self._cut == cut or self._depth == 0:
            self._kept[key] = found
        else:
            self._local[key, frame] = found
        return found

    def arguments(self, call: Node) -> list[Known]:
        """What is known of the arguments of a call."""
        return [self.value(one) for one in argument_nodes(call)]

    # names and members

    def _identifier(self, node: Node) -> Known:
        binding = self.bindings.resolve(node)
        name = self.source.text(node)
        if binding is None or not binding.declared:
            if name in GLOBALS:
                return Known(api="globalThis")
            return named(name, node.start_byte)
        if binding.name in {"require", "process", "Buffer"} and binding.definitions[0].form == "param":
            return named(name, node.start_byte)
        return self._bound(binding)

    def _bound(self, binding: Binding) -> Known:
        plain: list[Known] = []
        more = NOTHING
        fields: dict[str, Known] = {}
        for definition in binding.definitions[:8]:
            if definition.form in {"member", "mutate", "augment"}:
                more |= self._changed(definition, fields)
            else:
                plain.append(self.defined(definition))
        found = either([one for one in plain if one.constant is not None or one.origins] or plain)
        if any(definition.form == "augment" for definition in binding.definitions) and found.is_constant:
            found = Known(shape=found.text, origins=found.origins)
        if fields and not found.is_constant:
            found = Known(
                api=found.api,
                origins=found.origins,
                items=found.items,
                fields={**(found.fields or {}), **fields},
                function=found.function,
                shape=found.shape,
            )
        return found.with_origins(more)

    def _changed(self, definition: Definition, fields: dict[str, Known]) -> frozenset[Origin]:
        if definition.form == "mutate":
            origins = NOTHING
            for one in argument_nodes(definition.node)[:4]:
                origins |= self.value(one).all_origins()
            return origins
        value = self.value(definition.node.child_by_field_name("right"))
        if definition.keys:
            fields[str(definition.keys[0])] = value
            return NOTHING
        return value.all_origins()

    def defined(self, definition: Definition) -> Known:
        """What a name is by one of its definitions."""
        node = definition.node
        if definition.form == "var":
            found = self.value(node.child_by_field_name("value"))
        elif definition.form == "assign":
            found = self.value(node.child_by_field_name("right"))
        elif definition.form == "function":
            return Known(function=node)
        elif definition.form == "import":
            module = node.child_by_field_name("source")
            if module is None:
                return UNKNOWN
            found = Known(api="#" + module_name(self.source.text(module)[1:-1]))
        elif definition.form == "param":
            found = self.parameter(node, definition.place)
        elif definition.form == "each":
            found = one_of(self.value(node.child_by_field_name("right")))
        else:
            return UNKNOWN
        for key in definition.keys:
            found = self.member(found, key, node)
        return found

    def parameter(self, function: Node, index: int) -> Known:
        """What is known of a parameter: from the call that is being followed, or from where the function is called."""
        for kept, values, _ in reversed(self._frames):
            if kept == function.id:
                self._cut += 1
                return values[index] if index < len(values) else UNKNOWN
        found: list[Known] = []
        for call, place in sites(self.bindings, function):
            if place < 0:
                nodes = argument_nodes(call)
                if index < len(nodes):
                    found.append(self.value(nodes[index]))
            else:
                found.append(self._given(call, place, index))
        return either(found)

    def _given(self, call: Node, place: int, index: int) -> Known:
        """A parameter of a function that is an argument: what the called interface hands it."""
        callee = call.child_by_field_name("function")
        if callee is None:
            return UNKNOWN
        if callee.type == "member_expression":
            name = callee.child_by_field_name("property")
            method = self.source.text(name) if name is not None else ""
            receiver = self.value(callee.child_by_field_name("object"))
        else:
            method, receiver = "", UNKNOWN
        target = self.value(callee)
        if target.function is not None and not target.api:
            return UNKNOWN
        return callback_value(target.api, method, receiver, self.arguments_before(call, place), index, call.start_byte)

    def arguments_before(self, call: Node, place: int) -> list[Known]:
        """The arguments of a call before a place."""
        return [self.value(one) for one in argument_nodes(call)[:place]]

    def _member(self, node: Node) -> Known:
        name = node.child_by_field_name("property")
        if name is None:
            return UNKNOWN
        found = node.child_by_field_name("object")
        if found is not None and found.type == "this":
            return self._own(node, self.source.text(name))
        return self.member(self.value(found), self.source.text(name), node)

    def _own(self, node: Node, name: str) -> Known:
        """`this.name`: what the class around it assigns to that, anywhere."""
        above = next((one for one in reversed(self.source.path(node)) if one.type == "class_body"), None)
        if above is None:
            return UNKNOWN
        found: list[Known] = []
        pattern = re.compile(rb"this\." + re.escape(name.encode()) + rb"\s*=(?!=)")
        for match in pattern.finditer(self.source.content, above.start_byte, above.end_byte):
            leaf = self.source.leaf(match.start(), match.start() + 5 + len(name.encode()))
            outer = self.source.path(leaf) if leaf is not None else []
            if len(outer) > 1 and outer[-2].type == "assignment_expression" and leaf is not None:
                found.append(self.value(outer[-2].child_by_field_name("right")))
            if len(found) > 4:
                break
        return either(found)

    def _subscript(self, node: Node) -> Known:
        index = self.value(node.child_by_field_name("index"))
        target = self.value(node.child_by_field_name("object"))
        if index.is_constant and isinstance(index.constant, str | int | float):
            key = index.constant
            return self.member(target, int(key) if isinstance(key, float) else key, node)
        if target.api == "process.env":
            return Known(origins=frozenset({Origin("environment", index.text or "?", node.start_byte)}))
        return Known(origins=target.origins)

    def member(self, target: Known, key: str | int, node: Node) -> Known:
        """A property of what is known."""
        if isinstance(key, int):
            if target.items is not None:
                return target.items[key] if -1 < key < len(target.items) else UNKNOWN
            if isinstance(target.constant, str | bytes):
                return Known(target.constant[key]) if -1 < key < len(target.constant) else UNKNOWN
            if target.api == "process.argv" and key == 1:
                return Known(api="process.argv[1]", shape="__filename")
            return Known(origins=target.origins)
        if target.fields is not None and key in target.fields:
            return target.fields[key]
        if key == "length" and isinstance(target.constant, str | bytes):
            return Known(len(target.constant))
        if key == "length" and target.items is not None:
            return Known(len(target.items))
        if target.api:
            return member_of(target, key, node.start_byte)
        return Known(origins=narrowed(target.origins, str(key))) if target.origins else UNKNOWN

    # calls

    def _call(self, node: Node) -> Known:
        callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
        if callee is None:
            return UNKNOWN
        if callee.type == "import":
            module = self.value(_argument(node, 0)).string
            return Known(api="#" + module_name(module)) if module else UNKNOWN
        if (
            callee.type == "identifier"
            and callee.end_byte - callee.start_byte == 5
            and (self.source.text(callee) == "await")
        ):
            return self.value(_argument(node, 0))
        while callee.type == "parenthesized_expression" and (inner := first(callee)) is not None:
            callee = inner
        if callee.type in {"member_expression", "subscript_expression"}:
            found = self._method(node, callee)
            if found is not None:
                return found
        target = self.value(callee)
        if target.function is not None:
            return self.run(target.function, self.arguments(node))
        if target.api:
            return called(target, self.arguments(node), node.start_byte, new=node.type == "new_expression")
        if through(self.source.text(callee, 64)):
            return self.value(_argument(node, 0))
        return UNKNOWN

    def _method(self, node: Node, callee: Node) -> Known | None:
        receiver = self.value(callee.child_by_field_name("object"))
        if callee.type == "member_expression":
            name = callee.child_by_field_name("property")
            method = self.source.text(name) if name is not None else ""
        else:
            method = self.value(callee.child_by_field_name("index")).string or ""
        if method in {"call", "apply", "bind"} and (receiver.api or receiver.function is not None):
            arguments = self.arguments(node)[1:]
            if method == "apply":
                arguments = arguments[0].items or [] if arguments else []
            if method == "bind":
                return receiver
            if receiver.function is not None:
                return self.run(receiver.function, arguments)
            return called(receiver, arguments, node.start_byte)
        if receiver.api and not receiver.is_constant:
            return None
        arguments = self.arguments(node)
        if receiver.items is not None:
            found = self._of_list(receiver.items, method, arguments)
            if found is not None:
                return found.with_origins(receiver.origins)
        if isinstance(receiver.constant, str) and all(one.is_constant for one in arguments):
            folded = fold.string_method(receiver.constant, method, [one.constant for one in arguments])
            if isinstance(folded, list):
                return Known(items=[Known(one) for one in folded], origins=receiver.origins)
            if folded is not UNSET:
                return Known(folded, origins=receiver.origins)
        if isinstance(receiver.constant, bytes) and method == "toString":
            encoding = arguments[0].string if arguments else "utf8"
            return Known(fold.from_bytes(receiver.constant, encoding or "utf8"), origins=receiver.origins)
        if method in {"then", "finally", "catch"}:
            function = arguments[0].function if arguments and method == "then" else None
            return self.run(function, [receiver]) if function is not None else receiver
        if receiver.function is None and (receiver.origins or receiver.fields is not None or receiver.shape):
            function = (receiver.fields or {}).get(method, UNKNOWN).function
            if function is not None:
                return self.run(function, arguments)
            origins = receiver.all_origins()
            for one in arguments:
                origins |= one.all_origins()
            return Known(origins=origins, shape=receiver.shape)
        return None

    def _of_list(self, items: list[Known], method: str, arguments: list[Known]) -> Known | None:
        function = arguments[0].function if arguments else None
        if function is not None and method in {"map", "forEach", "filter", "flatMap", "reduce"}:
            if method != "map" or len(items) > 4096:
                return Known(items=items) if method == "filter" else None
            return Known(items=[self.run(function, [one, Known(place)]) for place, one in enumerate(items)])
        if method == "map" and arguments and arguments[0].api == "String.fromCharCode":
            return Known(items=[called(arguments[0], [one], 0) for one in items])
        return fold.list_method(items, method, arguments)

    def run(self, function: Node, arguments: list[Known]) -> Known:
        """What a function of this file returns for these arguments."""
        if len(self._frames) > 6 or any(kept == function.id for kept, _, _ in self._frames):
            self._cut += 1
            return UNKNOWN
        computed = self._computed(function, arguments)
        if computed is not None:
            return computed
        self._calls += 1
        self._frames.append((function.id, arguments, self._calls))
        try:
            return either([self.value(one) for one in self._returned(function)])
        finally:
            self._frames.pop()

    def _computed(self, function: Node, arguments: list[Known]) -> Known | None:
        """What a function computes from constants alone; None where it does not, or something else."""
        given = [plain(one) for one in arguments]
        if self.computing <= 0 or self._nested > 2 or not given or any(one is UNSET for one in given):
            return None
        if not COMPUTES.search(
            self.source.content, function.start_byte, min(function.end_byte, function.start_byte + 6000)
        ):
            return None
        computation = Computation(self.source, self._outside, min(self.computing, STEPS))
        before = computation.left
        self._nested += 1
        result = computation.result(function, given)
        self._nested -= 1
        self.computing -= before - computation.left
        if result is UNSET or callable(result):
            return None
        origins = NOTHING
        for one in arguments:
            origins |= one.all_origins()
        if DECODES.search(self.source.content, function.start_byte, function.end_byte):
            origins |= {Origin("decode", "function", function.start_byte)}
        return known_as(result).with_origins(origins)

    def _outside(self, node: Node) -> object:
        """A name of the file for a computation: a constant, a list, or a function."""
        found = self.value(node)
        if found.function is not None and not found.api:
            return Closure(found.function, [])
        return plain(found)

    def _returned(self, function: Node) -> list[Node]:
        kept = self._returns.get(function.id)
        if kept is None:
            kept = self._returns[function.id] = returns(self.source, function)
        return kept

    def _meta(self, node: Node) -> Known:
        return Known(api=self.source.text(node, 32).replace(" ", ""))


_FORMS = {
    "string": operators.string,
    "template_string": operators.template,
    "number": operators.number,
    "array": operators.array,
    "object": operators.thing,
    "identifier": Evaluator._identifier,
    "shorthand_property_identifier": Evaluator._identifier,
    "binary_expression": operators.binary,
    "unary_expression": operators.unary,
    "ternary_expression": operators.ternary,
    "sequence_expression": operators.last,
    "parenthesized_expression": operators.inner,
    "await_expression": operators.inner,
    "non_null_expression": operators.inner,
    "as_expression": operators.inner,
    "satisfies_expression": operators.inner,
    "spread_element": operators.inner,
    "assignment_expression": operators.right,
    "member_expression": Evaluator._member,
    "subscript_expression": Evaluator._subscript,
    "call_expression": Evaluator._call,
    "new_expression": Evaluator._call,
    "meta_property": Evaluator._meta,
    "true": lambda self, node: Known(True),
    "false": lambda self, node: Known(False),
    "null": lambda self, node: Known(None),
    "undefined": lambda self, node: Known(None),
    **dict.fromkeys(FUNCTIONS, operators.function),
}


def _argument(call: Node, place: int) -> Node | None:
    nodes = argument_nodes(call)
    return nodes[place] if place < len(nodes) else None


def narrowed(origins: frozenset[Origin], key: str) -> frozenset[Origin]:
    """The origins of one member of what holds all variables: that variable alone."""
    if not any(one.kind == "environment" and one.detail == "*" for one in origins):
        return origins
    return frozenset(
        Origin(one.kind, key, one.offset) if one.kind == "environment" and one.detail == "*" else one for one in origins
    )


def module_name(text: str) -> str:
    """The name of a module without `node:`."""
    return text.removeprefix("node:")
