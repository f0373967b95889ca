"""Values and their modifiers: from `Field|modifier|...: value` to what is wanted of a field.

What each modifier means stands in the Sigma specification, appendix "Modifiers" 2.1; the order of applying them, what
they may be applied to, and what windash and base64offset expand to follow pySigma 2.0.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import re
from collections.abc import Callable, Sequence

import msgspec

from pratique.behaviour.texts import Part, Parts, Wildcard, joined, parts_of


class WrongError(Exception):
    """What is wrong with a value or its modifiers: what, and what to do."""

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(what)
        self.what, self.advice = what, advice


class Text(msgspec.Struct, frozen=True):
    """A text with its wildcards. `original` is it as written; `cased`: case counts."""

    parts: Parts
    original: str
    cased: bool = False


class Number(msgspec.Struct, frozen=True):
    """A number."""

    number: int | float


class Truth(msgspec.Struct, frozen=True):
    """true or false."""

    truth: bool


class Null(msgspec.Struct, frozen=True):
    """No value: the event has the field not."""


class Found(msgspec.Struct, frozen=True):
    """A regular expression."""

    expression: str
    flags: str = ""


class Network(msgspec.Struct, frozen=True):
    """A range of addresses."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network


class Compared(msgspec.Struct, frozen=True):
    """A number and how it is compared: lt, lte, gt, gte."""

    way: str
    number: int | float


class Exists(msgspec.Struct, frozen=True):
    """Whether the field is there."""

    wanted: bool


class Reference(msgspec.Struct, frozen=True):
    """Another field of the same event."""

    field: str
    starts: bool = False
    ends: bool = False


class Several(msgspec.Struct, frozen=True):
    """One value that became several, of which one is enough."""

    values: tuple[Text, ...]


Wanted = Text | Number | Truth | Null | Found | Network | Compared | Exists | Reference | Several

_COMPARISONS = ("lt", "lte", "gt", "gte")
_FLAGS = {"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s"}
_TIMES = ("minute", "hour", "day", "week", "month", "year")
_DASH = re.compile(r"\B[-/]\b")
_DASHES = "-/\u2013\u2014\u2015"
MOST_DASHES = 3
KNOWN = (
    "all", "neq", "contains", "startswith", "endswith", "exists", "cased", "re", "i", "m", "s", "cidr", "lt", "lte",
    "gt", "gte", "windash", "base64", "base64offset", "wide", "utf16le", "utf16", "utf16be", "fieldref",
)  # fmt: skip
"""The modifiers that are evaluated."""


def plain(value: object) -> Wanted:
    """A value as YAML gives it. Raises WrongError."""
    if value is None:
        return Null()
    if isinstance(value, bool):
        return Truth(value)
    if isinstance(value, int | float):
        return Number(value)
    if isinstance(value, str):
        return Text(parts_of(value), value)
    if isinstance(value, datetime.date):
        raise WrongError(f"the date {value} is no value of a field", "Quote it, if text is meant")
    raise WrongError("is a mapping or a list where a value is expected", "Write texts, numbers, true, false or null")


class Item(msgspec.Struct, frozen=True):
    """A field, or None for keywords, and what is wanted of it. `all_of`: every value, not one; `negated`: none."""

    field: str | None
    wanted: tuple[Wanted, ...]
    all_of: bool = False
    negated: bool = False


def item(key: str, values: Sequence[object]) -> Item:
    """The item of `Field|modifier...` and its values. Raises WrongError."""
    field, *modifiers = key.split("|")
    _known(modifiers)
    if not values:
        raise WrongError(f"{key!r} names no value", "Write one; `null` stands for a field that is not there")
    wanted: list[Wanted] = []
    for value in values:
        if "re" in modifiers and isinstance(value, str):
            wanted.append(Text((value,), value))
        else:
            wanted.append(plain(value))
    done: list[str] = []
    for name in modifiers:
        if name not in ("all", "neq"):
            wanted = [_applied(name, one, done, field) for one in wanted]
        done.append(name)
    if any(isinstance(one, Text) and not field and not one.original for one in wanted):
        raise WrongError("an empty keyword is found in everything", "Write the word to look for")
    return Item(field or None, tuple(wanted), "all" in modifiers, "neq" in modifiers)


