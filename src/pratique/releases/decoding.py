"""What an encoded text says: the layers under it, each told by how it was decoded, within one budget.

A layer counts only where its content is plausible (see `plausible`): a program, an archive, an address, code, or words.
What lies between may be anything. Nothing is run. The same bytes and budget always give the same layers; any bytes give
an end: the bytes that are made and the steps that are taken are counted, and no step costs more than its bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from pratique.releases import encodings, exclusive_or
from pratique.releases.plausible import Meaning, loosely, reads, strictly, text_of

DEPTH = 6
"""The most encodings that lie in each other."""
LONGEST = 4 << 20
"""The longest text, in bytes, that is looked at."""
MOST_LAYERS = 8
"""The most layers of one text."""
_STEPS_OF_ONE = 160


class Layer(msgspec.Struct, frozen=True):
    """What lay under encodings, outermost first. `meaning` says what the content is plausible as."""

    encodings: tuple[str, ...]
    content: bytes
    meaning: Meaning = ""


class Budget:
    """The bytes that decoding may still make and the steps that it may still take; one for each file.

    `exhausted` says that something was left undone for it: a refusal is due.
    """

    __slots__ = ("exhausted", "known", "octets", "steps")

    def __init__(self, octets: int = 16 << 20, steps: int = 100_000) -> None:
        self.octets = octets
        self.steps = steps
        self.exhausted = False
        self.known: dict[bytes, tuple[Layer, ...]] = {}

    def take(self, octets: int) -> bool:
        """Pay for one step that makes so many bytes; False where there is not enough left."""
        if self.steps <= 0 or octets > self.octets:
            self.exhausted = True
            return False
        self.steps -= 1
        self.octets -= octets
        return True


class _Piece(NamedTuple):
    """Bytes on the way, and how they came about."""

    names: tuple[str, ...]
    content: bytes
    loose: bool = False
    whole: bool = True


_LOOSE = frozenset({"reversed", "rot13"})


def layers(literal: bytes, budget: Budget, keys: Sequence[bytes] = ()) -> Iterator[Layer]:
    """The plausible layers under a text, the least encoded first; at most eight.

    `literal` is the text between the quotes, in bytes, escapes as written or already resolved. `keys` are tried for
    exclusive or at each level. Never raises. Where the budget ends it, `budget.exhausted` is set.
    """
    if len(literal) < 3:
        return
    if len(literal) > LONGEST:
        budget.exhausted = True
        return
    if keys:
        yield from _found(literal, budget, keys)
        return
    kept = budget.known.get(literal)
    if kept is None:
        kept = tuple(_found(literal, budget, keys))
        if len(literal) <= 256 and len(budget.known) < 4096:
            budget.known[literal] = kept
    yield from kept


def _found(literal: bytes, budget: Budget, keys: Sequence[bytes]) -> Iterator[Layer]:
    waiting = deque([_Piece((), literal)])
    seen = {literal}
    left = _STEPS_OF_ONE
    given = 0
    while waiting:
        piece = waiting.popleft()
        for following in _decoded(piece, budget, keys):
            left -= 1
            if left < 0 or not budget.take(len(following.content)):
                budget.exhausted = True
                return
            if following.content in seen or len(following.content) < 2:
                continue
            seen.add(following.content)
            if not following.whole:
                budget.exhausted = True
            meaning = _meaning(following)
            if meaning and encodings.from_utf16(following.content) is None:
                yield Layer(following.names, following.content, meaning)
                given += 1
                if given >= MOST_LAYERS:
                    return
            if len(following.names) < DEPTH and _goes_on(following, meaning):
                waiting.append(following)


def _meaning(piece: _Piece) -> Meaning:
    return loosely(piece.content) if piece.loose else strictly(piece.content)


def _goes_on(piece: _Piece, meaning: Meaning) -> bool:
    """Whether what was decoded may be encoded again: text that does not read, or bytes long enough to be keyed."""
    if meaning in ("native", "archive", "url", "word"):
        return False
    if meaning:
        return len(piece.content) < 1 << 16
    return len(piece.content) >= 12 or text_of(piece.content) is not None


def _decoded(piece: _Piece, budget: Budget, keys: Sequence[bytes]) -> Iterator[_Piece]:
    """Every piece that one decoder makes of a piece."""
    names, content = piece.names, piece.content
    last = names[-1] if names else ""

    def made(name: str, result: bytes | None, loose: bool = False, whole: bool = True) -> Iterator[_Piece]:
        if result is not None and result != content:
            yield _Piece((*names, name), result, loose, whole)

    most = max(0, min(budget.octets, LONGEST))
    opened = encodings.inflated(content, most)
    if opened is not None:
        yield from made(opened[0], opened[1], whole=opened[2])
        return
    for key in keys:
        if key and last != "xor":
            yield from made("xor", encodings.exclusive_or(content, key), loose=True)
    if text_of(content) is None:
        if names:
            stream = encodings.raw_deflate(content, most)
            if stream is not None:
                yield from made(stream[0], stream[1], whole=stream[2])
            elif last != "xor":
                found = exclusive_or.found_key(content)
                if found is not None:
                    yield from made("xor", encodings.exclusive_or(content, found), loose=True)
            if last not in _LOOSE and len(content) >= 12:
                yield from made("reversed", encodings.backwards(content), loose=True)
        return
    if last != "rot13":
        yield from made("utf-16", encodings.from_utf16(content))
        yield from made("escapes", encodings.escapes(content))
        yield from made("codes", encodings.numbers(content))
        yield from made("octal-codes", encodings.octal_numbers(content))
        yield from made("hex", encodings.hexadecimal(content))
    if encodings.alphabetic(content):
        for name, result in encodings.base64s(content):
            yield from made(name, result)
        yield from made("base32", encodings.base32(content))
    for name, result in encodings.base85s(content):
        yield from made(name, result)
    if last not in _LOOSE and len(content) >= 4 and not reads(content):
        yield from made("reversed", encodings.backwards(content), loose=True)
        yield from made("rot13", encodings.rot13(content), loose=True)
    elif last == "reversed" and names[-2:-1] != ("rot13",):
        yield from made("rot13", encodings.rot13(content), loose=True)
