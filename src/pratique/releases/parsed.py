"""What a grammar could not take in: the first line, and how much."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_NODES = 200_000
"""So many nodes are looked at; what lies beyond is counted as if it were understood."""


def not_understood(root: Node) -> tuple[int, int] | None:
    """The line, from 1, of the first place of a tree that the grammar does not know, and the bytes of all such places.

    None where everything was understood.
    """
    if not root.has_error:
        return None
    first, octets, looked = root.end_point[0], 0, 0
    stack = [root]
    while stack and looked < MOST_NODES:
        node = stack.pop()
        looked += 1
        if node.is_error or node.is_missing:
            first = min(first, node.start_point[0])
            octets += max(1, node.end_byte - node.start_byte)
        elif node.has_error:
            stack.extend(node.children)
    return first + 1, octets


def words(line: int, octets: int, language: str) -> str:
    """The reason of a refusal for such a place."""
    many = "1 byte" if octets == 1 else f"{octets} bytes"
    return f"holds from line {line} on what is no {language} that is known here ({many}); the rest was read"
