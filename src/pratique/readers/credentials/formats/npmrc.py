"""npm's settings, as npm and pnpm keep them.

## Reads
`_authToken`, `_auth`, `_password` and `username`, alone or for a host (`//host/path/:_authToken`), in sections too;
pnpm's `tokenHelper` as a reference; user info in the URLs of registries and proxies.

## Leaves out
`certfile` and `keyfile`, which are paths; what a variable would hold.

## References
npm documentation "npmrc", "config: Auth related configuration".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import in_url, pairs, told
from pratique.readers.credentials.judgement import MOST, text_of

_LINE = re.compile(r"\s*([^\s=;#\[][^=\s]*)\s*=\s*(.*?)\s*")
_SECRETS = {"_authtoken": "_authToken", "_auth": "_auth", "_password": "_password", "key": "key"}
_URLS = frozenset({"registry", "proxy", "https-proxy", "http-proxy"})


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the secrets of each host."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    entries: list[tuple[str, str, str]] = []
    understood = others = 0
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare[0] in "#;[":
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            others += not re.fullmatch(r"[\w@/:.-]+", bare)
            continue
        understood += 1
        scope, mark, name = match[1].strip("\"'").rpartition(":")
        value = match[2].strip().strip("\"'")
        whole = match[1].strip("\"'")
        entries.append((scope, name, value) if mark and scope.startswith("//") else ("", whole, value))
    users = {scope: value for scope, name, value in entries if name.lower() == "username"}
    count = 0
    for scope, name, value in entries:
        short = _SECRETS.get(name.lower().removeprefix("npm_config_"))
        facts: list[CredentialFact] = []
        if short is not None and not (short == "key" and "BEGIN" not in value):
            host = scope.removeprefix("//").rstrip("/").lower()
            fact = told(
                short,
                value,
                row,
                fingerprint,
                pairs([("host", host.rpartition("@")[2]), ("user", users.get(scope))]),
                guessable=short in ("_password", "_auth"),
            )
            facts = [fact] if fact is not None else []
        elif name.lower() == "tokenhelper" and value:
            whose = pairs([("host", scope.removeprefix("//").rstrip("/").lower())])
            facts = [CredentialFact(field="tokenHelper", state="reference", protection="unknown", identity=whose)]
        elif name.lower() in _URLS or name.lower().endswith(":registry"):
            facts = list(in_url(name, value, row, fingerprint))
        for fact in facts:
            count += 1
            if count > MOST:
                yield "too many entries"
                return
            yield fact
    if others:
        yield "half understood" if understood else "not understood"
