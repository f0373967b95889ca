"""Functions of a file: where they are called, what they return."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pratique.releases.javascript.bindings import Bindings
from pratique.releases.javascript.combined import argument_nodes
from pratique.releases.javascript.source import Source, first

if TYPE_CHECKING:
    from tree_sitter import Node

SITES = 8
"""Places where a function is called that are looked at."""
RETURNS = 40
"""Returns in a function, its inner functions counted, that are looked at."""

_RETURN = re.compile(rb"(?<![\w$.])return(?![\w$])")


def sites(bindings: Bindings, function: Node) -> list[tuple[Node, int]]:
    """Calls that reach a function: with -1 a direct one, else the argument's place that it is given as."""
    path = bindings.source.path(function)
    if len(path) < 2:
        return []
    parent = path[-2]
    name: Node | None = None
    if function.type in {"function_declaration", "generator_function_declaration"}:
        name = function.child_by_field_name("name")
    elif parent.type == "variable_declarator":
        name = parent.child_by_field_name("name")
    elif parent.type == "arguments":
        return [(path[-3], argument_nodes(path[-3]).index(function))] if len(path) > 2 else []
    elif parent.type in {"parenthesized_expression", "member_expression"} and len(path) > 3:
        if path[-3].type == "call_expression":
            return [(path[-3], -1)]
    elif parent.type == "call_expression":
        return [(parent, -1)]
    elif parent.type == "assignment_expression":
        name = parent.child_by_field_name("left")
    if name is None or name.type != "identifier":
        return []
    binding = bindings.resolve(name)
    found: list[tuple[Node, int]] = []
    for mention in binding.mentions if binding is not None else ():
        above = bindings.source.path(mention)
        if len(above) < 3:
            continue
        if above[-2].type == "call_expression" and mention == above[-2].child_by_field_name("function"):
            found.append((above[-2], -1))
        elif above[-2].type == "arguments":
            found.append((above[-3], argument_nodes(above[-3]).index(mention)))
        if len(found) >= SITES:
            break
    return found


def returns(source: Source, function: Node) -> list[Node]:
    """The expressions that a function returns."""
    body = function.child_by_field_name("body")
    if body is None:
        return []
    if body.type != "statement_block":
        return [body]
    found: list[Node] = []
    for number, match in enumerate(_RETURN.finditer(source.content, body.start_byte, body.end_byte)):
        if number >= RETURNS:
            break
        leaf = source.root.descendant_for_byte_range(match.start(), match.end())
        path = source.path(leaf) if leaf is not None else []
        if len(path) < 2 or path[-2].type != "return_statement" or source.function_of(path[-2]) != function:
            continue
        value = first(path[-2])
        if value is not None:
            found.append(value)
        if len(found) >= 4:
            break
    return found
