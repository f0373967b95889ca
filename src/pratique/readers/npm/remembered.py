"""Entries of earlier versions of a lockfile, remembered: thousands of versions in a history differ in few lines.

Used for what lies in a git history alone. An entry that was proven whole and of no interest once is left out of later
versions by its text, before they are parsed; everything else, the head and the end of the file included, is parsed as
ever. What is left out is complete in itself, so the rest is whole if and only if the file is; what a reader asks of all
entries together (keys that stand twice, entries that are referred to) it is told of those left out too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate, filterfalse
from typing import TypeVar

import msgspec

from pratique.model.ports import Artifact, Everything

MOST_ENTRIES = 50_000
"""So many entries are remembered at most."""
_BETWEEN = b'\n    },\n    "'
"""What stands between two entries in npm's own layout. A JSON string cannot hold it: it has line ends."""
_FEWEST = 16
_LIST = re.compile(rb"\[\n    \S")
_DECODER = msgspec.json.Decoder(dict[str, dict[str, msgspec.Raw]])
_PLAIN = re.compile(rb'"\d[0-9A-Za-z.+-]*"')


class Known:
    """Entries of npm's lockfile that name nothing of interest."""

    def __init__(self, wanted: frozenset[str]) -> None:
        self.wanted = wanted
        self.entries: set[bytes] = set()

    def without(self, data: bytes) -> bytes | None:
        """A lockfile without the entries that are known; None where nothing can be left out."""
        pieces = data.split(_BETWEEN)
        if len(pieces) < _FEWEST:
            return None
        left = [piece for piece in filterfalse(self.entries.__contains__, pieces[1:-1]) if not self._boring(piece)]
        short = _BETWEEN.join([pieces[0], *left, pieces[-1]])
        return None if _LIST.search(short) else short

    def _boring(self, piece: bytes) -> bool:
        """Whether a piece is one whole entry that names nothing of interest; then it is remembered."""
        try:
            entries = _DECODER.decode(b'{"%s}}' % piece)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        if len(entries) != 1:
            return False
        ((key, fields),) = entries.items()
        if key in self.wanted or key[key.rfind("node_modules/") + 13 :] in self.wanted or not key:
            return False
        if "name" in fields or not _PLAIN.fullmatch(bytes(fields.get("version", b'"0"'))):
            return False
        inner = fields.get("dependencies")
        if inner is not None and b"{" in bytes(inner)[1:]:
            return False
        if len(self.entries) >= MOST_ENTRIES:
            self.entries.clear()
        self.entries.add(piece)
        return True


class Cut(msgspec.Struct):
    """What can be left out of a text: from where to where, and what was remembered of each entry, in order."""

    places: list[list[int]]
    entries: list[tuple[str, str, frozenset[str]]]


class Blocks:
    """Entries of a text that blank lines stand between, as Yarn writes them.

    `judge` takes an entry without its line's end and gives its key, its name and the names of interest that it depends
    on; None where it is not usual or of interest.
    """

    def __init__(self, judge: Callable[[str], tuple[str, str, frozenset[str]] | None]) -> None:
        self.judge = judge
        self.known: dict[str, tuple[str, str, frozenset[str]]] = {}

    def cut(self, text: str) -> Cut | None:
        """What can be left out: entries that another one follows."""
        blocks = text.split("\n\n")
        if len(blocks) < _FEWEST:
            return None
        found = list(map(self.known.get, blocks))
        kept = []
        for index in [index for index, entry in enumerate(found) if entry is None]:
            found[index] = self._learn(blocks[index])
            if found[index] is None:
                kept.append(index)
                if index and found[index - 1] is not None and not _STARTS.match(blocks[index]):
                    found[index - 1] = None
                    kept.append(index - 1)
        if found[-1] is not None:
            found[-1] = None
            kept.append(len(found) - 1)
        ends = list(accumulate(map(len, blocks)))
        places: list[list[int]] = []
        place = -1
        for index in sorted({*kept, len(blocks)}):
            if index - place > 1:
                first, last = place + 1, index - 1
                places.append([ends[first] - len(blocks[first]) + 2 * first - 1, ends[last] + 2 * last + 1])
            place = index
        return Cut(places, [entry for entry in found if entry is not None])

    def _learn(self, block: str) -> tuple[str, str, frozenset[str]] | None:
        entry = self.judge(block) if _STARTS.match(block) else None
        if entry is not None:
            if len(self.known) >= MOST_ENTRIES:
                self.known.clear()
            self.known[block] = entry
        return entry


_STARTS = re.compile(r'["@\w]')
_Memory = TypeVar("_Memory")
_memories: dict[str, tuple[frozenset[str], object]] = {}


def memory(
    artifact: Artifact, wanted: frozenset[str] | Everything, name: str, make: Callable[[frozenset[str]], _Memory]
) -> _Memory | None:
    """What is remembered under a name while these packages are asked about; None outside of a git history."""
    if not artifact.inside or artifact.inside[0].kind != "commit" or isinstance(wanted, Everything):
        return None
    kept = _memories.get(name)
    if kept is None or kept[0] is not wanted:
        kept = _memories[name] = (wanted, make(wanted))
    return kept[1]  # type: ignore[return-value]  # made by `make` under this name
