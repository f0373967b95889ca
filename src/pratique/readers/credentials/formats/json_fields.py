"""Credentials in named fields of a JSON file, comments allowed.

Reads the fields that the row names, wherever they stand, with expiry, scopes and owner from beside them; in all other
fields tokens by their format and passwords in URLs. A damaged file gives what stood before the damage.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import json_tree, told
from pratique.readers.credentials.judgement import text_of


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
    elif text.strip():
        yield from told(json_tree(text), row, fingerprint)
