"""Yarn's lockfiles as blocks of lines, each kept as it stands, for edits of single blocks."""

from __future__ import annotations

import bisect
import json
import re
from collections.abc import Callable

import msgspec

from pratique.ecosystems.edits import MARK, line_end
from pratique.ecosystems.npm.yarn import real_name
from pratique.ecosystems.repairs import Unfit

_PATTERN = re.compile(r'"((?:[^"\\\n]|\\.)*)"|([^",:\s](?:[^",\s]*[^",:\s])?)')
_MARKER = re.compile(r"(?:<{7}|\|{7}|={7}|>{7})(?:[ \r]|$)", re.MULTILINE)
_FIELD = re.compile(r'(?:"((?:[^"\\\n]|\\.)*)"|([^":\s]+)):?(?: (.*))?')
MOST = 300_000


class Block(msgspec.Struct):
    """One block: its key as written (without the colon), its further lines without line ends, the blanks after it."""

    key: str
    lines: list[str]
    gap: str

    @property
    def patterns(self) -> list[str]:
        """The descriptors of its key."""
        text = self.key
        out = []
        at = 0
        while at < len(text):
            match = _PATTERN.match(text, at)
            if match is None:
                raise Unfit(f"the key {text!r} is not in Yarn's layout")
            out += split_list(string(match.group()))
            at = match.end()
            if at < len(text):
                if not text.startswith(", ", at):
                    raise Unfit(f"the key {text!r} is not in Yarn's layout")
                at += 2
        return out

    def field(self, name: str) -> str | None:
        """The value of a field two blanks deep, without quotes; None where it is not there or has deeper lines."""
        for line in self.lines:
            found = _row(line, 2)
            if found is not None and found[0] == name:
                return found[1]
        return None

    def pairs(self, section: str) -> dict[str, str]:
        """The lines below a field, as key and value."""
        out: dict[str, str] = {}
        inside = False
        for line in self.lines:
            if not line.startswith("    "):
                found = _row(line, 2)
                inside = found is not None and found[0] == section and found[1] is None
            elif inside and not line.startswith("      "):
                row = _row(line, 4)
                if row is None or row[1] is None:
                    continue
                out[row[0]] = row[1]
        return out

    def place(self, section: str, key: str) -> int | None:
        """The index of the line below a field with this key."""
        inside = False
        for index, line in enumerate(self.lines):
            if not line.startswith("    "):
                found = _row(line, 2)
                inside = found is not None and found[0] == section and found[1] is None
            elif inside and (row := _row(line, 4)) is not None and row[0] == key:
                return index
        return None

    @property
    def names(self) -> set[str]:
        """The real names that its descriptors ask for."""
        return {parts[0] for pattern in self.patterns if (parts := real_name(pattern))}


def split_list(text: str) -> list[str]:
    """The descriptors of one quoted string: Yarn 2 and later put several into one."""
    return text.split(", ")


def string(text: str) -> str:
    """A key or value without its quotes. Raises Unfit where they are broken."""
    if text[:1] != '"':
        return text
    try:
        value = json.loads(text)
    except ValueError:
        raise Unfit(f"{text[:80]} is not in Yarn's layout") from None
    return str(value)


def _row(line: str, depth: int) -> tuple[str, str | None] | None:
    match = _FIELD.fullmatch(line, depth)
    if match is None or line[depth] in " #":
        return None
    key = match[2] if match[1] is None else string(f'"{match[1]}"')
    return key, None if match[3] is None else string(match[3])


class Lines(msgspec.Struct):
    """A lockfile: what stands before its first block, its blocks, and its line end."""

    head: str
    blocks: list[Block]
    end: str
    tail: str

    def text(self) -> str:
        """The file. The last block keeps the end that the file had."""
        out = [self.head]
        for index, block in enumerate(self.blocks):
            gap = self.tail if index == len(self.blocks) - 1 else block.gap or self.end
            out += [block.key, ":", self.end, *(line + self.end for line in block.lines)]
            out.append(gap)
        return "".join(out)

    def put(self, block: Block, order: Callable[[Block], str]) -> None:
        """Put a block where its key belongs among the others."""
        keys = [order(other) for other in self.blocks]
        self.blocks.insert(bisect.bisect_right(keys, order(block)), block)


def parse(text: str) -> Lines:
    """The blocks of a file. Raises Unfit where a line is not in Yarn's layout, or line ends differ."""
    if _MARKER.search(text):
        raise Unfit("it holds marks of a merge conflict")
    if not text.endswith("\n"):
        raise Unfit("it ends in the middle of a line")
    end = line_end(text)
    rows = text.split("\n")
    rows.pop()
    if end == "\r\n":
        if not all(row.endswith("\r") for row in rows):
            raise Unfit("its line ends differ")
        rows = [row[:-1] for row in rows]
    elif any(row.endswith("\r") for row in rows):
        raise Unfit("its line ends differ")
    out = Lines("", [], end, "")
    for number, row in enumerate(rows, start=1):
        if not row or (not out.blocks and row.removeprefix(MARK)[:1] == "#"):
            if out.blocks:
                out.blocks[-1].gap += row + end
            else:
                out.head += row + end
        elif row[0] == " " and out.blocks and not out.blocks[-1].gap and row.strip():
            out.blocks[-1].lines.append(row)
        elif row[0] not in " #-?'{[&*!|>%`" and row.endswith(":"):
            if len(out.blocks) >= MOST:
                raise Unfit(f"it has more than {MOST} entries")
            out.blocks.append(Block(row[:-1], [], ""))
        else:
            raise Unfit(f"line {number} is not in Yarn's layout")
    if out.blocks:
        out.tail = out.blocks[-1].gap
        out.blocks[-1].gap = ""
    return out
