"""SSH's settings of an account.

## Reads
`IdentityFile` and `IdentityAgent` as references, with the host patterns they are for.

## Leaves out
`Include`, `Match exec`, and every other setting.

## References
OpenBSD manual "ssh_config".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import pairs
from pratique.readers.credentials.judgement import MOST, text_of

_LINE = re.compile(r'\s*([A-Za-z]+)(?:\s*=\s*|\s+)(?:"([^"]*)"|(.*?))\s*')
_TOLD = {"identityfile": "IdentityFile", "identityagent": "IdentityAgent", "pkcs11provider": "PKCS11Provider"}


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield a reference for each key or agent that is named."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    host = ""
    count = 0
    damaged = False
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            damaged = True
            continue
        name, value = match[1].lower(), match[2] if match[2] is not None else match[3]
        if name in ("host", "match"):
            host = value if name == "host" else ""
        elif name in _TOLD and value.lower() != "none":
            count += 1
            if count > MOST:
                yield "too many entries"
                return
            yield CredentialFact(
                field=_TOLD[name],
                state="reference",
                protection="hardware" if name == "pkcs11provider" else "unknown",
                identity=pairs([("host", host), ("file", value)]),
            )
    if damaged:
        yield "half understood"
