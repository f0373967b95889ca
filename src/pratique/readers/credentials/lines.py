"""Lines of settings: `key = value` below `[section]`, as the many relatives of INI files have them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

_SECTION = re.compile(r"\[([^\]\n]*)\]\s*(?:[#;].*)?")
LONGEST = 262_144
"""Characters of one line that are looked at."""


class Setting(msgspec.Struct, frozen=True):
    """One line: a setting, or with an empty key a line that is none."""

    section: str
    key: str
    value: str


def settings(text: str, *, signs: str = "=:", nested: bool = False) -> Iterator[Setting]:
    """Every setting in order. A line that is neither empty, comment, section nor setting has an empty key.

    With `nested` an indented line below a setting without a value is a setting of that name's own: `s3.use_dualstack`.
    """
    section = ""
    last = ""
    for line in text.splitlines():
        if len(line) > LONGEST:
            yield Setting(section, "", "")
            line = line[:LONGEST]
        bare = line.strip()
        if not bare or bare[0] in "#;" or bare.startswith("//"):
            continue
        heading = _SECTION.fullmatch(bare)
        if heading:
            section, last = unquoted(heading[1].strip()), ""
            continue
        at = min((place for sign in signs if (place := bare.find(sign)) > 0), default=0)
        if not at:
            yield Setting(section, "", bare)
            continue
        key, value = bare[:at].strip().strip("\"'"), unquoted(bare[at + 1 :])
        if not key:
            yield Setting(section, "", bare)
            continue
        if nested and line[0] in " \t" and last:
            yield Setting(section, f"{last}.{key}", value)
            continue
        last = key if not value else ""
        yield Setting(section, key, value)


def unquoted(value: str) -> str:
    """A value without its quotes, and without a comment behind it."""
    value = value.strip()
    if len(value) >= 2 and value[0] in "\"'":
        end = value.find(value[0], 1)
        if end > 0 and re.fullmatch(r"[,;]?\s*(?:[#;].*)?", value[end + 1 :]):
            return value[1:end]
    return re.split(r"\s[#;]", value, maxsplit=1)[0].rstrip()
