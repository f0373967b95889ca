"""Constant texts and lists folded as JavaScript would fold them, within a budget. Nothing of a release is executed."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from pratique.releases.javascript.values import UNKNOWN, UNSET, Known, text_of

LONGEST = 1 << 20
"""A folded text is at most this long."""

_ESCAPE = re.compile(r"\\(u\{[0-9a-fA-F]{1,6}\}|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|[0-7]{1,3}|\r\n|.|\n)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]*\Z")


def unescaped(text: str) -> str:
    """The content of a string literal with its escapes undone."""
    if "\\" not in text:
        return text

    def undo(match: re.Match[str]) -> str:
        body = match.group(1)
        if body[0] == "u" and len(body) > 1:
            number = int(body.strip("u{}"), 16)
            return chr(number) if number < 0x110000 else "\ufffd"
        if body[0] == "x" and len(body) == 3:
            return chr(int(body[1:], 16))
        if body[0] in "01234567" and body != "0":
            return chr(int(body, 8))
        return _SIMPLE.get(body, body)

    return _ESCAPE.sub(undo, text)


def from_base64(text: str) -> bytes | None:
    """The bytes of a base64 text as Node reads it: both alphabets, up to the padding; None where it is none."""
    text = text.partition("=")[0]
    if not _BASE64.match(text):
        return None
    plain = re.sub(r"\s+", "", text).replace("-", "+").replace("_", "/")
    if len(plain) % 4 == 1:
        plain = plain[:-1]
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4))
    except (binascii.Error, ValueError):
        return None


def to_bytes(value: object, encoding: str) -> bytes | None:
    """What `Buffer.from` makes of a constant."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        form = encoding.lower().replace("-", "")
        if form in {"base64", "base64url"}:
            return from_base64(value)
        if form == "hex":
            digits = re.match(r"(?:[0-9a-fA-F]{2})*", value)
            return bytes.fromhex(digits.group()) if digits else None
        if form in {"latin1", "binary", "ascii"}:
            return value.encode("latin-1", "replace")
        if form in {"utf16le", "ucs2"}:
            return value.encode("utf-16-le", "surrogatepass")
        return value.encode("utf-8", "surrogatepass")
    return None


def from_bytes(value: bytes, encoding: str) -> str:
    """What `Buffer.toString` makes of constant bytes."""
    form = encoding.lower().replace("-", "")
    if form == "base64":
        return base64.b64encode(value).decode()
    if form == "base64url":
        return base64.urlsafe_b64encode(value).decode().rstrip("=")
    if form == "hex":
        return value.hex()
    if form in {"latin1", "binary", "ascii"}:
        return value.decode("latin-1")
    if form in {"utf16le", "ucs2"}:
        return value.decode("utf-16-le", "replace")
    return value.decode("utf-8", "replace")


