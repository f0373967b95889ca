"""YAML as pnpm writes it: a quick way for pnpm's own layout, and a strict way for everything else.

Both ways give the same tree: mappings as `Pairs` (every pair, duplicate keys included), lists, and scalars as their
text without any guess at their type. The quick way takes only what it fully understands: mappings indented by two
spaces, scalars on one line or in a literal block, one-line flow collections without nesting. The strict way goes
through PyYAML's events: nothing is constructed, nesting is bounded, and references to anchors are counted.
"""

from __future__ import annotations

import json
import re
from typing import Union

import msgspec

from pratique.readers.npm.package_lock import Pairs
from pratique.readers.text import portable
from pratique.readers.yaml_events import give_events

Node = Union[str, "Pairs", list["Node"], None]

MAX_DEPTH = 64
MAX_REPEATED = 100_000
"""How many nodes references to anchors may repeat before a file is called a bomb."""

_PLAIN = r"[^\s\-?:,\[\]{}#&*!|>'\"%@`][^:#\n]*+(?:(?::(?=\S)|(?<=\S)\#)[^:#\n]*+)*+(?<!\s)"
_SINGLE = r"'[^'\n]*+(?:''[^'\n]*+)*+'"
_DOUBLE = r'"[^"\\\n]*+"'
_KEY = rf"(?:{_SINGLE}|{_DOUBLE}|(?![<=?])(?:{_PLAIN}))"
_FLOW = r"(?:\{[^{}\[\]\n]*+\}|\[[^{}\[\]\n]*+\])"
_LAYOUT = re.compile(
    portable(
        rf"""(?:
        \n
      | ((?:\x20\x20)*+){_KEY}:
        (?: \n | \x20(?:{_PLAIN}|{_FLOW}|{_SINGLE}|{_DOUBLE})\n | \x20[|>]-?\n(?:\1\x20\x20[^\n]*+\n|\n)*+ )
      | (?:\x20\x20)*+-\x20(?:{_SINGLE}|{_DOUBLE}|{_PLAIN})\n
    )*+"""
    ),
    re.VERBOSE,
)
_ODD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that YAML forbids or takes for breaks or blanks; pnpm writes none of them plainly."""
_LINE = re.compile(portable(rf"(?P<indent> *)(?:- (?P<item>.+)|(?P<key>{_KEY}):(?: (?P<value>.+))?)"))
_CONFLICT = re.compile(r"^(?:<{7}|\|{7}|={7}|>{7})(?:[ \r]|$)", re.MULTILINE)
_ENTRY = re.compile(portable(r"  ([^ \n][^\n]*+)\n((?:    [^\n]*+\n|\n)*+)"))
_SECTION = re.compile(portable(r"^([^ \n][^\n]*+)\n((?: [^\n]*+\n|\n)*+)"), re.MULTILINE)


class Unexpected(Exception):  # noqa: N818 (it sends the text down the strict way; it is no failure)
    """The text is not in pnpm's own layout."""


class Parsed(msgspec.Struct):
    """The documents of a text; `damage` says what is wrong with it, and the documents then hold what stood before."""

    documents: list[Node]
    damage: str | None = None


def has_conflicts(text: str) -> bool:
    """Whether merge-conflict markers stand in the text."""
    return ("<<<<<<<" in text or ">>>>>>>" in text or "=======" in text) and bool(_CONFLICT.search(text))


def conflict_sides(text: str) -> list[str]:
    """The two texts that a file with merge-conflict markers stands for; a common ancestor is left out."""
    ours: list[str] = []
    theirs: list[str] = []
    state = "both"
    for line in text.splitlines(keepends=True):
        if _CONFLICT.match(line):
            state = {"<": "ours", "|": "ancestor", "=": "theirs", ">": "both"}[line[0]]
            continue
        if state in ("both", "ours"):
            ours.append(line)
        if state in ("both", "theirs"):
            theirs.append(line)
    return ["".join(ours), "".join(theirs)]


def quick_sections(text: str) -> list[list[tuple[str, str]]]:
    """The documents of a text in pnpm's layout, each as its top-level keys with the unparsed text below them.

    The text below a key starts with what follows on the key's own line, then a newline. Raises Unexpected.
    """
    if _ODD.search(text):
        raise Unexpected
    text = text.removeprefix("---\n")
    documents = []
    for document in text.split("\n---\n"):
        if not document.endswith("\n"):
            document += "\n"
        if not _LAYOUT.fullmatch(document):
            raise Unexpected
        sections: list[tuple[str, str]] = []
        used = len(document) - len(document.lstrip("\n"))
        for line, body in _SECTION.findall(document):
            used += len(line) + 1 + len(body)
            match = _LINE.fullmatch(line)
            if match is None or match["key"] is None:
                raise Unexpected
            sections.append((unquote(match["key"]), (match["value"] or "") + "\n" + body))
        if used != len(document):
            raise Unexpected
        documents.append(sections)
    return documents