def _known(modifiers: Sequence[str]) -> None:
    for name in modifiers:
        if name in KNOWN or name in _FLAGS:
            continue
        if name in _TIMES:
            raise WrongError(
                f"the modifier {name!r} is not evaluated", "Leave the time of day to the correlation or the reader"
            )
        if name == "expand":
            raise WrongError(
                "the modifier 'expand' is not evaluated", "Write the values that the placeholder stands for"
            )
        raise WrongError(f"there is no modifier {name!r}", f"Use one of {', '.join(KNOWN)}")


def _applied(name: str, value: Wanted, before: Sequence[str], field: str) -> Wanted:
    """A value after one more modifier."""
    if isinstance(value, Several):
        made = [_applied(name, one, before, field) for one in value.values]
        flat: list[Text] = []
        for one in made:
            flat += one.values if isinstance(one, Several) else [one] if isinstance(one, Text) else _not_for(name, one)
        return Several(tuple(flat))
    if name in _COMPARISONS:
        if not isinstance(value, Number):
            raise WrongError(f"{name!r} compares numbers, not {words(value)}", "Write a number without quotes")
        return Compared(name, value.number)
    if name == "exists":
        if not isinstance(value, Truth) or before or not field:
            raise WrongError(
                "'exists' wants a field and true or false, and no other modifier", "Write `Field|exists: true`"
            )
        return Exists(value.truth)
    if name in _FLAGS and isinstance(value, Found):
        return Found(value.expression, value.flags + _FLAGS[name])
    if isinstance(value, Reference):
        return _placed(name, value)
    if not isinstance(value, Text):
        raise WrongError(f"{name!r} cannot be applied to {words(value)}", "Quote the value, or leave the modifier out")
    return _TEXTS[name](value, before) if name in _TEXTS else _not_for(name, value)[0]


def _not_for(name: str, value: Wanted) -> list[Text]:
    raise WrongError(
        f"{name!r} cannot be applied to {words(value)}", "Look up what it is for in the Sigma specification"
    )


def words(value: Wanted) -> str:
    """What kind of value it is."""
    return {
        Text: "text", Number: "a number", Truth: "true or false", Null: "null", Found: "a regular expression",
        Network: "a range of addresses", Compared: "a comparison", Exists: "a question for existence",
        Reference: "a field", Several: "several texts",
    }[type(value)]  # fmt: skip


def _placed(name: str, value: Reference) -> Reference:
    if name not in ("startswith", "endswith", "contains"):
        raise WrongError(f"{name!r} cannot be applied to a field", "Use fieldref with startswith, endswith or contains")
    starts, ends = name in ("startswith", "contains"), name in ("endswith", "contains")
    return Reference(value.field, value.starts or starts, value.ends or ends)


def contains(value: Text, before: Sequence[str] = ()) -> Text:
    """The text wherever it stands in a field."""
    return _ends(_starts(value, before), before)


def _starts(value: Text, before: Sequence[str]) -> Text:
    if value.parts and value.parts[-1] is Wildcard.MANY:
        return value
    return Text((*value.parts, Wildcard.MANY), value.original, value.cased)


def _ends(value: Text, before: Sequence[str]) -> Text:
    if value.parts and value.parts[0] is Wildcard.MANY:
        return value
    return Text((Wildcard.MANY, *value.parts), value.original, value.cased)


def _cased(value: Text, before: Sequence[str]) -> Text:
    return Text(value.parts, value.original, True)


def _expression(value: Text, before: Sequence[str]) -> Found:
    if before:
        raise WrongError("'re' must come first", "Write `Field|re` and only i, m, s after it")
    return Found(value.original)


def _cidr(value: Text, before: Sequence[str]) -> Network:
    if before:
        raise WrongError("'cidr' stands alone", "Write `Field|cidr: 192.0.2.0/24`")
    try:
        return Network(ipaddress.ip_network(value.original))
    except ValueError as error:
        raise WrongError(f"{value.original!r} is no range of addresses: {error}", "Write it as 192.0.2.0/24") from None


def _reference(value: Text, before: Sequence[str]) -> Reference:
    if any(isinstance(part, Wildcard) for part in value.parts):
        raise WrongError("a field's name holds no wildcards", "Name one field after fieldref")
    return Reference("".join(str(part) for part in value.parts), "startswith" in before, "endswith" in before)


