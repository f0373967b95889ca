"""Whether the whole environment is read, or only handed on to a program that is started, or set for a test."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pratique.releases.python.bindings import Bindings

if TYPE_CHECKING:
    from tree_sitter import Node

_NAMED = frozenset({"env", "environ", "environment", "extra_env", "environment_variables"})
_SETS = re.compile(r"(?:setitem|setenv|delitem|delenv|setattr|patch\.dict|expandvars|exec[vl]p?e|spawn\w+)$")
_HOLDS = frozenset(
    {"argument_list", "call", "attribute", "dictionary_splat", "dictionary", "parenthesized_expression", "pair"}
    | {"conditional_expression", "boolean_operator", "binary_operator", "dictionary_comprehension", "for_in_clause"}
)
_LONGEST = 100_000


def handed_on(bindings: Bindings, node: Node) -> bool:
    """Whether the environment at a node goes to a started program as its environment, or is where a test sets one."""
    inner, above = node, node.parent
    for _ in range(8):
        if above is None:
            return False
        if above.type == "keyword_argument":
            name = above.child_by_field_name("name")
            return name is not None and bindings.text(name) in _NAMED
        if above.type == "call":
            callee = above.child_by_field_name("function")
            if callee is not None and callee.id != inner.id and _SETS.search(bindings.text(callee)[-80:]):
                return True
        if above.type in ("assignment", "named_expression"):
            left = above.child_by_field_name("left") or above.child_by_field_name("name")
            return left is not None and _given(bindings, bindings.text(left)[:80], node.start_byte)
        if above.type not in _HOLDS:
            return False
        inner, above = above, above.parent
    return False


def _given(bindings: Bindings, name: str, offset: int) -> bool:
    """Whether what a name holds is given to a program as its environment, in the same function."""
    number = bindings.function_at(offset)
    start, end = 0, len(bindings.source.text)
    if number >= 0 and "." not in name:
        start, end = bindings.functions[number].start, bindings.functions[number].end
    text = bindings.source.text[start : min(end, start + _LONGEST)]
    spelled = re.escape(name.encode())
    pattern = (
        rb"\b(?:extra_)?env(?:iron(?:ment)?)?\s*=\s*(?:dict\()?%s\b|exec[vl]p?e\(.*\b%s\b"
        rb"|['\"]env['\"]\]?\s*[:=]\s*%s\b" % (spelled, spelled, spelled)
    )
    return re.search(pattern, text) is not None
