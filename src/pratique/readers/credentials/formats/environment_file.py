"""`.env` files and their relatives: variables with a concrete value that is a secret.

## Reads
`NAME=value`, with `export`, quotes and comments, and `NAME: value`. Told are variables whose name says that they hold a
secret, and all whose value has the format of a token, is a URL with a password, or looks made by a machine. A reference
to a variable or a store is told as that, a value that dotenvx or SOPS sealed as encrypted.

## Leaves out
Values, placeholders, settings that open nothing.

## References
motdotla/dotenv README "Rules"; dotenvx documentation; getsops/sops README.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.assignments import assignments
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.variables import of_variables


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a variable."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    yield from of_variables(assignments(text, colon=True), row, fingerprint)
