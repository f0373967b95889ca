"""Credentials in named fields of a TOML file.

As in JSON files. A file that is no TOML as a whole gives the lines that can be told, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import told, toml_tree
from pratique.readers.credentials.judgement import text_of


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
    elif text.strip():
        yield from told(toml_tree(text), row, fingerprint)
