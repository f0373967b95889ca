"""The grammar of npm's configuration files (`npmrc`): lines of `key = value`, read as npm reads them.

Measured with npm 11: a UTF-8 byte order mark is skipped, a file in UTF-16 holds no settings for npm, keys after a
`[section]` line are no settings, `key[]` adds to a list, a key without a value is true, a later line wins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

_VARIABLE = re.compile(r"(?<!\\)\$\{([^${}?:-]+)(\?|:?-[^{}]*)?\}")


class Setting(msgspec.Struct, frozen=True):
    """One line. `value` is None where the key stands alone, which means true; `listed`: the key ended in `[]`."""

    key: str
    value: str | None
    line: int
    listed: bool = False


def settings(text: str) -> Iterator[Setting]:
    """Every setting before the first section, in the order of the file. The last one of a key is in force."""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), start=1):
        stripped = line.strip()
        if not stripped or stripped[0] in ";#":
            continue
        if line.startswith("[") and re.fullmatch(r"\[[^\]]*\]\s*", line):
            return
        name, equals, rest = line.partition("=")
        key = unquote(name)
        if not key:
            continue
        listed = len(key) > 2 and key.endswith("[]")
        yield Setting(key.removesuffix("[]") if listed else key, unquote(rest) if equals else None, number, listed)


def unquote(text: str) -> str:
    r"""A key or value without its quotes, escapes (`\;`, `\#`, `\\`) and trailing comment."""
    text = text.strip()
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'":
        inner = text[1:-1] if text[0] == "'" else text
        try:
            decoded = json.loads(inner)
        except (ValueError, RecursionError):
            return inner
        return decoded if isinstance(decoded, str) else inner
    comment = re.match(r"(?:\\.|[^\\;#]|\\$)*", text, re.DOTALL)
    return re.sub(r"\\([\\;#])", r"\1", comment.group() if comment else text).strip()


def has_variable(text: str) -> bool:
    """Whether npm would put an environment variable into this text."""
    return _VARIABLE.search(text) is not None


def expand(text: str, environment: Mapping[str, str]) -> str | None:
    """The text with `${NAME}` filled in as npm does it; None where a variable is not set."""
    missing = False

    def fill(match: re.Match[str]) -> str:
        nonlocal missing
        value = environment.get(match[1])
        if value is not None:
            return value
        missing = missing or match[2] is None
        return (match[2] or "").lstrip(":-?")

    filled = _VARIABLE.sub(fill, text)
    return None if missing else filled


def last(text: str, wanted: Callable[[str], bool]) -> dict[str, Setting]:
    """The setting in force of every wanted key."""
    return {item.key: item for item in settings(text) if wanted(item.key)}
