"""Regular expressions in time that grows with the text alone.

Sigma's flavour: `.`, `^`, `$`, quantifiers, classes, groups, alternation. `\\d \\w \\s \\b` and their opposites are
read too. Expressions come from strangers and texts from what is watched, so nothing here goes back: an automaton is
walked, whose states are made when they are first needed (Thompson 1968). What it cannot do, it says: references to
groups, looking ahead or behind, possessive and atomic groups.
"""

from __future__ import annotations

import re
from typing import Literal

MOST_CHARACTERS = 4096
MOST_STEPS = 4000
"""So many steps may an expression have once its counted parts are written out."""
MOST_KEPT = 20_000
"""So many transitions are kept; then all are made anew."""

_WORD, _NEWLINE, _OTHER, _EDGE, _LAST_NEWLINE = range(5)


class UnsupportedError(Exception):
    """What an expression uses and this does not do, in words."""


class _Set:
    """A set of characters."""

    __slots__ = ("fold", "negated", "ranges", "singles", "words")

    def __init__(self, fold: bool, negated: bool = False) -> None:
        self.fold, self.negated = fold, negated
        self.singles: set[str] = set()
        self.ranges: list[tuple[str, str]] = []
        self.words: list[str] = []

    def holds(self, char: str) -> bool:
        """Whether a character is in it."""
        found = self._plain(char)
        if not found and self.fold:
            found = self._plain(char.lower()) or self._plain(char.upper())
        return found is not self.negated

    def _plain(self, char: str) -> bool:
        if char in self.singles or any(low <= char <= high for low, high in self.ranges):
            return True
        return any(_is(char, word) for word in self.words)


def _is(char: str, word: str) -> bool:
    """Whether a character is of a class: d, w, s, or their opposites in capitals; `.` any but a newline; `*` any."""
    if word == "*":
        return True
    if word == ".":
        return char != "\n"
    kind = word.lower()
    if kind == "d":
        found = char.isdecimal()
    elif kind == "w":
        found = char.isalnum() or char == "_"
    else:
        found = char.isspace()
    return found is (word == kind)


Step = tuple[Literal["set"], _Set] | tuple[Literal["split"], int, int] | tuple[Literal["assert"], str]
Tree = tuple[object, ...]


