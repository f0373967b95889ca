"""Credentials of the Azure command line: the token cache and the list of service principals.

## Reads
`msal_token_cache.json`: refresh, access and identity tokens with the account they belong to, their scopes and expiry.
`service_principal_entries.json`: the secret, certificate or assertion of each principal. A cache that Windows has
sealed (`.bin`) is told as encrypted: whoever runs as the user opens it.

## References
AzureAD/microsoft-authentication-library-for-python `msal/token_cache.py`; Azure/azure-cli `azure/cli/core/auth/`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import Pairs, json_tree, scopes_of, told
from pratique.readers.credentials.judgement import MOST, text_of
from pratique.readers.credentials.material import fact, moment, named, pairs

_SEALED = bytes.fromhex("01000000d08c9ddf0115d1118c7a00c04fc297eb")
"""The beginning of every blob that the Data Protection API makes."""
_CACHES = {"RefreshToken": "azure-refresh-token", "AccessToken": "azure-access-token", "IdToken": "azure-id-token"}
_PRINCIPAL = ("client_secret", "certificate", "client_assertion", "password")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    if data.startswith(_SEALED):
        yield CredentialFact(field="whole file", protection="encrypted")
        return
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    if not text.strip():
        return
    tree = json_tree(text)
    if tree is None:
        yield "not understood"
        return
    root = tree.root
    given = 0
    if isinstance(root, Pairs) and any(isinstance(root.get(name), Pairs) for name in (*_CACHES, "Account")):
        for found in _cache(root, row, fingerprint):
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield found
    elif isinstance(root, list) and not isinstance(root, Pairs):
        for index, entry in enumerate(root[: MOST + 1]):
            if index == MOST:
                yield "too many entries"
                return
            if isinstance(entry, Pairs):
                yield from _principal(entry, row, fingerprint)
            else:
                tree.whole = False
    else:
        yield from told(tree, row, fingerprint)
        return
    if not tree.whole:
        yield "half understood"


def _cache(root: Pairs, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact]:
    users: dict[str, str | None] = {}
    for _, entry in root.below("Account"):
        if isinstance(entry, Pairs):
            users[entry.text("home_account_id") or ""] = entry.text("username")
    for section, kind in _CACHES.items():
        for _, entry in root.below(section):
            if not isinstance(entry, Pairs):
                continue
            identity = pairs(
                ("account", users.get(entry.text("home_account_id") or "")),
                ("host", entry.text("environment")),
                ("client", entry.text("client_id")),
                ("tenant", entry.text("realm")),
                ("family", entry.text("family_id")),
            )
            found = fact(
                f"{section}.secret",
                entry.text("secret") or "",
                row,
                fingerprint,
                identity=identity,
                kind=kind,
                scopes=scopes_of(entry.text("target")),
                expires=moment(entry.text("expires_on") or ""),
                created=moment(entry.text("cached_at") or entry.text("last_modification_time") or ""),
            )
            if found is not None:
                yield found


def _principal(entry: Pairs, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact]:
    identity = pairs(
        ("client", entry.text("client_id") or entry.text("servicePrincipalId")),
        ("tenant", entry.text("tenant") or entry.text("servicePrincipalTenant")),
    )
    for key, value in entry:
        if not isinstance(value, str):
            continue
        if key == "certificate" and "PRIVATE KEY" not in value:
            yield CredentialFact(field=key, state="reference", protection="unknown", identity=identity)
        elif key in _PRINCIPAL or key == "accessToken":
            kind = {"client_secret": "azure-client-secret"}.get(key, "")
            found = fact(named([key]), value, row, fingerprint, identity=identity, kind=kind)
            if found is not None:
                yield found
