"""Files in which a name and its value follow each other as words: `host mail.example user me password ...`.

Reads msmtp's, fetchmail's and Emacs' files of accounts: the words that the row names, with host and user before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import matches
from pratique.readers.credentials.judgement import MOST, judge, text_of
from pratique.readers.credentials.material import fact, pairs

_WORD = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s,;]+")
_STARTS = ("account", "machine", "poll", "skip", "default", "server")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential for each word that holds a secret."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    known: dict[str, str] = {}
    pending = ""
    given = 0
    asked = (*row.fields, *row.show, *row.references)
    for line in text.split("\n"):
        if line.lstrip().startswith("#"):
            continue
        for match in _WORD.finditer(line[:65_536]):
            word = match[0].strip("\"'")
            if pending:
                name, pending = pending, ""
                if name in row.fields:
                    found = fact(name, word, row, fingerprint, identity=pairs(*known.items()), kind="password")
                    if found is not None:
                        given += 1
                        if given > MOST:
                            yield "too many entries"
                            return
                        yield found
                elif name in row.references:
                    if judge(word) != "nothing":
                        identity = pairs(*known.items())
                        yield CredentialFact(field=name, state="reference", protection="unknown", identity=identity)
                else:
                    known[name] = word
                continue
            if word in _STARTS:
                known = {}
            if matches(word, asked):
                pending = word
    if pending:
        yield "half understood"
