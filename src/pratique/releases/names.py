"""Names that look like those of popular packages: typing errors, look-alikes, other scopes, added words.

A name is compared with lists of popular packages that lie in the package as data (`popular`). A name that stands in the
list is no imitation, nor is one in the scope of a popular package: a registry gives a scope to one owner. That a name
looks like another proves nothing; how often ordinary names do is measured in the tests.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterator
from importlib import resources
from typing import Literal, TypeVar

import msgspec

from pratique.ecosystems.pypi.names import normalise
from pratique.model.inert import printable
from pratique.model.release import Fact
from pratique.releases.lines import Ecosystem

How = Literal[
    "separator",  # the same letters, with other hyphens, underscores, dots
    "homoglyph",  # letters or digits that look alike
    "keyboard",  # one letter replaced by its neighbour on the keyboard
    "transposition",  # two neighbouring letters exchanged
    "omission",  # one letter left out
    "addition",  # one letter added
    "substitution",  # one letter replaced
    "edits",  # two of these
    "plural",  # an s added or taken away
    "affix",  # js, node, py and such added, taken away or moved
    "order",  # the same words in another order
    "combination",  # one word added before or behind
    "scope",  # the scope looks like that of a popular package
]
K = TypeVar("K")
TARGETS = 5_000
"""So many of the most popular names are looked for behind a name."""
LONGEST = 214
_AFFIXES = {
    "npm": ("js", "node", "nodejs", "npm", "lib", "ts", "es", "cli", "core"),
    "PyPI": ("py", "python", "python3", "lib", "pypi", "sdk", "api"),
}
_KEYBOARD = ("1234567890-", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789-"
_LOOKS = str.maketrans({"0": "o", "1": "l", "i": "l", "3": "e", "5": "s", "$": "s", "2": "z", "|": "l"})
_LETTERS = str.maketrans(
    "аеорсухіјѕԁһӏԛԝкмтвнгαοορνικτυχωɡıℓṃոս",
    "aeopcyxijsdhlqwkmtbhraoopviktuxwgilmnu",
)
"""Letters of other alphabets and their Latin look-alikes."""


class Likeness(msgspec.Struct, frozen=True):
    """A popular name that another name looks like, how, and its rank (from 1); `added` is a word that was."""

    to: str
    how: How
    rank: int
    added: str = ""


class Popular:
    """A list of popular names, the most popular first, with what finds those that a name looks like."""

    def __init__(self, ecosystem: Ecosystem, names: tuple[str, ...], targets: int = TARGETS) -> None:
        self.ecosystem = ecosystem
        self.names = names
        self.ranks = {name: rank for rank, name in reversed(list(enumerate(names, 1)))}
        self.targets = names[:targets]

    def first(self, count: int) -> tuple[str, ...]:
        """The most popular names."""
        return self.names[:count]

    def rank(self, name: str) -> int:
        """The place of a name, from 1; 0 where it is not among them."""
        return self.ranks.get(spelled(self.ecosystem, name), 0)

    @functools.cached_property
    def scopes(self) -> dict[str, int]:
        """Scope of a popular name to the best rank in it."""
        found: dict[str, int] = {}
        for name, rank in self.ranks.items():
            if name.startswith("@"):
                scope = name.partition("/")[0]
                found[scope] = min(rank, found.get(scope, rank))
        return found

    @functools.cached_property
    def squeezed(self) -> dict[str, str]:
        """Names without separators to the most popular name of these letters."""
        return _first_of((_squeeze(name), name) for name in self.targets)

    @functools.cached_property
    def looks(self) -> dict[str, str]:
        """What names look like to the eye, to the most popular one that looks so."""
        return _first_of((look(name), name) for name in self.targets)

    @functools.cached_property
    def sorted_words(self) -> dict[tuple[str, ...], str]:
        """Words of names in order of the alphabet, to the most popular name of these words."""
        return _first_of((tuple(sorted(_words(name))), name) for name in self.targets if len(_words(name)) > 1)

    @functools.cached_property
    def without_affix(self) -> dict[str, str]:
        """Names without such words as `js` at either end, to the most popular name that is left so."""
        return _first_of((_strip(self.ecosystem, name), name) for name in self.targets)

    @functools.cached_property
    def long(self) -> tuple[tuple[str, int], ...]:
        """Names long enough to be told from others at two edits, each with the set of its letters."""
        return tuple((name, _letters(name)) for name in self.targets[:2_000] if len(name) >= 9)


def _first_of(pairs: Iterator[tuple[K, str]]) -> dict[K, str]:
    found: dict[K, str] = {}
    for key, name in pairs:
        found.setdefault(key, name)
    return found


@functools.cache
def popular(ecosystem: Ecosystem) -> Popular:
    """The list of popular names of an ecosystem, as this package holds it."""
    file = resources.files("pratique.releases.popular") / ("npm.txt" if ecosystem == "npm" else "pypi.txt")
    lines = file.read_text(encoding="utf-8").splitlines()
    return Popular(ecosystem, tuple(line for line in lines if line and not line.startswith("#")))


def spelled(ecosystem: Ecosystem, name: str) -> str:
    """A name in the spelling of its list."""
    return normalise(name) if ecosystem == "PyPI" else name.strip()


def look(name: str) -> str:
    """What a name looks like to the eye: letters of other alphabets, digits and pairs that look alike become one."""
    plain = unicodedata.normalize("NFKD", name).casefold().translate(_LETTERS)
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    return plain.replace("rn", "m").replace("vv", "w").replace("cl", "d").translate(_LOOKS)


def _squeeze(name: str) -> str:
    scope, _, rest = name.rpartition("/")
    return f"{scope}/{re.sub(r'[-_.]', '', rest)}" if scope else re.sub(r"[-_.]", "", rest)


def _words(name: str) -> list[str]:
    return [word for word in re.split(r"[-_./@]+", name.lower()) if word]


def _strip(ecosystem: Ecosystem, name: str) -> str:
    """A name without one word such as `js` at either end; whole where nothing else is left."""
    words = _words(name)
    for affix in _AFFIXES[ecosystem]:
        if len(words) > 1 and words[-1] == affix:
            return "-".join(words[:-1])
        if len(words) > 1 and words[0] == affix:
            return "-".join(words[1:])
    return "-".join(words)


def _letters(name: str) -> int:
    mask = 0
    for char in name:
        mask |= 1 << (ord(char) % 61)
    return mask


def similar(ecosystem: Ecosystem, name: str, among: Popular | None = None) -> Iterator[Likeness]:
    """The popular names that a name looks like, the closest kind first; each name once. Total, for any text.

    Nothing where the name is popular itself, or lies in the scope of a popular package.
    """
    listed = among if among is not None else popular(ecosystem)
    plain = spelled(ecosystem, name)[:LONGEST]
    if listed.rank(plain) or (plain.startswith("@") and plain.partition("/")[0] in listed.scopes):
        return
    seen: set[str] = set()
    for likeness in _likenesses(listed, plain):
        if likeness.to not in seen and likeness.to != plain:
            seen.add(likeness.to)
            yield likeness


def _likenesses(listed: Popular, name: str) -> Iterator[Likeness]:
    ranks = listed.ranks

    def alike(to: str | None, how: How, added: str = "") -> Iterator[Likeness]:
        if to is not None and len(to) >= 4:
            yield Likeness(to, how, ranks[to], added)

    if name.startswith("@"):
        yield from _by_scope(listed, name)
        return
    lower = name.lower()
    if lower != name:
        yield from alike(lower if lower in ranks else None, "homoglyph")
    yield from alike(listed.squeezed.get(_squeeze(lower)), "separator")
    seen = listed.looks.get(look(name))
    if seen is not None and _is_trick(name, seen):
        yield from alike(seen, "homoglyph")
    words = _words(lower)
    if len(words) > 1:
        yield from alike(listed.sorted_words.get(tuple(sorted(words))), "order")
    yield from _one_edit(listed, lower)
    stripped = _strip(listed.ecosystem, lower)
    if len(stripped) >= 4:
        to = listed.without_affix.get(stripped)
        if to is not None and to != lower and ranks[to] <= 2_000:
            yield from alike(to, "affix")
        joined = next((stripped + affix for affix in _AFFIXES[listed.ecosystem] if stripped + affix in ranks), None)
        if joined is not None and ranks[joined] <= 2_000:
            yield from alike(joined, "affix")
    yield from _one_word_more(listed, words)
    yield from _two_edits(listed, lower)


def _is_trick(name: str, to: str) -> bool:
    """Whether a name differs from one that it looks like by more than what separates words."""
    return _squeeze(name) != _squeeze(to)


def _one_edit(listed: Popular, name: str) -> Iterator[Likeness]:
    """Popular names one edit away; short ones must be among the most popular, as many short names are near others."""
    ranks = listed.ranks
    limit = len(listed.targets)

    def near(to: str, how: How) -> Iterator[Likeness]:
        rank = ranks.get(to, 0)
        shortest = min(len(to), len(name))
        if rank and shortest >= 4 and rank <= (limit if shortest >= 7 else 2_000 if shortest >= 5 else 300):
            yield Likeness(to, how, rank)

    if len(name) > 80:
        return
    if name.endswith("s"):
        yield from near(name[:-1], "plural")
    yield from near(f"{name}s", "plural")
    for at in range(len(name) - 1):
        if name[at] != name[at + 1]:
            yield from near(name[:at] + name[at + 1] + name[at] + name[at + 2 :], "transposition")
    for at, char in enumerate(name):
        yield from near(name[:at] + name[at + 1 :], "addition")
        for other in _ALPHABET:
            if other != char:
                how: How = "keyboard" if other in _neighbours(char) else "substitution"
                yield from near(name[:at] + other + name[at + 1 :], how)
    for at in range(len(name) + 1):
        for char in _ALPHABET:
            yield from near(name[:at] + char + name[at:], "omission")


@functools.cache
def _neighbours(char: str) -> frozenset[str]:
    """The keys around one on the usual keyboard."""
    found: set[str] = set()
    for row, keys in enumerate(_KEYBOARD):
        at = keys.find(char)
        if at < 0:
            continue
        for other, offsets in ((row, (-1, 1)), (row - 1, (0, 1)), (row + 1, (-1, 0))):
            if 0 <= other < len(_KEYBOARD):
                found.update(_KEYBOARD[other][at + o] for o in offsets if 0 <= at + o < len(_KEYBOARD[other]))
    return frozenset(found)


def _one_word_more(listed: Popular, words: list[str]) -> Iterator[Likeness]:
    """Popular names of two words and more, or one of five letters, to which a word was added at either end."""
    for rest, added in ((words[1:], words[0]), (words[:-1], words[-1])) if len(words) > 1 else ():
        joined = "-".join(rest)
        to = listed.squeezed.get(_squeeze(joined))
        if to is not None and not to.startswith("@") and len(to) >= 5 and listed.ranks[to] <= 1_500:
            yield Likeness(to, "combination", listed.ranks[to], added)


def _two_edits(listed: Popular, name: str) -> Iterator[Likeness]:
    """Popular names of nine letters and more that are two edits away; those of other words at one edit are past."""
    if not 8 <= len(name) <= 80:
        return
    mask, length = _letters(name), len(name)
    for to, letters in listed.long:
        if abs(len(to) - length) > 2 or (mask ^ letters).bit_count() > 4 or distance(name, to, 2) != 2:
            continue
        pairs = [pair for pair in zip(_words(name), _words(to), strict=False) if pair[0] != pair[1]]
        if "-" not in to or (len(pairs) <= 1 and all(len(there) >= 6 for _, there in pairs)):
            yield Likeness(to, "edits", listed.ranks[to])


def distance(one: str, other: str, most: int) -> int:
    """The number of edits between two texts (letters added, left out, replaced, neighbours exchanged); `most` + 1 where
    there are more than `most`."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, there in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (char != there))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == there:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return min(row[-1], most + 1)


