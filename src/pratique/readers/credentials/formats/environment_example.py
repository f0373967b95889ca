"""Examples of `.env` files, which are there to be shown: told only where a value has the format of a token.

## Reads
As `environment_file`. Only a value that has the format of a token and looks random counts: somebody put a real one in.

## Leaves out
Everything else: words, and passwords that stand for others.

## References
motdotla/dotenv README "Should I commit my .env file?".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.assignments import assignments
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.material import kind_in, looks_random
from pratique.readers.credentials.variables import of_variables


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential for each variable that holds a token."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    real = (item for item in assignments(text, colon=True) if kind_in(item.value) and looks_random(item.value))
    yield from of_variables(real, row, fingerprint)
