"""What is known of an expression: a constant, a name of an interface, a text with gaps, where its content is from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Origin(NamedTuple):
    """Where content is from or what was done to it, and the offset in the file where that happens.

    `kind` is environment, credential, file, download, decode, encode, host, clipboard, self; `detail` a name, a place,
    a destination, a form.
    """

    kind: str
    detail: str
    offset: int


NOTHING: frozenset[Origin] = frozenset()
GAP = "\ufffc"
"""Stands in a text for a part that is not known."""
MOST_TEXTS = 48
LONGEST = 4 << 20
Constant = str | bytes | int | float | bool | None


class Unset:
    """The type of what has no known constant."""


UNSET = Unset()


class Known:
    """What is known of an expression; of an unknown one nothing.

    `texts` are the texts that it may be, with a gap for each part that is not known. `api` is a dotted name; results of
    calls end in `()`. `items` are those of a list or the values of a dictionary, `fields` those of a dictionary by
    name. `function` is the number of a function of the file.
    """

    __slots__ = ("api", "constant", "fields", "function", "items", "origins", "texts")

    def __init__(
        self,
        constant: Constant | Unset = UNSET,
        *,
        api: str = "",
        origins: frozenset[Origin] = NOTHING,
        texts: tuple[str, ...] = (),
        items: tuple[Known, ...] | None = None,
        fields: dict[str, Known] | None = None,
        function: int = -1,
    ) -> None:
        self.constant = constant
        self.api = api
        self.origins = origins
        self.texts = texts
        self.items = items
        self.fields = fields
        self.function = function

    @property
    def plain(self) -> Constant:
        """The constant it is; None also where none is known."""
        return None if isinstance(self.constant, Unset) else self.constant

    @property
    def string(self) -> str | None:
        """The text it is, where that is known in full."""
        return self.constant if isinstance(self.constant, str) else None

    @property
    def choices(self) -> tuple[str, ...]:
        """Every text it may be, with gaps."""
        if isinstance(self.constant, str):
            return (self.constant,)
        if isinstance(self.constant, bytes):
            return (self.constant[:65536].decode("utf-8", "replace"),)
        return self.texts

    @property
    def text(self) -> str:
        """The first text that it may be; a gap where nothing is known."""
        return self.choices[0] if self.choices else GAP

    def all_origins(self, depth: int = 4) -> frozenset[Origin]:
        """Its origins and those of what it holds."""
        if not depth or not (self.items or self.fields):
            return self.origins
        found = set(self.origins)
        for one in self.items or ():
            found |= one.all_origins(depth - 1)
        for one in (self.fields or {}).values():
            found |= one.all_origins(depth - 1)
        return frozenset(found)

    def all_texts(self, depth: int = 3) -> tuple[str, ...]:
        """Every text it or what it holds may be."""
        found = list(self.choices)
        if depth:
            for one in self.items or ():
                found.extend(one.all_texts(depth - 1))
                if len(found) >= MOST_TEXTS:
                    break
        return tuple(found[:MOST_TEXTS])


NONE = Known()


class Names(dict[str, Known]):
    """What names are in one call of a function of the file, and what was found out for that call."""

    __slots__ = ("kept",)

    def __init__(self, given: Mapping[str, Known]) -> None:
        super().__init__(given)
        self.kept: dict[int, Known] = {}


def joined(parts: list[Known], between: str = "") -> Known:
    """The text of parts one after another; a constant where all are."""
    origins = frozenset().union(*(part.all_origins() for part in parts)) if parts else NOTHING
    constants = [part.constant for part in parts]
    if all(isinstance(one, str) for one in constants):
        text = between.join(one for one in constants if isinstance(one, str))
        if len(text) <= LONGEST:
            return Known(text, origins=origins)
    if constants and all(isinstance(one, bytes) for one in constants):
        octets = between.encode().join(one for one in constants if isinstance(one, bytes))
        if len(octets) <= LONGEST:
            return Known(octets, origins=origins)
    texts = [""]
    for number, part in enumerate(parts):
        choices = part.choices or (_shown(part),)
        lead = between if number else ""
        made = [f"{text}{lead}{choice}"[:4096] for text in texts for choice in choices]
        texts = made[:MOST_TEXTS]
    return Known(origins=origins, texts=tuple(texts))


def _shown(part: Known) -> str:
    if isinstance(part.constant, int | float) and abs(part.constant) < 1 << 64:
        return str(part.constant)
    return GAP


def either(values: list[Known]) -> Known:
    """What is known of an expression that is one of several."""
    if not values:
        return NONE
    if len(values) == 1:
        return values[0]
    first = values[0]
    origins: frozenset[Origin] = frozenset().union(*(one.origins for one in values))
    texts: list[str] = []
    items: list[Known] = []
    fields: dict[str, Known] = {}
    api, function = "", -1
    for one in values:
        texts.extend(text for text in one.choices if text not in texts)
        items.extend(one.items or ())
        fields.update(one.fields or {})
        api = api or one.api
        function = max(function, one.function)
    same = all(type(one.constant) is type(first.constant) and one.constant == first.constant for one in values)
    return Known(
        first.constant if same else UNSET,
        api=api,
        origins=origins,
        texts=tuple(texts[:MOST_TEXTS]),
        items=tuple(items[:512]) if items else None,
        fields=fields or None,
        function=function,
    )