class _Reader:
    """From the text of an expression to a tree."""

    def __init__(self, text: str, fold: bool, dotall: bool) -> None:
        self.text, self.at, self.fold, self.dotall, self.depth = text, 0, fold, dotall, 0

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        char = self.peek()
        self.at += 1
        return char

    def alternatives(self) -> Tree:
        self.depth += 1
        if self.depth > 50:
            raise UnsupportedError("groups nested deeper than 50")
        found = [self.sequence()]
        while self.peek() == "|":
            self.take()
            found.append(self.sequence())
        self.depth -= 1
        return ("any", tuple(found)) if len(found) > 1 else found[0]

    def sequence(self) -> Tree:
        found: list[Tree] = []
        while self.peek() and self.peek() not in "|)":
            found.append(self.quantified())
        return ("all", tuple(found))

    def quantified(self) -> Tree:
        begun = self.at
        inner = self.single()
        while True:
            low, high = self.quantifier()
            if low < 0:
                return inner
            if inner[0] == "assert" or inner[0] == "repeat":
                raise UnsupportedError(f"a quantifier on {self.text[begun : self.at]!r}")
            if self.peek() == "?":
                self.take()  # a lazy quantifier finds elsewhere, but no more and no less
            elif self.peek() == "+":
                raise UnsupportedError("a possessive quantifier")
            inner = ("repeat", inner, low, high)

    def quantifier(self) -> tuple[int, int]:
        """Least and most; most is -1 without bound. (-1, -1) where none stands here."""
        char = self.peek()
        if char in ("*", "+", "?") and char:
            self.take()
            return {"*": (0, -1), "+": (1, -1), "?": (0, 1)}[char]
        found = re.compile(r"\{(\d{0,5})(,?)(\d{0,5})\}").match(self.text, self.at) if char == "{" else None
        if found is None or not (found[1] or found[3]):
            return -1, -1
        self.at = found.end()
        low = int(found[1] or 0)
        high = low if not found[2] else int(found[3]) if found[3] else -1
        if 0 <= high < low:
            raise UnsupportedError(f"the quantifier {found[0]}, whose most is below its least")
        return low, high

    def single(self) -> Tree:
        char = self.take()
        if char == "(":
            return self.group()
        if char == "[":
            return ("set", self.members())
        if char == ".":
            return ("set", self.set_of("*" if self.dotall else "."))
        if char in "^$":
            return ("assert", char)
        if char == "\\":
            return self.escape()
        if char in "*+?":
            raise UnsupportedError(f"{char!r} with nothing before it")
        return ("set", self.one(char))

    def group(self) -> Tree:
        if self.peek() == "?":
            self.take()
            if self.peek() != ":":
                raise UnsupportedError(f"the group (?{self.peek()}")
            self.take()
        inner = self.alternatives()
        if self.take() != ")":
            raise UnsupportedError("a group that is not closed")
        return inner

    def one(self, char: str) -> _Set:
        made = _Set(self.fold)
        made.singles.add(char)
        return made

    def set_of(self, word: str) -> _Set:
        made = _Set(False)
        made.words.append(word)
        return made

    def escape(self) -> Tree:
        char = self.take()
        if char and char in "dwsDWS":
            return ("set", self.set_of(char))
        if char and char in "bB":
            return ("assert", char)
        return ("set", self.one(self.escaped(char)))

    def escaped(self, char: str) -> str:
        """The character that an escape stands for."""
        plain = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "a": "\a"}
        if char in plain:
            return plain[char]
        if char == "x":
            digits = self.text[self.at : self.at + 2]
            if re.fullmatch("[0-9a-fA-F]{2}", digits) is None:
                raise UnsupportedError("\\x without two digits")
            self.at += 2
            return chr(int(digits, 16))
        if not char or char.isalnum():
            raise UnsupportedError(f"the escape \\{char}")
        return char

    def members(self) -> _Set:
        made = _Set(self.fold)
        if self.peek() == "^":
            self.take()
            made.negated = True
        begun = True
        while self.peek() and (begun or self.peek() != "]"):
            begun = False
            low = self.member(made)
            if low and self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", ""):
                self.take()
                high = self.member(made)
                if not high or high < low:
                    raise UnsupportedError(f"the range from {low!r}")
                made.ranges.append((low, high))
            elif low:
                made.singles.add(low)
        if self.take() != "]":
            raise UnsupportedError("a class that is not closed")
        return made

    def member(self, made: _Set) -> str:
        """One character of a class; empty where it was a class of its own, which was added."""
        char = self.take()
        if char == "[" and self.peek() in (":", "=", "."):
            raise UnsupportedError("a named class [[:...:]]")
        if char != "\\":
            return char
        char = self.take()
        if char and char in "dwsDWS":
            made.words.append(char)
            return ""
        return "\b" if char == "b" else self.escaped(char)


