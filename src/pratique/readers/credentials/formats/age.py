"""Keys of age, as SOPS uses them too.

## Reads
Each secret key with its public key and time from the comments; a key of a plug-in (a hardware token) points elsewhere;
a file that is encrypted with a passphrase.

## References
C2SP age specification; FiloSottile/age `cmd/age-keygen`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.judgement import MOST, text_of
from pratique.readers.credentials.material import fact, moment

_PUBLIC = ("age1", "age1pq1")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a key."""
    if data.lstrip().startswith((b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE")):
        yield CredentialFact(field="whole file", protection="passphrase", kind="age-secret-key")
        return
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    public: str | None = None
    created: str | None = None
    given = 0
    strange = False
    for line in text.split("\n"):
        line = line.strip()
        if line.startswith("#"):
            name, _, value = line[1:].partition(":")
            value = value.strip()
            if name.strip().lower() in ("public key", "recipient") and value.startswith(_PUBLIC) and len(value) < 4000:
                public = value
            elif name.strip().lower() == "created":
                created = moment(value)
            continue
        if not line:
            continue
        made: CredentialFact | None = None
        identity = (("public key", public[:80]),) if public and public.isalnum() else ()
        if line.upper().startswith("AGE-SECRET-KEY-"):
            kind = "age-secret-key"
            made = fact("secret key", line, row, fingerprint, identity=identity, kind=kind, created=created)
        elif line.upper().startswith("AGE-PLUGIN-"):
            made = CredentialFact(
                field="plug-in key", state="reference", protection="hardware", identity=identity, created=created
            )
        elif "PRIVATE KEY" in line and line.startswith("-----BEGIN"):
            made = CredentialFact(field="private key", protection="unknown", kind="private-key")
        else:
            strange = True
        if made is not None:
            given += 1
            public = created = None
            if given > MOST:
                yield "too many entries"
                return
            yield made
    if strange:
        yield "half understood" if given else "not understood"
