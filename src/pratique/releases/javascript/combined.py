"""What is known of several expressions together: texts one after another, one of several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pratique.releases.javascript import fold
from pratique.releases.javascript.values import HOLE, NOTHING, UNKNOWN, UNSET, Known, text_of

if TYPE_CHECKING:
    from tree_sitter import Node


def argument_nodes(call: Node) -> list[Node]:
    """The arguments of a call."""
    arguments = call.child_by_field_name("arguments")
    if arguments is None:
        return []
    if arguments.type == "template_string":
        return [arguments]
    return [child for child in arguments.named_children if child.type != "comment"]


def joined(parts: list[Known]) -> Known:
    """Texts one after another; of none the empty text, as of an empty template."""
    if not parts:
        return Known("")
    origins = NOTHING
    for one in parts:
        origins |= one.all_origins()
    if all(one.is_constant for one in parts):
        whole: object = parts[0].constant
        for one in parts[1:]:
            whole = fold.binary("+", whole, one.constant)
            if whole is UNSET:
                return Known(origins=origins)
        return Known(whole, origins=origins)
    shape = "".join(text_of(one.constant) if one.is_constant else one.shape or HOLE for one in parts)
    return Known(origins=origins, shape=shape[:4096])


def either(found: list[Known]) -> Known:
    """One of several: what all agree on is known, texts are kept one a line."""
    found = [one for one in found if one is not UNKNOWN]
    if not found:
        return UNKNOWN
    first = found[0]
    if len(found) == 1:
        return first
    origins = NOTHING
    for one in found:
        origins |= one.origins
    if all(one.is_constant and one.constant == first.constant for one in found):
        return first.with_origins(origins)
    shape = "\n".join(dict.fromkeys(one.text for one in found if one.text))
    best = next((one for one in found if one.api or one.function is not None or one.fields or one.items), UNKNOWN)
    return Known(
        api=best.api,
        origins=origins,
        items=best.items,
        fields=best.fields,
        function=best.function,
        shape=shape[:4096],
    )


def one_of(whole: Known) -> Known:
    """One item of an array, whichever."""
    if whole.items is None:
        return Known(origins=whole.origins)
    return either(whole.items[:64]).with_origins(whole.origins)