def number_of(value: object) -> float | None:
    """A constant as a number, None where it is none."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(int(value, 0)) if re.fullmatch(r"0[xXbBoO]\w+|\d+", value) else float(value or "0")
        except (ValueError, OverflowError):
            return None
    return None


def parse_int(text: str, radix: int) -> int | None:
    """`parseInt`."""
    text = text.strip()
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    if radix in {0, 16} and text[:2].lower() == "0x":
        radix, text = 16, text[2:]
    radix = radix or 10
    digits = ""
    for char in text[:64]:
        place = "0123456789abcdefghijklmnopqrstuvwxyz".find(char.lower())
        if place < 0 or place >= radix:
            break
        digits += char
    return sign * int(digits, radix) if digits and 2 <= radix <= 36 else None


def binary(operator: str, left: object, right: object) -> object:
    """Two constants under an operator; UNSET where that is not known."""
    if operator == "+" and (isinstance(left, str | bytes) or isinstance(right, str | bytes)):
        folded = text_of(left) + text_of(right)
        return folded if len(folded) <= LONGEST else UNSET
    if operator in {"===", "=="}:
        return left == right
    if operator in {"!==", "!="}:
        return left != right
    one, other = number_of(left), number_of(right)
    if one is None or other is None:
        return UNSET
    return _number(operator, one, other)


def _number(operator: str, one: float, other: float) -> object:
    result: float | int | bool
    try:
        if operator in {"^", "&", "|", "<<", ">>", ">>>"}:
            left, right = _word(one), _word(other)
            if operator == ">>>":
                return (left & 0xFFFFFFFF) >> (right & 31)
            shifted = {
                "^": left ^ right,
                "&": left & right,
                "|": left | right,
                "<<": left << (right & 31),
                ">>": left >> (right & 31),
            }[operator]
            return _word(shifted)
        if operator == "+":
            result = one + other
        elif operator == "-":
            result = one - other
        elif operator == "*":
            result = one * other
        elif operator == "/":
            result = one / other
        elif operator == "%":
            result = abs(one) % abs(other) * (1 if one >= 0 else -1)
        elif operator == "**" and abs(other) < 64 and abs(one) < 1 << 16:
            result = one**other
        elif operator == "<":
            return one < other
        elif operator == ">":
            return one > other
        elif operator == "<=":
            return one <= other
        elif operator == ">=":
            return one >= other
        else:
            return UNSET
    except (ArithmeticError, ValueError):
        return UNSET
    if isinstance(result, complex):
        return UNSET
    return int(result) if float(result).is_integer() and abs(result) < 1 << 53 else result


def _word(number: float) -> int:
    if not math.isfinite(number):
        return 0
    small = int(number) & 0xFFFFFFFF
    return small - (1 << 32) if small >= 1 << 31 else small


def _at(length: int, arguments: Sequence[object], place: int, default: int) -> int:
    number = number_of(arguments[place]) if len(arguments) > place and arguments[place] is not None else default
    if number is None or math.isnan(number):
        return default
    number = max(min(number, length), -length)
    return int(number) if number >= 0 else max(length + int(number), 0)


def string_method(text: str, name: str, arguments: Sequence[object]) -> object:
    """A method of a constant text with constant arguments: a constant, a list, or UNSET."""
    first = arguments[0] if arguments else None
    if name in {"toString", "valueOf", "normalize", "trimEnd", "trimStart", "trim"}:
        strips = {"trim": text.strip, "trimEnd": text.rstrip, "trimStart": text.lstrip}
        return strips[name]() if name in strips else text
    if name in {"toLowerCase", "toLocaleLowerCase"}:
        return text.lower()
    if name in {"toUpperCase", "toLocaleUpperCase"}:
        return text.upper()
    if name == "split":
        if first is None:
            return [text]
        if not isinstance(first, str):
            return UNSET
        parts = list(text) if first == "" else text.split(first)
        return parts if len(parts) < 200_000 else UNSET
    if name in {"replace", "replaceAll"} and isinstance(first, str) and len(arguments) > 1:
        if not isinstance(arguments[1], str):
            return UNSET
        folded = text.replace(first, arguments[1]) if name == "replaceAll" else text.replace(first, arguments[1], 1)
        return folded if len(folded) <= LONGEST else UNSET
    if name in {"slice", "substring"}:
        start, end = _at(len(text), arguments, 0, 0), _at(len(text), arguments, 1, len(text))
        if name == "substring" and start > end:
            start, end = end, start
        return text[start:end]
    if name == "substr":
        start = _at(len(text), arguments, 0, 0)
        length = number_of(arguments[1]) if len(arguments) > 1 else len(text)
        return text[start : start + int(length or 0)] if length is not None and abs(length) < LONGEST else UNSET
    if name in {"charAt", "at"}:
        place = _at(len(text), arguments, 0, 0)
        return text[place : place + 1]
    if name in {"charCodeAt", "codePointAt"}:
        place = _at(len(text), arguments, 0, 0)
        return ord(text[place]) if place < len(text) else UNSET
    if name == "concat":
        return text + "".join(text_of(one) for one in arguments)
    if name in {"repeat", "padStart", "padEnd"}:
        count = number_of(first)
        if count is None or not 0 <= count * max(len(text), 1) <= LONGEST:
            return UNSET
        if name == "repeat":
            return text * int(count)
        return text
    if name in {"indexOf", "lastIndexOf"} and isinstance(first, str):
        return text.find(first) if name == "indexOf" else text.rfind(first)
    if name in {"includes", "startsWith", "endsWith"} and isinstance(first, str):
        return {"includes": first in text, "startsWith": text.startswith(first), "endsWith": text.endswith(first)}[name]
    return UNSET


def list_method(items: list[Known], name: str, arguments: Sequence[Known]) -> Known | None:
    """A method of an array that is known item by item; None where it is not known."""
    first = arguments[0] if arguments else UNKNOWN
    if name == "join":
        between = first.string if arguments else ","
        if between is None:
            return None
        if all(one.is_constant for one in items):
            folded = between.join("" if one.constant is None else text_of(one.constant) for one in items)
            return Known(folded) if len(folded) <= LONGEST else None
        return Known(shape=between.join(one.text or "\ufffc" for one in items[:64]))
    if name in {"reverse", "toReversed"}:
        return Known(items=items[::-1])
    if name in {"slice", "flat", "values", "sort"}:
        if name == "slice" and arguments:
            plain = [one.constant for one in arguments]
            return Known(items=items[_at(len(items), plain, 0, 0) : _at(len(items), plain, 1, len(items))])
        return Known(items=items)
    if name == "concat":
        more = [one for argument in arguments for one in (argument.items or [argument])]
        return Known(items=items + more)
    if name in {"at", "pop", "shift"}:
        place = {"pop": -1, "shift": 0}.get(name, 0)
        number = number_of(first.constant) if name == "at" else place
        return items[int(number)] if number is not None and -len(items) <= number < len(items) else None
    return None


def percent(text: str, name: str) -> str:
    """`encodeURIComponent`, `decodeURIComponent`, `escape`, `unescape` and their kin."""
    if name in {"decodeURIComponent", "decodeURI"}:
        return unquote(text, errors="replace")
    if name == "unescape":
        spelled = re.sub(r"%u([0-9a-fA-F]{4})", lambda match: chr(int(match.group(1), 16)), text)
        return re.sub(r"%([0-9a-fA-F]{2})", lambda match: chr(int(match.group(1), 16)), spelled)
    return quote(text, safe="!'()*-._~" if name == "encodeURIComponent" else ";,/?:@&=+$-_.!~*'()#", errors="replace")
