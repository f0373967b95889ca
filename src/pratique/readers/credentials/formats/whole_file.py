"""A file that holds one secret and nothing else: a token, a password.

A JSON web token also gives when it expires and for whom it was made. Lines behind the first make the file half
understood.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.material import fact
from pratique.readers.credentials.web_tokens import claims


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credential."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines:
        return
    identity, expires, created = claims(lines[0])
    found = fact("whole file", lines[0], row, fingerprint, identity=identity, expires=expires, created=created)
    if found is not None:
        yield found
    if len(lines) > 1:
        yield "half understood"
