"""What rules see of an event: fields by their Sigma names, as values, as texts, and as texts in lower case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pratique.behaviour.texts import fold

Value = str | int | float | bool | tuple[str, ...]
"""A field's value. One that holds several texts meets a test where one of them does."""


def as_texts(value: Value | None) -> tuple[str, ...]:
    """A value as texts: numbers in decimal, truth as `true` and `false`, nothing as none."""
    if isinstance(value, str):
        return (value,)
    if value is None:
        return ()
    if isinstance(value, tuple):
        return value
    if isinstance(value, bool):
        return ("true",) if value else ("false",)
    return (f"{value:g}",) if isinstance(value, float) else (str(value),)


class View:
    """The fields of one event. `None` is a field that the event does not have."""

    __slots__ = ("_folded", "_texts")

    def __init__(self) -> None:
        self._texts: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, tuple[str, ...]] = {}

    def value(self, field: str) -> Value | None:
        """The value of a field; None where the event has it not."""
        raise NotImplementedError

    def fields(self) -> Iterable[str]:
        """The names of all fields that keywords are looked for in, in order."""
        raise NotImplementedError

    def texts(self, field: str) -> tuple[str, ...]:
        """The value of a field as texts; none where the event has it not."""
        found = self._texts.get(field)
        if found is None:
            found = self._texts[field] = as_texts(self.value(field))
        return found

    def folded(self, field: str) -> tuple[str, ...]:
        """The same in lower case."""
        found = self._folded.get(field)
        if found is None:
            found = self._folded[field] = tuple([fold(one) for one in self.texts(field)])
        return found


class MappedView(View):
    """Fields out of a mapping."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value | None]) -> None:
        super().__init__()
        self._values = values

    def value(self, field: str) -> Value | None:
        """The value that the mapping has."""
        return self._values.get(field)

    def fields(self) -> Iterable[str]:
        """The keys of the mapping."""
        return self._values
