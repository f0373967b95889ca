"""The lines that Yarn writes into its lockfiles and state files: blocks of fields, two blanks deep.

Yarn classic and Yarn 2 and later write nearly the same layout: a line without indentation opens a block, lines with two
blanks are its fields, deeper ones belong to the field above them. The parser takes both, keeps what stands twice, and
says what it did not understand instead of guessing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import msgspec

from pratique.readers.text import portable

MOST_LINES = 5_000_000
MOST_BLOCKS = 300_000
LARGEST_YAML = 8 << 20
_TOKEN = re.compile(portable(r'"((?:[^"\\]++|\\.)*+)(?:"|\\?$)|([^",\s]+)'))
_MARKER = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?: |$)")
_FOREIGN = frozenset("-?'{[&*!|>%`")
"""Characters that begin what YAML knows and Yarn does not write."""


class Block(msgspec.Struct, gc=False):
    """One block. `fields` are (key, value) in order, duplicates kept; a field with deeper lines has the value None."""

    key: str
    line: int
    fields: list[tuple[str, str | None]]
    items: list[tuple[str, str]]
    """Deeper lines as (field, text), where they were asked for."""
    hollow: bool = False
    """The last field announces deeper lines and has none."""


class Syml(msgspec.Struct):
    """A parsed file. `strange` is the number of the first line that is not in Yarn's layout."""

    blocks: list[Block]
    comments: list[str]
    strange: int | None = None
    conflict: int | None = None
    cut: bool = False
    """The last line has no line break: Yarn always writes one."""


class TooLarge(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """There is more in the file than can be kept."""


def parse(text: str, *, items: bool = False) -> Syml:
    """Parse every line; with `items`, keep the deeper lines. Raises TooLarge."""
    if text.count("\n") > MOST_LINES:
        raise TooLarge(f"has more than {MOST_LINES} lines")
    out = Syml([], [])
    out.cut = bool(text) and not text.endswith("\n")
    block: Block | None = None
    long_key: str | None = None
    ancestor = False
    for number, line in enumerate(text.split("\n"), start=1):
        if line.endswith("\r"):
            line = line[:-1]
        if not line or line.isspace():
            continue
        if line[0] in "<|=>" and (mark := _MARKER.match(line)):
            out.conflict = out.conflict or number
            ancestor = mark.group()[0] == "|" or (ancestor and mark.group()[0] not in "=>")
        elif ancestor:
            continue
        elif line.startswith("    "):
            if block is None or not block.fields:
                out.strange = out.strange or number
                continue
            block.hollow = False
            if items:
                block.items.append((block.fields[-1][0], line.strip()))
        elif line.startswith("  ") and line[2:3] != "#":
            key, blank, value = line[2:].partition(" ")
            named = key.endswith(":")
            if block is None or not key or (not named and not blank) or key[0] in _FOREIGN:
                out.strange = out.strange or number
                continue
            if value and value[0] != '"' and (value[0] in _FOREIGN or " #" in value):
                out.strange = out.strange or number
            block.hollow = not blank
            block.fields.append((key[:-1] if named else key, unquote(value) if blank else None))
        elif line.lstrip()[:1] in ("#", ""):
            if len(out.comments) < MOST_BLOCKS:
                out.comments.append(line)
        elif line[0] == " ":
            out.strange = out.strange or number
        else:
            if line.startswith("? "):
                long_key = line[2:]
                continue
            if line == ":" and long_key is not None:
                line = f"{long_key}:"
            long_key = None
            if not line.endswith(":") or line[0] in _FOREIGN:
                out.strange = out.strange or number
                block = None
                continue
            if len(out.blocks) >= MOST_BLOCKS:
                raise TooLarge(f"has more than {MOST_BLOCKS} entries")
            block = Block(line[:-1], number, [], [])
            out.blocks.append(block)
    if long_key is not None:
        out.cut = True
    return out


def unquote(text: str) -> str:
    """A value or key without its quotes and escapes; as it stands where they are broken."""
    if text[:1] != '"':
        return text
    if "\\" not in text and text.find('"', 1) == len(text) - 1:
        return text[1:-1]
    try:
        value = json.loads(_YAML_ESCAPE.sub(_as_json, text))
    except (ValueError, RecursionError):
        return text.strip('"')
    return sound(value) if isinstance(value, str) else text


_YAML_ESCAPE = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|U0000([0-9A-Fa-f]{4})|.)", re.DOTALL)


