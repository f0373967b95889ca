"""Kubernetes client configuration.

## Reads
Each user with its cluster's address and the context: token, password, client key (with the subject and end of the
certificate beside it), tokens inside `auth-provider`. As references: `exec`, `auth-provider`, and files that are named.

## Leaves out
Certificate authorities, which are public. The command of `exec`. Subject and end of a certificate where no library to
read it is installed.

## References
kubernetes/client-go `tools/clientcmd/api/v1/types.go`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.certificate import certified
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import Pairs, told, yaml_tree
from pratique.readers.credentials.judgement import MOST, judge, text_of
from pratique.readers.credentials.material import fact, is_secret_name, named, pairs
from pratique.readers.credentials.web_tokens import claims

_FILES = ("client-key", "tokenFile")
_PROVIDERS = ("exec", "auth-provider")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of each user."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    if not text.strip():
        return
    tree = yaml_tree(text)
    if tree is None:
        yield "not understood"
        return
    root = tree.root
    users = root.get("users") if isinstance(root, Pairs) else None
    if not isinstance(root, Pairs) or not isinstance(users, list):
        yield from told(tree, row, fingerprint)
        return
    servers = _places(root)
    given = 0
    for entry in users:
        holder = entry if isinstance(entry, Pairs) else Pairs()
        name = holder.text("name") or ""
        user = holder.below("user")
        identity = pairs(("user", name), *servers.get(name, ()))
        for found in _user(user, identity, row, fingerprint):
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield found
    if not tree.whole:
        yield "half understood"


def _places(root: Pairs) -> dict[str, tuple[tuple[str, str | None], ...]]:
    """Context and cluster of each user."""
    clusters = {
        entry.text("name"): entry.below("cluster").text("server")
        for entry in root.get("clusters") or ()
        if isinstance(entry, Pairs)
    }
    found: dict[str, tuple[tuple[str, str | None], ...]] = {}
    for entry in root.get("contexts") or ():
        if isinstance(entry, Pairs):
            context = entry.below("context")
            places = (("server", clusters.get(context.text("cluster"))), ("context", entry.text("name")))
            found.setdefault(context.text("user") or "", places)
    return found


def _user(
    user: Pairs, identity: tuple[tuple[str, str], ...], row: Row, fingerprint: Fingerprint
) -> Iterator[CredentialFact]:
    for key, value in user:
        made: CredentialFact | None = None
        if key == "token" and isinstance(value, str):
            more, expires, created = claims(value)
            more = tuple(pair for pair in more if pair[0] != "audience")
            made = fact(key, value, row, fingerprint, identity=identity + more, expires=expires, created=created)
        elif key == "password" and isinstance(value, str):
            login = pairs(("login", user.text("username")))
            made = fact(key, value, row, fingerprint, identity=identity + login, kind="password")
        elif key == "client-key-data" and isinstance(value, str):
            subject, expires = certified(_decoded(user.text("client-certificate-data") or ""))
            more = pairs(("subject", subject))
            made = fact(key, value, row, fingerprint, identity=identity + more, kind="private-key", expires=expires)
        elif (key in _FILES and isinstance(value, str) and judge(value) != "nothing") or (key in _PROVIDERS and value):
            made = CredentialFact(field=key, state="reference", protection="unknown", identity=identity)
        if made is not None:
            yield made
        if key in _PROVIDERS and isinstance(value, Pairs):
            yield from _inside(key, value, identity, row, fingerprint)


def _inside(
    key: str, value: Pairs, identity: tuple[tuple[str, str], ...], row: Row, fingerprint: Fingerprint
) -> Iterator[CredentialFact]:
    """Tokens that a provider keeps in the file, and secrets in the environment of a program."""
    for name, text in value.below("config"):
        if isinstance(text, str) and ("token" in name or "secret" in name):
            made = fact(named([key, name]), text, row, fingerprint, identity=identity)
            if made is not None:
                yield made
    for entry in value.get("env") or ():
        if isinstance(entry, Pairs) and is_secret_name(entry.text("name") or ""):
            made = fact(
                named([key, "env", entry.text("name") or ""]),
                entry.text("value") or "",
                row,
                fingerprint,
                identity=identity,
            )
            if made is not None:
                yield made


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        return b""
