"""Credentials in named settings of INI-like files: `key = value` or `key: value`, with or without sections.

Reads the settings that the row names with their section and owner; in all others tokens by their format and passwords
in URLs. A file that its tool encrypts as a whole (rclone) is told as that.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import Pairs, Tree, told
from pratique.readers.credentials.judgement import text_of
from pratique.readers.credentials.lines import settings

_ENCRYPTED = ("RCLONE_ENCRYPT_V",)


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    if any(line.startswith(_ENCRYPTED) for line in text.split("\n", 8)[:8]):
        yield CredentialFact(field="whole file", protection="passphrase")
        return
    root = Pairs()
    sections: dict[str, Pairs] = {}
    whole = True
    for setting in settings(text):
        if not setting.key:
            whole = False
            continue
        holder = root
        if setting.section:
            if setting.section not in sections:
                sections[setting.section] = Pairs()
                root.append((setting.section, sections[setting.section]))
            holder = sections[setting.section]
        holder.append((setting.key, setting.value))
    if root:
        yield from told(Tree(root, whole=whole), row, fingerprint)
    elif not whole:
        yield "not understood"