def quick_entries(section: str) -> list[tuple[str, str]]:
    """The pairs of one top-level mapping, each with the unparsed text below it. Raises Unexpected."""
    head, _, body = section.partition("\n")
    if head:
        if head == "{}" and not body.strip("\n"):
            return []
        raise Unexpected
    used = len(body) - len(body.lstrip("\n"))
    entries = []
    for line, inner in _ENTRY.findall(body):
        used += len(line) + 3 + len(inner)
        if line[-1] == ":":
            entries.append((unquote(line[:-1]) if line[0] in "'\"" else line[:-1], inner))
        elif line.endswith(": {}") and not inner.strip("\n"):
            entries.append((unquote(line[:-4]), ""))
        else:
            raise Unexpected
    if used != len(body):
        raise Unexpected
    return entries


def quick_tree(section: str, indent: int) -> Node:
    """The tree of the text below a key; its lines start at `indent` spaces. Raises Unexpected."""
    head, newline, body = section.partition("\n")
    if not newline and not head:
        return None
    if head:
        if body.strip("\n") and head[0] not in "|>":
            raise Unexpected
        return _literal(head, body.split("\n"), indent) if head[0] in "|>" else _scalar(head)
    return quick_block(body, indent)


def quick_block(body: str, indent: int) -> Node:
    """The tree of a block of lines that start at `indent` spaces; None where there is no line. Raises Unexpected."""
    top: list[Node] = []
    stack: list[tuple[int, Pairs | list[Node]]] = []
    pending: tuple[Pairs, str] | None = None  # a key whose value is on the lines below
    expected = indent
    lines = body.split("\n")
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        if not line:
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise Unexpected
        depth = len(match["indent"])
        is_item = match["item"] is not None
        if depth == expected and (pending is not None or not stack):
            container: Pairs | list[Node] = [] if is_item else Pairs([])
            if pending is None:
                top.append(container)
            else:
                pending[0].pairs.append((pending[1], container))
            stack.append((depth, container))
        else:
            if pending is not None:
                pending[0].pairs.append((pending[1], None))
            while stack and stack[-1][0] > depth:
                stack.pop()
            if not stack or stack[-1][0] != depth or isinstance(stack[-1][1], list) is not is_item:
                raise Unexpected
        pending = None
        expected = -1
        holder = stack[-1][1]
        if isinstance(holder, list):
            holder.append(_scalar(match["item"]))
            continue
        key, value = unquote(match["key"]), match["value"]
        if value is None:
            pending = (holder, key)
            expected = depth + 2
        elif value[0] in "|>":
            end = index
            while end < len(lines) and (not lines[end] or lines[end].startswith(" " * (depth + 2))):
                end += 1
            holder.pairs.append((key, _literal(value, lines[index:end], depth + 2)))
            index = end
        else:
            holder.pairs.append((key, _scalar(value)))
    if pending is not None:
        pending[0].pairs.append((pending[1], None))
    return top[0] if top else None


def _literal(style: str, lines: list[str], indent: int) -> str:
    """A block scalar. Only literal ones without more-indented first lines; the others go the strict way."""
    kept = [line[indent:] for line in lines]
    while kept and not kept[-1]:
        kept.pop()
    if style not in ("|-", "|") or not kept or kept[0][:1] in ("", " "):
        raise Unexpected
    return "\n".join(kept) + ("\n" if style == "|" else "")


def unquote(text: str) -> str:
    """A scalar without its quotes."""
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    return text[1:-1] if text[0] == '"' else text


def _scalar(text: str) -> Node:
    first = text[0]
    if first == "{":
        return Pairs([(unquote(key), _plain(value)) for key, value in _flow_parts(text, _FLOW_PAIR)])
    if first == "[":
        return [_plain(item) for item, _ in _flow_parts(text, _FLOW_ITEM)]
    return _plain(text)


def _plain(text: str) -> str | None:
    return None if text in ("~", "null") else unquote(text)


_FLOW_PLAIN = r"[^\s\-?:,\[\]{}#&*!|>'\"%@`][^:#,\n\[\]{}]*+(?:(?::(?=[^\s,?])|(?<=\S)\#)[^:#,\n\[\]{}]*+)*+(?<!\s)"
_FLOW_SCALAR = rf"(?:{_SINGLE}|{_DOUBLE}|{_FLOW_PLAIN})"
_FLOW_PAIR = re.compile(portable(rf"({_FLOW_SCALAR}): ({_FLOW_SCALAR})(?:, |$)"))
_FLOW_ITEM = re.compile(portable(rf"({_FLOW_SCALAR})()(?:, |$)"))


