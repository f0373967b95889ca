"""Docker's and Podman's file of registry logins.

## Reads
`auths`: the registry, the user inside `auth`, identity and registry tokens. As references: a helper that keeps logins
(`credsStore`, `credHelpers`), with its name. An empty entry is what a helper leaves. Secrets in HTTP headers.

## References
docker/cli `cli/config/configfile/file.go`, `cli/config/types/authconfig.go`; containers/image
`docs/containers-auth.json.5.md`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import Pairs, json_tree
from pratique.readers.credentials.judgement import MOST, judge, text_of
from pratique.readers.credentials.material import fact, is_secret_name, named, pairs, shown

_TOKENS = ("identitytoken", "registrytoken", "password")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a registry, and the helpers."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    if not text.strip():
        return
    tree = json_tree(text)
    if tree is None or not isinstance(tree.root, Pairs):
        yield "not understood"
        return
    root = tree.root
    # Very old files hold the registries at the top.
    entries = root.below("auths") if root.get("auths") is not None else Pairs(p for p in root if _is_old(p[1]))
    given = 0
    for registry, entry in entries:
        for found in _entry(registry, entry, row, fingerprint):
            if found == "half understood":
                tree.whole = False
                continue
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield found
    if judge(root.text("credsStore") or "") != "nothing":
        helper = pairs(("helper", root.text("credsStore")))
        yield CredentialFact(field="credsStore", state="reference", protection="keychain", identity=helper)
    for registry, name in root.below("credHelpers")[:MOST]:
        if isinstance(name, str):
            known = pairs(("registry", registry), ("helper", name))
            yield CredentialFact(field="credHelpers", state="reference", protection="keychain", identity=known)
    for name, value in root.below("HttpHeaders")[:MOST]:
        if isinstance(value, str) and (is_secret_name(name) or name.lower() in ("authorization", "cookie")):
            header = fact(named(["HttpHeaders", name]), value, row, fingerprint)
            if header is not None:
                yield header
    if not tree.whole:
        yield "half understood"


def _is_old(value: object) -> bool:
    return isinstance(value, Pairs) and value.text("auth") is not None


def _entry(registry: str, entry: object, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    if not isinstance(entry, Pairs):
        yield "half understood"
        return
    identity = pairs(("registry", registry))
    field = f"auths.{shown(registry) or '?'}"
    login = entry.text("auth") or ""
    if judge(login) == "material":
        try:
            user, separator, password = base64.b64decode(login).decode().partition(":")
        except (binascii.Error, ValueError):
            yield "half understood"
            user, separator, password = "", ":", login
        if separator and password.rstrip("\0"):
            user = "" if user == "<token>" else user
            known = identity + pairs(("user", user))
            found = fact(f"{field}.auth", password.rstrip("\0"), row, fingerprint, identity=known)
            if found is not None:
                yield found
        elif not separator:
            yield "half understood"
    elif login.strip():
        yield CredentialFact(field=f"{field}.auth", state="reference", protection="unknown", identity=identity)
    for key in _TOKENS:
        found = fact(f"{field}.{key}", entry.text(key) or "", row, fingerprint, identity=identity)
        if found is not None:
            yield found