def _as_json(match: re.Match[str]) -> str:
    """An escape that YAML knows and JSON does not, in JSON's form."""
    digits = match[1] or match[2]
    return f"\\u{digits:0>4}" if digits else match.group()


def sound(text: str) -> str:
    """`text` without lone surrogates, which no output can hold."""
    if text.isascii():
        return text
    return text.encode("utf-8", "replace").decode("utf-8")


def patterns(key: str) -> list[str]:
    """The descriptors that a block's key lists: classic quotes each of them, Yarn 2 and later all of them together."""
    found = []
    for quoted, bare in _TOKEN.findall(key):
        text = unquote(f'"{quoted}"') if quoted else bare
        found += [piece.strip() for piece in text.split(", ") if piece.strip()]
    return found


class NotPlain(Exception):  # noqa: N818 (it is a reason, not a failure of the program)
    """The YAML is broken, or uses what Yarn never writes."""


def parse_yaml(text: str) -> list[Block]:
    """The blocks of a file that some other program laid out anew, by the rules of YAML. Raises NotPlain or TooLarge."""
    if len(text) > LARGEST_YAML:
        raise TooLarge(f"is not in Yarn's layout and larger than {LARGEST_YAML} characters")
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    blocks: list[Block] = []
    try:
        for event in plain_events(yaml.parse(text, Loader=loader)):
            depth, role, value, line = event
            if depth == 1 and role == "key":
                if len(blocks) >= MOST_BLOCKS:
                    raise TooLarge(f"has more than {MOST_BLOCKS} entries")
                blocks.append(Block(value, line, [], []))
            elif depth == 2 and role == "key" and blocks:
                blocks[-1].fields.append((value, None))
            elif depth == 2 and role == "value" and blocks and blocks[-1].fields:
                blocks[-1].fields[-1] = (blocks[-1].fields[-1][0], value)
            elif depth == 3 and role == "item" and blocks and blocks[-1].fields:
                blocks[-1].items.append((blocks[-1].fields[-1][0], f"- {value}"))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise NotPlain(f"is not valid YAML{where}") from None
    return blocks


def plain_events(events: Iterator[object]) -> Iterator[tuple[int, str, str, int]]:
    """Scalars as (depth, role, value, line). Refuses anchors, aliases, more than one document, and deep nesting."""
    import yaml

    stack: list[str] = []
    documents = 0
    for event in events:
        if getattr(event, "anchor", None) is not None:
            raise NotPlain("uses YAML anchors or aliases")
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise NotPlain("holds more than one YAML document")
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if stack and stack[-1] == "key":
                raise NotPlain("uses a YAML collection as a key")
            if not stack and isinstance(event, yaml.SequenceStartEvent):
                raise NotPlain("is a YAML sequence")
            if stack and stack[-1] == "value":
                stack[-1] = "key"
            if len(stack) >= 12:
                raise NotPlain("is nested too deeply")
            stack.append("key" if isinstance(event, yaml.MappingStartEvent) else "item")
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            stack.pop()
        elif isinstance(event, yaml.ScalarEvent):
            if not stack:
                if event.value:
                    raise NotPlain("is a single YAML value")
                continue
            line = event.start_mark.line + 1 if event.start_mark is not None else 0
            yield len(stack), stack[-1], sound(event.value), line
            if stack[-1] != "item":
                stack[-1] = "value" if stack[-1] == "key" else "key"
