"""Compose files: variables of services that hold secrets, and the files that services take them from.

## Reads
`environment` as a mapping or a list, `env_file` and `secrets` as references, arguments of builds; in all other fields
tokens by their format and passwords in URLs.

## References
compose-spec `05-services.md`, `09-secrets.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import is_token, yaml_tree
from pratique.readers.credentials.judgement import MOST, judge, text_of
from pratique.readers.credentials.material import fact, named, pairs
from pratique.readers.credentials.variables import one

_PLACES = ("environment", "args", "labels", "build_args")


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a variable."""
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
    given = 0
    for path, value, _ in tree.fields():
        names = [part for part in path if not part.startswith("[")]
        if not names or not value.strip():
            continue
        service = names[1] if names[0] == "services" and len(names) > 2 else None
        identity = pairs(("service", service))
        made: CredentialFact | None = None
        if names[-1] in _PLACES and "=" in value:
            key, _, inner = value.partition("=")
            made = one(key, inner, row, fingerprint)
        elif len(names) > 1 and names[-2] in _PLACES:
            made = one(names[-1], value, row, fingerprint)
        elif names[-1] == "env_file" or (len(names) > 1 and names[-2] == "env_file" and names[-1] == "path"):
            made = CredentialFact(field="env_file", state="reference", protection="unknown")
        elif len(names) == 3 and names[0] == "secrets" and names[-1] in ("file", "environment"):
            made = CredentialFact(field=named(names), state="reference", protection="unknown")
        elif is_token(value) and judge(value) == "material":
            made = fact(named(names), value, row, fingerprint)
        if made is not None:
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield CredentialFact(
                field=made.field,
                state=made.state,
                protection=made.protection,
                kind=made.kind,
                identity=identity + made.identity,
                fingerprint=made.fingerprint,
            )
    if not tree.whole:
        yield "half understood"
