"""Start files of shells and files of environments: variables that hold secrets, by name.

## Reads
`export X=...` and plain assignments, fish's `set -x`, `setenv` of csh and of launchd, PowerShell's `$env:X =`, batch
files. Variables whose name says that they hold a secret, or whose value has the format of a token.

## Leaves out
Values. What commands in the file would set. Functions and conditions are not followed: what is
assigned anywhere counts.

## References
GNU bash manual "Bash Startup Files"; fish documentation "set"; PowerShell documentation "about_Environment_Variables".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.assignments import assignments
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.tokens import count
from pratique.readers.credentials.variables import of_variables


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a variable, and one for tokens that stand elsewhere in the file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    known: Counter[str] = Counter()
    for made in of_variables(assignments(text), row, fingerprint):
        if not isinstance(made, str) and made.kind:
            known[made.kind] += 1
        yield made
    for kind in sorted(count(text) - known):
        yield CredentialFact(field="elsewhere in the file", kind=kind)
