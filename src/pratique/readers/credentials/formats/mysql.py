"""MySQL's and MariaDB's option files, and the login path file.

## Reads
`password` of every group, with user and host. The login path file (`.mylogin.cnf`) is only scrambled with a key that
stands in it: it counts as plain text, its groups are not unscrambled.

## Leaves out
Files that `!include` and `!includedir` name: told as half understood.

## References
MySQL documentation "Using Option Files", "mysql_config_editor"; mysql-server `mysys/my_default.cc`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import MOST, text_of
from pratique.readers.credentials.lines import settings
from pratique.readers.credentials.material import fact, named, pairs

_HEADER = 4 + 20


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a group."""
    if data[:4] == b"\0\0\0\0":
        if len(data) > _HEADER:
            yield CredentialFact(field="login path file", protection="plaintext")
        return
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    groups: dict[str, dict[str, str]] = {}
    elsewhere = False
    for setting in settings(text, signs="="):
        if setting.key:
            groups.setdefault(setting.section, {})[setting.key.lower().replace("_", "-")] = setting.value
        else:
            elsewhere = elsewhere or setting.value.startswith("!") or len(setting.value.split()) != 1
    for given, (group, values) in enumerate(groups.items()):
        if given >= MOST:
            yield "too many entries"
            return
        identity = pairs(("group", group), ("host", values.get("host")), ("user", values.get("user")))
        for key, value in values.items():
            # An option may be shortened as long as it is the only one that begins so.
            if key.startswith("passw") or key in ("pass", "loose-password", "password1", "password2", "password3"):
                found = fact(named([group, key]), value, row, fingerprint, identity=identity, kind="password")
                if found is not None:
                    yield found
    if elsewhere:
        yield "half understood" if groups else "not understood"
