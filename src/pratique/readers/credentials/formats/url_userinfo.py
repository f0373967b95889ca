"""Lists of URLs that carry a user and a password, such as git's store.

## Reads
One URL a line, user info in percent encoding too. A user without a password is a token.

## Leaves out
URLs without user info; the user of an SSH address, which is no secret.

## References
git documentation "git-credential-store".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import in_url
from pratique.readers.credentials.judgement import MOST, text_of

_LINE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://\S+")


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield a fact for each URL with a secret."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    count, understood, others = 0, 0, 0
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue
        if not _LINE.fullmatch(bare):
            others += 1
            continue
        understood += 1
        for fact in in_url("url", bare, row, fingerprint):
            count += 1
            if count > MOST:
                yield "too many entries"
                return
            yield fact
    if others:
        yield "half understood" if understood else "not understood"
