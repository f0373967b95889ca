"""AWS profiles: `credentials` and `config`, either of which may hold what the other usually does.

## Reads
One credential a profile: the secret key, with the id of the key (`AKIA...` lasts, `ASIA...` is a session), the role and
the region. As references: a program that gives credentials, a sign-in session, another profile, a file with a token.

## Leaves out
The command of `credential_process`. Whether a role can still be taken.

## References
AWS documentation "Configuration and credential file settings in the AWS CLI".
"""

from __future__ import annotations

from collections.abc import Iterator

from pratique.model.credential import CredentialFact
from pratique.readers.credentials.contract import Fingerprint, Reason, Row
from pratique.readers.credentials.fields import is_token
from pratique.readers.credentials.judgement import MOST, judge, text_of
from pratique.readers.credentials.lines import settings
from pratique.readers.credentials.material import fact, is_secret_name, named, pairs
from pratique.readers.credentials.tokens import recognise

_SECRETS = ("aws_secret_access_key", "aws_session_token", "aws_security_token")
_REFERENCES = (
    *("credential_process", "credential_source", "sso_session", "sso_start_url", "source_profile", "login_session"),
    *("web_identity_token_file", "aws_ca_bundle"),
)
_SHOWN = {
    "aws_access_key_id": "key id",
    "role_arn": "role",
    "region": "region",
    "sso_account_id": "account",
    "sso_role_name": "role name",
    "aws_account_id": "account",
}


def read(data: bytes, row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact | Reason]:
    """Yield one credential a profile, and what it points to."""
    text = text_of(data)
    if text is None:
        yield "of an encoding that is not read"
        return
    profiles: dict[str, dict[str, str]] = {}
    whole = True
    for setting in settings(text, signs="=", nested=True):
        if not setting.key:
            whole = False
            continue
        profiles.setdefault(setting.section, {})[setting.key.lower()] = setting.value
    given = 0
    for section, values in profiles.items():
        for found in _profile(section, values, row, fingerprint):
            given += 1
            if given > MOST:
                yield "too many entries"
                return
            yield found
    if not whole:
        yield "half understood" if profiles else "not understood"


def _profile(section: str, values: dict[str, str], row: Row, fingerprint: Fingerprint) -> Iterator[CredentialFact]:
    name = section.removeprefix("profile ").strip().strip("\"'")
    identity = pairs(("profile", name), *((label, values.get(key)) for key, label in _SHOWN.items()))
    secrets = [key for key in _SECRETS if judge(values.get(key, "")) != "nothing"]
    if secrets:
        key = secrets[0]
        known = recognise(values.get("aws_access_key_id", ""))
        session = len(secrets) > 1 or (known is not None and known.kind == "aws-session-key-id")
        kind = "aws-session-key" if session else "aws-access-key"
        found = fact(key, values[key], row, fingerprint, identity=identity, kind=kind)
        if found is not None:
            yield found
    for key in _REFERENCES[:-1]:
        if judge(values.get(key, "")) != "nothing":
            yield CredentialFact(field=key, state="reference", protection="unknown", identity=identity)
    for key, value in values.items():
        if key in _SECRETS or key in _REFERENCES or key in _SHOWN:
            continue
        if is_token(value) or (is_secret_name(key) and judge(value) == "material"):
            found = fact(named([key]), value, row, fingerprint, identity=identity)
            if found is not None:
                yield found
