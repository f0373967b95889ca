"""The hosts of GitHub's command line tool: `hosts.yml`.

## Reads
`oauth_token` of each host and of each user below it. An entry that names a user and holds no token has its token in the
system's keychain: told as a reference.

## Leaves out
The keychain. Settings.

## References
GitHub CLI manual "gh auth login".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.held import pairs, public, told
from pratique.readers.credentials.judgement import MOST, text_of
from pratique.readers.marked import Mapping, Text, parse


def read(content: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield a fact for each host and user."""
    text = text_of(content)
    if text is None:
        yield "of an encoding that is not read"
        return
    parsed = parse(text.encode("utf-8", "replace").decode("utf-8"))
    document = parsed.documents[0] if parsed.documents else None
    if parsed.damage is not None or (document is not None and not isinstance(document, Mapping)):
        yield "half understood" if isinstance(document, Mapping) else "not understood"
    if not isinstance(document, Mapping):
        return
    for count, (host, node) in enumerate(document.pairs):
        if count >= MOST:
            yield "too many entries"
            return
        if isinstance(node, Mapping):
            yield from _host(host.lower(), node, row, fingerprint)


def _host(host: str, node: Mapping, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact]:
    active = node.text("user")
    protocol = ("git_protocol", node.text("git_protocol"))
    found = False
    for token in node.every("oauth_token"):
        if isinstance(token, Text):
            identity = pairs([("host", host), ("user", active), protocol])
            fact = told("oauth_token", token.value, row, fingerprint, identity)
            if fact is not None:
                found = True
                yield fact
    users: list[str] = [active] if active and not found else []
    below = node.get("users")
    for name, inner in (below.pairs if isinstance(below, Mapping) else [])[:50]:
        stored = inner.get("oauth_token") if isinstance(inner, Mapping) else None
        identity = pairs([("host", host), ("user", name), protocol])
        fact = told("oauth_token", stored.value, row, fingerprint, identity) if isinstance(stored, Text) else None
        if fact is not None:
            users = [user for user in users if user != name]
            if not (found and name == active):
                yield fact
        elif name != active:
            users.append(name)
    for user in dict.fromkeys(users):
        yield CredentialFact(
            field="oauth_token",
            state="reference",
            protection="keychain",
            identity=(("host", public(host)), ("user", public(user))),
        )
