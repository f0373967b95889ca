"""How pnpm lays its lockfile out: keys, values of one line, and entries as blocks of lines that are kept as they stand.

References: pnpm 12.21.0 and 8.15.9, lockfile.fs (sortLockfileKeys), deps.path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Form = Literal["slashes", "slash-at", "bare"]
"""How keys are written: `/name/1.2.3` (5.x), `/name@1.2.3` (6.x), `name@1.2.3` (9.0)."""

LEAF = re.compile(r"( *)('(?:[^']|'')+'|\"[^\"]+\"|[^\s'\"#:][^:]*(?::[^\s:][^:]*)*):(?: (.*))?")
"""A line `key: value`, or `key:` alone: its indent, key and value."""

_PLAIN = re.compile(r"[A-Za-z0-9^~<./+_()@$;-][^\x00-\x1f,\[\]{}\x7f-\U0010ffff]*")
_NOT_TEXT = re.compile(
    r"[-+]?(?:0[bxo])?[0-9a-fA-F_,]+|[-+]?[0-9_]*\.?[0-9_]*(?:[eE][-+]?[0-9]+)?|~|null|true|false|yes|no|on|off|y|n|"
    r"[-+]?\.(?:inf|nan)|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE,
)


class Stop(Exception):  # noqa: N818  # a reason, told to a person
    """Why a lockfile cannot be repaired."""


def unquote(text: str) -> str:
    """What a key or value of one line means."""
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1:
        return text[1:-1]
    return text


def scalar(text: str) -> str:
    """A text as pnpm writes it on one line. Raises Stop."""
    if not text or any(mark < " " for mark in text):
        if text:
            raise Stop("a field of the release holds more than one line")
        return "''"
    odd = ": " in text or " #" in text or text.endswith((":", " ")) or text.startswith(("- ", "-", "@"))
    if odd or not _PLAIN.fullmatch(text) or _NOT_TEXT.fullmatch(text):
        return "'" + text.replace("'", "''") + "'"
    return text


class Key:
    """A key of `packages` or `snapshots`. `suffix` holds the peers; `name` is empty for what is from no registry."""

    def __init__(self, text: str, form: Form) -> None:
        self.text = text
        self.form = form
        self.name = self.version = self.suffix = ""
        if form == "slashes":
            match = re.fullmatch(r"/((?:@[^/]+/)?[^/@]+)/(\d+\.\d+\.\d+[^_(]*)([_(].*)?", text)
        else:
            start = "/" if form == "slash-at" else ""
            match = re.fullmatch(rf"{start}((?:@[^/@(]+/)?[^/@(]+)@(\d+\.\d+\.\d+[^(]*)(\(.*)?", text)
        if match:
            self.name, self.version, self.suffix = match[1], match[2], match[3] or ""

    def at(self, version: str, suffix: str) -> str:
        """The key of another version."""
        if self.form == "slashes":
            return f"/{self.name}/{version}{suffix}"
        return f"{'/' if self.form == 'slash-at' else ''}{self.name}@{version}{suffix}"


class Block:
    """An entry: its key line and the lines below it."""

    def __init__(self, key: str, lines: list[str]) -> None:
        self.key = key
        self.lines = lines

    def fields(self) -> dict[str, list[str]]:
        """The lines of each field, the field's own line first. Raises Stop."""
        found: dict[str, list[str]] = {}
        last: list[str] | None = None
        for line in self.lines[1:]:
            if line.startswith("    ") and line[4:5] not in ("", " "):
                match = LEAF.fullmatch(line)
                if match is None:
                    raise Stop(f"{self.key[:200]} is not in pnpm's layout")
                last = found.setdefault(unquote(match[2]), [])
            if last is None:
                raise Stop(f"{self.key[:200]} is not in pnpm's layout")
            last.append(line)
        return found

    def mapping(self, field: str) -> dict[str, str]:
        """The texts of a block mapping."""
        found = {}
        for line in self.fields().get(field, [])[1:]:
            match = LEAF.fullmatch(line)
            if match and len(match[1]) == 6 and match[3]:
                found[unquote(match[2])] = unquote(match[3])
        return found

    def write(self, key: str, fields: dict[str, list[str]], order: tuple[str, ...]) -> None:
        """Write the entry anew."""
        known = sorted(fields, key=lambda name: (order.index(name) if name in order else len(order), name))
        body = [line for name in known for line in fields[name]]
        self.key = key
        self.lines = [f"  {scalar(key)}:" + ("" if body else " {}"), *body]

    def rename(self, key: str) -> None:
        """Write another key over the same body."""
        tail = " {}" if self.lines[0].endswith(" {}") else ""
        self.key = key
        self.lines[0] = f"  {scalar(key)}:{tail}"


class Section:
    """A part of a document at its left edge; of entries where it is `packages` or `snapshots`."""

    def __init__(self, name: str, lines: list[str]) -> None:
        self.name = name
        self.lines = lines
        self.blocks: list[Block] | None = None
        if name in ("packages", "snapshots") and lines[0] == f"{name}:":
            self.blocks = self._split()

    def _split(self) -> list[Block]:
        blocks: list[Block] = []
        for line in self.lines[1:]:
            if line.startswith("  ") and line[2:3] not in ("", " "):
                match = LEAF.fullmatch(line)
                if match is None or match[3] not in (None, "{}"):
                    raise Stop(f"{self.name}: is not in pnpm's layout")
                blocks.append(Block(unquote(match[2]), []))
            if blocks:
                blocks[-1].lines.append(line)
        for block in blocks:
            while block.lines and not block.lines[-1]:
                block.lines.pop()
        if len({block.key for block in blocks}) != len(blocks):
            raise Stop(f"{self.name}: an entry stands twice")
        return blocks

    def text(self, *, last: bool) -> str:
        """The lines of the section."""
        if self.blocks is None:
            return "".join(f"{line}\n" for line in self.lines)
        if not self.blocks:
            return ""
        body = "\n\n".join("\n".join(block.lines) for block in self.blocks)
        return f"{self.name}:\n\n{body}\n" + ("" if last else "\n")

    def find(self, key: str) -> Block | None:
        """The entry with a key."""
        return next((block for block in self.blocks or () if block.key == key), None)

    def by_key(self) -> dict[str, Block]:
        """The entries by key, as they are now: for whoever asks for many of them."""
        return {block.key: block for block in self.blocks or ()}

    def settle(self) -> None:
        """Put the entries into pnpm's order again."""
        (self.blocks or []).sort(key=lambda block: block.key)

    @property
    def ordered(self) -> bool:
        """Whether the entries are in pnpm's order."""
        keys = [block.key for block in self.blocks or ()]
        return keys == sorted(keys)


def leaves(lines: list[str]) -> Iterator[tuple[int, tuple[str, ...], str]]:
    """Line number, path and value of each `key: value` among lines of block mappings."""
    path: list[tuple[int, str]] = []
    for number, line in enumerate(lines):
        match = LEAF.fullmatch(line)
        if match is None:
            continue
        depth = len(match[1])
        while path and path[-1][0] >= depth:
            path.pop()
        path.append((depth, unquote(match[2])))
        if match[3]:
            yield number, tuple(key for _, key in path), match[3]
