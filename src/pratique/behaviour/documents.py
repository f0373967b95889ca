"""The documents of a rule file: YAML, with the line of every value, bounded, without aliases.

Only what the safe loader of PyYAML makes of plain values is taken. An alias is refused whatever it stands for, so that
no text grows when it is read; so are keys that stand twice, which YAML forbids and parsers take in silence.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

from pratique.model.errors import ConfigurationError

MOST_BYTES = 1 << 20
MOST_DEPTH = 16
MOST_VALUES = 20_000
MOST_DOCUMENTS = 200

Plain = str | int | float | bool | datetime.date | None


class Node:
    """A value and the line it begins on, counted from 1: a mapping by its keys, a list, or a plain value."""

    __slots__ = ("keys", "line", "value")

    def __init__(self, value: dict[str, Node] | list[Node] | Plain, line: int, keys: dict[str, int] | None = None):
        self.value = value
        self.line = line
        self.keys = keys if keys is not None else {}

    def get(self, key: str) -> Node | None:
        """The value below a key of a mapping; None where this is none or has it not."""
        return self.value.get(key) if isinstance(self.value, dict) else None


class Origin:
    """The file that a document stands in, as it is told in errors."""

    __slots__ = ("file",)

    def __init__(self, file: str) -> None:
        self.file = file

    def error(self, node: Node | int, what: str, advice: str) -> ConfigurationError:
        """An error about a value: what is wrong, in which file and line, what to do."""
        line = node if isinstance(node, int) else node.line
        return ConfigurationError(what, where=f"{self.file}:{line}", advice=advice)


def documents(text: str, file: str) -> Iterator[Node]:
    """The documents of a text, in order. Raises ConfigurationError with file and line where it cannot be read whole."""
    import yaml

    origin = Origin(file)
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise origin.error(1, f"is larger than {MOST_BYTES} bytes", "A rule file is short: split it")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        _bounded(yaml.parse(text, Loader=loader), origin)
        found = [_node(one, origin, loader("")) for one in yaml.compose_all(text, Loader=loader) if one is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise origin.error(line, f"is not whole YAML: {error.problem or error.context}", "Correct it there") from None
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise origin.error(1, f"is not YAML: {str(error).splitlines()[0][:120]}", "Write it as YAML in UTF-8") from None
    if not found:
        raise origin.error(1, "holds no document", "Write a rule there, or remove the file")
    yield from found


def _bounded(events: Iterator[Any], origin: Origin) -> None:
    """Refuse aliases, anchors, tags of other kinds, and what is deeper or larger than a rule is."""
    import yaml

    depth = values = number = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark is not None else 1
        if isinstance(event, yaml.AliasEvent):
            raise origin.error(line, f"uses the alias *{event.anchor}", "Write the value out: aliases are not read")
        if isinstance(event, yaml.DocumentStartEvent):
            number += 1
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        values += isinstance(event, yaml.ScalarEvent)
        if depth > MOST_DEPTH:
            raise origin.error(line, f"is nested deeper than {MOST_DEPTH}", "A rule needs at most five levels")
        if values > MOST_VALUES or number > MOST_DOCUMENTS:
            raise origin.error(
                line, f"holds more than {MOST_VALUES} values or {MOST_DOCUMENTS} documents", "Split the file"
            )


def _node(found: Any, origin: Origin, loader: Any) -> Node:
    """The value of a node of PyYAML."""
    import yaml

    line = found.start_mark.line + 1
    if isinstance(found, yaml.SequenceNode):
        _standard(found, "tag:yaml.org,2002:seq", origin, line)
        return Node([_node(one, origin, loader) for one in found.value], line)
    if isinstance(found, yaml.MappingNode):
        _standard(found, "tag:yaml.org,2002:map", origin, line)
        made: dict[str, Node] = {}
        lines: dict[str, int] = {}
        for key, value in found.value:
            at = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise origin.error(at, "has a key that is a list or a mapping", "Keys are plain words")
            if key.tag == "tag:yaml.org,2002:merge":
                raise origin.error(at, "merges another mapping (<<)", "Write its keys out")
            name = str(key.value)
            if name in made:
                raise origin.error(
                    at,
                    f"has the key {name!r} twice, first on line {lines[name]}",
                    "Keep one of the two, or make a list",
                )
            made[name] = _node(value, origin, loader)
            lines[name] = at
        return Node(made, line, lines)
    return Node(_plain(found, origin, loader, line), line)


def _standard(found: Any, tag: str, origin: Origin, line: int) -> None:
    if found.tag != tag:
        raise origin.error(line, f"has the tag {found.tag!r}", "Write plain lists and mappings")


_PLAIN = {
    f"tag:yaml.org,2002:{name}": f"construct_yaml_{name}"
    for name in ("str", "int", "float", "bool", "null", "timestamp")
}


def _plain(found: Any, origin: Origin, loader: Any, line: int) -> Plain:
    way = _PLAIN.get(found.tag)
    if way is None:
        raise origin.error(line, f"has the tag {found.tag!r}", "Write text, a number, true, false, null or a date")
    try:
        value: Plain = getattr(loader, way)(found)
    except (ValueError, TypeError) as error:
        raise origin.error(line, f"holds {found.value!r}, which cannot be read: {error}", "Quote it") from None
    return value
