"""A file that holds one token and nothing else.

## Reads
The first line, where it is one word. More words, or an empty file, are no token.

## Leaves out
What kind of token it is, where its issuer puts nothing in front.

## References
The row of the table that names the file.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import told
from pratique.readers.credentials.judgement import text_of


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the token."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    words = text.split()
    if len(words) > 1:
        yield "half understood"
    if words:
        fact = told("whole file", words[0], row, fingerprint)
        if fact is not None:
            yield fact