def _flow_parts(text: str, part: re.Pattern[str]) -> list[tuple[str, str]]:
    """The parts of a one-line flow collection."""
    inner = text[1:-1]
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(inner):
        match = part.match(inner, place)
        if match is None:
            raise Unexpected
        found.append((match[1], match[2]))
        place = match.end()
    if inner.endswith(", "):
        raise Unexpected
    return found


def strict_trees(text: str) -> Parsed:
    """Every document of any YAML text. Damage does not lose what stood before it."""
    builder = _Builder()
    damage = give_events(text, builder.take, Unexpected)
    return Parsed(builder.documents, damage)


class _Builder:
    """Makes trees out of PyYAML's events, without recursion."""

    def __init__(self) -> None:
        self.documents: list[Node] = []
        self.stack: list[Pairs | list[Node]] = []
        self.keys: list[str | None] = []
        self.open_anchors: list[tuple[str | None, int]] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0
        self.repeated = 0

    def take(self, event: object) -> None:
        """Take in one event. Raises Unexpected where the document is a bomb or nested too deeply."""
        import yaml

        self.nodes += 1
        if isinstance(event, yaml.ScalarEvent):
            plain_null = event.style in (None, "") and event.value in ("", "~", "null")
            node: Node = None if plain_null else event.value
            if event.anchor is not None:
                self.anchors[event.anchor] = (node, 1)
            self._add(node, event.value)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            container: Pairs | list[Node] = Pairs([]) if isinstance(event, yaml.MappingStartEvent) else []
            self._add(container, None)
            if len(self.stack) >= MAX_DEPTH:
                raise Unexpected("is nested too deeply")
            self.stack.append(container)
            self.keys.append(None)
            self.open_anchors.append((event.anchor, self.nodes))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            ended = self.stack.pop()
            self.keys.pop()
            anchor, start = self.open_anchors.pop()
            if anchor is not None:
                self.anchors[anchor] = (ended, self.nodes - start)
        elif isinstance(event, yaml.AliasEvent):
            known = self.anchors.get(event.anchor or "")
            if known is None:
                raise Unexpected("refers to an anchor that it does not define")
            self.repeated += known[1]
            self.nodes += known[1]
            if self.repeated > MAX_REPEATED:
                raise Unexpected("repeats anchors too often")
            self._add(known[0], known[0] if isinstance(known[0], str) else None)
        elif isinstance(event, yaml.DocumentStartEvent):
            self.anchors.clear()

    def _add(self, node: Node, text: str | None) -> None:
        if not self.stack:
            self.documents.append(node)
            return
        holder = self.stack[-1]
        if isinstance(holder, list):
            holder.append(node)
            return
        key = self.keys[-1]
        if key is None:
            if text is None:
                raise Unexpected("has a key that is not text")
            self.keys[-1] = text
            holder.pairs.append((text, None))
            return
        self.keys[-1] = None
        if key == "<<" and isinstance(node, Pairs):
            holder.pairs[-1:] = node.pairs
        else:
            holder.pairs[-1] = (key, node)


def read_tree(text: str) -> Parsed:
    """All documents of a text, by the quick way where it is in pnpm's layout and by the strict one elsewhere."""
    if text.endswith("\n"):
        try:
            return Parsed([_document(sections) for sections in quick_sections(text)])
        except Unexpected:
            pass
    return strict_trees(text)


def _document(sections: list[tuple[str, str]]) -> Node:
    return Pairs([(key, quick_tree(section, 2)) for key, section in sections]) if sections else None


def repeated_keys(node: Node) -> list[str]:
    """The keys that stand more than once in a mapping."""
    if not isinstance(node, Pairs):
        return []
    seen: set[str] = set()
    twice: list[str] = []
    for key, _ in node.pairs:
        if key in seen and key not in twice:
            twice.append(key)
        seen.add(key)
    return twice


def read_either(text: str) -> Parsed:
    """The documents of a text that is JSON or YAML. What stands before damage in JSON is kept too."""
    if not text.lstrip().startswith("{"):
        return read_tree(text)
    try:
        document = json.loads(text, object_pairs_hook=Pairs)
    except json.JSONDecodeError as error:
        kept = strict_trees(text).documents
        return Parsed(kept, f"is not whole JSON: {error.msg} at line {error.lineno}")
    except (RecursionError, ValueError):
        return Parsed([], "is nested too deeply")
    return Parsed([document])
