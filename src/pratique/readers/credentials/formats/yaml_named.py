"""Credentials in named fields of a YAML file, anchors followed within bounds.

As in JSON files. Nothing is constructed: every scalar stays text.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import told, yaml_tree
from pratique.readers.credentials.judgement import text_of


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
    elif any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
        yield from told(yaml_tree(text), row, fingerprint)
