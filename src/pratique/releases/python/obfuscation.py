"""How Python code is hidden: in encoded literals, by numbers of characters, far to the right, by names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pratique.model.release import Value
from pratique.releases.decoding import Budget, Layer, layers
from pratique.releases.python.bindings import Bindings
from pratique.releases.python.effects import Event
from pratique.releases.python.evaluate import Evaluator
from pratique.releases.python.source import shortened

if TYPE_CHECKING:
    from tree_sitter import Node

Hidden = tuple[str, int, int, dict[str, Value], bytes]
"""Kind, first and last offset, attributes, and the code that was decoded (empty where none)."""

SHORTEST = 72
_MOST_LITERALS = 400
_FAR = 150
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_-")
_MARKED = bytes(0x61 if code in _ALPHABET else 0x20 for code in range(256))
_RUN = b"a" * SHORTEST
_ENCODED = re.compile(rb"[A-Za-z0-9+/=_\-]{72,}")
_DIGEST = re.compile(rb"[0-9a-f]{96}|[0-9a-f]{128}|sha(?:256|384|512)-[A-Za-z0-9+/]{43,86}={0,2}")
_ESCAPES = re.compile(rb"(?:\\x[2-7][0-9a-fA-F]){12,}")
_CODES = re.compile(rb"\bchr\s*\(\s*(?:0[xX][0-9a-fA-F]{2}|\d{2,3})\s*(?:[-+^]\s*\d{1,6}\s*)?\)")
_RIGHT = re.compile(rb"(?<=[^ \n]) {150,}(?=[^ \n#\\])|(?<=\n) {250,}(?=[^ \n#])")
_ODD = re.compile(rb"(?<![\w.\"'\\])(?:_0x[0-9a-fA-F]{3,}|[Il1]{7,}|[O0Q]{6,}|_{4,}|_{3,}[0-9]+)(?![\w\"'])")
_WORD = re.compile(rb"[A-Za-z_]\w*")
_LAMBDAS = re.compile(rb"(?:\blambda\b(?:(?!\blambda\b)[^\n]){0,200}){5,}")
_RUNNERS = re.compile(rb"\bexec\b|\beval\b|__import__")


def worth(text: bytes) -> bool:
    """Whether a text may hide anything that a parser is needed for."""
    return (
        _RUN in text.translate(_MARKED)
        or b" " * _FAR in text
        or text.count(b"\\x") >= 12
        or b"_0x" in text
        or b"____" in text
    )


def facts(bindings: Bindings, evaluator: Evaluator, budget: Budget, runs: list[Event]) -> Iterator[Hidden]:
    """Everything that is hidden in one text."""
    text = bindings.source.text
    yield from _literals(bindings, evaluator, budget, runs)
    yield from _codes(text, bindings)
    for found in _ESCAPES.finditer(text) if text.count(b"\\x") >= 12 else ():
        node = _string_at(bindings, found.start())
        if node is not None:
            length = (found.end() - found.start()) // 4
            yield "obfuscation.form", found.start(), found.end(), {"form": "escapes", "length": length}, b""
            break
    for found in _RIGHT.finditer(text) if b" " * _FAR in text else ():
        node = bindings.tree.root_node.descendant_for_byte_range(found.end(), found.end() + 1)
        if node is not None and not _in_string(node) and node.type not in ("comment", "ERROR"):
            length = found.end() - found.start()
            yield "obfuscation.form", found.end(), found.end() + 400, {"form": "far-right", "length": length}, b""
    yield from _names(text, bindings)
    for found in _LAMBDAS.finditer(text) if text.count(b"lambda") >= 5 else ():
        start = text.rfind(b"\n", 0, found.start()) + 1
        if _RUNNERS.search(text, max(start, found.start() - 400), found.end()):
            length = found[0].count(b"lambda")
            yield "obfuscation.form", found.start(), found.end(), {"form": "lambda-chain", "length": length}, b""
            break


def _literals(bindings: Bindings, evaluator: Evaluator, budget: Budget, runs: list[Event]) -> Iterator[Hidden]:
    text = bindings.source.text
    if _RUN not in text.translate(_MARKED):
        return
    known = {_octets(event.target.constant) for event in runs}
    seen: set[int] = set()
    last = -1
    for found in _ENCODED.finditer(text):
        if found.start() < last:
            continue
        node = _string_at(bindings, found.start())
        if node is None:
            continue
        if _DIGEST.fullmatch(found[0]):
            continue
        whole = _whole(node)
        last = whole.end_byte
        if whole.id in seen or _documents(whole):
            continue
        seen.add(whole.id)
        if len(seen) > _MOST_LITERALS:
            budget.exhausted = True
            return
        octets = _octets(evaluator.value(whole).constant)
        if octets is None or len(octets) < SHORTEST:
            continue
        kept = [one for one in layers(octets, budget) if _counts(one)]
        if not kept:
            continue
        deepest = kept[-1]
        inside = any(event.node.start_byte <= whole.start_byte < event.node.end_byte for event in runs)
        attributes: dict[str, Value] = {
            "encoding": ", ".join(deepest.encodings),
            "length": len(octets),
            "decoded": shortened(deepest.content[:600].decode("utf-8", "replace"))[:160],
            "runs": inside or any(one.content in known for one in kept),
        }
        content = deepest.content if deepest.meaning in ("code", "shell", "text") else b""
        yield "obfuscation.literal", whole.start_byte, whole.end_byte, attributes, content


def _counts(layer: Layer) -> bool:
    """Whether what was decoded says something; one word out of a long text does not."""
    return layer.meaning not in ("", "word") and len(layer.content) >= 16


def _octets(value: object) -> bytes | None:
    if isinstance(value, bytes):
        return value
    return value.encode("utf-8", "replace") if isinstance(value, str) else None


def _string_at(bindings: Bindings, offset: int) -> Node | None:
    """The literal around an offset; None in code and comments."""
    node = bindings.tree.root_node.descendant_for_byte_range(offset, offset + 1)
    for _ in range(4):
        if node is None or node.type == "string":
            return node
        node = node.parent
    return None


def _whole(node: Node) -> Node:
    """The whole of a literal that is put together of several."""
    whole = node
    for _ in range(64):
        above = whole.parent
        if above is None or above.type not in ("concatenated_string", "binary_operator", "parenthesized_expression"):
            return whole
        whole = above
    return whole


def _documents(node: Node) -> bool:
    """Whether a literal is a statement of its own: documentation, that no code uses."""
    above = node.parent
    return above is not None and above.type == "expression_statement" and above.named_child_count == 1


def _in_string(node: Node | None) -> bool:
    for _ in range(4):
        if node is None:
            return False
        if node.type in ("string", "string_content", "concatenated_string"):
            return True
        node = node.parent
    return False


def _codes(text: bytes, bindings: Bindings) -> Iterator[Hidden]:
    """Many characters by their numbers, close to each other."""
    if text.count(b"chr") < 12:
        return
    found = list(_CODES.finditer(text))
    for first, last in zip(found, found[11:], strict=False):
        if last.end() - first.start() < 600 and not _in_string(
            bindings.tree.root_node.descendant_for_byte_range(first.start(), first.end())
        ):
            attributes: dict[str, Value] = {"form": "character-codes", "length": len(found)}
            yield "obfuscation.form", first.start(), last.end(), attributes, b""
            return


def _names(text: bytes, bindings: Bindings) -> Iterator[Hidden]:
    """Names that are made to be told apart by no eye."""
    if not (
        b"_0x" in text
        or b"IIl" in text
        or b"lII" in text
        or b"lIl" in text
        or b"O0" in text
        or b"0O" in text
        or b"____" in text
    ):
        return
    distinct: set[bytes] = set()
    first = -1
    uses = looked = 0
    for found in _ODD.finditer(text):
        if b"__" in found[0] and found[0].strip(b"_0123456789x") and not found[0].startswith(b"_0x"):
            continue
        if found[0] not in distinct:
            node = bindings.tree.root_node.descendant_for_byte_range(found.start(), found.end())
            if node is None or node.type != "identifier":
                looked += 1
                if looked > 400:
                    return
                continue
        distinct.add(found[0])
        uses += 1
        first = found.start() if first < 0 else first
    if len(distinct) < 8:
        return
    total = sum(1 for _ in _WORD.finditer(text))
    share = round(uses / max(1, total), 3)
    if share >= 0.05:
        attributes: dict[str, Value] = {"share": share, "count": len(distinct)}
        yield "obfuscation.names", first, first + 200, attributes, b""
