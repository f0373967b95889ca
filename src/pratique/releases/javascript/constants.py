"""Functions that only compute, worked out for constant arguments: loops, texts, lists, exclusive or.

This is arithmetic on literals, in steps that are counted. Nothing of a release is executed: what is not known here (a
name from elsewhere, an interface, a regular expression of any size) ends it without a result.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from pratique.releases.javascript import fold
from pratique.releases.javascript.combined import argument_nodes
from pratique.releases.javascript.source import FUNCTIONS, Source, first
from pratique.releases.javascript.values import UNSET, Known, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

STEPS = 60_000
"""Steps that the functions of one call may take."""
DEEPEST = 90
LARGEST_BODY = 6_000
COMPUTES = re.compile(
    rb"charCodeAt|fromCharCode|codePointAt|\^|\batob\b|Buffer|parseInt|reverse|split\(|\.at\(|unescape"
)
DECODES = re.compile(rb"charCodeAt|fromCharCode|codePointAt|\batob\b|base64|['\"]hex['\"]|reverse\(|unescape\(")
"""Words of which a function that decodes has one."""
_LETTERS = re.compile(r"[\w \-_=+/!@#%&:;,<>~'\"]+")


class Unknown(Exception):  # noqa: N818  no error: it ends a computation that is not known
    """What is asked for is not known, or would take too long."""


class _Left(Exception):  # noqa: N818  no error: a statement that leaves another
    def __init__(self, how: str, value: object = None) -> None:
        super().__init__(how)
        self.how = how
        self.value = value


class Closure:
    """A function with the names that it sees."""

    __slots__ = ("names", "node")

    def __init__(self, node: Node, names: list[dict[str, object]]) -> None:
        self.node = node
        self.names = names


class Computation:
    """One computation. `outside` answers what a name of the file is, UNSET where that is no constant."""

    def __init__(self, source: Source, outside: Callable[[Node], object], steps: int = STEPS) -> None:
        self.source = source
        self.outside = outside
        self.left = steps
        self.depth = 0

    def result(self, function: Node, arguments: list[object]) -> object:
        """What a function gives for constant arguments; UNSET where that is not known."""
        body = function.child_by_field_name("body")
        if body is None or body.end_byte - body.start_byte > LARGEST_BODY:
            return UNSET
        try:
            return self._call(Closure(function, []), arguments)
        except (Unknown, _Left, ArithmeticError, ValueError, TypeError, IndexError):
            return UNSET

    def _call(self, closure: object, arguments: list[object]) -> object:
        if not isinstance(closure, Closure):
            raise Unknown
        node = closure.node
        names: dict[str, object] = {}
        scope = [*closure.names, names]
        parameters = node.child_by_field_name("parameters")
        if parameters is None:
            single = node.child_by_field_name("parameter")
            self._declare(single, arguments[0] if arguments else None, names)
        else:
            for place, one in enumerate(child for child in parameters.named_children if child.type != "comment"):
                self._declare(one, arguments[place] if place < len(arguments) else None, names)
        body = node.child_by_field_name("body")
        if body is None:
            raise Unknown
        if body.type != "statement_block":
            return self.value(body, scope)
        try:
            self._block(body, scope)
        except _Left as left:
            if left.how == "return":
                return left.value
            raise
        return None

    def _declare(self, pattern: Node | None, value: object, names: dict[str, object]) -> None:
        if pattern is not None and pattern.type == "assignment_pattern":
            if value is None:
                default = pattern.child_by_field_name("right")
                value = self.value(default, [names]) if default is not None else None
            pattern = pattern.child_by_field_name("left")
        if pattern is not None and pattern.type == "required_parameter":
            pattern = pattern.child_by_field_name("pattern")
        if pattern is None or pattern.type != "identifier":
            raise Unknown
        names[self.source.text(pattern)] = value

    # statements

    def _block(self, node: Node, names: list[dict[str, object]]) -> None:
        for child in node.named_children:
            if child.type == "function_declaration":
                name = child.child_by_field_name("name")
                if name is not None:
                    names[-1][self.source.text(name)] = Closure(child, names)
        for child in node.named_children:
            self._statement(child, names)

    def _statement(self, node: Node, names: list[dict[str, object]]) -> None:
        self._step()
        kind = node.type
        if kind in {"comment", "empty_statement", "function_declaration"}:
            return
        if kind == "expression_statement":
            self.value(first(node), names)
        elif kind in {"lexical_declaration", "variable_declaration"}:
            for child in node.named_children:
                if child.type == "variable_declarator":
                    value = child.child_by_field_name("value")
                    known = self.value(value, names) if value is not None else None
                    self._declare(child.child_by_field_name("name"), known, names[-1])
        elif kind == "return_statement":
            value = first(node)
            raise _Left("return", self.value(value, names) if value is not None else None)
        elif kind == "statement_block":
            self._block(node, names)
        elif kind == "if_statement":
            chosen = (
                "consequence" if _truth(self.value(node.child_by_field_name("condition"), names)) else "alternative"
            )
            branch = node.child_by_field_name(chosen)
            if branch is not None and branch.type == "else_clause":
                branch = first(branch)
            if branch is not None:
                self._statement(branch, names)
        elif kind in {"for_statement", "while_statement", "for_in_statement"}:
            self._loop(node, names)
        elif kind in {"break_statement", "continue_statement"}:
            raise _Left(kind.partition("_")[0])
        else:
            raise Unknown

    def _loop(self, node: Node, names: list[dict[str, object]]) -> None:
        body = node.child_by_field_name("body")
        if body is None:
            raise Unknown
        if node.type == "for_in_statement":
            operator = node.child_by_field_name("operator")
            whole = self.value(node.child_by_field_name("right"), names)
            if not isinstance(whole, str | list | bytes | bytearray):
                raise Unknown
            if operator is not None and self.source.text(operator) == "in":
                whole = list(range(len(whole)))
            for one in list(whole):
                self._declare(node.child_by_field_name("left"), one, names[-1])
                if not self._round(body, names):
                    return
            return
        start = node.child_by_field_name("initializer")
        if start is not None:
            if start.type in {"lexical_declaration", "variable_declaration"}:
                self._statement(start, names)
            elif start.type != "empty_statement":
                self.value(first(start) if start.type == "expression_statement" else start, names)
        condition, onward = node.child_by_field_name("condition"), node.child_by_field_name("increment")
        if condition is not None and condition.type == "expression_statement":
            condition = first(condition)
        while condition is None or condition.type == "empty_statement" or _truth(self.value(condition, names)):
            if not self._round(body, names):
                return
            if onward is not None:
                self.value(onward, names)

    def _round(self, body: Node, names: list[dict[str, object]]) -> bool:
        try:
            self._statement(body, names)
        except _Left as left:
            if left.how == "return":
                raise
            return left.how != "break"
        return True

    # expressions

    def _step(self) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Unknown

    def value(self, node: Node | None, names: list[dict[str, object]]) -> object:
        """The value of an expression. Raises Unknown where it is not known."""
        if node is None:
            raise Unknown
        self._step()
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise Unknown
            found = self._value(node, names)
        finally:
            self.depth -= 1
        if isinstance(found, str | list) and len(found) > fold.LONGEST:
            raise Unknown
        if found is UNSET:
            raise Unknown
        return found

    def _value(self, node: Node, names: list[dict[str, object]]) -> object:
        kind = node.type
        if kind == "identifier":
            name = self.source.text(node)
            for scope in reversed(names):
                if name in scope:
                    return scope[name]
            return self.outside(node)
        if kind in FUNCTIONS:
            return Closure(node, names)
        if kind in {"string", "number", "true", "false", "null", "undefined"}:
            return self.outside(node)
        if kind == "parenthesized_expression":
            return self.value(first(node), names)
        if kind == "sequence_expression":
            return [self.value(child, names) for child in node.named_children][-1]
        if kind == "array":
            return [self.value(child, names) for child in node.named_children]
        if kind == "template_string":
            parts = []
            for child in node.named_children:
                inner = child.type == "template_substitution"
                parts.append(text_of(self.value(first(child), names)) if inner else self.source.text(child))
            return "".join(parts)
        if kind == "ternary_expression":
            yes = _truth(self.value(node.child_by_field_name("condition"), names))
            return self.value(node.child_by_field_name("consequence" if yes else "alternative"), names)
        if kind == "unary_expression":
            operand = self.value(node.child_by_field_name("argument"), names)
            sign = self._sign(node)
            if sign == "!":
                return not _truth(operand)
            return (
                fold.binary("^", operand, -1) if sign == "~" else fold.binary("-" if sign == "-" else "+", 0, operand)
            )
        if kind == "binary_expression":
            return self._binary(node, names)
        if kind in {"assignment_expression", "augmented_assignment_expression", "update_expression"}:
            return self._assign(node, names)
        if kind == "member_expression":
            owner = self.value(node.child_by_field_name("object"), names)
            key = node.child_by_field_name("property")
            if (
                key is not None
                and self.source.text(key) == "length"
                and isinstance(owner, str | list | bytes | bytearray)
            ):
                return len(owner)
            raise Unknown
        if kind == "subscript_expression":
            owner = self.value(node.child_by_field_name("object"), names)
            place = fold.number_of(self.value(node.child_by_field_name("index"), names))
            if not isinstance(owner, str | list | bytes | bytearray) or place is None:
                raise Unknown
            return owner[int(place)] if 0 <= place < len(owner) else None
        if kind in {"call_expression", "new_expression"}:
            return self._called(node, names)
        raise Unknown

    def _sign(self, node: Node) -> str:
        operator = node.child_by_field_name("operator")
        return self.source.text(operator) if operator is not None else ""

    def _binary(self, node: Node, names: list[dict[str, object]]) -> object:
        sign = self._sign(node)
        left = self.value(node.child_by_field_name("left"), names)
        if sign in {"&&", "||", "??"}:
            stop = left is not None if sign == "??" else _truth(left) == (sign == "||")
            return left if stop else self.value(node.child_by_field_name("right"), names)
        right = self.value(node.child_by_field_name("right"), names)
        if sign == "+" and isinstance(left, str) and len(left) + len(text_of(right)) > fold.LONGEST:
            raise Unknown
        if sign in {"^", "&", "|", ">>", "<<", ">>>"}:
            left, right = fold.number_of(left) or 0, fold.number_of(right) or 0
        return fold.binary(sign, left, right)

    def _assign(self, node: Node, names: list[dict[str, object]]) -> object:
        if node.type == "update_expression":
            target = node.child_by_field_name("argument")
            before = self.value(target, names)
            after = fold.binary("+" if self._sign(node) == "++" else "-", before, 1)
            self._set(target, after, names)
            return after if self.source.text(node, 2) in {"++", "--"} else before
        target, given = node.child_by_field_name("left"), self.value(node.child_by_field_name("right"), names)
        if node.type == "augmented_assignment_expression":
            given = fold.binary(self._sign(node).removesuffix("="), self.value(target, names), given)
        self._set(target, given, names)
        return given

    def _set(self, target: Node | None, value: object, names: list[dict[str, object]]) -> None:
        if target is None or value is UNSET:
            raise Unknown
        if target.type == "identifier":
            name = self.source.text(target)
            scope = next((one for one in reversed(names) if name in one), None)
            if scope is None:
                raise Unknown
            scope[name] = value
            return
        if target.type != "subscript_expression":
            raise Unknown
        owner = self.value(target.child_by_field_name("object"), names)
        place = fold.number_of(self.value(target.child_by_field_name("index"), names))
        if place is None or not 0 <= place <= 1 << 20:
            raise Unknown
        if isinstance(owner, bytearray) and place < len(owner):
            owner[int(place)] = int(fold.number_of(value) or 0) & 255
        elif isinstance(owner, list) and place <= len(owner):
            owner[int(place) : int(place) + 1] = [value]
        else:
            raise Unknown

    def _called(self, node: Node, names: list[dict[str, object]]) -> object:
        callee = node.child_by_field_name("function") or node.child_by_field_name("constructor")
        if callee is None:
            raise Unknown
        arguments: list[object] = []
        for one in argument_nodes(node):
            if one.type == "regex":
                arguments.append(self._expression(one))
            elif one.type == "spread_element":
                spread = self.value(first(one), names)
                arguments.extend(spread if isinstance(spread, list | bytes | bytearray) else [UNSET])
            elif one.type == "identifier" and self.source.text(one) in {"Number", "String"}:
                arguments.append(self.source.text(one))
            else:
                arguments.append(self.value(one, names))
        if callee.type != "member_expression":
            if callee.type == "identifier" and not any(self.source.text(callee) in scope for scope in names):
                return self._named(self.source.text(callee), callee, arguments)
            return self._call(self.value(callee, names), arguments)
        name, owner = callee.child_by_field_name("property"), callee.child_by_field_name("object")
        method = self.source.text(name) if name is not None else ""
        whole = f"{self.source.text(owner, 40)}.{method}" if owner is not None else ""
        if whole in {"String.fromCharCode", "String.fromCodePoint"}:
            numbers = [fold.number_of(one) for one in arguments]
            return "".join(chr(int(one) & 0xFFFF) for one in numbers if one is not None)
        if whole in {"Buffer.from", "Buffer.alloc", "Math.floor", "Math.abs", "Array.from"}:
            return _library(whole, arguments)
        return self._method(self.value(owner, names), method, arguments)

    def _named(self, name: str, node: Node, arguments: list[object]) -> object:
        one = arguments[0] if arguments else None
        if name == "parseInt":
            number = fold.parse_int(text_of(one), int(fold.number_of(arguments[1]) or 0) if len(arguments) > 1 else 0)
            return number if number is not None else UNSET
        if name in {"Number", "parseFloat"}:
            return fold.number_of(one) if fold.number_of(one) is not None else UNSET
        if name == "String":
            return text_of(one)
        if name == "atob" and isinstance(one, str):
            raw = fold.from_base64(one)
            return raw.decode("latin-1") if raw is not None else UNSET
        if name in {"decodeURIComponent", "unescape", "escape", "encodeURIComponent"} and isinstance(one, str):
            return fold.percent(one, name)
        if name in {"Uint8Array", "Array"}:
            return _library("Buffer.from" if name == "Uint8Array" else "Array", arguments)
        return self._call(self.outside(node), arguments)

    def _method(self, owner: object, method: str, arguments: list[object]) -> object:
        one = arguments[0] if arguments else None
        if isinstance(owner, str):
            if method in {"replace", "replaceAll"} and isinstance(one, re.Pattern) and isinstance(arguments[1], str):
                plain = arguments[1]
                return one.sub(lambda _: plain, owner)
            return fold.string_method(owner, method, arguments)
        if isinstance(owner, bytes | bytearray):
            if method == "toString":
                return fold.from_bytes(bytes(owner), text_of(one) if arguments else "utf8")
            owner = list(owner)
        if isinstance(owner, list):
            return self._list(owner, method, arguments)
        if isinstance(owner, int | float) and method == "toString":
            return format(int(owner), "x") if one == 16 else text_of(owner)
        raise Unknown

    def _list(self, owner: list[object], method: str, arguments: list[object]) -> object:
        one = arguments[0] if arguments else None
        if method == "push":
            owner.extend(arguments)
            return len(owner)
        if method in {"map", "forEach", "filter"}:
            if one == "Number":
                numbers = [fold.number_of(item) for item in owner]
                return [math.nan if item is None else item for item in numbers]
            if one == "String":
                return [text_of(item) for item in owner]
            made = [self._call(one, [item, place, owner]) for place, item in enumerate(owner)]
            if method == "filter":
                return [item for item, keep in zip(owner, made, strict=True) if _truth(keep)]
            return made if method == "map" else None
        if method == "reduce":
            start = 1 if len(arguments) < 2 else 0
            total = owner[0] if start else arguments[1]
            for place in range(start, len(owner)):
                total = self._call(one, [total, owner[place], place])
            return total
        if method in {"reverse", "shift", "pop"}:
            if method == "reverse":
                owner.reverse()
                return owner
            return owner.pop(0 if method == "shift" else -1) if owner else None
        if method == "join":
            return (text_of(one) if arguments else ",").join("" if item is None else text_of(item) for item in owner)
        known = fold.list_method([Known(item) for item in owner], method, [Known(item) for item in arguments])
        if known is None:
            raise Unknown
        return [item.constant for item in known.items] if known.items is not None else known.constant

    def _expression(self, node: Node) -> re.Pattern[str]:
        """A regular expression of plain letters or one class of them."""
        pattern = self.source.text(node.child_by_field_name("pattern") or node, 80)
        plain = pattern.replace("\\", "")
        if (
            not _LETTERS.fullmatch(plain.strip("[]"))
            or pattern.count("[") > 1
            or any(one in pattern for one in "*+?{(|")
        ):
            raise Unknown
        return re.compile(pattern if pattern.startswith("[") else re.escape(plain))


def _truth(value: object) -> bool:
    return True if isinstance(value, list | bytes | bytearray) else bool(value)


def _library(name: str, arguments: list[object]) -> object:
    one = arguments[0] if arguments else None
    number = fold.number_of(one)
    if name in {"Math.floor", "Math.abs"}:
        if number is None:
            return UNSET
        return int(number // 1) if name == "Math.floor" else abs(number)
    if name == "Buffer.alloc" or (name == "Buffer.from" and isinstance(one, int | float)):
        return bytearray(int(number or 0)) if number is not None and 0 <= number <= 1 << 16 else UNSET
    if name == "Array":
        return [None] * int(number) if number is not None and 0 <= number <= 1 << 16 else list(arguments)
    if name == "Array.from":
        return list(one) if isinstance(one, str | list | bytes | bytearray) and len(arguments) == 1 else UNSET
    if isinstance(one, list):
        return bytearray(int(fold.number_of(item) or 0) & 255 for item in one)
    raw = fold.to_bytes(one, text_of(arguments[1]) if len(arguments) > 1 else "utf8")
    return bytearray(raw) if raw is not None else UNSET


def plain(known: Known) -> object:
    """What is known as a plain constant or list of them; UNSET where it is not known in full."""
    if known.items is not None:
        items = [plain(one) for one in known.items]
        return UNSET if any(one is UNSET for one in items) else items
    return bytearray(known.constant) if isinstance(known.constant, bytes) else known.constant


def known_as(value: object) -> Known:
    """A plain constant or list as what is known."""
    if isinstance(value, list):
        return Known(items=[known_as(one) for one in value])
    return Known(bytes(value) if isinstance(value, bytearray) else value)
