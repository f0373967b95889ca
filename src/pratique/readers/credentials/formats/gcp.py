"""Credentials of Google Cloud in JSON: of a user, a service account, or of another identity that is exchanged.

## Reads
By `type`: `authorized_user` (refresh token), `service_account` (private key, its id and address), and
`external_account`, `impersonated_service_account` and their like, which point elsewhere; what they carry besides is
told too. A file without a type is read for the same fields.

## Leaves out
The client secret of the command line tool itself, which is the same everywhere.

## References
googleapis/google-auth-library-python `google/auth/_default.py`; Google Cloud documentation "Application Default
Credentials".
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import Pairs, Tree, json_tree, told
from pratique.readers.credentials.judgement import text_of

_FIELDS = ("refresh_token", "private_key", "access_token", "id_token", "client_secret", "subject_token", "token")
_SHOW = (
    *("account", "client_email", "key id=private_key_id", "project=project_id", "project=quota_project_id"),
    *("client=client_id", "type"),
)
_ELSEWHERE = (
    "external_account",
    "impersonated_service_account",
    "external_account_authorized_user",
    "gdch_service_account",
)
_OWN_CLIENTS = ("764086051850-", "32555940559.")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield the credentials of one file."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    if not text.strip():
        return
    tree = json_tree(text)
    root = tree.root if tree is not None else None
    row = msgspec.structs.replace(row, fields=_FIELDS + row.fields, show=_SHOW + row.show)
    if isinstance(root, Pairs):
        kind = root.text("type") or ""
        if kind in _ELSEWHERE:
            yield CredentialFact(field="type", state="reference", protection="unknown", identity=(("type", kind),))
        if (root.text("client_id") or "").startswith(_OWN_CLIENTS):
            kept = Pairs((key, value) for key, value in root if key != "client_secret")
            tree = Tree(kept, whole=tree.whole if tree else False)
    yield from told(tree, row, fingerprint)