def _windash(value: Text, before: Sequence[str]) -> Several:
    """Each dash or slash that begins a word as every kind of dash."""
    made: list[list[Part]] = [[]]
    number = 0
    for part in value.parts:
        if not isinstance(part, str):
            made = [[*one, part] for one in made]
            continue
        at = 0
        for match in _DASH.finditer(part):
            number += 1
            if number > MOST_DASHES:
                raise WrongError(f"'windash' expands {MOST_DASHES} dashes of a value at most", "Make it several values")
            made = [[*one, part[at : match.start()], dash] for one in made for dash in _DASHES]
            at = match.end()
        made = [[*one, part[at:]] for one in made]
    return Several(
        tuple(Text(joined([one for one in parts if one != ""]), value.original, value.cased) for parts in made)
    )


def _bytes(value: Text, before: Sequence[str]) -> bytes:
    if any(isinstance(part, Wildcard) for part in value.parts):
        raise WrongError("a text with wildcards has no base64 form", "Escape them, or leave them out")
    found = "".join(str(part) for part in value.parts).encode()
    mark = "\ufeff".encode()
    return b"\xff\xfe" + found[len(mark) :] if "utf16" in before and found.startswith(mark) else found


def _base64(value: Text, before: Sequence[str]) -> Text:
    return Text((base64.b64encode(_bytes(value, before)).decode(),), value.original, value.cased)


def _base64_offset(value: Text, before: Sequence[str]) -> Several:
    found = _bytes(value, before)
    made = []
    for shift in range(3):
        encoded = base64.b64encode(shift * b" " + found).decode()
        part = encoded[(0, 2, 3)[shift] : (None, -3, -2)[(len(found) + shift) % 3]]
        made.append(Text((part,) if part else (), value.original, value.cased))
    if any(not one.parts for one in made):
        raise WrongError(f"{value.original!r} is too short for base64offset", "It would be found in everything")
    return Several(tuple(made))


def _wide(encoding: str, mark: str = "") -> Callable[[Text, Sequence[str]], Text]:
    def wide(value: Text, before: Sequence[str]) -> Text:
        made: list[Part] = [mark] if mark else []
        try:
            made += [part.encode(encoding).decode("utf-8") if isinstance(part, str) else part for part in value.parts]
        except UnicodeError:
            raise WrongError("only ASCII text can be made wide", "Leave the modifier out") from None
        return Text(joined(made), value.original, value.cased)

    return wide


_TEXTS: dict[str, Callable[[Text, Sequence[str]], Wanted]] = {
    "contains": contains,
    "startswith": _starts,
    "endswith": _ends,
    "cased": _cased,
    "re": _expression,
    "cidr": _cidr,
    "fieldref": _reference,
    "windash": _windash,
    "base64": _base64,
    "base64offset": _base64_offset,
    "wide": _wide("utf-16le"),
    "utf16le": _wide("utf-16le"),
    "utf16be": _wide("utf-16be"),
    "utf16": _wide("utf-16le", "\ufeff"),
}


def fields_of(item: Item) -> list[str]:
    """The fields that an item speaks of, referenced ones among them."""
    found = [item.field] if item.field else []
    return found + [one.field for one in item.wanted if isinstance(one, Reference)]


def shown(value: Wanted) -> str:
    """A wanted value as a person reads it: texts with their wildcards in quotes."""
    if isinstance(value, Several):
        return " or ".join(shown(one) for one in value.values[:3]) + (" ..." if len(value.values) > 3 else "")
    if isinstance(value, Text):
        text = "".join(part.value if isinstance(part, Wildcard) else part for part in value.parts)
        return repr(text) + (" (case counts)" if value.cased else "")
    if isinstance(value, Found):
        return f"/{value.expression}/{value.flags}"
    if isinstance(value, Network):
        return f"within {value.network}"
    if isinstance(value, Compared):
        return f"{value.way} {value.number}"
    if isinstance(value, Exists):
        return "there" if value.wanted else "not there"
    if isinstance(value, Reference):
        return f"what {value.field} is"
    if isinstance(value, Null):
        return "not there"
    return str(value.truth).lower() if isinstance(value, Truth) else str(value.number)
