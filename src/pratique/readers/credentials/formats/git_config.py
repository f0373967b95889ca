"""git's settings: of an account, and of a repository.

## Reads
User info in any URL: of remotes, submodules, proxies, and of the sections `url "..."` (`insteadOf`); headers with an
authorization (`http.*.extraheader`), as checkouts of continuous integration leave them; passwords of mail and tokens
that tools keep there; `credential.helper` as a reference.

## Leaves out
Files that `include` names. The helper, which is never asked.

## References
git documentation "git-config"; actions/checkout `git-auth-helper.ts`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import host_of, in_url, pairs, public, told
from pratique.readers.credentials.judgement import MOST, judge, text_of

_SECTION = re.compile(r'\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]\s*(.*)')
_ENTRY = re.compile(r"([A-Za-z][\w-]*)(?:\s*=\s*(.*))?")
_HEADER = re.compile(r"(?:proxy-)?authorization:\s*(\S+)(?:\s+(.+))?|(?:private-token|x-[\w-]*token):\s*()(.+)", re.I)
_SECRETS = frozenset({"smtppass", "pass", "password", "token", "oauthtoken", "privatetoken"})
_KNOWN_HELPERS = re.compile(r"[\w./\\:~-]+")


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield secrets in URLs and headers, and helpers."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    section, inner = "", ""
    count = understood = 0
    damaged = False
    for line in text.replace("\\\r\n", "").replace("\\\n", "").splitlines():
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        head = _SECTION.fullmatch(bare)
        facts: list[CredentialFact] = []
        if head is not None:
            section, inner = head[1].lower(), (head[2] or "").replace('\\"', '"').replace("\\\\", "\\")
            bare = head[3].strip()
            understood += 1
            if section == "url":
                facts += in_url("insteadOf", inner, row, fingerprint)
        entry = _ENTRY.fullmatch(bare) if section and bare else None
        if entry is not None:
            understood += 1
            facts += _entry(section, inner, entry[1].lower(), (entry[2] or "").strip().strip('"'), row, fingerprint)
        elif bare and bare[0] not in "#;":
            damaged = True
        for fact in facts:
            count += 1
            if count > MOST:
                yield "too many entries"
                return
            yield fact
    if damaged:
        yield "half understood" if understood else "not understood"


def _entry(
    section: str, inner: str, name: str, value: str, row: Row, fingerprint: Fingerprint
) -> Iterator[CredentialFact]:
    if name in _SECRETS:
        fact = told(f"{section}.{name}", value, row, fingerprint)
        if fact is not None:
            yield fact
    elif section == "http" and name == "extraheader":
        match = _HEADER.fullmatch(value)
        secret = (match[2] or match[4] or match[1]) if match is not None else None
        if secret:
            fact = told("extraheader", secret, row, fingerprint, pairs([("host", host_of(inner))]))
            if fact is not None:
                yield fact
    elif section == "credential" and name == "helper" and judge(value) != "nothing":
        first = value.split(maxsplit=1)[0]
        helper = first if _KNOWN_HELPERS.fullmatch(first) else "a command"
        yield CredentialFact(
            field="credential.helper",
            state="reference",
            protection="keychain" if re.search("keychain|manager|libsecret|wincred", helper) else "unknown",
            identity=pairs([("helper", public(helper)), ("host", host_of(inner))]),
        )
    else:
        yield from in_url(f"{section}.{name}", value, row, fingerprint)
