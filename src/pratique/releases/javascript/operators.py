"""What literals and operators give: texts, templates, numbers, lists, objects, sums."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pratique.releases.javascript import fold
from pratique.releases.javascript.bindings import key_text
from pratique.releases.javascript.combined import either, joined
from pratique.releases.javascript.source import first
from pratique.releases.javascript.values import HOLE, NOTHING, UNKNOWN, Known

if TYPE_CHECKING:
    from tree_sitter import Node

    from pratique.releases.javascript.evaluate import Evaluator

LARGEST_ARRAY = 50_000


def string(evaluator: Evaluator, node: Node) -> Known:
    """A text."""
    if node.end_byte - node.start_byte > fold.LONGEST:
        return Known(shape=HOLE)
    return Known(fold.unescaped(evaluator.source.text(node, fold.LONGEST + 2)[1:-1]))


def template(evaluator: Evaluator, node: Node) -> Known:
    """A template: its texts, and what stands in it."""
    parts: list[Known] = []
    for child in node.named_children:
        if child.type == "template_substitution":
            parts.append(evaluator.value(first(child)))
        else:
            parts.append(Known(fold.unescaped(evaluator.source.text(child, fold.LONGEST))))
    return joined(parts)


def number(evaluator: Evaluator, node: Node) -> Known:
    """A number."""
    text = evaluator.source.text(node, 64).replace("_", "").rstrip("n")
    try:
        number = int(text, 0) if re.fullmatch(r"0[xXoObB]\w+|[1-9]\d*|0", text) else float(text)
    except (ValueError, OverflowError):
        return UNKNOWN
    return Known(number)


def array(evaluator: Evaluator, node: Node) -> Known:
    """A list."""
    count = node.named_child_count
    if count > LARGEST_ARRAY:
        return UNKNOWN
    evaluator.source.steps -= count // 4
    items: list[Known] = []
    for child in node.named_children:
        if child.type == "spread_element":
            spread = evaluator.value(first(child))
            items.extend(spread.items or [spread])
        elif child.type != "comment":
            items.append(evaluator.value(child))
    return Known(items=items)


def thing(evaluator: Evaluator, node: Node) -> Known:
    """An object with its fields."""
    fields: dict[str, Known] = {}
    origins = NOTHING
    for child in node.named_children[:256]:
        if child.type == "pair":
            name, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            key = key_text(evaluator.source, name) if name is not None else ""
            if not key and name is not None and name.type == "computed_property_name":
                key = evaluator.value(first(name)).string or ""
            fields[key] = evaluator.value(value)
        elif child.type == "shorthand_property_identifier":
            fields[evaluator.source.text(child)] = evaluator.value(child)
        elif child.type == "spread_element":
            spread = evaluator.value(first(child))
            origins |= spread.origins
            fields.update(spread.fields or {})
        elif child.type == "method_definition":
            name = child.child_by_field_name("name")
            if name is not None:
                fields[key_text(evaluator.source, name)] = Known(function=child)
    return Known(fields=fields, origins=origins)


def function(evaluator: Evaluator, node: Node) -> Known:
    """A function."""
    return Known(function=node)


def binary(evaluator: Evaluator, node: Node) -> Known:
    """Two operands and an operator."""
    operator = node.child_by_field_name("operator")
    sign = evaluator.source.text(operator) if operator is not None else ""
    if sign == "+":
        return joined(total(evaluator, node))
    left, right = evaluator.value(node.child_by_field_name("left")), evaluator.value(node.child_by_field_name("right"))
    if sign in {"||", "??", "&&"}:
        return either([left, right] if sign != "&&" else [right])
    origins = left.origins | right.origins
    if left.is_constant and right.is_constant:
        return Known(fold.binary(sign, left.constant, right.constant), origins=origins)
    return Known(origins=origins if sign in {"^", "&", "|"} else NOTHING)


def total(evaluator: Evaluator, node: Node) -> list[Known]:
    """The operands of a sum, in order."""
    parts: list[Known] = []
    current: Node | None = node
    while current is not None and current.type == "binary_expression" and len(parts) < 4096:
        operator = current.child_by_field_name("operator")
        if operator is None or evaluator.source.text(operator) != "+":
            break
        parts.append(evaluator.value(current.child_by_field_name("right")))
        current = current.child_by_field_name("left")
    parts.append(evaluator.value(current))
    return parts[::-1]


def unary(evaluator: Evaluator, node: Node) -> Known:
    """One operand."""
    operator, argument = node.child_by_field_name("operator"), evaluator.value(node.child_by_field_name("argument"))
    sign = evaluator.source.text(operator) if operator is not None else ""
    if sign == "void":
        return Known(None)
    if not argument.is_constant:
        if sign == "!" and argument.items is not None:
            return Known(False)
        return UNKNOWN
    if sign == "!":
        return Known(not argument.constant)
    number = fold.number_of(argument.constant)
    if number is None:
        return UNKNOWN
    if sign == "~":
        return Known(fold.binary("^", number, -1))
    return Known(fold.binary("-", 0, number) if sign == "-" else fold.binary("+", 0, number))


def ternary(evaluator: Evaluator, node: Node) -> Known:
    """One of two."""
    return either(
        [
            evaluator.value(node.child_by_field_name("consequence")),
            evaluator.value(node.child_by_field_name("alternative")),
        ]
    )


def last(evaluator: Evaluator, node: Node) -> Known:
    """The last of several."""
    children = [child for child in node.named_children if child.type != "comment"]
    return evaluator.value(children[-1]) if children else UNKNOWN


def inner(evaluator: Evaluator, node: Node) -> Known:
    """What stands within."""
    return evaluator.value(first(node))


def right(evaluator: Evaluator, node: Node) -> Known:
    """What is assigned."""
    return evaluator.value(node.child_by_field_name("right"))
