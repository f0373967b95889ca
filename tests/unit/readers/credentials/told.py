"""How tests of credential formats ask a reader, and show what it says."""

from __future__ import annotations

import random
import string

import msgspec

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Row, Secret
from pratique.readers.credentials.table import reader_of, table

_LETTERS = random.Random(20261126)


def secret(prefix: str = "", length: int = 36) -> str:
    """A made-up secret: random letters and digits behind a prefix, with no valid checksum."""
    return prefix + "".join(_LETTERS.choice(string.ascii_letters + string.digits) for _ in range(length))


def mark(name: str, value: Secret) -> str:
    """In place of a fingerprint: for what it was asked. The value is looked at and dropped."""
    assert value.use(len)
    return name


def told(row: str | Row, content: str | bytes, fmt: str | None = None) -> list[dict[str, object] | str]:
    """What a format says of a file, as plain mappings and reasons."""
    entry = table().row(row) if isinstance(row, str) else row
    data = content.encode() if isinstance(content, str) else content
    found = list(reader_of(fmt or entry.format)(data, entry, mark))
    return [msgspec.to_builtins(item) if isinstance(item, CredentialFact) else item for item in found]


def fields(row: str | Row, content: str | bytes, fmt: str | None = None) -> list[str]:
    """The names of what is told, and the reasons."""
    return [item if isinstance(item, str) else str(item["field"]) for item in told(row, content, fmt)]