def _by_scope(listed: Popular, name: str) -> Iterator[Likeness]:
    """Popular names of the same last part under a scope that looks like this one."""
    scope, _, rest = name.partition("/")
    for other, _ in listed.scopes.items():
        if distance(scope, other, 1) == 1 or (look(scope) == look(other) and scope != other):
            to = f"{other}/{rest}"
            if len(other) > 4 and (to in listed.ranks or len(other) >= 7):
                rank = listed.ranks.get(to, listed.scopes[other])
                yield Likeness(to, "scope", rank)


def other_scope(ecosystem: Ecosystem, name: str, among: Popular | None = None) -> Likeness | None:
    """The popular package that a name is but for its scope: `@other/lodash`, or `babel-core` for `@babel/core`."""
    if ecosystem != "npm":
        return None
    listed = among if among is not None else popular("npm")
    if listed.rank(name) or name.partition("/")[0] in listed.scopes:
        return None
    if name.startswith("@"):
        rest = name.partition("/")[2]
        rank = listed.rank(rest)
        return Likeness(rest, "scope", rank) if rank and rank <= 2_000 and len(rest) >= 5 else None
    words = name.split("-")
    for at in range(1, len(words)):
        to = f"@{'-'.join(words[:at])}/{'-'.join(words[at:])}"
        rank = listed.rank(to)
        if rank and rank <= len(listed.targets):
            return Likeness(to, "scope", rank)
    return None


def facts(ecosystem: Ecosystem, name: str, among: Popular | None = None) -> Iterator[Fact]:
    """`registry.popularity`, and a `name.similar` or `name.scope` for each popular package that the name looks like."""
    listed = among if among is not None else popular(ecosystem)
    name = printable(name[:LONGEST])[:LONGEST]
    yield Fact("registry.popularity", excerpt=name[:200], attributes={"rank": listed.rank(name)})
    for one in similar(ecosystem, name, listed):
        yield Fact(
            "name.similar",
            excerpt=f"{name[:90]} looks like {one.to}",
            attributes={"name": name, "to": one.to, "how": one.how, "rank": one.rank, "added": one.added},
        )
    swapped = other_scope(ecosystem, name, listed)
    if swapped is not None:
        yield Fact(
            "name.scope",
            excerpt=f"{name[:90]} is {swapped.to} but for its scope",
            attributes={"name": name, "to": swapped.to, "rank": swapped.rank},
        )
