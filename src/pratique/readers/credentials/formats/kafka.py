"""Properties of Kafka clients: passwords of logins and of key stores.

## Reads
`sasl.jaas.config` with its user, passwords of key and trust stores, and the servers.

## References
Apache Kafka documentation "Security", `sasl.jaas.config`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import is_token
from pratique.readers.credentials.judgement import MOST, text_of
from pratique.readers.credentials.lines import settings
from pratique.readers.credentials.material import fact, is_secret_name, named, pairs

_OPTION = re.compile(r"\b([A-Za-z_.]{2,60})\s{0,8}=\s{0,8}(?:\"([^\"]*)\"|'([^']*)'|([^\s;\"']+))")
_NAMES = ("password", "clientsecret", "token", "oauthbearertoken")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a setting."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    found = [setting for setting in settings(re.sub(r"\\\r?\n[ \t]*", " ", text)) if setting.key]
    servers = next((item.value for item in found if item.key == "bootstrap.servers"), None)
    identity = pairs(("servers", servers))
    given = 0
    for item in found:
        name = item.key.lower().replace(".", "_")
        values: list[tuple[str, str, str | None]] = []
        if name.endswith("jaas_config"):
            options = {
                match[1].lower(): match[2] or match[3] or match[4] or "" for match in _OPTION.finditer(item.value)
            }
            user = options.get("username") or options.get("clientid")
            values = [(f"{named([item.key])} {key}", options[key], user) for key in _NAMES if key in options]
            if not values and item.value.strip():
                yield "half understood"
        elif is_secret_name(name) or is_token(item.value):
            values = [(named([item.key]), item.value, None)]
        for field, value, user in values:
            made = fact(field, value, row, fingerprint, identity=identity + pairs(("user", user)))
            if made is not None:
                given += 1
                if given > MOST:
                    yield "too many entries"
                    return
                yield made
    if not found and text.strip():
        yield "not understood"
