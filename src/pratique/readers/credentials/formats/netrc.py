"""`.netrc`: machines with a login and a password.

## Reads
`machine` and `default` entries over any number of lines, quoted words, `macdef`. Only machines that the row's `fields`
name, or all where it names none but left-out ones (`!`).

## Leaves out
The text of macros.

## References
GNU inetutils manual "The .netrc file"; Python documentation "netrc".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import matches, pairs, told
from pratique.readers.credentials.judgement import MOST, text_of

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_MACRO = re.compile(r"^[ \t]*macdef[ \t]+\S+.*?(?:\n[ \t]*\n|\Z)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield a fact for each password."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    text = _COMMENT.sub("", _MACRO.sub("\n", text.replace("\r\n", "\n")))
    words = [match[1] if match[1] is not None else match[2] for match in _WORD.finditer(text)]
    wanted = tuple(item for item in row.fields if not item.startswith("!"))
    left_out = tuple(item[1:] for item in row.fields if item.startswith("!"))
    host, login, at, count = "", "", 0, 0
    found: list[tuple[str, str, str]] = []
    pending: str | None = None
    damaged = False
    while at < len(words):
        word, value = words[at], words[at + 1] if at + 1 < len(words) else None
        if word in ("machine", "default"):
            if pending is not None:
                found.append((host, login, pending))
            pending, login = None, ""
            host = value or "" if word == "machine" else "default"
            damaged = damaged or (word == "machine" and value is None)
            at += 2 if word == "machine" else 1
        elif word in ("login", "user", "account", "password") and value is not None and host:
            if word in ("login", "user"):
                login = value
            elif word == "password":
                pending = value
            at += 2
        else:
            damaged = True
            at += 1
    if pending is not None:
        found.append((host, login, pending))
    for host, login, password in found:
        if matches(host, left_out) or (wanted and not matches(host, wanted)):
            continue
        fact = told("password", password, row, fingerprint, pairs([("host", host), ("user", login)]))
        if fact is not None:
            count += 1
            if count > MOST:
                yield "too many entries"
                return
            yield fact
    if damaged:
        yield "half understood" if found else "not understood"
