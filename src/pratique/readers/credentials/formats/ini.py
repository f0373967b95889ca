"""INI files, Java properties and other lines of `name = value`.

## Reads
Sections in brackets, `name = value` and `name: value`, comments (`#`, `;`, `!`), values that go on in indented lines.
Names of the row's `fields` hold secrets; those of `show` in the same section tell whose they are. A name that stands
twice counts twice. The section is told as `section`.

## Leaves out
Interpolation: a value that is one as a whole is a reference. Lines that are neither.

## References
Python documentation "configparser"; Java `Properties.load`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import held, matches, pairs
from pratique.readers.credentials.judgement import MOST, text_of

_SECTION = re.compile(r"\[([^\]]*)\]")
_ENTRY = re.compile(r"([^=:\s\[][^=:]{0,300}?)[ \t]*[=:][ \t]*(.*)")


class Section(msgspec.Struct):
    """A section and its entries in order; lines before the first section stand in one without a name."""

    name: str
    entries: list[tuple[str, str]] = []


def sections(text: str) -> tuple[list[Section], bool]:
    """The sections of a text, and whether any line was not understood."""
    found = [Section("", [])]
    damaged = False
    indent = 0
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare[0] in "#;!":
            continue
        entries = found[-1].entries
        section = _SECTION.match(bare)
        if section is not None:
            found.append(Section(section[1].strip().strip('"'), []))
        elif entries and _goes_on(line, indent, found[-1].name):
            entries[-1] = (entries[-1][0], f"{entries[-1][1]}\n{bare}")
        elif entry := _ENTRY.fullmatch(bare):
            indent = len(line) - len(line.lstrip())
            entries.append((entry[1].strip(), entry[2].strip()))
        else:
            damaged = damaged or not re.fullmatch(r"[\w.@/:-]+", bare)
    return found, damaged


def _goes_on(line: str, indent: int, section: str) -> bool:
    """Whether a line continues the value before it: by its indentation in a section, else where it names nothing."""
    deeper = len(line) - len(line.lstrip()) > indent
    return deeper and (bool(section) or _ENTRY.fullmatch(line.strip()) is None)


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the secrets of every section."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    found, damaged = sections(text)
    if damaged:
        yield "half understood" if any(section.entries for section in found) else "not understood"
    count = 0
    for section in found:
        shown = [(name, value) for name, value in section.entries if matches(name, row.show)]
        identity = pairs([("section", section.name), *shown])
        for name, value in section.entries:
            for fact in held(name, value, row, fingerprint, identity, path=f"{section.name}.{name}"):
                count += 1
                if count > MOST:
                    yield "too many entries"
                    return
                yield fact