class Expression:
    """One expression. `flags` are those of Sigma's modifiers: i, m, s. Raises UnsupportedError."""

    def __init__(self, text: str, flags: str = "") -> None:
        inline = re.match(r"\(\?([ims]+)\)", text)
        if inline is not None:
            flags, text = flags + inline[1], text[inline.end() :]
        if len(text) > MOST_CHARACTERS:
            raise UnsupportedError(f"more than {MOST_CHARACTERS} characters")
        reader = _Reader(text, "i" in flags, "s" in flags)
        tree = reader.alternatives()
        if reader.at < len(text):
            raise UnsupportedError("a ) that closes nothing")
        self._lines = "m" in flags
        self._steps: list[Step | None] = []
        self._written = 0
        self._write(tree)
        self._begin = frozenset((0,))
        self._known: dict[tuple[frozenset[int], int], dict[tuple[str, int], tuple[frozenset[int], int] | None]] = {}
        self._kept = 0

    def _add(self, step: Step | None) -> int:
        if len(self._steps) >= MOST_STEPS:
            raise UnsupportedError(f"more than {MOST_STEPS} steps once its counts are written out")
        self._steps.append(step)
        return len(self._steps) - 1

    def _write(self, tree: Tree) -> None:
        """Write the steps of a tree; what follows it stands after them."""
        self._written += 1
        if self._written > 5 * MOST_STEPS:
            raise UnsupportedError(f"more than {MOST_STEPS} steps once its counts are written out")
        kind = tree[0]
        if kind in ("set", "assert"):
            self._add(tree)  # type: ignore[arg-type]  # a leaf of the tree is a step
        elif kind == "all":
            for one in tree[1]:  # type: ignore[attr-defined]  # a tuple of trees
                self._write(one)
        elif kind == "any":
            self._alternatives(tree[1])  # type: ignore[arg-type]  # a tuple of trees
        else:
            self._repeat(*tree[1:])  # type: ignore[arg-type]  # a tree and two numbers

    def _alternatives(self, trees: tuple[Tree, ...]) -> None:
        ends = []
        for number, one in enumerate(trees):
            last = number == len(trees) - 1
            at = -1 if last else self._add(None)
            self._write(one)
            if not last:
                ends.append(self._add(None))
                self._steps[at] = ("split", at + 1, len(self._steps))
        for end in ends:
            self._steps[end] = ("split", len(self._steps), len(self._steps))

    def _repeat(self, inner: Tree, low: int, high: int) -> None:
        for _ in range(low):
            self._write(inner)
        if high < 0:
            at = self._add(None)
            self._write(inner)
            self._add(("split", at, at))
            self._steps[at] = ("split", at + 1, len(self._steps))
            return
        splits = []
        for _ in range(high - low):
            splits.append(self._add(None))
            self._write(inner)
        for at in splits:
            self._steps[at] = ("split", at + 1, len(self._steps))

    def search(self, text: str) -> bool:
        """Whether it is found anywhere in a text."""
        state = (self._begin, _EDGE)
        last = len(text) - 1
        known = self._known
        for at, char in enumerate(text):
            ahead = _LAST_NEWLINE if at == last and char == "\n" else _OTHER
            row = known.get(state)
            if row is None:
                row = known[state] = {}
            key = (char, ahead)
            try:
                following = row[key]
            except KeyError:
                following = row[key] = self._step(state, char, ahead)
                self._kept += 1
                if self._kept > MOST_KEPT:
                    known.clear()
                    self._kept = 0
            if following is None:
                return True
            state = following
        return self._reached(state[0], state[1], _EDGE) is None

    def _step(self, state: tuple[frozenset[int], int], char: str, ahead: int) -> tuple[frozenset[int], int] | None:
        """The state after a character; None where the expression is found."""
        kind = _kind(char)
        sets = self._reached(state[0], state[1], ahead if ahead == _LAST_NEWLINE else kind)
        if sets is None:
            return None
        following = {0}
        for at in sets:
            step = self._steps[at]
            if step is not None and step[0] == "set" and step[1].holds(char):
                following.add(at + 1)
        return frozenset(following), kind

    def _reached(self, begun: frozenset[int], before: int, ahead: int) -> list[int] | None:
        """The sets that may take the next character; None where the end of the expression is reached."""
        found: list[int] = []
        seen = set(begun)
        waiting = list(begun)
        while waiting:
            at = waiting.pop()
            if at == len(self._steps):
                return None
            step = self._steps[at]
            if step is None or step[0] == "set":
                found.append(at)
                continue
            if step[0] == "split":
                ways: tuple[int, ...] = step[1:]
            else:
                ways = (at + 1,) if self._holds(step[1], before, ahead) else ()
            for way in ways:
                if way not in seen:
                    seen.add(way)
                    waiting.append(way)
        return found

    def _holds(self, assertion: str, before: int, ahead: int) -> bool:
        if assertion == "^":
            return before == _EDGE or (self._lines and before == _NEWLINE)
        if assertion == "$":
            return ahead in (_EDGE, _LAST_NEWLINE) or (self._lines and ahead == _NEWLINE)
        return ((before == _WORD) != (ahead == _WORD)) is (assertion == "b")


def _kind(char: str) -> int:
    if char == "\n":
        return _NEWLINE
    return _WORD if char.isalnum() or char == "_" else _OTHER
