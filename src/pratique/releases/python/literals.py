"""Parts of expressions that need no state: literals, items, attributes, parameters, and what formatting makes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pratique.releases.python import fold
from pratique.releases.python.bindings import Bindings
from pratique.releases.python.interfaces import FLOW_METHODS
from pratique.releases.python.values import GAP, NONE, NOTHING, Constant, Known, Names, Origin, either, joined

if TYPE_CHECKING:
    from tree_sitter import Node

    from pratique.releases.python.evaluate import Evaluator

MOST_ITEMS = 4096
_ESCAPE = re.compile(rb"\\(\r?\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]{1,80}\}|.)", re.S)
_SIMPLE = {b"n": "\n", b"t": "\t", b"r": "\r", b"a": "\a", b"b": "\b", b"f": "\f", b"v": "\v"}
_CONNECTED = ("Connection()", "create_connection()", "SMTP()", "SMTP_SSL()", "FTP()", "FTP_TLS()")
_PLACES = re.compile(r"%(?:\([^)]{0,80}\))?[-+# 0]*\d*(?:\.\d+)?[sdrifxXcobe]|\{[^{}]{0,120}\}")


def origin(kind: str, detail: str, offset: int) -> frozenset[Origin]:
    """One origin as a set."""
    return frozenset({Origin(kind, detail, offset)})


def integer(text: str) -> Known:
    """An integer literal; unknown where it is huge or of an old form."""
    try:
        return Known(int(text.replace("_", ""), 0)) if len(text) < 40 else NONE
    except ValueError:
        return NONE


def integer_of(text: str, wide: int) -> Known:
    """The number that a text spells; unknown where it spells none."""
    try:
        return Known(int(text, wide)) if len(text) < 40 and (wide == 0 or 2 <= wide <= 36) else NONE
    except ValueError:
        return NONE


def unescaped(content: bytes, octets: bool) -> str | bytes:
    """The text between quotes with its escapes resolved; `octets`: the literal is one of bytes."""

    def resolved(found: re.Match[bytes]) -> str:
        code = found[1]
        if code in _SIMPLE:
            return _SIMPLE[code]
        if code.endswith(b"\n"):
            return ""
        first = code[:1]
        if first in b"01234567":
            return chr(int(code, 8) & 0xFF if octets else int(code, 8))
        if first == b"x" and len(code) == 3:
            return chr(int(code[1:], 16))
        if first in b"uU" and len(code) > 1 and not octets:
            number = int(code[1:], 16)
            return chr(number) if number < 0x110000 else "\ufffd"
        return code.decode("utf-8", "replace") if code in (b"\\", b"'", b'"') else found[0].decode("utf-8", "replace")

    parts: list[str] = []
    last = 0
    for found in _ESCAPE.finditer(content):
        parts.append(content[last : found.start()].decode("utf-8", "replace"))
        parts.append(resolved(found))
        last = found.end()
    parts.append(content[last:].decode("utf-8", "replace"))
    text = "".join(parts)
    return text.encode("latin-1", "replace") if octets else text


def string(evaluator: Evaluator, node: Node, names: Names | None) -> Known:
    """A literal of text or bytes, formatted or not, or several side by side."""
    if node.type == "concatenated_string":
        return joined(
            [string(evaluator, one, names) for one in node.named_children[:MOST_ITEMS] if one.type == "string"]
        )
    source = evaluator.bindings.source.text
    opening = node.children[0] if node.child_count else None
    if opening is None:
        return NONE
    prefix = source[opening.start_byte : opening.end_byte].rstrip(b"\"'").lower()
    octets, raw = b"b" in prefix, b"r" in prefix
    if b"f" not in prefix and b"t" not in prefix:
        closing = node.children[-1]
        content = source[opening.end_byte : closing.start_byte if closing.type == "string_end" else node.end_byte]
        if b"\\" in content and not raw:
            return Known(unescaped(content, octets))
        return Known(content if octets else content.decode("utf-8", "replace"))
    parts: list[Known] = []
    for part in node.named_children:
        if part.type == "string_content":
            text = unescaped(source[part.start_byte : part.end_byte], False)
            parts.append(
                Known(text if raw is False else source[part.start_byte : part.end_byte].decode("utf-8", "replace"))
            )
        elif part.type == "interpolation":
            inner = part.child_by_field_name("expression") or (
                part.named_children[0] if part.named_child_count else None
            )
            known = evaluator.value(inner, names)
            parts.append(
                known if known.choices or known.all_origins() else Known(known.constant, texts=known.texts or (GAP,))
            )
    return joined(parts) if parts else Known("")


def formatted(template: Known, given: Known) -> Known:
    """Text with its places for values filled: by `%`, or by `format`."""
    values = list(given.items) if given.items is not None else [given]
    parts: list[Known] = []
    text = template.text[:65536]
    last = 0
    for number, found in enumerate(_PLACES.finditer(text)):
        parts.append(Known(text[last : found.start()]))
        parts.append(values[number] if number < len(values) else Known(texts=(GAP,)))
        last = found.end()
        if number > 64:
            break
    parts.append(Known(text[last:]))
    made = joined(parts)
    return Known(made.constant, texts=made.texts, origins=made.origins | template.origins | given.all_origins())


def each(known: Known) -> Known:
    """What a loop over a value gives its name."""
    if known.items:
        found = either(list(known.items[:64]))
        return Known(
            found.constant, api=found.api, origins=found.origins | known.origins, texts=found.texts, items=found.items,
            fields=found.fields,
        )  # fmt: skip
    texts: tuple[str, ...] = (GAP,) if known.api in ("pathlib.Path()", "os.walk()") or known.choices else ()
    below = tuple(
        f"{text}/{GAP}" for text in known.choices if "/" in text or "\\" in text or text.startswith((".", "~"))
    )
    return Known(
        api="pathlib.Path()" if known.api == "pathlib.Path()" else "", origins=known.origins, texts=below or texts
    )


def item(known: Known, place: int) -> Known:
    """One item by its number; what the whole is known for, where its items are not."""
    if known.items is not None and -len(known.items) <= place < len(known.items):
        found = known.items[place]
        return either([found, Known(origins=known.origins)]) if known.origins else found
    if isinstance(known.constant, bytes) and 0 <= place < len(known.constant):
        return Known(known.constant[place], origins=known.origins)
    return Known(origins=known.all_origins())


def chosen(outer: Known, key: Known, offset: int) -> Known:
    """What a key of a value gives: a variable of the environment, an attribute by name, an item."""
    if outer.api in ("os.environ", "os.environb", "os.environ.copy()", "dict(os.environ)"):
        name = key.string or (key.constant.decode("latin-1") if isinstance(key.constant, bytes) else "")
        return environment(name, offset)
    if outer.api in ("globals()", "locals()", "vars()", "sys.modules", "__builtins__.__dict__", "builtins.__dict__"):
        return Known(api=(key.string or "").removeprefix("__builtins__."))
    if outer.api.endswith(".__dict__") and key.string:
        return Known(api=f"{outer.api.removesuffix('.__dict__')}.{key.string}")
    if key.string is not None and outer.fields and key.string in outer.fields:
        return outer.fields[key.string]
    if isinstance(key.constant, int):
        return item(outer, key.constant)
    if outer.items:
        found = either(list(outer.items[:64]))
        return Known(api=found.api, origins=found.origins | outer.origins, texts=found.choices)
    return Known(origins=outer.origins)


def environment(name: str, offset: int) -> Known:
    """A variable of the environment; an empty name: one that is not known."""
    text = {"HOME": "~", "USERPROFILE": "~", "APPDATA": "~/AppData/Roaming", "LOCALAPPDATA": "~/AppData/Local"}.get(
        name
    )
    return Known(texts=(text or GAP,), origins=NOTHING if text else origin("environment", name[:80] or GAP, offset))


def attribute(evaluator: Evaluator, outer: Known, name: str) -> Known:
    """What an attribute of a value is."""
    if outer.api in ("__builtins__", "builtins", "__builtin__") and name != "__dict__":
        return Known(api=name)
    if outer.api == "os.environ" and name == "copy":
        return Known(api="os.environ.copy")
    if name == "parent" and outer.choices:
        texts = tuple(text.rpartition("/")[0] for text in outer.choices)
        return Known(api=outer.api, texts=texts, origins=outer.origins)
    del evaluator
    keeps = name in FLOW_METHODS
    api = f"{outer.api}.{name}" if outer.api else ""
    if not keeps and not api:
        return NONE
    return Known(
        api=api if len(api) < 160 else "",
        origins=outer.all_origins() if keeps or outer.api == "pathlib.Path()" else NOTHING,
        texts=outer.choices if outer.api == "pathlib.Path()" or outer.api.endswith(_CONNECTED) else (),
    )


def whole(known: Known, offset: int) -> Known:
    """The environment as a value: all of its variables."""
    if known.api not in ("os.environ", "os.environb") or known.origins:
        return known
    return Known(api=known.api, origins=origin("environment", "*", offset))


def bounds(evaluator: Evaluator, index: Node, names: Names | None) -> tuple[Constant, Constant, Constant]:
    """The three bounds of a slice; None where one is not given."""
    found: list[Constant] = [None, None, None]
    place = 0
    for child in index.children:
        if child.type == ":":
            place += 1
        elif place < 3:
            known = evaluator.value(child, names)
            found[place] = known.constant if isinstance(known.constant, int) else ""
    return found[0], found[1], found[2]


def arithmetic(operator: str, one: int, two: int) -> Known:
    """A sum of integers, where it is small."""
    if max(abs(one), abs(two)) > 1 << 40:
        return NONE
    if operator in ("//", "%") and two:
        return Known(one // two if operator == "//" else one % two)
    made = {"-": one - two, "*": one * two, "^": one ^ two, "&": one & two, "|": one | two}.get(operator)
    return Known(made) if made is not None else NONE


def comprehension(evaluator: Evaluator, node: Node, names: Names | None) -> Known:
    """The items of a comprehension over one known sequence; what flows into them, where it is not known."""
    body = node.child_by_field_name("body")
    clauses = [one for one in node.named_children if one.type == "for_in_clause"]
    if body is None or not clauses:
        return NONE
    left, right = clauses[0].child_by_field_name("left"), clauses[0].child_by_field_name("right")
    source = evaluator.value(right, names)
    items: list[Known] | None = None
    if isinstance(source.constant, str | bytes) and len(source.constant) <= MOST_ITEMS:
        text = source.constant
        items = [Known(text[at] if isinstance(text, bytes) else text[at : at + 1]) for at in range(len(text))]
    elif source.items is not None and len(source.items) <= MOST_ITEMS:
        items = list(source.items)
    alone = len(node.named_children) == 2 and left is not None and left.type == "identifier"
    if items is None or not alone or left is None or evaluator.steps < len(items) * 8:
        inner = evaluator.value(body, names)
        return Known(items=(inner,), origins=inner.all_origins() | source.origins)
    name = evaluator.bindings.text(left)
    return Known(items=tuple(evaluator.value(body, Names({**(names or {}), name: one})) for one in items))


def parameter(bindings: Bindings, number: int, name: str) -> tuple[int, Node | None, bool]:
    """The place of a parameter, its default, whether it takes several; place -1 where there is none of that name."""
    parameters = bindings.functions[number].node.child_by_field_name("parameters")
    place = 0
    for one in parameters.named_children if parameters is not None else ():
        kind = one.type
        if kind == "identifier":
            if bindings.text(one) == name:
                return place, None, False
        elif kind in ("default_parameter", "typed_default_parameter"):
            stated = one.child_by_field_name("name")
            if stated is not None and bindings.text(stated) == name:
                return place, one.child_by_field_name("value"), False
        elif kind in ("typed_parameter", "list_splat_pattern", "dictionary_splat_pattern"):
            if bindings.root(one.named_children[0]) == name and one.named_child_count:
                return place, None, kind != "typed_parameter"
        elif kind in ("keyword_separator", "positional_separator", "comment"):
            continue
        place += 1
    return -1, None, False


def argument(bindings: Bindings, site: Node, place: int, name: str, outer: int) -> Node | None:
    """The argument that a call gives for a parameter, by keyword or by place; the object itself is no argument."""
    del outer
    positional, keywords = arguments(bindings, site)
    if name in keywords:
        return keywords[name]
    if "target" in keywords:
        given = keywords.get("args")
        inside = given.named_children if given is not None and given.type in ("tuple", "list") else []
        return inside[place] if 0 <= place < len(inside) else None
    callee = site.child_by_field_name("function")
    if callee is not None and callee.type == "attribute":
        place -= 1
    return positional[place] if 0 <= place < len(positional) else None


def arguments(bindings: Bindings, call: Node) -> tuple[list[Node], dict[str, Node]]:
    """The arguments of a call: by place, and by keyword."""
    held = call.child_by_field_name("arguments")
    positional: list[Node] = []
    keywords: dict[str, Node] = {}
    if held is None:
        return positional, keywords
    if held.type == "generator_expression":
        return [held], keywords
    for one in held.named_children[:MOST_ITEMS]:
        if one.type == "keyword_argument":
            key, value = one.child_by_field_name("name"), one.child_by_field_name("value")
            if key is not None and value is not None:
                keywords[bindings.text(key)] = value
        elif one.type != "comment":
            positional.append(one)
    return positional, keywords


def returns(bindings: Bindings, number: int) -> list[Node]:
    """What a function returns: at most four expressions, of a function of at most 8 KiB."""
    function = bindings.functions[number]
    if function.end - function.start > 8192:
        return []
    found: list[Node] = []
    waiting = [function.node.child_by_field_name("body")]
    looked = 0
    while waiting and len(found) < 4 and looked < 400:
        node = waiting.pop()
        looked += 1
        if node is None or node.type in ("function_definition", "class_definition", "lambda", "call", "string"):
            continue
        if node.type in ("return_statement", "yield"):
            found.extend(node.named_children[:1])
            continue
        if node.type.endswith(("statement", "clause", "block")) or node.type == "block":
            waiting.extend(reversed(node.named_children))
    return found


def folded_text(octets: bytes, coding: Constant) -> Known:
    """Bytes decoded as text."""
    text = fold.text_of(octets, coding)
    return Known(text) if text is not None else NONE
