"""What an expression is known to be: a constant, an interface, where its content is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from tree_sitter import Node


class Origin(NamedTuple):
    """Where content is from or what was done to it, and the offset in the file where that happens.

    `kind` is environment, credential, file, download, decode, encode, host; `detail` a name, a place, a form.
    """

    kind: str
    detail: str
    offset: int


NOTHING: frozenset[Origin] = frozenset()
UNSET = object()
"""No constant is known."""

HOLE = "\ufffc"
"""Stands in a text for a part that is not known."""


class Known:
    """What is known of an expression; of an unknown one nothing.

    `constant` is a str, bytes, int, float, bool or None. `text` is a text with holes. `api` is a dotted name: modules
    begin with `#`, results of calls end in `()`. `items` are those of an array, `fields` of an object, `function` is a
    function's node.
    """

    __slots__ = ("api", "constant", "fields", "function", "items", "origins", "shape")

    def __init__(
        self,
        constant: object = UNSET,
        *,
        api: str = "",
        origins: frozenset[Origin] = NOTHING,
        items: list[Known] | None = None,
        fields: dict[str, Known] | None = None,
        function: Node | None = None,
        shape: str = "",
    ) -> None:
        self.constant = constant
        self.api = api
        self.origins = origins
        self.items = items
        self.fields = fields
        self.function = function
        self.shape = shape

    @property
    def is_constant(self) -> bool:
        """Whether its value is known in full."""
        return self.constant is not UNSET

    @property
    def string(self) -> str | None:
        """The text it is, where that is known in full."""
        return self.constant if isinstance(self.constant, str) else None

    @property
    def text(self) -> str:
        """The text it is, with a hole for each part that is not known; empty where nothing is known of it."""
        if isinstance(self.constant, str):
            return self.constant
        return self.shape

    def all_origins(self, depth: int = 4) -> frozenset[Origin]:
        """Its origins and those of its items and fields."""
        found = self.origins
        if depth:
            for one in self.items or ():
                if one.origins or one.items or one.fields:
                    found |= one.all_origins(depth - 1)
            for one in (self.fields or {}).values():
                if one.origins or one.items or one.fields:
                    found |= one.all_origins(depth - 1)
        return found

    def with_origins(self, origins: frozenset[Origin]) -> Known:
        """The same with more origins."""
        if origins <= self.origins:
            return self
        return Known(
            self.constant,
            api=self.api,
            origins=self.origins | origins,
            items=self.items,
            fields=self.fields,
            function=self.function,
            shape=self.shape,
        )


UNKNOWN = Known()


def text_of(constant: object) -> str:
    """A constant as JavaScript turns it to text."""
    if constant is None:
        return "undefined"
    if isinstance(constant, bool):
        return "true" if constant else "false"
    if isinstance(constant, float):
        return str(int(constant)) if constant.is_integer() else str(constant)
    if isinstance(constant, bytes):
        return constant.decode("utf-8", "replace")
    return str(constant)
