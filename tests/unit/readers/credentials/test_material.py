"""What a value is, and what may be shown beside it."""

from __future__ import annotations

import pytest

from pratique.readers.credentials.judgement import judge
from pratique.readers.credentials.material import (
    is_guessable,
    is_secret_name,
    looks_random,
    moment,
    named,
    pairs,
    shown,
    url_password,
)
from tests.unit.readers.credentials.told import secret


@pytest.mark.parametrize(
    ("value", "judgement"),
    [
        ("", "nothing"),
        ("  ", "nothing"),
        ("null", "nothing"),
        ("changeme", "nothing"),
        ("<your token>", "nothing"),
        ("[token]", "nothing"),
        ("your-api-key-here", "nothing"),
        ("xxxxxxxx", "nothing"),
        ("********", "nothing"),
        ("$TOKEN", "reference"),
        ("${TOKEN}", "reference"),
        ("${TOKEN:-}", "reference"),
        ("${TOKEN:?is missing}", "reference"),
        ("${TOKEN:-hunter2hunter2}", "material"),
        ("${TOKEN}suffix", "material"),
        ("prefix-$TOKEN", "material"),
        ("${{ secrets.TOKEN }}", "reference"),
        ("{{ env_var('X') }}", "reference"),
        ("{{ a }}secret{{ b }}", "material"),
        ("%TOKEN%", "reference"),
        ("@TOKEN@", "reference"),
        ("$(op read x)", "reference"),
        ("`cat token`", "reference"),
        ("op://vault/item/field", "reference"),
        ("arn:aws:secretsmanager:eu-west-1:1:secret:x", "reference"),
        ("projects/1/secrets/x/versions/1", "reference"),
        ("encrypted:BD7HQzb", "encrypted"),
        ("ENC[AES256_GCM,data:x]", "encrypted"),
        ("$ANSIBLE_VAULT;1.1;AES256", "encrypted"),
        ("password", "material"),
        ("example.com-2024!", "material"),
        ("$apr1$abc$def", "material"),
        ("p$a$s$s", "material"),
    ],
)
def test_judgements(value: str, judgement: str) -> None:
    assert judge(value) == judgement


@pytest.mark.parametrize(
    "name",
    ["NPM_TOKEN", "AWS_SECRET_ACCESS_KEY", "DB_PASSWORD", "API_KEY", "apiKey", "GH_PAT", "DATABASE_URL", "MY_PASS"],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["PATH", "NEXT_PUBLIC_API_KEY", "AWS_ACCESS_KEY_ID", "SSH_AUTH_SOCK", "MAX_TOKENS", "OAUTH_TOKEN_URL", "EDITOR"],
)
def test_names_of_no_secrets(name: str) -> None:
    assert not is_secret_name(name)


def test_what_may_be_a_secret_is_not_shown() -> None:
    token, random = secret("ghp_"), secret(length=30)
    assert shown(token) is None
    assert shown(f"name {token}") is None
    assert shown(random) is None
    assert shown("a\x1b[2Jb") is None
    assert shown("a\u202eb") is None
    assert shown("x" * 200) is None
    assert shown("dev:hunter2@db") is None
    assert shown("postgres://u:pa/ss@host/db") is None
    assert shown("https://dev:hunter2@host.test/x?token=1") == "https://host.test/x"
    assert shown("arn:aws:iam::123456789012:role/deploy") == "arn:aws:iam::123456789012:role/deploy"
    assert shown("0a1b2c3d4e5f60718293a4b5c6d7e8f9") is None
    assert shown("0a1b2c3d4e5f60718293a4b5c6d7e8f9", loose=True) == "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
    assert named(["auths", "registry.test", token, "auth"]) == "auths.registry.test.?.auth"
    assert pairs(("user", token), ("host", "db.test"), ("port", None)) == (("host", "db.test"),)


@pytest.mark.parametrize(
    ("url", "password", "identity"),
    [
        ("postgres://dev:hunter2@db.test:5432/shop", "hunter2", (("host", "db.test"), ("user", "dev"))),
        ("postgres://dev:a/b#c?d@db.test/shop", "a/b#c?d", None),
        ("redis://:hunter2@db.test", "hunter2", (("host", "db.test"),)),
        ("https://db.test:8080/a@b", None, ()),
        ("https://db.test/x?api_key=hunter2", "hunter2", (("host", "db.test"),)),
        ("https://db.test/path", None, ()),
        ("no url", None, ()),
    ],
)
def test_passwords_in_urls(url: str, password: str | None, identity: tuple[tuple[str, str], ...] | None) -> None:
    found = url_password(url)
    assert (found[0] if found else None) == password
    if found and identity is not None:
        assert found[1] == identity


def test_a_token_in_place_of_a_user() -> None:
    token = secret("ghp_")
    found = url_password(f"https://{token}@host.test/x")
    assert found is not None
    assert found[0] == token


def test_what_people_choose_gets_no_fingerprint() -> None:
    assert is_guessable("correct horse battery staple and more of it")
    assert is_guessable("Tr0ub4dor&3")
    assert is_guessable("a" * 60)
    assert not is_guessable(secret("npm_"))
    assert not is_guessable(secret(length=40))
    assert looks_random(secret(length=30))
    assert not looks_random("/usr/local/share/Documents/A1")
    assert not looks_random("https://host.test/A1b2C3d4E5f6G7h8")


@pytest.mark.parametrize(
    ("value", "when"),
    [
        ("1770003600", "2026-02-02T03:40:00Z"),
        ("1770003600000", "2026-02-02T03:40:00Z"),
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00Z"),
        ("2026-11-20T12:00:00.123456789Z", "2026-11-20T12:00:00Z"),
        ("2026-11-20T14:00:00+02:00", "2026-11-20T12:00:00Z"),
        ("2026-02-01", "2026-02-01T00:00:00Z"),
        ("tomorrow", None),
        ("99999999999999999999", None),
        ("", None),
    ],
)
def test_moments(value: str, when: str | None) -> None:
    assert moment(value) == when
